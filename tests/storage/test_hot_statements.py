"""The claim's plan and footprint: an index that gives the order, and no more rows locked than are taken."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from taskmanager import TaskManager
from taskmanager.domain import times
from taskmanager.domain.records import Claim
from taskmanager.storage import claiming, expiry, glance, jobs, queues, stranded, structures
from taskmanager.storage.database import Database
from taskmanager.storage.statements import Builder
from taskmanager.storage.transaction import Tx


@pytest.fixture
def full(tm: TaskManager, engine_name: str) -> TaskManager:
    """2,000 rows in each of two queues."""
    if engine_name not in ("mariadb", "mysql"):
        pytest.skip("only InnoDB locks what it scans")
    tm.database.run(lambda tx: queues.push(tx, [(i, f"q{i % 2}", 0) for i in range(1, 4001)]))
    analyze(tm)
    return tm


def analyze(tm: TaskManager, name: str = "HangfireJobQueue") -> None:
    """Let the server look at a table, as it does by itself in time."""
    table = "TABLE " if tm.database.product.name in ("mysql", "mariadb") else ""
    with tm.database.engine.begin() as connection:
        connection.execute(text(f"ANALYZE {table}{tm.database.product.quote(name)}"))


def plan_of(tm: TaskManager, build: Builder, given: dict[str, Any]) -> str:
    """How the server would run a statement, in its own words."""
    statement = str(build(tm.database.tables, tm.database.product))
    explain = "EXPLAIN QUERY PLAN" if tm.database.is_embedded else "EXPLAIN"
    with tm.database.engine.connect() as connection:
        rows = connection.execute(
            text(f"{explain} {statement}"), {k: v for k, v in given.items() if f":{k}" in statement}
        ).all()
    return " ".join(str(column) for row in rows for column in row)


def transaction(database: Database, connection: Connection) -> Tx:
    if not connection.in_transaction():
        connection.begin()
    return Tx(database.prepared, database.clock, connection)


@pytest.mark.parametrize("count", [3, 30, 1000])
@pytest.mark.parametrize("queue_count", [1, 2])
def test_the_claim_is_served_by_its_index_without_a_sort(tm: TaskManager, count: int, queue_count: int) -> None:
    if tm.database.product.name == "postgresql" and count < 1000:
        pytest.skip("PostgreSQL locks no more than it returns, and may well sort a few rows")
    rows = [(i, f"q{i % queue_count}", 0) for i in range(count * queue_count)]
    tm.database.run(lambda tx: queues.push(tx, rows))
    analyze(tm)
    for build in (queues.claimable, queues.claimable_before, queues.claimable_after):
        plan = plan_of(tm, build, {"queue": "q0", "limit": 10, "priority": 0, "id": 1})
        assert "IX_HangfireJobQueue_Claim" in plan
        for word in ("filesort", "Sort", "TEMP B-TREE"):
            assert word not in plan


def test_whether_a_queue_has_a_free_row_is_one_look_into_its_index_whatever_else_waits(
    tm: TaskManager, engine_name: str
) -> None:
    others = [(i, f"q{i % 3}", 0) for i in range(9000)]
    tm.database.run(lambda tx: queues.push(tx, others))
    tm.database.run(lambda tx: queues.push(tx, [(i, "last", 0) for i in range(10_000, 13_000)]))
    analyze(tm)
    plan = plan_of(tm, glance.glance, {"queue": "last", "server": "s"})
    assert "IX_HangfireJobQueue_Claim" in plan, plan
    assert 'Seq Scan on "HangfireJobQueue"' not in plan, plan


def test_a_claim_starts_where_the_one_before_ended_and_misses_nothing(tm: TaskManager) -> None:
    tm.database.run(lambda tx: queues.push(tx, [(i, "default", 0) for i in range(1, 31)]))

    def claimed(number: int, after: claiming.Mark | None) -> list[int]:
        found = tm.database.run(lambda tx: claiming.take_next(tx, "default", 10, f"a.{number}", after=after).claims)
        marks.append(claiming.Mark(found[-1].priority, found[-1].queue_id) if found else None)
        return [c.job_id for c in found]

    marks: list[claiming.Mark | None] = []
    assert claimed(1, None) == list(range(1, 11))
    tm.database.run(lambda tx: queues.push(tx, [(99, "default", -5)]))
    assert claimed(2, marks[0]) == [99, *range(11, 20)], "what is more urgent goes first"
    low = tm.database.run(lambda tx: queues.held(tx, "a"))[0]
    tm.database.run(lambda tx: queues.release(tx, [Claim(low[0], low[1], "default", low[2])]))
    assert claimed(3, marks[1]) == list(range(20, 30))
    assert claimed(4, marks[2]) == [30]
    assert claimed(5, marks[3]) == [1], "with nothing behind the mark, what came back before it is found"


def test_two_claimers_get_different_rows_and_producers_are_not_blocked(full: TaskManager) -> None:
    database = full.database
    with database.engine.connect() as first:
        one = claiming.take_next(transaction(database, first), "q0", 10, "a.1").claims
        with database.engine.connect() as second:
            two = claiming.take_next(transaction(database, second), "q0", 10, "b.1").claims
            assert len({c.queue_id for c in one} & {c.queue_id for c in two}) == 0
            assert (len(one), len(two)) == (10, 10)
            queues.push(transaction(database, second), [(9999, "q0", 0)])
            second.rollback()
        first.rollback()


@pytest.mark.parametrize("around", [20, 4000])
def test_each_hot_statement_locks_what_it_takes_and_no_row_more(tm: TaskManager, engine_name: str, around: int) -> None:
    if engine_name not in ("mariadb", "mysql"):
        pytest.skip("only MySQL and MariaDB count the rows a transaction has locked")
    now = times.to_unix(tm.database.clock.now())
    later = {f"later{n}": now + 3600 for n in range(around)}
    tm.database.run(lambda tx: queues.push(tx, [(i, f"q{i % 2}", 0) for i in range(1, around + 41)]))
    tm.database.run(lambda tx: structures.put(tx, "schedule", later | {f"due{n}": now - 1 for n in range(10)}))
    for name in ("HangfireJobQueue", "HangfireSet"):
        analyze(tm, name)
    with tm.database.engine.connect() as connection:

        def locks(wanted: Collection[int], work: Callable[[Tx], Any], why: str = "") -> None:
            # What the server tells is what was, while another test asks it, too: then once more.
            for _ in range(8):
                work(transaction(tm.database, connection))
                counted = locked_rows(connection)
                connection.rollback()
                if counted in wanted:
                    break
                time.sleep(random.uniform(0, 0.3))
            assert counted in wanted, why

        locks(
            {20}, lambda tx: claiming.take_next(tx, "q0", 10, "a.1"), "ten in the index, and the same ten in the table"
        )
        claims = claiming.take_next(transaction(tm.database, connection), "q0", 10, "a.1").claims
        connection.commit()
        locks({20}, lambda tx: claiming.take_next(tx, "q0", 10, "b.1"), "what is claimed stands in nobody's way")
        locks({10}, lambda tx: queues.owned(tx, claims))
        locks({5}, lambda tx: queues.release(tx, claims[:5]))
        locks({10}, lambda tx: queues.acknowledge(tx, [c.queue_id for c in claims]))
        locks({0}, lambda tx: queues.push(tx, [(9999, "q0", 0)]))
        locks({0}, lambda tx: structures.due(tx, "schedule", now, 100))
        locks(range(1, 22), lambda tx: structures.due(tx, "schedule", now, 100, lock=True), "none of the later ones")


def locked_rows(connection: Connection) -> int:
    """How many rows this connection's transaction has locked; the server counts anew each 0.1 s."""
    time.sleep(0.3)
    mine = "SELECT trx_rows_locked FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = CONNECTION_ID()"
    return int(connection.execute(text(mine)).scalar() or 0)


