"""Searches take the way that is the shortest among these jobs, and find the same on each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.storage import monitoring_filters, monitoring_lists, monitoring_reach, plans
from taskmanager.storage.dialects import Plan
from taskmanager.storage.monitoring_filters import Term, Wanted
from taskmanager.storage.monitoring_lists import Page
from taskmanager.storage.transaction import Tx

KINDS = (Term("recurring", ("daily",)), Term("recurring", ("daily",), negated=True), Term("queue", ("mail",)),
         Term("arg", ("x1",)), Term("attempt", ("1", "2")), Term("type", ("send",)))  # fmt: skip


def send(to: str) -> None: ...


@pytest.fixture
def jobs(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Forty jobs; each third is of a recurring job, each fourth of a queue, one has failed. Ids ascend."""
    monkeypatch.setattr(monitoring_filters, "SCANNED", 30)
    ids = [tm.enqueue(send, f"x{n % 7}", queue="mail" if n % 4 == 0 else "default") for n in range(40)]
    t, q = tm.database.tables, tm.database.product.quote
    insert = f"INSERT INTO {q(t.parameter.name)} ({q('JobId')}, {q('Name')}, {q('Value')}) VALUES (:job, :name, :value)"
    rows = [{"job": one, "name": "RecurringJobId", "value": json.dumps("daily")} for one in ids[::3]]
    rows += [{"job": one, "name": "RetryCount", "value": str(n % 3)} for n, one in enumerate(ids[::2])]
    with tm.database.engine.begin() as connection:
        connection.execute(text(insert), rows)
    tm.client.fail(ids[-2], ValueError(), "no")
    return ids


def down(tm: TaskManager, wanted: Wanted, floor: int) -> list[int]:
    """All from the newest on, page by page, to the floor of the first one: further pages look further."""
    page, found = first(tm, wanted, limit=3), list[int]()
    while page.rows and page.rows[0].id >= floor:
        found += [row.id for row in page.rows if row.id >= floor]
        edge = page.rows[-1].id
        page = tm.database.read(lambda tx, e=edge: monitoring_lists.page(tx, wanted, limit=3, before=e))  # type: ignore[misc]
    return found


def first(tm: TaskManager, wanted: Wanted, limit: int) -> Page:
    return tm.database.read(lambda tx: monitoring_lists.page(tx, wanted, limit=limit))


def counted(tm: TaskManager, wanted: Wanted, limit: int, cap: int | None = None) -> Page:
    return tm.database.read(lambda tx: monitoring_lists.counted(tx, wanted, limit=limit, cap=cap))


def above(tm: TaskManager, wanted: Wanted, edge: int) -> list[int]:
    page = tm.database.read(lambda tx: monitoring_lists.page(tx, wanted, limit=50, after=edge))
    return [row.id for row in page.rows]


def test_each_way_finds_the_same(tm: TaskManager, jobs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    for states in ((), ("Enqueued",), ("Enqueued", "Failed")):
        for term in KINDS:
            _finds_the_same(tm, monkeypatch, states, term)


def _finds_the_same(tm: TaskManager, monkeypatch: pytest.MonkeyPatch, states: tuple[str, ...], term: Term) -> None:
    wanted, told = Wanted(states, (term,)), []
    for dense in (0, 1 << 40):
        monkeypatch.setattr(monitoring_reach, "DENSE", dense)
        page = first(tm, wanted, limit=50)
        way = tm.database.read(lambda tx: monitoring_reach.way(tx, wanted))
        assert (way == "key") is (not states or (len(states) == 1 and dense > 0))
        assert page.floor is not None
        ids = [row.id for row in page.rows]
        assert ids == sorted(ids, reverse=True)
        assert ids, "the jobs of the fixture have some of each kind"
        told.append((ids, down(tm, wanted, page.floor), above(tm, wanted, ids[-1]), page.floor))
    assert told[0] == told[1]
    assert told[0][0] == told[0][1] == [*told[0][2], told[0][0][-1]]


def test_a_count_goes_on_where_the_first_page_ends(tm: TaskManager, jobs: list[int]) -> None:
    wanted = Wanted(("Enqueued",), (KINDS[0],))
    whole = tm.database.read(lambda tx: monitoring_lists.count(tx, wanted))
    for limit in (1, 3, 50):
        for cap in (1, 2, 4, 100):
            page = counted(tm, wanted, limit, cap)
            expected = min(whole, cap + 1) if page.has_older else len(page.rows)
            assert page.count == expected, (limit, cap)


def test_a_count_does_not_look_again_at_the_first_page(
    tm: TaskManager, jobs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Wanted(("Enqueued",), (Term("queue", ("mail",)),))
    real, edges = Tx.execute, list[int]()

    def execute(tx: Tx, build: Any, parameters: Any = None) -> Any:
        edges.extend([parameters["edge"]] if build.__name__ == "build" else [])
        return real(tx, build, parameters)

    monkeypatch.setattr(Tx, "execute", execute)
    page = counted(tm, wanted, limit=2)
    assert edges == [1 << 62, page.rows[-1].id]


def test_jobs_of_a_common_state_are_searched_in_the_order_in_which_they_lie(
    tm: TaskManager, engine_name: str, jobs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine_name not in ("mysql", "mariadb"):
        pytest.skip("the others choose their way by what their tables hold")
    real, seen = Tx.execute, list[Plan]()

    def execute(tx: Tx, build: Any, parameters: Any = None) -> Any:
        if build.__name__ == "build":  # the page and the count
            with tm.database.engine.connect() as connection:
                seen.append(plans._plan(tm.database, connection, build, parameters))
        return real(tx, build, parameters)

    monkeypatch.setattr(Tx, "execute", execute)
    t = tm.database.tables
    for term in KINDS:
        seen.clear()
        monkeypatch.setattr(monitoring_reach, "DENSE", 3)
        wanted = Wanted(("Enqueued",), (term,))
        counted(tm, wanted, limit=1)
        assert len(seen) == 2
        by_parameter = term.kind in ("recurring", "attempt") and not term.negated
        for plan in seen:
            assert (f"IX_{t.parameter.name}_JobId_Name" if by_parameter else "PRIMARY") in plan.indexes, term
            assert f"IX_{t.job.name}_StateName" not in plan.indexes, term
            assert not plan.sorts, term
        monkeypatch.setattr(monitoring_reach, "DENSE", 0)
        seen.clear()
        counted(tm, wanted, limit=1)
        for plan in seen:  # where few jobs are in the state, by its index: never all parameters or all jobs
            assert f"IX_{t.job.name}_StateName" in plan.indexes, term
            assert not plan.sorts, term
