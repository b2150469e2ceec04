"""A row of c_LoggedJob for every run of any job, in the same transaction as its outcome."""

from __future__ import annotations

import json

from taskmanager.domain.errors import JobCancelled
from taskmanager.domain.states import Deleted, Enqueued, Failed, State, Succeeded
from taskmanager.domain.texts import storable
from taskmanager.engine.filters import Electing, Filter
from taskmanager.engine.registry import JobType
from taskmanager.storage import logged
from taskmanager.storage.procedures import ProcedureFailed

TRIGGERED_BY = "TriggeredBy"
#: Who triggered a run that a person asked for, where no name is known.
MANUAL = "Manual"


_OWN = "taskmanager.tasks."
#: Whose cancelled runs are told by a filter of theirs: only those count whose procedure was called.
_PROCEDURES = "taskmanager.tasks.procedures"


class LoggedJobs(Filter):
    """History can never disagree with state: both are written or neither."""

    order = 900

    def applied(self, context: Electing, state: State) -> None:
        run = context.run
        if run is None or (isinstance(state, Enqueued) and not context.traversed):
            return  # a run that was given up because its server stopped is none
        failure = next((s for s in [*context.traversed, state] if isinstance(s, Failed)), None)
        named = plain(context.parameters.get("JobName"))
        title = named or _title(context)
        result = state.result if isinstance(state, Succeeded) else None
        context.effects.later(
            logged.add,
            {
                "JobName": storable(title[:100]),
                "JobId": str(context.job.id),
                "JobType": str(_type_of(context)),
                "StartedAt": run.started_at,
                "CompletedAt": run.ended_at,
                "DurationMs": run.duration_ms,
                "Success": int(isinstance(state, Succeeded)),
                "ResultMessage": storable(run.message) if failure is None and run.message else _readable(result),
                "ErrorMessage": storable(failure.exception_message) if failure else None,
                "StackTrace": storable(failure.exception_details) if failure else None,
                "ServerName": run.server[:100] or None,
                "TriggeredBy": storable((plain(context.parameters.get(TRIGGERED_BY)) or "System")[:100]),
                "MemoryUsedMB": run.memory_mb,
                "CpuTimeMs": run.cpu_ms,
            },
        )

    def cancelled(self, context: Electing) -> None:
        """A run whose job was deleted while it ran: it is one, and neither a success nor a failure of its own."""
        definition = context.definition
        if context.run is None or (definition is not None and definition.type == _PROCEDURES):
            return
        context.run.message = cancelled_message(context.error)
        self.applied(context, Deleted(reason=context.run.message))


def cancelled_message(error: BaseException | None) -> str:
    """What the history says of a cancelled run. error: what it ended with, if it heard of it."""
    why = str(error) if isinstance(error, (JobCancelled, ProcedureFailed)) else ""
    return f"Cancelled: {why or 'the job was deleted while it ran'}"


def _title(context: Electing) -> str:
    """The job's name; of a procedure's run the name of the recurring job, for all of them are one job of ours."""
    if context.definition is None:
        return f"job {context.job.id}"
    recurring = plain(context.parameters.get("RecurringJobId"))
    return recurring if recurring and context.definition.type.startswith(_OWN) else context.definition.title


def _type_of(context: Electing) -> JobType:
    if "RecurringJobId" in context.parameters:
        return JobType.RECURRING
    if context.definition is not None and context.definition.job_type is JobType.MANUAL:
        return JobType.MANUAL
    return JobType.DELAYED if "Delayed" in context.parameters else JobType.FIRE_AND_FORGET


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
