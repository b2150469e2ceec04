"""A COMMIT that was carried out while its answer was lost: the unit runs again and finds what it has done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from taskmanager import TaskManager
from tests.conftest import history


@pytest.fixture
def lose_next_answer(monkeypatch: pytest.MonkeyPatch, engine_name: str) -> Callable[[], None]:
    """Arms the next COMMIT: it is carried out, and then the connection is lost."""
    if engine_name == "sqlite":
        pytest.skip("SQLite is in this process: its answers are not lost")
    real, armed = Connection.commit, list[bool]()

    def commit(connection: Connection) -> None:
        real(connection)
        if armed:
            armed.clear()
            raise OperationalError("COMMIT", {}, ConnectionResetError(), connection_invalidated=True)

    monkeypatch.setattr(Connection, "commit", commit)
    return lambda: armed.append(True)


def greet(name: str) -> str:
    return f"hello {name}"


def test_enqueue_writes_one_job(tm: TaskManager, lose_next_answer: Any, hands: Any) -> None:
    tm.database.read(lambda tx: None)
    lose_next_answer()
    job_id = tm.enqueue(greet, "x")
    assert [c.job_id for c in hands().claim()] == [job_id]


def test_enqueue_many_writes_each_job_once(tm: TaskManager, lose_next_answer: Any, hands: Any) -> None:
    tm.database.read(lambda tx: None)
    lose_next_answer()
    ids = tm.enqueue_many(greet, [("a",), ("b",), ("c",)])
    assert ids == sorted(set(ids))
    assert hands().work() == 3


def test_delete_and_requeue_say_that_they_have_changed_the_job(tm: TaskManager, lose_next_answer: Any) -> None:
    job_id = tm.enqueue(greet, "x")
    lose_next_answer()
    assert tm.delete(job_id)
    assert history(tm, job_id) == ["Enqueued", "Deleted"]
    assert not tm.delete(job_id), "it had been deleted before, and by another call"
    lose_next_answer()
    assert tm.requeue(job_id)
    assert tm.get(job_id).state == "Enqueued"


def test_an_outcome_is_written_once(tm: TaskManager, lose_next_answer: Any, hands: Any) -> None:
    job_id = tm.enqueue(greet, "x")
    worker = hands()
    (claim,) = worker.claim()
    worker.worker.perform(claim)
    lose_next_answer()
    worker.completer.flush()
    assert history(tm, job_id) == ["Enqueued", "Processing", "Succeeded"]


def test_a_claim_is_given_back_and_taken_again(tm: TaskManager, lose_next_answer: Any, hands: Any) -> None:
    job_id = tm.enqueue(greet, "x")
    worker = hands()
    lose_next_answer()
    first = worker.claim()
    assert first == [], "the rows are ours, but the answer with them was lost"
    deadline = time.monotonic() + 10
    while tm.get(job_id).state != "Succeeded":
        assert time.monotonic() < deadline, "the rows stay claimed by nobody"
        worker.work()
    assert history(tm, job_id) == ["Enqueued", "Processing", "Succeeded"]


def test_a_triggered_recurring_job_runs_once(tm: TaskManager, lose_next_answer: Any, hands: Any) -> None:
    tm.recurring("yearly", greet, args=("x",), cron="0 0 1 1 *")
    lose_next_answer()
    job_id = tm.trigger("yearly")
    assert [c.job_id for c in hands().claim()] == [job_id]


def test_a_continuation_is_listed_once(tm: TaskManager, lose_next_answer: Any) -> None:
    parent = tm.enqueue(greet, "x")
    lose_next_answer()
    child = tm.job(greet).continue_after(parent, "y")
    assert tm.get(parent).parameters["Continuations"].count("JobId") == 1
    assert tm.get(child).state == "Awaiting"
