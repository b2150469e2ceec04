"""A unit of work is run again as a whole, after every error that another try can cure, on every product."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from taskmanager import TaskManager
from taskmanager.domain.errors import ReadOnlyDatabase, StorageError
from taskmanager.storage import database as unit
from taskmanager.storage import structures
from taskmanager.storage.transaction import Tx

pytestmark = pytest.mark.timeout(120)

#: What each product says when another try is worth it, in the same connection or in a new one.
AGAIN = {
    "mysql": [1205, 1213, 1020, 1180, 3101, 3572],
    "postgresql": ["40001", "40P01", "55P03"],
    "sqlite": [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_BUSY | 2 << 8],
}
#: Gone away, shut down, killed, refused, no primary, read-only after a fail-over, too many connections.
RECONNECT = {
    "mysql": [2003, 2006, 2013, 2055, 1040, 1047, 1053, 1203, 1290, 1836, 1927, 3100, 4031],
    "postgresql": ["08006", "08001", "57P01", "57P02", "57P03", "25006", "53300"],
    "sqlite": [],
}
FATAL = {"mysql": [1064, 1146, 1142], "postgresql": ["42601", "42P01", "42501"], "sqlite": [sqlite3.SQLITE_ERROR]}
FULL = {"mysql": [1114, 1021, 1036], "postgresql": ["53100"], "sqlite": [sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY]}


def codes(table: dict[str, list[Any]], tm: TaskManager) -> list[Any]:
    return table[tm.database.product.name.replace("mariadb", "mysql")]


def error_of(tm: TaskManager, code: Any) -> DBAPIError:
    """What SQLAlchemy makes of the driver's error."""
    original: Any
    if tm.database.is_embedded:
        original = sqlite3.OperationalError("as the product says")
        original.sqlite_errorcode = code
    elif tm.database.product.name == "postgresql":
        import psycopg

        original = psycopg.errors.lookup(code)("as the product says")
    else:
        import pymysql

        original = pymysql.err.OperationalError(code, "as the product says")
    return OperationalError("SELECT 1", {}, original)


def failing_once(tm: TaskManager, error: BaseException) -> tuple[int, bool]:
    """How often a unit ran that met this error after its first statement, and whether the pool is another."""
    ran, pool = [0], tm.database.engine.pool

    def work(tx: Tx) -> None:
        ran[0] += 1
        structures.add_counts(tx, {("runs", None): 1})
        if ran[0] == 1:
            raise error

    tm.database.run(work, patience=30)
    return ran[0], tm.database.engine.pool is not pool


def counted(tm: TaskManager) -> int:
    return tm.database.read(lambda tx: structures.counts_of(tx, ["runs"]))["runs"]


def test_after_a_transient_error_the_whole_unit_runs_again_and_its_first_try_leaves_nothing(tm: TaskManager) -> None:
    again, reconnect = codes(AGAIN, tm), codes(RECONNECT, tm)
    for code in again:
        assert failing_once(tm, error_of(tm, code)) == (2, False), code
    for code in reconnect:
        assert failing_once(tm, error_of(tm, code)) == (2, True), f"{code}: other connections may be stale, too"
    assert counted(tm) == len(again) + len(reconnect)


def test_what_no_try_can_cure_is_told_at_once_by_a_typed_error(tm: TaskManager) -> None:
    for table, kind in ((FATAL, StorageError), (FULL, ReadOnlyDatabase)):
        for code in codes(table, tm):
            with pytest.raises(kind, match="as the product says"):
                failing_once(tm, error_of(tm, code))
    assert counted(tm) == 0
    key = tm.database.tables.job

    def doubled(tx: Tx) -> None:
        for _ in range(2):
            values = {"InvocationData": "{}", "Arguments": "[]", "CreatedAt": tx.now(), "EnqueueKey": "the same"}
            tx.connection.execute(key.insert().values(**values))

    with pytest.raises(IntegrityError):
        tm.database.run(doubled)


def test_pauses_grow_and_are_jittered() -> None:
    pauses = [[unit._pause(n) for _ in range(200)] for n in range(1, 15)]
    assert all(len(set(several)) > 100 for several in pauses), "two that met do not meet again"
    assert [max(several) < 0.005 * 2**n for n, several in enumerate(pauses, 1)] == [True] * 14
    assert max(map(max, pauses)) <= 1.0
    assert min(pauses[-1]) >= 0.5


