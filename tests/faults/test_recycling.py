"""Worker processes that are replaced after so many jobs or bytes: no job is lost, repeated or cut short."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from taskmanager import TaskManager
from tests.conftest import history
from tests.faults.test_clocks import server_ids
from tests.faults.test_kill import JOBS, end, executions, in_state, start_worker, told, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]

MORE = (
    JOBS
    + """
import threading

kept = []

@job
def grow(number: int, size: int) -> None:
    tell("begin", number)
    kept.append(b"x" * size)
    tell("end", number)

@job
def slow() -> str:
    while not Path(__file__).with_name("go").exists():
        time.sleep(0.05)
    return "not cut short"
"""
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module with jobs that count, grow and take long."""
    (tmp_path / "killjobs.py").write_text(MORE)
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
    """Starts workers with settings as environment."""
    started: list[subprocess.Popen[bytes]] = []

    def make(*options: str, **settings: object) -> subprocess.Popen[bytes]:
        environment = {f"TASKMANAGER_{name.upper()}": str(value) for name, value in settings.items()}
        started.append(start_worker(url, project, *options, environment=environment))
        return started[-1]

    yield make
    end(*started)


Start = Callable[..., subprocess.Popen[bytes]]


def log_of(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("worker-*.log"))


def by_process(folder: Path) -> Counter[int]:
    """How many jobs each process has ended."""
    lines = [line.split() for line in (folder / "told.txt").read_text().splitlines()]
    return Counter(int(pid) for what, _, pid, *_ in lines if what == "end")


@pytest.mark.one_server
def test_a_process_is_replaced_after_so_many_jobs_and_none_is_lost_or_repeated(
    tm: TaskManager, start: Start, project: Path
) -> None:
    tm.enqueue_many("nap", [(n,) for n in range(450)])
    worker = start("--processes", "2", "--threads", "4", max_jobs=80)
    counts: list[int] = []
    wait_for(lambda: len(server_ids(tm)) >= 2, 60, "the worker did not start")

    def done() -> bool:
        draining = log_of(project).count("this process has done") - log_of(project).count("has ended in order")
        counts.append(len(psutil.Process(worker.pid).children()) - draining)
        return in_state(tm, "Succeeded") == 450

    wait_for(done, 60, "jobs were lost")
    assert end(worker) == [0]
    assert set(told(project, "begin").values()) == {1}, "none was repeated"
    assert executions(tm) == 450
    did = by_process(project)
    replaced = [pid for pid in did if f"worker process {pid} has ended in order" in log_of(project)]
    assert len(replaced) >= 2, did
    assert all(80 <= did[pid] <= 230 for pid in replaced), did
    assert "ended with code" not in log_of(project), "their exit codes are 0"
    assert Counter(counts).most_common(1)[0][0] == 2, "the count of processes is kept"


def test_a_job_that_takes_long_is_not_cut_short_when_its_process_is_replaced_and_others_do_not_wait_for_it(
    tm: TaskManager, start: Start, project: Path, engine_name: str
) -> None:
    if engine_name not in ("sqlite", "mariadb"):
        pytest.skip("processes are the same on every database")
    start("--threads", "2", max_jobs=10, grace_seconds=0.5)
    slow = tm.enqueue("slow")
    wait_for(lambda: tm.get(slow).state == "Processing", 60, "the worker did not start")
    naps = tm.enqueue_many("nap", [(n,) for n in range(30)])
    wait_for(lambda: in_state(tm, "Succeeded") == len(naps), 30, "they waited")
    assert len(by_process(project)) >= 2, "the successor has done the rest"
    time.sleep(1)
    assert tm.get(slow).state == "Processing"
    (project / "go").touch()
    assert tm.wait(slow, 30) == "not cut short"
    assert history(tm, slow) == ["Enqueued", "Processing", "Succeeded"]


def test_a_process_is_replaced_when_it_holds_so_many_bytes_and_goes_on_even_if_it_does_from_the_start(
    tm: TaskManager, start: Start, project: Path, engine_name: str
) -> None:
    if engine_name != "sqlite":
        pytest.skip("memory is the same on every database")
    worker = start("--threads", "1", max_memory=200_000_000, prefetch=0)
    tm.enqueue_many("grow", [(n, 20_000_000) for n in range(16)])
    highest = 0

    def done() -> bool:
        nonlocal highest
        for child in psutil.Process(worker.pid).children():
            try:
                highest = max(highest, child.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.05)
        return in_state(tm, "Succeeded") == 16

    wait_for(done, 60, "jobs were lost")
    assert end(worker) == [0]
    assert set(told(project, "begin").values()) == {1}
    assert "holds" in log_of(project)
    assert len(by_process(project)) >= 2, by_process(project)
    print(f"at most {highest} bytes, {by_process(project)}")
    small = start("--threads", "1", max_memory=1_000_000)
    ids = [tm.enqueue("nap", 100 + n) for n in range(3)]
    assert [tm.wait(i, 60) for i in ids] == [100, 101, 102]
    assert end(small) == [0]
    assert "ended with code" not in log_of(project)


def test_a_server_that_is_asked_to_stop_ends_its_jobs_and_no_other_takes_its_place(
    tm: TaskManager, start: Start, project: Path, engine_name: str
) -> None:
    if engine_name not in ("sqlite", "mariadb"):
        pytest.skip("processes are the same on every database")
    worker = start("--processes", "2", "--threads", "2", grace_seconds=0.5)
    wait_for(lambda: len(server_ids(tm)) == 2, 60, "the worker did not start")
    slow = tm.enqueue("slow")
    wait_for(lambda: tm.get(slow).state == "Processing", 60, "nobody took the job")
    mine = next(one.data["ServerId"] for one in tm.get(slow).history if "ServerId" in one.data)
    (other,) = server_ids(tm) - {mine}
    assert tm.stop_server(mine)
    wait_for(lambda: "when its jobs have ended" in log_of(project), 30, "it did not notice")
    naps = tm.enqueue_many("nap", [(n,) for n in range(20)])
    wait_for(lambda: in_state(tm, "Succeeded") == len(naps), 30, "the other goes on")
    assert {int(pid) for pid in by_process(project)} == {int(other.split(":")[-2])}
    assert server_ids(tm) == {mine, other}, "grace_seconds are over, and it still has its job"
    (project / "go").touch()
    assert tm.wait(slow, 30) == "not cut short"
    wait_for(lambda: server_ids(tm) == {other}, 30, "it did not end")
    wait_for(lambda: "was asked to stop, and has; 1 are left" in log_of(project), 30, "the supervisor knows")
    time.sleep(1)
    assert len(psutil.Process(worker.pid).children()) == 1, "no other was started"
    assert tm.stop_server(other)
    assert worker.wait(30) == 0, "after its last process the supervisor ends"
    assert server_ids(tm) == set()
