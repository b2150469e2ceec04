"""What a row of the older c_Job calls: a procedure, a registered job, or nothing that is known here."""

from __future__ import annotations

import json
from collections.abc import Iterable

from taskmanager.domain.errors import ArgumentError, UnknownJob
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.states import Enqueued
from taskmanager.engine import row_mails
from taskmanager.engine.client import NewJob
from taskmanager.engine.history import TRIGGERED_BY
from taskmanager.engine.legacy_schedule import PREFIX
from taskmanager.engine.registry import JobDefinition, Registry
from taskmanager.engine.targcc_rules import TIMEOUT
from taskmanager.storage.targcc import TargccRow

_PROCEDURE = "mntm_"
_TYPE, _METHOD = "taskmanager.tasks.procedures", "run_procedure"
_REFUSE = "taskmanager.tasks.targcc:refuse"
#: What the old TaskManager did itself, in small letters: nobody here does, unless a job of that name is registered.
BUILT_IN = frozenset(
    {"scanjobs", "backupdb", "deleteoldlogs", "moveaudits", "reorganizeindexes", "unlockusers", "imalive"}
)


class RowCalls:
    """What rows call, of those that are served. runners: whose rows those are (lkpJobRunner); all when empty.

    With runners, a row of another runner, or of none, is left alone.
    """

    def __init__(self, registry: Registry, runners: Iterable[str] = ()) -> None:
        self.registry = registry
        self.runners = frozenset(runner.strip().lower() for runner in runners)

    def passed_by(self, row: TargccRow) -> str | None:
        """Why a row is left alone; None for one that is served."""
        if self.runners and row.runner.lower() not in self.runners:
            return f"lkpJobRunner {row.runner!r} is not among legacy_runner"
        if row.code.lower() in BUILT_IN and row.managed and isinstance(self.definition(row.code), str):
            return f"{row.code} was built into the old TaskManager: register a job of that name, or leave it inactive"
        return None

    def definition(self, code: str) -> JobDefinition | str:
        """The registered job that a code names, or why there is none."""
        try:
            found = self.registry.find(code)
        except UnknownJob as error:
            return str(error)
        return f"no job is named {code!r}" if found.is_internal else found

    def new(self, row: TargccRow, by: str, reason: str, mail_to: Iterable[str] | None = None) -> NewJob:
        parameters = {
            "RecurringJobId": json.dumps(f"{PREFIX}{row.id}"), "JobName": json.dumps(row.code or f"{PREFIX}{row.id}"),
            TRIGGERED_BY: json.dumps(by),
        } | row_mails.parameter(mail_to)  # fmt: skip
        if row.timeout is not None:
            parameters[TIMEOUT] = str(row.timeout)
        definition: JobDefinition | None = None
        if is_procedure(row.code):
            call = Invocation(_TYPE, _METHOD, (), (None, None, json.dumps(row.id), json.dumps(row.code)))
        else:
            definition, call = self._call(row.code)
        queue, priority = (definition.queue, definition.priority) if definition else ("default", 0)
        state = Enqueued(queue=queue, priority=priority, reason=reason)
        return NewJob(call, state, queue, priority, definition, parameters)

    def _call(self, code: str) -> tuple[JobDefinition, Invocation]:
        found = self.call_of(code)
        if not isinstance(found, str):
            return found
        refuse = self.registry.find(_REFUSE)
        return refuse, refuse.invocation((code, found), {})

    def call_of(self, code: str) -> tuple[JobDefinition, Invocation] | str:
        """The job that a code that is no procedure calls, or why there is none."""
        found = self.definition(code)
        if not isinstance(found, str):
            try:
                return found, found.invocation((), {})
            except ArgumentError as error:
                found = str(error)
        return f"lkpJob {code!r} is neither a procedure (mnTM_…) nor the name of a registered job: {found}"


def is_procedure(code: str) -> bool:
    """Whether a code is the name of a stored procedure."""
    return code.lower().startswith(_PROCEDURE)
