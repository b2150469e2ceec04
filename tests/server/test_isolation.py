"""Jobs in child processes of their own: what they may do, and what ends them."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from taskmanager import TaskManager, logs
from taskmanager.storage import job_log, logged
from tests.conftest import Hands

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

JOBS = """
import logging, os, sys, time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from taskmanager import Inject, Job, JobContext, JobResult, Retry, TaskManager, current, job, provide

log = logging.getLogger("shop")

@dataclass
class Mailer:
    sender: str

@dataclass
class Reports:
    mailer: Mailer
    ctx: JobContext

@provide
def mailer() -> Iterator[Mailer]:
    yield Mailer("me")
    print("torn down", file=sys.stderr)
    Path(os.environ["TORN_DOWN"]).touch()

provide(Reports)

@job(isolate=True)
def add(a: int, b: int = 2) -> dict[str, int]:
    print("to stdout, which is not the answer")
    return {"sum": a + b, "pid": os.getpid()}

@job(isolate=True)
def lets_others_work() -> None:
    import subprocess
    subprocess.run([sys.executable, "-c", "sum(range(20_000_000))"], check=True)

@job(isolate=True)
async def add_later(a: int) -> int:
    return a + 1

@job(isolate=True)
class Report(Job):
    def __init__(self, reports: Reports) -> None:
        self.reports = reports
    def execute(self, ctx: JobContext, who: str) -> str:
        return f"{self.reports.mailer.sender} to {who}, job {self.reports.ctx.job_id}, attempt {ctx.attempt}"

@job(isolate=True)
def injected(mailer: Annotated[Mailer, Inject], who: str) -> str:
    return f"{mailer.sender} to {who}"

@job
def injected_here(mailer: Annotated[Mailer, Inject], who: str) -> str:
    return f"{mailer.sender} to {who}"

@job(isolate=True, retries=0)
def talks(ctx: JobContext) -> None:
    ctx.log.info("half way %d", 1)
    ctx.progress(0.5)
    time.sleep(0.3)

@job(isolate=True, retries=0)
def logs_things(ctx: JobContext) -> None:
    ctx.log.info("kept %d", 1, colour="red")
    log.info("all of it, %s %d%%", "ž💥", 100)
    log.debug("hidden")
    print("printed", file=sys.stderr)
    if os.fork() == 0:
        log.warning("from a child of its own")
        os._exit(0)
    os.wait()
    try:
        raise ValueError("inner")
    except ValueError:
        logging.getLogger("some.library").exception("caught")

@job(isolate=True, timeout=1.0, retries=0)
def hangs() -> None:
    while True:
        time.sleep(1)

@job(isolate=True, memory_limit=200 * 1024**2, retries=0)
def eats() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(10 * 1024**2))
        time.sleep(0.01)

@job(isolate=True, retries=0)
def dies() -> None:
    os._exit(7)

def leave_a_daemon() -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(20)
        os._exit(0)
    os.wait()

@job(isolate=True, timeout=1.0, retries=0)
def hangs_with_a_daemon() -> None:
    leave_a_daemon()
    time.sleep(60)

@job(isolate=True, retries=0)
def dies_with_a_daemon() -> None:
    leave_a_daemon()
    os._exit(7)

class Odd(ValueError):
    pass

@job(isolate=True, retries=2, delays=[0], retry_on=ValueError)
def raises(ctx: JobContext) -> int:
    if ctx.attempt < 2:
        raise Odd("odd 💥")
    return ctx.attempt

@job(isolate=True, retries=1)
def again(ctx: JobContext) -> int:
    if ctx.attempt < 2:
        raise Retry(delay=0)
    return ctx.attempt

@job(isolate=True, retries=0)
def says_no() -> JobResult:
    return JobResult.fail("no")

@job(isolate=True)
def enqueues(n: int) -> int:
    return current().enqueue("add", n)

@job(isolate=True)
def waits(ctx: JobContext, place: str) -> None:
    Path(place).write_text(str(os.getpid()))
    ctx.sleep(60)

@job(isolate=True)
def deaf(place: str) -> None:
    Path(place).write_text(str(os.getpid()))
    time.sleep(60)
"""


@pytest.fixture
def tm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskManager]:
    (tmp_path / "isolated_jobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("TORN_DOWN", str(tmp_path / "torn"))
    made = TaskManager(database_url=f"sqlite:///{tmp_path}/jobs.db", discover="isolated_jobs")
    made.database.create_tables()
    made.discover()
    yield made
    made.close()
    sys.modules.pop("isolated_jobs", None)


@pytest.fixture
def run(tm: TaskManager, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Enqueue, perform, and answer with the job's record."""
    hands = Hands(tm, tmp_path)

    def perform(name: str, *arguments: Any, times: int = 1) -> Any:
        job_id = tm.enqueue(name, *arguments)
        for _ in range(times):
            hands.work()
        return tm.get(job_id)

    yield perform
    hands.close()


def test_an_isolated_job_runs_in_a_process_of_its_own_and_its_result_comes_back(run: Any) -> None:
    result = run("add", 40).result
    assert result["sum"] == 42
    assert result["pid"] != os.getpid()
    assert run("add_later", 1).result == 2


def test_a_class_and_a_function_get_what_they_ask_for_and_it_is_torn_down(run: Any, tmp_path: Path) -> None:
    record = run("Report", "you")
    assert record.result == f"me to you, job {record.id}, attempt 1"
    assert (tmp_path / "torn").exists()
    assert run("injected", "you").result == run("injected_here", "you").result == "me to you"