def test_a_real_deadlock_costs_one_of_the_two_a_second_try(tm: TaskManager) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite has one writer at a time")
    tm.database.run(lambda tx: structures.put(tx, "pair", {"a": 0, "b": 0}))
    table, quote = tm.database.tables.set.name, tm.database.product.quote
    add = text(
        f"UPDATE {quote(table)} SET {quote('Score')} = {quote('Score')} + 1 "
        f"WHERE {quote('Key')} = 'pair' AND {quote('Value')} = :value"
    )
    has_first = {"a": threading.Event(), "b": threading.Event()}
    tries: list[str] = []

    def both(first: str, second: str) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            tries.append(first)
            tx.connection.execute(add, {"value": first})
            has_first[first].set()
            assert has_first[second].wait(30)
            tx.connection.execute(add, {"value": second})

        return work

    other = threading.Thread(target=tm.database.run, args=(both("b", "a"),))
    other.start()
    tm.database.run(both("a", "b"))
    other.join()
    assert len(tries) == 3
    assert tm.database.read(lambda tx: structures.members(tx, "pair")) == {"a": 2.0, "b": 2.0}


def test_a_unit_whose_connection_is_killed_runs_again_in_another(tm: TaskManager) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite has no connections to kill")
    is_postgresql = tm.database.product.name == "postgresql"
    number = text("SELECT pg_backend_pid()" if is_postgresql else "SELECT CONNECTION_ID()")
    kill = "SELECT pg_terminate_backend({})" if is_postgresql else "KILL {}"
    seen: list[int] = []

    def work(tx: Tx) -> None:
        structures.add_counts(tx, {("runs", None): 1})
        seen.append(tx.connection.execute(number).scalar_one())
        if len(seen) == 1:
            with tm.database.raw() as operator:
                operator.execute(text(kill.format(seen[0])))
        structures.add_counts(tx, {("runs", None): 1})

    tm.database.run(work)
    assert len(set(seen)) == len(seen) >= 2
    assert counted(tm) == 2, "of the first try nothing is left"


def closed(connection: Any) -> bool:
    """Whether a driver's connection cannot be used any more."""
    try:
        connection.cursor().execute("SELECT 1")
    except Exception:
        return True
    return False


def test_a_connection_at_work_when_its_pool_is_given_up_is_closed_as_it_comes_back(tm: TaskManager) -> None:
    used: list[Any] = []

    def work(tx: Tx) -> None:
        used.append(tx.connection.connection.driver_connection)
        tm.database.dispose()
        structures.add_counts(tx, {("runs", None): 1})

    tm.database.run(work)
    assert closed(used[0])
    assert counted(tm) == 1, "what it did was not lost"
    tm.database.run(lambda tx: used.append(tx.connection.connection.driver_connection))
    assert not closed(used[1]), "a connection of the new pool is kept"
    used[1].rollback()


def test_a_connection_that_cannot_be_prepared_is_closed(tm: TaskManager) -> None:
    if tm.database.is_embedded:
        pytest.skip("nothing can go wrong on the wire")
    made: list[Any] = []

    def broken(connection: Any, _: Any) -> None:
        made.append(connection)
        original = connection.cursor
        connection.cursor = lambda *a, **k: (_ for _ in ()).throw(RuntimeError("no answer"))
        made.append(original)

    tm.database.dispose()
    event.listen(tm.database.engine, "connect", broken, insert=True)
    with pytest.raises((RuntimeError, StorageError), match="no answer"):
        tm.database.run(lambda tx: None)
    event.remove(tm.database.engine, "connect", broken)
    with pytest.raises(Exception, match=r"(?i)closed|interface|InterfaceError|\(0, ''\)"):
        made[1]().execute("SELECT 1")


def test_a_writer_of_another_process_is_waited_for(tm: TaskManager) -> None:
    if not tm.database.is_embedded:
        pytest.skip("servers lock rows, not files")
    other = sqlite3.connect(str(tm.database.engine.url.database), check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ended = threading.Timer(1.5, lambda: other.execute("COMMIT"))
    ended.start()
    tm.database.run(lambda tx: structures.add_counts(tx, {("runs", None): 1}))
    ended.join()
    other.close()
    assert counted(tm) == 1
