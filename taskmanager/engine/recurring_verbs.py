"""What people ask of a recurring job: pause, resume, run now, remove. A row of c_Job is one, too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from taskmanager.domain import cron as crons
from taskmanager.domain import invocation as invocations
from taskmanager.domain import times
from taskmanager.domain.errors import CreationCancelled, InvalidArgument
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.records import Pause, RecurringRecord
from taskmanager.domain.states import Enqueued
from taskmanager.domain.texts import storable
from taskmanager.engine.client import Client, NewJob, new_key
from taskmanager.engine.defining import Defining, must
from taskmanager.engine.history import MANUAL, TRIGGERED_BY
from taskmanager.engine.legacy import LegacyJobs, row_of
from taskmanager.storage import jobs, recurring, recurring_runs
from taskmanager.storage.transaction import Tx

#: The longest note of a pause, in characters.
MAX_NOTE = 500
_TRIGGERED = "Triggered using recurring job manager"


class RecurringVerbs(Defining):
    """The verbs. Each has a form for a transaction at hand, for who does it to many."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        #: The rows of c_Job, when they are served: recurring jobs too, named `c_job:{ID}`.
        self.legacy: LegacyJobs | None = None

    # -- pause and resume ---------------------------------------------------------------------------------------

    def pause(self, recurring_id: str, *, by: str | None = None, note: str | None = None,
              until: datetime | None = None) -> None:  # fmt: skip
        """Keep the job and its cron, but do not fire. Paused again, it has the new note and end.

        by: who asks; note: why. until: when it resumes by itself (a naive one is UTC), by the database's clock; what
        was due before is not made up for. Raises RecurringJobNotFound, and InvalidArgument for an end that is over or a
        note of more than 500 characters.
        """
        wanted = Pause(until=times.to_utc(until) if until is not None else None, by=by, note=(note or "").strip())
        check_note(wanted.note or "")
        self.database.run(lambda tx: self.pause_in(tx, recurring_id, wanted))

    def pause_in(self, tx: Tx, recurring_id: str, wanted: Pause) -> None:
        """Pause it in a transaction at hand. Raises RecurringJobNotFound, InvalidArgument."""
        now = tx.now()
        check_end(wanted.until, now)
        if (row := self._row(recurring_id)) is not None:
            row[0].switch_in(tx, row[1], False, _since(None, wanted, now))
            return
        known = must(recurring.load(tx, recurring_id, lock=True), recurring_id)
        recurring.set_paused(tx, recurring_id, _since(known, wanted, now))
        recurring.save(tx, recurring_id, {}, None)

    def resume(self, recurring_id: str, *, run_missed: bool = False, by: str = MANUAL, key: str | None = None
               ) -> int | None:  # fmt: skip
        """Fire again, from the next slot on. What was due during the pause is skipped, unless it is asked for.

        run_missed: if at least one slot was missed, run once now; the answer is that job's id. by: who asks for that
        run. key: of `engine.client.new_key`; asked for twice under one key, it is one run. Raises RecurringJobNotFound,
        InvalidCron, CreationCancelled.
        """
        once, tries = key or new_key(), 0

        def work(tx: Tx) -> list[int] | None:
            nonlocal tries
            tries += 1
            if (key is not None or tries > 1) and (written := jobs.by_key(tx, once)):
                return written
            made = self.resume_in(tx, recurring_id, run_missed, by, once)
            return None if made is None else [made]

        return next(iter(self.database.run(work) or ()), None)

    def resume_in(self, tx: Tx, recurring_id: str, run_missed: bool, by: str, key: str) -> int | None:
        """Resume it in a transaction at hand; the run for what was missed. key: of that run."""
        if (row := self._row(recurring_id)) is not None:
            owed = run_missed and row[0].has_missed(tx, row[1])
            row[0].switch_in(tx, row[1], True)
            return row[0].trigger_in(tx, row[1], by, key) if owed else None
        known = must(recurring.load(tx, recurring_id, lock=True), recurring_id)
        parsed = crons.parse(known.cron, known.time_zone, known.days_and)
        now = tx.now()
        fields: dict[str, str | None] = {"Error": ""}
        made = None
        if run_missed and known.paused and has_missed(known, parsed, now):
            made = self._create(tx, known, now, "Run for what was missed", {TRIGGERED_BY: json.dumps(by)}, key)
            fields |= {"LastExecution": times.to_iso(now), "LastJobId": str(made)}
        # A strict job does not owe the slots of its pause.
        fields["ResumedAt"] = times.to_iso(now)
        recurring.set_paused(tx, recurring_id, None)
        recurring.save(tx, recurring_id, fields, parsed.next_after(now))
        return made

    # -- run now --------------------------------------------------------------------------------------------------

    def trigger(
        self, recurring_id: str, *, by: str = MANUAL, key: str | None = None, invocation: Invocation | None = None
    ) -> int:
        """Run it now, once, paused or not; its schedule goes on as it was.

        invocation: the call with other arguments, for this run alone. key: asked for twice under one key, it is one
        run. Raises RecurringJobNotFound, CreationCancelled, InvalidArgument for arguments of a row of c_Job.
        """
        once = key or new_key()
        if invocation is not None:
            self.client.checked_arguments(invocation)
        return self.client.run_once(
            once, lambda tx: [self.trigger_in(tx, recurring_id, by, once, invocation)], asked_before=key is not None
        )[0]

    def trigger_in(
        self, tx: Tx, recurring_id: str, by: str, key: str, invocation: Invocation | None = None
    ) -> int:  # fmt: skip
        """Run it in a transaction at hand; the job's id."""
        if (row := self._row(recurring_id)) is not None:
            if invocation is not None:
                raise InvalidArgument(f"{recurring_id} calls what its row says, and takes no other arguments")
            return row[0].trigger_in(tx, row[1], by, key)
        known = must(recurring.load(tx, recurring_id, lock=True), recurring_id)
        job_id = self._create(tx, known, tx.now(), _TRIGGERED, {TRIGGERED_BY: json.dumps(by)}, key, invocation)
        recurring.save(tx, recurring_id, {"LastJobId": str(job_id)}, known.next_execution)
        return job_id

    # -- remove ---------------------------------------------------------------------------------------------------

    def remove(self, recurring_id: str, *, keep_pause: bool = False) -> bool:
        """Delete a recurring job; whether there was one. A pause is forgotten with it.

        keep_pause: what was paused stays so: it comes back paused, should it be restored.
        """
        return self.database.run(lambda tx: self.remove_in(tx, recurring_id, keep_pause=keep_pause))

    def remove_in(self, tx: Tx, recurring_id: str, *, keep_pause: bool = False) -> bool:
        """Delete it in a transaction at hand."""
        if (row := self._row(recurring_id)) is not None:
            return row[0].remove_in(tx, row[1])
        if not keep_pause:
            recurring.set_paused(tx, recurring_id, None)
        recurring_runs.forget(tx, recurring_id)
        return recurring.remove(tx, recurring_id)

    # -- what they share ------------------------------------------------------------------------------------------

    def _row(self, recurring_id: str) -> tuple[LegacyJobs, int] | None:
        """The row of c_Job that an id names."""
        row_id = row_of(recurring_id)
        return None if row_id is None or self.legacy is None else (self.legacy, row_id)

    def _create(
        self, tx: Tx, known: RecurringRecord, slot: datetime, reason: str, parameters: Mapping[str, str], key: str,
        invocation: Invocation | None = None,
    ) -> int:  # fmt: skip
        new = NewJob(
            invocation or invocations.read(known.job),
            Enqueued(queue=known.queue, priority=known.priority, reason=reason),
            known.queue,
            known.priority,
            parameters={
                **parameters, "RecurringJobId": json.dumps(known.id), "Time": str(int(times.to_unix(slot))),
            },
        )  # fmt: skip
        ids = self.client.create_in(tx, [new], key)
        if not ids:
            raise CreationCancelled(f"a filter does not let {known.id} be created")
        return ids[0]


