"""Groups of failed jobs, kept up as jobs enter and leave Failed, so that no page has to look at the jobs.

Set `failures:{key}` has the failed jobs of a group by the moment they failed, set `failure-groups` the groups by the
moment of their last failure, hash `failure-group:{key}` what the group is. Jobs that left Failed by another hand
(SQL, .NET, expiry), or entered it so, are put right by `prune` and `adopt`, a batch at a time.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, func, select

from taskmanager.domain import times
from taskmanager.domain.failures import Fingerprint, fingerprint, name_of_call
from taskmanager.domain.texts import storable, wholes
from taskmanager.storage import jobs, structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_lists import cut_object
from taskmanager.storage.statements import Prepared, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

GROUPS, MEMBERS, ABOUT = "failure-groups", "failures:", "failure-group:"
#: The parameter of a job that names its group while it is Failed.
PARAMETER = "FailureGroup"
#: When so many groups are known, a new one is of the job and exception alone: messages cannot make them endless.
MOST_GROUPS = 1_000
#: Last failure of a group, as it is told, is so many seconds off at most: else all who fail would wait for one row.
_TOLD_SECONDS = 10.0
#: A group without jobs is kept so long after its last failure, for who still has its page before him.
_EMPTY_SECONDS = 7 * 86_400.0
_OWN = "taskmanager.tasks."
#: Until when a round belongs to who does it, or none is begun.
_KEEPER, _ROUND = "failure-keeper", "round"
#: What is farther off was written while a clock was wrong.
_FARTHEST_SECONDS = 3600.0
_DATA = 16_000
_told: WeakKeyDictionary[Prepared, dict[str, float]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that has just failed for good. at: naive UTC."""

    job_id: int
    exception: str
    message: str
    details: str
    at: datetime


@statement
def calls_by_id(t: Tables, p: Product) -> str:
    return p.select_by_ids(("Id", "InvocationData"), t.job.name)


@statement
def failed_without_group(t: Tables, p: Product) -> str:
    """Failed jobs above an id, and the group each has: those of other hands have none."""
    q = p.quote
    return (
        f"SELECT j.{q('Id')}, g.{q('Value')}, CASE WHEN g.{q('Value')} IS NULL THEN SUBSTR(s.{q('Data')}, 1, {_DATA}) "
        f"END, s.{q('CreatedAt')} FROM (SELECT {q('Id')}, {q('StateId')} FROM {q(t.job.name)}"
        f"{p.by_index(f'IX_{t.job.name}_StateName')} WHERE {q('StateName')} = 'Failed' AND {q('Id')} > :after "
        f"ORDER BY {q('Id')} LIMIT :limit) j JOIN {q(t.state.name)} s ON s.{q('Id')} = j.{q('StateId')} "
        f"LEFT JOIN {q(t.parameter.name)} g ON g.{q('JobId')} = j.{q('Id')} AND g.{q('Name')} = '{PARAMETER}' "
        f"ORDER BY j.{q('Id')}"
    )


@statement
def members_behind(t: Tables, p: Product) -> Any:
    """Members of one group behind one of them, a batch in the order of the unique index."""
    s = t.set.c
    behind = (s.Key == bindparam("key"), s.Value > bindparam("value"))
    return select(s.Value).where(*behind).order_by(s.Value).limit(bindparam("limit"))


@statement
def next_group(t: Tables, p: Product) -> Any:
    """The group behind one, by a look-up in the unique index."""
    s = t.set.c
    return select(func.min(s.Key)).where(s.Key > bindparam("key"), s.Key < bindparam("end"))


@statement
def newest_failures(t: Tables, p: Product) -> Any:
    """Members of one set below a score and row, the highest score first."""
    s = t.set.c
    below = (s.Score < bindparam("score")) | ((s.Score == bindparam("score")) & (s.Id < bindparam("row")))
    return (
        select(s.Id, s.Value, s.Score)
        .where(s.Key == bindparam("key"), s.Score <= bindparam("score"), below)
        .order_by(s.Score.desc(), s.Id.desc())
        .limit(bindparam("limit"))
    )


