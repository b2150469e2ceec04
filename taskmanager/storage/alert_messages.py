"""What became of messages: rows of the List `alerts:sent`, one for each try, kept longer than the jobs that send."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, bindparam, select

from taskmanager.domain import times
from taskmanager.domain.texts import storable
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

_KEY = "alerts:sent"
_KEPT = timedelta(days=90)
#: Of what is told, the first characters.
_LONGEST = 1000
#: Before every place.
NEWEST = 1 << 62


@dataclass(frozen=True, slots=True)
class Told:
    """A try to send a message. about: a job's or a condition's name; outcome: sent, failed, or held back (held).

    told: by which channels it went, or what was wrong.
    """

    id: int
    job_id: int
    at: datetime | None
    event: str
    about: str
    outcome: str
    told: str


@statement
def insert_told(t: Tables, p: Product) -> str:
    return p.insert_text(t.list, ("Key", "Value", "ExpireAt"))


@statement
def told_before(t: Tables, p: Product) -> Any:
    """A page of the list, the newest first, by (Key, Id)."""
    c = t.list.c
    return (
        select(c.Id, c.Value).where(c.Key == bindparam("key"), c.Id < bindparam("before"))
        .order_by(c.Id.desc()).limit(bindparam("limit", type_=Integer))
    )  # fmt: skip


def add(tx: Tx, job_id: int, event: str, about: str, outcome: str, told: str) -> None:
    """Write what became of a try."""
    facts = {
        "job": job_id, "at": times.to_iso(tx.now()), "event": event, "about": storable(about[:200]),
        "outcome": outcome, "told": storable(told[:_LONGEST]),
    }  # fmt: skip
    expire = tx.bind_moment(tx.now() + _KEPT)
    tx.execute(insert_told, {"Key": _KEY, "Value": json.dumps(facts, ensure_ascii=False), "ExpireAt": expire})


def page(tx: Tx, limit: int, before: int = NEWEST) -> tuple[list[Told], int | None]:
    """Tries, the newest first; and the id before which the next page begins."""
    rows = tx.execute(told_before, {"key": _KEY, "before": before, "limit": limit + 1}).all()
    found = [_told(int(r[0]), json.loads(r[1])) for r in rows[:limit]]
    return found, found[-1].id if len(rows) > limit else None


def _told(row_id: int, facts: dict[str, Any]) -> Told:
    return Told(
        row_id, int(facts["job"]), times.parse(facts["at"]), facts["event"], facts["about"], facts["outcome"],
        facts["told"],
    )  # fmt: skip
