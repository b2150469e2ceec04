"""Quiet hours of rules, by the names that messages are counted under: the hash `alerts:quiet`; and what was held back
meanwhile, in the hash `alerts:{key}` of the name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from taskmanager.domain import quiet, times
from taskmanager.domain.alerts import key_of
from taskmanager.domain.quiet import Quiet
from taskmanager.domain.texts import storable, whole
from taskmanager.storage import structures
from taskmanager.storage.transaction import Tx

_KEY = "alerts:quiet"
#: Of what was held back the last so many are told, and of each so many characters.
_MOST, _LONGEST = 50, 200


def of_all(tx: Tx) -> dict[str, Quiet]:
    """All quiet hours, by the keys of names."""
    return {key: quiet.read(json.loads(text)) for key, text in structures.fields(tx, _KEY).items() if text}


def of(tx: Tx, name: str) -> Quiet | None:
    """The quiet hours of a name."""
    return of_all(tx).get(key_of(name))


def save(tx: Tx, name: str, hours: Quiet | None) -> None:
    """Write the quiet hours of a name, or take them away."""
    if hours is not None or of(tx, name) is not None:
        structures.set_fields(tx, _KEY, {key_of(name): json.dumps(hours.told()) if hours else ""})


def hold(tx: Tx, name: str, job_id: int, event: str, text: str, end: datetime) -> bool:
    """Keep what a message would have said for the summary, at `end`; whether that summary is still to be ordered.

    One that was ordered for a moment which has passed counts for nothing: it may have been deleted, or never run.
    """
    key, now = key_of(name), times.to_iso(tx.now())
    structures.set_fields(tx, key, {"JobName": storable(name)})  # locks the row: all servers hold one after another
    known = structures.fields(tx, key)
    held = json.loads(known.get("QuietHeld") or "[]")
    is_ordered = (known.get("QuietUntil") or "") > now
    if not any(one[0] == job_id for one in held):
        held.append([job_id, now, event, storable(text)[:_LONGEST]])
        count = (whole(known.get("QuietCount")) or 0) + 1
        structures.set_fields(tx, key, {"QuietHeld": json.dumps(held[-_MOST:]), "QuietCount": str(count)})
    if not is_ordered:
        structures.set_fields(tx, key, {"QuietUntil": times.to_iso(end)})
    return not is_ordered


def take(tx: Tx, name: str, job_id: int) -> tuple[int, list[str]]:
    """What was held back: how many, and in words. Asked again by the same job, the answer stands."""
    key = key_of(name)
    structures.set_fields(tx, key, {"JobName": storable(name)})
    known = structures.fields(tx, key)
    if known.get("QuietTakenBy") != str(job_id):
        moved = {"QuietTaken": known.get("QuietHeld"), "QuietTakenCount": known.get("QuietCount")}
        emptied = dict.fromkeys(("QuietHeld", "QuietCount", "QuietUntil"), "")
        structures.set_fields(tx, key, {**moved, **emptied, "QuietTakenBy": str(job_id)})
        known = {**known, **{name: text or "" for name, text in moved.items()}}
    held: Sequence[Sequence[Any]] = json.loads(known.get("QuietTaken") or "[]")
    return whole(known.get("QuietTakenCount")) or 0, [_line(one) for one in held]


def _line(one: Sequence[Any]) -> str:
    at, event, text = str(one[1])[:19].replace("T", " "), one[2], one[3]
    return f"{at} UTC {event}: {text}" if text else f"{at} UTC {event}"


def who(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Of the facts of a message those that say who hears of it."""
    names = ("job", "function", "recurring_id", "alert_id", "condition", "in_code", "mail_to", "of_row", "as_failure")
    return {name: facts[name] for name in names if name in facts}
