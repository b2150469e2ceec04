"""What this process sends to its databases, counted where the drivers send it: BEGIN, COMMIT and SET as well."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

#: SQLite's own counter in shared memory, looked at instead of a table.
_FREE = "PRAGMA data_version"


class Wire:
    """Statements in the order they were sent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sent: list[str] = []
        self._traces: list[Path] = []
        self._lock = threading.Lock()

    def sent(self) -> list[str]:
        """All statements since the beginning."""
        return self._all("Query", "Execute")

    def trips(self) -> list[str]:
        """What the server was waited for: statements, but on PostgreSQL many that were sent together are one."""
        return self._all("Query", "Sync")

    def _all(self, *kinds: str) -> list[str]:
        if self._traces:
            ctypes.CDLL(None).fflush(None)  # libpq's lines wait in a buffer of C's
        with self._lock:
            return [*self._sent, *sorted(line for path in self._traces for line in _messages(path, kinds))]

    def tap(self, connection: Any) -> None:
        """Listen to a connection of PyMySQL, psycopg or sqlite3 that was just opened."""
        if hasattr(connection, "set_trace_callback"):
            connection.set_trace_callback(lambda sql: None if sql == _FREE else self._note(sql))
        elif hasattr(connection, "pgconn"):
            self._trace(connection.pgconn)
        else:
            self._wrap(connection)

    def _note(self, sql: str) -> None:
        with self._lock:
            self._sent.append(sql)

    def _trace(self, pgconn: Any) -> None:
        """libpq writes every message to a file."""
        with self._lock:
            path = self._folder / f"{len(self._traces)}.trace"
            number = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            pgconn.trace(number)
            self._traces.append(path)

    def _wrap(self, connection: Any) -> None:
        send = connection._execute_command

        def told(command: int, sql: Any) -> Any:
            for one in getattr(connection, "parts", None) or [sql]:
                self._note(one.decode(errors="replace") if isinstance(one, bytes) else str(one))
            return send(command, sql)

        connection._execute_command = told


def _messages(path: Path, kinds: tuple[str, ...]) -> list[str]:
    """A statement is one Query message, or one Execute of the extended protocol; each line begins with its time."""
    lines = path.read_text(errors="replace").splitlines()
    return [line for line in lines if "\tF\t" in line and line.split("\t")[3] in kinds]


def commits(sent: Iterable[str]) -> int:
    """How many of the statements end a transaction and wait for the disk."""
    return sum("COMMIT" in sql for sql in sent)


@contextmanager
def listening(folder: Path) -> Iterator[Wire]:
    """Listen to all connections that are opened meanwhile."""
    wire = Wire(folder)

    def on_connect(connection: Any, _: Any) -> None:
        wire.tap(connection)

    event.listen(Engine, "connect", on_connect)
    try:
        yield wire
    finally:
        event.remove(Engine, "connect", on_connect)
