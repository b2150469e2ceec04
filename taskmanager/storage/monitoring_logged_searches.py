"""A search of c_LoggedJob, window by window: some runs first, then as many more as there is time for.

Where rows lie in the order of their key, that is about the order in which runs ended. Through the index of their start
each run is a look of its own there: three to ten times as dear. So a window is read as its rows lie, and sorted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from taskmanager.storage import windows
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_filters import SCANNED
from taskmanager.storage.monitoring_logged_pages import (
    First,
    Kind,
    firsts,
    listing,
    lowest,
    period,
    searched,
    shown,
    within,
)
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: So many runs next to the edge of a page are looked at first; of one name fewer: each lies on a page of its own, and
#: 5,000 that were not in memory took MariaDB half a second.
FIRST, FIRST_OF_NAME = 10_000, 1_000
#: Of one name at most so many, where rows lie by their key: those read before are in memory, and those further back are
#: not, so that the time of a first window tells little of the second. 20,000 took MariaDB half a second.
SCATTERED = 5_000
#: Behind all runs of a moment, or before them.
NO_ID, ANY_ID = 0, 1 << 62
#: A window is read as its rows lie, where so many times as many lie there at most.
_DENSE = 3
_OUTCOMES = {None: ">= 0", True: ">= 1", False: "= 0"}


@dataclass(frozen=True, slots=True)
class Window:
    """Runs next to an edge. bound: the start at which they end, as the driver tells it; None where all are in it.

    given: what its statements are given. lies: whether it is read in the order in which its rows lie.
    """

    given: dict[str, Any]
    bound: Any
    lies: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Rows as `listing` tells them, in its order. bound: as of a window; looked: so many runs were looked at.

    number: how many match among those, where that was asked for.
    """

    rows: list[Any]
    bound: Any
    looked: int
    number: int | None


def search(tx: Tx, kind: Kind, given: Mapping[str, Any], *, ascending: bool, counted: bool) -> Found:
    """The runs next to an edge that match: `limit` of them, or as many as two windows hold."""
    began, size = windows.clock(), FIRST_OF_NAME if kind[0] else FIRST
    found = _look(tx, kind, given, size, ascending, counted)
    more = windows.further(size, windows.clock() - began, most_of(tx, kind, SCANNED))
    left = given["limit"] - len(found.rows)
    if found.bound is None or not left or not more:
        return found
    edge = {"edge_at": found.bound, "edge_id": ANY_ID if ascending else NO_ID, "limit": left}
    rest = _look(tx, kind, {**given, **edge}, more, ascending, counted)
    number = None if found.number is None or rest.number is None else found.number + rest.number
    return Found(found.rows + rest.rows, rest.bound, size + more, number)


def most_of(tx: Tx, kind: Kind, most: int) -> int:
    """So many runs are looked at, where there is time for `most`."""
    return min(most, SCATTERED) if kind[0] and tx.prepared.product.rows_lie_by_key else most


def window(tx: Tx, kind: Kind, given: Mapping[str, Any], size: int, *, ascending: bool = False) -> Window:
    """At least `size` runs next to an edge, and whether their rows lie together."""
    row = tx.execute(lowest(kind, ascending), {**given, "skip": size - 1}).first()
    bound, inside = None if row is None else row[0], dict(given)
    if bound is not None and ascending:  # the runs of that very moment too
        inside["until"] = min(inside["until"], tx.bind_moment(as_moment(bound) + timedelta(microseconds=1)))
    elif bound is not None:
        inside["since"] = max(inside["since"], bound)
    if kind[0] or ascending or not tx.prepared.product.rows_lie_by_key:
        return Window(inside, bound, False)
    low, high = tx.execute(numbers(kind), inside).all()[0]
    lies = low is not None and high - low <= _DENSE * size
    return Window(inside | {"low": low, "high": high} if lies else inside, bound, lies)


def rows_of(t: Tables, p: Product, kind: Kind, lies: bool) -> list[str]:
    """What a window holds that matches, as `FROM … WHERE …`: by one index each, or by the key."""
    of, number = p.quote(t.legacy.logged.name), p.quote("ID")
    if not lies:
        return [
            f"FROM {of} WHERE {' AND '.join([*within(p, first, False), *searched(p, kind)])}"
            for first in firsts(p, kind)
        ]
    outcome = First(f"{p.quote('Success')} {_OUTCOMES[kind[1]]}")
    where = [f"{number} >= :low", f"{number} <= :high", *within(p, outcome, False), *searched(p, kind)]
    return [f"FROM {of}{p.by_index('PRIMARY')} WHERE {' AND '.join(where)}"]


def _look(tx: Tx, kind: Kind, given: Mapping[str, Any], size: int, ascending: bool, counted: bool) -> Found:
    inside = window(tx, kind, given, size, ascending=ascending)
    build = _of_window(kind, inside.lies, counted) if inside.lies or counted else listing(kind, ascending)
    rows = list(tx.execute(build, inside.given))
    number = (int(rows[0][-1]) if rows else 0) if counted else None
    return Found([row[:-1] if counted else row for row in rows], inside.bound, size, number)


@lru_cache(maxsize=16)
def numbers(kind: Kind) -> Builder:
    """The lowest and the highest number of the runs of a time, by the index of their start alone."""

    def build(t: Tables, p: Product) -> str:
        of, number, at = p.quote(t.legacy.logged.name), p.quote("ID"), p.quote("StartedAt")
        parts = " UNION ALL ".join(
            f"SELECT MIN({number}) AS low, MAX({number}) AS high FROM {of} "
            f"WHERE {' AND '.join(period(p, first))} AND {at} <= :edge_at"
            for first in firsts(p, kind)
        )
        return f"SELECT MIN(low), MAX(high) FROM ({parts}) k"

    return build


@lru_cache(maxsize=64)
def _of_window(kind: Kind, lies: bool, counted: bool) -> Builder:
    """The newest that match, and how many do."""

    def build(t: Tables, p: Product) -> str:
        q = p.quote
        rows = " UNION ALL ".join(
            f"SELECT {q('ID')} AS ID, {q('StartedAt')} AS StartedAt {part}" for part in rows_of(t, p, kind, lies)
        )
        number = ", COUNT(*) OVER () AS found" if counted else ""
        ids = f"SELECT ID, StartedAt{number} FROM ({rows}) w ORDER BY StartedAt DESC, ID DESC LIMIT :limit"
        return shown(t, p, ids, "DESC", ", k.found" if counted else "")

    return build


@statement
def logged_search(t: Tables, p: Product) -> str:
    """Runs on a server, read in the order in which they lie."""
    return str(_of_window((False, None, True, False, False), True, False)(t, p))


@statement
def logged_search_counted(t: Tables, p: Product) -> str:
    """Runs on a server by the index of their start, and how many there are."""
    return str(_of_window((False, None, True, False, False), False, True)(t, p))


@statement
def logged_numbers(t: Tables, p: Product) -> str:
    """Between which numbers the runs of a time lie."""
    return str(numbers((False, None, True, False, False))(t, p))
