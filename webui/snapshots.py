"""The counts of everything: taken at most once a second for all open pages, kept when the database is away."""

from __future__ import annotations

import math
import threading
import time
import zlib
from dataclasses import dataclass, replace

from taskmanager import TaskManager
from taskmanager.domain.errors import StorageError
from taskmanager.storage import monitoring_snapshot
from taskmanager.storage.monitoring_snapshot import Snapshot

_FRESH_SECONDS = 1.0
_PATIENCE_SECONDS = 1.0
#: States are counted again so often, also where no job has changed its state: rows may be deleted.
_COUNTED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot and its age in seconds; `stale` when a newer one could not be had."""

    snapshot: Snapshot
    age: float
    stale: bool = False

    @property
    def change(self) -> str:
        """Changes whenever a job changes its state, or somebody changes anything."""
        return f"{self.snapshot.revision}.{self.snapshot.changes}"

    @property
    def revision(self) -> str:
        """Changes whenever anything that the pages show of it changes."""
        text = repr((self.change, sorted(self.snapshot.counts.items())))
        return f"{zlib.crc32(text.encode()):08x}"


class Snapshots:
    """Whoever asks first takes the new one; the others wait for it (single flight)."""

    def __init__(self, tm: TaskManager) -> None:
        self._tm = tm
        self._lock = threading.Lock()
        self._last: Snapshot | None = None
        self._taken = 0.0
        #: When the jobs in each state were last counted, whatever was known of them.
        self._counted = -math.inf
        #: When one was asked for last, and whether it was had: with the database away, all wait for one try a second.
        self._tried = -math.inf
        self._is_stale = False

    def get(self) -> Seen | None:
        """The newest; None when there never was one."""
        with self._lock:
            if time.monotonic() - self._tried >= _FRESH_SECONDS:
                try:
                    self._last = self._take()
                    self._taken = time.monotonic()
                    self._is_stale = False
                except StorageError:
                    self._is_stale = True
                self._tried = time.monotonic()
            return self._seen(self._is_stale)

    def last(self) -> Seen | None:
        """What was seen last, however old."""
        return self._seen(True)

    def _take(self) -> Snapshot:
        before, now = self._last, time.monotonic()
        if before is not None and now - self._counted >= _COUNTED_SECONDS:
            before, self._counted = replace(before, settled=False), now
        return self._tm.database.read(lambda tx: monitoring_snapshot.take(tx, before), patience=_PATIENCE_SECONDS)

    def _seen(self, stale: bool) -> Seen | None:
        return None if self._last is None else Seen(self._last, time.monotonic() - self._taken, stale)
