"""Commands for alerts: who would be told, and a message to try it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import click

from taskmanager.app import TaskManager
from taskmanager.cli.common import Group, as_json, examples, fail, manager
from taskmanager.cli.recurring import call_of
from taskmanager.cli.texts import show, wall
from taskmanager.domain import times
from taskmanager.domain.alerts import AlertRule, Event
from taskmanager.domain.conditions import facts as about
from taskmanager.domain.conditions import in_words
from taskmanager.domain.errors import InvalidArgument, RecurringJobNotFound, UnknownJob
from taskmanager.engine import moving
from taskmanager.engine.alerts import names_of
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import alert_limits, conditions
from taskmanager.storage import alerts as rows
from taskmanager.storage.transaction import Tx
from taskmanager.tasks.webhooks import host_of

_TEST = "This is a test. Nothing has happened."


@click.group(cls=Group)
def alerts() -> None:
    """Alerts: list, test."""


@alerts.command("list", epilog=examples("alerts list", "alerts list --json"))
@as_json
@click.pass_context
def list_alerts(ctx: click.Context, as_json: bool) -> None:
    """All rules: rows of c_JobAlert, rows of c_Job that tell somebody, the installation's, and @job(alerts=…)."""
    tm = manager(ctx)
    show(tm.database.read(lambda tx: _all(tm, tx)), json_wanted=as_json, empty="nobody is told of anything")


@alerts.command(epilog=examples("alerts test nightly", "alerts test shop.jobs:send_mail --discover shop.jobs"))
@click.argument("job")
@click.pass_context
def test(ctx: click.Context, job: str) -> None:
    """Send a message now to all whom the rules of JOB name. It counts towards no limit."""
    tm = manager(ctx)
    if not tm.settings.alerts_enabled:
        raise InvalidArgument("alerts are switched off: alerts_enabled is false")
    facts = _facts(tm, job)
    facts["at"] = times.to_iso(tm.database.read(lambda tx: tx.now()))
    found = tm.database.read(lambda tx: tm.notifier.sources(tx, facts))
    channels = tm.notifier.channels(found, f"<{uuid.uuid4().hex}@taskmanager>")
    if found.rules and not channels:
        raise InvalidArgument(
            f"the rules of {job!r} name nobody, and alert_recipients is empty: name somebody in the rule or there"
        )
    if not channels:
        unknown = facts.pop("unknown", None)
        code = f"; its code, {unknown}, is not known here: set `discover`" if unknown else ""
        raise InvalidArgument(f"no rule says who is told of {job!r}{code}; see `taskmanager alerts list`")
    done = tm.notifier.deliver(channels, tm.notifier.compose(facts))
    wrong = [one.told for one in done if one.error is not None or one.told.startswith("nothing")]
    for one in done:
        if one.told not in wrong:
            click.echo(one.told)
    row = tm.database.read(lambda tx: rows.load(tx, facts["alert_id"])) if facts.get("alert_id") else None
    wrong += [f"EmailRecipients: {one!r} is no mail address" for one in (row.left_out if row else ())]
    if wrong:
        fail("; ".join(wrong))


def _facts(tm: TaskManager, lookup: str) -> dict[str, Any]:
    """What a message of this job would be about, by any of the names that rules may use."""
    definition: JobDefinition | None = None
    recurring: Any = None
    try:
        definition = tm.registry.find(lookup)
    except UnknownJob:
        try:
            recurring = tm.recurring_jobs.find(lookup)
        except RecurringJobNotFound:
            recurring = None
    calls = call_of(recurring) if recurring is not None and moving.procedure_of(recurring) is None else None
    definition = definition or (tm.registry.get(calls) if calls else None)
    names = {lookup.strip().lower(), *names_of(definition, definition.title if definition else "", None)}
    if recurring is not None:
        names |= {n.strip().lower() for n in (recurring.id, recurring.name or "") if n}
    of_all = (c for c, _ in tm.conditions.all() if c.title.lower() == lookup.strip().lower())
    if definition is None and recurring is None and (found := next(of_all, None)) is not None:
        return about(found, Event.TEST, "", _TEST)
    known = tm.database.read(rows.load_all)
    row = next((r for r in known if r.name.strip().lower() in names), None)
    if row is None and definition is None and recurring is None:
        raise UnknownJob(f"no job, recurring job or rule is named {lookup!r}")
    title = definition.title if definition else (recurring.name if recurring else None) or lookup
    facts: dict[str, Any] = {"event": str(Event.TEST), "job": title, "message": _TEST}
    if definition is not None:
        facts["function"] = definition.name
    elif calls:
        facts["unknown"] = calls
    if recurring is not None:
        facts["recurring_id"] = recurring.id
    if row is not None:
        facts["alert_id"] = row.id
    return facts


def _all(tm: TaskManager, tx: Tx) -> list[dict[str, Any]]:
    found, missed = [], tm.settings.alert_missed_seconds or None
    for row in rows.load_all(tx):
        rule = replace(row.rule, missed_by=missed) if Event.FAILURE in row.rule.on else row.rule
        told = _told(tx, "c_JobAlert", row.name, rule) | {"last_sent": wall(row.last_sent)}
        if row.left_out:
            told["to"] += f"; no address: {', '.join(row.left_out)}"
        found.append(told)
    for_all = {Event.FAILURE, Event.WARNING, Event.MISSED} if rows.is_older(tx) else {Event.FAILURE}
    defaults = rows.of_all_others(tx)
    for one in rows.telling(tx):
        of_row = set(for_all) if one.columns[0] != rows.TOLD_SUCCESSES or defaults else set[Event]()
        of_row |= {Event.SUCCESS} if rows.TOLD_SUCCESSES in one.columns else set()
        missed_by = None if Event.MISSED in for_all else missed
        rule = AlertRule(on=frozenset(of_row), to=rows.recipients(tx, one.id), missed_by=missed_by)
        found.append(_told(tx, f"c_job:{one.id}", one.name, rule))
    if defaults:
        found.append(_told(tx, "c_SystemDefault", "all other rows", AlertRule(on=frozenset(for_all), to=defaults)))
    for one_condition, standing in conditions.load_all(tx):
        rule = replace(one_condition.rule, on=frozenset())
        told = _told(tx, "installation", one_condition.title, rule, counted=one_condition.name)
        found.append(told | {"on": in_words(one_condition) + (": true now" if standing.is_red else "")})
    for definition in tm.registry:
        if definition.alerts is not None:
            found.append(_told(tx, "code", definition.title, definition.alerts))
    return [{"last_sent": None} | row for row in found]


def _told(tx: Tx, source: str, name: str, rule: AlertRule, *, counted: str | None = None) -> dict[str, Any]:
    """A rule for people: of webhooks no more than their host is shown."""
    on = sorted(map(str, rule.on))
    on += [f"slow ({rule.longer_than_ms} ms)"] if rule.longer_than_ms is not None else []
    on += [f"missed ({rule.missed_by:g} s)"] if rule.missed_by is not None else []
    channels = list(rule.to)
    channels += [f"{kind} at {host_of(url)}" for kind, url in (("slack", rule.slack), ("teams", rule.teams)) if url]
    channels += [f"apprise by {url.partition('://')[0]}" for url in rule.urls]
    sent, suppressed = alert_limits.counts(tx, counted or name)
    return {
        "source": source, "job": name, "on": ", ".join(on), "to": ", ".join(channels) or "alert_recipients",
        "max_per_hour": rule.max_per_hour, "sent_this_hour": sent, "suppressed": suppressed,
    }  # fmt: skip
