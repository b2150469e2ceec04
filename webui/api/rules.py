"""Rules of alerts at /api/v1/alerts: the rows of c_JobAlert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskmanager.domain.alerts import Event, key_of
from taskmanager.domain.quiet import Quiet, parse
from taskmanager.engine.alert_rules import rule_of
from taskmanager.engine.legacy_schedule import PREFIX
from taskmanager.storage import alert_limits, alert_messages, monitoring_lists, quiet_hours
from taskmanager.storage import alerts as rows
from taskmanager.storage.alert_marks import ActiveAlert
from taskmanager.storage.alerts import AlertRow
from taskmanager.storage.monitoring_lists import Row
from taskmanager.storage.transaction import Tx
from taskmanager.tasks.webhooks import host_of
from webui import access, cursors, jobviews
from webui.api import idempotency, lookschemas, shapes, systemschemas, workschemas
from webui.api.fields import quiet_fields, quiet_told
from webui.api.problems import refuse, told
from webui.api.routing import created, group, operation
from webui.api.work import place, row
from webui.blueprint import manager, read
from webui.views.alerts import SHOWN, facts_of, send_test
from webui.views.alerts_active import about_alert

rules = group("alerts", "Alerts")

_ONE = "/api/v1/alerts/<int:alertId>"
_ACTIVE = "/api/v1/alerts/active/<alert>"
_MESSAGES = 20


@operation(rules, "GET", "/api/v1/alerts", gives=lambda: systemschemas.Rule(many=True))
def list_alerts() -> Any:
    """All rules."""

    def work(tx: Tx) -> Any:
        known, quiet = rows.load_all(tx), quiet_hours.of_all(tx)
        counts, _ = alert_limits.standing(tx, [one.name for one in known], 0)
        return known, quiet, counts, rows.failing(tx)

    known, quiet, counts, failing = read(work)
    return [
        _rule(one, quiet.get(key_of(one.name)), counts[one.name], key_of(one.name) in failing) for one in known
    ]  # fmt: skip


@operation(rules, "GET", "/api/v1/alerts/messages", gives=lambda: lookschemas.AlertMessage(many=True))
def list_messages() -> Any:
    """The messages of late, the newest first."""
    found = read(lambda tx: monitoring_lists.rows_of(tx, alert_limits.lately(tx, _MESSAGES)))
    return [row(one) | {"outcome": shapes.text(_outcome(one))} for one in found]


@operation(
    rules, "GET", "/api/v1/alerts/sent", query=workschemas.Cursor, gives=lookschemas.SentPage
)  # fmt: skip
def list_sent(query: Mapping[str, Any]) -> Any:
    """What became of messages, each try, the newest first; kept for 90 days."""
    at = place(query["after"], 1, "after")
    before = int(at[0]) if at else alert_messages.NEWEST
    found, older = read(lambda tx: alert_messages.page(tx, query["limit"], before))
    items = [
        {"jobId": one.job_id, "at": one.at, "event": one.event, "about": one.about, "outcome": one.outcome,
         "told": shapes.text(one.told)} for one in found
    ]  # fmt: skip
    return {"items": items, "next": cursors.write(older) if older else None}


@operation(rules, "GET", "/api/v1/alerts/active", gives=lambda: lookschemas.ActiveAlert(many=True))
def list_active_alerts() -> Any:
    """What failed, was told of and is not over, the last failure first; at most 200."""
    _, found = read(lambda tx: alert_limits.standing(tx, [], SHOWN))
    return [_active(one) for one in found]


@operation(rules, "POST", f"{_ACTIVE}/acknowledge", needs="alerts.edit", body=lookschemas.Acknowledge)
def acknowledge_alert(body: Mapping[str, Any], alert: str) -> None:
    """Tell others that somebody looks after it, until it is over. Acknowledged again, it has the new note."""
    about_alert(alert, {"acknowledged": True, "note": body["note"]})
    by = access.actor("api").user
    with told(field="note"):
        _must_be_active(manager().active_alerts.acknowledge(alert, by=by, note=body["note"]), alert)


@operation(rules, "POST", f"{_ACTIVE}/snooze", needs="alerts.edit", body=lookschemas.Snooze)
def snooze_alert(body: Mapping[str, Any], alert: str) -> None:
    """Send nothing of it until a moment, or until it is over. Snoozed again, it has the new note and end."""
    about_alert(alert, {"snoozed": f"{body['until'].isoformat()}Z", "note": body["note"]})
    by = access.actor("api").user
    with told(field="until"):
        done = manager().active_alerts.snooze(alert, until=body["until"], by=by, note=body["note"])
    _must_be_active(done, alert)


@operation(rules, "POST", f"{_ACTIVE}/wake", needs="alerts.edit")
def wake_alert(alert: str) -> None:
    """Send messages of it again."""
    about_alert(alert, {"snoozed": None})
    _must_be_active(manager().active_alerts.wake(alert), alert)


@operation(rules, "GET", "/api/v1/alerts/elsewhere", gives=lambda: lookschemas.OtherAlert(many=True))
def list_other_alerts() -> Any:
    """Who is told of something without a rule of c_JobAlert."""
    mailing = [
        {"job": name, "recurringId": f"{PREFIX}{row_id}", "source": "EmailOnFailure"}
        for row_id, name in read(rows.all_mailing)
    ]
    in_code = [one for one in manager().registry if one.alerts is not None]
    return mailing + [{"job": one.title, "recurringId": None, "source": "@job(alerts=…)"} for one in in_code]


@operation(rules, "GET", _ONE, gives=systemschemas.Rule)
def get_alert(alert_id: int) -> Any:
    """One rule."""
    return _one(_must(alert_id))


@operation(
    rules, "POST", "/api/v1/alerts", needs="alerts.edit", body=systemschemas.SaveRule, gives=systemschemas.Rule,
    status=201, creates=True, also={409: "the job name has a rule; or the rule this key made was removed"},
)  # fmt: skip
def create_alert(body: Mapping[str, Any]) -> Any:
    """Make a rule; a job name has one."""
    key = idempotency.given()
    if (key is None or not key.is_done()) and _named(body["jobName"]) is not None:
        refuse(409, "Alerts.Exists", f"there is a rule for {body['jobName']!r} already")
    _save(None, None, body, key)
    made = _named(body["jobName"])
    if made is None:
        refuse(409, "Idempotency.Gone", f"the rule for {body['jobName']!r}, made under this key, was removed")
    return created("api-alerts.get_alert", _one(made), alertId=made.id)


@operation(rules, "PUT", _ONE, needs="alerts.edit", body=systemschemas.SaveRule, gives=systemschemas.Rule)
def put_alert(body: Mapping[str, Any], alert_id: int) -> Any:
    """Replace what a rule says."""
    _save(alert_id, _must(alert_id), body)
    return _one(_must(alert_id))


@operation(rules, "DELETE", _ONE, needs="alerts.edit")
def delete_alert(alert_id: int) -> None:
    """Delete a rule."""
    known = _must(alert_id)
    access.about("alert", known.name, before=facts_of(known))
    manager().alert_rules.remove(alert_id)


@operation(rules, "POST", f"{_ONE}/test", needs="alerts.edit", gives=systemschemas.Tested)
def test_alert(alert_id: int) -> Any:
    """Send a message now to all whom the rule names; it counts towards no limit."""
    known = _must(alert_id)
    access.about("alert", known.name, note="test")
    good, bad = send_test(known)
    return {"sent": good, "failed": bad}


def _save(
    alert_id: int | None, known: AlertRow | None, body: Mapping[str, Any], key: idempotency.Key | None = None
) -> None:
    name = body["jobName"].strip()
    rule, hours = rule_of(_fields(body), known), _quiet(body)
    after = facts_of(AlertRow(alert_id or 0, name, rule, None))
    access.about("alert", name or "-", before=None if known is None else facts_of(known), after=after)
    with told(field="jobName"):
        idempotency.done_once(key, lambda: manager().alert_rules.save(alert_id, name, rule, hours))


def _named(name: str) -> AlertRow | None:
    return next((one for one in read(rows.load_all) if one.name.strip().lower() == name.strip().lower()), None)


def _quiet(body: Mapping[str, Any]) -> Quiet | None:
    with told(field="quietHours"):
        return parse(quiet_fields(body["quietHours"]))


def _fields(body: Mapping[str, Any]) -> dict[str, str]:
    """The rule as its form has it."""
    numbers = {"longer_than_ms": body["onDurationExceeds"], "max_per_hour": body["maxAlertsPerHour"]}
    hooks = {"slack": body["slackWebhook"], "teams": body["teamsWebhook"]}
    return {
        "on_failure": "1" if body["onFailure"] else "", "on_success": "1" if body["onSuccess"] else "",
        "to": ", ".join(body["emailRecipients"]),
        **{name: "" if value is None else str(value) for name, value in numbers.items()},
        **{name: "" if value is None else value or "-" for name, value in hooks.items()},
    }  # fmt: skip


def _must(alert_id: int) -> AlertRow:
    found = read(lambda tx: rows.load(tx, alert_id)) if alert_id < 1 << 31 else None
    if found is None:
        refuse(404, "Alerts.NotFound", f"there is no rule {alert_id}")
    return found


def _must_be_active(done: bool, alert: str) -> None:
    if not done:
        refuse(404, "Alerts.NotActive", f"no active alert has the key {alert!r}: it may be over")


def _active(one: ActiveAlert) -> dict[str, Any]:
    seen, snoozed = one.acknowledged, one.snoozed
    return {
        "key": one.key, "jobName": one.name or None, "since": one.since, "lastFailed": one.last, "failures": one.times,
        "acknowledgedBy": seen.by if seen else None, "acknowledgedAt": seen.at if seen else None,
        "acknowledgedNote": shapes.text(seen.note) if seen else None,
        "snoozedUntil": snoozed.until if snoozed else None, "snoozedBy": snoozed.by if snoozed else None,
        "snoozedNote": shapes.text(snoozed.note) if snoozed else None,
    }  # fmt: skip


def _outcome(one: Row) -> str | None:
    return (
        jobviews.plain(one.data["Result"]) if one.data.get("Result") else jobviews.error_of(one.data)[1] or one.reason
    )


def _one(one: AlertRow) -> dict[str, Any]:
    return _rule(one, read(lambda tx: quiet_hours.of(tx, one.name)))


def _rule(
    one: AlertRow, quiet: Quiet | None, counts: tuple[int, int] | None = None, is_failing: bool | None = None
) -> dict[str, Any]:  # fmt: skip
    """A rule; counts: of messages sent in the last hour and held back, asked for when None."""
    if counts is None or is_failing is None:
        counts, failing = read(lambda tx: (alert_limits.counts(tx, one.name), rows.failing(tx)))
        is_failing = key_of(one.name) in failing
    rule = one.rule
    return {
        "sentInLastHour": counts[0], "heldBack": counts[1], "isFailing": is_failing,
        "id": one.id, "jobName": one.name, "onFailure": Event.FAILURE in rule.on, "onSuccess": Event.SUCCESS in rule.on,
        "onDurationExceeds": rule.longer_than_ms, "emailRecipients": list(rule.to),
        "slackWebhook": host_of(rule.slack) if rule.slack else None,
        "teamsWebhook": host_of(rule.teams) if rule.teams else None, "maxAlertsPerHour": rule.max_per_hour,
        "lastAlertSent": one.last_sent, "quietHours": quiet_told(quiet),
    }  # fmt: skip