def change(tx: Tx, rows: Sequence[Failure | int]) -> None:
    """A batch of changes: jobs that leave Failed, by id, then those that enter it."""
    leaving = [row for row in rows if isinstance(row, int)]
    entering = [row for row in rows if isinstance(row, Failure)]
    if leaving:
        forget(tx, leaving)
    if entering:
        record(tx, entering)


def record(tx: Tx, failures: Sequence[Failure]) -> None:
    """Put jobs that failed into their groups, and describe groups that are new."""
    calls = {int(r[0]): str(r[1] or "") for r in tx.execute(calls_by_id, {"ids": jobs.ids_json(_ids(failures))})}
    names = {job_id: name_of_call(call) for job_id, call in calls.items()}
    own = [job_id for job_id, name in names.items() if name.startswith(_OWN)]
    for job_id, known in jobs.parameters(tx, own).items() if own else ():
        names[job_id] = (known.get("RecurringJobId") or "").strip('"') or names[job_id]
    prints = {
        f.job_id: fingerprint(names[f.job_id], f.exception, storable(f.message), storable(f.details))
        for f in failures
        if f.job_id in names
    }
    prints = _bounded(tx, prints)
    by_group: dict[str, list[Failure]] = defaultdict(list)
    for one in failures:
        if one.job_id in prints:
            by_group[prints[one.job_id].key].append(one)
    for key in sorted(by_group):
        structures.put(tx, MEMBERS + key, {str(f.job_id): times.to_unix(f.at) for f in by_group[key]})
    jobs.set_parameters(tx, {(job_id, PARAMETER): found.key for job_id, found in prints.items()})
    _tell(tx, {key: (prints[some[0].job_id], some) for key, some in by_group.items()})


def forget(tx: Tx, job_ids: Sequence[int]) -> None:
    """Take jobs that leave Failed out of their groups."""
    known = jobs.parameters(tx, job_ids)
    groups: dict[str, list[str]] = defaultdict(list)
    for job_id in job_ids:
        if key := known.get(job_id, {}).get(PARAMETER):
            groups[key].append(str(job_id))
    for key in sorted(groups):
        structures.remove(tx, MEMBERS + key, groups[key])
    jobs.set_parameters(tx, {(int(i), PARAMETER): None for ids in groups.values() for i in ids})


def members(tx: Tx, key: str, limit: int) -> list[int]:
    """Some jobs of a group, those that failed last first."""
    given = {"key": MEMBERS + key, "score": 1e300, "row": 1 << 62, "limit": limit}
    return wholes(str(r[1]) for r in tx.execute(newest_failures, given))


def prune(tx: Tx, pairs: Iterable[tuple[str, int]]) -> int:
    """Take jobs that are not Failed, or are gone, out of groups (key, job); returns how many. Waits for nobody."""
    groups: dict[int, list[str]] = defaultdict(list)
    for key, job_id in pairs:
        groups[job_id].append(key)
    seen = jobs.current_states(tx, groups)
    doubtful = [job_id for job_id in groups if job_id not in seen or seen[job_id][0] != "Failed"]
    # Locked, a job cannot fail again between this look and the removal.
    locked = jobs.lock(tx, [job_id for job_id in doubtful if job_id in seen], skip_locked=True)
    over = [i for i in doubtful if i not in seen or (i in locked and locked[i].state != "Failed")]
    gone: dict[str, list[str]] = defaultdict(list)
    for job_id in over:
        for key in groups[job_id]:
            gone[key].append(str(job_id))
    for key in sorted(gone):
        structures.remove(tx, MEMBERS + key, gone[key])
    jobs.set_parameters(tx, {(i, PARAMETER): None for i in over if i in seen})
    return len(over)


def prune_behind(tx: Tx, place: tuple[str, str], limit: int) -> tuple[str, str] | None:
    """`prune` of the next members behind a place; returns where it ended, None at the end."""
    given = {"key": place[0], "value": place[1], "limit": limit}
    found = [str(r[0]) for r in tx.execute(members_behind, given)]
    prune(tx, [(place[0].removeprefix(MEMBERS), job_id) for job_id in wholes(found)])
    if len(found) >= limit:
        return place[0], found[-1]
    following = tx.execute(next_group, {"key": max(place[0], MEMBERS), "end": MEMBERS.replace(":", ";")}).scalar_one()
    return None if following is None else (str(following), "")