def owed_since(known: RecurringRecord) -> datetime:
    """The moment after which the slots of a recurring job have not been dealt with."""
    begun = known.created_at or known.next_execution or known.last_execution or datetime(1970, 1, 1)
    last = known.last_execution or begun - timedelta(seconds=1)
    return max(last, known.resumed_at) if known.resumed_at is not None else last


def has_missed(known: RecurringRecord, cron: crons.Cron, now: datetime) -> bool:
    """Whether a slot has gone by that was not dealt with."""
    first = cron.next_after(owed_since(known))
    return first is not None and first <= now


def check_end(until: datetime | None, now: datetime) -> None:
    """Raises InvalidArgument for an end of a pause that is over. now: by the database's clock; both naive UTC."""
    if until is not None and until <= now:
        raise InvalidArgument(
            f"until {until:%Y-%m-%d %H:%M:%S} (UTC) is over: the database's clock shows {now:%Y-%m-%d %H:%M:%S}; "
            "name a later moment, or none"
        )


def check_note(note: str) -> None:
    """Raises InvalidArgument for a note of a pause that cannot be kept."""
    if len(note) > MAX_NOTE or storable(note) != note:
        raise InvalidArgument(f"a note has at most {MAX_NOTE} characters that can be stored: {note[:100]!r}")


def _since(known: RecurringRecord | None, wanted: Pause, now: datetime) -> Pause:
    """The pause as it is kept: paused again, a job has been paused since the first time."""
    before = known.pause.since if known is not None and known.pause is not None else None
    return Pause(before or now, wanted.until, wanted.by, wanted.note)
