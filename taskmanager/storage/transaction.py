"""One transaction, in which named statements run: plain SQL text straight on the driver, the rest by SQLAlchemy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from inspect import iscoroutinefunction
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from taskmanager.domain.errors import DatabaseSlow, InvalidArgument
from taskmanager.domain.times import to_text
from taskmanager.storage.arrays import arrays_of
from taskmanager.storage.clock import Clock
from taskmanager.storage.row_values import statements_of
from taskmanager.storage.statements import Builder, PlainText, Prepared
from taskmanager.storage.tables import Tables


class Rows:
    """What a statement answered: its rows, all read, and how many it touched."""

    __slots__ = ("_rows", "keys", "last_id", "rowcount")

    def __init__(
        self, rows: Sequence[Any], rowcount: int, keys: Sequence[str] = (), last_id: int | None = None
    ) -> None:
        self._rows, self.rowcount, self.keys = rows, rowcount, keys
        #: The number that the database gave to the row just inserted, where the driver tells.
        self.last_id = last_id

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        """All rows."""
        return list(self._rows)

    def first(self) -> Any | None:
        """The first row; None when there is none."""
        return self._rows[0] if self._rows else None

    def scalar_one(self) -> Any:
        """The only value of the only row."""
        ((value,),) = self._rows
        return value

    def mappings(self) -> list[dict[str, Any]]:
        """The rows as dictionaries."""
        return [dict(zip(self.keys, row, strict=True)) for row in self._rows]


class Tx:
    """One transaction: runs named statements, and remembers what is to happen after its COMMIT."""

    __slots__ = ("_after", "_driver", "clock", "connection", "ends", "joined", "prepared", "ring")

    def __init__(
        self, prepared: Prepared, clock: Clock, connection: Connection, *, joined: bool = False,
        ring: Callable[[set[str]], None] = lambda queues: None,
    ) -> None:  # fmt: skip
        self.prepared = prepared
        self.clock = clock
        self.connection = connection
        self.joined = joined
        #: Tells sleeping servers, after the COMMIT, which queues got work.
        self.ring = ring
        #: By the monotonic clock: no statement begins after it.
        self.ends: float | None = None
        self._driver: Any = None
        self._after: list[Callable[[], None]] = []

    @property
    def tables(self) -> Tables:
        """The tables of this database."""
        return self.prepared.tables

    def now(self) -> datetime:
        """Naive UTC by the database's clock."""
        return self.clock.now()

    def execute(self, build: Builder, parameters: Any = None) -> Rows:
        """Run a named statement; a list of parameter sets runs as one executemany."""
        if self.ends is not None and time.monotonic() > self.ends:
            raise DatabaseSlow("the database is slow: the time for reading is up")
        statement = self.prepared.get(build)
        if isinstance(statement, PlainText):
            return self.run(statement, parameters)
        result = self.connection.execute(statement, parameters)
        if not result.returns_rows:
            return Rows((), result.rowcount)
        return Rows(result.all(), result.rowcount, tuple(result.keys()))

    def send(self, build: Builder, parameters: Any = None) -> None:
        """Run a named statement whose answer nobody wants; a list of parameter sets as one executemany.

        Where the driver can (PyMySQL, psycopg), it travels with the next statement, or with COMMIT: a transaction of
        many writes is a way or two to the server and back. Its error comes with that one. In the caller's transaction,
        and where each statement is its own, it runs at once.
        """
        statement = self.prepared.get(build)
        if not isinstance(statement, PlainText) or not self.sends_together:
            self.execute(build, parameters)
            return
        try:
            self._raw().later(*_at_once(statement, parameters))
        except self._errors as error:
            raise self._wrapped(statement.sql, error) from error

    @property
    def sends_together(self) -> bool:
        """Whether what is sent waits for the next statement, or for COMMIT."""
        return not self.joined and bool(getattr(self._raw(), "takes_several", False))

    @contextmanager
    def part(self) -> Iterator[None]:
        """What is done inside is undone by itself when it raises; an error of the database is the whole unit's.

        What the database refuses for a constraint of its tables is an error of the part alone.
        """
        nested = self.connection.begin_nested()
        try:
            yield
        except IntegrityError:
            nested.rollback()
            raise
        except SQLAlchemyError:
            raise
        except BaseException:
            nested.rollback()
            raise
        nested.commit()

    def bind_moment(self, moment: datetime | None) -> Any:
        """A moment as the driver takes it in plain SQL text: SQLite keeps ISO text of a fixed width."""
        if moment is None or not self.prepared.is_embedded:
            return moment
        return to_text(moment)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Remember something to do once the rows are visible to others."""
        self._after.append(action)

    def committed(self) -> None:
        """Do what was remembered."""
        actions, self._after = self._after, []
        for action in actions:
            action()

    def run(self, statement: PlainText, parameters: Any = None) -> Rows:
        """Plain text needs nothing of what SQLAlchemy does for a statement, which is half of a short one's CPU."""
        (sql, parameters), cursor = _at_once(statement, parameters), self._cursor()
        try:
            if isinstance(parameters, list) and statement.columns:
                for several, values in statements_of(sql, statement.columns, parameters):
                    cursor.execute(several, values)
                return Rows((), len(parameters))
            if isinstance(parameters, list):
                cursor.executemany(sql, parameters)
            else:
                cursor.execute(sql, parameters)
            if not cursor.description:
                return Rows((), cursor.rowcount, (), cursor.lastrowid if hasattr(cursor, "lastrowid") else None)
            return Rows(cursor.fetchall(), cursor.rowcount, [column[0] for column in cursor.description])
        except self._errors as error:
            raise self._wrapped(sql, error) from error

    def _cursor(self) -> Any:
        if self._driver is None:
            self._driver = self.connection.connection.cursor()
        return self._driver

    def _raw(self) -> Any:
        """The driver's own connection."""
        return self.connection.connection.driver_connection

    @property
    def _errors(self) -> type[Exception]:
        return self.connection.dialect.loaded_dbapi.Error

    def _wrapped(self, sql: str, error: Exception) -> Exception:
        """The driver's error as SQLAlchemy raises it, and the connection given up when it is dead."""
        dialect = self.connection.dialect
        gone = dialect.is_disconnect(error, self.connection.connection.dbapi_connection, self._driver)  # type: ignore[arg-type]
        if gone:
            self.connection.invalidate(error)
        return DBAPIError.instance(
            sql, None, error, self._errors, hide_parameters=True, connection_invalidated=gone, dialect=dialect
        )


