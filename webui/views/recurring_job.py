"""One recurring job: its runs with what c_LoggedJob has of them, its next times, its definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, render_template, request

from taskmanager.domain import cron as schedules
from taskmanager.domain.alerts import AlertRule, Event
from taskmanager.domain.errors import InvalidArgument, InvalidCron
from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.domain.records import JobRecord, RecurringRecord
from taskmanager.engine.alerts import names_of
from taskmanager.engine.client import new_key
from taskmanager.engine.legacy import row_of
from taskmanager.engine.legacy_served import ServedJobs
from taskmanager.engine.recurring_verbs import owed_since
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import (
    alerts,
    jobs,
    legacy_shape,
    monitoring_logged_runs,
    monitoring_recurring,
    recurring_runs,
)
from taskmanager.storage import audit as audit_rows
from taskmanager.storage.alerts import AlertRow
from taskmanager.storage.audit import Row, Sought
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.monitoring_logged_runs import LoggedRun
from taskmanager.storage.recurring_past import Past
from taskmanager.storage.recurring_runs import RecurringRun
from taskmanager.storage.transaction import Tx
from webui import access, auditrows, callforms, crons, jobviews, recurring_marks, runviews
from webui.blueprint import manager, pages, read
from webui.recurrings import call_of

#: The runs that the table has on a page, and the coming runs that are told.
_ON_PAGE, _COMING = monitoring_logged_runs.MOST, 20


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of one. logged: None where c_LoggedJob has not our columns; kept: the jobs that are still there.

    is_mailed: of a row of c_Job, by its EmailOnFailure. changes: from the audit log, where they are asked for.
    """

    runs: tuple[RecurringRun, ...]
    shown: Sequence[RecurringRun]
    kept: Mapping[int, Any]
    logged: Mapping[tuple[int, datetime], LoggedRun] | None
    rule: AlertRow | None
    is_mailed: bool = False
    changes: Sequence[Row] | None = None


@pages.get("/recurring/<name:recurring_id>")
def recurring_job(recurring_id: str) -> str:
    """One of them: its runs, its next times, its definition."""
    record, past = with_past(recurring_id)
    start = max(0, request.args.get("from", 0, type=int) or 0)
    title = record.name or _title(record)
    has_changes = request.args.get("changes") == "1" and access.may("audit.view")
    seen = read(lambda tx: look(tx, record, title, start, has_changes=has_changes))
    zone, now = recurring_marks.zone_of(record), manager().database.clock.now()
    is_cron = bool(record.cron.strip()) and "cron" not in crons.problems(record.cron, "UTC")
    call = JobRecord(0, None, None, record.job, "", record.created_at or datetime(1970, 1, 1), None)
    return render_template(
        "recurring_job.html", here="recurring", record=record, missed=missed(record, zone),
        once=new_key(), can_edit_call=_can_edit_call(record), ran=seen, runs=runviews.Runs(seen.runs),
        start=start, on_page=_ON_PAGE, rate=recurring_marks.rate(past, seen.runs, recurring_runs.KEPT, now),
        late=recurring_marks.late(record, past, now), fires=recurring_marks.fires(record),
        preview=crons.preview(record.cron, zone, days_and=record.days_and, count=_COMING) if is_cron else None,
        zone=zone, state=recurring_marks.state(record), call_of=call_of, history=title,
        rules=rules_of(record, seen.rule, is_mailed=seen.is_mailed), all_missed=past.all_missed,
        audit_rows=auditrows.Rows(),
        arguments=jobviews.arguments_line(call) if record.procedure is None else "",
    )  # fmt: skip


