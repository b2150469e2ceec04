"""The claim's plan and footprint: an index that gives the order, and no more rows locked than are taken."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.storage import queues
from taskmanager.storage.database import Tx


@pytest.fixture
def full(tm: TaskManager, engine_name: str) -> TaskManager:
    """2,000 rows in each of two queues."""
    if engine_name not in ("mariadb", "mysql"):
        pytest.skip("only InnoDB locks what it scans")
    tm.database.run(lambda tx: queues.push(tx, [(i, f"q{i % 2}", 0) for i in range(1, 4001)]))
    with tm.database.engine.connect() as connection:
        connection.execute(text(f"ANALYZE TABLE {tm.database.product.quote('HangfireJobQueue')}"))
        connection.commit()
    return tm


def claim_text(tm: TaskManager) -> Any:
    return tm.database.prepared.get(queues.claimable)


def test_the_claim_is_served_by_its_index_without_a_sort(full: TaskManager, engine_name: str) -> None:
    with full.database.engine.connect() as connection:
        plan = connection.execute(text(f"EXPLAIN {claim_text(full).text}"), {"queue": "q1", "limit": 10}).all()
    words = " ".join(str(column) for row in plan for column in row)
    assert "IX_HangfireJobQueue_Claim" in words
    assert "filesort" not in words
    assert "Sort" not in words


def test_two_claimers_get_different_rows_and_producers_are_not_blocked(full: TaskManager) -> None:
    database = full.database
    with database.engine.connect() as first:
        one = queues.claim(Tx(database, first), "q0", 10, "a.1")
        with database.engine.connect() as second:
            two = queues.claim(Tx(database, second), "q0", 10, "b.1")
            assert len({c.queue_id for c in one} & {c.queue_id for c in two}) == 0
            assert (len(one), len(two)) == (10, 10)
            queues.push(Tx(database, second), [(9999, "q0", 0)])
            second.rollback()
        first.rollback()


def test_changes_by_list_of_ids_use_the_primary_key(full: TaskManager, engine_name: str) -> None:
    for build in (queues.take, queues.delete_rows):
        statement = full.database.prepared.get(build).text
        given = {"ids": "[1,2,3]", "now": full.database.clock.now(), "token": "t"}
        with full.database.engine.connect() as connection:
            plan = connection.execute(
                text(f"EXPLAIN {statement}"), {k: v for k, v in given.items() if f":{k}" in statement}
            ).all()
        words = " ".join(str(column) for row in plan for column in row)
        assert "PRIMARY" in words, words
        assert "Table scan on t" not in words
