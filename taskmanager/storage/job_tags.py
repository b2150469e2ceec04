"""Rows of JobTag: by what an index finds jobs, and what of it there is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, insert_each


@statement
def insert_tag(t: Tables, p: Product) -> str:
    return p.insert_text(t.tag, ("JobId", "Name", "Value"))


@statement
def tag_floor(t: Tables, p: Product) -> Any:
    """The job so many below the first of a tag, from the index alone, and when it was created."""
    c = t.tag.c
    ids = select(c.JobId).where(
        c.Name == bindparam("name"), c.Value == bindparam("value"), c.JobId < bindparam("edge")
    )  # fmt: skip
    place = ids.order_by(c.JobId.desc()).limit(1).offset(bindparam("skip")).subquery()
    return select(place.c.JobId, t.job.c.CreatedAt).select_from(place.outerjoin(t.job, t.job.c.Id == place.c.JobId))


def add(tx: Tx, rows: list[tuple[int, str, str]]) -> None:
    """Write tags and search keys: the job's id, name, value; those of all jobs of a transaction at once."""
    insert_each(tx, insert_tag, [{"JobId": job, "Name": name, "Value": value} for job, name, value in rows])
