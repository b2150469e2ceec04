"""Jobs that are to run, or run, and stand in no queue: SQL left them so, and nobody will ever claim or end them."""

from __future__ import annotations

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Jobs of a state that are looked at, the oldest first: what is stranded stays, and so becomes the oldest.
WINDOW = 10_000


@statement
def without_row(t: Tables, p: Product) -> str:
    """A subquery of one value is asked job by job; of NOT EXISTS PostgreSQL makes a join that reads the whole queue.

    A range of one state, in the order of the index: for `=` PostgreSQL may go through all jobs by their ids.
    """
    q = p.quote
    name = q("StateName")
    return (
        f"SELECT j.{q('Id')} FROM (SELECT {q('Id')} FROM {q(t.job.name)} WHERE {name} >= :state AND {name} <= :state "
        f"ORDER BY {name}, {q('Id')} LIMIT :window) j WHERE (SELECT r.{q('Id')} FROM {q(t.queue.name)} r "
        f"WHERE r.{q('JobId')} = j.{q('Id')} LIMIT 1) IS NULL ORDER BY j.{q('Id')}"
    )


def jobs_in(tx: Tx, state: str) -> list[int]:
    """Ids of jobs of this state, among its oldest, that have no queue row; oldest first."""
    return [int(row[0]) for row in tx.execute(without_row, {"state": state, "window": WINDOW})]
