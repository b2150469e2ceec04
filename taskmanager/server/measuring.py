"""What the jobs of this process came to, added up in memory and written down each few seconds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from taskmanager.domain.errors import StorageError
from taskmanager.domain.rollups import LATENCY, LENGTH, QUEUE, STEPS, TYPE, Figures, step_of
from taskmanager.domain.states import Deleted, Failed, Succeeded
from taskmanager.engine.transitions import Applied, Change
from taskmanager.server.process import Process
from taskmanager.storage import monitoring_queues, rollups
from taskmanager.storage.database import Database

log = logging.getLogger("taskmanager.measuring")

#: A process that is killed loses the figures of so long, not its jobs.
_FLUSH_SECONDS = 10.0
_ENDS = (Succeeded, Failed, Deleted)
#: So many sums wait for a database that does not take them; then new ones are dropped.
_MOST = 20_000
_MINUTE = timedelta(minutes=1)


class Measures:
    """Sums of runs whose outcomes were written, by minute, type and queue. Adding a run takes three microseconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[tuple[datetime, str, str], list[int]] = {}
        self._minute = self._next_minute = datetime.min

    def record(self, changes: Sequence[Change], answers: Sequence[Applied]) -> None:
        """Add the runs of a batch that were written."""
        with self._lock:
            for change, answer in zip(changes, answers, strict=True):
                if answer and change.run is not None and isinstance(change.to, _ENDS):
                    self._add(change)

    def take(self) -> dict[tuple[datetime, str, str], Figures]:
        """All sums since the last time."""
        with self._lock:
            taken, self._sums = self._sums, {}
        return {p: Figures(r[0], r[1], r[2], r[3], r[4], r[5], tuple(r[6:])) for p, r in taken.items()}

    def put_back(self, sums: rollups.Sums) -> None:
        """Sums that could not be written."""
        with self._lock:
            for place, one in sums.items():
                row = self._row(place)
                if row is not None:
                    added = [one.count, one.failed, one.ms, one.waited, one.waits, one.longest, *one.steps]
                    longest = max(row[5], one.longest)
                    row[:] = [a + b for a, b in zip(row, added, strict=True)]
                    row[5] = longest

    def _row(self, place: tuple[datetime, str, str]) -> list[int] | None:
        row = self._sums.get(place)
        if row is None and len(self._sums) < _MOST:
            row = self._sums[place] = [0] * (6 + STEPS)
        return row

    def _minute_of(self, at: datetime) -> datetime:
        """The beginning of a moment's minute: the same object for all, whose hash is computed once."""
        if not self._minute <= at < self._next_minute:
            self._minute = at.replace(second=0, microsecond=0)
            self._next_minute = self._minute + _MINUTE
        return self._minute

    def _add(self, change: Change) -> None:
        run, claim = change.run, change.claim
        if run is None or claim is None or change.definition is None:
            return
        minute, ms = self._minute_of(run.ended_at), max(0, run.duration_ms)
        failed, step = isinstance(change.to, Failed), 6 + step_of(ms)
        waited = None
        if run.attempt == 1 and claim.created_at is not None:
            waited = max(0, int((run.started_at - claim.created_at).total_seconds() * 1000))
        for kind, key in ((TYPE, change.definition.name), (QUEUE, claim.queue)):
            row = self._row((minute, kind, key))
            if row is None:
                continue
            row[0] += 1
            row[1] += failed
            row[2] += ms
            row[step] += 1
            if waited is not None:
                row[3] += waited
                row[4] += 1
            if ms > row[5]:
                row[5] = ms


class Measurer(Process):
    """Writes the sums of this process down; idle it sends nothing."""

    name = "measurer"

    def __init__(self, database: Database, measures: Measures) -> None:
        super().__init__()
        self.database, self.measures = database, measures

    def tick(self) -> float:
        self.flush()
        return _FLUSH_SECONDS

    def flush(self) -> int:
        """Write what there is; how many sums. What the database does not take waits for the next time."""
        sums = self.measures.take()
        if not sums:
            return 0
        try:
            self.database.run(lambda tx: rollups.add(tx, sums), patience=_FLUSH_SECONDS)
        except BaseException:
            self.measures.put_back(sums)
            raise
        return len(sums)

    def close(self) -> None:
        try:
            self.flush()
        except StorageError as error:
            log.warning("the figures of the last seconds are lost: %s", error)


class Sampler(Process):
    """One of all servers looks once a minute at what waits in the queues, and deletes old figures."""

    name = "sampler"

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    def tick(self) -> float:
        minute = self.database.run(rollups.begin_minute)
        if minute is not None:
            self._sample(minute)
            while self.database.run(rollups.expire):
                if self.alarm.wait(0.2):
                    break
        now = self.database.clock.now()
        return 60.0 - now.second - now.microsecond / 1e6 + 0.5 + (time.monotonic() % 1) * 3

    def _sample(self, minute: datetime) -> None:
        seen, now = self.database.read(monitoring_queues.overview), self.database.clock.now()
        sums: dict[tuple[datetime, str, str], Figures] = {}
        for one in seen:
            waits = one.waiting_since
            latency = 0 if waits is None else max(0, int((now - waits).total_seconds() * 1000))
            sums[minute, LENGTH, one.name] = Figures(count=1, ms=one.waiting, longest=one.waiting)
            sums[minute, LATENCY, one.name] = Figures(count=1, ms=latency, longest=latency)
        if sums:
            self.database.run(lambda tx: rollups.add(tx, sums))
