"""A due c_Job row becomes a job like any other; its outcome is written back to the row, in one transaction."""

from __future__ import annotations

import json
import logging

from taskmanager.domain import cron as crons
from taskmanager.domain.errors import InvalidCron
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.states import Enqueued, Failed, State, Succeeded
from taskmanager.domain.texts import storable
from taskmanager.engine.client import Client, NewJob, new_key
from taskmanager.engine.filters import Electing, Filter
from taskmanager.storage import legacy
from taskmanager.storage.legacy import LegacyRow
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
        self._create(tx, row)
        return True

    def _create(self, tx: Tx, row: LegacyRow) -> None:
        arguments = (None, None, json.dumps(row.id), json.dumps(row.procedure))
        parameters = {"RecurringJobId": json.dumps(f"{PREFIX}{row.id}"), "JobName": json.dumps(row.name)}
        state = Enqueued(reason="Triggered by its row in c_Job")
        new = NewJob(Invocation(_TYPE, _METHOD, (), arguments), state, "default", parameters=parameters)
        self.client.create_in(tx, [new], new_key())


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


def _result(state: State) -> str | None:
    if not isinstance(state, Succeeded) or state.result is None:
        return None
    try:
        value = json.loads(state.result)
    except ValueError:
        return state.result
    return storable(value) if isinstance(value, str) else state.result
