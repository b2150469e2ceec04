"""Pauses: a set whose members are paused, and for each a hash that tells since when, until when, by whom and why.

The set alone decides. Its scores are the unix seconds of their ends; 0 is a pause without end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from taskmanager.domain import times
from taskmanager.domain.records import Pause
from taskmanager.storage import structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx


@statement
def ended(t: Tables, p: Product) -> Any:
    s = t.set.c
    over = s.Score > 0, s.Score <= bindparam("now")
    return select(s.Value).where(s.Key == bindparam("key"), *over).order_by(s.Score).limit(bindparam("limit"))


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pauses of one kind. members: the set. hash_of: the key of a member's hash."""

    members: str
    hash_of: Callable[[str], str]

    def pause(self, tx: Tx, name: str, wanted: Pause) -> None:
        """Pause one. Paused again, it has been paused since the first time, and has the new note and end."""
        before, key = structures.lock_one(tx, self.members, name), self.hash_of(name)
        known = structures.fields(tx, key).get("Since") if before is not None else None
        structures.put(tx, self.members, {name: times.to_unix(wanted.until) if wanted.until is not None else 0})
        until = "" if wanted.until is None else times.to_iso(wanted.until)
        told = {"Since": known or times.to_iso(tx.now()), "Until": until, "By": wanted.by, "Note": wanted.note}
        structures.set_fields(tx, key, told)

    def resume(self, tx: Tx, name: str) -> bool:
        """Forget that one is paused; whether it was."""
        structures.remove_hash(tx, self.hash_of(name))
        return structures.remove(tx, self.members, [name]) > 0

    def over(self, tx: Tx, now: datetime, limit: int) -> list[str]:
        """Those whose pause has ended, locked."""
        at = times.to_unix(now)
        found = sorted(str(r[0]) for r in tx.execute(ended, {"key": self.members, "now": at, "limit": limit}))
        return [name for name in found if 0 < (structures.lock_one(tx, self.members, name) or 0) <= at]


def pause_in(fields: Mapping[str, str]) -> Pause:
    """What a pause's hash tells of it; nothing of what was paused by SQL."""
    since, until = (_moment(fields.get(name)) for name in ("Since", "Until"))
    return Pause(since, until, fields.get("By") or None, fields.get("Note") or None)


def _moment(text: str | None) -> datetime | None:
    try:
        return times.parse(text)
    except (ValueError, OverflowError):
        return None
