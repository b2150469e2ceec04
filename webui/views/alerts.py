"""Alerts: who is told of what, what was sent and held back; rules are edited and tried."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from taskmanager.domain import times
from taskmanager.domain.alerts import Event, key_of
from taskmanager.domain.conditions import Condition, Kind
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.quiet import parse as quiet_of
from taskmanager.engine.alert_rules import rule_of
from taskmanager.storage import (
    alert_limits,
    alert_messages,
    conditions,
    monitoring_failures,
    monitoring_lists,
    quiet_hours,
)
from taskmanager.storage import alerts as rows
from taskmanager.storage.alerts import AlertRow
from taskmanager.storage.transaction import Tx
from taskmanager.tasks.webhooks import host_of
from webui import access, cursors
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.views.failures import title_of
from webui.views.lists import SIZES, size

#: What conditions are about, in short.
KINDS = {
    Kind.LATENCY: _l("a slow queue"),
    Kind.NO_SERVER: _l("no server is alive"),
    Kind.UNSERVED: _l("jobs without a server"),
    Kind.FAILURE_RATE: _l("too many failures"),
}
#: What became of a message: a state for its colour, and in words.
OUTCOMES = {
    "sent": ("Succeeded", _l("sent")),
    "failed": ("Failed", _l("not sent")),
    "held": ("Scheduled", _l("held back")),
}
#: What a test says.
TEST = "This is a test. Nothing has happened."
#: As many active alerts are shown, the last first.
SHOWN = 200
#: Names of jobs that failed of late, of which a rule is suggested where there is none.
_SUGGESTED = 5


@pages.get("/alerts")
def alert_list() -> str:
    """What is active and the rules; or what became of messages."""
    tab = request.args.get("tab", "")
    if tab == "sent":
        return _messages()
    tm = manager()

    def work(tx: Tx) -> Any:
        known = rows.load_all(tx)
        of_all = conditions.load_all(tx)
        told, active = alert_limits.standing(tx, [r.name for r in known], SHOWN)
        failed = [] if known or of_all or active else monitoring_failures.groups(tx)[0]
        return of_all, known, told, active, rows.telling(tx), rows.of_all_others(tx), failed

    of_all, known, told, active, telling, others, failed = read(work)
    in_code = [d for d in tm.registry if d.alerts is not None]
    suggested = list(dict.fromkeys(map(title_of, failed)))[:_SUGGESTED]
    return render_template(
        "alerts.html", here="alerts", active=active, rules=known, conditions=of_all, told=told,
        failing={one.key for one in active}, telling=telling, others=others, tab=tab, in_code=in_code,
        suggested=suggested, key_of=_key, channels=channels, events=_events, words=condition_words, kinds=KINDS,
        missed=tm.settings.alert_missed_seconds,
    )  # fmt: skip


def _messages() -> str:
    """What became of messages, page by page."""
    place = cursors.read(request.args.get("after"), 1)
    limit = size()

    def work(tx: Tx) -> Any:
        found, older = alert_messages.page(tx, limit, int(place[0]) if place else alert_messages.NEWEST)
        return (
            found,
            older,
            {row.id: row for row in monitoring_lists.rows_of(tx, sorted({one.job_id for one in found}))},
        )

    found, older, jobs = read(work)
    return render_template(
        "alerts_sent.html", here="alerts", tab="sent", sent=found, jobs=jobs, outcomes=OUTCOMES, first=place is None,
        older=cursors.write(older) if older else None, size=limit, sizes_list=SIZES,
    )  # fmt: skip


@pages.get("/alerts/rules/new")
@pages.get("/alerts/rules/<int:alert_id>")
@needs("alerts.edit")
def alert_rule(alert_id: int | None = None) -> str:
    """A rule, to be edited."""
    return _form(alert_id, None if alert_id is None else _known(alert_id))


@pages.post("/alerts/rules")
@pages.post("/alerts/rules/<int:alert_id>")
@needs("alerts.edit")
def alert_save(alert_id: int | None = None) -> Any:
    """Save a rule."""
    known = None if alert_id is None else _known(alert_id)
    name = request.form.get("name", "")
    before = None if known is None else facts_of(known)
    try:
        rule = rule_of(request.form, known)
        after = facts_of(AlertRow(alert_id or 0, name.strip(), rule, None))
        access.about("alert", name.strip() or "-", before=before, after=after)
        manager().alert_rules.save(alert_id, name, rule, quiet_of(request.form))
    except InvalidArgument as error:
        return _form(alert_id, known, str(error)), 422
    flash(_("The rule is saved."), "done")
    return redirect(url_for("pages.alert_list"), 303)


@pages.post("/alerts/rules/<int:alert_id>/remove")
@needs("alerts.edit")
def alert_remove(alert_id: int) -> Any:
    """Delete a rule."""
    known = _known(alert_id)
    access.about("alert", known.name, before=facts_of(known))
    manager().alert_rules.remove(alert_id)
    flash(_("The rule is removed."), "done")
    return redirect(url_for("pages.alert_list"), 303)


@pages.post("/alerts/rules/<int:alert_id>/test")
@needs("alerts.edit")
def alert_test(alert_id: int) -> Any:
    """Send a message now to all whom the rule names; it counts towards no limit."""
    known = _known(alert_id)
    access.about("alert", known.name, note="test")
    tell_test(*send_test(known))
    return redirect(url_for("pages.alert_list"), 303)


def tell_test(good: Collection[str], bad: Collection[str]) -> None:
    """Show what came of a test on the next page."""
    if not good and not bad:
        flash(_("Nobody is told: alerts are off, or the rule and alert_recipients name nobody."), "warn")
    for what in good:
        flash(_("Sent: %(what)s", what=what), "done")
    for what in bad:
        flash(_("Not sent: %(what)s", what=what), "warn")


def send_test(known: AlertRow) -> tuple[list[str], list[str]]:
    """Send a message to all whom a rule names; what was sent, and what was not."""
    return send_now({"event": str(Event.TEST), "job": known.name, "message": TEST, "alert_id": known.id})


def send_now(about: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The same of any facts, to whom they concern."""
    tm = manager()
    now = read(lambda tx: tx.now())
    facts = {"at": times.to_iso(now), **about}
    found = read(lambda tx: tm.notifier.sources(tx, facts))
    channels = tm.notifier.channels(found, f"<{uuid.uuid4().hex}@taskmanager>")
    good, bad = list[str](), list[str]()
    for one in tm.notifier.deliver(channels, tm.notifier.compose(facts)) if tm.settings.alerts_enabled else ():
        (good if one.error is None and not one.told.startswith("nothing") else bad).append(one.told)
    return good, bad


