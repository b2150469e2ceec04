"""Notifications: rows of a List of each user, found by (Key, Id); a member of a Set tells each user's newest.

A user's name is in the keys as a digest: whatever its length, letters and a table's collation, it is nobody else's.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, bindparam, select

from taskmanager.domain import times
from taskmanager.domain.notifications import Notification
from taskmanager.storage import jobs
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

_MARKS, _LIST = "notifications", "notifications:"
#: How many of one user are kept, and how many beyond them are deleted with the next.
MOST = 100
_SURPLUS = 10


@statement
def upsert_mark(t: Tables, p: Product) -> str:
    """Holds the user's row to the end of the transaction: so the ids of one user are committed in their order."""
    return p.upsert(t.set, ("Key", "Value"), {"Score": "{new}", "ExpireAt": "{new}"})


@statement
def insert_notification(t: Tables, p: Product) -> str:
    return p.insert_text(t.list, ("Key", "Value", "ExpireAt"))


@statement
def newest_ids(t: Tables, p: Product) -> Any:
    """The newest of one user, and a few of those that are too many."""
    c = t.list.c
    return select(c.Id).where(c.Key == bindparam("key")).order_by(c.Id.desc()).limit(MOST + _SURPLUS)


@statement
def delete_notifications(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.list.name)


@statement
def marks_of(t: Tables, p: Product) -> Any:
    """The newest of each of these users: one look into the index a user."""
    c = t.set.c
    return select(c.Value, c.Score).where(
        c.Key == bindparam("key"), c.Value.in_(bindparam("users", expanding=True))
    )  # fmt: skip


@statement
def notifications_after(t: Tables, p: Product) -> Any:
    c = t.list.c
    return (
        select(c.Id, c.Value, c.ExpireAt).where(c.Key == bindparam("key"), c.Id > bindparam("after"))
        .order_by(c.Id).limit(bindparam("limit", type_=Integer))
    )  # fmt: skip


def sending(told: Notification, kept: float) -> Callable[[Tx], int]:
    """A unit of work that writes a notification, once, however often it is run again; it answers the id.

    kept: seconds.
    """
    key, tries = secrets.token_hex(8), 0

    def work(tx: Tx) -> int:
        nonlocal tries
        tries += 1
        _hold(tx, told.user, 0.0, kept)
        if tries > 1:  # a COMMIT whose answer was lost may have been carried out
            written = [i for i, facts, _ in _rows(tx, told.user, 0) if facts.get("Sent") == key]
            if written:
                _hold(tx, told.user, newest(tx, told.user), kept)
                return written[0]
        return _write(tx, told, key, kept)

    return work


def newest(tx: Tx, user: str) -> int:
    """The id of a user's newest row; 0 when there is none."""
    row = tx.execute(newest_ids, {"key": _list(user)}).first()
    return 0 if row is None else int(row[0])


def news(tx: Tx, users: Iterable[str]) -> dict[str, int]:
    """The id of the newest notification of each of these users who has any."""
    digests = {_digest(user): user for user in users}
    if not digests:
        return {}
    rows = tx.execute(marks_of, {"key": _MARKS, "users": sorted(digests)})
    return {digests[str(r[0])]: int(r[1]) for r in rows}


def after(tx: Tx, user: str, last: int) -> list[Notification]:
    """What a user was told after id `last` and is not too old yet, in order; at most 110."""
    now = tx.now()
    return [
        Notification(user, facts["Type"], facts["Message"], number, times.parse(facts["At"]))
        for number, facts, expire in _rows(tx, user, last)
        if expire >= now
    ]


def _write(tx: Tx, told: Notification, key: str, kept: float) -> int:
    now = tx.now()
    facts = {"User": told.user, "Type": told.type, "Message": told.message, "At": times.to_iso(now), "Sent": key}
    row = {"Key": _list(told.user), "Value": json.dumps(facts), "ExpireAt": _expire(tx, kept)}
    tx.execute(insert_notification, row)
    ids = [int(r[0]) for r in tx.execute(newest_ids, {"key": _list(told.user)})]
    _hold(tx, told.user, ids[0], kept)
    if ids[MOST:]:
        tx.execute(delete_notifications, {"ids": jobs.ids_json(ids[MOST:])})
    return ids[0]


def _hold(tx: Tx, user: str, last: float, kept: float) -> None:
    tx.execute(
        upsert_mark, {"Key": _MARKS, "Value": _digest(user), "Score": float(last), "ExpireAt": _expire(tx, kept)}
    )


def _expire(tx: Tx, kept: float) -> Any:
    return tx.bind_moment(tx.now() + timedelta(seconds=kept))


def _rows(tx: Tx, user: str, last: int) -> list[tuple[int, dict[str, Any], datetime]]:
    given = {"key": _list(user), "after": last, "limit": MOST + _SURPLUS}
    return [(int(r[0]), json.loads(r[1]), r[2]) for r in tx.execute(notifications_after, given)]


def _digest(user: str) -> str:
    return hashlib.sha256(user.encode()).hexdigest()


def _list(user: str) -> str:
    return _LIST + _digest(user)
