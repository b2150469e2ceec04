"""What is stored, as the API tells it: secrets masked, and nothing of arguments or messages without `args.view`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskmanager.domain.records import Pause, RecurringRecord
from taskmanager.engine import moving
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import jobs
from webui import access, jobforms, redaction
from webui.blueprint import read
from webui.recurrings import call_of

_MESSAGES = ("ResultMessage", "ErrorMessage", "StackTrace", "resultMessage", "errorMessage")


def known_job(definition: JobDefinition) -> dict[str, Any]:
    """A job that discovery found."""
    return {
        "jobType": definition.name, "jobName": definition.title, "description": definition.description,
        "type": str(definition.job_type), "cronExpression": definition.cron, "queue": definition.queue,
        "retryAttempts": definition.retry.attempts,
    }  # fmt: skip


def known_row(record: RecurringRecord) -> dict[str, Any]:
    """A row of c_Job, or what one was turned into, as a job by its name."""
    procedure = record.procedure or moving.procedure_of(record)
    return {
        "jobType": procedure or "", "jobName": record.name or record.id, "description": record.id,
        "type": "Recurring", "cronExpression": record.cron or None, "queue": record.queue, "retryAttempts": 0,
    }  # fmt: skip


def task_type(definition: JobDefinition) -> dict[str, Any]:
    """A registered job with its arguments."""
    fields = [
        {"name": f.name, "type": f.type_name, "required": f.is_required, "default": f.default or None}
        for f in jobforms.fields(definition)
    ]
    return {
        "taskType": definition.name, "name": definition.title, "description": definition.description,
        "queue": definition.queue, "arguments": fields,
    }  # fmt: skip


def text(value: str | None) -> str | None:
    """A message for people."""
    if value is None or access.may("args.view"):
        return None if value is None else redaction.text(value)
    return redaction.MASK


def run(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of c_LoggedJob."""
    return {**row, **{name: text(row[name]) for name in _MESSAGES if row.get(name) is not None}}


def recurring(record: RecurringRecord, states: Mapping[int, Any]) -> dict[str, Any]:
    """A recurring job. states: of its last job, by id."""
    last, pause = states.get(record.last_job_id or 0), record.pause or Pause()
    return {
        "id": record.id, "name": record.name or call_of(record), "cron": record.cron, "timeZone": record.time_zone,
        "queue": record.queue, "nextExecution": record.next_execution, "lastExecution": record.last_execution,
        "lastJobId": record.last_job_id, "lastStatus": last[0] if last else None, "isPaused": record.paused,
        "pausedBy": pause.by, "pausedSince": pause.since, "pausedUntil": pause.until, "pauseNote": text(pause.note),
        "error": text(record.error), "createdAt": record.created_at,
    }  # fmt: skip


def last_states(records: list[RecurringRecord]) -> dict[int, Any]:
    """The states of their last jobs."""
    last = {r.last_job_id for r in records if r.last_job_id is not None}
    return dict(read(lambda tx: jobs.current_states(tx, last))) if last else {}