def _key(name: str) -> str:
    """The key by which an active alert is known, of a rule's name."""
    return key_of(name).rpartition(":")[2]


def _known(alert_id: int) -> AlertRow:
    found = read(lambda tx: rows.load(tx, alert_id))
    if found is None:
        abort(404)
    return found


def _form(alert_id: int | None, known: AlertRow | None, error: str = "") -> str:
    hours = read(lambda tx: quiet_hours.of(tx, known.name)) if known is not None else None
    return render_template(
        "alert_rule.html", here="alerts", alert_id=alert_id, known=known, error=error, host_of=host_of, quiet=hours
    )


def facts_of(row: AlertRow) -> dict[str, Any]:
    """A rule for the audit log; of webhooks no more than their host."""
    return {
        "job": row.name,
        "on": ", ".join(_events(row)),
        "to": ", ".join(channels(row)),
        "max": row.rule.max_per_hour,
    }


def channels(row: AlertRow | Condition) -> list[str]:
    """Whom a rule tells; of webhooks no more than their host."""
    rule = row.rule
    webhooks = (("Slack", rule.slack), ("Teams", rule.teams))
    return [*rule.to, *(f"{kind} ({host_of(url)})" for kind, url in webhooks if url)]


def condition_words(one: Condition) -> str:
    """What a condition is about, in the reader's language."""
    where = _("queue %(name)s", name=one.queue) if one.queue else _("any queue")
    seconds = f"{one.seconds:g}"
    if one.kind is Kind.LATENCY:
        return str(_("the next job of %(queue)s has waited longer than %(seconds)s s", queue=where, seconds=seconds))
    if one.kind is Kind.NO_SERVER:
        return str(_("no server has been alive for %(seconds)s s", seconds=seconds))
    if one.kind is Kind.UNSERVED:
        return str(_("jobs of %(queue)s have had no server for %(seconds)s s", queue=where, seconds=seconds))
    percent, runs, minutes = f"{one.percent:g} %", one.runs, one.minutes
    return str(
        _(
            "more than %(percent)s of at least %(runs)s runs within %(minutes)s min failed",
            percent=percent, runs=runs, minutes=minutes,
        )
    )  # fmt: skip


def _events(row: AlertRow) -> list[str]:
    found = [_("failure")] if Event.FAILURE in row.rule.on else []
    found += [_("success")] if Event.SUCCESS in row.rule.on else []
    longer = row.rule.longer_than_ms
    return found + ([_("longer than %(ms)s ms", ms=longer)] if longer is not None else [])
