"""Rows that are written many at a time, and how they come back: whatever stands in them, and however long it is."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import jobs, psycopg_connection
from taskmanager.storage.arrays import arrays_of
from taskmanager.storage.row_values import statements_of
from taskmanager.storage.transaction import Tx

_AT = datetime(2026, 1, 2, 3, 4, 5, 60)
_TEXTS = (
    "", "NULL", "null", "{}", '{"a", b}', "a,b", "\\", '\\"', '"', "'", "''", "%s %(name)s %%", ":name", "\n\t\r",
    "č \N{SNOWMAN} \N{GRINNING FACE}", " ", *("x" * n for n in (249, 250, 251, 252, 65_535, 65_536, 200_000)),
)  # fmt: skip


def nothing() -> None: ...


def test_texts_of_many_rows_come_back_as_they_were(tm: TaskManager) -> None:
    job_id = tm.enqueue(nothing)

    def add(tx: Tx) -> None:
        rows: list[dict[str, Any]] = [
            {
                "JobId": job_id, "Name": "Odd", "Reason": None if n % 2 else text[:100],
                "CreatedAt": tx.bind_moment(_AT), "Data": json.dumps({"text": text}),
            }
            for n, text in enumerate(_TEXTS)
        ]  # fmt: skip
        jobs.add_states(tx, rows)

    tm.database.run(add)
    record = tm.get(job_id)
    found = [state for state in record.history if state.name == "Odd"]
    assert [state.data["text"] for state in found] == list(_TEXTS)
    assert [state.reason for state in found] == [None if n % 2 else text[:100] for n, text in enumerate(_TEXTS)]
    assert {state.created_at for state in found} == {_AT}


def test_a_text_that_is_too_long_for_its_column_is_refused_and_not_cut(tm: TaskManager) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite's columns have no length")
    job_id = tm.enqueue(nothing)
    row = {"JobId": job_id, "Name": "x" * 200, "Reason": None, "CreatedAt": _AT, "Data": None}
    with pytest.raises(Exception, match=r"(?i)too long"):
        tm.database.run(lambda tx: jobs.add_states(tx, [row, row]), patience=0)
    assert len(tm.get(job_id).history) == 1


def test_values_of_other_kinds_are_left_to_the_driver() -> None:
    assert arrays_of([{"a": 1, "b": None}, {"a": -2, "b": 'x"y\\'}]) == {"a": "{1,-2}", "b": '{NULL,"x\\"y\\\\"}'}
    for odd in (True, 1.5, Decimal(1), b"x", [1]):
        assert arrays_of([{"a": 1}, {"a": odd}]) is None


def test_many_rows_are_one_statement(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    if tm.database.product.name != "postgresql":
        pytest.skip("PyMySQL writes them as one; SQLite is below")
    sent: list[Any] = []
    later = psycopg_connection.Connection.later
    monkeypatch.setattr(
        psycopg_connection.Connection,
        "later",
        lambda self, sql, values: (sent.append(values), later(self, sql, values)),
    )
    tm.enqueue_many(nothing, [()] * 50)
    assert sent
    assert not [values for values in sent if isinstance(values, list)]


@pytest.mark.parametrize("count", [1, 2, 9, 10, 99, 100, 101, 237])
def test_rows_are_given_in_few_statements_and_in_their_order(count: int) -> None:
    rows = [{"b": f"x{n}", "a": n} for n in range(count)]
    found = list(statements_of('INSERT INTO "t" ("a", "b") VALUES (:a, :b)', ("a", "b"), rows))
    assert len(found) == count // 100 + count % 100 // 10 + count % 10
    assert [value for _, values in found for value in values] == [v for row in rows for v in (row["a"], row["b"])]
    for text, values in found:
        assert text.startswith('INSERT INTO "t" ("a", "b") VALUES (?, ?)')
        assert text.count("?") == len(values)


def test_many_states_of_sqlite_are_one_statement_for_a_hundred(tm: TaskManager) -> None:
    if not tm.database.is_embedded:
        pytest.skip("the others are above")
    job_id, sent = tm.enqueue(nothing), list[str]()
    row = {"JobId": job_id, "Name": "Odd", "Reason": None, "CreatedAt": "2026-01-02 03:04:05.000060", "Data": "{}"}

    def add(tx: Tx) -> None:
        raw = tx.connection.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(sent.append)
        jobs.add_states(tx, [row] * 200)
        raw.set_trace_callback(None)

    tm.database.run(add)
    assert len(sent) == 2
    assert len(tm.get(job_id).history) == 201
