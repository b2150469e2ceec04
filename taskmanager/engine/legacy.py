"""A due c_Job row becomes a job like any other; its outcome is written back to the row, in one transaction."""

from __future__ import annotations

import json
import logging

from taskmanager.domain import cron as crons
from taskmanager.domain.errors import CreationCancelled, InvalidCron, RecurringJobNotFound
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.records import RecurringRecord
from taskmanager.domain.states import Enqueued, Failed, State, Succeeded
from taskmanager.domain.texts import storable
from taskmanager.engine.client import Client, NewJob, new_key
from taskmanager.engine.filters import Electing, Filter
from taskmanager.engine.history import TRIGGERED_BY
from taskmanager.storage import legacy
from taskmanager.storage.legacy import LegacyJob, LegacyRow
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.legacy")

PREFIX = "c_job:"
_TYPE, _METHOD = "taskmanager.tasks.procedures", "run_procedure"


class LegacyJobs:
    """Plans and fires the rows of c_Job. Times are the server's wall clock; the operator's word is final."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def fire_due(self) -> int:
        """Look at the rows that want something; returns how many were fired."""
        return self.client.database.run(self._fire_due_in, patience=5)

    def _fire_due_in(self, tx: Tx) -> int:
        return sum(self._one(tx, row) for row in legacy.wanting(tx))

    def _one(self, tx: Tx, row: LegacyRow) -> bool:
        now = tx.clock.local_now()
        try:
            following = crons.parse((row.cron or "").strip()).next_after(now)
        except InvalidCron as error:
            legacy.note(tx, row, str(error))
            following = None
            if row.next_run is None:
                return False
        legacy.plan(tx, row.id, following)
        if row.next_run is None:
            return False
        self._create(tx, row, "Triggered by its row in c_Job")
        return True

    def _create(self, tx: Tx, row: LegacyRow | LegacyJob, reason: str, by: str | None = None) -> int | None:
        parameters = {"RecurringJobId": json.dumps(f"{PREFIX}{row.id}"), "JobName": json.dumps(row.name)}
        if by is not None:
            parameters[TRIGGERED_BY] = json.dumps(by)
        new = NewJob(_call(row), Enqueued(reason=reason), "default", parameters=parameters)
        return next(iter(self.client.create_in(tx, [new], new_key())), None)

    # -- what people ask of rows ------------------------------------------------------------------------------

    def all(self) -> list[RecurringRecord]:
        """The rows as recurring jobs, by ID; their moments in UTC."""
        return self.client.database.read(lambda tx: [_record(tx, row) for row in legacy.load_all(tx)])

    def switch(self, row_id: int, active: bool) -> None:
        """Write IsActive. Raises RecurringJobNotFound."""

        def work(tx: Tx) -> None:
            if _must(tx, row_id).active != active:
                legacy.switch(tx, row_id, active)

        self.client.database.run(work)

    def trigger(self, row_id: int, *, by: str) -> int:
        """Run a row now, once, active or not; its schedule goes on as it was. Raises RecurringJobNotFound."""

        def work(tx: Tx) -> int:
            job_id = self._create(tx, _must(tx, row_id), "Triggered using recurring job manager", by)
            if job_id is None:
                raise CreationCancelled(f"a filter does not let {PREFIX}{row_id} be created")
            return job_id

        return self.client.database.run(work)

    def remove(self, row_id: int) -> bool:
        """Delete a row; whether there was one."""
        return self.client.database.run(lambda tx: legacy.remove(tx, row_id))


class LegacyOutcome(Filter):
    """Writes LastRun, LastResult and FailureCount of the row a run belongs to."""

    order = 910

    def applied(self, context: Electing, state: State) -> None:
        row_id = row_of(context.parameters.get("RecurringJobId"))
        if row_id is None or context.run is None:
            return
        failure = next((s for s in [*context.traversed, state] if isinstance(s, Failed)), None)
        text = storable(failure.exception_message) if failure else _result(state)
        outcome = {"id": row_id, "ran_at": context.run.started_at, "text": text, "success": failure is None}
        context.effects.later(legacy.write_outcomes, outcome)


def row_of(parameter: str | None) -> int | None:
    """The row of c_Job that a parameter RecurringJobId names; None when it names another recurring job."""
    name = (parameter or "").strip('"')
    number = name.removeprefix(PREFIX)
    return int(number) if name.startswith(PREFIX) and number.isdigit() else None


def _call(row: LegacyRow | LegacyJob) -> Invocation:
    return Invocation(_TYPE, _METHOD, (), (None, None, json.dumps(row.id), json.dumps(row.procedure)))


def _must(tx: Tx, row_id: int) -> LegacyJob:
    found = legacy.load(tx, row_id)
    if found is None:
        raise RecurringJobNotFound(f"there is no recurring job '{PREFIX}{row_id}': c_Job has no row with this ID")
    return found


def _record(tx: Tx, row: LegacyJob) -> RecurringRecord:
    error = None
    try:
        if row.cron and row.cron.strip():
            crons.parse(row.cron.strip())
    except InvalidCron as wrong:
        error = str(wrong)
    following, last = (None if m is None else tx.clock.to_utc(m) for m in (row.next_run, row.last_run))
    return RecurringRecord(
        id=f"{PREFIX}{row.id}", cron=row.cron or "", time_zone="server", queue="default",
        job=_call(row).to_compact_json(), misfire=0, created_at=None, next_execution=following, last_execution=last,
        last_job_id=None, error=error, paused=not row.active, name=row.name, procedure=row.procedure,
    )  # fmt: skip


def _result(state: State) -> str | None:
    if not isinstance(state, Succeeded) or state.result is None:
        return None
    try:
        value = json.loads(state.result)
    except ValueError:
        return state.result
    return storable(value) if isinstance(value, str) else state.result
