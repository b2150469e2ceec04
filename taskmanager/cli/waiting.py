"""Waiting for a job in front of the terminal: its progress is shown there, its end is the exit code."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from taskmanager.app import TaskManager
from taskmanager.cli.common import FAILED, TIMED_OUT
from taskmanager.cli.texts import print_json
from taskmanager.domain.errors import JobFailed, WaitTimeout
from taskmanager.engine.context import PROGRESS
from taskmanager.server import waiting
from taskmanager.storage import jobs
from taskmanager.storage.transaction import Tx

_LOOK_SECONDS = 0.5


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Take note of Ctrl-C, and raise KeyboardInterrupt where what this gives is called; the second one raises at once.

    Raised anywhere, it may be lost in a callback of the garbage collector, or break a library in the middle of its
    own bookkeeping, which then raises something else.
    """
    noted = 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal noted
        noted += 1
        if noted > 1:
            raise KeyboardInterrupt

    def check() -> None:
        if noted:
            raise KeyboardInterrupt

    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield check  # somebody else answers to Ctrl-C
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, usual)


def wait_and_print(tm: TaskManager, job_id: int, timeout: float | None, check: Callable[[], None]) -> None:
    """Print the result; exit codes: 1 failed or deleted, 3 still going on. Raises JobNotFound, and what check does."""
    try:
        _watch(tm, job_id, timeout, check)
        print_json(tm.wait(job_id, 0))
    except JobFailed as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    except WaitTimeout as error:
        click.echo(str(error), err=True)
        sys.exit(TIMED_OUT)


def _watch(tm: TaskManager, job_id: int, timeout: float | None, check: Callable[[], None]) -> None:
    """Wait for the end, with a progress bar on a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        waiting.until_final(tm.database, job_id, timeout, check)
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    deadline = None if timeout is None else time.monotonic() + timeout
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"job {job_id}", total=None)
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            try:
                part = _LOOK_SECONDS if left is None else min(left, _LOOK_SECONDS)
                waiting.until_final(tm.database, job_id, part, check)
                return
            except WaitTimeout:
                if left is not None and left <= _LOOK_SECONDS:
                    raise
            state, share = tm.database.read(lambda tx: _state(tx, job_id))
            bar.update(task, description=f"job {job_id} {state}", total=None if share is None else 1.0, completed=share)


def _state(tx: Tx, job_id: int) -> tuple[str, float | None]:
    name, _ = jobs.current_states(tx, [job_id]).get(job_id, ("gone", None))
    told = jobs.parameters(tx, [job_id]).get(job_id, {}).get(PROGRESS)
    try:
        return str(name), None if told is None else float(told)
    except ValueError:
        return str(name), None
