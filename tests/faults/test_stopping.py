"""How a worker keeps its processes, and how it ends when it is told to, once, twice, or by a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from taskmanager import TaskManager
from tests.conftest import history
from tests.faults.test_clocks import server_ids
from tests.faults.test_database_dies import STUBBORN
from tests.faults.test_kill import end, in_state, start_worker, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module with jobs that take long, one that can be told to stop and one that cannot."""
    (tmp_path / "killjobs.py").write_text(STUBBORN)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("killjobs", None)


@pytest.fixture
def tm(url: str, project: Path) -> Iterator[TaskManager]:
    """A TaskManager that knows these jobs."""
    made = TaskManager(database_url=url, discover="killjobs", doorbell=False)
    made.discover()
    yield made
    made.close()


@pytest.fixture
def start(url: str, project: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts workers that are ended after the test, whatever became of it."""
    started: list[subprocess.Popen[bytes]] = []

    def make(*options: str, grace: float) -> subprocess.Popen[bytes]:
        started.append(start_worker(url, project, *options, environment={"TASKMANAGER_GRACE_SECONDS": str(grace)}))
        return started[-1]

    yield make
    for one in started:
        if one.poll() is None:
            one.terminate()
    end(*started)


Start = Callable[..., subprocess.Popen[bytes]]


def children(worker: subprocess.Popen[bytes]) -> set[int]:
    return {child.pid for child in psutil.Process(worker.pid).children()}


@pytest.mark.one_server
def test_two_processes_are_kept_and_a_worker_told_twice_ends_at_once_with_its_jobs_put_back(
    tm: TaskManager, start: Start
) -> None:
    worker = start("--processes", "2", "--threads", "2", grace=60)
    wait_for(lambda: len(server_ids(tm)) == 2, 60, "the worker did not start")
    first = children(worker)
    os.kill(min(first), signal.SIGKILL)
    wait_for(lambda: len(children(worker) - {min(first)}) == 2, 20, "the killed one was not replaced")
    wait_for(lambda: len(server_ids(tm)) == 2, 60, "the new one did not start")
    assert len(children(worker)) == 2
    ids = [tm.enqueue(name, 30) for name in ("obeys", "stubborn")]
    wait_for(lambda: in_state(tm, "Processing") == 2, 20, "the jobs did not begin")
    worker.terminate()
    time.sleep(1.5)
    assert worker.poll() is None, "the jobs have the grace time"
    assert in_state(tm, "Processing") == 2
    worker.terminate()
    told = time.monotonic()
    assert worker.wait(30) == 0
    assert time.monotonic() - told < 6
    for job_id in ids:
        assert history(tm, job_id) == ["Enqueued", "Processing", "Enqueued"]
    assert server_ids(tm) == set()


def test_ctrl_c_in_a_terminal_reaches_all_processes_and_yet_lets_jobs_end(
    tm: TaskManager, start: Start, engine_name: str
) -> None:
    if engine_name != "sqlite":
        pytest.skip("signals are the same on every database")
    worker = start("--processes", "2", "--threads", "1", grace=30)
    wait_for(lambda: len(server_ids(tm)) == 2, 60, "the worker did not start")
    ids = [tm.enqueue(name, 2) for name in ("obeys", "stubborn")]
    wait_for(lambda: in_state(tm, "Processing") == 2, 20, "the jobs did not begin")
    for pid in (worker.pid, *children(worker)):
        os.kill(pid, signal.SIGINT)
    assert worker.wait(30) == 0
    for job_id in ids:
        assert history(tm, job_id) == ["Enqueued", "Processing", "Succeeded"]
