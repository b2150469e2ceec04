"""Rows of c_LoggedJob: one for every run, written in the transaction of its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select

from taskmanager.domain import times
from taskmanager.storage import jobs, legacy_shape, legacy_texts, structures, targcc_logged
from taskmanager.storage.dialects import Product
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment, insert_each

_COLUMNS = (
    "JobName", "JobId", "JobType", "StartedAt", "CompletedAt", "DurationMs", "Success", "ResultMessage",
    "ErrorMessage", "StackTrace", "ServerName", "TriggeredBy", "MemoryUsedMB", "CpuTimeMs", "CreatedAt",
)  # fmt: skip


#: The set whose one member's score is when a round through the table was begun.
ROUND = "history:round"
_MOMENTS = frozenset({"StartedAt", "CompletedAt", "CreatedAt"})


@statement
def insert_logged(t: Tables, p: Product) -> str:
    return p.insert_text(t.legacy.logged, _COLUMNS)


@statement
def same_start(t: Tables, p: Product) -> str:
    """Runs of a job that began in the same second: by the index of names."""
    q = p.quote
    wanted = " AND ".join(f"{q(c)} = :{c}" for c in ("JobName", "StartedAt", "JobId"))
    return f"SELECT {q('DurationMs')}, {q('ServerName')} FROM {q('c_LoggedJob')} WHERE {wanted}"


@statement
def read_logged(t: Tables, p: Product) -> Any:
    c = t.legacy.logged.c
    return (
        select(*t.legacy.logged.c)
        .where((bindparam("any_name") == 1) | (func.lower(c.JobName) == bindparam("name")))
        .where((bindparam("any_outcome") == 1) | (c.Success == 0))
        .order_by(c.ID.desc())
        .limit(bindparam("limit"))
    )


@statement
def logged_of_name(t: Tables, p: Product) -> Any:
    """The newest runs of a name, whole: by the table's own index."""
    c = t.legacy.logged.c
    newest = select(*c).where(c.JobName == bindparam("name")).order_by(c.StartedAt.desc(), c.ID.desc())
    return newest.limit(bindparam("limit"))


@statement
def logged_statistics(t: Tables, p: Product) -> Any:
    c = t.legacy.logged.c
    return (
        select(
            c.JobName, func.count(), func.sum(c.Success), func.avg(c.DurationMs), func.min(c.DurationMs),
            func.max(c.DurationMs), func.max(c.StartedAt),
        )
        .where(c.StartedAt >= bindparam("since"))
        .group_by(c.JobName)
        .order_by(c.JobName)
    )  # fmt: skip


def _walk(p: Product, added: str) -> str:
    """The next rows by key, and which of them are old: however long the table is, so many are read."""
    q = p.quote
    old = f"CASE WHEN {q(added)} < :before THEN 1 ELSE 0 END"
    return f"SELECT {q('ID')}, {old} FROM {q('c_LoggedJob')} WHERE {q('ID')} > :after ORDER BY {q('ID')} LIMIT :limit"


@statement
def walk_logged(t: Tables, p: Product) -> str:
    return _walk(p, "CreatedAt")


@statement
def walk_targcc_logged(t: Tables, p: Product) -> str:
    return _walk(p, "AddedOn")


@statement
def delete_logged(t: Tables, p: Product) -> str:
    return p.delete_by_ids("c_LoggedJob", key="ID")


@dataclass(frozen=True, slots=True)
class Walked:
    """What a part of the walk came to. last: the key it ended at; 0 when nothing is behind it."""

    deleted: int
    last: int


def expire(tx: Tx, *, seconds: float, limit: int, after: int = 0) -> Walked:
    """Look at the next `limit` rows by ID behind `after`, and delete those of them that are older than so long."""
    shape = legacy_shape.of(tx).logged
    if shape is Shape.UNKNOWN:
        return Walked(0, 0)
    walk = walk_targcc_logged if shape is Shape.TARGCC else walk_logged
    before = tx.bind_moment(tx.clock.local_now() - timedelta(seconds=seconds))
    seen = tx.execute(walk, {"before": before, "after": after, "limit": limit}).all()
    old = [int(r[0]) for r in seen if r[1]]
    if old:
        tx.execute(delete_logged, {"ids": jobs.ids_json(old)})
    return Walked(len(old), int(seen[-1][0]) if len(seen) == limit else 0)


