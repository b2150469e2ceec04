"""The ringing side: after an enqueue, wake this process's own servers and those of this user on this machine at once,
and others by their doorbells."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from taskmanager.server.lifeline import folder_of
from taskmanager.server.local_bell import ring_sleepers
from taskmanager.storage import doorbell, forked
from taskmanager.storage.database import Database

log = logging.getLogger("taskmanager.doorbell")

#: At most so many rounds of ringing a second: many enqueues share one.
_PAUSE_SECONDS = 0.005


class Ringer:
    """Rings in a thread of its own, so that an enqueue never waits for it."""

    def __init__(self, database: Database, *, doorbell: bool) -> None:
        self._database = database
        self._abroad = doorbell and not database.is_embedded
        self._own: dict[str, Callable[[], None]] = {}
        self._folder = _folder_of(database) if self._abroad else None
        #: Whom the last round rang.
        self._sleepers: set[str] = set()
        self._renew()
        forked.renew(self._renew)

    def _renew(self) -> None:
        """In a forked child the thread does not go on, and the servers are its parent's: they are rung as others'."""
        self._own.clear()
        #: Guids that need no ring through the database: they were rung here since its last round.
        self._nearby: set[str] = set()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def add(self, guid: str, wake: Callable[[], None]) -> None:
        """A server of this process."""
        self._own[guid] = wake

    def ring(self, queues: set[str]) -> None:
        """These queues got work."""
        for wake in list(self._own.values()):
            wake()
        if self._abroad:
            rung = set() if self._folder is None else ring_sleepers(self._folder, self._own)
            with self._lock:
                self._nearby |= rung
            self._wanted.set()
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="taskmanager-ringer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set():
            if not self._wanted.wait(5.0):
                continue
            self._wanted.clear()
            try:
                with self._lock:
                    nearby, self._nearby = self._nearby, set()
                self._sleepers = doorbell.ring_all(self._database, self._sleepers, nearby | self._own.keys())
            except Exception as error:
                log.debug("nobody could be rung, they will find out by polling: %s", error)
            self._closing.wait(_PAUSE_SECONDS)

    def close(self) -> None:
        """Ring what is still wanted, and end."""
        thread = self._thread
        if thread is not None:
            if self._wanted.is_set():
                threading.Event().wait(_PAUSE_SECONDS)
            self._closing.set()
            self._wanted.set()
            thread.join(2.0)


def _folder_of(database: Database) -> Path | None:
    """Where those of this machine sleep; None where this user has no such folder, and all are rung by the server."""
    try:
        return folder_of(database.identity)
    except OSError as problem:
        log.debug("sleepers of this machine are rung through the database: %s", problem)
        return None
