"""Alerts that are active, and what people made of them: the sets `alerts:failing` and `alerts:acknowledged`, and
fields of the hash `alerts:{key}`. All of it ends when the alert does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from taskmanager.domain import times
from taskmanager.domain.alerts import key_of
from taskmanager.domain.texts import storable, whole
from taskmanager.storage import failures, structures
from taskmanager.storage.transaction import Tx

#: Keys of the rules whose last message told of a failure; the score is the moment of the last failure.
FAILING = "alerts:failing"
#: Those of them that somebody has acknowledged; the score is when.
ACKNOWLEDGED = "alerts:acknowledged"
_PREFIX = "alerts:"
_ACKNOWLEDGED = ("AcknowledgedBy", "AcknowledgedAt", "AcknowledgedNote")
_SNOOZED = ("SnoozedBy", "SnoozedAt", "SnoozedNote", "SnoozedUntil")
_OF_ONE_ALERT = ("Since", "Times", "FailedBy", *_ACKNOWLEDGED, *_SNOOZED)


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody made of an alert: who, when (naive UTC), why, and until when."""

    by: str
    at: datetime | None
    note: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """What failed, was told of and is not over. key: without its prefix. times: failures since then.

    since: not known of what was told by an older release.
    """

    key: str
    name: str
    last: datetime
    since: datetime | None = None
    times: int = 1
    acknowledged: Mark | None = None
    snoozed: Mark | None = None


def newest(tx: Tx, limit: int) -> list[tuple[str, float]]:
    """The keys of what is active, with the unix second of the last failure; the last first."""
    given = {"key": FAILING, "score": 1e300, "row": 1 << 62, "limit": limit}
    return [(str(r[1]), float(r[2])) for r in tx.execute(failures.newest_failures, given)]


def active(
    found: Sequence[tuple[str, float]], known: Mapping[str, Mapping[str, str]], now: datetime
) -> list[ActiveAlert]:
    """The same as values. known: the fields of their hashes, by key."""
    return [_alert(key, at, known.get(key, {}), now) for key, at in found]


def one(tx: Tx, key: str) -> ActiveAlert | None:
    """An active alert by its key without prefix; locked, so that it does not end meanwhile."""
    at = structures.lock_one(tx, FAILING, _PREFIX + key)
    return None if at is None else _alert(_PREFIX + key, at, structures.fields(tx, _PREFIX + key), tx.now())


def name_of(tx: Tx, key: str) -> str:
    """The job name of an alert by its key without prefix; empty when it is not known."""
    return structures.fields(tx, _PREFIX + key).get("JobName", "")


def failed(tx: Tx, name: str, at: datetime, job_id: int, *, is_told: bool) -> None:
    """What this name stands for has failed at a moment, as the job of a message has it; each job counts once.

    is_told: the message went out; else it is remembered only where the alert is active already.
    """
    key = key_of(name)
    before = structures.lock_one(tx, FAILING, key)
    if before is None and not is_told:
        return
    known = structures.fields(tx, key) if before is not None else {}
    structures.put(tx, FAILING, {key: max(before or 0.0, times.to_unix(at))})
    if known.get("FailedBy") == str(job_id):
        return
    told = {"JobName": storable(name), "Times": str((whole(known.get("Times")) or 0) + 1), "FailedBy": str(job_id)}
    structures.set_fields(tx, key, told if before is not None else told | {"Since": times.to_iso(at)})


def over(tx: Tx, key: str) -> None:
    """An alert is over, and with it what people made of it. key: with its prefix."""
    structures.remove(tx, FAILING, [key])
    structures.remove(tx, ACKNOWLEDGED, [key])
    known = structures.fields(tx, key)
    structures.set_fields(tx, key, {name: "" for name in _OF_ONE_ALERT if known.get(name)})


def acknowledge(tx: Tx, key: str, mark: Mark) -> None:
    """Write that somebody has taken an active alert in hand."""
    structures.put(tx, ACKNOWLEDGED, {_PREFIX + key: times.to_unix(tx.now())})
    _write(tx, key, _ACKNOWLEDGED, mark)


def snooze(tx: Tx, key: str, mark: Mark) -> None:
    """Write that nothing is told of an active alert until `mark.until`."""
    _write(tx, key, _SNOOZED, mark)


def wake(tx: Tx, key: str) -> None:
    """Let an alert be told of again."""
    structures.set_fields(tx, _PREFIX + key, dict.fromkeys(_SNOOZED, ""))


def asleep(tx: Tx, name: str) -> datetime | None:
    """Until when nothing is told of a name; None when it is told."""
    mark = _mark(structures.fields(tx, key_of(name)), _SNOOZED)
    return mark.until if mark is not None and mark.until is not None and mark.until > tx.now() else None


def _write(tx: Tx, key: str, names: tuple[str, ...], mark: Mark) -> None:
    told = (mark.by, times.to_iso(tx.now()), mark.note, times.to_iso(mark.until) if mark.until is not None else None)
    structures.set_fields(tx, _PREFIX + key, dict(zip(names, told, strict=False)))


def _alert(key: str, at: float, known: Mapping[str, str], now: datetime) -> ActiveAlert:
    snoozed = _mark(known, _SNOOZED)
    is_asleep = snoozed is not None and snoozed.until is not None and snoozed.until > now
    return ActiveAlert(
        key=key.removeprefix(_PREFIX), name=known.get("JobName", ""), last=times.from_unix(at),
        since=_moment(known.get("Since")), times=max(1, whole(known.get("Times")) or 1),
        acknowledged=_mark(known, _ACKNOWLEDGED), snoozed=snoozed if is_asleep else None,
    )  # fmt: skip


def _mark(known: Mapping[str, str], names: tuple[str, ...]) -> Mark | None:
    by, at, note, *until = (known.get(name) or "" for name in names)
    return Mark(by, _moment(at), note or None, _moment(until[0]) if until else None) if at else None


def _moment(text: str | None) -> datetime | None:
    try:
        return times.parse(text)
    except (ValueError, OverflowError):
        return None
