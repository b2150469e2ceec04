"""Lists that live in sets: scheduled jobs by the moment they are due, retries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, or_, select

from taskmanager.domain.texts import wholes
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_lists import Row, rows_of
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a set ends: a member's score and row."""

    score: float
    row: int


@dataclass(frozen=True, slots=True)
class SetPage:
    """Jobs in the order of their set, where each stands in it, and where the next page begins."""

    rows: tuple[Row, ...]
    next: Place | None
    places: Mapping[int, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NextRun:
    """A recurring job that is due soon."""

    id: str
    at: datetime
    cron: str


@statement
def members_after(t: Tables, p: Product) -> Any:
    """A page of a set by score and row."""
    s = t.set.c
    beyond = or_(s.Score > bindparam("score"), and_(s.Score == bindparam("score"), s.Id > bindparam("row")))
    return (
        select(s.Id, s.Value, s.Score)
        .where(s.Key == bindparam("key"), s.Score >= bindparam("score"), beyond)
        .order_by(s.Score, s.Id)
        .limit(bindparam("limit"))
    )


def page(tx: Tx, key: str, *, limit: int, after: Place | None = None, skip: int = 0) -> SetPage:
    """Jobs that are members of a set (`id` or `queue:id`), by score. skip: so many first ones are passed by."""
    place = after or Place(-1e300, 0)
    given = {"key": key, "score": place.score, "row": place.row, "limit": skip + limit + 1}
    found = [(int(r[0]), str(r[1]).rpartition(":")[2], float(r[2])) for r in tx.execute(members_after, given)]
    found = found[skip:]
    more = len(found) > limit
    shown = found[:limit]
    rows = rows_of(tx, wholes(member for _, member, _ in shown))
    places = {int(member): Place(score, row) for row, member, score in shown if member.isdecimal()}
    return SetPage(tuple(rows), Place(shown[-1][2], shown[-1][0]) if more else None, places)
