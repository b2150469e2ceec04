"""A read that somebody waits for is ended by the server itself when it takes too long; all others have no bound."""

from __future__ import annotations

import time
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import DatabaseSlow
from taskmanager.storage.dialects import Product
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: How the session's bound is asked for, and what it says when there is none.
NONE = {
    "mysql": ("SELECT @@SESSION.max_execution_time", 0), "mariadb": ("SELECT @@SESSION.max_statement_time", 0),
    "postgresql": ("SHOW statement_timeout", "0"),
}  # fmt: skip


def endless(t: Tables, p: Product) -> str:
    """Counts to a thousand millions; no product takes less than a minute for it."""
    digits = "(" + " UNION ALL ".join(f"SELECT {n} AS d" for n in range(10)) + ")"
    return f"SELECT SUM({' + '.join(f'd{n}.d' for n in range(9))}) FROM {', '.join(f'{digits} d{n}' for n in range(9))}"


def test_a_read_ends_when_its_time_is_up(tm: TaskManager) -> None:
    began = time.monotonic()
    with tm.database.hasty(9.0, reading_seconds=1.0), pytest.raises(DatabaseSlow):
        tm.database.read(lambda tx: tx.execute(endless))
    assert time.monotonic() - began < 20, "a machine under load; without the bound it is minutes"


def test_no_statement_begins_after_the_time_is_up(tm: TaskManager) -> None:
    seen: list[int] = []

    def work(tx: Tx) -> None:
        tx.ends = time.monotonic() - 1
        tx.execute(endless)
        seen.append(1)

    with tm.database.hasty(9.0, reading_seconds=30.0), pytest.raises(DatabaseSlow):
        tm.database.read(work)
    assert not seen


def test_writes_and_other_reads_have_no_bound_on_the_same_connection(tm: TaskManager) -> None:
    name = tm.database.product.name
    if name == "sqlite":
        pytest.skip("SQLite's bound ends with the block it stands in")
    ask, none = NONE[name]

    def bound(tx: Tx) -> Any:
        return tx.connection.exec_driver_sql(ask).scalar_one()

    with tm.database.hasty(9.0, reading_seconds=3.0):
        assert tm.database.read(bound) != none
        assert tm.database.run(bound) == none
        assert tm.database.read(bound) != none
    assert tm.database.read(bound) == none
