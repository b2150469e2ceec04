"""Where in the jobs a date stands: found by halving their ids, for no index has the date of a job."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Ids are below 2 to this power: so often the rest is halved at most.
_HALVINGS = 62


@statement
def place_of_date(t: Tables, p: Product) -> Any:
    """The last id below which all jobs are older than `at`: two rows looked at for each halving of all ids."""
    key, created, job = p.quote("Id"), p.quote("CreatedAt"), p.quote(t.job.name)
    middle = "((s.low + s.high) >> 1)"
    older = f"(SELECT {created} FROM {job} WHERE {key} > {middle} ORDER BY {key} LIMIT 1) < :at"
    sql = (
        f"WITH RECURSIVE s (step, low, high) AS ("
        f"SELECT 0, COALESCE(MAX({key}), 0) * 0, COALESCE(MAX({key}), 0) FROM {job} "
        f"UNION ALL SELECT s.step + 1, CASE WHEN {older} THEN {middle} + 1 ELSE s.low END, "
        f"CASE WHEN {older} THEN s.high ELSE {middle} END "
        f"FROM s WHERE s.low < s.high AND s.step < {_HALVINGS}) SELECT MAX(low) FROM s"
    )
    return text(sql).bindparams(bindparam("at", type_=t.job.c.CreatedAt.type))


def edge_at(tx: Tx, at: datetime) -> int:
    """An id below which jobs were created before `at` (naive UTC), and from which on they were created later."""
    return int(tx.execute(place_of_date, {"at": at}).scalar_one()) + 1
