"""Rows of the older c_Job: read and written as their users expect, on the server's wall clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from taskmanager.domain.targcc import Rule
from taskmanager.storage import jobs, legacy
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

COLUMNS = (
    "ID", "lkpJob", "lkpJobRunner", "enmJobType", "WhenToRun", "CyclicCount", "TimeOutSec", "Active", "IsManaged",
    "NextRunTime", "LastRunTime", "enmJobStatus", "ActivatingUser", "SendNotificationOnSuccess", "WarningMailSent",
)  # fmt: skip
#: ActivatingUser, LastRunBy and AddedBy have so many characters.
USER_LENGTH = 50


@dataclass(frozen=True, slots=True)
class TargccRow:
    """What decides about a row; moments are on the server's wall clock. timeout: seconds, None for no limit."""

    id: int
    code: str
    runner: str
    rule: Rule
    timeout: int | None
    active: bool
    managed: bool
    next_run: datetime | None
    last_run: datetime | None
    status: str | None
    user: str | None
    #: SendNotificationOnSuccess, and WarningMailSent: a mail tells already that it was missed.
    notifies: bool
    warned: bool

    @property
    def in_process(self) -> bool:
        """Whether somebody runs it, by what the row says."""
        return (self.status or "").strip().lower() == "inprocess"


@statement
def targcc_rows(t: Tables, p: Product) -> str:
    names = ", ".join(f"t.{p.quote(c)}" for c in COLUMNS)
    return f"SELECT {names} FROM {p.quote('c_Job')} t ORDER BY t.{p.quote('ID')}"


@statement
def some_targcc_rows(t: Tables, p: Product) -> str:
    return p.select_by_ids(COLUMNS, "c_Job", key="ID")


@statement
def server_zone(t: Tables, p: Product) -> str:
    return f"SELECT {p.time_zone}"


@statement
def lock_targcc_rows(t: Tables, p: Product) -> str:
    """Rows by id; what an operator is just editing is passed by."""
    locked = p.select_by_ids(COLUMNS, "c_Job", key="ID", lock=True)
    return locked + (" SKIP LOCKED" if p.for_update_skip else "")


@statement
def wait_for_targcc_row(t: Tables, p: Product) -> str:
    """As lock_targcc_rows, but whoever holds a row is waited for: a person asked for it."""
    return p.select_by_ids(COLUMNS, "c_Job", key="ID", lock=True)


def _update(p: Product, **changes: str) -> str:
    sets = ", ".join(f"{p.quote(column)} = {value}" for column, value in changes.items())
    return f"UPDATE {p.quote('c_Job')} SET {sets} WHERE {p.quote('ID')} = :id"


@statement
def plan_targcc_row(t: Tables, p: Product) -> str:
    return _update(p, NextRunTime=":next_run")


@statement
def stop_targcc_row(t: Tables, p: Product) -> str:
    return _update(p, NextRunTime="NULL", ActivatingUser=":user")


@statement
def switch_targcc_row(t: Tables, p: Product) -> str:
    return _update(p, Active=":active", NextRunTime="NULL", ActivatingUser=":user")


@statement
def retire_targcc_row(t: Tables, p: Product) -> str:
    return _update(p, Active="0")


@statement
def claim_targcc_row(t: Tables, p: Product) -> str:
    return _update(p, enmJobStatus="'InProcess'", LastRunTime=":at", LastRunBy=":by")


@statement
def ask_targcc_row(t: Tables, p: Product) -> str:
    return _update(p, ActivatingUser=":user")


@statement
def fail_targcc_row(t: Tables, p: Product) -> str:
    return _update(p, enmJobStatus="'Failure'")


@statement
def end_targcc_row(t: Tables, p: Product) -> str:
    return _update(
        p, enmJobStatus=":status", LastRunTime=":at", LastRunBy=":by", WarningMailSent="0", ActivatingUser=":user",
        NextRunTime=":next_run",
    )  # fmt: skip


def rows(tx: Tx) -> list[TargccRow]:
    """All rows, unlocked."""
    return [read_row(r) for r in tx.execute(targcc_rows)]


def some(tx: Tx, ids: Iterable[int]) -> list[TargccRow]:
    """Those of these rows that there are, unlocked."""
    return [read_row(r) for r in tx.execute(some_targcc_rows, {"ids": jobs.ids_json(ids)})]


