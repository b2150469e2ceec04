"""What people make of active alerts: acknowledged, snoozed, told of again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import InvalidArgument
from taskmanager.storage import alert_marks
from webui import access
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.views.recurring_actions import pause_end

_ALERT = "/alerts/active/<string(length=32):alert>"


@pages.post(f"{_ALERT}/acknowledge")
@needs("alerts.edit")
def alert_acknowledge(alert: str) -> Any:
    """Tell others that somebody looks after it, until it is over."""
    note = _note()
    about_alert(alert, {"acknowledged": True, "note": note})
    return _done(lambda: manager().active_alerts.acknowledge(alert, by=g.user.name, note=note), _("Acknowledged."))


@pages.post(f"{_ALERT}/snooze")
@needs("alerts.edit")
def alert_snooze(alert: str) -> Any:
    """Send nothing of it until a moment, or until it is over."""
    note, until = _note(), pause_end(request.form.get("until", ""))
    if until is None:
        flash(_("Until when? Name a moment."), "warn")
        return redirect(url_for("pages.alert_list"), 303)
    about_alert(alert, {"snoozed": until.isoformat(), "note": note})
    return _done(
        lambda: manager().active_alerts.snooze(alert, until=until, by=g.user.name, note=note),
        _("Nothing is sent of it until then."),
    )


@pages.post(f"{_ALERT}/wake")
@needs("alerts.edit")
def alert_wake(alert: str) -> Any:
    """Send messages of it again."""
    about_alert(alert, {"snoozed": None})
    return _done(lambda: manager().active_alerts.wake(alert), _("Messages of it are sent again."))


def about_alert(key: str, after: dict[str, Any]) -> None:
    """Say for the audit log which alert is changed, by its name."""
    known = read(lambda tx: alert_marks.name_of(tx, key))
    access.about("alert", known or key, after={name: value for name, value in after.items() if value is not None})


def _note() -> str | None:
    return request.form.get("note", "").strip() or None


def _done(change: Callable[[], bool], told: str) -> Any:
    try:
        was_active = change()
        flash(told if was_active else _("That alert is over."), "done" if was_active else "info")
    except InvalidArgument as error:
        flash(str(error), "warn")
    return redirect(url_for("pages.alert_list"), 303)
