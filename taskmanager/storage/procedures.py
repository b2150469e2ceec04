"""Calls one stored procedure on a connection of its own, as people at a console would, and drops the connection.

The driver's cursor is used raw: SQLAlchemy would swallow a SIGNAL raised after a result set.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from taskmanager.domain.errors import InvalidArgument
from taskmanager.storage import backends, cells, forked
from taskmanager.storage.backends import Backend, Starts
from taskmanager.storage.database import Database

#: A part of a name: plain, or quoted as MySQL or PostgreSQL quote, the quote itself doubled.
_PART = r'([\w$]+|`(?:[^`\0]|``)+`|"(?:[^"\0]|"")+")'
_NAME = re.compile(rf"(?:{_PART}\.)?{_PART}")
_EMPTY_CALL = re.compile(r"\s*\(\s*\)$")
_LONGEST = 64

_FIND_ON_POSTGRESQL = """
SELECT n.nspname, p.proname, p.prokind FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE lower(p.proname) = lower(%(name)s) AND p.prokind IN ('p', 'f')
AND CASE WHEN %(schema)s = '' THEN pg_function_is_visible(p.oid) ELSE lower(n.nspname) = lower(%(schema)s) END
ORDER BY p.proname <> %(name)s, n.nspname <> %(schema)s, p.prokind DESC, p.pronargs LIMIT 1
"""


class ProcedureFailed(Exception):
    """A stored procedure raised; `str()` is the database's own text."""


def checked_name(name: str | None) -> tuple[str, ...]:
    """The parts of a procedure's name as written in a column: itself, or its schema and itself, unquoted.

    Blanks and `()` around it are trimmed. Raises InvalidArgument for what is not a name.
    """
    text = _EMPTY_CALL.sub("", (name or "").strip()).strip()
    whole = _NAME.fullmatch(text)
    parts = tuple(_unquoted(part) for part in whole.groups() if part) if whole else ()
    if not parts or any(len(part) > _LONGEST or part != part.rstrip() for part in parts):
        raise InvalidArgument(
            f"StoredProcName {name!r} is not the name of a procedure: write Name, schema.Name or `odd name`"
        )
    return parts


def _unquoted(part: str) -> str:
    mark = part[0]
    return part[1:-1].replace(mark * 2, mark) if mark in '`"' else part


def stand_in(functions: Mapping[str, Callable[[], Any]], parts: tuple[str, ...]) -> Callable[[], Any]:
    """The Python function registered under this name, for a database that has no procedures."""
    wanted = ".".join(parts)
    for name, function in functions.items():
        with suppress(InvalidArgument):
            if ".".join(checked_name(name)).lower() == wanted.lower():
                return function
    raise ProcedureFailed(f"SQLite has no procedures: register one with tm.procedure({wanted!r})")


class Line:
    """A connection for one call: `open` it, `call`, and `drop` it whatever happened.

    starts: when servers began, as earlier calls were told.
    """

    def __init__(self, database: Database, starts: Starts | None = None) -> None:
        self._database, self._starts = database, starts or Starts()
        self._connection: Connection | None = None
        self.backend: Backend | None = None
        #: Whether the call ended because the connection did.
        self.is_lost = False

    def open(self) -> Backend:
        """Connect; what the server knows us by. Raises StorageError, ProcedureFailed."""
        try:
            self._connection = self._database.through_outage(self._database.raw)
            forked.remember(self._driver)
            self.backend = backends.of(self._connection, self._database.product, self._starts)
        except SQLAlchemyError as error:
            self._starts.forget()
            raise ProcedureFailed(text_of(getattr(error, "orig", None) or error)) from error
        return self.backend

    def call(self, parts: tuple[str, ...]) -> str | None:
        """Call the procedure, read all it answers, COMMIT; the first cell as text. Raises ProcedureFailed."""
        try:
            if self._database.product.name == "postgresql":
                return self._call_postgresql(parts)
            return self._call_mysql(parts)
        except Exception as error:
            assert self._connection is not None
            self.is_lost = self._connection.dialect.is_disconnect(error, self._driver, None)  # type: ignore[arg-type]
            if self.is_lost:
                self._starts.forget()
            raise ProcedureFailed(text_of(error)) from error

    def hang_up(self) -> None:
        """End a call from this side, from any thread: it gets an error at once. The server does not notice."""
        connection = self._connection
        if connection is not None and not connection.closed and not connection.invalidated:
            forked.hang_up(self._driver)

    def drop(self) -> None:
        """Close the connection, and with it what the procedure left open in its session."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it may be dead
                connection.invalidate()
            with suppress(Exception):
                connection.close()

    @property
    def _driver(self) -> Any:
        assert self._connection is not None
        return self._connection.connection.driver_connection

    def _quoted(self, parts: tuple[str, ...]) -> str:
        mark = self._database.product.quote("")[0]
        return ".".join(f"{mark}{part.replace(mark, mark * 2)}{mark}" for part in parts)

    def _call_mysql(self, parts: tuple[str, ...]) -> str | None:
        """Rows are streamed: a procedure may select more of them than this process has memory for."""
        assert self._connection is not None
        cells.keep_text(self._driver)
        module = importlib.import_module(f"{self._connection.dialect.loaded_dbapi.__name__}.cursors")
        cursor = module.SSCursor(self._driver)
        try:
            cursor.execute(f"CALL {self._quoted(parts)}()")
            first = cells.first_of(cursor)
            while True:
                while cursor.description is not None and cursor.fetchmany(1000):
                    continue
                if not cursor.nextset():
                    break
            self._driver.commit()
            return first
        finally:
            cursor.connection = None  # or it would read on when it is thrown away

    def _call_postgresql(self, parts: tuple[str, ...]) -> str | None:
        cursor = self._driver.cursor()
        schema, name = ("", *parts)[-2:]
        found = cursor.execute(_FIND_ON_POSTGRESQL, {"schema": schema, "name": name}).fetchone()
        kind = "p"
        if found is not None:
            parts, kind = (found[0], found[1]), found[2]
        verb = "SELECT" if kind == "f" else "CALL"
        cursor.execute(f"{verb} {self._quoted(parts)}()".encode())
        return cells.first_of_postgresql(cursor)


def text_of(error: BaseException) -> str:
    """The database's own words: MESSAGE_TEXT unaltered, without number and context."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    if primary:
        return str(primary)
    arguments: tuple[Any, ...] = getattr(error, "args", ())
    return str(arguments[1] if len(arguments) > 1 else error)


def call(database: Database, name: str | None) -> str | None:
    """Call a procedure on a connection of its own. Raises InvalidArgument, ProcedureFailed."""
    parts = checked_name(name)
    line = Line(database)
    try:
        line.open()
        return line.call(parts)
    finally:
        line.drop()
