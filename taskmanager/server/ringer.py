"""The ringing side: after an enqueue, wake this process's own servers at once and others' by their doorbells."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from taskmanager.storage import doorbell
from taskmanager.storage.database import Database

log = logging.getLogger("taskmanager.doorbell")

#: At most so many rounds of ringing a second: many enqueues share one.
_PAUSE_SECONDS = 0.005


class Ringer:
    """Rings in a thread of its own, so that an enqueue never waits for it."""

    def __init__(self, database: Database, *, doorbell: bool) -> None:
        self._database = database
        self._abroad = doorbell and not database.is_embedded
        self._own: list[Callable[[], None]] = []
        #: Whom the last round rang.
        self._sleepers: set[str] = set()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def add(self, wake: Callable[[], None]) -> None:
        """A server of this process."""
        self._own.append(wake)

    def ring(self, queues: set[str]) -> None:
        """These queues got work."""
        for wake in self._own:
            wake()
        if self._abroad:
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
                self._sleepers = doorbell.ring_all(self._database, self._sleepers)
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
