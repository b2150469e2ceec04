"""Rows of c_Job: read as their users write them, on the server's wall clock; only outcomes are written back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from taskmanager.storage import jobs, legacy_shape
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: The fields of this hash are outcomes that wait until nobody else holds their rows, by the ids of their jobs.
OWED = "c_job:outcomes"
#: The fields of this one are jobs that wait until another run of their row has ended; their values are the rows.
WAITING = "c_job:waiting"


@dataclass(frozen=True, slots=True)
class Glance:
    """What tells whether anything in c_Job wants something."""

    #: Changes with whatever people edit, but for one moment of NextRun becoming another.
    digest: tuple[Any, ...]
    #: The earliest NextRun of an active row, on the server's wall clock.
    earliest: datetime | None
    #: Whether outcomes or runs wait for their rows.
    owes: bool
    #: The server's zone, as it names it.
    zone: str


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """What decides about a row of c_Job. NextRun is None, too, when it is no moment."""

    id: int
    name: str | None
    cron: str | None
    procedure: str | None
    active: bool
    next_run: datetime | None


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


_DECIDING = ("ID", "JobName", "CronExpression", "StoredProcName", "IsActive", "NextRun")


@statement
def glance_at_rows(t: Tables, p: Product) -> str:
    """One pass over the table, one row as the answer: 0.5 to 1.3 ms of the server for 1,000 rows, and 0.1 ms of ours.

    To read 1,000 narrow rows would cost 7 ms of ours each second.
    """
    q = p.quote
    texts = [q("ID"), *(f"COALESCE({q(c)}, '~')" for c in ("JobName", "CronExpression", "StoredProcName"))]
    texts += [
        f"CASE WHEN {q('IsActive')} <> 0 THEN 1 ELSE 0 END",
        f"CASE WHEN {q('NextRun')} IS NULL THEN 1 ELSE 0 END",
    ]
    waiting = f"SELECT COUNT(*) FROM {q(t.hash.name)} WHERE {q('Key')} IN ('{OWED}', '{WAITING}')"
    columns = (
        p.time_zone, "COUNT(*)", p.digest(texts, q("ID")), f"({waiting})",
        f"MIN(CASE WHEN {q('IsActive')} <> 0 THEN {q('NextRun')} END)",
    )  # fmt: skip
    return f"SELECT {p.narrow(columns)} FROM {q(t.legacy.job.name)}"


@statement
def deciding_rows(t: Tables, p: Product) -> str:
    return f"SELECT {_columns(p)} FROM {p.quote('c_Job')} t ORDER BY t.{p.quote('ID')}"


@statement
def due_rows(t: Tables, p: Product) -> str:
    q = p.quote
    return (
        f"SELECT {_columns(p)} FROM {q('c_Job')} t "
        f"WHERE t.{q('IsActive')} <> 0 AND t.{q('NextRun')} <= :until ORDER BY t.{q('NextRun')}, t.{q('ID')}"
    )


def _columns(p: Product) -> str:
    return ", ".join(f"t.{p.quote(c)}" for c in _DECIDING)


@statement
def lock_free_rows(t: Tables, p: Product) -> str:
    """Rows by id; what an operator is just editing is passed by."""
    locked = p.select_by_ids(_DECIDING, "c_Job", key="ID", lock=True)
    return locked + (" SKIP LOCKED" if p.for_update_skip else "")


@statement
def wait_briefly(t: Tables, p: Product) -> str:
    return p.wait_briefly


@statement
def wait_usually(t: Tables, p: Product) -> str:
    return p.wait_usually


@statement
def rows_there(t: Tables, p: Product) -> str:
    return p.select_by_ids(("ID",), "c_Job", key="ID")


def as_seen(t: Tables) -> Any:
    """What people see of rows, of LastResult so many characters as `length` says."""
    c = t.legacy.job.c
    return select(
        c.ID, c.JobName, c.CronExpression, c.StoredProcName, c.IsActive, c.LastRun, c.NextRun,
        func.substr(c.LastResult, 1, bindparam("length")), c.FailureCount,
    )  # fmt: skip


@statement
def all_rows(t: Tables, p: Product) -> Any:
    return as_seen(t).order_by(t.legacy.job.c.ID)


@statement
def lock_row(t: Tables, p: Product) -> Any:
    return as_seen(t).where(bindparam("id") == t.legacy.job.c.ID).with_for_update()


@statement
def switch_row(t: Tables, p: Product) -> Any:
    """Its next run is planned anew when it is active again: what was missed meanwhile is not made up for."""
    job = t.legacy.job
    return update(job).where(bindparam("id") == job.c.ID).values(IsActive=bindparam("active"), NextRun=None)


@statement
def delete_row(t: Tables, p: Product) -> Any:
    return delete(t.legacy.job).where(bindparam("id") == t.legacy.job.c.ID)


@statement
def plan_row(t: Tables, p: Product) -> str:
    return f"UPDATE {p.quote('c_Job')} SET {p.quote('NextRun')} = :next_run WHERE {p.quote('ID')} = :id"


@statement
def note_row(t: Tables, p: Product) -> Any:
    job = t.legacy.job
    return update(job).where(bindparam("id") == job.c.ID).values(LastResult=bindparam("text"))


def _outcome(p: Product, failures: str) -> str:
    q = p.quote
    return (
        f"UPDATE {q('c_Job')} SET {q('LastRun')} = :ran_at, {q('LastResult')} = :text{failures} WHERE {q('ID')} = :id"
    )


@statement
def write_success(t: Tables, p: Product) -> str:
    return _outcome(p, f", {p.quote('FailureCount')} = 0")


@statement
def write_failure(t: Tables, p: Product) -> str:
    """FailureCount is NULL in a row whose columns people left out."""
    return _outcome(p, f", {p.quote('FailureCount')} = COALESCE({p.quote('FailureCount')}, 0) + 1")


@statement
def write_cancelled(t: Tables, p: Product) -> str:
    return _outcome(p, "")


# -- what the scheduler asks ------------------------------------------------------------------------------------


def glance(tx: Tx) -> Glance:
    """Look once, cheaply; nothing is locked."""
    (row,) = tx.execute(glance_at_rows)
    zone, count, digest, owed, earliest = tx.prepared.product.wide(row, 5)
    first = datetime.min if earliest is not None and moment(earliest) is None else moment(earliest)
    return Glance((int(count), digest), first, int(owed) > 0, str(zone))


def rows(tx: Tx) -> list[LegacyRow]:
    """All rows, unlocked."""
    return [_deciding(r) for r in tx.execute(deciding_rows)]


def rows_until(tx: Tx, shown: datetime) -> list[LegacyRow]:
    """Active rows whose NextRun is not after a time of the wall clock; unlocked, the longest due first."""
    return [_deciding(r) for r in tx.execute(due_rows, {"until": tx.bind_moment(shown)})]


def lock_free(tx: Tx, ids: Iterable[int]) -> list[LegacyRow]:
    """These rows, locked; without those that are gone, or that somebody else holds."""
    return [_deciding(r) for r in tx.execute(lock_free_rows, {"ids": jobs.ids_json(ids)})]


def lock_free_soon(tx: Tx, ids: Iterable[int]) -> list[LegacyRow] | None:
    """As `lock_free`; None when the whole table is locked (LOCK TABLES, or an ALTER that waits for its turn)."""
    product = tx.prepared.product
    if not product.wait_briefly:
        return lock_free(tx, ids)
    tx.execute(wait_briefly)
    try:
        found = lock_free(tx, ids)
    except SQLAlchemyError as error:
        if not product.is_table_locked(error):
            raise
        found = None
    tx.execute(wait_usually)
    return found


def there(tx: Tx, ids: Iterable[int]) -> set[int]:
    """Which of these rows exist."""
    return {int(r[0]) for r in tx.execute(rows_there, {"ids": jobs.ids_json(ids)})}


def plan(tx: Tx, moments: Mapping[int, datetime | None]) -> None:
    """Write when rows run next, on the server's wall clock."""
    given = [{"id": i, "next_run": tx.bind_moment(moment)} for i, moment in sorted(moments.items())]
    if given:
        tx.send(plan_row, given)


