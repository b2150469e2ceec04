"""Recurring jobs at /api/v1/recurring: by filter and page, made and changed, run, paused, removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskmanager.domain.records import RecurringRecord
from taskmanager.engine import definitions
from taskmanager.engine.definitions import Edit
from taskmanager.engine.legacy import row_of
from taskmanager.storage import recurring_past, recurring_runs
from taskmanager.storage.recurring_past import Past
from taskmanager.storage.recurring_runs import RecurringRun
from taskmanager.storage.transaction import Tx
from webui import access, crons, cursors, recurring_marks, recurrings, restricting
from webui.api import admin, byname, scheduleschemas, schemas, shapes, systemschemas
from webui.api.problems import refuse_field, told
from webui.api.routing import group, operation
from webui.api.work import place
from webui.blueprint import manager, read
from webui.runviews import BARS, DOTS, Runs

schedules = group("recurring", "Recurring jobs")

_ONE = "/api/v1/recurring/<path:recurringId>"
#: The coming runs that are told of one.
_COMING = 20


@operation(
    schedules, "GET", "/api/v1/recurring", query=scheduleschemas.SchedulesQuery, gives=scheduleschemas.SchedulePage
)  # fmt: skip
def list_recurring(query: Mapping[str, Any]) -> Any:
    """Recurring jobs; `q` is a text in id, name, call, cron or queue."""
    at, limit = place(query["after"], 1, "after"), query["limit"]
    found = recurrings.find(query["q"], query["state"] or "", query["sort"])
    start = int(at[0]) if at else 0
    page = found.whole(start, limit)
    states = shapes.last_states([record for record, _ in page])
    behind = {record.id: past.tally.upto for record, past in page}
    runs = read(lambda tx: recurring_runs.newest(tx, behind, recurring_marks.READ, behind=behind))
    return {
        "items": [shapes.recurring(record, states) | _went(record, past, runs[record.id]) for record, past in page],
        "next": cursors.write(start + limit) if len(found.matching) > start + limit else None,
    }


@operation(schedules, "GET", _ONE, gives=scheduleschemas.Schedule)
def get_recurring(recurring_id: str) -> Any:
    """One recurring job, with the version that a change of it must name."""
    return _whole(admin.must(recurring_id))


@operation(
    schedules, "PUT", _ONE, needs="recurring.edit", body=scheduleschemas.SaveSchedule, gives=scheduleschemas.Schedule,
    about="recurring", also={409: "taskType may be several jobs, it is there, or somebody has changed it"},
)  # fmt: skip
def put_recurring(body: Mapping[str, Any], recurring_id: str) -> Any:
    """Make a recurring job, or replace what it is.

    With `version` it is changed only when nobody has changed it since; what the code defines is marked as changed by
    a person, so that a restart leaves it. With `isNew` none is replaced: of two who make the same at once, one is told.
    """
    if body["isNew"] and body["version"] is not None:
        refuse_field("isNew", "what is new has no version")
    tm = manager()
    definition, (args, kwargs) = byname.called({**body, "payload": body["arguments"]}, "arguments")
    access.about("recurring", recurring_id, after={"cron": body["cron"], "job": definition.title})
    with told(field="cron"):
        wanted = tm.recurring_definition(
            recurring_id, definition, cron=body["cron"], args=args, kwargs=kwargs, time_zone=body["timeZone"],
            queue=body["queue"], misfire=body["misfire"],
        )  # fmt: skip
        restricting.must_show(wanted.queue)
        if body["version"] is not None:
            known = admin.must(recurring_id)
            edit = Edit(
                cron=wanted.cron, time_zone=wanted.time_zone, queue=wanted.queue, misfire=wanted.misfire,
                days_and=wanted.days_and, enabled=not known.paused, invocation=wanted.invocation,
            )  # fmt: skip
            tm.recurring_jobs.edit(recurring_id, edit, version=body["version"])
        else:
            (tm.recurring_jobs.add if body["isNew"] else tm.recurring_jobs.add_or_update)(wanted)
    return _whole(admin.must(recurring_id))


@operation(schedules, "DELETE", _ONE, needs="recurring.remove", about="recurring")
def delete_recurring(recurring_id: str) -> None:
    """Remove it, and its pause."""
    byname.remove(recurring_id)


@operation(
    schedules, "POST", f"{_ONE}/trigger", needs="recurring.trigger", body=schemas.TriggerJob, gives=schemas.Started,
    creates=True, about="recurring",
)  # fmt: skip
def trigger_recurring(body: Mapping[str, Any], recurring_id: str) -> Any:
    """Run it now, once, paused or not."""
    return {
        "jobId": byname.trigger(recurring_id, body["arguments"]),
        "message": f"Job '{recurring_id}' triggered successfully",
    }


@operation(schedules, "POST", f"{_ONE}/pause", needs="recurring.pause", body=schemas.PauseJob, about="recurring")
def pause_recurring(body: Mapping[str, Any], recurring_id: str) -> None:
    """Stop firing it, for ever or until a moment; its cron is kept. Paused again, it has the new note and end."""
    admin.pause(recurring_id, body)


@operation(
    schedules, "POST", f"{_ONE}/resume", needs="recurring.pause", body=schemas.ResumeJob, creates=True,
    about="recurring",
)  # fmt: skip
def resume_recurring(body: Mapping[str, Any], recurring_id: str) -> None:
    """Fire it again, by its own cron. What was due during the pause is skipped, unless it is asked for."""
    admin.resume(recurring_id, body)


@operation(schedules, "GET", "/api/v1/types", gives=lambda: systemschemas.TaskType(many=True))
def list_types() -> Any:
    """The registered jobs with their arguments, for `taskType`."""
    return [shapes.task_type(d) for d in manager().registry if not d.is_internal and restricting.shows(d.queue)]


def _whole(record: RecurringRecord) -> dict[str, Any]:
    def work(tx: Tx) -> tuple[Past, Sequence[RecurringRun]]:
        past = recurring_past.load(tx, [record.id])[record.id]
        behind = {record.id: past.tally.upto}
        return past, recurring_runs.newest(tx, [record.id], recurring_marks.READ, behind=behind)[record.id]

    coming = crons.upcoming(record.cron, recurring_marks.zone_of(record), _COMING, days_and=record.days_and)
    past, runs = read(work)
    found = shapes.recurring(record, shapes.last_states([record])) | _went(record, past, runs) | {
        "nextRuns": coming, "missedRuns": [{"due": one.slot, "dealtWith": one.dealt_with} for one in past.all_missed],
    }  # fmt: skip
    if record.procedure is not None:
        return found | {"version": None, "fromCode": False}
    return found | {"version": definitions.version(record), "fromCode": record.from_code}


def _went(record: RecurringRecord, past: Past, runs: Sequence[RecurringRun]) -> dict[str, Any]:
    """How it has gone."""
    now = manager().database.clock.now()
    rate, late = recurring_marks.rate(past, runs, recurring_marks.READ, now), recurring_marks.late(record, past, now)
    newest = Runs(tuple(runs[-BARS:]))
    return {
        "state": recurring_marks.state(record), "runsMayOverlap": row_of(record.id) is None,
        "successRate": rate and {
            "percent": rate.percent, "succeeded": rate.succeeded, "runs": rate.runs, "since": rate.since,
        },
        "lastResults": [run.outcome for run in newest.runs[-DOTS:]], "p50Ms": newest.p50, "p95Ms": newest.p95,
        "failuresInARow": newest.failures, "missed": late and {"due": late.slot, "dealtWith": late.dealt_with},
    }  # fmt: skip
