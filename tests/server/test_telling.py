"""What a running job says is read by others while it runs: its log lines and its progress."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from taskmanager import JobContext, TaskManager
from taskmanager.domain.errors import StorageError
from taskmanager.engine.context import JobLog
from taskmanager.engine.performer import Limits
from taskmanager.server.telling import Running
from taskmanager.storage import job_log
from tests.conftest import Hands

pytestmark = pytest.mark.timeout(60)


def said(tm: TaskManager, job_id: int) -> list[str]:
    """The messages that stand in the database, in their order."""
    chunks = tm.database.read(lambda tx: job_log.of(tx, job_id))
    return [json.loads(line)["message"] for _, _, lines in chunks for line in lines.splitlines()]


@contextmanager
def running(tm: TaskManager, worker: Hands, body: Callable[[JobContext], Any]) -> Iterator[tuple[int, Running]]:
    """A job in a thread, seen Processing, whose completer is ticked by hand; it has ended and is written after it."""
    job_id = tm.job(body).enqueue()
    (claim,) = worker.claim()
    thread = threading.Thread(target=worker.worker.perform, args=(claim,))
    thread.start()
    while not worker.completer.running:
        time.sleep(0.01)
    (one,) = worker.completer.running.values()
    worker.completer.record_processing(at_once=one)
    yield job_id, one
    thread.join()
    worker.completer.flush()


def wait_for(holds: Callable[[], Any], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Steps:
    """A job that says something, and goes on when it is told to."""

    def __init__(self) -> None:
        self.said, self.go = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, ctx: JobContext, *messages: str) -> None:
        for number, message in enumerate(messages, 1):
            ctx.log.info(message)
            ctx.progress(number / len(messages))
            self.said.release()
            self.go.acquire(timeout=20)


def says(steps: Steps, *messages: str) -> Callable[[JobContext], None]:
    def body(ctx: JobContext) -> None:
        steps(ctx, *messages)

    return body


@pytest.fixture
def steps() -> Steps:
    return Steps()


def test_lines_and_progress_stand_in_the_database_while_the_job_runs(tm: TaskManager, hands: Any, steps: Steps) -> None:
    def talks(ctx: JobContext) -> None:
        steps(ctx, "one", "two", "three")

    worker = hands()
    with running(tm, worker, talks) as (job_id, _):
        for number, seen in enumerate((["one"], ["one", "two"]), 1):
            steps.said.acquire(timeout=20)
            worker.completer.tell()
            assert (tm.get(job_id).state, said(tm, job_id)) == ("Processing", seen)
            assert float(tm.get(job_id).parameters["Progress"]) == pytest.approx(number / 3, abs=1e-4)
            steps.go.release(2 if number == 2 else 1)
    assert said(tm, job_id) == ["one", "two", "three"]


def test_a_completer_tells_once_a_second_and_not_for_each_line(
    tm: TaskManager, hands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, worker, calls = threading.Event(), hands(), list[float]()
    real = worker.completer._teller.tell
    monkeypatch.setattr(worker.completer._teller, "tell", lambda seen: (calls.append(time.monotonic()), real(seen)))

    def chatters(ctx: JobContext) -> None:
        while not stop.wait(0.001):
            ctx.log.info("line")

    with running(tm, worker, chatters) as (job_id, _):
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            worker.completer.tick()
            time.sleep(0.01)
        chunks = len(tm.database.read(lambda tx: job_log.of(tx, job_id)))
        stop.set()
    assert 1 <= chunks <= len(calls) <= 3


def test_a_log_stays_bounded_however_long_it_is_told_and_says_once_what_is_missing(
    tm: TaskManager, hands: Any, steps: Steps
) -> None:
    worker = hands()
    worker.worker.performer.limits = Limits(log_lines=3)
    with running(tm, worker, says(steps, *[f"line {n}" for n in range(6)])) as (job_id, _):
        for _ in range(6):
            steps.said.acquire(timeout=20)
            worker.completer.tell()
            steps.go.release()
    told = said(tm, job_id)
    assert told == ["line 0", "line 1", "line 2", "3 lines were not kept: the log of a job is bounded"]


def test_a_run_whose_claim_was_given_up_tells_nothing_more(tm: TaskManager, hands: Any, steps: Steps) -> None:
    worker = hands()
    with running(tm, worker, says(steps, "mine")) as (job_id, _):
        steps.said.acquire(timeout=20)
        tm.requeue(job_id)
        worker.completer.tell()
        assert said(tm, job_id) == []
        steps.go.release()
    assert said(tm, job_id) == []


def test_what_the_database_did_not_take_is_told_later_or_with_the_outcome(
    tm: TaskManager, hands: Any, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = hands()
    with running(tm, worker, says(steps, "one", "two")) as (job_id, one):
        steps.said.acquire(timeout=20)
        with monkeypatch.context() as patched:
            patched.setattr(tm.database, "run", _down)
            with pytest.raises(StorageError):
                worker.completer.tell()
        assert one.lines is not None
        steps.go.release(2)
    assert said(tm, job_id) == ["one", "two"]


def _down(*args: Any, **kwargs: Any) -> Any:
    raise StorageError("the database is away")


def test_lines_whose_commit_was_in_doubt_stand_there_once(
    tm: TaskManager, hands: Any, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite is in this process: its answers are not lost")
    real, worker, lost = Connection.commit, hands(), list[bool]()

    def commit(connection: Connection) -> None:
        real(connection)
        if not lost:
            lost.append(True)
            raise OperationalError("COMMIT", {}, ConnectionResetError(), connection_invalidated=True)

    with running(tm, worker, says(steps, "one")) as (job_id, _):
        steps.said.acquire(timeout=20)
        with monkeypatch.context() as patched:
            patched.setattr(Connection, "commit", commit)
            worker.completer.tell()
        steps.go.release()
    assert lost
    assert said(tm, job_id) == ["one"]


def test_telling_waits_for_no_lock_of_an_operator(tm: TaskManager, hands: Any, steps: Steps) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite has one writer at a time")
    worker, tables = hands(), tm.database.tables
    with running(tm, worker, says(steps, "one")) as (job_id, _):
        steps.said.acquire(timeout=20)
        with tm.database.engine.connect() as operator:
            operator.execute(tables.job.update().where(tables.job.c.Id == job_id).values(Priority=7))
            operator.execute(tables.queue.update().where(tables.queue.c.JobId == job_id).values(Priority=7))
            begun = time.monotonic()
            worker.completer.tell()
            assert time.monotonic() - begun < 5
            operator.rollback()
        assert said(tm, job_id) == ["one"]
        steps.go.release()


def test_a_cancelled_run_leaves_its_last_lines_and_the_moment_of_its_end(
    tm: TaskManager, hands: Any, steps: Steps
) -> None:
    def talks(ctx: JobContext) -> None:
        steps(ctx, "one")
        ctx.log.info("ending")
        ctx.raise_if_cancelled()

    worker = hands()
    with running(tm, worker, talks) as (job_id, one):
        steps.said.acquire(timeout=20)
        worker.completer.tell()
        tm.delete(job_id)
        assert "StoppedAt" not in tm.get(job_id).parameters
        one.context.cancellation.cancel("deleted")
        steps.go.release()
    assert (tm.get(job_id).state, said(tm, job_id)) == ("Deleted", ["one", "ending"])
    assert tm.get(job_id).parameters["StoppedAt"] >= "2"


def test_the_bounds_of_an_isolated_jobs_log_count_what_its_process_dropped() -> None:
    here = JobLog(lambda: None, max_lines=2, max_bytes=1000)  # type: ignore[arg-type, return-value]
    here.keep('{"message": "a"}\n{"message": "b"}', dropped=0)
    here.keep("", dropped=40)
    assert here.take() == '{"message": "a"}\n{"message": "b"}'
    assert "40 lines were not kept" in (here.rest() or "")
    assert here.rest() is None


JOBS = """
import time
from taskmanager import JobContext, job

@job(isolate=True)
def talks(ctx: JobContext) -> None:
    for number in range(200):
        ctx.log.info("line %d", number)
        ctx.progress(number / 200)
        ctx.sleep(0.1)
"""


def test_a_server_shows_an_isolated_job_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "talking_jobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/jobs.db", discover="talking_jobs")
    tm.database.create_tables()
    tm.discover()
    server = tm.server()
    server.start()
    try:
        job_id = tm.enqueue("talks")
        wait_for(lambda: len(said(tm, job_id)) > 5)
        assert tm.get(job_id).state == "Processing"
        assert "Progress" in tm.get(job_id).parameters
        tm.delete(job_id)
        wait_for(lambda: "StoppedAt" in tm.get(job_id).parameters)
        told = said(tm, job_id)
        assert told == [f"line {n}" for n in range(len(told))], "none is lost, none is doubled"
    finally:
        server.stop()
        tm.close()
