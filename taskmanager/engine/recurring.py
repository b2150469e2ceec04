"""Recurring jobs: listed, found, fired when due. Job and next time commit together."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from taskmanager.domain.records import Pause, RecurringRecord
from taskmanager.engine import moving
from taskmanager.engine.client import Client, check_queue, new_key
from taskmanager.engine.defining import must
from taskmanager.engine.legacy import row_of
from taskmanager.engine.legacy_schedule import PREFIX
from taskmanager.engine.performer import text_of
from taskmanager.engine.recurring_verbs import RecurringVerbs, owed_since
from taskmanager.storage import job_pauses, queue_pauses, recurring
from taskmanager.storage.database import DatabaseError
from taskmanager.storage.monitoring_recurring import Glance
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.recurring")

#: When a row of c_Job that somebody holds is looked at again.
_HELD = timedelta(seconds=5)
#: Recurring jobs that are marked in one transaction.
_BATCH = 100


class RecurringJobs(RecurringVerbs):
    """The verbs, the list, and the schedule. precision_seconds: how old a slot may be for misfire `ignorable`."""

    def __init__(self, client: Client, *, precision_seconds: float = 2.0) -> None:
        super().__init__(client)
        self.precision_seconds = precision_seconds
        #: Told of each slot that is dealt with, and when; it may say that it was missed.
        self.fired: Callable[[Tx, RecurringRecord, datetime], None] = lambda tx, known, now: None
        #: Told of each job whose pause has ended by itself.
        self.resumed: Callable[[Tx, str, Pause], None] = lambda tx, recurring_id, pause: None

    def all(self) -> list[RecurringRecord]:
        """All recurring jobs, by id; after them the rows of c_Job."""
        found, pauses = self.database.read(recurring.load_all_with)
        return found + self.rows(pauses)

    def page(self, limit: int, after: str | None = None) -> tuple[list[RecurringRecord], str | None]:
        """Some of them in the order of `all`, and the id after which the next page begins; None at the end."""
        found: list[RecurringRecord] = []
        number = row_of(after or "")
        if number is None:
            found, following = self.database.read(lambda tx: recurring.page_after(tx, after or "", limit))
            if following is not None:
                return found, following
        rows, more = self.database.read(lambda tx: self._rows_after(tx, number, limit - len(found)))
        page = found + rows
        return page, page[-1].id if more and page else None

    def _rows_after(self, tx: Tx, number: int | None, limit: int) -> tuple[list[RecurringRecord], bool]:
        """Rows of c_Job by ID, those behind a number, and whether there are more."""
        ids = sorted(g.row for g in self.row_glances(tx) if g.row is not None and (number is None or g.row > number))
        found = {r.id: r for r in recurring.with_pauses(tx, self.some_rows(tx, ids[:limit]))}
        return [found[f"{PREFIX}{i}"] for i in ids[:limit] if f"{PREFIX}{i}" in found], len(ids) > limit

    def by_name(self, also: Sequence[str] = ()) -> list[RecurringRecord]:
        """Those that are jobs by a name of their own: what rows of c_Job have become, and after them these rows.

        also: ids of others that are wanted.
        """

        def work(tx: Tx) -> list[RecurringRecord]:
            ids = [i for i, job in recurring.calls(tx) if i in also or moving.procedure_in(job) is not None]
            return recurring.load_these(tx, sorted(ids), recurring.paused_among(tx, ids))

        return self.database.read(work) + self.rows()

    def get(self, recurring_id: str) -> RecurringRecord:
        """One of them by its id, to the letter. Raises RecurringJobNotFound."""
        return must(self.database.read(lambda tx: self.load_in(tx, recurring_id)), recurring_id)

    def load_in(self, tx: Tx, recurring_id: str) -> RecurringRecord | None:
        """The same in a transaction at hand; None when there is none."""
        row = row_of(recurring_id)
        if row is None:
            return recurring.load(tx, recurring_id)
        found = recurring.with_pauses(tx, self.some_rows(tx, [row]))
        return next((one for one in found if one.id == recurring_id), None)

    def row_glances(self, tx: Tx, *, moments: bool = False, texts: bool = False) -> list[Glance]:
        """All rows of c_Job, where they are served, as lists look at them, in no order.

        moments: with when they are due and ran last; texts: with names and calls.
        """
        return self.legacy.glances_in(tx, moments=moments, texts=texts) if self.legacy is not None else []

    def some_rows(self, tx: Tx, ids: Iterable[int]) -> list[RecurringRecord]:
        """Those of these rows of c_Job that there are, where they are served; without what is known of pauses."""
        wanted = list(ids)
        return self.legacy.some_in(tx, wanted) if self.legacy is not None and wanted else []

    def rows(self, pauses: Mapping[str, Pause] | None = None) -> list[RecurringRecord]:
        """The rows of c_Job among them, where they are served. pauses: what is known of them, where it was read."""
        return self.legacy.all(pauses) if self.legacy is not None else []

    def find(self, lookup: str) -> RecurringRecord:
        """The recurring job that people mean: by id, JobName, or name of its function or class, in any case.

        Raises RecurringJobNotFound that names similar ones, or AmbiguousJob that lists the matches.
        """
        try:
            return self.get(lookup)
        except RecurringJobNotFound:
            names = self._names()
        wanted = lookup.strip().lower()
        matches = [i for i, own in names.items() if wanted in own]
        if len(matches) > 1:
            raise AmbiguousJob(f"{lookup!r} may be {', '.join(matches)}: use the id")
        if not matches:
            close = difflib.get_close_matches(wanted, {n for own in names.values() for n in own}, 1)
            similar = next((f"; did you mean {i!r}?" for i, own in names.items() if close and close[0] in own), "")
            raise RecurringJobNotFound(f"there is no recurring job {lookup!r}{similar}")
        return self.get(matches[0])

    def _names(self) -> dict[str, set[str]]:
        """The names that people may use for each, in small letters, without reading more of it."""
        known = {i: _names_of(i, _name_of(job)) for i, job in sorted(self.database.read(recurring.calls))}
        # Rows of c_Job all call the same function, which names none.
        return known | {r.id: {n.lower() for n in (r.id, r.name) if n} for r in self.rows()}

    def fire_due(self, *, limit: int = 500) -> int:
        """Create the jobs of all due slots; returns how many recurring jobs were dealt with."""
        return self.database.run(lambda tx: self._fire_due_in(tx, limit))

    def _fire_due_in(self, tx: Tx, limit: int) -> int:
        now = tx.now()
        if ended := queue_pauses.end_due(tx, now, limit):
            log.info("queues resume: their pause has ended: %s", ", ".join(ended))
            ring = tx.ring
            tx.after_commit(lambda: ring(set(ended)))
        if over := job_pauses.end_due(tx, now, limit):
            log.info("jobs resume: the pause of their type or tag has ended: %s", ", ".join(over))
        for recurring_id in recurring.ended_pauses(tx, now, limit):
            self._end_pause(tx, recurring_id, now)
        found = recurring.load_due(tx, now, limit)
        for recurring_id, known in found:
            if known is None:
                recurring.remove(tx, recurring_id)
            else:
                self._fire(tx, known, now)
        return len(found)

    def _end_pause(self, tx: Tx, recurring_id: str, now: datetime) -> None:
        """Let it fire again from the moment on that its pause was to end. What was due before is not made up for."""
        row = row_of(recurring_id)
        if row is not None and (self.legacy is None or not self.legacy.lock_free_in(tx, row)):
            recurring.put_off(tx, recurring_id, now + _HELD)
            return
        known = recurring.load(tx, recurring_id, lock=True) if row is None else None
        pause = recurring.pause_of(tx, recurring_id)
        if pause is None or pause.until is None or pause.until > now:
            return  # somebody else was quicker
        if row is not None and self.legacy is not None:
            self.legacy.switch_in(tx, row, True)
        recurring.set_paused(tx, recurring_id, None)
        if known is not None:
            self._plan(tx, known, pause.until)
        if known is not None or row is not None:
            log.info("recurring job %s resumes: its pause was until %s", recurring_id, pause.until)
            self.resumed(tx, recurring_id, pause)

    def _plan(self, tx: Tx, known: RecurringRecord, since: datetime) -> None:
        fields = {"ResumedAt": times.to_iso(since), "Error": ""}
        try:
            following = crons.parse(known.cron, known.time_zone, known.days_and).next_after(since)
        except InvalidCron as error:
            log.error("recurring job %s cannot be fired: %s", known.id, error)
            fields["Error"], following = str(error), None
        recurring.save(tx, known.id, fields, following)

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
        misfire = Misfire(known.misfire) if known.misfire in (0, 1, 2) else Misfire.RELAXED
        due = crons.due_slots(
            cron, last=owed_since(known), now=now, misfire=misfire, precision_seconds=self.precision_seconds
        )
        job_id = known.last_job_id
        for slot in due.slots:
            try:
                job_id = self._create(tx, known, slot, "Triggered by recurring job scheduler", {}, new_key())
            except CreationCancelled as error:
                log.info("recurring job %s: %s", known.id, error)
        # Once it has been resumed, "last run" stays what it is until there is one.
        seen = "LastExecution" if due.slots or known.resumed_at is None else "ResumedAt"
        fields = {seen: times.to_iso(due.resume_after), "LastJobId": str(job_id or ""), "Error": ""}
        recurring.save(tx, known.id, fields, due.next)
        self.fired(tx, known, now)

    def mark_orphans(
        self, known_in_code: set[str], is_ours: Callable[[str], bool], is_known: Callable[[str], bool]
    ) -> list[str]:
        """Mark recurring jobs that have left the code; they are reported, never deleted.

        is_ours: whether a module is discovered here; what others discover is for them to judge.
        """

        def is_gone(record: RecurringRecord, name: str) -> bool:
            return record.id not in known_in_code and (record.from_code or not is_known(name))

        found = [(r, _name_of(r.job)) for r in self.database.read(recurring.load_all)]
        gone = {r.id: is_gone(r, name) for r, name in found if is_ours(name.partition(":")[0])}
        changed = [r.id for r, _ in found if gone.get(r.id, r.orphaned) != r.orphaned]

        def work(tx: Tx, ids: Sequence[str]) -> None:
            for recurring_id in ids:
                now = recurring.load(tx, recurring_id, lock=True)
                if now is not None:
                    recurring.save(tx, recurring_id, {"Orphaned": str(int(gone[recurring_id]))}, now.next_execution)

        for start in range(0, len(changed), _BATCH):
            part = changed[start : start + _BATCH]
            self.database.run(lambda tx, part=part: work(tx, part))  # type: ignore[misc]
        return [recurring_id for recurring_id, is_one in gone.items() if is_one]


def _name_of(job: str) -> str:
    try:
        return invocations.read(job).name
    except InvocationUnreadable:
        return ""


def _names_of(recurring_id: str, function: str) -> set[str]:
    method = function.partition(":")[2]
    return {n.lower() for n in (recurring_id, function, method, method.rpartition(".")[2]) if n}