def test_its_log_and_progress_are_kept_with_the_job(run: Any, tm: TaskManager) -> None:
    record = run("talks")
    (_, _, lines), *_ = tm.database.run(lambda tx: job_log.of(tx, record.id))
    assert "half way 1" in lines


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_what_it_logs_is_in_the_workers_log_once_as_a_part_of_its_run(
    run: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    logs.configure("INFO", "json", stream)
    record = run("logs_things")
    assert record.state == "Succeeded"
    lines = [json.loads(line) for line in stream.getvalue().splitlines() if '"job_id"' in line]
    assert [(line["level"], line["logger"], line["message"]) for line in lines] == [
        ("INFO", "taskmanager.job", "kept 1"),
        ("INFO", "shop", "all of it, ž💥 100%"),
        ("ERROR", "some.library", "caught"),
    ]
    assert "ValueError: inner" in lines[2]["exception"]
    facts = {(line["job_id"], line["attempt"], line["queue"], line["job"]) for line in lines}
    assert facts == {(record.id, 1, "default", "isolated_jobs:logs_things")}
    assert all(line["server"].startswith("test:") for line in lines)
    printed = capfd.readouterr().err
    assert "printed" in printed
    assert "from a child of its own" in printed, "what it forks cannot speak for it"
    assert "all of it" not in printed


def test_what_it_took_is_measured_for_it_alone(run: Any, tm: TaskManager) -> None:
    run("add", 1)
    (row,) = tm.database.run(lambda tx: logged.history(tx, name="add", limit=1))
    assert row["CpuTimeMs"] > 0
    assert 5 < row["MemoryUsedMB"] < 1000


def test_processes_it_waited_for_count_and_what_died_is_not_measured(run: Any, tm: TaskManager) -> None:
    def spent(name: str) -> Any:
        run(name)
        (row,) = tm.database.run(lambda tx: logged.history(tx, name=name, limit=1))
        return row["CpuTimeMs"], row["MemoryUsedMB"]

    run("add", 1)
    alone = tm.database.run(lambda tx: logged.history(tx, name="add", limit=1))[0]["CpuTimeMs"]
    assert spent("lets_others_work")[0] > alone + 50
    assert spent("dies") == (None, None), "the thread that waited for it is not the run"


def test_a_run_in_a_thread_has_its_own_processor_time_and_one_that_shares_a_thread_none(
    tm: TaskManager, hands: Callable[[], Hands]
) -> None:
    @tm.job(display_name="rests")
    def rests() -> None:
        time.sleep(0.3)

    @tm.job(display_name="works")
    def works() -> None:
        until = time.thread_time() + 0.2
        while time.thread_time() < until:
            pass

    @tm.job(display_name="shares")
    async def shares() -> None:
        pass

    for one in (rests, works, shares):
        one.enqueue()
    worker = hands()
    while worker.work():
        pass
    rows = {r["JobName"]: r for r in tm.database.read(lambda tx: logged.history(tx, name=None, limit=3))}
    assert rows["rests"]["CpuTimeMs"] < 150 <= rows["works"]["CpuTimeMs"] < 1000
    assert rows["rests"]["DurationMs"] >= 300
    assert rows["shares"]["CpuTimeMs"] is None
    assert {r["MemoryUsedMB"] for r in rows.values()} == {None}, "threads share their process's memory"


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("hangs", "JobTimeout", "timeout of 1 s and was killed"),
        ("eats", "MemoryError", "209715200 bytes of memory and was killed"),
        ("dies", "JobProcessDied", "ended with code 7"),
        ("says_no", "ResultFailed", "no"),
    ],
)
def test_a_job_that_does_not_behave_is_failed_with_the_reason(run: Any, name: str, kind: str, words: str) -> None:
    record = run(name)
    assert record.state == "Failed"
    assert record.current.data["ExceptionType"].rpartition(".")[2] == kind
    assert words in record.current.data["ExceptionMessage"]
    assert run("add", 1).result["sum"] == 3, "the worker goes on"


@pytest.mark.parametrize(
    ("name", "kind"), [("hangs_with_a_daemon", "JobTimeout"), ("dies_with_a_daemon", "JobProcessDied")]
)
def test_a_daemon_that_a_job_left_behind_does_not_hold_its_thread(run: Any, name: str, kind: str) -> None:
    begun = time.monotonic()
    record = run(name)
    assert record.current.data["ExceptionType"].rpartition(".")[2] == kind
    assert time.monotonic() - begun < 15, "it has the pipe open, for as long as it likes"


def test_the_exception_lists_and_retry_hold_across_the_process_boundary(run: Any) -> None:
    record = run("raises", times=2)
    assert record.result == 2
    failed = next(s.data for s in record.history if s.name == "Failed")
    assert failed["ExceptionType"] == "isolated_jobs.Odd"
    assert failed["ExceptionMessage"] == "odd 💥"
    assert 'raise Odd("odd' in failed["ExceptionDetails"]
    assert run("again", times=2).result == 2


def test_it_may_enqueue_on_the_same_database(run: Any, tm: TaskManager) -> None:
    child = run("enqueues", 5).result
    assert json.loads(tm.get(child).arguments) == ["5"]


@pytest.mark.parametrize("name", ["waits", "deaf"])
def test_a_deleted_isolated_job_ends_by_itself_or_is_killed(tm: TaskManager, tmp_path: Path, name: str) -> None:
    place = tmp_path / "pid"
    server = tm.server()
    server.start()
    try:
        job_id = tm.enqueue(name, str(place))
        pid = int(_soon(lambda: place.exists() and place.read_text()))
        _soon(lambda: tm.get(job_id).state == "Processing")
        tm.delete(job_id)
        _soon(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
        assert tm.get(job_id).state == "Deleted"
    finally:
        server.stop(grace=1)


def _soon(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found
