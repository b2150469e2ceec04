"""How long jobs of a function usually run, from the sums that are kept of each day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, func, select

from taskmanager.domain.rollups import DAY, LONGEST_KEY, STEPS, TYPE, Figures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Days that are looked at, and the least number of runs that tell anything.
_DAYS, _FEWEST = 7, 5
_SHARE = 0.95


@statement
def steps_of_types(t: Tables, p: Product) -> Any:
    """How many runs of these functions took how long, since a day."""
    c = t.rollup.c
    wanted = (
        c.Span == DAY,
        c.Kind == TYPE,
        c.Key.in_(bindparam("keys", expanding=True)),
        c.Bucket >= bindparam("since"),
    )
    sums = [func.sum(c[f"D{step}"]) for step in range(STEPS)]
    return select(c.Key, func.sum(c.Count), func.max(c.LongestMs), *sums).where(*wanted).group_by(c.Key)


def usual_ms(tx: Tx, names: Collection[str]) -> dict[str, float]:
    """For functions by their names (`module:function`): the ms within which 95 % of their runs of a week stayed.

    Those of which few runs are known are left out.
    """
    if not names:
        return {}
    since = (tx.now() - timedelta(days=_DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    keys = {name[:LONGEST_KEY]: name for name in names}
    found = {}
    for row in tx.execute(steps_of_types, {"keys": sorted(keys), "since": since}):
        one = Figures(count=int(row[1]), longest=int(row[2]), steps=tuple(int(n) for n in row[3:]))
        usual = one.below(_SHARE)
        if one.count >= _FEWEST and usual is not None and row[0] in keys:
            found[keys[row[0]]] = usual
    return found
