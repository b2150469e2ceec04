"""A deletion or requeue by hand is taken back while nothing has come of it; what could not be made good is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import monitoring_failures, queues, retry_rows
from taskmanager.storage.monitoring_snapshot import take


def send(to: str) -> None: ...


def undone(tm: TaskManager, job_id: int) -> str | None:
    """Why it was refused; None when it was taken back."""
    (answer,) = tm.undoing.undo([job_id], reason="Taken back")
    return answer.refused


def failed(tm: TaskManager) -> int:
    job_id = tm.enqueue(send, "x")
    tm.client.fail(job_id, ValueError(), "no such address")
    return job_id


def now_in(tm: TaskManager, job_id: int) -> Any:
    current = tm.get(job_id).current
    assert current is not None
    return current


def test_a_deleted_job_waits_again_where_it_waited(tm: TaskManager) -> None:
    job_id, later = tm.enqueue(send, "x", queue="mail"), tm.enqueue(send, "y", delay=600)
    at = now_in(tm, later).data["EnqueueAt"]
    tm.client.delete([job_id, later])
    assert [one.refused for one in tm.undoing.undo([job_id, later])] == [None, None]
    assert (now_in(tm, job_id).name, now_in(tm, job_id).data["Queue"]) == ("Enqueued", "mail")
    assert (now_in(tm, later).name, now_in(tm, later).data["EnqueueAt"]) == ("Scheduled", at)
    assert tm.get(job_id).expire_at is None
    assert tm.database.read(lambda tx: queues.free_among(tx, [job_id, later])) == {job_id}


def test_a_failed_job_is_failed_again_and_counted_once(tm: TaskManager) -> None:
    deleted, requeued = failed(tm), failed(tm)
    before = tm.database.read(take).counts
    tm.client.delete([deleted])
    tm.requeue(requeued)
    assert (undone(tm, deleted), undone(tm, requeued)) == (None, None)
    for job_id in (deleted, requeued):
        current = now_in(tm, job_id)
        assert (current.name, current.data["ExceptionMessage"]) == ("Failed", "no such address")
        assert current.reason == "Taken back"
    after = tm.database.read(take).counts
    assert {**after, "ended_deleted": 0} == {**before, "ended_deleted": 0}
    groups, _ = tm.database.read(monitoring_failures.groups)
    assert [one.count for one in groups] == [2]


def test_a_retry_is_one_again(tm: TaskManager) -> None:
    @tm.job(retries=2, delays=[600])
    def bad() -> None:
        raise ValueError("no")

    job_id = bad.enqueue()
    tm.testing.drain()
    for change in (tm.delete, tm.requeue):
        assert now_in(tm, job_id).name == "Scheduled"
        change(job_id)
        assert undone(tm, job_id) is None
        assert tm.database.read(lambda tx: retry_rows.waiting(tx, "retries", [job_id])) == {job_id}


def test_what_something_has_come_of_is_left(tm: TaskManager) -> None:
    parent = failed(tm)
    send_after = tm.job(send).continue_after(parent, "x", on="any")
    tm.delete(parent)
    assert now_in(tm, send_after).name == "Enqueued"
    assert undone(tm, parent) == "its deletion has been told to the jobs that waited for it"
    taken = failed(tm)
    tm.requeue(taken)
    with tm.database.engine.begin() as connection:
        q = tm.database.tables.queue
        connection.execute(q.update().where(q.c.JobId == taken).values(FetchedAt=tm.database.clock.now()))
    assert undone(tm, taken) == "a worker has the job already"
    fresh = tm.enqueue(send, "x")
    assert "nothing to undo" in (undone(tm, fresh) or "")
    assert undone(tm, 1 << 40) == "there is no such job"
    still = failed(tm)
    assert "nothing to undo" in (undone(tm, still) or "")


def test_a_requeue_is_not_undone_while_a_worker_is_claiming_the_job(tm: TaskManager) -> None:
    if tm.database.is_embedded:
        pytest.skip("a claim and an undo take turns there")
    job_id = failed(tm)
    tm.requeue(job_id)
    with claiming(tm, job_id):
        assert undone(tm, job_id) == "a worker has the job already"
    assert now_in(tm, job_id).name == "Enqueued"


@contextmanager
def claiming(tm: TaskManager, job_id: int) -> Iterator[None]:
    """Somebody takes a job, and has not said so by COMMIT yet."""
    q = tm.database.tables.queue
    with tm.database.engine.begin() as connection:
        connection.execute(q.update().where(q.c.JobId == job_id).values(FetchedAt=tm.database.clock.now()))
        yield