def look(tx: Tx, record: RecurringRecord, title: str, start: int = 0, *, has_changes: bool = False) -> Seen:
    """What else is read of one: its runs, and of twenty of them (from the newest but so many) what is known besides.

    has_changes: with what people changed of it, and then without the rows of c_LoggedJob.
    """
    runs = recurring_runs.newest(tx, [record.id], recurring_runs.KEPT)[record.id]
    shown = runs[::-1][start : start + _ON_PAGE]
    wanted = {run.job_id for run in shown} | ({record.last_job_id} if record.last_job_id else set())
    names = names_of(_definition(record), title, record.id)
    has_alerts, row_id, sought = (
        manager().settings.alerts_enabled,
        row_of(record.id),
        Sought(None, None, "recurring", record.id),
    )
    is_ours = row_id is not None and has_alerts and legacy_shape.of(tx).job is Shape.SPECIFICATION
    logged = [(run.job_id, run.started) for run in shown]
    return Seen(
        runs, shown, jobs.current_states(tx, wanted) if wanted else {},
        monitoring_logged_runs.of(tx, title, logged) if shown and not has_changes else {},
        alerts.named(tx, names) if has_alerts else None,
        is_ours and row_id is not None and row_id in alerts.mailing(tx, [row_id]),
        audit_rows.page(tx, sought, limit=_ON_PAGE)[0] if has_changes else None,
    )  # fmt: skip


def known(recurring_id: str) -> RecurringRecord:
    """One by its id; an answer of 404 when there is none."""
    return with_past(recurring_id)[0]


def with_past(recurring_id: str) -> tuple[RecurringRecord, Past]:
    """The same, with what is remembered of its runs."""
    number = row_of(recurring_id)

    def work(tx: Tx) -> tuple[RecurringRecord, Past] | None:
        if number is None:
            return monitoring_recurring.one(tx, recurring_id)
        rows = [one for one in manager().recurring_jobs.some_rows(tx, [number]) if one.id == recurring_id]
        return monitoring_recurring.of_row(tx, rows[0]) if rows else None

    found = read(work)
    if found is None:
        abort(404)
    return found


def _title(record: RecurringRecord) -> str:
    """The name under which its runs stand in the history."""
    try:
        name = read_invocation(record.job).name
    except InvocationUnreadable:
        return record.id
    known = jobviews.definitions().get(name)
    return known.title if known is not None else name.partition(":")[2]


def _can_edit_call(record: RecurringRecord) -> bool:
    known = callforms.known_call(record.job) if record.procedure is None and callforms.may_edit() else None
    return known is not None and bool(known[0].signature.parameters)


def missed(record: RecurringRecord, zone: str) -> bool:
    """Whether a paused one would have run since."""
    tm, row_id = manager(), row_of(record.id)
    if not record.paused:
        return False
    if row_id is not None and isinstance(tm.legacy_jobs, ServedJobs) and tm.legacy_jobs.is_targcc(row_id):
        return _row_missed(tm.legacy_jobs, row_id)
    since = owed_since(record) if record.procedure is None else record.pause.since if record.pause else None
    try:
        first = schedules.parse(record.cron.strip(), zone, record.days_and).next_after(since) if since else None
    except (InvalidCron, OverflowError):
        return False
    return first is not None and first <= tm.database.clock.now()


def _row_missed(rows: ServedJobs, row_id: int) -> bool:
    """The same of a row of the older c_Job, which has no cron."""
    try:
        return read(lambda tx: rows.has_missed(tx, row_id))
    except InvalidArgument:
        return False


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told of a recurring job's runs. source: what says so; alert_id: the rule of c_JobAlert."""

    rule: AlertRule
    source: str
    alert_id: int | None = None

    @property
    def on(self) -> list[str]:
        """What is told, by the names of events."""
        found = sorted(str(one) for one in self.rule.on)
        found += ["slow"] if self.rule.longer_than_ms is not None else []
        return found + (["missed"] if self.rule.missed_by is not None and Event.MISSED not in self.rule.on else [])


def rules_of(record: RecurringRecord, row: AlertRow | None, *, is_mailed: bool = False) -> list[Told]:
    """The rules that speak of it: a row of c_JobAlert by one of its names, EmailOnFailure, and what its code says."""
    definition = _definition(record)
    found = [Told(row.rule, "c_JobAlert", row.id)] if row is not None else []
    found += [Told(AlertRule(on=frozenset({Event.FAILURE})), "EmailOnFailure")] if is_mailed else []
    return found + ([Told(definition.alerts, "@job(alerts=…)")] if definition is not None and definition.alerts else [])


def _definition(record: RecurringRecord) -> JobDefinition | None:
    return recurring_marks.definition_of(record) if record.procedure is None else None
