"""Statements whose answers nobody wants travel together: in order, and all of them or none."""

from __future__ import annotations

import logging
import time
import uuid
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.wire import listening
from taskmanager import TaskManager
from taskmanager.domain.errors import StorageError
from taskmanager.storage import psycopg_connection, structures
from taskmanager.storage.transaction import Tx


def fields(tm: TaskManager, key: str) -> dict[str, str]:
    return tm.database.read(lambda tx: structures.fields(tx, key))


def test_what_was_sent_is_seen_by_the_next_statement_and_by_others_after_the_commit(tm: TaskManager) -> None:
    key, seen = uuid.uuid4().hex, list[dict[str, str]]()

    def work(tx: Tx) -> None:
        structures.set_fields(tx, key, {"a": "1; DROP TABLE x; -- '%s'", "b": "ü😀\\"})
        structures.set_fields(tx, key, {"a": "2"})
        seen.append(structures.fields(tx, key))
        structures.set_fields(tx, key, {"c": "%(d)s"})

    tm.database.run(work)
    assert seen == [{"a": "2", "b": "ü😀\\"}]
    assert fields(tm, key) == {"a": "2", "b": "ü😀\\", "c": "%(d)s"}


def test_long_values_and_many_rows_come_whole(tm: TaskManager) -> None:
    key, long = uuid.uuid4().hex, "x" * 400_000
    many = {f"f{n}": f"{n}" for n in range(3_000)}

    def work(tx: Tx) -> None:
        structures.set_fields(tx, key, {"small": "1"})
        structures.set_fields(tx, key, {"long": long, "longer": long})
        structures.set_fields(tx, key, many)
        structures.set_fields(tx, key, {"small": "2"})

    tm.database.run(work)
    assert fields(tm, key) == many | {"small": "2", "long": long, "longer": long}


@pytest.mark.parametrize("at_the_end", [True, False])
def test_when_one_of_them_fails_none_is_kept_and_the_connection_is_free_of_them(
    tm: TaskManager, at_the_end: bool
) -> None:
    key = uuid.uuid4().hex

    def work(tx: Tx) -> None:
        structures.set_fields(tx, key, {"before": "1"})
        structures.set_fields(tx, "k" * 5_000, {"too long": "1"})
        structures.set_fields(tx, key, {"behind": "1"})
        if not at_the_end:
            structures.fields(tx, key)

    if tm.database.is_embedded:
        pytest.skip("SQLite takes a key of any length")
    with pytest.raises(StorageError):
        tm.database.run(work)
    assert fields(tm, key) == {}
    if tm.database.product.name != "postgresql":
        with tm.database.looking.connect() as connection:
            open_ones = "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id IN (SELECT ID "
            mine = "FROM information_schema.PROCESSLIST WHERE DB = DATABASE())"
            assert connection.execute(text(open_ones + mine)).scalar_one() == 0
    tm.database.run(lambda tx: structures.set_fields(tx, key, {"again": "1"}))
    assert fields(tm, key) == {"again": "1"}


def test_a_failure_among_statements_that_travel_together_is_told_once(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the exception: the driver's warning that what came after was not carried out would be a second telling."""
    sent = psycopg_connection.Connection.send_waiting

    def slowly(connection: psycopg_connection.Connection) -> None:
        sent(connection)
        time.sleep(0.05)  # the server's answer is there before the last statement is sent

    def work(tx: Tx) -> None:
        structures.set_fields(tx, "k" * 5_000, {"too long": "1"})
        structures.fields(tx, "key")

    monkeypatch.setattr(psycopg_connection.Connection, "send_waiting", slowly)
    if not tm.database.is_embedded:
        with pytest.raises(StorageError):
            tm.database.run(work)
    logging.getLogger("psycopg").warning("error ignored in %s: %s", "something else", ValueError("x"))
    assert caplog.messages == ["error ignored in something else: x"]


def test_a_text_that_no_database_takes_leaves_nothing_of_its_unit(tm: TaskManager) -> None:
    key = uuid.uuid4().hex

    def work(tx: Tx) -> None:
        structures.set_fields(tx, key, {"before": "1"})
        structures.set_fields(tx, key, {"half an emoji": "\ud83d"})

    with pytest.raises((UnicodeEncodeError, StorageError)):
        tm.database.run(work)
    assert fields(tm, key) == {}
    tm.database.run(lambda tx: structures.set_fields(tx, key, {"again": "1"}))
    assert fields(tm, key) == {"again": "1"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_commit_that_is_cut_short_leaves_nothing_for_the_next_unit_to_commit(
    tm: TaskManager, error: type[BaseException]
) -> None:
    key = uuid.uuid4().hex

    def interrupted() -> None:
        raise error

    def work(tx: Tx) -> None:
        structures.set_fields(tx, key, {"before": "1"})
        assert structures.fields(tx, key) == {"before": "1"}
        if not tm.database.is_embedded:  # SQLite's connections take no attributes
            raw = tx.connection.connection.driver_connection
            raw.commit = interrupted
            return
        raise error

    with pytest.raises(error):
        tm.database.run(work)
    tm.database.run(lambda tx: structures.set_fields(tx, key, {"again": "1"}))
    assert fields(tm, key) == {"again": "1"}


def test_what_waits_is_forgotten_when_the_unit_is_given_up(tm: TaskManager) -> None:
    key = uuid.uuid4().hex

    def work(tx: Tx) -> None:
        structures.set_fields(tx, key, {"a": "1"})
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            tm.database.run(work)
    assert fields(tm, key) == {}


def test_writes_travel_with_their_commit(tm: TaskManager, tmp_path: Path) -> None:
    if tm.database.engine.dialect.driver not in ("pymysql", "psycopg"):
        pytest.skip("only connections of PyMySQL and psycopg let statements wait")
    with listening(tmp_path) as wire, tm.database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        connection.begin()
        tx = Tx(tm.database.prepared, tm.database.clock, connection)
        before = len(wire.sent())
        for n in range(3):
            structures.set_fields(tx, "k", {str(n): ""})
        assert len(wire.sent()) == before
        assert len(raw._waiting) == 3
        connection.commit()
        assert not raw._waiting
    assert fields(tm, "k") == {"0": "", "1": "", "2": ""}
