"""What is known of the failures of jobs that wait for their next try."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select

from taskmanager.domain.texts import wholes
from taskmanager.storage import jobs, structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_lists import cut_object
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: Characters of what a State says in which the class and the message of an error stand, and a score that is no time.
_HEAD, _UNDATED = 2_000, 1.0


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
def heads_of_states(t: Tables, p: Product) -> Any:
    """The first part of what some States say: of a failure its class and message, without the whole trace."""
    s = t.state.c
    return select(s.JobId, func.substr(s.Data, 1, _HEAD)).where(s.Id.in_(bindparam("ids", expanding=True)))


@statement
def scores_among(t: Tables, p: Product) -> Any:
    """The scores of some members of a set."""
    s = t.set.c
    return select(s.Value, s.Score).where(s.Key == bindparam("key"), s.Value.in_(bindparam("values", expanding=True)))


@statement
def members_among(t: Tables, p: Product) -> Any:
    """Which of some are members of a set."""
    s = t.set.c
    return select(s.Value).where(s.Key == bindparam("key"), s.Value.in_(bindparam("values", expanding=True)))


def failures(tx: Tx, ids: Sequence[int]) -> dict[int, Failures]:
    """Of each of these jobs that has failed."""
    rows = tx.execute(failures_of_jobs, {"ids": list(ids)}) if ids else ()
    return {int(r[0]): Failures(as_moment(r[1]), int(r[2])) for r in rows}


def errors(tx: Tx, known: Mapping[int, Failures]) -> dict[int, dict[str, str]]:
    """What the last failure of each of these jobs said, as far as its first part goes."""
    rows = tx.execute(heads_of_states, {"ids": [one.last for one in known.values()]}) if known else ()
    return {int(r[0]): cut_object(str(r[1] or "")) for r in rows}


def date(tx: Tx, key: str, schedule: str, limit: int) -> int:
    """Give retries that another hand put into set `key` without a time the one they are scheduled for.

    Those whose job does not wait any more are taken out. Returns how many were put right; waits for nobody.
    """
    undated = wholes(value for _, value, score in structures.due(tx, key, _UNDATED, limit))
    if not undated:
        return 0
    locked = jobs.lock(tx, undated, skip_locked=True)
    seen = jobs.current_states(tx, [i for i in undated if i not in locked])
    waits = {i: (str(i), f"{job.queue or 'default'}:{i}") for i, job in locked.items() if job.state == "Scheduled"}
    values = [value for pair in waits.values() for value in pair]
    rows = tx.execute(scores_among, {"key": schedule, "values": values}) if values else ()
    scores = {str(r[0]): float(r[1]) for r in rows}
    dated = {str(i): scores[v] for i, pair in waits.items() for v in pair if scores.get(v, 0) > _UNDATED}
    over = [str(i) for i in undated if i not in waits and (i in locked or i not in seen)]
    if dated:
        structures.put(tx, key, dated)
    if over:
        structures.remove(tx, key, over)
    return len(dated) + len(over)


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
