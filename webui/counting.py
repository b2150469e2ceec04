"""Counts beyond the cap, when somebody asks: in the background, one at a time, kept with their age."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime

from taskmanager import TaskManager
from taskmanager.domain.errors import DatabaseSlow, StorageError
from taskmanager.storage import monitoring_exact
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.web")

#: How long counting may take, and how long who asks again is told the same.
_MOST_SECONDS, _KEPT_SECONDS = 5.0, 10.0


@dataclass(frozen=True, slots=True)
class Exact:
    """What is known of a count. progress: `counting`, `done`, `slow` (it took too long), `away` (no database).

    count, at: the newest that was had, by the database's clock; None when none was.
    """

    progress: str
    count: int | None = None
    at: datetime | None = None


class Counting:
    """Of one process. `known`: what pages are told, by the name of the state."""

    def __init__(self, tm: TaskManager) -> None:
        self._tm = tm
        self._turn, self._guard = threading.Lock(), threading.Lock()
        self._asked: dict[str, float] = {}
        self.known: dict[str, Exact] = {}

    def ask(self, state: str) -> Exact:
        """Count the jobs of a state in the background, unless that is under way or was done just now."""
        with self._guard:
            now, before = time.monotonic(), self.known.get(state)
            is_fresh = now - self._asked.get(state, float("-inf")) < _KEPT_SECONDS
            if before is not None and (before.progress == "counting" or is_fresh):
                return before
            self._asked[state] = now
            self.known[state] = begun = Exact("counting", *((before.count, before.at) if before is not None else ()))
        threading.Thread(target=self._count, args=(state, begun), name="taskmanager-count", daemon=True).start()
        return begun

    def _count(self, state: str, before: Exact) -> None:
        def work(tx: Tx) -> tuple[int, datetime]:
            return monitoring_exact.count(tx, state), tx.now()

        found = Exact("away", before.count, before.at)
        try:
            with self._turn, self._tm.database.hasty(_MOST_SECONDS, reading_seconds=_MOST_SECONDS):
                found = Exact("done", *self._tm.database.read(work))
        except DatabaseSlow:
            found = Exact("slow", before.count, before.at)
        except StorageError as error:
            log.warning("the %s jobs were not counted: %s", state, error)
        finally:
            self.known[state] = found
