"""Rules about the installation as a whole: latency of queues, no server, a rate of failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.alerts import Event
from taskmanager.domain.conditions import Condition, Kind, facts, in_words
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.quiet import parse as quiet_of
from taskmanager.engine.conditions import condition_of
from taskmanager.storage import quiet_hours
from taskmanager.tasks.webhooks import host_of
from webui import access
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.views.alerts import KINDS, TEST, channels, send_now, tell_test

_ONE = "/alerts/conditions/<condition_id>"


@pages.get("/alerts/conditions/new")
@pages.get(_ONE)
@needs("alerts.edit")
def alert_condition(condition_id: str | None = None) -> str:
    """A rule about the installation, to be edited."""
    return _form(None if condition_id is None else _known(condition_id))


@pages.post("/alerts/conditions")
@pages.post(_ONE)
@needs("alerts.edit")
def condition_save(condition_id: str | None = None) -> Any:
    """Save a rule about the installation."""
    known = None if condition_id is None else _known(condition_id)
    try:
        save(request.form.to_dict(), known)
    except InvalidArgument as error:
        return _form(known, str(error)), 422
    flash(_("The rule is saved."), "done")
    return redirect(url_for("pages.alert_list"), 303)


@pages.post(f"{_ONE}/remove")
@needs("alerts.edit")
def condition_remove(condition_id: str) -> Any:
    """Delete a rule about the installation."""
    known = _known(condition_id)
    access.about("alert", known.title, before=facts_of(known))
    manager().conditions.remove(condition_id)
    flash(_("The rule is removed."), "done")
    return redirect(url_for("pages.alert_list"), 303)


@pages.post(f"{_ONE}/test")
@needs("alerts.edit")
def condition_test(condition_id: str) -> Any:
    """Send a message now to all whom the rule names; it counts towards no limit."""
    known = _known(condition_id)
    access.about("alert", known.title, note="test")
    tell_test(*send_test(known))
    return redirect(url_for("pages.alert_list"), 303)


def send_test(known: Condition) -> tuple[list[str], list[str]]:
    """Send a message to all whom a condition names; what was sent, and what was not."""
    told = facts(known, Event.TEST, "", TEST)
    del told["at"]
    return send_now(told)


def save(
    fields: dict[str, str], known: Condition | None, once: Callable[[Callable[[], None]], Any] = lambda write: write()
) -> None:
    """Write a condition as a form's fields describe it, and for the audit log. Raises InvalidArgument.

    once: what does the writing, where it may have been done before.
    """
    made = condition_of(fields, known)
    access.about(
        "alert", made.title, before=None if known is None else facts_of(known), after=facts_of(made)
    )  # fmt: skip
    hours = quiet_of(fields)
    once(lambda: manager().conditions.save(made, hours))


def facts_of(one: Condition) -> dict[str, Any]:
    """A condition for the audit log; of webhooks no more than their host."""
    return {"job": one.title, "on": in_words(one), "to": ", ".join(channels(one)), "max": one.rule.max_per_hour}


def _known(condition_id: str) -> Condition:
    found = manager().conditions.get(condition_id)
    if found is None:
        abort(404)
    return found


def _form(known: Condition | None, error: str = "") -> str:
    hours = read(lambda tx: quiet_hours.of(tx, known.name)) if known is not None else None
    return render_template(
        "alert_condition.html", here="alerts", known=known, quiet=hours, error=error, kinds=KINDS, host_of=host_of,
        shown=known or Condition(id="", title="", kind=Kind.LATENCY),
    )  # fmt: skip