@pytest.mark.parametrize(
    "build",
    [
        queues.take, queues.delete_rows, queues.lock_rows, queues.give_back, jobs.enter_state, jobs.lock_jobs,
        jobs.route, expiry.delete_jobs,
    ],
)  # fmt: skip
def test_changes_by_list_of_ids_use_the_primary_key(full: TaskManager, build: Builder) -> None:
    now = full.database.clock.now()
    given = {"ids": "[1,2,3]", "now": now, "token": "t", "name": "n", "expire": now, "queue": "q", "priority": 0}
    plan = plan_of(full, build, given)
    assert "PRIMARY" in plan, plan
    assert "Table scan on t" not in plan


def test_a_claim_reads_as_many_rows_from_a_long_queue_as_from_a_short_one(tm: TaskManager, engine_name: str) -> None:
    if engine_name not in ("mariadb", "mysql"):
        pytest.skip("only MySQL and MariaDB count the rows a session reads")
    read = []
    for count in (200, 20_000):
        tm.database.run(lambda tx, n=count: queues.push(tx, [(i, "default", 0) for i in range(1, n + 1)]))  # type: ignore[misc]
        analyze(tm)
        with tm.database.engine.connect() as connection:
            before = _rows_read(connection)
            found = claiming.take_next(transaction(tm.database, connection), "default", 20, "a.1").claims
            read.append(_rows_read(connection) - before)
            connection.rollback()
        assert len(found) == 20
    assert read[0] == read[1]


