"""Groups of failed jobs, and the order of retries, are put right where another hand than ours changed jobs."""

from __future__ import annotations

import time

from taskmanager.engine.entering import RETRIES, SCHEDULE
from taskmanager.server.process import Process
from taskmanager.storage import failures, retry_rows
from taskmanager.storage.database import Database

_BATCH = 1000
#: A round through all failed jobs is begun again after so long, by one process.
_ROUND_SECONDS = 600.0
#: Who has begun a round and is not heard of for so long has died: another begins anew.
_LOST_SECONDS = 120.0
#: Between two batches: so long at least, and so many times as long as the batch took. Failed jobs are never expired,
#: and where they lie on the disk a batch reads two thousand pages.
_PAUSE_SECONDS, _PAUSE_TIMES, _LONGEST_PAUSE_SECONDS = 0.5, 20.0, 30.0
#: How often retries are looked for that have no time.
_RETRY_SECONDS = 60.0


class FailureKeeper(Process):
    """Puts groups of failed jobs right where jobs entered or left Failed by another hand than ours, and retries in the
    order of when they are due where .NET or an older version wrote them.

    Of all processes one does a round, so that what it costs does not grow with their number.
    """

    name = "failure-keeper"

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self._is_amid = False
        self._members: tuple[str, str] | None = ("", "")
        self._failed: int | None = 0

    def tick(self) -> float:
        dated = self.database.run(lambda tx: retry_rows.date(tx, RETRIES, SCHEDULE, _BATCH))
        held = self._is_amid
        if not self.database.run(lambda tx: failures.take_round(tx, held=held, rest=_LOST_SECONDS)):
            return _PAUSE_SECONDS if dated >= _BATCH else _RETRY_SECONDS
        self._is_amid, started = True, time.monotonic()
        self._go_on()
        if self._members is None and self._failed is None:
            self._end()
            return _RETRY_SECONDS
        taken = time.monotonic() - started
        return min(max(_PAUSE_SECONDS, _PAUSE_TIMES * taken), _LONGEST_PAUSE_SECONDS)

    def _go_on(self) -> None:
        """The next members of groups, and the next failed jobs."""
        if self._members is not None:
            at = self._members
            self._members = self.database.run(lambda tx: failures.prune_behind(tx, at, _BATCH))
        if self._failed is not None:
            after = self._failed
            self._failed = self.database.run(lambda tx: failures.adopt(tx, after, _BATCH))

    def _end(self) -> None:
        self.database.run(failures.drop_empty)
        self.database.run(lambda tx: failures.take_round(tx, held=True, rest=_ROUND_SECONDS))
        self._is_amid, self._members, self._failed = False, ("", ""), 0
