"""Rows of c_JobAlert and c_JobAlertRecipient, and what is remembered of alerts: the hash `alerts:{key}` of a job
name and the sets `alerts:failing` and `alerts:messages`. What people make of alerts is in `alert_marks`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from taskmanager.domain import times
from taskmanager.domain.alerts import AlertRule, Event, is_address, key_of, left_out, split_addresses
from taskmanager.domain.texts import storable, whole
from taskmanager.storage import (
    alert_marks,
    failures,
    jobs,
    legacy,
    legacy_shape,
    quiet_hours,
    structures,
    targcc,
    targcc_mail,
)
from taskmanager.storage.alert_marks import ActiveAlert
from taskmanager.storage.dialects import Product
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

FAILING = alert_marks.FAILING
#: The jobs that send messages, by the moment they began to: else a page would look for them among all jobs.
MESSAGES = "alerts:messages"
#: By what a row of c_Job tells: its own flag; in the older shape its recipients, and a flag for successes.
TOLD_FAILURES, TOLD_RECIPIENTS, TOLD_SUCCESSES = "EmailOnFailure", "c_JobAlertRecipient", "SendNotificationOnSuccess"
_REMEMBERED = timedelta(days=7)
_HOUR = 3600.0
#: The columns of c_JobAlert that people write; LastAlertSent is ours.
WRITTEN = (
    "JobName", "AlertOnFailure", "AlertOnSuccess", "AlertOnDurationExceeds", "EmailRecipients", "SlackWebhook",
    "TeamsWebhook", "MaxAlertsPerHour",
)  # fmt: skip
#: As many messages are remembered where the limit asks for fewer, so that a retried one is known again.
_LEAST_KEPT = 100


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


def reserve(tx: Tx, name: str, job_id: int, limit: int | None, *, text: str | None = None) -> int | None:
    """A place among this hour's messages of a job name, for the job that sends one.

    text: what the message says, where one is held back only while it says the same as the last.
    Returns how many were held back since the last one, or None when this one is held back, and counted. Asked
    again for the same job, the answer stands. The row is locked from the first statement on: all servers count alike.
    """
    key, now = key_of(name), times.to_unix(tx.now())
    structures.set_fields(tx, key, {"JobName": storable(name)})
    known = structures.fields(tx, key)
    sent = [entry for entry in _entries(known.get("Sent")) if entry[0] > now - _HOUR]
    own = next((entry for entry in sent if entry[1] == job_id), None)
    if own is not None:
        return int(own[2])
    suppressed = _number(known.get("Suppressed"))
    if text is not None:
        limit = 1 if known.get("Text") == key_of(text) else None
    if limit is not None and len(sent) >= limit:
        _hold_back(tx, key, known, job_id)
        return None
    sent.append([now, job_id, suppressed])
    kept = sent[-max(limit or 0, _LEAST_KEPT) :]
    said = {} if text is None else {"Text": key_of(text)}
    structures.set_fields(tx, key, {"Sent": json.dumps(kept), "Suppressed": "0"} | said)
    return suppressed


def hold_back(tx: Tx, name: str, job_id: int) -> None:
    """Count a message that is not sent; the next one tells of it."""
    key = key_of(name)
    structures.set_fields(tx, key, {"JobName": storable(name)})
    _hold_back(tx, key, structures.fields(tx, key), job_id)


def _hold_back(tx: Tx, key: str, known: Mapping[str, str], job_id: int) -> None:
    if known.get("HeldBack") != str(job_id):
        suppressed = str(_number(known.get("Suppressed")) + 1)
        structures.set_fields(tx, key, {"Suppressed": suppressed, "HeldBack": str(job_id)})


def told(tx: Tx, name: str, event: Event, at: datetime, alert_id: int | None, job_id: int) -> None:
    """Remember that a message went out, which a job has sent."""
    if event is Event.FAILURE:
        alert_marks.failed(tx, name, at, job_id, is_told=True)
    if alert_id is not None:
        tx.execute(stamp_alert, {"id": alert_id, "at": tx.clock.local_now()})


def remember(tx: Tx, job_id: int) -> None:
    """Remember for a week that a job sends a message, or decides that none is sent."""
    structures.put(tx, MESSAGES, {str(job_id): times.to_unix(tx.now())}, expire=tx.now() + _REMEMBERED)


def lately(tx: Tx, limit: int) -> list[int]:
    """The jobs that sent messages, the newest first."""
    given = {"key": MESSAGES, "score": 1e300, "row": 1 << 62, "limit": limit}
    return [int(r[1]) for r in tx.execute(failures.newest_failures, given)]


def recover(tx: Tx, name: str, at: datetime, job_id: int) -> bool:
    """Forget that a failure was told; whether one was, of a moment before this one.

    Only the first job that asks hears so, and hears it again when it asks again.
    """
    key = key_of(name)
    since = structures.lock_one(tx, FAILING, key)
    if since is None or since > times.to_unix(at):
        return structures.fields(tx, key).get("RecoveredBy") == str(job_id)
    alert_marks.over(tx, key)
    structures.set_fields(tx, key, {"RecoveredBy": str(job_id)})
    return True


def counts(tx: Tx, name: str) -> tuple[int, int]:
    """Messages of the last hour, and those held back since the last one."""
    known = structures.fields(tx, key_of(name))
    floor = times.to_unix(tx.now()) - _HOUR
    return sum(entry[0] > floor for entry in _entries(known.get("Sent"))), _number(known.get("Suppressed"))


def standing(tx: Tx, names: Sequence[str], limit: int) -> tuple[dict[str, tuple[int, int]], list[ActiveAlert]]:
    """As `counts`, of many job names; and what is active, the last failure first."""
    failing = alert_marks.newest(tx, limit)
    known = structures.fields_of(tx, sorted({*map(key_of, names), *(key for key, _ in failing)}))
    now, found = tx.now(), {}
    for name in names:
        one = known.get(key_of(name), {})
        sent = sum(entry[0] > times.to_unix(now) - _HOUR for entry in _entries(one.get("Sent")))
        found[name] = (sent, _number(one.get("Suppressed")))
    return found, alert_marks.active(failing, known, now)


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


def _entries(text: str | None) -> list[list[float]]:
    try:
        found = json.loads(text or "[]")
        return [[float(at), int(job_id), int(held)] for at, job_id, held in found]
    except (ValueError, TypeError):
        return []


def _number(text: str | None) -> int:
    return whole(text) or 0
