"""Many changes at once, and continuations: each job changes once, and no child is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, text

from taskmanager import TaskManager
from taskmanager.domain.errors import CreationCancelled
from taskmanager.engine.filters import Creating, Filter
from taskmanager.storage import structures
from tests.conftest import history


def first() -> None: ...


def second() -> None: ...


@pytest.mark.parametrize("on", ["any", "success"])
def test_a_job_deleted_together_with_its_parent_is_deleted_once_and_not_run(
    tm: TaskManager, hands: Any, on: str
) -> None:
    parent = tm.enqueue(first)
    child = tm.job(second).continue_after(parent, on=on)
    assert all(tm.client.delete([parent, child]))
    assert history(tm, child) == ["Awaiting", "Deleted"]
    assert tm.database.read(lambda tx: structures.counts_of(tx, ["stats:deleted"])) == {"stats:deleted": 2}
    assert hands().work() == 0


def test_a_long_line_of_continuations_is_deleted_with_its_first_job(tm: TaskManager, engine_name: str) -> None:
    if engine_name not in ("sqlite", "postgresql"):
        pytest.skip("two products will do for a thousand jobs")
    root = last = tm.enqueue(first)
    for _ in range(1100):
        last = tm.job(second).continue_after(last)
    assert tm.delete(root)
    assert tm.get(last).state == "Deleted"


def test_a_child_that_came_since_the_callers_snapshot_is_not_forgotten(tm: TaskManager, engine_name: str) -> None:
    if engine_name not in ("mysql", "mariadb"):
        pytest.skip("only InnoDB lets a transaction of REPEATABLE READ write over what it does not see")
    parent, job = tm.enqueue(first), tm.job(second)
    engine = create_engine(tm.database.url)
    with engine.connect() as connection:
        connection.execute(text("SELECT COUNT(*) FROM HangfireJob"))
        children = [job.continue_after(parent), job.options(session=connection).continue_after(parent)]
        connection.commit()
    engine.dispose()
    assert tm.delete(parent)
    assert [tm.get(child).state for child in children] == ["Deleted", "Deleted"]


def test_a_continuation_that_a_filter_refuses_is_told_by_type(tm: TaskManager) -> None:
    class Never(Filter):
        def creating(self, context: Creating) -> None:
            context.cancelled = context.invocation.method == "second"

    parent = tm.enqueue(first)
    tm.add_filter(Never())
    with pytest.raises(CreationCancelled):
        tm.job(second).continue_after(parent)
