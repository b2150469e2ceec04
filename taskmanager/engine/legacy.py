"""The rows of c_Job as recurring jobs to who lists, triggers, pauses or removes them; what a run leaves in its row."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from taskmanager.domain import cron as crons
from taskmanager.domain.errors import CreationCancelled, InvalidCron, RecurringJobNotFound
from taskmanager.domain.records import Pause, RecurringRecord
from taskmanager.domain.states import Deleted, Enqueued, Failed, State, Succeeded
from taskmanager.domain.texts import storable, whole
from taskmanager.domain.wallclock import WallClock
from taskmanager.engine import row_glances
from taskmanager.engine.client import Client, new_key
from taskmanager.engine.filters import Electing, Filter
from taskmanager.engine.legacy_schedule import MARK, PREFIX, LegacySchedule, call_of, new_run, unfinished
from taskmanager.storage import legacy, legacy_lists, legacy_marks, recurring, targcc
from taskmanager.storage.legacy import LegacyJob
from taskmanager.storage.legacy_marks import Known
from taskmanager.storage.monitoring_recurring import Glance
from taskmanager.storage.transaction import Tx

R = TypeVar("R")


class LegacyJobs:
    """The verbs. time_zone: the zone of the crons; the database server's own when None."""

    def __init__(self, client: Client, *, time_zone: str | None = None) -> None:
        self.client, self.database = client, client.database
        self.schedule = LegacySchedule(client, time_zone=time_zone)

    def fire_due(self) -> int:
        """Look at the rows, plan those that people have edited, fire those that are due; returns how many."""
        return self.schedule.look()[0]

    def wall_clock(self) -> WallClock | None:
        """How the server tells time today; None when there are no rows."""

        zone = self.database.read(legacy_lists.zone)
        return None if zone is None else self.schedule.wall_clock_of(zone)

    def all(self, pauses: Mapping[str, Pause] | None = None) -> list[RecurringRecord]:
        """The rows as recurring jobs, by ID; their moments in UTC. pauses: what is known of them, where it was read."""

        def work(tx: Tx) -> list[RecurringRecord]:
            zone = legacy_lists.zone(tx)
            clock = None if zone is None else self.schedule.wall_clock_of(zone)
            return [_record(row, clock) for row in legacy.load_all(tx)] if clock is not None else []

        return self.database.read(work)

    def glances_in(self, tx: Tx, *, moments: bool = False, texts: bool = False) -> list[Glance]:
        """All rows in no order, as lists look at them. moments: with what is due and ran last; texts: what it calls."""
        return row_glances.of_rows(tx, self.schedule, moments=moments, texts=texts)

    def some_in(self, tx: Tx, ids: Iterable[int]) -> list[RecurringRecord]:
        """Those of these rows that there are, without what is known of their pauses."""
        found, zone = legacy_lists.some(tx, ids)
        return [_record(row, self.schedule.wall_clock_of(zone)) for row in found]

    def switch(self, row_id: int, active: bool, pause: Pause | None = None) -> None:
        """Write IsActive. pause: what is to be known of it while it is not. Raises RecurringJobNotFound."""
        self.database.run(lambda tx: self.switch_in(tx, row_id, active, pause))

    def switch_in(self, tx: Tx, row_id: int, active: bool, pause: Pause | None = None) -> None:
        """The same in a transaction at hand."""
        if _must(tx, row_id).active != active:
            legacy.switch(tx, row_id, active)
        recurring.set_paused(tx, f"{PREFIX}{row_id}", None if active else pause or Pause())

    def is_paused_in(self, tx: Tx, row_id: int) -> bool:
        """Whether a row does not fire. Raises RecurringJobNotFound."""
        return not _must(tx, row_id).active

    def lock_free_in(self, tx: Tx, row_id: int) -> bool:
        """Lock a row; False when somebody else holds it. A row that is gone is held by nobody."""
        return bool(legacy.lock_free(tx, [row_id])) or not legacy.there(tx, [row_id])

    def has_missed(self, tx: Tx, row_id: int) -> bool:
        """Whether a row that is paused would have run since. Raises RecurringJobNotFound."""
        row = _must(tx, row_id)
        clock = self.schedule.wall_clock_of(targcc.zone(tx))
        return missed(tx, _record(row, clock), clock)

    def trigger(self, row_id: int, *, by: str, key: str | None = None) -> int:
        """Run a row now, once, active or not; its schedule goes on as it was. While a run of the row has not ended,
        the new one waits for it. Raises RecurringJobNotFound."""
        once = key or new_key()
        return self.client.run_once(
            once, lambda tx: [self.trigger_in(tx, row_id, by, once)], asked_before=key is not None
        )[0]

    def trigger_in(self, tx: Tx, row_id: int, by: str, key: str) -> int:
        """The same in a transaction at hand."""
        row = _must(tx, row_id)
        known = legacy_marks.load(tx, [row_id]).get(row_id)
        if known is None or not known.is_of(row.name, row.procedure):
            known = Known(uuid.uuid4().hex, row.name, row.procedure)
        running = unfinished(tx, known.runs)
        new = new_run(
            row, known.mark, "Triggered using recurring job manager", by, after=max(running, default=None),
            mail_to=self.schedule.mailed([row_id]).get(row_id),
        )  # fmt: skip
        job_id = next(iter(self.client.create_in(tx, [new], key)), None)
        if job_id is None:
            raise CreationCancelled(f"a filter does not let {PREFIX}{row_id} be created")
        if running:
            legacy_marks.wait(tx, job_id, row_id)
        runs = {job: trigger for job, trigger in known.runs.items() if job in running}
        legacy_marks.save(tx, {row_id: replace(known, runs=runs | {job_id: by})})
        return job_id

    def remove(self, row_id: int) -> bool:
        """Delete a row; whether there was one."""
        return self.database.run(lambda tx: self.remove_in(tx, row_id))

    def remove_in(self, tx: Tx, row_id: int) -> bool:
        """The same in a transaction at hand."""
        recurring.set_paused(tx, f"{PREFIX}{row_id}", None)
        return legacy.remove(tx, row_id)


