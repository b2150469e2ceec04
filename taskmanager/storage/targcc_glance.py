"""One cheap look at the rows of the older c_Job: whether anybody has written one since the last."""

from __future__ import annotations

from typing import Any

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: All that decides what a row wants, and whether it is told as missed.
_DECIDING = (
    "lkpJob", "lkpJobRunner", "enmJobType", "WhenToRun", "CyclicCount", "TimeOutSec", "Active", "IsManaged",
    "NextRunTime", "LastRunTime", "enmJobStatus", "WarningMailSent",
)  # fmt: skip


@statement
def glance_at_targcc_rows(t: Tables, p: Product) -> str:
    """One pass over the table, one row as the answer."""
    key = p.quote("ID")
    texts = [key, *(p.text_of(p.quote(column)) for column in _DECIDING)]
    return f"SELECT COUNT(*), {p.digest(texts, key)} FROM {p.quote('c_Job')}"


def digest(tx: Tx) -> tuple[Any, ...]:
    """What changes whenever a row changes in a way that may want something."""
    return tuple(tx.execute(glance_at_targcc_rows).all()[0])
