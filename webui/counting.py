"""Counts beyond the cap, when somebody asks: in the background, one at a time, kept with their age."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime

from taskmanager import TaskManager
from taskmanager.domain.errors import DatabaseSlow, StorageError
from taskmanager.storage import monitoring_exact
from taskmanager.storage.monitoring_filters import Wanted
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.web")

#: How long counting may take, and how long who asks again is told the same.
_MOST_SECONDS, _KEPT_SECONDS = 5.0, 10.0
#: So many lists are remembered, and so many may wait for their turn.
_MOST_KNOWN, _MOST_WAITING = 100, 6


@dataclass(frozen=True, slots=True)
class Exact:
    """What is known of a count. progress: `counting`, `done`, `slow` (it took too long), `away` (no database), `busy`
    (so many others wait to be counted that this one was not begun).

    count, at: the newest that was had, by the database's clock; None when none was.
    """

    progress: str
    count: int | None = None
    at: datetime | None = None


class Counting:
    """Of one process. `known`: what pages are told, by the key of the list (`Parsed.key`)."""

    def __init__(self, tm: TaskManager) -> None:
        self._tm = tm
        self._turn, self._guard = threading.Lock(), threading.Lock()
        self._ended: dict[str, float] = {}
        self.known: dict[str, Exact] = {}

    def ask(self, key: str, wanted: Wanted) -> Exact:
        """Count the jobs of a list in the background, unless that is under way or was done just now."""
        with self._guard:
            before = self.known.get(key, Exact("busy"))
            is_fresh = time.monotonic() - self._ended.get(key, float("-inf")) < _KEPT_SECONDS
            if before.progress == "counting" or is_fresh:
                return before
            if sum(one.progress == "counting" for one in self.known.values()) >= _MOST_WAITING:
                return replace(before, progress="busy")
            self.known.pop(key, None)
            self.known[key] = begun = replace(before, progress="counting")
            self._forget()
        threading.Thread(
            target=self._count, args=(key, wanted, begun), name="taskmanager-count", daemon=True
        ).start()  # fmt: skip
        return begun

    def _forget(self) -> None:
        """Forget what was asked for longest ago."""
        over = [key for key, one in self.known.items() if one.progress != "counting"]
        for key in over[: max(0, len(self.known) - _MOST_KNOWN)]:
            del self.known[key]
            self._ended.pop(key, None)

    def _count(self, key: str, wanted: Wanted, before: Exact) -> None:
        def work(tx: Tx) -> tuple[int, datetime]:
            return monitoring_exact.count(tx, wanted), tx.now()

        found = replace(before, progress="away")
        try:
            with self._turn, self._tm.database.hasty(_MOST_SECONDS, reading_seconds=_MOST_SECONDS):
                found = Exact("done", *self._tm.database.read(work))
        except DatabaseSlow:
            found = replace(before, progress="slow")
        except StorageError as error:
            log.warning("jobs were not counted (%s): %s", ", ".join(wanted.states) or "all", error)
        finally:
            with self._guard:
                self.known[key], self._ended[key] = found, time.monotonic()
