"""The counts of everything: taken at most once a second for all open pages, kept when the database is away."""

from __future__ import annotations

import math
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from taskmanager import TaskManager
from taskmanager.domain.errors import StorageError
from taskmanager.storage import legacy, legacy_shape, monitoring_narrowed, monitoring_snapshot
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.monitoring_narrowed import Narrowed
from taskmanager.storage.monitoring_snapshot import Snapshot
from taskmanager.storage.transaction import Tx
from webui import topics

_FRESH_SECONDS = 1.0
_PATIENCE_SECONDS = 1.0
#: States are counted again so often, also where no job has changed its state: rows may be deleted.
_COUNTED_SECONDS = 10.0
#: Counting the jobs of some queues looks at many: it takes at most this share of the time.
_SHARE = 1 / 20


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot and its age in seconds; `stale` when a newer one could not be had.

    narrowed: the counts of a dashboard of some queues, which shows no others.
    """

    snapshot: Snapshot
    age: float
    stale: bool = False
    topics: Mapping[str, str] = field(default_factory=dict)
    narrowed: Narrowed | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """The counts that are shown, those that are capped as `is_capped` says."""
        return self.snapshot.counts if self.narrowed is None else self.narrowed.counts

    def is_capped(self, name: str) -> bool:
        """Whether there are more than were counted."""
        return self.snapshot.is_capped(name) if self.narrowed is None else name in self.narrowed.more

    @property
    def revision(self) -> str:
        """Changes whenever anything that the pages show of it changes."""
        text = repr((sorted(self.counts.items()), sorted(self.topics.items())))
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
        self._topics: Mapping[str, str] = {}
        #: A digest of the rows of c_Job, which people edit by SQL, and when it was read.
        self._rows = 0
        self._rows_read = -math.inf
        #: The counts of a dashboard of some queues, and from when on they may be taken anew.
        self._narrowed: Narrowed | None = None
        self._narrowed_next = -math.inf

    def get(self, *, rows: bool = False) -> Seen | None:
        """The newest; None when there never was one. rows: look after the rows of c_Job as well, now and then."""
        with self._lock:
            if time.monotonic() - self._tried >= _FRESH_SECONDS:
                try:
                    self._last = self._take(rows)
                    self._topics = topics.revisions(self._last, self._rows)
                    self._taken = time.monotonic()
                    self._is_stale = False
                except StorageError:
                    self._is_stale = True
                self._tried = time.monotonic()
            return self._seen(self._is_stale)

    def last(self) -> Seen | None:
        """What was seen last, however old."""
        return self._seen(True)

    def _take(self, rows: bool) -> Snapshot:
        before, now = self._last, time.monotonic()
        if before is not None and now - self._counted >= _COUNTED_SECONDS:
            before, self._counted = replace(before, settled=False), now
        is_due = rows and now - self._rows_read >= _COUNTED_SECONDS and self._has_rows()

        def work(tx: Tx) -> tuple[Snapshot, int]:
            taken = self._counted_in(tx, before)
            return taken, _digest_of_rows(tx) if is_due else self._rows

        taken, self._rows = self._tm.database.read(work, patience=_PATIENCE_SECONDS)
        self._rows_read = now if is_due else self._rows_read
        return taken

    def _counted_in(self, tx: Tx, before: Snapshot | None) -> Snapshot:
        """With what is of the queues that are shown, unless that was done not long ago for what it takes."""
        settings, started = self._tm.settings, time.monotonic()
        if not settings.web_queues or started < self._narrowed_next:
            return monitoring_snapshot.take(tx, before)
        taken, self._narrowed = monitoring_narrowed.take(tx, before, settings.web_queues, figures=settings.metrics)
        ended = time.monotonic()
        self._narrowed_next = ended + (ended - started) / _SHARE
        return taken

    def _has_rows(self) -> bool:
        known = legacy_shape.known(self._tm.database.prepared)
        return known is not None and known.job is Shape.SPECIFICATION

    def _seen(self, stale: bool) -> Seen | None:
        if self._last is None:
            return None
        if self._tm.settings.web_queues and self._narrowed is None:
            return None
        return Seen(self._last, time.monotonic() - self._taken, stale, self._topics, self._narrowed)


def _digest_of_rows(tx: Tx) -> int:
    glance = legacy.glance(tx)
    return zlib.crc32(repr((glance.digest, glance.earliest)).encode())