def note(tx: Tx, row_id: int, text: str) -> None:
    """Tell the operator what is wrong with a row."""
    tx.execute(note_row, {"id": row_id, "text": _last_result(tx, text)})


def write_outcome(tx: Tx, row_id: int, ran_at: datetime, text: str | None, success: bool | None) -> None:
    """Write how a run ended that began at `ran_at` (UTC). success: None when it was cancelled."""
    build = write_cancelled if success is None else write_success if success else write_failure
    at = tx.bind_moment(tx.clock.to_local(ran_at))
    tx.send(build, {"id": row_id, "ran_at": at, "text": _last_result(tx, text)})


# -- what people ask --------------------------------------------------------------------------------------------


def load_all(tx: Tx, *, length: int = 200) -> list[LegacyJob]:
    """All rows, by ID; of LastResult the first `length` characters."""
    return [read_job(r) for r in tx.execute(all_rows, {"length": length})]


def load(tx: Tx, row_id: int, *, length: int = 200) -> LegacyJob | None:
    """One row, locked; None when there is none."""
    found = tx.execute(lock_row, {"id": row_id, "length": length}).first()
    return None if found is None else read_job(found)


def switch(tx: Tx, row_id: int, active: bool) -> None:
    """Write IsActive; the scheduler plans the next run."""
    tx.execute(switch_row, {"id": row_id, "active": int(active)})


def remove(tx: Tx, row_id: int) -> bool:
    """Delete a row; whether it was there."""
    return tx.execute(delete_row, {"id": row_id}).rowcount > 0


def _deciding(row: Sequence[Any]) -> LegacyRow:
    return LegacyRow(int(row[0]), row[1], row[2], row[3], flag(row[4]), moment(row[5]))


def _last_result(tx: Tx, text: str | None) -> str | None:
    """As the column takes it."""
    fit = legacy_shape.of(tx).texts.get("c_Job", {}).get("LastResult")
    return text if text is None or fit is None else fit(text)


def read_job(row: Any) -> LegacyJob:
    """A row out of the columns of `as_seen`."""
    last, following = moment(row[5]), moment(row[6])
    return LegacyJob(int(row[0]), row[1], row[2], row[3], flag(row[4]), last, following, row[7], int(row[8] or 0))


def flag(value: Any) -> bool:
    """IsActive as people write it: NULL and 0 are no, 1 and 2 are yes; a BIT comes as bytes."""
    return any(value) if isinstance(value, bytes) else str(value or 0) != "0"


def moment(value: Any) -> datetime | None:
    """A moment in whole seconds. What people wrote: a MySQL of loose mode keeps 0000-00-00, and SQLite any text."""
    try:
        return None if value is None else as_moment(value).replace(microsecond=0)
    except ValueError:
        return None