@pytest.mark.parametrize(("due", "count"), [(3, 4), (10, 11), (100, 101), (100, 20_000), (19_999, 20_000)])
def test_due_members_are_read_by_their_index_and_no_others_locked(
    tm: TaskManager, engine_name: str, due: int, count: int
) -> None:
    if engine_name not in ("mariadb", "mysql"):
        pytest.skip("only InnoDB locks what it scans")
    now = times.to_unix(tm.database.clock.now())
    rows = [
        {"Key": "schedule", "Value": f"default:{n}", "Score": now - n if n < due else now + 3600 + n}
        for n in range(count)
    ]
    others = [{"Key": "zz-other", "Value": str(n), "Score": now} for n in range(3)]
    with tm.database.engine.begin() as connection:
        for start in range(0, count, 5000):
            connection.execute(tm.database.tables.set.insert(), rows[start : start + 5000])
        connection.execute(tm.database.tables.set.insert(), others)
    analyze(tm, "HangfireSet")
    for lock in (False, True):
        with tm.database.engine.connect() as connection:
            tx = transaction(tm.database, connection)
            before = _rows_read(connection)
            found = structures.due(tx, "schedule", now, 50, lock=lock)
            assert _rows_read(connection) - before <= min(due, 50) + 1
            assert [member for _, member, _ in found] == [f"default:{due - 1 - n}" for n in range(min(due, 50))]
            with tm.database.engine.connect() as second:
                free = structures.due(transaction(tm.database, second), "zz-other", now, 50, lock=True)
                assert len(free) == 3
                second.rollback()
            connection.rollback()


def test_stranded_jobs_are_looked_for_by_two_indexes(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    now = tm.database.clock.now()
    added = {"InvocationData": "{}", "Arguments": "[]", "CreatedAt": now, "Priority": 0}
    rows = [added | {"StateName": "Enqueued" if n % 2 else "Succeeded"} for n in range(3000)]
    with tm.database.engine.begin() as connection:
        connection.execute(tm.database.tables.job.insert(), rows)
        job = tm.database.tables.job.c
        ids = list(connection.scalars(select(job.Id).where(job.StateName == "Enqueued").order_by(job.Id)))
    tm.database.run(lambda tx: queues.push(tx, [(i, "default", 0) for i in ids[5:]]))
    for name in ("HangfireJob", "HangfireJobQueue"):
        analyze(tm, name)
    plan = plan_of(tm, stranded.without_row, {"state": "Enqueued", "window": 100})
    assert "IX_HangfireJob_StateName" in plan
    assert "IX_HangfireJobQueue_JobId" in plan
    assert tm.database.read(lambda tx: stranded.jobs_in(tx, "Enqueued")) == ids[:5]
    monkeypatch.setattr(stranded, "WINDOW", 2)
    assert tm.database.read(lambda tx: stranded.jobs_in(tx, "Enqueued")) == ids[:2], "a bound on what is looked at"


def _rows_read(connection: Connection) -> int:
    counters = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
    return sum(int(row[1]) for row in counters)
