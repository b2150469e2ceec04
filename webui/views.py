"""The pages and the buttons on them."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for

from taskmanager import JobNotFound, TaskManager
from taskmanager.domain.errors import RecurringJobNotFound
from taskmanager.domain.states import ALL_NAMES
from taskmanager.storage import jobs, monitoring

pages = Blueprint("pages", __name__)

_STATES = {name.lower(): name for name in ALL_NAMES}
_PAGE = 20


def app() -> TaskManager:
    """The TaskManager these pages are of."""
    return cast(TaskManager, current_app.config["TASKMANAGER"])


@pages.get("/")
def overview() -> str:
    """Counts by state, and the servers."""
    statistics = app().database.read(monitoring.statistics)
    servers = app().database.read(monitoring.servers)
    return render_template("overview.html", statistics=statistics, servers=servers, states=_STATES)


@pages.get("/jobs/<state>")
def job_list(state: str) -> str:
    """Jobs of a state, newest first."""
    if state not in _STATES:
        abort(404)
    before = request.args.get("before", type=int)
    found = app().database.read(lambda tx: monitoring.jobs_in(tx, _STATES[state], limit=_PAGE + 1, before_id=before))
    more = found[_PAGE - 1].id if len(found) > _PAGE else None
    return render_template("jobs.html", state=_STATES[state], jobs=found[:_PAGE], more=more, states=_STATES)


@pages.get("/jobs/details/<int:job_id>")
def job_details(job_id: int) -> str:
    """One job: call, parameters, history with stack traces, log."""
    try:
        record = app().get(job_id)
    except JobNotFound:
        abort(404)
    log = app().database.read(lambda tx: jobs.log_of(tx, job_id))
    return render_template("details.html", job=record, log=log, states=_STATES)


@pages.post("/jobs/actions/<action>/<int:job_id>")
def job_action(action: str, job_id: int) -> Any:
    """Requeue or delete one job."""
    actions = {"requeue": app().requeue, "delete": app().delete}
    if action not in actions:
        abort(404)
    try:
        actions[action](job_id, reason="Triggered via Dashboard UI")
    except JobNotFound:
        abort(404)
    return redirect(url_for("pages.job_details", job_id=job_id), 303)


@pages.get("/recurring")
def recurring() -> str:
    """Recurring jobs."""
    return render_template("recurring.html", jobs=app().recurring_list(), states=_STATES)


@pages.post("/recurring/<action>")
def recurring_action(action: str) -> Any:
    """Trigger, pause, resume or remove one recurring job."""
    actions: dict[str, Any] = {
        "trigger": app().trigger,
        "pause": app().pause,
        "resume": app().resume,
        "remove": app().remove,
    }
    if action not in actions:
        abort(404)
    try:
        actions[action](request.form["id"])
    except RecurringJobNotFound:
        abort(404)
    return redirect(url_for("pages.recurring"), 303)


@pages.get("/servers")
def servers() -> str:
    """Running servers and queues."""
    found = app().database.read(monitoring.servers)
    queues = app().database.read(monitoring.queue_lengths)
    return render_template("servers.html", servers=found, queues=queues, states=_STATES)


@pages.app_errorhandler(404)
def not_found(error: Exception) -> tuple[str, int]:
    """Nothing is here."""
    return render_template("missing.html", states=_STATES), 404
