"""One upgrade of a database at a time: a turn is taken on the very connection that alters the tables."""

from __future__ import annotations

import hashlib
import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from taskmanager.storage.dialects import Verdict, product_of

log = logging.getLogger("taskmanager.storage")

#: Another host did the same step first, or does. GET_LOCK knows one node of a Galera cluster only, so it can happen.
_DONE_BY_ANOTHER = frozenset({1050, 1060, 1061, 1062, 1068, 1091, 1412, 1684, 1826})
#: Refused for want of rights, by error number or SQLSTATE.
_REFUSED = frozenset({1044, 1142, 1143, 1227, "42501"})
#: An ALTER waits this long behind open transactions; MySQL's own limit is a year, during which all others wait too.
_DDL_PATIENCE_SECONDS = 120
_LOCK_SLICE_SECONDS = 10
_TRIES = 3
_TRIES_BESIDE_ANOTHER = 30


@contextmanager
def take(engine: Engine, prefix: str) -> Iterator[Connection]:
    """A connection that nobody else upgrades beside; waits until it is so.

    On PostgreSQL and SQLite all that is done on it is one transaction. On MySQL and MariaDB every DDL statement
    commits, and the connection is handed over outside any transaction.
    """
    turn = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}.get(engine.dialect.name, _on_mysql)
    with turn(engine, prefix) as connection:
        yield connection


@contextmanager
def _on_mysql(engine: Engine, prefix: str) -> Iterator[Connection]:
    with engine.connect() as connection:
        connection.detach()  # closing it then frees the lock, whatever has happened
        connection.execute(text(f"SET SESSION lock_wait_timeout = {_DDL_PATIENCE_SECONDS}"))
        name = "taskmanager:" + _digest(f"{connection.scalar(text('SELECT DATABASE()'))}/{prefix}").hex()[:32]
        get_lock = text("SELECT GET_LOCK(:name, :seconds)")
        seconds = 0
        while connection.scalar(get_lock, {"name": name, "seconds": seconds}) != 1:
            if seconds == 0:
                log.info("another process upgrades this database; waiting for it")
            seconds = _LOCK_SLICE_SECONDS
        connection.commit()
        yield connection
        connection.commit()


@contextmanager
def _on_postgresql(engine: Engine, prefix: str) -> Iterator[Connection]:
    key = int.from_bytes(_digest(f"taskmanager/{prefix}")[:8], signed=True)
    # The lock's own snapshot would be the transaction's, were the level higher: the other's work unseen.
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        connection.execute(text(f"SET LOCAL lock_timeout = '{_DDL_PATIENCE_SECONDS}s'"))
        yield connection


@contextmanager
def _on_sqlite(engine: Engine, prefix: str) -> Iterator[Connection]:
    with engine.connect() as connection, connection.begin():
        driver = connection.connection.driver_connection
        if driver is not None and not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


class Overtaken(Exception):
    """Another host recorded a revision before this one could."""


def is_worth_another_try(error: DBAPIError | Overtaken, engine: Engine, tries: int) -> bool:
    """Whether the same upgrade, which looks before each step, may get on where this one failed for the nth time."""
    if isinstance(error, Overtaken) or _code(error) in _DONE_BY_ANOTHER:
        return tries < _TRIES_BESIDE_ANOTHER
    return tries < _TRIES and product_of(engine.dialect).verdict(error) is Verdict.AGAIN


def pause() -> None:
    """Let the other host get ahead: in step they would meet at every table."""
    time.sleep(random.uniform(0.1, 1.0))


def is_refused(error: DBAPIError | Overtaken) -> bool:
    """Whether the user lacks the right to alter tables."""
    return not isinstance(error, Overtaken) and _code(error) in _REFUSED


def brief(error: DBAPIError | Overtaken) -> str:
    """The driver's own words, without the statement."""
    if isinstance(error, Overtaken):
        return str(error)
    words = list(getattr(error.orig, "args", ()))[1:] or [error.orig]
    return str(words[0]).strip()


def _code(error: DBAPIError) -> int | str | None:
    number = next(iter(getattr(error.orig, "args", ())), None)
    return number if isinstance(number, int) else getattr(error.orig, "sqlstate", None)


def _digest(words: str) -> bytes:
    return hashlib.sha256(words.encode()).digest()
