"""A running job that is deleted, in whatever way, is told so within 5 s: a function, a coroutine, a process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner
from sqlalchemy import bindparam, text

from taskmanager import JobContext, TaskManager, app
from taskmanager.cli import main
from taskmanager.storage import queues, sql_api
from tests.conftest import history

pytestmark = pytest.mark.timeout(150)

JOBS = """
import asyncio, os
from pathlib import Path
from taskmanager import JobCancelled, JobContext, job

folder = Path(__file__).parent

def begin(ctx: JobContext) -> None:
    (folder / f"begun-{ctx.job_id}").write_text(str(os.getpid()))

def end(ctx: JobContext) -> None:
    (folder / f"ended-{ctx.job_id}").write_text(str(ctx.cancellation.reason))

@job(retries=0)
def function(ctx: JobContext) -> None:
    begin(ctx)
    try:
        ctx.sleep(120)
    finally:
        end(ctx)

@job(retries=0)
async def coroutine(ctx: JobContext) -> None:
    begin(ctx)
    try:
        await asyncio.sleep(120)
    finally:
        end(ctx)

@job(retries=0, isolate=True)
def process(ctx: JobContext) -> None:
    begin(ctx)
    try:
        ctx.sleep(120)
    finally:
        end(ctx)
"""


@pytest.fixture
def tm(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskManager]:
    (tmp_path / "cancelled_jobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(app, "_latest", None)
    made = TaskManager(database_url=url, discover="cancelled_jobs", doorbell=False, threads=24)
    made.discover()
    yield made
    made.close()
    sys.modules.pop("cancelled_jobs", None)


def execute(tm: TaskManager, *statements: str, job_id: int) -> None:
    """Plain SQL, as somebody types it; names are put in their quotes."""
    with tm.database.engine.begin() as connection:
        for one in statements:
            for name in ("HangfireJobQueue", "HangfireJobParameter", "HangfireState", "HangfireJob"):
                one = one.replace(f" {name} ", f" {tm.database.product.quote(name)} ")
            for name in ("StateName", "JobId", "Id"):
                one = one.replace(f" {name} ", f" {tm.database.product.quote(name)} ")
            connection.execute(text(one), {"id": job_id})


def by_program(tm: TaskManager, job_id: int) -> None:
    assert tm.delete(job_id)


def by_command(tm: TaskManager, job_id: int) -> None:
    url = tm.database.engine.url.render_as_string(hide_password=False)
    answer = CliRunner().invoke(main, ["--database-url", url, "jobs", "delete", str(job_id), "--yes"])
    assert answer.exit_code == 0, answer.output


def by_state(tm: TaskManager, job_id: int) -> None:
    execute(tm, "UPDATE HangfireJob SET StateName = 'Deleted' WHERE Id = :id", job_id=job_id)


def by_row(tm: TaskManager, job_id: int) -> None:
    execute(tm, "DELETE FROM HangfireJob WHERE Id = :id", job_id=job_id)


def with_all_that_is_its(tm: TaskManager, job_id: int) -> None:
    tables = ("HangfireJobQueue", "HangfireJobParameter", "HangfireState")
    children = [f"DELETE FROM {table} WHERE JobId = :id" for table in tables]
    execute(tm, *children, "DELETE FROM HangfireJob WHERE Id = :id", job_id=job_id)


def by_queue_row(tm: TaskManager, job_id: int) -> None:
    execute(tm, "DELETE FROM HangfireJobQueue WHERE JobId = :id", job_id=job_id)


def by_procedure(tm: TaskManager, job_id: int) -> None:
    sql_api.install(tm.database.engine, sql_api.Options())
    verb = "SELECT" if tm.database.product.name == "postgresql" else "CALL"
    execute(tm, f"{verb} tm_delete_v1(:id, 'no longer wanted')", job_id=job_id)


WAYS: dict[Callable[[TaskManager, int], None], str] = {
    by_program: "moved to Deleted",
    by_command: "moved to Deleted",
    by_state: "moved to Deleted",
    by_row: "it is gone",
    with_all_that_is_its: "it is gone",
    by_queue_row: "the claim is gone",
    by_procedure: "moved to Deleted",
}


@pytest.mark.parametrize(
    "kinds", [("function", "coroutine"), pytest.param(("process",), marks=pytest.mark.one_server)], ids="-".join
)
def test_a_running_job_is_told_within_five_seconds_however_it_was_deleted(
    tm: TaskManager, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    ways = [way for way in WAYS if way is not by_procedure or not tm.database.is_embedded]
    server = tm.server()
    server.start()
    try:
        jobs = {tm.enqueue(kind): (kind, way) for kind in kinds for way in ways}
        until(lambda: all((tmp_path / f"begun-{i}").exists() for i in jobs), 60)
        until(lambda: all(tm.get(i).state == "Processing" for i in jobs), 60)
        deleted = {}
        for job_id, (_, way) in jobs.items():
            way(tm, job_id)
            deleted[job_id] = time.monotonic()
        for job_id, (kind, way) in jobs.items():
            place = tmp_path / f"ended-{job_id}"
            until(lambda p=place: p.exists() and p.read_text(), deleted[job_id] + 5 - time.monotonic(), f"{kind} {way}")
            assert WAYS[way] in place.read_text()
        pids = {int((tmp_path / f"begun-{i}").read_text()) for i, (kind, _) in jobs.items() if kind == "process"}
        until(lambda: not any(is_alive(pid) for pid in pids), 10, "processes live on")
        until(lambda: not server.worker.held, 10, "claims are held")
        assert tm.database.run(lambda tx: queues.waiting_among(tx, jobs)) == set(), "none runs again"
    finally:
        server.stop(grace=1)


def test_a_run_whose_queue_row_was_deleted_ends_as_deleted_and_in_no_other_case(tm: TaskManager, hands: Any) -> None:
    """What SQL does while the job runs, and how the job then stands. All of it in one batch of outcomes."""
    rows, queue, job = tm.database.tables.queue, tm.database.tables.queue.c, tm.database.tables.job
    away = rows.delete().where(queue.JobId == bindparam("id"))
    there = rows.insert().values(JobId=bindparam("id"), Queue="default", Priority=0)
    held = rows.update().where(queue.JobId == bindparam("id")).values(FetchToken="another.1")
    free = rows.update().where(queue.JobId == bindparam("id")).values(FetchToken=None, FetchedAt=None)
    moved = job.update().where(job.c.Id == bindparam("id"))
    cases: dict[str, tuple[list[Any], str]] = {
        "deleted": ([away], "Deleted"),
        "deleted before it was seen Processing": ([away], "Deleted"),
        "given up, and claimed by another": ([held], "Processing"),
        "given up, and waiting": ([free], "Processing"),
        "put back by hand": ([away, there], "Processing"),
        "moved by an operator": ([away, moved.values(StateName="Scheduled")], "Scheduled"),
        "begun again by another": ([away, moved.values(StateId=10**6)], "Processing"),
    }
    worker, ids = hands(), dict[str, int]()

    def work(ctx: JobContext, case: str) -> str:
        if "before" not in case:
            (running,) = [r for r in worker.completer.running.values() if r.context is ctx]
            worker.completer.record_processing(at_once=running)
            assert running.recorded
        with tm.database.engine.begin() as connection:
            for one in cases[case][0]:
                connection.execute(one, {"id": ids[case]})
        return "ended well"

    job_of = tm.job(work)
    ids |= {case: job_of.enqueue(case) for case in cases}
    after = job_of.continue_after(ids["deleted"], "after", on="any")
    for claim in [*worker.claim(), *worker.claim()]:
        worker.worker.perform(claim)
    assert worker.completer.flush() == len(cases)
    assert {case: tm.get(i).state for case, i in ids.items()} == {case: state for case, (_, state) in cases.items()}
    for case in ("deleted", "deleted before it was seen Processing"):
        assert history(tm, ids[case]) == ["Enqueued", "Processing", "Deleted"]
        assert tm.get(ids[case]).history[-1].reason == "Its queue row was deleted while it ran"
    assert tm.get(after).state == "Enqueued", "what waited for its end goes on"
    still = tm.database.read(lambda tx: queues.waiting_among(tx, ids.values()))
    assert still == {ids[c] for c in ("given up, and claimed by another", "given up, and waiting", "put back by hand")}


def test_a_job_that_was_deleted_from_the_database_is_told_of_in_the_log_and_the_history_alone(
    tm: TaskManager, hands: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def work(ctx: JobContext) -> None:
        with_all_that_is_its(tm, ctx.job_id)
        raise ValueError("no paper")

    worker, job_id = hands(), tm.job(retries=0)(work).enqueue()
    (claim,) = worker.claim()
    worker.worker.perform(claim)
    assert worker.completer.flush() == 1
    (told,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert f"job {job_id} was deleted from the database while it ran; that it ended as Failed" in told.getMessage()
    assert told.getMessage().endswith("nobody is told: no paper")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], Any], seconds: float, what: str = "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