def zone(tx: Tx) -> str:
    """The server's zone, as it names it."""
    return str(tx.execute(server_zone).scalar_one())


def lock_free(tx: Tx, ids: Iterable[int]) -> dict[int, TargccRow]:
    """These rows, locked; without those that are gone, or that somebody else holds."""
    return {int(r[0]): read_row(r) for r in tx.execute(lock_targcc_rows, {"ids": jobs.ids_json(ids)})}


def lock(tx: Tx, row_id: int) -> TargccRow | None:
    """This row, locked as soon as nobody else holds it; None when it is gone."""
    row = tx.execute(wait_for_targcc_row, {"ids": jobs.ids_json([row_id])}).first()
    return None if row is None else read_row(row)


def lock_free_soon(tx: Tx, ids: Iterable[int]) -> dict[int, TargccRow] | None:
    """As `lock_free`; None when the whole table is locked (LOCK TABLES, or an ALTER that waits for its turn)."""
    product = tx.prepared.product
    if not product.wait_briefly:
        return lock_free(tx, ids)
    tx.execute(legacy.wait_briefly)
    try:
        found = lock_free(tx, ids)
    except SQLAlchemyError as error:
        if not product.is_table_locked(error):
            raise
        found = None
    tx.execute(legacy.wait_usually)
    return found


def plan(tx: Tx, row_id: int, next_run: datetime | None) -> None:
    """Write when a row runs next."""
    tx.execute(plan_targcc_row, {"id": row_id, "next_run": tx.bind_moment(next_run)})


def stop(tx: Tx, row_id: int, user: str) -> None:
    """An inactive row has no next time."""
    tx.execute(stop_targcc_row, {"id": row_id, "user": user[:USER_LENGTH]})


def switch(tx: Tx, row_id: int, active: bool, user: str) -> None:
    """Write Active; the next run is planned by who looks next."""
    tx.execute(switch_targcc_row, {"id": row_id, "active": int(active), "user": user[:USER_LENGTH]})


def retire(tx: Tx, row_id: int) -> None:
    """A OneOff row has had its run."""
    tx.execute(retire_targcc_row, {"id": row_id})


def claim(tx: Tx, row_id: int, at: datetime, by: str) -> None:
    """Set a row InProcess; LastRunTime is when it began (UTC here)."""
    given = {"id": row_id, "at": tx.bind_moment(tx.clock.to_local(at)), "by": by[:USER_LENGTH]}
    tx.execute(claim_targcc_row, given)


def ask(tx: Tx, row_id: int, user: str) -> None:
    """Write who wants a row to run: the run's end copies it to the history."""
    tx.execute(ask_targcc_row, {"id": row_id, "user": user[:USER_LENGTH]})


def fail(tx: Tx, row_id: int) -> None:
    """An external program did not report the end of its run in time."""
    tx.execute(fail_targcc_row, {"id": row_id})


def end(tx: Tx, row_id: int, *, status: str, at: datetime, by: str, user: str, next_run: datetime | None) -> None:
    """Write how a run ended; at: when (UTC), next_run: on the wall clock."""
    given = {
        "id": row_id, "status": status, "at": tx.bind_moment(tx.clock.to_local(at)), "by": by[:USER_LENGTH],
        "user": user[:USER_LENGTH], "next_run": tx.bind_moment(next_run),
    }  # fmt: skip
    tx.execute(end_targcc_row, given)


def read_row(r: Sequence[Any]) -> TargccRow:
    """A row out of its COLUMNS."""
    timeout = int(r[6] or 0)
    return TargccRow(
        int(r[0]), str(r[1] or "").strip(), str(r[2] or "").strip(),
        Rule(r[3], whole_moment(r[4]), None if r[5] is None else int(r[5])), timeout if timeout > 0 else None,
        _flag(r[7]), _flag(r[8]), whole_moment(r[9]), whole_moment(r[10]), r[11], r[12],
        _flag(r[13]), _flag(r[14]),
    )  # fmt: skip


def _flag(value: Any) -> bool:
    """As people write it: NULL and 0 are no; a BIT comes as bytes."""
    return any(value) if isinstance(value, bytes) else str(value or 0) not in ("0", "False")


def whole_moment(value: Any) -> datetime | None:
    """A moment to the second, which is all that these columns keep; None for what is none."""
    try:
        return None if value is None else as_moment(value).replace(microsecond=0)
    except ValueError:
        return None
