"""The rows of c_LoggedJob of runs that are known by job and start: a look into (JobName, StartedAt) for each.

The table has no column for the recurring job, and many may share a name; which runs are one's own, its own list tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from taskmanager.storage import legacy_shape
from taskmanager.storage.dialects import Product
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.monitoring_logged_pages import TEXT
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: So many runs are looked up at once.
MOST = 20
#: Where the wall clock has been changed since, by summer time, a row stands an hour off.
_SHIFTS = (timedelta(0), timedelta(hours=-1), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """What c_LoggedJob knows of a run besides. note: how it ended, cut."""

    id: int
    server: str | None
    by: str | None
    note: str


@statement
def logged_of_runs(t: Tables, p: Product) -> str:
    """Of each run its row; a run that is not asked for has the job id of none."""
    q, name = p.quote, t.legacy.logged.name
    note = f"SUBSTR(COALESCE({q('ErrorMessage')}, {q('ResultMessage')}), 1, {TEXT})"
    columns = f"{q('ID')}, {q('ServerName')}, {q('TriggeredBy')}, {note} AS note"
    branches = (
        f"SELECT * FROM (SELECT {n} AS place, {columns} FROM {q(name)} WHERE {q('JobName')} = :name AND "
        f"{q('StartedAt')} IN ({', '.join(f':at{n}_{s}' for s in range(len(_SHIFTS)))}) AND {q('JobId')} = :job{n} "
        f"LIMIT 5) b{n}"
        for n in range(MOST)
    )
    return " UNION ALL ".join(branches)


def of(tx: Tx, name: str, runs: Sequence[tuple[int, datetime]]) -> dict[tuple[int, datetime], LoggedRun] | None:
    """The rows of at most 20 runs (job, start in UTC) under a name; None where the table has not our columns."""
    if legacy_shape.of(tx).logged is not Shape.SPECIFICATION:
        return None
    if not runs:
        return {}
    asked = [*runs[:MOST], *[(0, datetime(1970, 1, 2))] * (MOST - len(runs))]
    local = [tx.clock.to_local(at) for _, at in asked]
    given: dict[str, Any] = {"name": name[:100]} | {f"job{n}": str(job_id or "") for n, (job_id, _) in enumerate(asked)}
    given |= {
        f"at{n}_{s}": tx.bind_moment(at + shift) for n, at in enumerate(local) for s, shift in enumerate(_SHIFTS)
    }  # fmt: skip
    found: dict[tuple[int, datetime], LoggedRun] = {}
    for place, number, server, by, note in tx.execute(logged_of_runs, given):
        found.setdefault(asked[int(place)], LoggedRun(int(number), server, by, note or ""))
    return found
