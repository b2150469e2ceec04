"""Rows of c_JobAlert and c_JobAlertRecipient: whom an alert tells, and of what. What is remembered of messages is in
`alert_limits`, what people make of alerts in `alert_marks`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from taskmanager.domain.alerts import AlertRule, Event, is_address, key_of, left_out, split_addresses
from taskmanager.storage import (
    alert_marks,
    jobs,
    legacy,
    legacy_shape,
    quiet_hours,
    structures,
    targcc,
    targcc_mail,
)
from taskmanager.storage.dialects import Product
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

FAILING = alert_marks.FAILING
#: By what a row of c_Job tells: its own flag; in the older shape its recipients, and a flag for successes.
TOLD_FAILURES, TOLD_RECIPIENTS, TOLD_SUCCESSES = "EmailOnFailure", "c_JobAlertRecipient", "SendNotificationOnSuccess"
#: The columns of c_JobAlert that people write; LastAlertSent is ours.
WRITTEN = (
    "JobName", "AlertOnFailure", "AlertOnSuccess", "AlertOnDurationExceeds", "EmailRecipients", "SlackWebhook",
    "TeamsWebhook", "MaxAlertsPerHour",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlertRow:
    """A row of c_JobAlert. left_out: what stands among its addresses, and is none."""

    id: int
    name: str
    rule: AlertRule
    last_sent: datetime | None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Telling:
    """A row of c_Job that tells somebody. columns: the flags or the table that say so."""

    id: int
    name: str
    columns: tuple[str, ...]


@statement
def all_alerts(t: Tables, p: Product) -> Any:
    return select(*t.legacy.alert.c).order_by(t.legacy.alert.c.ID)


@statement
def one_alert(t: Tables, p: Product) -> Any:
    return select(*t.legacy.alert.c).where(bindparam("id") == t.legacy.alert.c.ID)


@statement
def alerts_named(t: Tables, p: Product) -> Any:
    alert = t.legacy.alert
    is_named = func.lower(func.trim(alert.c.JobName)).in_(bindparam("names", expanding=True))
    return select(*alert.c).where(is_named).order_by(alert.c.ID).limit(50)


@statement
def stamp_alert(t: Tables, p: Product) -> Any:
    alert = t.legacy.alert
    return update(alert).where(bindparam("id") == alert.c.ID).values(LastAlertSent=bindparam("at"))


@statement
def insert_alert(t: Tables, p: Product) -> Any:
    return insert(t.legacy.alert).values({name: bindparam(name) for name in WRITTEN})


@statement
def update_alert(t: Tables, p: Product) -> Any:
    alert = t.legacy.alert
    return update(alert).where(bindparam("id") == alert.c.ID).values({name: bindparam(name) for name in WRITTEN})


@statement
def delete_alert(t: Tables, p: Product) -> Any:
    return delete(t.legacy.alert).where(bindparam("id") == t.legacy.alert.c.ID)


@statement
def mailing_rows(t: Tables, p: Product) -> str:
    return p.select_by_ids(("ID", "EmailOnFailure"), t.legacy.job.name, key="ID")


@statement
def all_mailing_rows(t: Tables, p: Product) -> Any:
    c = t.legacy.job.c
    return select(c.ID, c.JobName).where(c.EmailOnFailure != 0).order_by(c.ID)


def load_all(tx: Tx) -> list[AlertRow]:
    """All rows of c_JobAlert, by ID."""
    return [_row(found) for found in tx.execute(all_alerts, {}).mappings()]


def load(tx: Tx, alert_id: int) -> AlertRow | None:
    """One row of c_JobAlert."""
    found = tx.execute(one_alert, {"id": alert_id}).mappings()
    return _row(found[0]) if found else None


def named(tx: Tx, names: Sequence[str]) -> AlertRow | None:
    """The row of a job by the first of its names (in small letters) that has one; of several the oldest."""
    found = [_row(one) for one in tx.execute(alerts_named, {"names": list(names)}).mappings()] if names else []
    rows = {row.name.strip().lower(): row for row in reversed(found)}
    return next((rows[name] for name in names if name in rows), None)


def failing(tx: Tx) -> set[str]:
    """The keys of the rules that told of a failure last."""
    return set(failing_since(tx))


def failing_since(tx: Tx) -> dict[str, float]:
    """The same, with the unix second of that failure."""
    return structures.members(tx, FAILING)


def mailing_now_or_then(tx: Tx, row_ids: Iterable[int], then: Set[int], *, by_default: bool = False) -> set[int]:
    """As `mailing`; besides, of rows that are gone, those of which somebody was to be mailed then."""
    found = mailing(tx, row_ids, by_default=by_default)
    open_ones = then - found
    return found | (open_ones - legacy.there(tx, open_ones)) if open_ones else found


def mailing(tx: Tx, row_ids: Iterable[int], *, by_default: bool = False) -> set[int]:
    """Which of these rows of c_Job have EmailOnFailure; of the older c_Job those that name somebody to be mailed,
    or all where somebody is by default."""
    if (shape := legacy_shape.of(tx).job) is not Shape.SPECIFICATION:
        if shape is Shape.UNKNOWN:
            return set()
        everybody = by_default or bool(targcc_mail.default_recipients(tx))
        return set(row_ids) if everybody else {i for i, _ in targcc_mail.mailing(tx)} & set(row_ids)
    return {int(r[0]) for r in tx.execute(mailing_rows, {"ids": jobs.ids_json(row_ids)}) if r[1]}


def all_mailing(tx: Tx) -> list[tuple[int, str]]:
    """All rows of c_Job that have EmailOnFailure: ID and name."""
    if (shape := legacy_shape.of(tx).job) is not Shape.SPECIFICATION:
        return targcc_mail.mailing(tx) if shape is Shape.TARGCC else []
    return [(int(r[0]), str(r[1] or f"c_job:{r[0]}")) for r in tx.execute(all_mailing_rows, {})]


def telling(tx: Tx) -> list[Telling]:
    """All rows of c_Job that tell somebody by columns of their own: whatever those are called in its shape."""
    found = {i: (name, [TOLD_RECIPIENTS if is_older(tx) else TOLD_FAILURES]) for i, name in all_mailing(tx)}
    if is_older(tx):
        for row in targcc.rows(tx):
            if row.notifies:
                found.setdefault(row.id, (row.code or f"c_job:{row.id}", []))[1].append(TOLD_SUCCESSES)
    return [Telling(row_id, name, tuple(columns)) for row_id, (name, columns) in sorted(found.items())]


def recipients(tx: Tx, row_id: int) -> tuple[str, ...]:
    """The addresses that c_JobAlertRecipient names for a row of c_Job: those of type email that were not deleted."""
    return recipients_of(tx, [row_id])[row_id]


def recipients_of(tx: Tx, row_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """As `recipients`, of many rows."""
    found, default = targcc_mail.recipients(tx, row_ids), None
    named = {i: tuple(one for one in found.get(i, ()) if is_address(one)) for i in row_ids}
    if not all(named.values()):
        default = split_addresses(targcc_mail.default_recipients(tx))
    return {i: some or default or () for i, some in named.items()}


def mailed(tx: Tx, row_ids: Iterable[int], *, by_default: bool = False) -> dict[int, tuple[str, ...]]:
    """Of these rows those of which somebody is mailed, and who; nobody by name is who is by default."""
    ids = sorted(mailing(tx, row_ids, by_default=by_default))
    return recipients_of(tx, ids) if ids else {}


def mailed_now_or_then(
    tx: Tx, row_id: int, then: Sequence[str] | None, *, by_default: bool = False
) -> tuple[str, ...] | None:
    """Who is mailed of a row: as it says now or, where it is gone, as it said when its run began; None is nobody."""
    if then is not None and not legacy.there(tx, [row_id]):
        return tuple(then)
    return mailed(tx, [row_id], by_default=by_default).get(row_id)


def of_all_others(tx: Tx) -> tuple[str, ...]:
    """Who is told of rows of the older c_Job that name nobody, by Config_ProblemMailTo."""
    return split_addresses(targcc_mail.default_recipients(tx))


def is_older(tx: Tx) -> bool:
    """Whether c_Job is the older one: of its rows the same is not told twice within an hour."""
    return legacy_shape.of(tx).job is Shape.TARGCC


def write(tx: Tx, alert_id: int | None, values: Mapping[str, Any]) -> None:
    """Write a row of c_JobAlert, a new one without `alert_id`. values: by the names of `WRITTEN`."""
    given = {name: values[name] for name in WRITTEN}
    if alert_id is None:
        tx.execute(insert_alert, given)
    else:
        tx.execute(update_alert, given | {"id": alert_id})


def remove(tx: Tx, alert_id: int) -> bool:
    """Delete a row of c_JobAlert, and its alert if it is active; whether there was one."""
    known = load(tx, alert_id)
    if known is not None:
        alert_marks.over(tx, key_of(known.name))
        quiet_hours.save(tx, known.name, None)
    return tx.execute(delete_alert, {"id": alert_id}).rowcount > 0


def _row(found: dict[str, Any]) -> AlertRow:
    on = {Event.FAILURE, Event.RECOVERY} if found["AlertOnFailure"] else set()
    if found["AlertOnSuccess"]:
        on.add(Event.SUCCESS)
    most, last = found["MaxAlertsPerHour"], found["LastAlertSent"]
    rule = AlertRule(
        on=frozenset(on),
        longer_than_ms=found["AlertOnDurationExceeds"],
        to=split_addresses(found["EmailRecipients"]),
        slack=(found["SlackWebhook"] or "").strip() or None,
        teams=(found["TeamsWebhook"] or "").strip() or None,
        max_per_hour=None if most is None else max(0, most),
    )
    last_sent, unread = None if last is None else as_moment(last), left_out(found["EmailRecipients"])
    return AlertRow(int(found["ID"]), str(found["JobName"]), rule, last_sent, unread)
