"""Connections as their server knows them: remembered beyond the life of a process, and ended from elsewhere."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from taskmanager.storage import urls
from taskmanager.storage.database import Database
from taskmanager.storage.dialects import Product
from taskmanager.storage.engines import make_raw_engine

log = logging.getLogger("taskmanager.backends")

_CONNECT_SECONDS = "3"
_PAUSE = 0.05
#: The moment of a server's start is computed in whole seconds from two readings.
_TOLERANCE = 5
#: For so long it is remembered when a server began: to ask costs it more than to call a small procedure.
_KNOWN_SECONDS = 5.0
#: Of a server that has given fewer numbers it is not told by the next one whether it has begun anew.
_YOUNG = 200


@dataclass(frozen=True, slots=True)
class Backend:
    """number: what KILL takes. server: which of several nodes. since: the number is given anew after that moment."""

    number: int
    server: str
    since: str


class Starts:
    """When servers began, as it was asked not long ago."""

    def __init__(self) -> None:
        #: By server: when it was asked, the number of the connection that asked, and the server's start.
        self._known: dict[str, tuple[float, int, str]] = {}

    def get(self, server: str, number: int) -> str | None:
        """When a server began that gave a connection this number; None where it must be asked.

        One that began anew counts from the beginning.
        """
        asked, before, since = self._known.get(server, (0.0, 0, ""))
        is_fresh = before >= _YOUNG and number > before // 2 and time.monotonic() - asked <= _KNOWN_SECONDS
        return since if is_fresh else None

    def set(self, server: str, number: int, since: str) -> None:
        """A server has just said when it began."""
        self._known[server] = (time.monotonic(), number, since)

    def forget(self) -> None:
        """A connection broke, or could not be made: a server may begin anew."""
        self._known.clear()


def of(connection: Connection, product: Product, starts: Starts | None = None) -> Backend:
    """What the server knows this connection by. PostgreSQL tells when it began, MySQL when the server did.

    starts: what need not be asked again; without it all is asked.
    """
    if product.name == "postgresql":
        row = connection.exec_driver_sql(
            "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        ).one()
        return Backend(int(row[0]), "", str(row[1]))
    row = connection.exec_driver_sql("SELECT CONNECTION_ID(), @@hostname, @@port, UNIX_TIMESTAMP()").one()
    number, server = int(row[0]), f"{row[1]}:{row[2]}"
    since = None if starts is None else starts.get(server, number)
    if since is None:
        up = int(connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Uptime'").one()[1])
        since = str(int(row[3]) - up)
        if starts is not None:
            starts.set(server, number, since)
    return Backend(number, server, since)


def end(database: Database, backend: Backend, *, wait: float = 2.0) -> bool:
    """Kill a connection on whichever node it is, and wait a little for its end; whether it is gone.

    wait: for so many seconds a node is tried again that could not be asked: the network that broke may break once
    more. KILL QUERY would not do: a procedure that loops on SLEEP goes on.
    """
    deadline = time.monotonic() + wait
    while True:
        failures: list[Exception] = []
        for node in urls.hosts(database.url):
            try:
                if _end_on(node, database.product, backend, wait):
                    return True
            except Exception as error:
                failures.append(error)
        if failures and time.monotonic() < deadline:
            time.sleep(_PAUSE)
            continue
        for failure in failures:
            log.warning("connection %d cannot be killed now: %s", backend.number, getattr(failure, "orig", failure))
        return False


def _end_on(node: URL, product: Product, backend: Backend, wait: float) -> bool:
    engine = make_raw_engine(node.update_query_dict({"connect_timeout": _CONNECT_SECONDS}))
    try:
        with engine.connect() as connection:
            if not _is_of(connection, product, backend):
                log.warning("connection %d was of a server that is another now", backend.number)
                return False
            deadline = time.monotonic() + wait
            while not _kill(connection, product, backend):
                if time.monotonic() >= deadline:
                    return True  # the server knows; a long ROLLBACK may go on
                time.sleep(_PAUSE)
            return True
    finally:
        engine.dispose()


def _is_of(connection: Connection, product: Product, backend: Backend) -> bool:
    if product.name == "postgresql":
        return True
    here = of(connection, product)
    return here.server == backend.server and abs(int(here.since) - int(backend.since)) <= _TOLERANCE


def _kill(connection: Connection, product: Product, backend: Backend) -> bool:
    """Ask for the end; True when there is no such connection any more."""
    if product.name == "postgresql":
        given: dict[str, Any] = {"pid": backend.number, "since": backend.since}
        rows = connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid = %(pid)s AND backend_start = CAST(%(since)s AS timestamptz)",
            given,
        )
        return not rows.all()
    try:
        connection.exec_driver_sql(f"KILL CONNECTION {backend.number}")
    except Exception as error:
        original = getattr(error, "orig", None)
        if original is not None and original.args and original.args[0] == 1094:
            return True
        raise
    return False
