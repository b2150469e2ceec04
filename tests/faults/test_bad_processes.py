"""What a job does to its worker process, in a real one: forks, threads, closed streams, a full disk."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from taskmanager import TaskManager
from tests.conftest import history
from tests.faults.bad import needs_fork
from tests.faults.test_kill import end, start_worker, wait_for

pytestmark = pytest.mark.timeout(120)


JOBS = """
import logging, os, signal, sys, threading, time, warnings
from pathlib import Path
from taskmanager import job

warnings.simplefilter("ignore", DeprecationWarning)

@job
def ok(number: int) -> int:
    print("out", number)
    print("err", number, file=sys.stderr)
    logging.getLogger("ok").warning("logged %d", number)
    return os.getpid()

@job(retries=0)
def forks(way: str) -> list:
    child = os.fork()
    if child == 0:
        if way == "exit":
            sys.exit(5)
        if way == "raise":
            raise ValueError("in the child")
        if way == "stay":
            time.sleep(600)
        return ["child", os.getpid()]
    return ["parent", child]

@job
def slow() -> int:
    time.sleep(4)
    return os.getpid()

@job
def leaks_threads() -> int:
    for daemon in (True, False):
        threading.Thread(target=time.sleep, args=(600,), daemon=daemon, name="left behind").start()
    return os.getpid()

@job
def closes_streams(way: str) -> int:
    if way == "objects":
        sys.stdout.close()
        sys.stderr.close()
        sys.__stdout__.close()
    else:
        for number in (0, 1, 2):
            os.close(number)
    return os.getpid()

@job
def gate(path: str) -> int:
    while not Path(path).exists():
        time.sleep(0.05)
    return os.getpid()
"""


class Real:
    """A worker with one process on SQLite."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
        self.tm.database.create_tables()
        self.tm.discover()
        self.started = start_worker(url, folder)

    def ok(self, number: int) -> int:
        """The process in which an ordinary job succeeds."""
        return int(self.tm.wait(self.tm.enqueue("killjobs:ok", number), 30))

    def log(self) -> str:
        return "".join(p.read_text(encoding="utf-8") for p in self.folder.glob("worker-*.log"))


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Real]:
    (tmp_path / "killjobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Real(f"sqlite:///{tmp_path}/real.db", tmp_path)
    yield made
    end(made.started)
    made.tm.close()
    sys.modules.pop("killjobs", None)


def is_over(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@needs_fork
@pytest.mark.fault
def test_jobs_that_fork_leave_their_worker_process_in_order(real: Real) -> None:
    home = real.ok(1)
    for way in ("return", "exit", "raise"):
        job_id = real.tm.enqueue("killjobs:forks", way)
        name, child = real.tm.wait(job_id, 30)
        assert name == "parent"
        wait_for(lambda c=child: is_over(c), 5, f"the child of {way} lives on")
        assert history(real.tm, job_id) == ["Enqueued", "Processing", "Succeeded"]
    assert real.ok(2) == home
    assert "forked by the job, came back from it and is ended" in real.log()
    assert end(real.started) == [0]


@needs_fork
@pytest.mark.fault
def test_a_forked_child_that_lives_on_does_not_hide_its_parents_death_and_ends_by_a_signal(real: Real) -> None:
    home = real.ok(1)
    _, child = real.tm.wait(real.tm.enqueue("killjobs:forks", "stay"), 30)
    try:
        slow = real.tm.enqueue("killjobs:slow")
        wait_for(lambda: real.tm.get(slow).state == "Processing", 10, "it did not begin")
        os.kill(home, signal.SIGKILL)
        assert real.tm.wait(slow, 60) != home, "its claim was given back though the child lives"
        assert not is_over(child)
        os.kill(child, signal.SIGTERM)
        wait_for(lambda: is_over(child), 5, "the child did not heed SIGTERM")
    finally:
        if not is_over(child):
            os.kill(child, signal.SIGKILL)


@pytest.mark.fault
def test_threads_that_a_job_leaks_hold_up_neither_other_jobs_nor_the_end(real: Real) -> None:
    home = real.ok(1)
    assert real.tm.wait(real.tm.enqueue("killjobs:leaks_threads"), 30) == home
    assert real.ok(2) == home
    started = time.monotonic()
    assert end(real.started) == [0]
    assert time.monotonic() - started < 20
    assert "jobs left threads behind, which end with this process: left behind" in real.log()


@pytest.mark.fault
@pytest.mark.parametrize("way", ["objects", "descriptors"])
def test_a_job_that_closes_stdout_and_stderr_closes_them_for_nobody_else(real: Real, way: str) -> None:
    home = real.ok(1)
    assert real.tm.wait(real.tm.enqueue("killjobs:closes_streams", way), 30) == home
    assert real.ok(2) == home
    assert end(real.started) == [0]
    for line in ("out 2", "err 2", "logged 2"):
        assert line in real.log()


@pytest.mark.fault
@pytest.mark.skipif(sys.platform != "linux", reason="limits another process's files")
def test_outcomes_wait_while_the_disk_is_full_and_are_written_when_there_is_room(real: Real) -> None:
    home = real.ok(1)
    gate = real.folder / "open"
    job_id = real.tm.enqueue("killjobs:gate", str(gate))
    wait_for(lambda: real.tm.get(job_id).state == "Processing", 10, "it did not begin")
    process = psutil.Process(home)
    process.rlimit(psutil.RLIMIT_FSIZE, (4096, psutil.RLIM_INFINITY))
    gate.touch()
    time.sleep(3)
    assert real.tm.get(job_id).state == "Processing", "its outcome waits"
    process.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
    assert real.tm.wait(job_id, 30) == home, "it was not run again elsewhere"
    assert history(real.tm, job_id) == ["Enqueued", "Processing", "Succeeded"]
    assert real.ok(2) == home
    assert end(real.started) == [0]
