"""Queues as people look at them: how much waits, since when, what is next. Capped, and one statement for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, or_, select

from taskmanager.domain.records import Pause
from taskmanager.domain.rollups import LATENCY, LENGTH, QUEUE, Figures
from taskmanager.storage import holds, job_pauses, monitoring_waits, queue_pauses
from taskmanager.storage.claiming import Mark
from taskmanager.storage.dialects import Product
from taskmanager.storage.holding import HELD
from taskmanager.storage.job_pauses import HeldBy
from taskmanager.storage.monitoring_lists import Row, rows_of
from taskmanager.storage.monitoring_snapshot import CAP, queue_names
from taskmanager.storage.pauses import pause_in
from taskmanager.storage.queues import PAUSED
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: Queues that one statement looks at; a text of fixed length is built once.
_AT_ONCE = 12
_NEXT = 5
#: Of so many jobs that are next it is told how many are of each type; and so much of each call is read for that.
SORTED, _CALL, _KINDS = 2_000, 300, 200
#: Who asks for it has those of so many told that are last in the queue: of one priority, the newest.
LAST = 5_000
#: Before every place of a queue.
FIRST = (-(1 << 31), 0)


@dataclass(frozen=True, slots=True)
class QueueView:
    """One queue. `waiting_since`: since when the job waits that came first, whatever its priority; `next`: the jobs
    that will be claimed first; `held`: what is held as it is paused by type or tag, which neither waits nor is fetched.

    pause: what is known of it; None of a queue that is not paused.
    """

    name: str
    pause: Pause | None
    waiting: int = 0
    fetched: int = 0
    held: int = 0
    waiting_since: datetime | None = None
    next: tuple[Row, ...] = ()

    @property
    def paused(self) -> bool:
        """Whether nothing is claimed from it."""
        return self.pause is not None

    @property
    def is_capped(self) -> bool:
        """Whether more wait than were counted."""
        return self.waiting > CAP


@statement
def names(t: Tables, p: Product) -> str:
    """Queues in which something is, by one look-up each, those that are paused, with what is known of that, and the
    types and tags that are."""
    q = p.quote
    key = p.concat(f"'{queue_pauses.PAUSE}'", f"s.{q('Value')}")
    paused = (
        f"SELECT s.{q('Value')}, 1, h.{q('Field')}, h.{q('Value')} FROM {q(t.set.name)} s "
        f"LEFT JOIN {q(t.hash.name)} h ON h.{q('Key')} = {key} WHERE s.{q('Key')} = '{PAUSED}'"
    )
    jobs = job_pauses.known_rows(t, p)
    return f"SELECT name, 0, NULL, NULL FROM ({queue_names(t, p)}) x UNION ALL {paused} UNION ALL {jobs}"


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
def heads_and_held(t: Tables, p: Product) -> str:
    """The same, and what the first held jobs of some queues call, and their tags."""
    held = f"SELECT NULL, k.* FROM ({holds.held_kinds(t, p)}) k"
    return f"SELECT h.*, NULL, NULL FROM ({heads(t, p)}) h UNION ALL {held}"


@statement
def jobs_of_queue(t: Tables, p: Product) -> str:
    """A page of one queue in the order in which it is claimed, from behind a priority on.

    Together with the rest of that priority it would be an OR, which MariaDB does not use as a range.
    """
    return _waiting(t, p, f"{p.quote('Priority')} > :priority")


@statement
def jobs_of_priority(t: Tables, p: Product) -> str:
    """The same from behind a row on, as far as its priority goes."""
    return _waiting(t, p, f"{p.quote('Priority')} = :priority AND {p.quote('Id')} > :id")


@statement
def calls_of_queue(t: Tables, p: Product) -> str:
    """What the jobs that are next call, cut off, and how many of each."""
    return _calls(t, p, "", SORTED)


@statement
def calls_and_figures(t: Tables, p: Product) -> str:
    """The same, and the queue's figures by kind and bucket: rows of three texts."""
    return _story(t, p, SORTED)


@statement
def last_calls_and_figures(t: Tables, p: Product) -> str:
    """The same of the jobs that are last."""
    return _story(t, p, LAST, " DESC")


def _story(t: Tables, p: Product, most: int, way: str = "") -> str:
    text = "CHAR" if p.name in ("mysql", "mariadb") else "VARCHAR"
    q, kinds = p.quote, ", ".join(f"'{kind}'" for kind in (QUEUE, LENGTH, LATENCY))
    sums = p.concat(q("Count"), "','", q("Failed"), "','", q("DurationMs"))
    figures = (
        f"SELECT {q('Kind')}, CAST({q('Bucket')} AS {text}), {sums} FROM {q(t.rollup.name)} WHERE {q('Span')} = :span "
        f"AND {q('Kind')} IN ({kinds}) AND {q('Key')} = :queue AND {q('Bucket')} >= :since"
    )
    return f"{p.bounded(_calls(t, p, text, most, way), 0)} UNION ALL {p.bounded(figures, 1)}"


