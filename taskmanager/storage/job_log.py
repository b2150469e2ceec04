"""Rows of JobLog: what jobs wrote while they ran, in chunks of lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment, insert_each


@statement
def insert_log(t: Tables, p: Product) -> str:
    return p.insert_text(t.log, ("JobId", "Attempt", "CreatedAt", "Lines"))


@statement
def read_log(t: Tables, p: Product) -> Any:
    rows = t.log.c
    return select(rows.Attempt, rows.CreatedAt, rows.Lines).where(rows.JobId == bindparam("job")).order_by(rows.Id)


@statement
def read_newest_log(t: Tables, p: Product) -> Any:
    rows = t.log.c
    return select(rows.Lines).where(rows.JobId == bindparam("job")).order_by(rows.Id.desc()).limit(1)


def add(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Append chunks of log lines: JobId, Attempt, CreatedAt, Lines."""
    insert_each(tx, insert_log, rows)


def newest(tx: Tx, job_id: int) -> str | None:
    """The chunk of log lines a job wrote last."""
    row = tx.execute(read_newest_log, {"job": job_id}).first()
    return None if row is None else str(row[0])


def of(tx: Tx, job_id: int) -> list[tuple[int, datetime, str]]:
    """The log chunks of a job, oldest first: attempt, moment, lines."""
    return [(int(r[0]), as_moment(r[1]), r[2]) for r in tx.execute(read_log, {"job": job_id})]
