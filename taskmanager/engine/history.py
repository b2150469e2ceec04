"""A row of c_LoggedJob for every run of any job, in the same transaction as its outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from taskmanager.domain import invocation as invocations
from taskmanager.domain.errors import JobCancelled
from taskmanager.domain.records import JobRecord
from taskmanager.domain.states import Deleted, Enqueued, Failed, State, Succeeded
from taskmanager.domain.texts import storable
from taskmanager.engine.filters import Electing, Filter, Lost, Run
from taskmanager.engine.registry import JobDefinition, JobType, Registry
from taskmanager.storage import logged
from taskmanager.storage.procedures import ProcedureFailed

TRIGGERED_BY = "TriggeredBy"
#: Who triggered a run that a person asked for, where no name is known.
MANUAL = "Manual"


_OWN = "taskmanager.tasks."
#: Whose cancelled runs are told by a filter of theirs: only those count whose procedure was called.
_PROCEDURES = "taskmanager.tasks.procedures"


class LoggedJobs(Filter):
    """History can never disagree with state: both are written or neither.

    is_told: whether a run whose process died is told of otherwise.
    """

    order = 900

    def __init__(self, registry: Registry, is_told: Callable[[Lost], bool] = lambda lost: False) -> None:
        self._registry, self._is_told = registry, is_told

    def applied(self, context: Electing, state: State) -> None:
        run = context.run
        if run is None:
            return
        if isinstance(state, Enqueued) and not context.traversed:
            self.refused(context, state.reason or "")  # its server stopped
            return
        failure = next((s for s in [*context.traversed, state] if isinstance(s, Failed)), None)
        result = state.result if isinstance(state, Succeeded) else None
        message = cancelled_message(context.error) if isinstance(state, Deleted) else run.message
        ended = {
            "Success": int(isinstance(state, Succeeded)),
            "ResultMessage": storable(message) if failure is None and message else _readable(result),
            **_told(failure),
        }
        context.effects.later(logged.add, _measured(context, run) | ended)

    def cancelled(self, context: Electing) -> None:
        """A run whose job was deleted while it ran: it is one, and neither a success nor a failure of its own."""
        definition = context.definition
        if context.run is None or (definition is not None and definition.type == _PROCEDURES):
            return
        self._add_once(context, cancelled_message(context.error))

    def refused(self, context: Electing, why: str) -> None:
        """A run that counts for nothing is one all the same."""
        if context.run is None or not context.run.was_called:
            return
        failure = context.candidate if isinstance(context.candidate, Failed) else None
        self._add_once(context, uncounted(context, why), failure)

    def _add_once(self, context: Electing, message: str, failure: Failed | None = None) -> None:
        assert context.run is not None
        ended = {"Success": 0, "ResultMessage": storable(message), **_told(failure)}
        context.effects.later(logged.add_once, _measured(context, context.run) | ended)

    def lost(self, context: Electing, run: Lost) -> None:
        """A run whose process died is told of by who takes its job over. Nobody knows when it ended."""
        if self._is_told(run):
            return
        parameters = run.record.parameters
        definition = context.definition or self._definition(run.record)
        row = _named(run.record.id, definition, parameters) | dict.fromkeys(_UNKNOWN_OF_LOST) | {
            "StartedAt": run.started_at, "Success": 0, "ServerName": run.server[:100] or None,
            "ErrorMessage": storable(f"worker lost: {run.server or 'its process'} was gone before the job had ended"),
        }  # fmt: skip
        context.effects.later(logged.add_once, row)

    def _definition(self, record: JobRecord) -> JobDefinition | None:
        try:
            return self._registry.get(invocations.read(record.invocation_data, record.arguments).name)
        except invocations.InvocationUnreadable:
            return None


#: What nobody knows of a run whose process died.
_UNKNOWN_OF_LOST = ("CompletedAt", "DurationMs", "ResultMessage", "StackTrace", "MemoryUsedMB", "CpuTimeMs")


def _measured(context: Electing, run: Run) -> dict[str, Any]:
    return _named(context.job.id, context.definition, context.parameters) | {
        "StartedAt": run.started_at, "CompletedAt": run.ended_at, "DurationMs": run.duration_ms,
        "ServerName": run.server[:100] or None, "MemoryUsedMB": run.memory_mb, "CpuTimeMs": run.cpu_ms,
    }  # fmt: skip


def _named(job_id: int, definition: JobDefinition | None, parameters: Mapping[str, str]) -> dict[str, Any]:
    title = plain(parameters.get("JobName")) or _title(job_id, definition, parameters)
    return {
        "JobName": storable(title[:100]), "JobId": str(job_id), "JobType": str(_type_of(definition, parameters)),
        "TriggeredBy": storable((plain(parameters.get(TRIGGERED_BY)) or "System")[:100]),
    }  # fmt: skip


def _told(failure: Failed | None) -> dict[str, str | None]:
    return {
        "ErrorMessage": storable(failure.exception_message) if failure else None,
        "StackTrace": storable(failure.exception_details) if failure else None,
    }


def uncounted(context: Electing, why: str) -> str:
    """What the history says of a run that counts for nothing."""
    came_to = context.candidate
    if isinstance(came_to, Deleted) and isinstance(context.error, JobCancelled):
        return cancelled_message(context.error)
    ended = f"; it ended as {came_to.name}" if isinstance(came_to, (Succeeded, Failed)) and not context.entered else ""
    return f"Not counted: {why[:1].lower()}{why[1:]}{ended}"


def cancelled_message(error: BaseException | None) -> str:
    """What the history says of a cancelled run. error: what it ended with, if it heard of it."""
    why = str(error) if isinstance(error, (JobCancelled, ProcedureFailed)) else ""
    return f"Cancelled: {why or 'the job was deleted while it ran'}"


def _title(job_id: int, definition: JobDefinition | None, parameters: Mapping[str, str]) -> str:
    """The job's name; of a procedure's run the name of the recurring job, for all of them are one job of ours."""
    if definition is None:
        return f"job {job_id}"
    recurring = plain(parameters.get("RecurringJobId"))
    return recurring if recurring and definition.type.startswith(_OWN) else definition.title


def _type_of(definition: JobDefinition | None, parameters: Mapping[str, str]) -> JobType:
    if "RecurringJobId" in parameters:
        return JobType.RECURRING
    if definition is not None and definition.job_type is JobType.MANUAL:
        return JobType.MANUAL
    return JobType.DELAYED if "Delayed" in parameters else JobType.FIRE_AND_FORGET


def _readable(result: str | None) -> str | None:
    """A result for people: a text without JSON's quotes, anything else as the JSON it is."""
    return storable(plain(result) or "") if result is not None and result.startswith('"') else result


def plain(text: str | None) -> str | None:
    """A text that is stored as JSON, or as it is."""
    if text is None:
        return None
    try:
        return str(json.loads(text))
    except ValueError:
        return text
