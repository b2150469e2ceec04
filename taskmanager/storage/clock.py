"""The database's clock, kept as an offset to this process's monotonic clock so that asking it costs nothing."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from taskmanager.domain.times import utcnow


class Clock:
    """UTC by the database server. Hosts may be minutes off and leave no trace; the host's own clock may jump."""

    #: Seconds after which a reading is too old to be trusted without a new one.
    MAX_AGE_SECONDS = 20.0

    def __init__(self) -> None:
        #: The last reading, and when it was taken: one value, so that no thread sees half of a new one.
        self._reading = (utcnow(), time.monotonic())
        self._local = timedelta(0)
        self._known = False
        self._shift = timedelta(0)

    def now(self) -> datetime:
        """Naive UTC now, by the database."""
        base, at = self._reading
        return base + timedelta(0, time.monotonic() - at) + self._shift

    @property
    def offset(self) -> timedelta:
        """By how much the server's wall clock is ahead of UTC today."""
        return self._local

    def local_now(self) -> datetime:
        """The database server's wall clock, in whole seconds, as c_* columns hold it."""
        return (self.now() + self._local).replace(microsecond=0)

    def to_local(self, moment: datetime) -> datetime:
        """A UTC moment on the server's wall clock, in whole seconds, by today's offset."""
        return (moment + self._local).replace(microsecond=0)

    def to_utc(self, moment: datetime) -> datetime:
        """A moment of the server's wall clock in UTC, by today's offset."""
        return moment - self._local

    def set(self, now: datetime, local_offset_seconds: float = 0.0, *, asked: float | None = None) -> None:
        """Take a reading of the server's clock.

        asked: `time.monotonic()` just before it was asked for. The server read its clock between that and now, so what
        was long on its way tells little: it moves our clock no further than it must. Otherwise the clocks of processes
        on a busy machine would be as far apart as their answers were slow. Ours may be behind, but not ahead: nothing
        is taken for due too early.
        """
        at = time.monotonic()
        way = timedelta(seconds=0.0 if asked is None else max(0.0, at - asked))
        base, since = self._reading
        guess = base + timedelta(seconds=at - since) if self._known else now
        self._reading = (min(max(guess, now), now + way), at)
        self._local = timedelta(seconds=round(local_offset_seconds / 60) * 60)
        self._known = True

    @property
    def stale(self) -> bool:
        """Whether a reading is due."""
        return not self._known or time.monotonic() - self._reading[1] > self.MAX_AGE_SECONDS

    def shift(self, by: timedelta) -> None:
        """Move time, for tests of users (`tm.testing`)."""
        self._shift += by
