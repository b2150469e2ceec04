"""How many jobs a list has, all of them counted: for who asks for it and waits. It takes long: bound it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, func, select

from taskmanager.storage import monitoring_lists as lists
from taskmanager.storage import monitoring_reach as reach
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_filters import Shape, Wanted, shape_of, values_of
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx


@statement
def count_whole_state(t: Tables, p: Product) -> Any:
    """Reads the index of all jobs of the state."""
    return select(func.count()).select_from(t.job).where(t.job.c.StateName == bindparam("state"))


@statement
def count_whole_filter(t: Tables, p: Product) -> Any:
    """Of a filter: all jobs of a state are looked at, the old ones too."""
    return _whole((("state", False, 1), ("type", False, 1)), reach.STATE)(t, p)


def count(tx: Tx, wanted: Wanted) -> int:
    """The number of jobs that are wanted, however old they are."""
    if len(wanted.states) == 1 and not wanted.terms:
        return int(tx.execute(count_whole_state, {"state": wanted.states[0]}).scalar_one())
    way = reach.STATE if wanted.is_indexed else reach.way(tx, wanted)
    return int(tx.execute(_whole(shape_of(wanted), way), values_of(wanted) | {"floor": 0}).scalar_one())


@lru_cache(maxsize=256)
def _whole(shape: Shape, way: str) -> Builder:
    def build(t: Tables, p: Product) -> Any:
        ids, _, where = lists.searched(t, p, shape, way)
        return ids.with_only_columns(func.count(), maintain_column_froms=True).where(*where)

    return build
