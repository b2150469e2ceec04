"""Rules about the installation at /api/v1/alerts/conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskmanager.domain.alerts import key_of
from taskmanager.domain.conditions import Condition, Standing
from taskmanager.domain.quiet import Quiet
from taskmanager.storage import quiet_hours
from taskmanager.tasks.webhooks import host_of
from webui import access
from webui.api import idempotency, lookschemas, systemschemas
from webui.api.fields import quiet_fields, quiet_told
from webui.api.problems import refuse, told
from webui.api.routing import created, group, operation
from webui.blueprint import manager, read
from webui.views.alerts_conditions import facts_of, save, send_test

of_all = group("conditions", "Rules about the installation")

_ALL = "/api/v1/alerts/conditions"
_ONE = f"{_ALL}/<conditionId>"


@operation(of_all, "GET", _ALL, gives=lambda: lookschemas.InstallationRule(many=True))
def list_conditions() -> Any:
    """All rules about the installation, and how they stand."""
    known = manager().conditions.all()
    quiet = read(quiet_hours.of_all)
    return [_rule(*one, quiet.get(key_of(one[0].name))) for one in known]


@operation(of_all, "GET", _ONE, gives=lookschemas.InstallationRule)
def get_condition(condition_id: str) -> Any:
    """One rule about the installation."""
    return _one(*_must(condition_id))


@operation(
    of_all, "POST", _ALL, needs="alerts.edit", body=lookschemas.SaveCondition, gives=lookschemas.InstallationRule,
    status=201, creates=True, also={409: "the name is taken; or the rule this key made was removed"},
)  # fmt: skip
def create_condition(body: Mapping[str, Any]) -> Any:
    """Make a rule about the installation; a name is taken once."""
    key = idempotency.given()
    if (key is None or not key.is_done()) and _named(body["name"]) is not None:
        refuse(409, "Alerts.Exists", f"there is a rule {body['name']!r} already")
    with told(field="name"):
        save(_fields(body), None, lambda write: idempotency.done_once(key, write))
    made = _named(body["name"])
    if made is None:
        refuse(409, "Idempotency.Gone", f"the rule {body['name']!r}, made under this key, was removed")
    return created("api-conditions.get_condition", _one(*made), conditionId=made[0].id)


@operation(
    of_all, "PUT", _ONE, needs="alerts.edit", body=lookschemas.SaveCondition, gives=lookschemas.InstallationRule
)  # fmt: skip
def put_condition(body: Mapping[str, Any], condition_id: str) -> Any:
    """Replace what a rule about the installation says; how it stands begins anew."""
    known, _ = _must(condition_id)
    with told(field="name"):
        save(_fields(body), known)
    return _one(*_must(condition_id))


@operation(of_all, "DELETE", _ONE, needs="alerts.edit")
def delete_condition(condition_id: str) -> None:
    """Delete a rule about the installation."""
    known, _ = _must(condition_id)
    access.about("alert", known.title, before=facts_of(known))
    manager().conditions.remove(condition_id)


@operation(of_all, "POST", f"{_ONE}/test", needs="alerts.edit", gives=systemschemas.Tested)
def test_condition(condition_id: str) -> Any:
    """Send a message now to all whom the rule names; it counts towards no limit."""
    known, _ = _must(condition_id)
    access.about("alert", known.title, note="test")
    good, bad = send_test(known)
    return {"sent": good, "failed": bad}


def _must(condition_id: str) -> tuple[Condition, Standing]:
    found = next((one for one in manager().conditions.all() if one[0].id == condition_id), None)
    if found is None:
        refuse(404, "Alerts.NotFound", f"there is no rule {condition_id!r}")
    return found


def _named(name: str) -> tuple[Condition, Standing] | None:
    return next((one for one in manager().conditions.all() if one[0].title.lower() == name.strip().lower()), None)


def _fields(body: Mapping[str, Any]) -> dict[str, str]:
    """The rule as its form has it."""
    most, hooks = body["maxAlertsPerHour"], {"slack": body["slackWebhook"], "teams": body["teamsWebhook"]}
    return {
        "title": body["name"], "kind": body["kind"], "queue": body["queue"] or "",
        "to": ", ".join(body["emailRecipients"]), "max_per_hour": "" if most is None else str(most),
        **{name: str(body[name]) for name in ("seconds", "percent", "runs", "minutes")},
        **{name: "" if value is None else value or "-" for name, value in hooks.items()},
        **quiet_fields(body["quietHours"]),
    }  # fmt: skip


def _one(one: Condition, standing: Standing) -> dict[str, Any]:
    return _rule(one, standing, read(lambda tx: quiet_hours.of(tx, one.name)))


def _rule(one: Condition, standing: Standing, quiet: Quiet | None) -> dict[str, Any]:
    rule = one.rule
    return {
        "id": one.id, "name": one.title, "kind": str(one.kind), "queue": one.queue, "seconds": one.seconds,
        "percent": one.percent, "runs": one.runs, "minutes": one.minutes, "emailRecipients": list(rule.to),
        "slackWebhook": host_of(rule.slack) if rule.slack else None,
        "teamsWebhook": host_of(rule.teams) if rule.teams else None, "maxAlertsPerHour": rule.max_per_hour,
        "isTrue": standing.is_red, "quietHours": quiet_told(quiet),
    }  # fmt: skip
