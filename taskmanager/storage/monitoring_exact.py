"""How many jobs of a state there are, all of them counted: for who asks for it and waits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, select

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx


@statement
def count_whole_state(t: Tables, p: Product) -> Any:
    """Reads the index of all jobs of the state."""
    return select(func.count()).select_from(t.job).where(t.job.c.StateName == bindparam("state"))


def count(tx: Tx, state: str) -> int:
    """The number of jobs in a state. It takes long: bound it."""
    return int(tx.execute(count_whole_state, {"state": state}).scalar_one())
