"""A row of c_Job as a person edits it: only the columns of a form are read and written, whichever shape it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from taskmanager.storage import jobs, legacy, targcc
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.targcc import TargccRow
from taskmanager.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class EditedRow:
    """What of a row of the specification's table people edit. mails: EmailOnFailure."""

    name: str | None
    cron: str | None
    procedure: str | None
    active: bool
    mails: bool


def _edited(t: Tables) -> Any:
    c = t.legacy.job.c
    wanted = (c.JobName, c.CronExpression, c.StoredProcName, c.IsActive, c.EmailOnFailure)
    return select(*wanted).where(bindparam("id") == c.ID)


@statement
def row_to_edit(t: Tables, p: Product) -> Any:
    return _edited(t)


@statement
def lock_row_to_edit(t: Tables, p: Product) -> Any:
    return _edited(t).with_for_update()


@statement
def edit_row(t: Tables, p: Product) -> Any:
    job = t.legacy.job
    named = {"JobName": "name", "CronExpression": "cron", "StoredProcName": "procedure"}
    return update(job).where(bindparam("id") == job.c.ID).values({c: bindparam(p) for c, p in named.items()})


@statement
def set_mails(t: Tables, p: Product) -> Any:
    job = t.legacy.job
    return update(job).where(bindparam("id") == job.c.ID).values(EmailOnFailure=bindparam("mails"))


@statement
def targcc_row(t: Tables, p: Product) -> str:
    return p.select_by_ids(targcc.COLUMNS, "c_Job", key="ID")


@statement
def edit_targcc_row(t: Tables, p: Product) -> str:
    q = p.quote
    changes = {"enmJobType": "kind", "WhenToRun": "when_to_run", "CyclicCount": "every", "TimeOutSec": "timeout"}
    sets = ", ".join(f"{q(column)} = :{name}" for column, name in changes.items())
    return f"UPDATE {q('c_Job')} SET {sets} WHERE {q('ID')} = :id"


def load(tx: Tx, row_id: int, *, lock: bool = False) -> EditedRow | None:
    """A row of the specification's table; None when there is none."""
    row = tx.execute(lock_row_to_edit if lock else row_to_edit, {"id": row_id}).first()
    return None if row is None else EditedRow(row[0], row[1], row[2], legacy.flag(row[3]), legacy.flag(row[4]))


def save(tx: Tx, row_id: int, old: EditedRow, new: EditedRow) -> None:
    """Write what differs. A row that is switched is planned anew by who looks next."""
    if (old.name, old.cron, old.procedure) != (new.name, new.cron, new.procedure):
        tx.execute(edit_row, {"id": row_id, "name": new.name, "cron": new.cron, "procedure": new.procedure})
    if old.mails != new.mails:
        tx.execute(set_mails, {"id": row_id, "mails": int(new.mails)})
    if old.active != new.active:
        legacy.switch(tx, row_id, new.active)


def load_targcc(tx: Tx, row_id: int) -> TargccRow | None:
    """A row of the older table, unlocked; None when there is none."""
    row = tx.execute(targcc_row, {"ids": jobs.ids_json([row_id])}).first()
    return None if row is None else targcc.read_row(row)


def save_targcc(tx: Tx, row_id: int, values: Mapping[str, str | int | datetime | None]) -> None:
    """Write kind, when_to_run (on the wall clock), every and timeout of a row of the older table."""
    when = values["when_to_run"]
    tx.execute(
        edit_targcc_row, {**values, "id": row_id, "when_to_run": tx.bind_moment(when)}  # type: ignore[arg-type]
    )  # fmt: skip
