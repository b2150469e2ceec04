"""Real worker processes that are really killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Table, func, select

from taskmanager import TaskManager

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]

JOBS = """
import os, time
from pathlib import Path
from taskmanager import job

told = os.open(Path(__file__).with_name("told.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def tell(what: str, number: int) -> None:
    os.write(told, f"{what} {number} {os.getpid()} {time.monotonic()}\\n".encode())

@job
def nap(number: int) -> int:
    tell("begin", number)
    time.sleep(0.02)
    tell("end", number)
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
        "TASKMANAGER_DATABASE_URL": url, "TASKMANAGER_DISCOVER": "killjobs",
        "PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]),
    } | dict(environment or {})  # fmt: skip
    command = [sys.executable, "-m", "taskmanager", "worker", "--threads", "10", *more]
    log = (folder / f"worker-{time.monotonic_ns()}.log").open("wb")
    worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    log.close()
    return worker


def end(*workers: subprocess.Popen[bytes]) -> list[int]:
    """Stop workers in order; their exit codes. One that does not end is killed: it would work for the next test."""
    for worker in workers:
        if worker.poll() is None:
            worker.terminate()
    try:
        return [worker.wait(60) for worker in workers]
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait(10)


def in_state(tm: TaskManager, state: str) -> int:
    wanted = select(func.count()).where(tm.database.tables.job.c.StateName == state)
    return int(tm.database.read(lambda tx: tx.connection.execute(wanted).scalar_one()))


def wait_for(condition: object, seconds: float, what: str) -> float:
    """Look until a condition holds; after how many seconds it did. Looks cost what is waited for the processor: who
    waits long looks seldom."""
    started, pause = time.monotonic(), 0.01
    while not condition():  # type: ignore[operator]
        assert time.monotonic() - started < seconds, what
        time.sleep(pause)
        pause = min(0.1, pause * 1.2)
    return time.monotonic() - started


def rows(tm: TaskManager, table: Table) -> int:
    with tm.database.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def recorded_by(tm: TaskManager, pid: int) -> set[int]:
    """The numbers of the naps whose end was written by a process."""
    state, job = tm.database.tables.state.c, tm.database.tables.job.c
    wanted = select(job.Arguments, state.Name, state.Data).where(state.JobId == job.Id).order_by(state.Id)
    last: dict[int, str] = {}
    found = set()
    with tm.database.engine.connect() as connection:
        for arguments, name, data in connection.execute(wanted):
            number = int(json.loads(arguments)[0])
            if name == "Processing":
                last[number] = json.loads(data)["ServerId"]
            if name == "Succeeded" and last[number].split(":")[-2] == str(pid):
                found.add(number)
    return found


def executions(tm: TaskManager) -> int:
    state = tm.database.tables.state
    with tm.database.engine.connect() as connection:
        return int(connection.execute(select(func.count()).where(state.c.Name == "Succeeded")).scalar_one())


def told(folder: Path, what: str, pid: int | None = None) -> Counter[int]:
    """How often each job has told that it begins, or ends; of all processes, or of one."""
    lines = [line.split() for line in (folder / "told.txt").read_text().splitlines()]
    return Counter(int(number) for said, number, by, _ in lines if said == what and pid in (None, int(by)))


def ends(folder: Path, pid: int) -> dict[int, float]:
    """When each job of a process ended, by the monotonic clock of the machine."""
    lines = [line.split() for line in (folder / "told.txt").read_text().splitlines()]
    return {int(number): float(at) for said, number, by, at in lines if said == "end" and int(by) == pid}


def time_of(tm: TaskManager, count: int) -> float:
    """How many seconds so many naps take now, from the enqueuing to the last outcome."""
    before = in_state(tm, "Succeeded")
    tm.enqueue_many("nap", [(n,) for n in range(count)])
    return wait_for(lambda: in_state(tm, "Succeeded") == before + count, 60, "jobs were lost or stranded")


#: No outcome is kept in memory for longer while the database answers; in ordinary load it is a tenth of this.
UNWRITTEN_SECONDS = 1.0


@pytest.mark.parametrize(
    "victim",
    [
        pytest.param("child", marks=pytest.mark.one_server),
        pytest.param("supervisor", marks=pytest.mark.one_server),
        "both",
    ],
)
def test_the_jobs_of_a_killed_worker_are_done_by_the_other_within_five_seconds(
    url: str, project: Path, victim: str
) -> None:
    threads = 20
    tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
    tm.discover()
    workers = [start_worker(url, project, "--threads", str(threads)) for _ in range(2)]
    try:
        server = tm.database.tables.server
        wait_for(lambda: rows(tm, server) == 2, 60, "the workers did not start")
        tm.enqueue_many("nap", [(n,) for n in range(1000)])
        (child,) = psutil.Process(workers[0].pid).children()
        wait_for(lambda: len(told(project, "end", child.pid)) > 50, 60, "the worker did not begin")
        if victim in ("child", "both"):
            child.kill()
        if victim in ("supervisor", "both"):
            os.kill(workers[0].pid, signal.SIGKILL)
        killed_at = time.monotonic()
        done = in_state(tm, "Succeeded")
        took = wait_for(lambda: in_state(tm, "Succeeded") == 1000, 30, "jobs were lost or stranded")
        begun, of_victim = told(project, "begin"), set(told(project, "begin", child.pid))
        again = {n for n, times in begun.items() if times > 1}
        ended = ends(project, child.pid)
        running = of_victim - ended.keys()
        unwritten = {n: killed_at - ended[n] for n in again if n in ended}
        print(f"{took:.2f} s after the kill, when {done} were done; {len(again)} were repeated: {len(running)} ran, "
              f"{len(unwritten)} had ended {max(unwritten.values(), default=0):.3f} s before at most")  # fmt: skip
        assert set(told(project, "end")) == set(range(1000)), "all were done"
        assert executions(tm) == 1000, "and finished exactly once"
        assert again == of_victim - recorded_by(tm, child.pid), "those that ran when it died, and no others"
        assert max(begun.values()) <= 2
        assert len(running) <= (0 if victim == "supervisor" else threads), "a thread runs one job"
        assert all(ago <= UNWRITTEN_SECONDS for ago in unwritten.values()), "no outcome waits long to be written"
        # When the machine is too busy for that, the same work with nobody killed tells how busy it is.
        assert took < 5 or took < 4 + time_of(tm, 1000 - done)
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


@pytest.mark.one_server
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