def _at_once(statement: PlainText, parameters: Any) -> tuple[str, Any]:
    """The text and parameters of a statement; of many rows one statement, where the product has it."""
    if statement.many is not None and isinstance(parameters, list):
        arrays = arrays_of(parameters)
        if arrays is not None:
            return statement.many, arrays
    return statement.sql, parameters or {}


def connection_of(given: Any, dialect: str) -> Connection:
    """The connection of a caller's SQLAlchemy Session or Connection. Raises InvalidArgument for anything else.

    dialect: SQLAlchemy's name of the kind of database that it must be of.
    """
    is_session = hasattr(given, "get_bind") and not iscoroutinefunction(getattr(given, "connection", None))
    own = given.connection() if is_session else given
    if not isinstance(own, Connection):
        raise InvalidArgument(f"session is a SQLAlchemy Session or Connection, not {type(given).__name__}")
    theirs, ours = (name.replace("mariadb", "mysql") for name in (own.dialect.name, dialect))
    if theirs != ours:
        raise InvalidArgument(f"session is of another database, on {theirs}: the tables of taskmanager are on {ours}")
    return own


def as_moment(value: Any) -> datetime:
    """A moment as drivers hand it over: SQLite gives text."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return datetime.fromisoformat(str(value))


def insert_each(tx: Tx, build: Builder, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows as one multi-row statement, which may travel with a later one; no rows, no statement."""
    if rows:
        tx.send(build, rows[0] if len(rows) == 1 else list(rows))
