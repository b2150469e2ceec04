"""Real worker processes that are really killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from taskmanager import TaskManager

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]

JOBS = """
import time
from taskmanager import job

@job
def nap(number: int) -> int:
    time.sleep(0.02)
    return number

@job(retries=0)
def dies() -> None:
    import os
    os._exit(9)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module with jobs, importable here and in worker processes."""
    (tmp_path / "killjobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("killjobs", None)


def start_worker(
    url: str, folder: Path, *more: str, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "TASKMANAGER_DATABASE_URL": url, "TASKMANAGER_DISCOVER": "killjobs", "PYTHONPATH": str(folder),
    } | dict(environment or {})  # fmt: skip
    command = [sys.executable, "-m", "taskmanager", "worker", "--threads", "10", *more]
    log = (folder / f"worker-{time.monotonic_ns()}.log").open("wb")
    worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    log.close()
    return worker


def end(*workers: subprocess.Popen[bytes]) -> list[int]:
    for worker in workers:
        if worker.poll() is None:
            worker.terminate()
    return [worker.wait(60) for worker in workers]


def in_state(tm: TaskManager, state: str) -> int:
    wanted = select(func.count()).where(tm.database.tables.job.c.StateName == state)
    return int(tm.database.read(lambda tx: tx.connection.execute(wanted).scalar_one()))


def wait_for(condition: object, seconds: float, what: str) -> float:
    started = time.monotonic()
    while not condition():  # type: ignore[operator]
        assert time.monotonic() - started < seconds, what
        time.sleep(0.02)
    return time.monotonic() - started


def executions(tm: TaskManager) -> int:
    state = tm.database.tables.state
    with tm.database.engine.connect() as connection:
        return int(connection.execute(select(func.count()).where(state.c.Name == "Succeeded")).scalar_one())


@pytest.mark.parametrize("victim", ["child", "supervisor", "both"])
def test_the_jobs_of_a_killed_worker_are_done_by_the_other_within_seconds(
    url: str, project: Path, victim: str, engine_name: str
) -> None:
    tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
    tm.discover()
    workers = [start_worker(url, project), start_worker(url, project)]
    try:
        tm.enqueue_many("nap", [(n,) for n in range(1000)])
        wait_for(lambda: in_state(tm, "Succeeded") > 200, 60, "the workers did not begin")
        children = psutil.Process(workers[0].pid).children()
        if victim in ("child", "both"):
            children[0].kill()
        if victim in ("supervisor", "both"):
            os.kill(workers[0].pid, signal.SIGKILL)
        took = wait_for(lambda: in_state(tm, "Succeeded") == 1000, 15, "jobs were lost or stranded")
        assert took < 10
        assert executions(tm) == 1000, "every job finished exactly once"
    finally:
        end(*workers)
        tm.close()


def test_a_worker_ends_in_order_when_asked(url: str, project: Path) -> None:
    tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
    tm.discover()
    worker = start_worker(url, project, "--processes", "2")
    try:
        tm.enqueue_many("nap", [(n,) for n in range(300)])
        wait_for(lambda: in_state(tm, "Succeeded") > 20, 60, "the worker did not begin")
        assert end(worker) == [0]
        queue = tm.database.tables.queue
        with tm.database.engine.connect() as connection:
            held = connection.execute(select(func.count()).where(queue.c.FetchToken.is_not(None))).scalar_one()
        assert held == 0, "what was not begun was given back"
        assert in_state(tm, "Succeeded") + in_state(tm, "Enqueued") == 300
    finally:
        end(worker)
        tm.close()


def test_a_job_that_kills_its_process_three_times_is_failed(url: str, project: Path) -> None:
    tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
    tm.discover()
    worker = start_worker(url, project)
    try:
        poison = tm.enqueue("dies")
        innocent = tm.enqueue_many("nap", [(n,) for n in range(20)])
        wait_for(lambda: tm.get(poison).state == "Failed", 60, "the poisoned job was not stopped")
        wait_for(lambda: in_state(tm, "Succeeded") == len(innocent), 30, "the innocent jobs did not run")
        assert tm.get(poison).parameters["ProcessDeaths"] == "3"
    finally:
        end(worker)
        tm.close()
