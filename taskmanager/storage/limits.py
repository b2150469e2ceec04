"""How long a statement may take, where somebody waits for it: the server itself ends it then.

A server that is frozen ends nothing; so a little later the connection is hung up from here.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from taskmanager.domain.errors import DatabaseSlow
from taskmanager.storage import forked
from taskmanager.storage.dialects import Product

#: By the monotonic clock: when reads of this thread or task are to have ended.
_until: ContextVar[float | None] = ContextVar("taskmanager_reads_until", default=None)
#: Reads after the time is up still get so long: they may be quick, and tell what is known.
_LEAST_SECONDS = 0.5
#: What of a connection's limit is remembered with it, in milliseconds.
_KEPT = "taskmanager_limit_ms"
#: So long after a statement's bound its server is taken for frozen.
_SILENT_SECONDS = 1.0
#: So long the thread that hangs up stays where nothing is read.
_IDLE_SECONDS = 60.0
#: Instructions of SQLite's machine between two looks at the clock: some microseconds.
_INSTRUCTIONS = 10_000


@contextmanager
def until(seconds: float) -> Iterator[None]:
    """Let all reads of this thread or task end within so many seconds, taken together."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def left() -> float | None:
    """Seconds that the next read may take; None without a bound."""
    ends = _until.get()
    return None if ends is None else max(_LEAST_SECONDS, ends - time.monotonic())


@contextmanager
def bounded(connection: Connection, product: Product, seconds: float | None) -> Iterator[None]:
    """Bound each statement of a connection that reads without a transaction; None takes away what an earlier one left.

    A transaction that is rolled back would take PostgreSQL's SET back with it.
    """
    if product.limit:
        # In steps, so that one connection seldom needs another bound than it has.
        ms = 0 if seconds is None else math.ceil(seconds * 2) * 500
        with _hung_up_after(connection, ms / 1000 + _SILENT_SECONDS) if ms else nullcontext():
            if ms != connection.info.get(_KEPT, 0):
                connection.exec_driver_sql(product.limit.format(ms=ms) if ms else product.no_limit)
                connection.info[_KEPT] = ms
            yield
    elif seconds is None:
        yield
    else:
        driver: Any = connection.connection.dbapi_connection
        ends = time.monotonic() + seconds
        driver.set_progress_handler(lambda: time.monotonic() > ends, _INSTRUCTIONS)
        try:
            yield
        finally:
            driver.set_progress_handler(None, 0)


@contextmanager
def _hung_up_after(connection: Connection, seconds: float) -> Iterator[None]:
    """Hang a connection up that is still in use then. Raises DatabaseSlow to whom it was hung up."""
    watched = _Watched(connection.connection.dbapi_connection, time.monotonic() + seconds)
    _watch.add(watched)
    try:
        yield
    except SQLAlchemyError as error:
        if watched.is_over:
            raise DatabaseSlow(f"the database has not answered for {seconds:.1f} s") from error
        raise
    finally:
        _watch.remove(watched)


@dataclass(eq=False, slots=True)
class _Watched:
    """A driver's connection that is read on, until when by the monotonic clock, and whether it was hung up."""

    driver: Any
    ends: float
    is_over: bool = False


class _Watch:
    """One thread for all reads under way: a timer of its own for each would cost more than many a read."""

    def __init__(self) -> None:
        self.renew()
        forked.renew(self.renew)

    def renew(self) -> None:
        """In a forked child the thread does not go on, and who held the lock may not have come along."""
        self._changed = threading.Condition()
        self._watched: set[_Watched] = set()
        #: When the thread looks next; None where there is no thread.
        self._wakes: float | None = None

    def add(self, one: _Watched) -> None:
        """Hang it up at its end, unless it is removed before."""
        with self._changed:
            if self._wakes is None:
                threading.Thread(target=self._run, name="taskmanager-reads", daemon=True).start()
                self._wakes = one.ends
            self._watched.add(one)
            if one.ends < self._wakes:
                self._wakes = one.ends
                self._changed.notify()

    def remove(self, one: _Watched) -> None:
        """Its read has ended: it is not hung up any more once this returns."""
        with self._changed:
            self._watched.discard(one)

    def _run(self) -> None:
        with self._changed:
            idle_since = time.monotonic()
            while True:
                now = time.monotonic()
                for one in [w for w in self._watched if w.ends <= now]:
                    self._watched.discard(one)
                    one.is_over = True
                    forked.hang_up(one.driver)
                idle_since = now if self._watched else idle_since
                if now - idle_since >= _IDLE_SECONDS:
                    self._wakes = None
                    return
                self._wakes = min((w.ends for w in self._watched), default=idle_since + _IDLE_SECONDS)
                self._changed.wait(max(0.0, self._wakes - now))


_watch = _Watch()
