"""Queues as people look at them: how much waits, since when, what is next. Capped, and one statement for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_lists import Row, rows_of
from taskmanager.storage.monitoring_snapshot import CAP, queue_names
from taskmanager.storage.queues import PAUSED
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: Queues that one statement looks at; a text of fixed length is built once.
_AT_ONCE = 12
_NEXT = 5


@dataclass(frozen=True, slots=True)
class QueueView:
    """One queue. `waiting_since`: since when the job at its head waits; `next`: the jobs that come first."""

    name: str
    paused: bool
    waiting: int = 0
    fetched: int = 0
    waiting_since: datetime | None = None
    next: tuple[Row, ...] = ()

    @property
    def is_capped(self) -> bool:
        """Whether more wait than were counted."""
        return self.waiting > CAP


@statement
def names(t: Tables, p: Product) -> str:
    """Queues in which something is, by one look-up each, and those that are paused."""
    q = p.quote
    paused = f"SELECT {q('Value')}, 1 FROM {q(t.set.name)} WHERE {q('Key')} = '{PAUSED}'"
    return f"SELECT name, 0 FROM ({queue_names(t, p)}) x UNION ALL {paused}"


@statement
def looks(t: Tables, p: Product) -> str:
    """What waits in some queues and what is in hand, capped, and since when the head of each waits."""
    return " UNION ALL ".join(_look(t, p, number) for number in range(_AT_ONCE))


@statement
def heads(t: Tables, p: Product) -> str:
    """The first jobs of some queues."""
    q = p.quote
    return " UNION ALL ".join(
        f"SELECT * FROM (SELECT {q('JobId')} FROM {q(t.queue.name)} WHERE {q('Queue')} = :q{n} "
        f"AND {q('FetchedAt')} IS NULL ORDER BY {_order(p, '')} LIMIT {_NEXT}) h{n}"
        for n in range(_AT_ONCE)
    )


@statement
def jobs_of_queue(t: Tables, p: Product) -> Any:
    """A page of one queue in the order in which it is claimed, or of what is in hand."""
    c = t.queue.c
    return (
        select(c.Id, c.JobId)
        .where(c.Queue == bindparam("queue"), c.FetchedAt.is_(None), c.Id > bindparam("after"))
        .order_by(c.Id)
        .limit(bindparam("limit"))
    )


@statement
def fetched_of_queue(t: Tables, p: Product) -> Any:
    c = t.queue.c
    return (
        select(c.Id, c.JobId)
        .where(c.Queue == bindparam("queue"), c.FetchedAt.is_not(None), c.Id > bindparam("after"))
        .order_by(c.Id)
        .limit(bindparam("limit"))
    )


def overview(tx: Tx, *, with_next: bool = False, limit: int = 100) -> list[QueueView]:
    """Queues in which something is or that are paused, by name."""
    known: dict[str, bool] = {}
    for name, paused in tx.execute(names):
        known[str(name)] = known.get(str(name), False) or bool(paused)
    found = sorted(known)[:limit]
    views = {name: QueueView(name, known[name]) for name in found}
    for start in range(0, len(found), _AT_ONCE):
        some = _slots(found[start : start + _AT_ONCE])
        for name, waiting, fetched, since in tx.execute(looks, some):
            if name in views:
                moment = None if since is None else as_moment(since)
                views[name] = replace(views[name], waiting=int(waiting), fetched=int(fetched), waiting_since=moment)
    return _with_next(tx, views) if with_next else list(views.values())


def names_of(tx: Tx) -> list[str]:
    """The names of queues in which something is or that are paused."""
    return sorted({str(name) for name, _ in tx.execute(names)})


def page(
    tx: Tx, queue: str, *, limit: int, after: int = 0, fetched: bool = False
) -> tuple[tuple[Row, ...], int | None]:
    """Jobs of a queue, first come first; and the queue row the next page begins after."""
    build = fetched_of_queue if fetched else jobs_of_queue
    found = [(int(r[0]), int(r[1])) for r in tx.execute(build, {"queue": queue, "after": after, "limit": limit + 1})]
    more = found[limit - 1][0] if len(found) > limit else None
    return tuple(rows_of(tx, [job for _, job in found[:limit]])), more


def _with_next(tx: Tx, views: dict[str, QueueView]) -> list[QueueView]:
    """With the first jobs of the first dozen queues: more would be a long page."""
    some = [name for name, view in views.items() if view.waiting][:_AT_ONCE]
    if not some:
        return list(views.values())
    rows = rows_of(tx, [int(r[0]) for r in tx.execute(heads, _slots(some))])
    for name in some:
        mine = tuple(row for row in rows if (row.data.get("Queue") or row.queue) == name)
        views[name] = replace(views[name], next=mine[:_NEXT])
    return list(views.values())


def _slots(some: Sequence[str]) -> dict[str, Any]:
    return {f"q{n}": some[n] if n < len(some) else "" for n in range(_AT_ONCE)}


def _look(t: Tables, p: Product, n: int) -> str:
    q = p.quote
    table, queue, fetched = f"{q(t.queue.name)}", f"{q('Queue')} = :q{n}", q("FetchedAt")
    waiting, taken = (
        p.count_up_to(CAP + 1, f"{table} WHERE {queue} AND {fetched} IS {null}") for null in ("NULL", "NOT NULL")
    )
    since = (
        f"SELECT s.{q('CreatedAt')} FROM {q(t.state.name)} s JOIN {q(t.job.name)} j ON j.{q('StateId')} = s.{q('Id')} "
        f"WHERE j.{q('Id')} = (SELECT w.{q('JobId')} FROM {table} w WHERE w.{queue} AND w.{fetched} IS NULL "
        f"ORDER BY {_order(p, 'w.')} LIMIT 1)"
    )
    name = f"SELECT CAST(:q{n} AS CHAR(50))" if p.name in ("mysql", "mariadb") else f"SELECT CAST(:q{n} AS VARCHAR)"
    return f"{name}, {waiting}, {taken}, ({since})"


def _order(p: Product, alias: str) -> str:
    return ", ".join(f"{alias}{p.quote(column)}" for column in p.claim_order)
