"""How long queues keep their jobs waiting: the job that came first tells it, whatever its priority."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import insert, text

from benchmarks.examined import looks
from taskmanager import TaskManager
from taskmanager.storage import claiming, monitoring_queues, monitoring_waits

TOKEN = "f" * 32 + ".1"
ANALYZE = {"sqlite": "ANALYZE", "postgresql": "VACUUM ANALYZE"}


def send(to: str) -> None: ...


def entered(tm: TaskManager, job_id: int) -> datetime:
    """When a job entered the state it is in."""
    return tm.get(job_id).history[0].created_at


def waits(tm: TaskManager, *names: str) -> dict[str, datetime]:
    return tm.database.read(lambda tx: monitoring_waits.since(tx, names))


def test_latency_is_that_of_the_job_that_came_first_whatever_its_priority(tm: TaskManager) -> None:
    early = tm.enqueue(send, "a", queue="mail", priority=7)
    tm.testing.move_time(60)
    urgent = tm.enqueue(send, "b", queue="mail", priority=-7)
    tm.testing.move_time(60)
    usual = tm.enqueue(send, "c", queue="mail")
    tm.enqueue(send, "d", queue="other")
    seen = tm.database.read(lambda tx: monitoring_queues.one(tx, "mail"))
    assert (seen.waiting, seen.waiting_since) == (3, entered(tm, early))
    assert waits(tm, "mail", "none")["mail"] == entered(tm, early)
    claimed = tm.database.run(lambda tx: claiming.take_next(tx, "mail", 1, TOKEN).claims)
    assert [one.job_id for one in claimed] == [urgent], "what is claimed first has not waited longest"
    assert waits(tm, "mail") == {"mail": entered(tm, early)}
    tm.delete(early)
    assert waits(tm, "mail") == {"mail": entered(tm, usual)}, "what is in hand does not wait"
    tm.delete(usual)
    assert waits(tm, "mail") == {}


def test_many_queues_are_looked_at_by_few_statements(tm: TaskManager) -> None:
    names = [f"q{n:02}" for n in range(17)]
    ids = {name: tm.enqueue(send, "x", queue=name) for name in names}
    with looks() as found:
        seen = {one.name: one for one in tm.database.read(monitoring_queues.overview)}
    assert {name: one.waiting_since for name, one in seen.items()} == {n: entered(tm, ids[n]) for n in names}
    assert {one.waiting for one in seen.values()} == {1}
    assert len(found) == 3, "the names, twelve of them, and five"


def test_of_very_many_priorities_the_most_urgent_are_looked_at(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_waits, "PRIORITIES", 3)
    ids = []
    for priority in (9, 3, 2, 1):
        ids.append(tm.enqueue(send, "x", priority=priority))
        tm.testing.move_time(1)
    assert waits(tm, "default") == {"default": entered(tm, ids[1])}


def test_a_look_costs_the_same_however_many_jobs_wait(tm: TaskManager, engine_name: str) -> None:
    table, most = tm.database.tables.queue, 2_000 if engine_name == "sqlite" else 100
    rows = [{"JobId": n, "Queue": f"{'mail' if n % 2 else 'other'}", "Priority": n % 5} for n in range(9, 12_000)]
    quoted = tm.database.product.quote(table.name)
    with tm.database.engine.begin() as connection:
        if engine_name == "postgresql":  # what other tests left in its indexes is no part of what a look costs
            connection.execute(text(f"TRUNCATE {quoted}"))
        connection.execute(insert(table), rows)
    tm.enqueue(send, "x", queue="mail")
    with tm.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"{ANALYZE.get(engine_name, 'ANALYZE TABLE')} {quoted}")).close()
    with looks() as found:
        waits(tm, "mail", "other", "none")
    assert sum(one.rows for one in found) < most, found
