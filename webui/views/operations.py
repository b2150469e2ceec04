"""Bulk operations on a whole filtered set: asked about, started, watched, stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain import times
from taskmanager.domain.texts import whole
from taskmanager.engine import operations
from taskmanager.engine.client import new_key
from taskmanager.engine.operation import Operation
from taskmanager.engine.recurring_operations import Wish
from taskmanager.storage import jobs
from taskmanager.storage.transaction import Tx
from webui import access, bulks, shell
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.bulks import NotPossible, Plan, RecurringPlan
from webui.views.recurring_actions import pause_end

_PAGE = 50


@pages.get("/operations")
def operation_list() -> str:
    """Those that are still kept, newest first, a page at a time."""
    before, actor = whole(request.args.get("before")), request.args.get("actor", "").strip()[:100]
    wanted = request.args.get("state", "")
    wanted = wanted if wanted in ("running", "done") else ""
    found = read(lambda tx: operations.newest(tx, _PAGE + 1, before, state=wanted, actor=actor))
    older = found[_PAGE - 1][0] if len(found) > _PAGE else None
    return render_template(
        "operations.html", here="jobs", state="operations", found=found[:_PAGE], first=before is None, older=older,
        wanted=wanted, actor=actor,
    )  # fmt: skip


@pages.get("/operations/new")
@needs("operations.start")
def operation_new() -> Any:
    """The question before it: which jobs or recurring jobs, how many, and three of them."""
    if request.args.get("kind") == "recurring":
        return _recurring_question(_recurring_plan(request.args), key=new_key())
    state, action, q = (request.args.get(name, "") for name in ("state", "action", "q"))
    return _question(_plan(state, action, q))


@pages.post("/operations")
@needs("operations.start")
def operation_start() -> Any:
    """Start it, once for each form that was shown."""
    state, action, key = (request.form.get(n, "") for n in ("state", "action", "key"))
    if not re.fullmatch(r"[0-9a-f]{32}", key):
        abort(400, _("The form is not complete. Reload the page and try again."))
    if request.form.get("kind") == "recurring":
        wanted = _recurring_plan(request.form)
        found = bulks.ask_recurring(wanted)
        if found.is_many and not _is_typed(found.number):
            return _recurring_question(wanted, key=key, wrong=True), 422
        try:
            made = bulks.start_recurring(found, key)
        except NotPossible as error:
            abort(400, str(error))
    else:
        plan = _plan(state, action, request.form.get("q", ""), _spread())
        asked = bulks.ask(plan)
        if asked.is_many and not _is_typed(asked.number):
            return _question(plan, wrong=True), 422
        made = bulks.start(plan, key)
    if not shell.wants_page():
        return {"id": made}, 201
    return redirect(url_for("pages.operation", job_id=made), 303)


@pages.get("/operations/<int:job_id>")
def operation(job_id: int) -> Any:
    """How far one is."""

    def work(tx: Tx) -> tuple[Operation | None, str | None, datetime]:
        state = jobs.current_states(tx, [job_id]).get(job_id)
        return operations.load(tx, job_id), state[0] if state else None, tx.now()

    found, state, now = read(work)
    if found is None:
        abort(404)
    return render_template(
        "operation.html", here="jobs", state="operations", job_id=job_id, one=found, job_state=state,
        started=times.parse(found.started), ended=times.parse(found.ended) if found.ended else None,
        pace=_pace(found, now), list_state=found.state.lower() if found.kind == "jobs" else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pace:
    """How quick an operation is, or was. left_ms: until its end, when it goes on as it went; None when it has ended."""

    a_second: int | float
    left_ms: float | None


def _pace(one: Operation, now: datetime) -> Pace | None:
    """None while nothing is known of it."""
    started, done = times.parse(one.started), one.done
    took = ((times.parse(one.ended) if one.ended else None) or now) - (started or now)
    seconds = took.total_seconds()
    if not done or seconds <= 0:
        return None
    rate = done / seconds
    left = 1000 * seconds * (1 - one.share) / one.share if not one.ended and one.share > 0 else None
    return Pace(round(rate) if rate >= 10 else round(rate, 1), left)


@pages.post("/operations/<int:job_id>/stop")
@needs("operations.stop")
def operation_stop(job_id: int) -> Any:
    """End it after the part under way."""
    access.about("operation", job_id)
    stopped = manager().operations.stop(job_id, access.actor().user)
    if not shell.wants_page():
        return ("", 204) if stopped else ("", 422)
    if stopped:
        flash(_("The operation ends after the part under way."), "done")
    else:
        flash(_("The operation had ended already."), "warn")
    return redirect(url_for("pages.operation", job_id=job_id), 303)


def _is_typed(number: int) -> bool:
    return re.sub(r"\D", "", request.form.get("number", "")) == str(number)


def _recurring_plan(given: Mapping[str, str]) -> RecurringPlan:
    end = pause_end(given.get("until", ""))
    wish = Wish(
        action=given.get("action", ""), note=given.get("note", "").strip(), until=times.to_utc(end) if end else None,
        run_missed=given.get("missed") == "run",
    )  # fmt: skip
    try:
        return bulks.plan_recurring(wish, given.get("state", ""), given.get("q", ""))
    except NotPossible as error:
        if error.permission:
            abort(403, error.permission)
        abort(400, str(error) or _("That cannot be done with recurring jobs."))


def _recurring_question(plan: RecurringPlan, *, key: str, wrong: bool = False) -> str:
    asked = bulks.ask_recurring(plan)
    return render_template(
        "operation_recurring.html", here="recurring", plan=plan, asked=asked, key=key, wrong=wrong
    )  # fmt: skip


def _spread() -> int:
    """Over how many seconds requeued jobs are spread; the form has minutes."""
    text = request.form.get("spread", "").strip()
    minutes = whole(text) if text else 0
    if minutes is None:
        abort(400, _("That cannot be done with jobs of this state."))
    return 60 * minutes


def _plan(state: str, action: str, q: str, spread: int = 0) -> Plan:
    try:
        return bulks.plan(state, action, q, spread)
    except NotPossible as error:
        if error.permission:
            abort(403, error.permission)
        abort(400, str(error) or _("That cannot be done with jobs of this state."))


def _question(plan: Plan, *, wrong: bool = False) -> str:
    asked = bulks.ask(plan)
    return render_template(
        "operation_new.html", here="jobs", state=plan.state, plan=plan, asked=asked, key=new_key(), wrong=wrong
    )
