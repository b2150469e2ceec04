"""Which messages of alerts go out: at most so many an hour, and a recovery once.

What is remembered of them stands in the hash `alerts:{key}` of a job name, and in the sets `alerts:failing` and
`alerts:messages`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from taskmanager.domain import times
from taskmanager.domain.alerts import Event, key_of
from taskmanager.domain.texts import storable, whole
from taskmanager.storage import alert_marks, alerts, failures, structures
from taskmanager.storage.alert_marks import ActiveAlert
from taskmanager.storage.transaction import Tx

#: The jobs that send messages, by the moment they began to: else a page would look for them among all jobs.
MESSAGES = "alerts:messages"
_REMEMBERED = timedelta(days=7)
_HOUR = 3600.0
#: As many messages are remembered where the limit asks for fewer, so that a retried one is known again.
_LEAST_KEPT = 100


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
        tx.execute(alerts.stamp_alert, {"id": alert_id, "at": tx.clock.local_now()})


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
    since = structures.lock_one(tx, alert_marks.FAILING, key)
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


def _entries(text: str | None) -> list[list[float]]:
    try:
        found = json.loads(text or "[]")
        return [[float(at), int(job_id), int(held)] for at, job_id, held in found]
    except (ValueError, TypeError):
        return []


def _number(text: str | None) -> int:
    return whole(text) or 0
