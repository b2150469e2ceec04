"""Clocks: delayed jobs go to their queues when due, recurring ones are fired. Any number of each may run."""

from __future__ import annotations

import logging
from collections.abc import Callable

from taskmanager.domain import times
from taskmanager.domain.states import Enqueued
from taskmanager.engine.entering import SCHEDULE, job_of
from taskmanager.engine.legacy_served import ServedJobs
from taskmanager.engine.recurring import RecurringJobs
from taskmanager.engine.transitions import Change, Transitions
from taskmanager.server.process import Process
from taskmanager.storage import jobs, structures
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.scheduler")

_BATCH = 1000
#: The pulse rings when something is due; this is for the case that it does not.
_REST_SECONDS = 15.0
_SCHEDULED = frozenset({"Scheduled"})


class DelayedScheduler(Process):
    """Moves due members of set `schedule` to Enqueued, in batches."""

    name = "delayed-scheduler"

    def __init__(self, database: Database, transitions: Transitions) -> None:
        super().__init__()
        self.database = database
        self.transitions = transitions

    def tick(self) -> float:
        if not self.database.read(lambda tx: structures.is_due(tx, SCHEDULE, times.to_unix(tx.now())), patience=5):
            return _REST_SECONDS
        moved = self.database.run(self._move, patience=5)
        return 0.0 if moved >= _BATCH else _REST_SECONDS

    def _move(self, tx: Tx) -> int:
        """The jobs are locked first, as everywhere; what somebody else changes at this moment is passed by."""
        now = times.to_unix(tx.now())
        seen = {job_of(member) for _, member, _ in structures.due(tx, SCHEDULE, now, _BATCH)}
        if not seen:
            return 0
        locked = jobs.lock(tx, [job for job in seen if job is not None], skip_locked=True)
        there = jobs.current_states(tx, [job for job in seen if job is not None])
        # Of what is locked now some may have been moved to another moment since it was seen.
        due = {row_id: job_of(member) for row_id, member, _ in structures.due(tx, SCHEDULE, now, _BATCH)}
        reason = "Triggered by DelayedJobScheduler"
        ours = [job for job in due.values() if job is not None and job in locked]
        answers = self.transitions.apply(tx, [Change(j, Enqueued(queue="", reason=reason), _SCHEDULED) for j in ours])
        gone = {a.job_id for a in answers if a.refused} | {job for job in seen if job not in there}
        structures.remove_rows(tx, [row_id for row_id, job in due.items() if job in gone])
        return sum(1 for a in answers if a)


class RecurringScheduler(Process):
    """Fires due recurring jobs."""

    name = "recurring-scheduler"

    def __init__(self, recurring: RecurringJobs) -> None:
        super().__init__()
        self.recurring = recurring

    def tick(self) -> float:
        return 0.0 if self.recurring.fire_due() >= 500 else _REST_SECONDS


class LegacyScheduler(Process):
    """Looks at c_Job: an edit by SQL is noticed within a second, whoever made it and how.

    stretch: by how much the looks may be farther apart, where other servers look, too.
    """

    name = "legacy-scheduler"

    def __init__(self, legacy: ServedJobs, stretch: Callable[[], float] = lambda: 1.0) -> None:
        super().__init__()
        self.legacy, self._stretch = legacy, stretch

    def tick(self) -> float:
        return self.legacy.look(self._stretch())
