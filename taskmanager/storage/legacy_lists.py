"""Rows of c_Job for lists: of all of them the few columns that are sorted and filtered by, of some what people see."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, literal_column

from taskmanager.storage import legacy
from taskmanager.storage.dialects import Product
from taskmanager.storage.legacy import LegacyJob
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Rows, Tx

#: What is read of each row, in this order; NULL where it is not asked for.
_COLUMNS = ("ID", "IsActive", "CronExpression", "NextRun", "LastRun", "JobName", "StoredProcName")
_MOMENTS, _TEXTS = ("NextRun", "LastRun"), ("JobName", "StoredProcName")


@lru_cache(maxsize=4)
def _listing(moments: bool, texts: bool) -> Builder:
    left_out = (() if moments else _MOMENTS) + (() if texts else _TEXTS)

    def build(t: Tables, p: Product) -> str:
        columns = ["NULL" if name in left_out else p.quote(name) for name in _COLUMNS]
        zone = p.time_zone if moments else "NULL"
        return f"SELECT {', '.join(columns)}, {zone} FROM {p.quote(t.legacy.job.name)}"

    return build


@statement
def rows_at_a_glance(t: Tables, p: Product) -> str:
    """All rows, with all that is ever asked for."""
    return str(_listing(True, True)(t, p))


@statement
def rows_as_seen(t: Tables, p: Product) -> Any:
    """Some rows, and the server's zone."""
    of = t.legacy.job.c
    return legacy.as_seen(t).add_columns(literal_column(p.time_zone)).where(of.ID.in_(bindparam("ids", expanding=True)))


@statement
def zone_of_rows(t: Tables, p: Product) -> str:
    return f"SELECT {p.time_zone} FROM {p.quote(t.legacy.job.name)} LIMIT 1"


def listed(tx: Tx, *, moments: bool = False, texts: bool = False) -> Rows:
    """All rows: ID, IsActive, CronExpression; NextRun and LastRun; JobName and StoredProcName; the server's zone.

    None for what is not asked for; the zone goes with moments.
    """
    return tx.execute(_listing(moments, texts))


def some(tx: Tx, ids: Iterable[int], *, length: int = 200) -> tuple[list[LegacyJob], str]:
    """Those of these rows that there are, unlocked; of LastResult the first `length` characters. And the zone."""
    wanted = list(ids)
    found = tx.execute(rows_as_seen, {"ids": wanted, "length": length}).all() if wanted else []
    return [legacy.read_job(row) for row in found], str(found[0][-1]) if found else ""


def zone(tx: Tx) -> str | None:
    """The server's zone, as it names it; None when there are no rows."""
    row = tx.execute(zone_of_rows).first()
    return None if row is None else str(row[0])


def moment(value: Any) -> datetime | None:
    """A moment of a row in whole seconds; None for what is none."""
    return legacy.moment(value)
