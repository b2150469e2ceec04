"""Rules of c_JobAlert as people write them: checked, saved, removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import EllipsisType
from typing import Any

from taskmanager.domain import alerts as domain
from taskmanager.domain.alerts import AlertRule, Event
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.quiet import Quiet
from taskmanager.domain.texts import whole
from taskmanager.storage import alert_marks, alerts, quiet_hours
from taskmanager.storage.alerts import AlertRow
from taskmanager.storage.database import Database, DuplicateKey
from taskmanager.storage.transaction import Tx

_LONGEST, _LONGEST_NAME, _MOST = 500, 100, 2**31 - 1


class AlertRules:
    """The rows of c_JobAlert of one installation."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def save(
        self, alert_id: int | None, name: str, rule: AlertRule, quiet: Quiet | EllipsisType | None = ...
    ) -> None:  # fmt: skip
        """Write a rule for a job name; a new one without `alert_id`. Raises InvalidArgument that says what is wrong.

        quiet: its quiet hours; they stay as they are unless it is said.
        """
        values = {
            "JobName": name.strip(), "AlertOnFailure": int(Event.FAILURE in rule.on),
            "AlertOnSuccess": int(Event.SUCCESS in rule.on), "AlertOnDurationExceeds": rule.longer_than_ms,
            "EmailRecipients": ", ".join(rule.to) or None, "SlackWebhook": rule.slack, "TeamsWebhook": rule.teams,
            "MaxAlertsPerHour": rule.max_per_hour,
        }  # fmt: skip
        _check(values)

        def work(tx: Tx) -> None:
            known = alerts.load(tx, alert_id) if alert_id is not None else None
            if alert_id is not None and known is None:
                raise InvalidArgument("that rule was removed meanwhile")
            if known is not None and domain.key_of(known.name) != domain.key_of(name):
                alert_marks.over(tx, domain.key_of(known.name))  # nothing would end it under the old name
                quiet_hours.save(tx, name, quiet_hours.of(tx, known.name))
                quiet_hours.save(tx, known.name, None)
            if not isinstance(quiet, EllipsisType):
                quiet_hours.save(tx, name, quiet)
            alerts.write(tx, alert_id, values)

        try:
            self.database.run(work)
        except DuplicateKey:
            raise InvalidArgument(f"there is a rule for {name.strip()!r} already") from None

    def follow(self, row_id: int, name: str) -> str | None:
        """Let c_JobAlert tell of a job what EmailOnFailure told of a row of c_Job; what to know of it, or None.

        Its row's recipients are added to a rule that is there; one that mails to whom all mails go stays as it is.
        """

        def read(tx: Tx) -> tuple[tuple[str, ...], AlertRow | None] | None:
            if not alerts.mailing(tx, [row_id]):
                return None
            same = (r for r in alerts.load_all(tx) if r.name.strip().lower() == name.strip().lower())
            return alerts.recipients(tx, row_id), next(same, None)

        found = self.database.read(read)
        if found is None:
            return None
        to, known = found
        before = known.rule if known is not None else AlertRule(to=to)
        if not (before.to or before.has_other_channels) and to:
            return "EmailOnFailure: its rule in c_JobAlert names nobody; look whom it is to tell"
        made = replace(before, to=domain.union((*before.to, *to)), on=before.on | AlertRule().on)
        self.save(known.id if known is not None else None, name, made)
        return "EmailOnFailure: told by a rule in c_JobAlert now"

    def remove(self, alert_id: int) -> bool:
        """Delete a rule; whether there was one."""
        return self.database.run(lambda tx: alerts.remove(tx, alert_id))


def rule_of(fields: Mapping[str, str], known: AlertRow | None = None) -> AlertRule:
    """The rule that a form's fields describe. A webhook that is left empty stays as it is, `-` takes it away.

    fields: on_failure, on_success, longer_than_ms, to, slack, teams, max_per_hour. Raises InvalidArgument.
    """
    on: set[str] = {Event.FAILURE, Event.RECOVERY} if fields.get("on_failure") else set()
    on |= {Event.SUCCESS} if fields.get("on_success") else set()
    made = domain.parse({"on": tuple(on), "to": fields.get("to", "").strip() or ()})
    if made is None:
        raise InvalidArgument("a rule is needed")
    before = known.rule if known is not None else AlertRule()
    return replace(
        made,
        longer_than_ms=number(fields, "longer_than_ms"),
        max_per_hour=number(fields, "max_per_hour"),
        slack=webhook(fields, "slack", before.slack),
        teams=webhook(fields, "teams", before.teams),
    )


def _check(values: Mapping[str, Any]) -> None:
    if not 1 <= len(values["JobName"]) <= _LONGEST_NAME:
        raise InvalidArgument(f"the job name has 1 to {_LONGEST_NAME} characters")
    for name in ("EmailRecipients", "SlackWebhook", "TeamsWebhook"):
        if len(values[name] or "") > _LONGEST:
            raise InvalidArgument(f"{name} is longer than {_LONGEST} characters")


def number(fields: Mapping[str, str], name: str) -> int | None:
    """The number that a form's field holds; None of an empty one. Raises InvalidArgument."""
    text = fields.get(name, "").strip()
    found = whole(text)
    if text and (found is None or found > _MOST):
        raise InvalidArgument(f"{name} is a whole number from 0 to {_MOST}, or empty")
    return found


def webhook(fields: Mapping[str, str], name: str, before: str | None) -> str | None:
    """The webhook that a form's field names, where it was `before`. Raises InvalidArgument."""
    text = fields.get(name, "").strip()
    if text == "-":
        return None
    if text and not text.startswith(("https://", "http://")):
        raise InvalidArgument(f"{name} is the URL of a webhook")
    return text or before
