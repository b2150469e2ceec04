"""Recurring jobs: defined, fired when due, triggered, paused. Job and next time commit together."""

from __future__ import annotations

import difflib
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from taskmanager.domain import cron as crons
from taskmanager.domain import invocation as invocations
from taskmanager.domain import times
from taskmanager.domain.cron import Misfire
from taskmanager.domain.errors import (
    AmbiguousJob,
    CreationCancelled,
    InvalidArgument,
    InvalidCron,
    RecurringJobNotFound,
    StorageError,
)
from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.domain.records import RecurringRecord
from taskmanager.domain.states import Enqueued
from taskmanager.engine.client import Client, NewJob, check_queue, new_key
from taskmanager.engine.defining import Defining, must
from taskmanager.engine.history import TRIGGERED_BY
from taskmanager.engine.legacy import LegacyJobs, row_of
from taskmanager.engine.performer import text_of
from taskmanager.storage import recurring, recurring_runs
from taskmanager.storage.database import DatabaseError
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.recurring")


class RecurringJobs(Defining):
    """The verbs. precision_seconds: how old a slot may be for misfire `ignorable`."""

    def __init__(self, client: Client, *, precision_seconds: float = 2.0) -> None:
        super().__init__(client)
        self.precision_seconds = precision_seconds
        #: The rows of c_Job, when they are served: recurring jobs too, named `c_job:{ID}`.
        self.legacy: LegacyJobs | None = None
        #: Told of each slot that is dealt with, and when; it may say that it was missed.
        self.fired: Callable[[Tx, RecurringRecord, datetime], None] = lambda tx, known, now: None

    def remove(self, recurring_id: str, *, keep_pause: bool = False) -> bool:
        """Delete a recurring job; whether there was one. A pause is forgotten with it.

        keep_pause: what was paused stays so: it comes back paused, should it be restored.
        """
        if (row := self._row(recurring_id)) is not None:
            return row[0].remove(row[1])

        def work(tx: Tx) -> bool:
            if not keep_pause:
                recurring.set_paused(tx, recurring_id, False)
            recurring_runs.forget(tx, recurring_id)
            return recurring.remove(tx, recurring_id)

        return self.database.run(work)

    def pause(self, recurring_id: str) -> None:
        """Keep the job and its cron, but never fire. Raises RecurringJobNotFound."""
        if (row := self._row(recurring_id)) is not None:
            row[0].switch(row[1], False)
            return

        def work(tx: Tx) -> None:
            must(recurring.load(tx, recurring_id, lock=True), recurring_id)
            recurring.set_paused(tx, recurring_id, True)
            recurring.save(tx, recurring_id, {}, None)

        self.database.run(work)

    def resume(self, recurring_id: str) -> None:
        """Fire again, from the next slot on. Raises RecurringJobNotFound."""
        if (row := self._row(recurring_id)) is not None:
            row[0].switch(row[1], True)
            return

        def work(tx: Tx) -> None:
            known = must(recurring.load(tx, recurring_id, lock=True), recurring_id)
            recurring.set_paused(tx, recurring_id, False)
            parsed = crons.parse(known.cron, known.time_zone, known.days_and)
            # A strict job does not owe the slots of its pause.
            fields = {"LastExecution": times.to_iso(tx.now()), "Error": ""}
            recurring.save(tx, recurring_id, fields, parsed.next_after(tx.now()))

        self.database.run(work)

    def trigger(self, recurring_id: str, *, by: str = "Manual", key: str | None = None) -> int:
        """Run it now, once, paused or not; its schedule goes on as it was. Raises RecurringJobNotFound."""
        if (row := self._row(recurring_id)) is not None:
            return row[0].trigger(row[1], by=by, key=key)

        once = key or new_key()

        def work(tx: Tx) -> list[int]:
            known = must(recurring.load(tx, recurring_id, lock=True), recurring_id)
            reason = "Triggered using recurring job manager"
            job_id = self._create(tx, known, tx.now(), reason, {TRIGGERED_BY: json.dumps(by)}, once)
            fields: dict[str, str | None] = {"LastJobId": str(job_id)}
            recurring.save(tx, recurring_id, fields, known.next_execution)
            return [job_id]

        return self.client.run_once(once, work, asked_before=key is not None)[0]

    def all(self) -> list[RecurringRecord]:
        """All recurring jobs, by id; after them the rows of c_Job."""
        return self.database.read(recurring.load_all) + self.rows()

    def rows(self) -> list[RecurringRecord]:
        """The rows of c_Job among them, where they are served."""
        return self.legacy.all() if self.legacy is not None else []

    def find(self, lookup: str) -> RecurringRecord:
        """The recurring job that people mean: by id, JobName, or name of its function or class, in any case.

        Raises RecurringJobNotFound that names similar ones, or AmbiguousJob that lists the matches.
        """
        known = self.all()
        exact = next((r for r in known if r.id == lookup), None)
        if exact is not None:
            return exact
        wanted = lookup.strip().lower()
        matches = [r for r in known if wanted in _names_of(r)]
        if len(matches) > 1:
            raise AmbiguousJob(f"{lookup!r} may be {', '.join(r.id for r in matches)}: use the id")
        if not matches:
            close = difflib.get_close_matches(wanted, [n for r in known for n in _names_of(r)], 1)
            similar = next((f"; did you mean {r.id!r}?" for r in known if close and close[0] in _names_of(r)), "")
            raise RecurringJobNotFound(f"there is no recurring job {lookup!r}{similar}")
        return matches[0]

    def _row(self, recurring_id: str) -> tuple[LegacyJobs, int] | None:
        """The row of c_Job that an id names."""
        row_id = row_of(recurring_id)
        return None if row_id is None or self.legacy is None else (self.legacy, row_id)

    def fire_due(self, *, limit: int = 500) -> int:
        """Create the jobs of all due slots; returns how many recurring jobs were dealt with."""
        return self.database.run(lambda tx: self._fire_due_in(tx, limit))

    def _fire_due_in(self, tx: Tx, limit: int) -> int:
        now = tx.now()
        found = recurring.load_due(tx, now, limit)
        for recurring_id, known in found:
            if known is None:
                recurring.remove(tx, recurring_id)
            else:
                self._fire(tx, known, now)
        return len(found)

    def _fire(self, tx: Tx, known: RecurringRecord, now: datetime) -> None:
        try:
            with tx.part():
                self._fire_slots(tx, known, now)
        except (InvalidCron, InvocationUnreadable, InvalidArgument) as error:
            log.error("recurring job %s cannot be fired: %s", known.id, error)
            recurring.save(tx, known.id, {"Error": str(error)}, None)
        except (DatabaseError, StorageError):
            raise
        except Exception as error:  # a filter's: it stops none of the others, and this one comes again at its next slot
            log.exception("recurring job %s could not be fired", known.id)
            cron = crons.parse(known.cron, known.time_zone, known.days_and)
            recurring.save(tx, known.id, {"Error": text_of(error)}, cron.next_after(now))

    def _fire_slots(self, tx: Tx, known: RecurringRecord, now: datetime) -> None:
        cron = crons.parse(known.cron, known.time_zone, known.days_and)
        invocations.read(known.job)
        check_queue(known.queue)
        last = known.last_execution or (known.created_at or known.next_execution or now) - timedelta(seconds=1)
        misfire = Misfire(known.misfire) if known.misfire in (0, 1, 2) else Misfire.RELAXED
        due = crons.due_slots(cron, last=last, now=now, misfire=misfire, precision_seconds=self.precision_seconds)
        job_id = known.last_job_id
        for slot in due.slots:
            try:
                job_id = self._create(tx, known, slot, "Triggered by recurring job scheduler", {}, new_key())
            except CreationCancelled as error:
                log.info("recurring job %s: %s", known.id, error)
        fields = {"LastExecution": times.to_iso(due.resume_after), "LastJobId": str(job_id or ""), "Error": ""}
        recurring.save(tx, known.id, fields, due.next)
        self.fired(tx, known, now)

    def _create(
        self, tx: Tx, known: RecurringRecord, slot: datetime, reason: str, parameters: dict[str, str], key: str
    ) -> int:
        new = NewJob(
            invocations.read(known.job),
            Enqueued(queue=known.queue, priority=known.priority, reason=reason),
            known.queue,
            known.priority,
            parameters=parameters | {"RecurringJobId": json.dumps(known.id), "Time": str(int(times.to_unix(slot)))},
        )
        ids = self.client.create_in(tx, [new], key)
        if not ids:
            raise CreationCancelled(f"a filter does not let {known.id} be created")
        return ids[0]

    def mark_orphans(
        self, known_in_code: set[str], is_ours: Callable[[str], bool], is_known: Callable[[str], bool]
    ) -> list[str]:
        """Mark recurring jobs that have left the code; they are reported, never deleted.

        is_ours: whether a module is discovered here; what others discover is for them to judge.
        """

        def work(tx: Tx) -> list[str]:
            orphans = []
            for record in recurring.load_all(tx):
                name = _name_of(record)
                if not is_ours(name.partition(":")[0]):
                    continue
                gone = record.id not in known_in_code and (record.from_code or not is_known(name))
                if gone != record.orphaned and (now := recurring.load(tx, record.id, lock=True)) is not None:
                    recurring.save(tx, record.id, {"Orphaned": str(int(gone))}, now.next_execution)
                if gone:
                    orphans.append(record.id)
            return orphans

        return self.database.run(work)


def _name_of(record: RecurringRecord) -> str:
    try:
        return invocations.read(record.job).name
    except InvocationUnreadable:
        return ""


def _names_of(record: RecurringRecord) -> list[str]:
    """The names people may use, in small letters. Rows of c_Job all call the same function, which names none."""
    if row_of(record.id) is not None:
        names = [record.id, record.name or ""]
    else:
        function = _name_of(record)
        method = function.partition(":")[2]
        names = [record.id, function, method, method.rpartition(".")[2]]
    return [n.lower() for n in names if n]
