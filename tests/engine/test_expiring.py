"""Failed jobs that are kept for a time only: what waits for them does not wait for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.engine import expiring
from taskmanager.server.upkeep import Expirer
from tests.conftest import history

DAY = 86400.0


def fails() -> None:
    raise ValueError("on purpose")


def follows(word: str = "") -> str:
    return word


@pytest.fixture
def parent(tm: TaskManager, hands: Any) -> int:
    """A job that failed and is kept for an hour, with two jobs that wait for it."""
    tm.transitions.failed_expiration = timedelta(hours=1)
    return tm.job(retries=0)(fails).enqueue()


def test_what_waits_for_an_expired_failed_job_starts_or_is_deleted(tm: TaskManager, hands: Any, parent: int) -> None:
    follow = tm.job(follows)
    on_any, on_success = follow.continue_after(parent, "any", on="any"), follow.continue_after(parent, "success")
    below = follow.continue_after(on_success, "below", on="any")
    worker = hands()
    worker.work()
    expirer = Expirer(tm.database, tm.transitions, DAY)
    expirer.tick()
    assert [tm.get(i).state for i in (parent, on_any, on_success)] == ["Failed", "Awaiting", "Awaiting"]
    tm.testing.move_time(timedelta(hours=1, seconds=1))
    expirer.tick()
    assert history(tm, parent) == ["Enqueued", "Processing", "Failed", "Deleted"]
    assert history(tm, on_any) == ["Awaiting", "Enqueued"]
    assert history(tm, on_success) == ["Awaiting", "Deleted"]
    assert history(tm, below) == ["Awaiting", "Enqueued"]
    worker.work()
    assert tm.get(on_any).result == "any"


def test_the_job_itself_goes_as_any_deleted_one(tm: TaskManager, hands: Any, parent: int) -> None:
    hands().work()
    tm.testing.move_time(timedelta(hours=1, seconds=1))
    expirer = Expirer(tm.database, tm.transitions, DAY)
    expirer.tick()
    deleted = tm.get(parent)
    assert deleted.current is not None
    assert "failed_expiration_seconds" in (deleted.current.reason or "")
    tm.testing.move_time(tm.transitions.job_expiration)
    expirer.tick()
    assert tm.database.read(lambda tx: tx.connection.execute(tm.database.tables.job.select()).all()) == []


def test_many_go_in_bounded_batches_one_after_the_other(tm: TaskManager) -> None:
    ids = tm.enqueue_many(follows, [(str(n),) for n in range(230)])
    table = tm.database.tables.job
    past = tm.database.clock.now() - timedelta(seconds=1)
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().values(StateName="Failed", ExpireAt=past))
    more = [tm.database.run(lambda tx: expiring.expire_jobs(tx, tm.transitions, 1000)) for _ in range(4)]
    assert more == [True, True, False, False]
    assert {tm.get(i).state for i in ids} == {"Deleted"}


def test_failed_jobs_without_a_term_stay(tm: TaskManager, hands: Any) -> None:
    job_id = tm.job(retries=0)(fails).enqueue()
    hands().work()
    tm.testing.move_time(timedelta(days=4000))
    Expirer(tm.database, tm.transitions, DAY).tick()
    assert tm.get(job_id).state == "Failed"
