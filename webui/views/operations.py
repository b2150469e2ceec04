"""Bulk operations on a whole filtered set: asked about, started, watched, stopped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain import times
from taskmanager.domain.arguments import meets
from taskmanager.engine import operations
from taskmanager.engine.client import new_key
from taskmanager.engine.operations import Operation
from taskmanager.storage import jobs, monitoring_lists
from taskmanager.storage.monitoring_lists import Row
from taskmanager.storage.transaction import Tx
from webui import access, filtering, jobviews, shell
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.filtering import Parsed
from webui.views.lists import ACTIONS

#: More than this, and the number has to be typed.
_MANY = 1000
_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody is about to do: `count` is at most 10,001, of a search among the newest jobs."""

    state: str
    action: str
    filter: Parsed
    count: int
    samples: tuple[Row, ...]

    @property
    def number(self) -> int:
        """The number that is to be typed."""
        return min(self.count, monitoring_lists.CAP)


@pages.get("/operations")
def operation_list() -> str:
    """All that are still kept, newest first."""
    return render_template("operations.html", here="jobs", state="operations", found=read(operations.newest))


@pages.get("/operations/new")
@needs("operations.start")
def operation_new() -> Any:
    """The question before it: which jobs, how many, and three of them."""
    return _ask(request.args.get("state", ""), request.args.get("action", ""), request.args.get("q", ""))


@pages.post("/operations")
@needs("operations.start")
def operation_start() -> Any:
    """Start it, once for each form that was shown."""
    state, action, key = (request.form.get(n, "") for n in ("state", "action", "key"))
    asked = _asked(state, action, request.form.get("q", ""))
    if asked.count > _MANY and re.sub(r"\D", "", request.form.get("number", "")) != str(asked.number):
        return _ask(state, action, asked.filter.text, wrong=True), 422
    if not re.fullmatch(r"[0-9a-f]{32}", key):
        abort(400, _("The form is not complete. Reload the page and try again."))
    name = shell.STATES[state][0]
    facts = {"action": action, "state": name, "filter": asked.filter.text}
    access.about("operation", f"{action} {name}", after=facts)
    made = manager().operations.start(
        action, asked.filter.wanted, asked.filter.text, access.actor(), key, names=asked.filter.names
    )
    if not shell.wants_page():
        return {"id": made}, 201
    return redirect(url_for("pages.operation", job_id=made), 303)


@pages.get("/operations/<int:job_id>")
def operation(job_id: int) -> Any:
    """How far one is."""

    def work(tx: Tx) -> tuple[Operation | None, str | None]:
        state = jobs.current_states(tx, [job_id]).get(job_id)
        return operations.load(tx, job_id), state[0] if state else None

    found, state = read(work)
    if found is None:
        abort(404)
    return render_template(
        "operation.html", here="jobs", state="operations", job_id=job_id, one=found, job_state=state,
        started=times.parse(found.started), ended=times.parse(found.ended) if found.ended else None,
    )  # fmt: skip


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


def _ask(state: str, action: str, q: str, *, wrong: bool = False) -> str:
    asked = _asked(state, action, q)
    return render_template(
        "operation_new.html",
        here="jobs",
        state=state,
        asked=asked,
        many=asked.count > _MANY,
        key=new_key(),
        wrong=wrong,
    )


def _asked(state: str, action: str, q: str) -> Asked:
    allowed = ["requeue" if a == "enqueue" else a for a in ACTIONS.get(state, ())]
    if action not in allowed or state not in shell.STATES:
        abort(400, _("That cannot be done with jobs of this state."))
    if not access.may(f"jobs.{action}"):
        abort(403, f"jobs.{action}")
    seen = shell.seen()
    now = seen.snapshot.at if seen is not None else times.utcnow()
    parsed = filtering.parse(q, states=(shell.STATES[state][0],), now=now)
    if parsed.error:
        abort(400, parsed.error)
    if len(parsed.wanted.states) != 1 or parsed.wanted.states == ("no state",):
        abort(400, _("That cannot be done with jobs of this state."))

    def work(tx: Tx) -> tuple[int, tuple[Row, ...]]:
        first = monitoring_lists.page(tx, parsed.wanted, limit=_SAMPLES)
        return monitoring_lists.count(tx, parsed.wanted, first=first), first.rows

    count, samples = read(work)
    if parsed.names:
        samples = tuple(row for row in samples if meets(parsed.names, jobviews.arguments_of(row)))
    return Asked(state, action, parsed, count, samples)
