"""What a bulk operation still has to do, part by part: Hash `operation:{job id}`, a field for each part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from taskmanager.storage import structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, insert_each

_KEY = "operation:"


@statement
def insert_part(t: Tables, p: Product) -> str:
    return p.insert_text(t.hash, ("Key", "Field", "Value", "ExpireAt"))


@statement
def read_part(t: Tables, p: Product) -> Any:
    h = t.hash.c
    return select(h.Value).where(h.Key == bindparam("key"), h.Field == bindparam("field"))


@statement
def delete_part(t: Tables, p: Product) -> Any:
    h = t.hash.c
    return delete(t.hash).where(h.Key == bindparam("key"), h.Field == bindparam("field"))


def write(tx: Tx, job_id: int, parts: Sequence[str], expire: datetime) -> None:
    """Write all parts. expire: when they are dropped, should nobody take them."""
    at = tx.bind_moment(expire)
    rows = [{"Key": f"{_KEY}{job_id}", "Field": str(n), "Value": part, "ExpireAt": at} for n, part in enumerate(parts)]
    insert_each(tx, insert_part, rows)


def take(tx: Tx, job_id: int, number: int) -> str | None:
    """Read a part, and delete it in the same transaction; None when it is not there."""
    given = {"key": f"{_KEY}{job_id}", "field": str(number)}
    found = tx.execute(read_part, given).first()
    tx.execute(delete_part, given)
    return None if found is None else str(found[0])


def drop(tx: Tx, job_id: int) -> None:
    """Delete all that are left: the operation was stopped."""
    structures.remove_hash(tx, f"{_KEY}{job_id}")