def begin_round(tx: Tx, *, every: float) -> bool:
    """Whether a round through the whole table is to be begun, and by this server: one in so many seconds.

    Two that ask first of all at the same moment may both go; that costs a second reading.
    """
    last, now = structures.lock_one(tx, ROUND, "begun"), times.to_unix(tx.now())
    if last is not None and 0 <= now - last < every:
        return False
    structures.put(tx, ROUND, {"begun": now})
    return True


def add(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Append rows; moments are UTC and are written on the server's wall clock, in whole seconds."""
    if legacy_shape.of(tx).logged is Shape.SPECIFICATION:  # else it is somebody else's: Job and State tell what ran
        insert_each(tx, insert_logged, _stored(tx, rows))


def add_once(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """As `add`, but for runs that may be there already: each is looked for by its job, start, server and duration.

    A run whose process was given up, and which ended all the same, may be there without its duration.
    """
    if legacy_shape.of(tx).logged is not Shape.SPECIFICATION:
        return
    for row in _stored(tx, rows):
        there = tx.execute(same_start, {name: row[name] for name in ("JobName", "StartedAt", "JobId")})
        took, server = row["DurationMs"], row["ServerName"]
        if not any(known == server and (ms is None or took is None or int(ms) == took) for ms, known in there):
            insert_each(tx, insert_logged, [row])


def _stored(tx: Tx, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as the table holds them."""
    clock, texts, now = tx.clock, legacy_shape.of(tx).texts, tx.bind_moment(tx.clock.local_now())
    for row in rows:
        ended = row["CompletedAt"]
        row["StartedAt"] = tx.bind_moment(clock.to_local(row["StartedAt"]))
        row["CompletedAt"] = None if ended is None else tx.bind_moment(clock.to_local(ended))
        row["CreatedAt"] = now
        legacy_texts.fitted(texts, "c_LoggedJob", row)
    return list(rows)


def history(tx: Tx, *, name: str | None, limit: int, failed_only: bool = False) -> list[dict[str, Any]]:
    """Runs, newest first, of one job name (in any case) or all."""
    if (shape := legacy_shape.of(tx).logged) is not Shape.SPECIFICATION:
        is_older = shape is Shape.TARGCC
        return targcc_logged.history(tx, name=name, limit=limit, failed_only=failed_only) if is_older else []
    parameters = {"any_name": int(name is None), "name": (name or "").lower(), "limit": limit}
    parameters["any_outcome"] = int(not failed_only)
    return tx.execute(read_logged, parameters).mappings()


def newest_of(tx: Tx, name: str, *, limit: int) -> list[dict[str, Any]]:
    """The newest runs of a name as it is stored, whole; moments are UTC."""
    if (shape := legacy_shape.of(tx).logged) is not Shape.SPECIFICATION:
        is_older = shape is Shape.TARGCC
        found = targcc_logged.history(tx, name=name, limit=limit, failed_only=False) if is_older else []
    else:
        found = tx.execute(logged_of_name, {"name": name, "limit": limit}).mappings()
    return [
        {n: tx.clock.to_utc(as_moment(v)) if n in _MOMENTS and v is not None else v for n, v in dict(row).items()}
        for row in found
    ]


def statistics(tx: Tx, *, days: float) -> list[dict[str, Any]]:
    """Counts and durations of each job name over the last days."""
    if (shape := legacy_shape.of(tx).logged) is not Shape.SPECIFICATION:
        return targcc_logged.statistics(tx, days=days) if shape is Shape.TARGCC else []
    since: datetime = tx.clock.local_now() - timedelta(days=days)
    names = ("name", "runs", "succeeded", "average_ms", "shortest_ms", "longest_ms", "last_started")
    rows = [dict(zip(names, row, strict=True)) for row in tx.execute(logged_statistics, {"since": since})]
    for row in rows:
        row["succeeded"] = int(row["succeeded"] or 0)
        row["failed"] = row["runs"] - row["succeeded"]
        row["average_ms"] = None if row["average_ms"] is None else round(float(row["average_ms"]))
    return rows
