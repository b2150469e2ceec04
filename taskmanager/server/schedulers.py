"""Clocks: delayed jobs go to their queues when due, recurring ones are fired. Any number of each may run."""

from __future__ import annotations

import logging

from taskmanager.domain import times
from taskmanager.domain.states import Enqueued
from taskmanager.engine.legacy_served import ServedJobs
from taskmanager.engine.recurring import RecurringJobs
from taskmanager.engine.transitions import SCHEDULE, Change, Transitions, job_of
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
        moved = self.database.run(self._move, patience=5)
        return 0.0 if moved >= _BATCH else _REST_SECONDS

    def _move(self, tx: Tx) -> int:
        """The jobs are locked first, as everywhere; what another scheduler moves at this moment is passed by."""
        rows = structures.due(tx, SCHEDULE, times.to_unix(tx.now()), _BATCH)
        due = {row_id: job_of(member) for row_id, member, _ in rows}
        reason = "Triggered by DelayedJobScheduler"
        changes = [Change(j, Enqueued(queue="", reason=reason), _SCHEDULED) for j in due.values() if j is not None]
        if not rows:
            return 0
        answers = self.transitions.apply(tx, changes, skip_locked=True)
        # A refusal may mean that another scheduler holds the job; look before calling the member poisoned.
        states = jobs.current_states(tx, [a.job_id for a in answers if a.refused])
        gone = {a.job_id for a in answers if a.refused and states.get(a.job_id, (None, None))[0] != "Scheduled"}
        structures.remove_rows(tx, [row_id for row_id, job in due.items() if job is None or job in gone])
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
    """Looks at c_Job: an edit by SQL is noticed within a second, whoever made it and how."""

    name = "legacy-scheduler"

    def __init__(self, legacy: ServedJobs) -> None:
        super().__init__()
        self.legacy = legacy

    def tick(self) -> float:
        return self.legacy.look()
