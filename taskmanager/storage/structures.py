"""Rows of Set, Hash, List and Counter: Hangfire's small data structures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from taskmanager.storage import jobs
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, insert_each


@statement
def upsert_member(t: Tables, p: Product) -> str:
    return p.upsert(t.set, ("Key", "Value"), {"Score": "{new}"})


@statement
def delete_member(t: Tables, p: Product) -> Any:
    s = t.set.c
    return delete(t.set).where(s.Key == bindparam("key"), s.Value == bindparam("value"))


@statement
def delete_members(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.set.name)


@statement
def due_members(t: Tables, p: Product) -> Any:
    """Members whose time has come, unlocked: their jobs are locked first, everywhere in the house.

    The index is forced: a set that is most of a small table would be scanned and sorted, and all of it locked.
    """
    s, hint = t.set.c, f"FORCE INDEX (IX_{t.set.name}_Key_Score)"
    return (
        select(s.Id, s.Value, s.Score)
        .with_hint(t.set, hint, "mysql")
        .with_hint(t.set, hint, "mariadb")
        .where(s.Key == bindparam("key"), s.Score >= 0, s.Score <= bindparam("now"))
        .order_by(s.Score)
        .limit(bindparam("limit"))
    )


@statement
def lock_due_members(t: Tables, p: Product) -> Any:
    """Due members, locked; what another scheduler holds is passed by."""
    return due_members(t, p).with_for_update(skip_locked=True)


@statement
def all_members(t: Tables, p: Product) -> Any:
    s = t.set.c
    return select(s.Value, s.Score).where(s.Key == bindparam("key")).order_by(s.Value)


@statement
def all_members_of(t: Tables, p: Product) -> Any:
    s = t.set.c
    return select(s.Key, s.Value, s.Score).where(s.Key.in_(bindparam("keys", expanding=True))).order_by(s.Value)


@statement
def lock_member(t: Tables, p: Product) -> Any:
    s = t.set.c
    return select(s.Score).where(s.Key == bindparam("key"), s.Value == bindparam("value")).with_for_update()


@statement
def count_members(t: Tables, p: Product) -> Any:
    return select(func.count()).select_from(t.set).where(t.set.c.Key == bindparam("key"))


@statement
def upsert_field(t: Tables, p: Product) -> str:
    return p.upsert(t.hash, ("Key", "Field"), {"Value": "{new}"})


@statement
def read_hash(t: Tables, p: Product) -> Any:
    h = t.hash.c
    return select(h.Field, h.Value).where(h.Key == bindparam("key"))


@statement
def read_hashes(t: Tables, p: Product) -> Any:
    h = t.hash.c
    return select(h.Key, h.Field, h.Value).where(h.Key.in_(bindparam("keys", expanding=True)))


@statement
def delete_hash(t: Tables, p: Product) -> Any:
    return delete(t.hash).where(t.hash.c.Key == bindparam("key"))


@statement
def delete_field(t: Tables, p: Product) -> Any:
    return delete(t.hash).where(t.hash.c.Key == bindparam("key"), t.hash.c.Field == bindparam("field"))


@statement
def insert_counter(t: Tables, p: Product) -> str:
    return p.insert_text(t.counter, ("Key", "Value", "ExpireAt"))


@statement
def read_counter(t: Tables, p: Product) -> Any:
    """A counter is what was rolled up and what still waits for it."""
    c, a = t.counter.c, t.aggregated.c
    parts = (
        select(c.Key.label("Key"), c.Value.label("Value"))
        .where(c.Key.in_(bindparam("keys", expanding=True)))
        .union_all(select(a.Key, a.Value).where(a.Key.in_(bindparam("keys", expanding=True))))
        .subquery()
    )
    return select(parts.c.Key, func.sum(parts.c.Value)).group_by(parts.c.Key)


def put(tx: Tx, key: str, scores: Mapping[str, float], *, expire: datetime | None = None) -> None:
    """Add members to a set, or move them to a new score. expire: when new ones are dropped; never when None."""
    at = tx.bind_moment(expire)
    rows = [{"Key": key, "Value": v, "Score": s, "ExpireAt": at} for v, s in sorted(scores.items())]
    insert_each(tx, upsert_member, rows)


def remove(tx: Tx, key: str, values: Iterable[str]) -> int:
    """Take members out of a set; returns how many were there."""
    return sum(tx.execute(delete_member, {"key": key, "value": v}).rowcount for v in sorted(set(values)))


def remove_rows(tx: Tx, row_ids: Iterable[int]) -> None:
    """Delete members by the primary key of their rows."""
    text = jobs.ids_json(row_ids)
    if text != "[]":
        tx.execute(delete_members, {"ids": text})


def due(tx: Tx, key: str, now: float, limit: int, *, lock: bool = False) -> list[tuple[int, str, float]]:
    """Members with a score from 0 to `now` (unix seconds), earliest first: (row id, member, score)."""
    build = lock_due_members if lock else due_members
    rows = tx.execute(build, {"key": key, "now": now, "limit": limit})
    return [(int(r[0]), str(r[1]), float(r[2])) for r in rows]


def is_due(tx: Tx, key: str, now: float) -> bool:
    """Whether the time of any member has come (unix seconds)."""
    return tx.execute(due_members, {"key": key, "now": now, "limit": 1}).first() is not None


def members(tx: Tx, key: str) -> dict[str, float]:
    """All members of a set with their scores."""
    return {str(r[0]): float(r[1]) for r in tx.execute(all_members, {"key": key})}


def members_of(tx: Tx, keys: Sequence[str]) -> dict[str, dict[str, float]]:
    """All members of several sets with their scores, by set."""
    found: dict[str, dict[str, float]] = {key: {} for key in keys}
    for key, value, score in tx.execute(all_members_of, {"keys": list(keys)}):
        found.setdefault(str(key), {})[str(value)] = float(score)
    return found


def lock_one(tx: Tx, key: str, value: str) -> float | None:
    """Lock one member; its score, or None when it is not there."""
    row = tx.execute(lock_member, {"key": key, "value": value}).first()
    return None if row is None else float(row[0])


def count(tx: Tx, key: str) -> int:
    """How many members a set has."""
    return int(tx.execute(count_members, {"key": key}).scalar_one())


def set_fields(tx: Tx, key: str, fields: Mapping[str, str | None]) -> None:
    """Write fields of a hash; cleared ones become empty text, as Hangfire does."""
    rows = [{"Key": key, "Field": f, "Value": v or "", "ExpireAt": None} for f, v in sorted(fields.items())]
    insert_each(tx, upsert_field, rows)


def fields(tx: Tx, key: str) -> dict[str, str]:
    """All fields of a hash; empty when it does not exist."""
    return {str(r[0]): r[1] or "" for r in tx.execute(read_hash, {"key": key})}


def fields_of(tx: Tx, keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """Several hashes at once."""
    found: dict[str, dict[str, str]] = {}
    if keys:
        for key, field, value in tx.execute(read_hashes, {"keys": list(keys)}):
            found.setdefault(key, {})[field] = value or ""
    return found


def remove_field(tx: Tx, key: str, field: str) -> bool:
    """Delete a field of a hash; whether it was there."""
    return bool(tx.execute(delete_field, {"key": key, "field": field}).rowcount)


def remove_hash(tx: Tx, key: str) -> int:
    """Delete a hash; returns how many fields it had."""
    return tx.execute(delete_hash, {"key": key}).rowcount


def add_counts(tx: Tx, counts: Mapping[tuple[str, datetime | None], int]) -> None:
    """Append counter rows, one a key; they are rolled up later, so that nobody waits for a hot row."""
    rows = [
        {"Key": key, "Value": value, "ExpireAt": tx.bind_moment(expire)}
        for (key, expire), value in sorted(counts.items(), key=lambda item: item[0][0])
        if value
    ]
    insert_each(tx, insert_counter, rows)


def counts_of(tx: Tx, keys: Sequence[str]) -> dict[str, int]:
    """Counters by key; 0 for those that were never counted."""
    found = {str(r[0]): int(r[1]) for r in tx.execute(read_counter, {"keys": list(keys)})}
    return {key: found.get(key, 0) for key in keys}
