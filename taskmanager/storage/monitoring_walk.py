"""A filtered set of jobs, walked whole: from the newest id down, a bounded part of it at a time.

Unlike a page it has no floor; what no index serves is looked for in windows of ids, one window a statement.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, func, select

from taskmanager.storage import monitoring_filters as filters
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_filters import Shape, Wanted
from taskmanager.storage.monitoring_reach import scan_floor
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Jobs of the state that one statement looks at, where no index finds the ones that are wanted.
WINDOW = 20_000


def portion(tx: Tx, wanted: Wanted, *, below: int, limit: int) -> tuple[list[int], int | None]:
    """At most `limit` ids below `below`, newest first, and the id below which to go on; None at the end.

    wanted: of exactly one state. A window may hold none at all, and the walk still goes on. To be called in a
    transaction: from the eleventh window on PostgreSQL would walk the table, by a plan that is kept for all values.
    """
    (state,) = wanted.states
    if tx.prepared.product.plan_anew:
        tx.send(plan_anew)
    floor = 0
    if not wanted.is_indexed:
        row = tx.execute(scan_floor, {"state": state, "edge": below, "skip": WINDOW - 1}).first()
        floor = 0 if row is None else int(row[0])
    given = filters.values_of(wanted) | {"edge": below, "floor": floor, "limit": limit}
    ids = [int(r[0]) for r in tx.execute(_ids(filters.shape_of(wanted)), given)]
    if len(ids) == limit:
        return ids, ids[-1]
    return ids, floor or None


def span(tx: Tx, state: str) -> tuple[int, int]:
    """The lowest id of a state, and the highest of all jobs; zeros when there are none."""
    lowest = tx.execute(lowest_of_state, {"state": state}).first()
    highest = tx.execute(highest_job).first()
    return (0 if lowest is None or lowest[0] is None else int(lowest[0])), int((highest and highest[0]) or 0)


@statement
def plan_anew(t: Tables, p: Product) -> str:
    return p.plan_anew


@statement
def lowest_of_state(t: Tables, p: Product) -> Any:
    c = t.job.c
    return select(c.Id).where(c.StateName == bindparam("state")).order_by(c.Id).limit(1)


@statement
def highest_job(t: Tables, p: Product) -> Any:
    return select(func.max(t.job.c.Id))


@statement
def ids_in_state(t: Tables, p: Product) -> Any:
    """A part of a whole state."""
    return _ids((("state", False, 1),))(t, p)


@lru_cache(maxsize=256)
def _ids(shape: Shape) -> Builder:
    def build(t: Tables, p: Product) -> Any:
        job = t.job.c
        rows = select(job.Id)
        if filters.needs_state(shape):
            rows = rows.select_from(filters.joined(t))
        rows = filters.by_state(t, rows).where(job.Id < bindparam("edge"), *filters.where_of(shape, t))
        return rows.order_by(job.Id.desc()).limit(bindparam("limit"))

    return build
