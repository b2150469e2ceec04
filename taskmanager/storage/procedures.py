"""Calls one stored procedure on a connection of its own, as people at a console would, and drops the connection.

The driver's cursor is used raw: SQLAlchemy would swallow a SIGNAL raised after a result set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from taskmanager.domain.errors import InvalidArgument
from taskmanager.storage.database import Database

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)?")


class ProcedureFailed(Exception):
    """A stored procedure raised; `str()` is the database's own text."""


def checked_name(name: str | None) -> str:
    """The name of a procedure as written in a column, trimmed. Raises InvalidArgument."""
    text = (name or "").strip().removesuffix("()").strip()
    if not _NAME.fullmatch(text):
        raise InvalidArgument(f"StoredProcName {name!r} is not the name of a procedure: write Name or schema.Name")
    return text


def call(database: Database, name: str | None, functions: Mapping[str, Callable[[], Any]]) -> str | None:
    """Run a procedure and answer the first cell of its first result set, as text.

    On SQLite, which has none, the Python function registered under the name stands in for it.
    Raises InvalidArgument, ProcedureFailed.
    """
    wanted = checked_name(name)
    if database.is_embedded:
        found = {n.lower(): f for n, f in functions.items()}.get(wanted.lower())
        if found is None:
            raise ProcedureFailed(f"SQLite has no procedures: register one with tm.procedure({wanted!r})")
        value = found()
        return None if value is None else str(value)
    return _call(database, wanted)


def _call(database: Database, wanted: str) -> str | None:
    quoted = ".".join(database.product.quote(part) for part in wanted.split("."))
    connection = database.raw()
    raw: Any = connection.connection
    try:
        cursor = raw.cursor()
        cursor.execute(f"CALL {quoted}()")
        first = _first_cell(cursor)
        while cursor.nextset():
            continue
        raw.commit()
        return first
    except Exception as error:
        arguments: tuple[Any, ...] = getattr(error, "args", ())
        text = arguments[1] if len(arguments) > 1 else str(error)
        raise ProcedureFailed(str(text).strip()) from error
    finally:
        connection.invalidate()
        connection.close()


def _first_cell(cursor: Any) -> str | None:
    if cursor.description is None:
        return None
    row = cursor.fetchone()
    if row is None or row[0] is None:
        return None
    return row[0].hex() if isinstance(row[0], bytes) else str(row[0])
