"""Rows of JobTag: by what an index finds jobs, and what of it there is."""

from __future__ import annotations

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, insert_each

#: So many tags are listed.
MOST = 300


@statement
def insert_tag(t: Tables, p: Product) -> str:
    return p.insert_text(t.tag, ("JobId", "Name", "Value"))


@statement
def tag_values(t: Tables, p: Product) -> str:
    """Tags that jobs have, one look-up each."""
    q, of, value = p.quote, p.quote(t.tag.name), p.quote("Value")
    mine = f"{of} WHERE {q('Name')} = 'tag'"
    if p.name in ("mysql", "mariadb"):
        return f"SELECT DISTINCT {value} AS name FROM {mine} LIMIT {MOST}"
    return (
        f"WITH RECURSIVE names (name, number) AS (SELECT (SELECT MIN({value}) FROM {mine}), 1 UNION ALL "
        f"SELECT (SELECT MIN({value}) FROM {mine} AND {value} > names.name), number + 1 FROM names "
        f"WHERE names.name IS NOT NULL AND number < {MOST}) SELECT name FROM names WHERE name IS NOT NULL"
    )


def values(tx: Tx) -> list[str]:
    """The tags that jobs have, in small letters, the first `MOST` of them."""
    return [str(r[0]) for r in tx.execute(tag_values)]


def add(tx: Tx, rows: list[tuple[int, str, str]]) -> None:
    """Write tags and search keys: the job's id, name, value; those of all jobs of a transaction at once."""
    insert_each(tx, insert_tag, [{"JobId": job, "Name": name, "Value": value} for job, name, value in rows])
