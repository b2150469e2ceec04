"""A search of c_LoggedJob among many runs, where rows lie in the order of their key: about that in which they ended.

Read through the index of their start, each run is a look of its own: three times as dear. So the newest few are looked
at that way, which is enough where many match; else all are read in the order in which they lie, and sorted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from taskmanager.storage.dialects import Product
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
from taskmanager.storage.transaction import Tx

#: So many of the newest runs are looked at first.
NEAR = 2_000
_OUTCOMES = {None: ">= 0", True: ">= 1", False: "= 0"}


def search(tx: Tx, kind: Kind, given: Mapping[str, Any], most: int) -> Sequence[Any]:
    """Rows as `listing` tells them, of no single name, newest first.

    most: of numbers between the lowest and the highest of these runs, where it is to be worth it.
    """
    near = tx.execute(lowest(kind), {**given, "skip": NEAR - 1}).first()
    if near is not None and near[0] is not None:
        found = tx.execute(listing(kind, False), {**given, "since": max(given["since"], near[0])}).all()
        if len(found) == given["limit"]:
            return found
    low, high = tx.execute(numbers(kind), given).all()[0]
    if low is None:
        return []
    if high - low > most:
        return tx.execute(listing(kind, False), given).all()
    return tx.execute(_as_they_lie(kind), {**given, "low": low, "high": high}).all()


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


@lru_cache(maxsize=16)
def _as_they_lie(kind: Kind) -> Builder:
    def build(t: Tables, p: Product) -> str:
        q = p.quote
        outcome = First(f"{q('Success')} {_OUTCOMES[kind[1]]}")
        where = [f"{q('ID')} >= :low", f"{q('ID')} <= :high", *within(p, outcome, False), *searched(p, kind)]
        ids = (
            f"SELECT {q('ID')} AS ID, {q('StartedAt')} AS StartedAt FROM {q(t.legacy.logged.name)}"
            f"{p.by_index('PRIMARY')} WHERE {' AND '.join(where)} "
            f"ORDER BY {q('StartedAt')} DESC, {q('ID')} DESC LIMIT :limit"
        )
        return shown(t, p, ids, "DESC")

    return build


@statement
def logged_search(t: Tables, p: Product) -> str:
    """Runs on a server, read in the order in which they lie."""
    return str(_as_they_lie((False, None, True, False, False))(t, p))


@statement
def logged_numbers(t: Tables, p: Product) -> str:
    """Between which numbers the runs of a time lie."""
    return str(numbers((False, None, True, False, False))(t, p))
