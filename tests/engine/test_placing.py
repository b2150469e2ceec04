"""A job is put to another moment only while no worker has it: else it would run now and then once more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from taskmanager import TaskManager
from taskmanager.engine.transitions import GONE
from taskmanager.storage import queues
from tests.engine.test_undoing import claiming, now_in


def send(to: str) -> None: ...


def later(tm: TaskManager, job_id: int) -> str | None:
    """Why it was refused; None when it was put to a moment to come."""
    return tm.placing.reschedule(job_id, tm.database.clock.now() + timedelta(hours=1)).refused


def test_a_job_that_a_worker_has_claimed_is_not_put_to_another_moment(tm: TaskManager) -> None:
    job_id, free = tm.enqueue(send, "x"), tm.enqueue(send, "y")
    q = tm.database.tables.queue
    with tm.database.engine.begin() as connection:
        connection.execute(q.update().where(q.c.JobId == job_id).values(FetchedAt=tm.database.clock.now()))
    assert (later(tm, job_id), later(tm, free)) == ("a worker has the job already", None)
    assert (now_in(tm, job_id).name, now_in(tm, free).name) == ("Enqueued", "Scheduled")
    assert tm.database.read(lambda tx: queues.held_among(tx, [job_id, free])) == {job_id}


def test_nor_one_that_a_worker_is_claiming(tm: TaskManager) -> None:
    if tm.database.is_embedded:
        pytest.skip("a claim and a change take turns there")
    job_id = tm.enqueue(send, "x")
    with claiming(tm, job_id):
        assert later(tm, job_id) == "a worker has the job already"
    assert now_in(tm, job_id).name == "Enqueued"


def test_a_job_that_stands_in_no_queue_is_put_to_another_moment(tm: TaskManager) -> None:
    job_id = tm.enqueue(send, "x")
    q = tm.database.tables.queue
    with tm.database.engine.begin() as connection:
        connection.execute(q.delete().where(q.c.JobId == job_id))
    assert later(tm, job_id) is None
    assert later(tm, 1 << 40) == GONE
