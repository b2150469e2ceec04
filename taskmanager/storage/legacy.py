"""Rows of c_Job: read as their users write them, on the server's wall clock; only outcomes are written back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select, update

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """A row of c_Job that wants something: it is due, or has no next run yet."""

    id: int
    name: str | None
    cron: str | None
    procedure: str | None
    next_run: datetime | None
    last_result: str | None


@dataclass(frozen=True, slots=True)
class LegacyJob:
    """A row of c_Job as people look at it; its moments are on the server's wall clock."""

    id: int
    name: str | None
    cron: str | None
    procedure: str | None
    active: bool
    last_run: datetime | None
    next_run: datetime | None
    last_result: str | None
    failures: int


@statement
def wanting_rows(t: Tables, p: Product) -> Any:
    """Active rows that are due or were never planned; what an operator is just editing is passed by."""
    c = t.legacy.job.c
    return (
        select(c.ID, c.JobName, c.CronExpression, c.StoredProcName, c.NextRun, c.LastResult)
        .where(c.IsActive != 0, or_(c.NextRun.is_(None), c.NextRun <= bindparam("now")))
        .order_by(c.ID)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
    )


def _seen(t: Tables) -> Any:
    c = t.legacy.job.c
    return select(
        c.ID, c.JobName, c.CronExpression, c.StoredProcName, c.IsActive, c.LastRun, c.NextRun,
        func.substr(c.LastResult, 1, bindparam("length")), c.FailureCount,
    )  # fmt: skip


@statement
def all_rows(t: Tables, p: Product) -> Any:
    return _seen(t).order_by(t.legacy.job.c.ID)


@statement
def lock_row(t: Tables, p: Product) -> Any:
    return _seen(t).where(bindparam("id") == t.legacy.job.c.ID).with_for_update()


@statement
def switch_row(t: Tables, p: Product) -> Any:
    """Its next run is planned anew when it is active again: what was missed meanwhile is not made up for."""
    job = t.legacy.job
    return update(job).where(bindparam("id") == job.c.ID).values(IsActive=bindparam("active"), NextRun=None)


@statement
def delete_row(t: Tables, p: Product) -> Any:
    return delete(t.legacy.job).where(bindparam("id") == t.legacy.job.c.ID)


@statement
def plan_row(t: Tables, p: Product) -> Any:
    job = t.legacy.job
    return update(job).where(bindparam("id") == job.c.ID).values(NextRun=bindparam("next_run"))


@statement
def note_row(t: Tables, p: Product) -> Any:
    job = t.legacy.job
    return update(job).where(bindparam("id") == job.c.ID).values(LastResult=bindparam("text"))


@statement
def write_success(t: Tables, p: Product) -> Any:
    job = t.legacy.job
    changes = {"LastRun": bindparam("ran_at"), "LastResult": bindparam("text"), "FailureCount": 0}
    return update(job).where(bindparam("id") == job.c.ID).values(changes)


@statement
def write_failure(t: Tables, p: Product) -> str:
    q = p.quote
    return (
        f"UPDATE {q('c_Job')} SET {q('LastRun')} = :ran_at, {q('LastResult')} = :text, "
        f"{q('FailureCount')} = COALESCE({q('FailureCount')}, 0) + 1 WHERE {q('ID')} = :id"
    )


def wanting(tx: Tx, limit: int = 500) -> list[LegacyRow]:
    """Active rows that are due by the server's wall clock, or have no next run."""
    rows = tx.execute(wanting_rows, {"now": tx.clock.local_now(), "limit": limit})
    return [LegacyRow(int(r[0]), r[1], r[2], r[3], None if r[4] is None else as_moment(r[4]), r[5]) for r in rows]


def load_all(tx: Tx, *, length: int = 200) -> list[LegacyJob]:
    """All rows, by ID; of LastResult the first `length` characters."""
    return [_job(r) for r in tx.execute(all_rows, {"length": length})]


def load(tx: Tx, row_id: int, *, length: int = 200) -> LegacyJob | None:
    """One row, locked; None when there is none."""
    found = tx.execute(lock_row, {"id": row_id, "length": length}).first()
    return None if found is None else _job(found)


def switch(tx: Tx, row_id: int, active: bool) -> None:
    """Write IsActive; the scheduler plans the next run."""
    tx.execute(switch_row, {"id": row_id, "active": int(active)})


def remove(tx: Tx, row_id: int) -> bool:
    """Delete a row; whether it was there."""
    return tx.execute(delete_row, {"id": row_id}).rowcount > 0


def _job(row: Any) -> LegacyJob:
    last, following = (None if moment is None else as_moment(moment) for moment in (row[5], row[6]))
    return LegacyJob(int(row[0]), row[1], row[2], row[3], bool(row[4]), last, following, row[7], int(row[8] or 0))


def plan(tx: Tx, row_id: int, next_run: datetime | None) -> None:
    """Write when a row runs next, on the server's wall clock."""
    tx.execute(plan_row, {"id": row_id, "next_run": next_run})


def note(tx: Tx, row: LegacyRow, text: str) -> None:
    """Tell the operator what is wrong with a row, once for each text."""
    if row.last_result != text:
        tx.execute(note_row, {"id": row.id, "text": text})


def write_outcomes(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Write how runs ended: id, ran_at (UTC), text, success. A row that was deleted meanwhile is no error."""
    for row in rows:
        ran_at = tx.clock.to_local(row["ran_at"])
        if row["success"]:
            tx.execute(write_success, {"id": row["id"], "ran_at": ran_at, "text": row["text"]})
        else:
            given = {"id": row["id"], "ran_at": tx.bind_moment(ran_at), "text": row["text"]}
            tx.execute(write_failure, given)