@statement
def fetched_of_queue(t: Tables, p: Product) -> Any:
    c = t.queue.c
    return (
        select(c.Id, c.JobId)
        .where(c.Queue == bindparam("queue"), c.FetchedAt < literal_column(f"'{HELD}'"), c.Id > bindparam("id"))
        .order_by(c.Id)
        .limit(bindparam("limit"))
    )


@statement
def jobs_elsewhere(t: Tables, p: Product) -> Any:
    """Whether one of some jobs is of another queue than these, or of none."""
    c = t.job.c
    others = or_(c.Queue.is_(None), c.Queue.not_in(bindparam("queues", expanding=True)))
    return select(c.Id).where(c.Id.in_(bindparam("ids", expanding=True)), others).limit(1)


def is_elsewhere(tx: Tx, ids: Sequence[int], queues: Sequence[str]) -> bool:
    """Whether one of these jobs belongs to none of these queues; those that are gone count for nothing."""
    return bool(ids) and tx.execute(jobs_elsewhere, {"ids": list(ids), "queues": list(queues)}).first() is not None


def overview(
    tx: Tx, *, with_next: bool = False, limit: int = 100, only: Sequence[str] = ()
) -> list[QueueView]:  # fmt: skip
    """Queues in which something is or that are paused, by name. only: these, also those in which nothing is."""
    views = _views(tx, known(tx), limit, only)
    return _with_next(tx, views) if with_next else list(views.values())


def overview_and_pauses(
    tx: Tx, *, limit: int = 100, only: Sequence[str] = ()
) -> tuple[list[QueueView], list[HeldBy]]:  # fmt: skip
    """Queues with the jobs that are next, and the types and tags that are paused; in as few statements."""
    rows = tx.execute(names).all()
    views, pauses = _views(tx, _known(rows), limit, only), job_pauses.of_rows(rows)
    held = [name for name, view in views.items() if view.held] if pauses else []
    if not held:
        return _with_next(tx, views), holds.counted(pauses, (), 0)
    some = _waiting_in(views)
    found = tx.execute(heads_and_held, _slots(some) | holds.slots(held)).all()
    ids = [int(r[0]) for r in found if r[0] is not None]
    told = holds.counted(pauses, [r[1:] for r in found if r[0] is None], len(held))
    return _with_rows(views, some, rows_of(tx, ids) if ids else ()), told


def _views(tx: Tx, known_ones: dict[str, Pause | None], limit: int, only: Sequence[str]) -> dict[str, QueueView]:
    if only:
        known_ones = {name: known_ones.get(name) for name in only}
    views = {name: QueueView(name, known_ones[name]) for name in sorted(known_ones)[:limit]}
    _look_at(tx, views)
    return views


def one(tx: Tx, name: str) -> QueueView:
    """One queue, also one in which nothing is."""
    views = {name: QueueView(name, known(tx).get(name))}
    _look_at(tx, views)
    return views[name]


def calls(tx: Tx, name: str) -> list[tuple[str, int]]:
    """What the next jobs of a queue call, at most `SORTED` of them, each cut off; and how many call it."""
    return [(str(r[0]), int(r[1])) for r in tx.execute(calls_of_queue, {"queue": name})]


def story(
    tx: Tx, name: str, span: int, since: datetime, *, last: bool = False
) -> tuple[list[tuple[str, int]], dict[str, dict[datetime, Figures]]]:
    """As `calls`, and what runs, length and latency were in each bucket of time from then on, by one statement.

    last: of the `LAST` jobs at the end of the queue.
    """
    called: list[tuple[str, int]] = []
    found: dict[str, dict[datetime, Figures]] = {kind: {} for kind in (QUEUE, LENGTH, LATENCY)}
    for what, second, third in tx.execute(
        last_calls_and_figures if last else calls_and_figures,
        {"queue": name, "span": span, "since": tx.bind_moment(since)},
    ):
        if what == "call":
            called.append((str(second), int(third)))
        else:
            count, failed, ms = map(int, str(third).split(","))
            found[str(what)][as_moment(second)] = Figures(count, failed, ms)
    return called, found


def names_of(tx: Tx) -> list[str]:
    """The names of queues in which something is or that are paused."""
    return sorted(known(tx))


def page(
    tx: Tx, queue: str, *, limit: int, after: tuple[int, int] = FIRST, fetched: bool = False, held: bool = False
) -> tuple[tuple[Row, ...], tuple[int, int] | None]:
    """Jobs of a queue, as they are claimed; and the place (priority, row) after which the next page begins.

    fetched: what is in hand, first come first. held: what is held, in its order.
    """
    if held:
        found = holds.page(tx, queue, limit=limit + 1, after=None if after == FIRST else Mark(*after))
    else:
        found = _places(tx, queue, limit + 1, after, fetched)
    more = (found[limit - 1][0], found[limit - 1][1]) if len(found) > limit else None
    return tuple(rows_of(tx, [job for _, _, job in found[:limit]])), more