def adopt(tx: Tx, after: int, limit: int) -> int | None:
    """Put Failed jobs above an id that have no group into one; returns where it ended, None at the end."""
    found = tx.execute(failed_without_group, {"after": after, "limit": limit}).all()
    lone = {int(r[0]): (cut_object(str(r[2] or "")), r[3]) for r in found if r[1] is None}
    locked = jobs.lock(tx, lone, skip_locked=True) if lone else {}
    failures = [
        Failure(
            job_id, data.get("ExceptionType", ""), data.get("ExceptionMessage", ""), data.get("ExceptionDetails", ""),
            as_moment(entered),
        )
        for job_id, (data, entered) in lone.items()
        if job_id in locked and locked[job_id].state == "Failed"
    ]  # fmt: skip
    if failures:
        record(tx, failures)
    return int(found[-1][0]) if len(found) >= limit else None


def take_round(tx: Tx, *, held: bool, rest: float) -> bool:
    """Whether this process does the round that puts groups right, or goes on with it, where `held`: one does at a time.

    rest: seconds without a sign of it after which another begins anew.
    """
    until, now = structures.lock_one(tx, _KEEPER, _ROUND), times.to_unix(tx.now())
    if not held and until is not None and 0 < until - now < _FARTHEST_SECONDS:
        return False
    structures.put(tx, _KEEPER, {_ROUND: now + rest})
    return True


def drop_empty(tx: Tx) -> int:
    """Take groups out that have had no jobs for days, so that those of the past leave room; returns how many."""
    line = times.to_unix(tx.now()) - _EMPTY_SECONDS
    old = [value for _, value, _ in structures.due(tx, GROUPS, line, 2 * MOST_GROUPS)]
    dropped = 0
    for key in sorted(key for key in old if not members(tx, key, 1)):
        # Who fails into it just now has written the row that is locked here, or waits for it and writes all anew.
        score = structures.lock_one(tx, GROUPS, key)
        if score is not None and score <= line and not members(tx, key, 1):
            structures.remove(tx, GROUPS, [key])
            structures.remove_hash(tx, ABOUT + key)
            dropped += 1
    return dropped


def _ids(failures: Sequence[Failure]) -> list[int]:
    return [failure.job_id for failure in failures]


def _bounded(tx: Tx, prints: Mapping[int, Fingerprint]) -> dict[int, Fingerprint]:
    """The kinds of these failures; new ones are coarse when there are many already."""
    told = _told.setdefault(tx.prepared, {})
    if all(found.key in told for found in prints.values()):
        return dict(prints)
    groups = structures.members(tx, GROUPS)
    if len(groups) < MOST_GROUPS:
        return dict(prints)
    return {job_id: found if found.key in groups else found.coarse for job_id, found in prints.items()}


def _tell(tx: Tx, groups: Mapping[str, tuple[Fingerprint, list[Failure]]]) -> None:
    """Write when a group failed last, and of a new one what it is; at most so often by each process."""
    told, now = _told.setdefault(tx.prepared, {}), time.monotonic()
    due = sorted(key for key in groups if now - told.get(key, -1e9) >= _TOLD_SECONDS)
    if not due:
        return
    # Before the look at what is known: who drops empty groups holds this row.
    structures.put(tx, GROUPS, {key: max(times.to_unix(f.at) for f in groups[key][1]) for key in due})
    known = structures.fields_of(tx, [ABOUT + key for key in due])
    for key in due:
        found, some = groups[key]
        if not known.get(ABOUT + key):
            about = {
                "Job": found.job, "Exception": found.exception, "Message": found.message, "Frame": found.frame,
                "Sample": some[0].message[:500], "FirstSeen": times.to_iso(min(f.at for f in some)),
            }  # fmt: skip
            structures.set_fields(tx, ABOUT + key, {n: storable(v) for n, v in about.items()})
    tx.after_commit(lambda: told.update(dict.fromkeys(due, now)))
