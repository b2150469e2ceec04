"""Recurring jobs, the rows of c_Job among them: schedule in words, next and last run; trigger, pause, remove."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, flash, jsonify, redirect, render_template, request
from flask_babel import gettext as _

from taskmanager.domain import cron as schedules
from taskmanager.domain.errors import InvalidArgument, InvalidCron
from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.domain.records import JobRecord, RecurringRecord
from taskmanager.engine.client import new_key
from taskmanager.engine.legacy import row_of
from taskmanager.engine.legacy_served import ServedJobs
from taskmanager.engine.recurring_verbs import owed_since
from taskmanager.schedules import Restoration
from taskmanager.storage import jobs, recurring_runs
from taskmanager.storage import recurring as recurring_rows
from taskmanager.storage.transaction import Tx
from webui import access, callforms, crons, jobviews, recurrings, redaction, runviews, shell
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.recurrings import call_of, state_of
from webui.views.actions import back
from webui.views.lists import SIZES, size

#: Ids that a message names; the audit log has all.
_TOLD = 20
#: Runs that the table of one recurring job has.
_NEWEST = 20


@pages.get("/recurring")
def recurring() -> str:
    """The list."""
    q = request.args.get("q", "").strip()
    wanted, sort = request.args.get("state", ""), request.args.get("sort", "id")
    wanted, sort = wanted if wanted in recurrings.STATES else "", sort if sort in recurrings.SORTS else "id"
    found = recurrings.find(q, wanted, sort)
    start = max(0, request.args.get("from", 0, type=int) or 0)
    page = found.whole(start, size())
    last = {r.last_job_id for r in page if r.last_job_id is not None}

    def work(tx: Tx) -> Any:
        states = jobs.current_states(tx, last) if last else {}
        return states, recurring_runs.newest(tx, [r.id for r in page], runviews.BARS)

    states, runs = read(work)
    return render_template(
        "recurring.html", here="recurring", rows=page, total=found.total, matching=len(found.matching),
        counts=found.counts, q=q, wanted=wanted, sort=sort, start=start, size=size(), sizes_list=SIZES, states=states,
        state_of=state_of, call_of=call_of, runs={i: runviews.Runs(listed) for i, listed in runs.items()},
    )  # fmt: skip


@pages.get("/recurring/<name:recurring_id>")
def recurring_job(recurring_id: str) -> str:
    """One of them: its runs, its next times, its definition."""
    record = known(recurring_id)

    def work(tx: Tx) -> Any:
        runs = recurring_runs.newest(tx, [recurring_id], recurring_runs.KEPT)[recurring_id]
        newest = runs[-_NEWEST:][::-1]
        return runs, newest, jobs.current_states(tx, {r.job_id for r in newest}) if newest else {}

    runs, newest, kept = read(work)
    zone = record.time_zone if record.time_zone != "server" else server_zone()
    is_cron = bool(record.cron.strip()) and "cron" not in crons.problems(record.cron, "UTC")
    call = JobRecord(0, None, None, record.job, "", record.created_at or datetime(1970, 1, 1), None)
    return render_template(
        "recurring_job.html", here="recurring", record=record, missed=missed(record, zone),
        once=new_key(), can_edit_call=_can_edit_call(record),
        runs=runviews.Runs(runs), newest=newest, kept=kept,
        preview=crons.preview(record.cron, zone, days_and=record.days_and) if is_cron else None, zone=zone,
        state_of=state_of, call_of=call_of, history=record.name or _title(record),
        arguments=jobviews.arguments_line(call) if record.procedure is None else "",
    )  # fmt: skip


@pages.post("/recurring/restore")
@needs("recurring.restore")
def recurring_restore() -> Any:
    """Bring back what the code defines."""
    access.about("recurring", "*")
    done = manager().restore_recurring()
    if not shell.wants_page():
        return jsonify(
            restored=[
                {"id": r.target, "missing": r.missing, "paused": r.paused, "differed": r.differed}
                for r in done.restored
            ],
            unchanged=done.unchanged, problems={n: redaction.text(t) for n, t in done.problems.items()},
        )  # fmt: skip
    _tell(done)
    return redirect(back(), 303)


def _tell(done: Restoration) -> None:
    """What restoring did, in words."""
    if done.is_empty:
        flash(_("This process imports no code that defines recurring jobs (setting discover)."), "warn")
        return
    for missing, text in (
        (True, _("Brought back, for they were missing: %(ids)s.")), (False, _("As the code says again: %(ids)s.")),
    ):  # fmt: skip
        ids = [f"{r.target} ({_('paused')})" if r.paused else r.target for r in done.restored if r.missing is missing]
        if ids:
            shown = ", ".join(ids[:_TOLD]) + (" …" if len(ids) > _TOLD else "")
            flash(text % {"ids": shown}, "done")
    if not done.restored and not done.problems:
        flash(_("Nothing was to be restored: all definitions are as the code says."), "done")
    for name, problem in list(done.problems.items())[:5]:
        flash(_("%(name)s is not scheduled: %(why)s", name=name, why=redaction.text(problem)), "warn")


def known(recurring_id: str) -> RecurringRecord:
    tm = manager()
    if row_of(recurring_id) is not None:
        rows = tm.legacy_jobs.all() if tm.legacy_jobs is not None else []
        found = next((r for r in rows if r.id == recurring_id), None)
    else:
        found = read(lambda tx: recurring_rows.load(tx, recurring_id))
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


def server_zone() -> str:
    """The zone of the crons of c_Job."""
    legacy = manager().legacy_jobs
    clock = legacy.wall_clock() if legacy is not None else None
    return clock.schedule if clock is not None else "UTC"


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