def _places(tx: Tx, queue: str, limit: int, after: tuple[int, int], fetched: bool) -> list[tuple[int, int, int]]:
    """Priority, row and job of what is next in a queue."""
    given = {"queue": queue, "limit": limit}
    if fetched:
        return [(0, int(r[0]), int(r[1])) for r in tx.execute(fetched_of_queue, given | {"id": after[1]})]
    rest = tx.execute(jobs_of_priority, given | {"priority": after[0], "id": after[1]}).all() if after != FIRST else []
    given |= {"priority": after[0], "limit": limit - len(rest)}
    more = tx.execute(jobs_of_queue, given).all() if len(rest) < limit else []
    return [(int(r[0]), int(r[1]), int(r[2])) for r in (*rest, *more)]


def known(tx: Tx) -> dict[str, Pause | None]:
    """Queues in which something is or that are paused, and what is known of their pauses."""
    return _known(tx.execute(names).all())


def _known(rows: Sequence[Any]) -> dict[str, Pause | None]:
    found: dict[str, Pause | None] = {}
    told: dict[str, dict[str, str]] = {}
    for name, paused, key, value in rows:
        if paused in (job_pauses.MEMBER, job_pauses.FACT):
            continue
        found.setdefault(str(name), None)
        if paused:
            told.setdefault(str(name), {})[str(key)] = value or ""
    return found | {name: pause_in(fields) for name, fields in told.items()}


def _look_at(tx: Tx, views: dict[str, QueueView]) -> None:
    """Count what is in these queues."""
    for name, look in monitoring_waits.look(tx, list(views)).items():
        views[name] = replace(
            views[name], waiting=look.waiting, fetched=look.fetched, held=look.held, waiting_since=look.since
        )


def _with_next(tx: Tx, views: dict[str, QueueView]) -> list[QueueView]:
    """With the first jobs of the first dozen queues: more would be a long page."""
    some = _waiting_in(views)
    if not some:
        return list(views.values())
    return _with_rows(views, some, rows_of(tx, [int(r[0]) for r in tx.execute(heads, _slots(some))]))


def _waiting_in(views: dict[str, QueueView]) -> list[str]:
    return [name for name, view in views.items() if view.waiting][:_AT_ONCE]


def _with_rows(views: dict[str, QueueView], some: Sequence[str], rows: Sequence[Row]) -> list[QueueView]:
    for name in some:
        mine = tuple(row for row in rows if (row.data.get("Queue") or row.queue) == name)
        views[name] = replace(views[name], next=mine[:_NEXT])
    return list(views.values())


def _calls(t: Tables, p: Product, text: str, most: int, way: str = "") -> str:
    """text: the type of numbers beside texts, after a word that tells what the row is; empty for numbers alone.

    way: in which the index of the claim is walked.
    """
    q = p.quote
    order = ", ".join(f"{q(column)}{way}" for column in p.claim_order)
    nearest = (
        f"SELECT {q('JobId')} FROM {q(t.queue.name)}{p.by_index(f'IX_{t.queue.name}_Claim')} "
        f"WHERE {q('Queue')} = :queue AND {q('FetchedAt')} IS NULL ORDER BY {order} LIMIT {most}"
    )
    call = f"SUBSTR(j.{q('InvocationData')}, 1, {_CALL})"
    told = f"'call', {call}, CAST(COUNT(*) AS {text})" if text else f"{call}, COUNT(*)"
    return (
        f"SELECT {told} FROM ({nearest}) n JOIN {q(t.job.name)} j ON j.{q('Id')} = n.{q('JobId')} "
        f"GROUP BY {call} ORDER BY COUNT(*) DESC LIMIT {_KINDS}"
    )


def _slots(some: Sequence[str]) -> dict[str, Any]:
    return {f"q{n}": some[n] if n < len(some) else "" for n in range(_AT_ONCE)}


def _waiting(t: Tables, p: Product, where: str) -> str:
    q = p.quote
    index = p.by_index(f"IX_{t.queue.name}_Claim")
    return (
        f"SELECT {q('Priority')}, {q('Id')}, {q('JobId')} FROM {q(t.queue.name)}{index} "
        f"WHERE {q('Queue')} = :queue AND {q('FetchedAt')} IS NULL AND {where} ORDER BY {_order(p, '')} LIMIT :limit"
    )


def _order(p: Product, alias: str) -> str:
    return ", ".join(f"{alias}{p.quote(column)}" for column in p.claim_order)
