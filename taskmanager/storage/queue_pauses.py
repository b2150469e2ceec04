"""Why a queue is paused: since when, until when, by whom. The set `paused-queues` alone decides what is claimed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from taskmanager.domain import times
from taskmanager.domain.records import Pause
from taskmanager.storage import structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.queues import PAUSED
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Hashes that tell of a pause: Since, Until, By, Note.
PAUSE = "queue-pause:"


@statement
def ended_queue_pauses(t: Tables, p: Product) -> Any:
    """A score of 0 is a pause without end."""
    s = t.set.c
    over = s.Score > 0, s.Score <= bindparam("now")
    return select(s.Value).where(s.Key == PAUSED, *over).order_by(s.Score).limit(bindparam("limit"))


def pause(tx: Tx, queue: str, wanted: Pause) -> None:
    """Pause a queue. Paused again, it has been paused since the first time, and has the new note and end."""
    before = structures.lock_one(tx, PAUSED, queue)
    known = structures.fields(tx, PAUSE + queue).get("Since") if before is not None else None
    structures.put(tx, PAUSED, {queue: times.to_unix(wanted.until) if wanted.until is not None else 0})
    until = "" if wanted.until is None else times.to_iso(wanted.until)
    told = {"Since": known or times.to_iso(tx.now()), "Until": until, "By": wanted.by, "Note": wanted.note}
    structures.set_fields(tx, PAUSE + queue, told)


def resume(tx: Tx, queue: str) -> bool:
    """Forget that a queue is paused; whether it was."""
    structures.remove_hash(tx, PAUSE + queue)
    return structures.remove(tx, PAUSED, [queue]) > 0


def end_due(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Resume the queues whose pause has ended, and tell which."""
    found = [str(r[0]) for r in tx.execute(ended_queue_pauses, {"now": times.to_unix(now), "limit": limit})]
    over = [name for name in sorted(found) if 0 < (structures.lock_one(tx, PAUSED, name) or 0) <= times.to_unix(now)]
    return [name for name in over if resume(tx, name)]


def pause_in(fields: Mapping[str, str]) -> Pause:
    """What a pause's hash tells of it; nothing of a queue that was paused by SQL."""
    since, until = (_moment(fields.get(name)) for name in ("Since", "Until"))
    return Pause(since, until, fields.get("By") or None, fields.get("Note") or None)


def _moment(text: str | None) -> datetime | None:
    try:
        return times.parse(text)
    except (ValueError, OverflowError):
        return None
