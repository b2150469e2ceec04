"""Buries processes of this machine that are gone: their claims go back at once, and again what came late."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from taskmanager.server import lifeline
from taskmanager.server.lifeline import Death
from taskmanager.storage import servers
from taskmanager.storage.database import Database

log = logging.getLogger("taskmanager.undertaker")

#: A COMMIT the dead process had sent may be carried out after its burial; so it is looked at again for a while.
_AGAIN_SECONDS = 0.5
_FORGET_SECONDS = 15.0


class Undertaker:
    """Used by the watchdog and by the supervisor; both may bury the same process, the second finds nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._folder = lifeline.folder_of(database.identity)
        self._next: dict[Path, float] = {}
        self._found: dict[Path, float] = {}

    def work(self) -> None:
        """Look for the dead once. Raises StorageError while the database cannot be reached."""
        for death in lifeline.deaths(self._folder):
            self._found.setdefault(death.path, time.monotonic())
            if time.monotonic() >= self._next.get(death.path, 0.0):
                self._bury(death)

    def _bury(self, death: Death) -> None:
        first = death.path not in self._next
        buried = self._database.run(lambda tx: servers.bury(tx, death.server_id, started=death.started), patience=2)
        if buried is not None and (first or buried[0]):
            log.warning("server %s died: %d claims given back, %d jobs it died under", death.server_id, *buried)
        self._next[death.path] = time.monotonic() + _AGAIN_SECONDS
        if time.monotonic() - self._found[death.path] > _FORGET_SECONDS:
            lifeline.forget(death)
            self._next.pop(death.path)
            self._found.pop(death.path)
