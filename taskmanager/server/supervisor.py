"""Keeps worker processes alive: replaces the dead, returns their claims at once, passes signals on.

Children are started as fresh interpreters (no fork), and hold the read end of a pipe: by it they are told to stop
and to hurry, and when it closes, the supervisor is gone, and they end in order.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

from taskmanager.server import lifeline
from taskmanager.server.undertaker import Undertaker
from taskmanager.storage.database import Database

log = logging.getLogger("taskmanager.supervisor")

_LOOK_SECONDS = 0.1
_ANSWER_SECONDS = 1.0
_STOP, _HURRY = b"s", b"h"
#: A child that ends so was asked to stop for good: no other takes its place.
RETIRED = 3


class StopSignal:
    """SIGTERM, SIGINT and Windows' Ctrl events set a flag; the second one asks for hurry.

    A handler runs in the middle of whatever the main thread does, which may be holding the very lock of that flag:
    so it only passes the signal on, by the one queue that may be interrupted by itself, to a thread of its own.

    hurries: False in a supervised child, which gets a terminal's Ctrl-C beside what its supervisor says.
    when_told: called at the first.
    """

    def __init__(self, *, hurries: bool = True) -> None:
        self.stop = threading.Event()
        self.hurry = threading.Event()
        self.when_told: Callable[[], None] = lambda: None
        self._hurries = hurries
        self._came: queue.SimpleQueue[int] = queue.SimpleQueue()

    def install(self) -> StopSignal:
        """Take the signals over; in the main thread only."""
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._handle)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave)
        threading.Thread(target=self._answer, name="taskmanager-signals", daemon=True).start()
        return self

    def _leave(self) -> None:
        """In a child that a job forked: it is no worker, and ends by a signal as any program does."""
        for name, usual in (("SIGTERM", signal.SIG_DFL), ("SIGINT", signal.default_int_handler)):
            if signal.getsignal(getattr(signal, name)) == self._handle:
                signal.signal(getattr(signal, name), usual)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._came.put(number)

    def _answer(self) -> None:
        while self._came.get():
            if self.stop.is_set() and self._hurries:
                self.hurry.set()
            self.tell()

    def wait(self) -> None:
        """Wait until told to stop. On Windows no signal is answered to within a wait that has no end."""
        while not self.stop.wait(_ANSWER_SECONDS):
            pass

    def tell(self) -> None:
        """Say from inside that it is time to stop."""
        self.stop.set()
        self.when_told()


class Supervisor:
    """Runs `count` children with one command line. dead_after: seconds of silence after which one is killed."""

    def __init__(
        self, database: Database, command: Sequence[str], count: int, *, dead_after: float, grace: float
    ) -> None:
        self.database = database
        self.command = list(command)
        self.count = count
        self._dead_after, self._grace = dead_after, grace
        self._children: list[subprocess.Popen[bytes]] = []
        self._started: dict[int, float] = {}
        self._touched: dict[int, tuple[float, float]] = {}
        self._undertaker = Undertaker(database)

    def run(self, signals: StopSignal) -> int:
        """Supervise until told to stop, or until all children were asked to stop for good; returns an exit code."""
        failures = 0
        while not signals.stop.is_set() and self.count > 0:
            while self._missing() > 0:
                self._spawn()
            signals.stop.wait(_LOOK_SECONDS)
            failures = self._look(failures)
            if failures > 20:
                log.error("worker processes end as soon as they start; giving up")
                return 1
        self._stop(signals)
        return 0

    def _missing(self) -> int:
        """How many to start: one that takes no more jobs has its successor beside it."""
        draining = lifeline.draining(lifeline.folder_of(self.database.identity))
        return self.count - sum(child.pid not in draining for child in self._children)

    def _spawn(self) -> None:
        child = subprocess.Popen(self.command, stdin=subprocess.PIPE)
        self._children.append(child)
        self._started[child.pid] = time.monotonic()
        log.info("worker process %d started", child.pid)

    def _look(self, failures: int) -> int:
        for child in list(self._children):
            if child.poll() is None:
                continue
            self._children.remove(child)
            self._touched.pop(child.pid, None)
            young = time.monotonic() - self._started.pop(child.pid) < 3.0
            if child.returncode == RETIRED:
                self.count -= 1
                log.info("worker process %d was asked to stop, and has; %d are left", child.pid, self.count)
                continue
            failures = failures + 1 if young and child.returncode != 0 else 0
            if child.returncode != 0:
                log.error("worker process %d ended with code %s; another takes its place", child.pid, child.returncode)
            else:
                log.info("worker process %d has ended in order; another takes its place", child.pid)
            if failures > 1:
                time.sleep(min(2.0, 0.1 * failures))
        self._bury()
        self._kill_hung()
        return failures

    def _bury(self) -> None:
        try:
            self._undertaker.work()
        except Exception as error:
            log.warning("the claims of a dead process cannot be given back yet: %s", error)

    def _kill_hung(self) -> None:
        """A child whose lifeline was not touched for the whole time can no longer be talked to."""
        now, touches = time.monotonic(), lifeline.touches(lifeline.folder_of(self.database.identity))
        for child in self._children:
            touch = touches.get(child.pid, 0.0)
            known, since = self._touched.get(child.pid, (0.0, now))
            self._touched[child.pid] = (touch, since if touch == known else now)
            silent = now - self._touched[child.pid][1]
            if touch and silent > self._dead_after:
                log.error("worker process %d has been hung for %.0f s and is killed", child.pid, silent)
                child.kill()

    def _stop(self, signals: StopSignal) -> None:
        for child in self._children:
            _tell(child, _STOP)
        deadline = time.monotonic() + self._grace + 5.0
        hurried = False
        while any(c.poll() is None for c in self._children) and time.monotonic() < deadline:
            if signals.hurry.is_set() and not hurried:
                hurried = True
                for child in self._children:
                    _tell(child, _HURRY)
            time.sleep(0.05)
        for child in self._children:
            if child.poll() is None:
                child.kill()
                child.wait()
        self.database.patience_ends = time.monotonic() + 0.5  # who comes next will bury them, too
        self._bury()


def end_with_parent(signals: StopSignal) -> None:
    """In a child: do what the supervisor says by our stdin; when its end closes, it is gone, and we stop, too."""
    pipe = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)

    def watch() -> None:
        while told := os.read(pipe, 64):
            if _HURRY in told:
                signals.hurry.set()
            signals.tell()
        if not signals.stop.is_set():
            log.warning("the supervisor is gone; this process ends in order")
        signals.tell()

    threading.Thread(target=watch, name="taskmanager-parent", daemon=True).start()


def end_for_sure(code: int = 0, *, seconds: float = 5.0) -> None:
    """At the end of a worker process: threads that jobs have left behind may not keep it alive for longer."""

    def watch() -> None:
        time.sleep(seconds)
        left = [t.name for t in threading.enumerate() if not t.daemon and t is not threading.main_thread()]
        log.warning("jobs left threads behind, which end with this process: %s", ", ".join(left))
        os._exit(code)

    threading.Thread(target=watch, name="taskmanager-end", daemon=True).start()


def child_command(arguments: Sequence[str]) -> list[str]:
    """The command line of a child: this interpreter, this package, the same arguments."""
    return [sys.executable, "-m", "taskmanager", *arguments, "--supervised"]


def _tell(child: subprocess.Popen[bytes], what: bytes) -> None:
    assert child.stdin is not None
    with contextlib.suppress(OSError):  # it has ended meanwhile
        child.stdin.write(what)
        child.stdin.flush()
