"""What is known of the failures of jobs that wait for their next try."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment


@dataclass(frozen=True, slots=True)
class Failures:
    """When a job failed first (UTC), and the row of the State of its last failure."""

    first: datetime
    last: int


@statement
def failures_of_jobs(t: Tables, p: Product) -> Any:
    s = t.state.c
    failed = select(s.JobId, func.min(s.CreatedAt), func.max(s.Id)).where(
        s.JobId.in_(bindparam("ids", expanding=True)), s.Name == "Failed"
    )
    return failed.group_by(s.JobId)


@statement
def data_of_states(t: Tables, p: Product) -> Any:
    s = t.state.c
    return select(s.JobId, s.Data).where(s.Id.in_(bindparam("ids", expanding=True)))


@statement
def members_among(t: Tables, p: Product) -> Any:
    """Which of some are members of a set."""
    s = t.set.c
    return select(s.Value).where(s.Key == bindparam("key"), s.Value.in_(bindparam("values", expanding=True)))


def failures(tx: Tx, ids: Sequence[int]) -> dict[int, Failures]:
    """Of each of these jobs that has failed."""
    rows = tx.execute(failures_of_jobs, {"ids": list(ids)}) if ids else ()
    return {int(r[0]): Failures(as_moment(r[1]), int(r[2])) for r in rows}


def last_data(tx: Tx, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """What the last failure of each of these jobs said, whole."""
    known = failures(tx, ids)
    rows = tx.execute(data_of_states, {"ids": [one.last for one in known.values()]}) if known else ()
    return {int(r[0]): _loaded(r[1]) for r in rows}


def waiting(tx: Tx, key: str, ids: Iterable[int]) -> set[int]:
    """Which of these jobs are members of a set."""
    values = [str(i) for i in ids]
    return {int(r[0]) for r in tx.execute(members_among, {"key": key, "values": values})} if values else set()


def _loaded(text: str | None) -> dict[str, str]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