def missed(tx: Tx, record: RecurringRecord, clock: WallClock) -> bool:
    """Whether a row that is paused would have run since its pause, or its last run when nothing is known of that."""
    pause = recurring.pause_of(tx, record.id)
    since = (pause.since if pause is not None else None) or record.last_execution
    if not record.paused or since is None or not record.cron.strip():
        return False
    try:
        first = crons.parse(record.cron.strip(), clock.schedule).next_after(since)
    except InvalidCron:
        return False
    return first is not None and first <= tx.now()


class LegacyOutcome(Filter):
    """A cancelled run is told, but counts neither as failure nor as success."""

    order = 910

    def applied(self, context: Electing, state: State) -> None:
        row_id = row_of(context.parameters.get("RecurringJobId"))
        given_back = isinstance(state, Enqueued) and not context.traversed
        if row_id is None or context.run is None or given_back:
            return
        failure = next((s for s in [*context.traversed, state] if isinstance(s, Failed)), None)
        cancelled = failure is None and isinstance(state, Deleted)
        text = failure.exception_message if failure else state.reason if cancelled else _result(state)
        outcome = {
            "job": context.job.id,
            "id": row_id,
            "mark": context.parameters.get(MARK),
            "ran_at": context.run.started_at,
            "text": None if text is None else storable(text),
            "success": None if cancelled else failure is None,
        }
        context.effects.later(legacy_marks.write_outcomes, outcome)


def row_of(parameter: str | None) -> int | None:
    """The row of c_Job that a parameter RecurringJobId names; None when it names another recurring job."""
    if not parameter:
        return None
    name = parameter.strip('"')
    number = name.removeprefix(PREFIX)
    return whole(number) if name.startswith(PREFIX) else None


def found_row(found: R | None, row_id: int) -> R:
    """Raises RecurringJobNotFound for a row that is not there."""
    if found is None:
        raise RecurringJobNotFound(f"there is no recurring job '{PREFIX}{row_id}': c_Job has no row with this ID")
    return found


def _must(tx: Tx, row_id: int) -> LegacyJob:
    return found_row(legacy.load(tx, row_id), row_id)


def _record(row: LegacyJob, clock: WallClock) -> RecurringRecord:
    error = None
    try:
        if row.cron and row.cron.strip():
            crons.parse(row.cron.strip())
    except InvalidCron as wrong:
        error = str(wrong)
    following, last = (None if m is None else clock.utc(m) for m in (row.next_run, row.last_run))
    return RecurringRecord(
        id=f"{PREFIX}{row.id}", cron=row.cron or "", time_zone="server", queue="default",
        job=call_of(row).to_compact_json(), misfire=0, created_at=None, next_execution=following, last_execution=last,
        last_job_id=None, error=error, paused=not row.active, name=row.name, procedure=row.procedure,
    )  # fmt: skip


def _result(state: State) -> str | None:
    if not isinstance(state, Succeeded) or state.result is None:
        return None
    try:
        value = json.loads(state.result)
    except ValueError:
        return state.result
    return value if isinstance(value, str) else state.result
