"""Waking sleeping workers without a broker: KILL QUERY on a sleeping connection, or NOTIFY.

A worker that has nothing to do registers its doorbell in set `doorbells` and sleeps; who enqueues rings the
registered ones after COMMIT. A busy system has nobody registered, and rings never.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Container
from typing import Any

from sqlalchemy import Connection, text

from taskmanager.domain.times import to_unix
from taskmanager.storage import forked, structures
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.doorbell")

SET = "doorbells"
_SLEEP_SECONDS = 20
_SLEEP = f"SELECT SLEEP({_SLEEP_SECONDS})"


class Doorbell:
    """The sleeping side: one connection that runs nothing but the sleep, so that nothing else can be killed."""

    def __init__(self, database: Database, guid: str) -> None:
        self._database = database
        self._guid = guid
        self._connection: Connection | None = None
        self._member = ""
        self._registered = ""

    @property
    def works(self) -> bool:
        """Whether this product can ring at all; SQLite needs none."""
        return not self._database.is_embedded

    @property
    def is_set(self) -> bool:
        """Whether ringers know of us."""
        return bool(self._registered)

    def wait(self) -> bool:
        """Sleep until rung (True) or some seconds have passed (False). Raises when the connection is lost."""
        raw: Any = self._open().connection.driver_connection
        if self._database.product.name == "postgresql":
            return any(True for _ in raw.notifies(timeout=_SLEEP_SECONDS, stop_after=1))
        cursor = raw.cursor()
        try:  # by the driver alone: SQLAlchemy makes half a millisecond of what is an error to it
            cursor.execute(_SLEEP)
            (row,) = cursor.fetchall()
            return bool(row[0])
        except Exception as error:
            if _code(error) == 1317:
                return True
            raise
        finally:
            cursor.close()

    def listen(self, asleep: bool) -> bool:
        """Tell ringers whether somebody sleeps here; whether that was news. Free when nothing has changed."""
        member = self._member if asleep else ""
        if member == self._registered:
            return False
        gone = [self._registered] if self._registered else []

        def work(tx: Tx) -> None:
            structures.remove(tx, SET, gone)
            if member:
                structures.put(tx, SET, {member: to_unix(tx.now())})

        self._database.run(work, patience=1)
        self._registered = member
        return True

    def close(self) -> None:
        """Drop the connection and the registration."""
        try:
            self.listen(False)
        finally:
            self.drop()

    def drop(self) -> None:
        """Forget a connection that is out of order; the next wait opens a new one."""
        connection, self._connection = self._connection, None
        self._member = ""
        if connection is not None:
            connection.invalidate()
            connection.close()

    def interrupt(self) -> None:
        """Wake our own sleeper, to stop."""
        if self._member:
            ring_one(self._database, self._member)

    def cut(self) -> None:
        """End the sleep from this side alone, where the server cannot be asked to."""
        connection = self._connection
        if connection is not None and not connection.closed and not connection.invalidated:
            forked.hang_up(connection.connection.driver_connection)

    def _open(self) -> Connection:
        if self._connection is None:
            connection = self._connection = self._database.raw()
            forked.remember(connection.connection.driver_connection)
            if self._database.product.name == "postgresql":
                connection.exec_driver_sql(f'LISTEN "{_channel(self._guid)}"')
                self._member = f"0:{self._guid}"
            else:
                # A lock names this connection: its number may be another's after the server has begun anew.
                number = uuid.uuid4().hex
                connection.execute(text("SELECT GET_LOCK(:name, 0)"), {"name": _lock_of(number)})
                self._member = f"{number}:{self._guid}"
        return self._connection


def ring_all(database: Database, at_once: Collection[str] = (), but: Container[str] = ()) -> set[str]:
    """Ring everybody who sleeps; returns who was rung. A sleeper that is gone is forgotten.

    but: guids of those who have been woken in another way.

    at_once: who was rung the last time. They are rung again before it is asked who sleeps now, for asking takes as
    long as ringing; one of them who has work meanwhile is woken for nothing, once.
    """
    rung = {member for member in at_once if _guid(member) not in but and ring_one(database, member)}
    known = database.read(lambda tx: structures.members(tx, SET), patience=0)
    sleepers = {member for member in known if _guid(member) not in but}
    for member in sleepers - rung:
        if ring_one(database, member):
            rung.add(member)
        else:
            log.debug("doorbell %s is gone", member)
            database.run(lambda tx, m=member: structures.remove(tx, SET, [m]), patience=0)  # type: ignore[misc]
    return rung & sleepers


def ring_one(database: Database, member: str) -> bool:
    """Ring one doorbell; False when nobody is there any more."""
    number, _, guid = member.partition(":")
    with database.looking.connect() as connection:
        if database.product.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_notify(%s, '')", (_channel(guid),))
            return True
        try:
            connection.exec_driver_sql("KILL QUERY IS_USED_LOCK(%s)", (_lock_of(number),))
        except Exception as error:
            if _code(error) in (1094, 1095):
                return False
            raise
    return True


def _guid(member: str) -> str:
    return member.partition(":")[2]


def _lock_of(number: str) -> str:
    return f"taskmanager:{number}"[:64]


def _channel(guid: str) -> str:
    return f"taskmanager_{guid}"


def _code(error: BaseException) -> Any:
    original = getattr(error, "orig", error)
    return original.args[0] if original is not None and original.args else None
