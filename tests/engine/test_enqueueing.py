"""Calls that write jobs or change them: on every database."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import JobContext, JobFailed, JobNotFound, JobResult, TaskManager, WaitTimeout
from taskmanager.domain.errors import InvalidArgument
from tests.conftest import history


def greet(name: str) -> str:
    return f"hello {name}"


def broken() -> None:
    raise ValueError("broken")


def after(ctx: JobContext) -> Any:
    return ctx.antecedent_result


def test_a_continuation_on_any_end_runs_after_a_deleted_parent_and_one_on_success_does_not(
    tm: TaskManager, hands: Any
) -> None:
    waits = tm.job(after)
    parents = [tm.job(greet).enqueue("x"), tm.job(greet).enqueue("y")]
    on_any, on_success = waits.continue_after(parents[0], on="any"), waits.continue_after(parents[0])
    tm.delete(parents[0])
    late = waits.continue_after(parents[0], on="any")
    worker = hands()
    worker.work()
    worker.work()
    assert history(tm, on_any) == ["Awaiting", "Enqueued", "Processing", "Succeeded"]
    assert history(tm, on_success) == ["Awaiting", "Deleted"]
    assert tm.get(late).state == "Succeeded", "a parent that has ended starts its child at once"
    third = waits.continue_after(parents[1])
    worker.work()
    assert tm.get(third).result == "hello y", "with what its parent returned"
    with pytest.raises(InvalidArgument, match="'success' or 'any'"):
        tm.continue_definition(parents[1], waits.definition, (), {}, {}, "sometimes")
    with pytest.raises(JobNotFound):
        waits.continue_after(987_654_321)


def test_a_continuation_of_a_failed_parent_waits_until_that_is_requeued(tm: TaskManager, hands: Any) -> None:
    parent = tm.job(retries=0)(broken).enqueue()
    children = [tm.job(after).continue_after(parent, on=on) for on in ("success", "any")]  # type: ignore[arg-type]
    worker = hands()
    worker.work()
    assert [tm.get(i).state for i in (parent, *children)] == ["Failed", "Awaiting", "Awaiting"]
    tm.delete(parent)
    worker.work()
    assert [tm.get(i).state for i in (parent, *children)] == ["Deleted", "Deleted", "Succeeded"]


def test_a_job_is_moved_to_another_moment_from_whatever_state(tm: TaskManager, hands: Any) -> None:
    job = tm.job(greet)
    waiting, later = job.enqueue("a"), job.schedule("b", delay=timedelta(days=3))
    ended = job.enqueue("c")
    worker = hands()
    tm.delete(ended)
    for job_id in (waiting, later, ended):
        assert tm.reschedule(job_id, delay=60)
    assert worker.work() == 0
    tm.database.clock.shift(timedelta(seconds=61))
    worker.delayed.tick()
    assert worker.work() == 3
    assert {tm.get(i).state for i in (waiting, later, ended)} == {"Succeeded"}
    with pytest.raises(InvalidArgument, match="either delay or at"):
        tm.reschedule(waiting)
    for call in (tm.requeue, tm.delete, tm.get, tm.wait, lambda i: tm.reschedule(i, delay=1)):
        with pytest.raises(JobNotFound):
            call(987_654_321)


def test_every_call_writes_in_the_callers_connection_and_goes_with_its_rollback(tm: TaskManager) -> None:
    job = tm.job(greet)
    parent = job.enqueue("parent")

    def write(connection: Any) -> list[int]:
        options = job.options(session=connection)
        return [
            options.enqueue("a"), options.continue_after(parent, "b"),
            *tm.enqueue_many(greet, [("c",), {"name": "d"}], session=connection),
            job.options(session=connection, delay=60).enqueue("e"),
        ]  # fmt: skip

    with tm.database.engine.connect() as connection:
        lost = write(connection)
        connection.rollback()
        kept = write(connection)
        connection.commit()
    for job_id in set(lost) - set(kept):
        with pytest.raises(JobNotFound):
            tm.get(job_id)
    states = [tm.get(i).state for i in kept]
    assert states == ["Enqueued", "Awaiting", "Enqueued", "Enqueued", "Scheduled"]
    assert tm.get(parent).parameters["Continuations"].count("JobId") == 1


def test_wait_gives_the_result_or_says_how_it_ended_or_that_it_goes_on(tm: TaskManager, hands: Any) -> None:
    def says() -> JobResult:
        return JobResult.ok("12 orders").with_metadata("orders", 12)

    ids = [tm.job(says).enqueue(), tm.job(retries=0)(broken).enqueue(), tm.enqueue(greet, "x")]
    tm.delete(ids[2], reason="not wanted")
    with pytest.raises(WaitTimeout):
        tm.wait(ids[0], timeout=0.1)
    worker = threading.Timer(0.3, hands().work)
    worker.start()
    assert tm.wait(ids[0], timeout=60) == {"success": True, "message": "12 orders", "metadata": {"orders": 12}}
    worker.join()
    with pytest.raises(JobFailed, match="is Failed: broken"):
        tm.wait(ids[1], timeout=10)
    with pytest.raises(JobFailed, match="is Deleted: not wanted"):
        tm.wait(ids[2], timeout=10)
