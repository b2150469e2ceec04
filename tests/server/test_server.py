"""A whole server in this process, with its threads, on every database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import Filter, JobCancelled, JobContext, JobFailed, TaskManager
from taskmanager.domain.states import State
from taskmanager.domain.times import utcnow
from taskmanager.engine.filters import Electing
from taskmanager.storage import claiming
from tests.conftest import history

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def serve(tm: TaskManager) -> Iterator[Callable[..., Any]]:
    started: list[Any] = []

    def start() -> Any:
        server = tm.server()
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop(grace=2)


def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def double(n: int) -> int:
    return n * 2


async def later(text: str) -> str:
    return text.upper()


def test_enqueued_delayed_async_and_recurring_jobs_run(tm: TaskManager, serve: Any) -> None:
    serve()
    now, soon = tm.enqueue(double, 4), tm.job(double).schedule(5, delay=0.2)
    assert tm.wait(now, 10) == 8
    assert tm.wait(soon, 10) == 10
    assert tm.wait(tm.enqueue(later, "x"), 10) == "X"
    tm.recurring("each-second", double, args=(1,), cron="* * * * * *")
    until(lambda: tm.recurring_list()[0].last_job_id)
    assert tm.wait(tm.recurring_list()[0].last_job_id or 0, 10) == 2


@pytest.mark.one_server
def test_a_long_job_is_seen_processing_and_deleting_it_cancels_it(tm: TaskManager, serve: Any) -> None:
    ended: list[str] = []

    def long(ctx: JobContext) -> None:
        try:
            ctx.sleep(30)
        except JobCancelled as error:
            ended.append(str(error))
            raise

    serve()
    job_id = tm.job(long).enqueue()
    until(lambda: tm.get(job_id).state == "Processing")
    tm.delete(job_id)
    until(lambda: ended, 5)
    assert "moved to Deleted" in ended[0]
    assert history(tm, job_id) == ["Enqueued", "Processing", "Deleted"]


@pytest.mark.one_server
def test_a_job_over_its_timeout_is_failed_with_a_clear_reason(tm: TaskManager, serve: Any) -> None:
    serve()
    job_id = tm.job(timeout=0.3, retries=0)(slow).enqueue()
    with pytest.raises(JobFailed, match=r"timeout of 0\.3 s"):
        tm.wait(job_id, 10)


def slow(ctx: JobContext) -> None:
    ctx.sleep(30)


@pytest.mark.one_server
def test_a_stopping_server_gives_a_job_back_that_does_not_end(tm: TaskManager, serve: Any) -> None:
    def stubborn() -> None:
        time.sleep(3)

    server = serve()
    job_id = tm.job(stubborn).enqueue()
    until(lambda: tm.get(job_id).state == "Processing")
    server.stop(grace=0.1)
    assert history(tm, job_id) == ["Enqueued", "Processing", "Enqueued"]


def test_a_job_that_obeys_when_its_server_stops_is_put_back_not_deleted(tm: TaskManager, serve: Any) -> None:
    server = serve()
    ids = [tm.job(slow).enqueue(), tm.job(slow_async).enqueue()]
    until(lambda: all(tm.get(i).state == "Processing" for i in ids))
    server.stop(grace=0.1)
    for job_id in ids:
        assert history(tm, job_id) == ["Enqueued", "Processing", "Enqueued"]
    assert {c.job_id for c in tm.database.run(lambda tx: claiming.take_next(tx, "default", 5, "t.1").claims)} == set(
        ids
    )


class Spoiler(Filter):
    """A filter with a bug: it raises when one of these jobs ends."""

    def __init__(self) -> None:
        self.jobs: set[int] = set()

    def applied(self, context: Electing, state: State) -> None:
        if state.final and context.job.id in self.jobs:
            raise RuntimeError("the filter has a bug")


def test_a_stopping_server_ends_a_job_whose_queue_row_was_deleted_and_what_waited_for_its_end_goes_on(
    tm: TaskManager, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def stubborn(name: str) -> None:
        time.sleep(4)

    spoiler = Spoiler()
    tm.add_filter(spoiler)
    server, job_of = serve(), tm.job(stubborn)
    left, lost, spoilt = (job_of.enqueue(name) for name in ("left", "lost", "spoilt"))
    spoiler.jobs.add(spoilt)
    after = job_of.options(queue="served_by_nobody").continue_after(lost, "after", on="any")
    until(lambda: all(tm.get(i).state == "Processing" for i in (left, lost, spoilt)))
    queue = tm.database.tables.queue
    with tm.database.engine.begin() as connection:
        connection.execute(queue.delete().where(queue.c.JobId.in_([lost, spoilt])))
    server.stop(grace=0.1)
    assert history(tm, left) == ["Enqueued", "Processing", "Enqueued"]
    for job_id in (lost, spoilt):
        assert history(tm, job_id) == ["Enqueued", "Processing", "Deleted"]
        assert tm.get(job_id).history[-1].reason == "Its queue row was deleted while it ran"
    assert tm.get(after).state == "Enqueued"
    assert f"job {spoilt}, whose queue row was deleted, is ended without filters" in caplog.text


async def slow_async() -> None:
    await asyncio.sleep(30)


def test_due_ness_is_the_databases_clock_whatever_this_hosts_says(
    tm: TaskManager, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = timedelta(minutes=3)
    monkeypatch.setattr("taskmanager.storage.clock.utcnow", lambda: utcnow() + off)
    tm.definition(double)
    skewed = TaskManager(database_url=tm.settings.database_url, doorbell=False)
    job_id = skewed.job(double).schedule(1, delay=0.5)
    record = tm.get(job_id)
    assert abs(record.created_at - tm.database.clock.now()) < timedelta(seconds=5) or tm.database.is_embedded
    serve()
    assert tm.wait(job_id, 10) == 2
    skewed.close()
