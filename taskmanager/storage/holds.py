"""Held rows in great numbers: put aside in batches, given back in batches, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from taskmanager.domain.paused import CALL, paused_of
from taskmanager.domain.tags import PARAMETER
from taskmanager.storage import claiming, holding, job_pauses, jobs, queues, structures
from taskmanager.storage.claiming import Mark
from taskmanager.storage.dialects import Product
from taskmanager.storage.job_pauses import BACK, ROUND, HeldBy, JobPause
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: So many rows are looked at in one transaction.
BATCH = 500
#: So many held rows of a queue are looked at to count them by what holds them; and so many queues.
COUNTED, _QUEUES = 2_000, 12


@dataclass(frozen=True, slots=True)
class Swept:
    """What one look at the front of a queue came to. mark: the row up to which all are held; None where the first is
    not."""

    held: int
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What one batch of the way back came to. is_over: whether none is left to be looked at."""

    rows: int
    is_over: bool = False


@statement
def kinds(t: Tables, p: Product) -> str:
    """What jobs call, cut off behind that, and their tags."""
    q = p.quote
    return (
        f"SELECT t.{q('Id')}, SUBSTR(t.{q('InvocationData')}, 1, {CALL}), NULL FROM {p.by_ids(t.job.name, 'Id')} "
        f"UNION ALL SELECT t.{q('JobId')}, NULL, t.{q('Value')} FROM {p.by_ids(t.parameter.name, 'JobId')} "
        f"WHERE t.{q('Name')} = '{PARAMETER}'"
    )


@statement
def held_of_priority(t: Tables, p: Product) -> str:
    """Held rows of a queue from behind one on, as far as its priority goes."""
    return _held(t, p, f"{p.quote('Priority')} = :priority AND {p.quote('Id')} > :id")


@statement
def held_behind(t: Tables, p: Product) -> str:
    """The same of the priorities behind. Together it would be an OR, which MariaDB does not use as a range."""
    return _held(t, p, f"{p.quote('Priority')} > :priority")


@statement
def free_rows(t: Tables, p: Product) -> str:
    """Only what is held still: somebody may have deleted it and put it into a queue anew."""
    return p.update_by_ids(t.queue.name, {"FetchedAt": "NULL"}, f"t.{p.quote('FetchedAt')} = '{holding.HELD}'")


@statement
def held_queues(t: Tables, p: Product) -> str:
    """Queues in which a row is held: a look-up for each."""
    held = f"r.{p.quote('Queue')} = x.name AND r.{p.quote('FetchedAt')} = '{holding.HELD}'"
    found = p.any_row(t.queue.name, held, ("Queue", *p.claim_order))
    return f"SELECT x.name FROM ({p.distinct(t.queue.name, 'Queue', 1_000)}) x WHERE {found}"


@statement
def lock_round(t: Tables, p: Product) -> str:
    """That rows are to go back; somebody else who gives some back at this moment is left alone."""
    q = p.quote
    return (
        f"SELECT {q('Id')} FROM {q(t.set.name)} WHERE {q('Key')} = '{BACK}' AND {q('Value')} = '{ROUND}'"
        f"{p.for_update_skip}"
    )


@statement
def held_kinds(t: Tables, p: Product) -> str:
    """What the first held jobs of some queues call, and their tags."""
    q = p.quote
    parts = " UNION ALL ".join(
        f"SELECT * FROM (SELECT {q('JobId')} FROM {q(t.queue.name)} WHERE {q('Queue')} = :h{n} "
        f"AND {q('FetchedAt')} = '{holding.HELD}' LIMIT {COUNTED}) h{n}"
        for n in range(_QUEUES)
    )
    return (
        f"SELECT SUBSTR(j.{q('InvocationData')}, 1, {CALL}), v.{q('Value')} FROM ({parts}) h "
        f"JOIN {q(t.job.name)} j ON j.{q('Id')} = h.{q('JobId')} LEFT JOIN {q(t.parameter.name)} v "
        f"ON v.{q('JobId')} = h.{q('JobId')} AND v.{q('Name')} = '{PARAMETER}'"
    )


def page(tx: Tx, queue: str, *, limit: int, after: Mark | None = None) -> list[tuple[int, int, int]]:
    """Held rows of a queue in their order: priority, row and job of each."""
    return [(int(r[0]), int(r[1]), int(r[2])) for r in _next(tx, queue, after, limit)]


def _held(t: Tables, p: Product, where: str) -> str:
    q = p.quote
    order = ", ".join(q(column) for column in p.claim_order)
    index = p.by_index(f"IX_{t.queue.name}_Claim")
    return (
        f"SELECT {q('Priority')}, {q('Id')}, {q('JobId')} FROM {q(t.queue.name)}{index} WHERE {q('Queue')} = :queue "
        f"AND {q('FetchedAt')} = '{holding.HELD}' AND {where} ORDER BY {order} LIMIT :limit"
    )


def sweep(
    tx: Tx, queue: str, *, limit: int = BATCH, skip: Sequence[int] = (), after: Mark | None = None
) -> Swept:  # fmt: skip
    """Hold the rows of paused jobs among the first of a queue; what others have locked is passed by.

    skip, after: as a claim has them; what is behind `after` is looked at first.
    """
    rows, _ = claiming.candidates(tx, queue, limit, skip, after)
    if not rows:
        return Swept(0)
    paused = holding.still_paused(tx)
    found = _kinds(tx, [int(r[1]) for r in rows]) if paused else {}
    held = {int(r[0]) for r in rows if paused.of_job(*found.get(int(r[1]), ("", None)))}
    holding.hold(tx, held)
    mark = after
    for number, _, priority in rows:
        if int(number) not in held:
            break
        place = Mark(int(priority), int(number))
        mark = max(mark or place, place, key=lambda one: (one.priority, one.queue_id))
    return Swept(len(held), mark)


def give_back(tx: Tx, *, limit: int = BATCH) -> GivenBack | None:
    """Look at the next held rows, and give those back that no pause holds any more; queue by queue, in their order.

    None where none are to be looked at, or somebody else does so at this moment.
    """
    if tx.execute(lock_round).first() is None:
        return None
    came = structures.fields(tx, BACK)
    first = came.get("Queue", "")
    place = Mark(int(came["Priority"]), int(came["Id"])) if came.get("Id") else None
    queue = first if place is not None else next((name for name in queues_of(tx) if name >= first), None)
    if queue is None:
        structures.remove(tx, BACK, [ROUND])
        structures.remove_hash(tx, BACK)
        return GivenBack(0, is_over=True)
    rows = _next(tx, queue, place, limit)
    freed = _free(tx, rows)
    if freed:
        tx.after_commit(lambda: tx.ring({queue}))
    at = (queue, str(rows[-1][0]), str(rows[-1][1])) if rows else (f"{queue}\x01", None, None)
    structures.set_fields(tx, BACK, dict(zip(("Queue", "Priority", "Id"), at, strict=True)))
    return GivenBack(freed)


def _free(tx: Tx, rows: Sequence[Any]) -> int:
    paused = job_pauses.paused(tx)
    found = _kinds(tx, [int(r[2]) for r in rows]) if paused and rows else {}
    free = [int(r[1]) for r in rows if not paused.of_job(*found.get(int(r[2]), ("", None)))]
    return tx.execute(free_rows, {"ids": jobs.ids_json(free)}).rowcount if free else 0


def _next(tx: Tx, queue: str, place: Mark | None, limit: int) -> list[Any]:
    given: dict[str, Any] = {"queue": queue, "limit": limit}
    if place is None:
        return tx.execute(held_behind, given | {"priority": queues.FIRST}).all()
    rows = tx.execute(held_of_priority, given | {"priority": place.priority, "id": place.queue_id}).all()
    if len(rows) < limit:
        rows += tx.execute(held_behind, given | {"priority": place.priority, "limit": limit - len(rows)})
    return rows


def _kinds(tx: Tx, job_ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """What each of these jobs calls, and its tags."""
    found: dict[int, tuple[str, str | None]] = {}
    for number, call, tags in tx.execute(kinds, {"ids": jobs.ids_json(job_ids)}):
        known = found.get(int(number), ("", None))
        found[int(number)] = (call, known[1]) if call is not None else (known[0], tags)
    return found


def queues_of(tx: Tx) -> list[str]:
    """Queues in which rows are held."""
    return sorted(str(r[0]) for r in tx.execute(held_queues))


def told(tx: Tx, pauses: Sequence[JobPause], names: Sequence[str]) -> list[HeldBy]:
    """Pauses with how many jobs each holds. names: queues in which some are held."""
    rows = tx.execute(held_kinds, slots(names)).all() if pauses and names else []
    return counted(pauses, rows, len(names))


def counted(pauses: Sequence[JobPause], rows: Sequence[Sequence[Any]], queues: int) -> list[HeldBy]:
    """The same of rows that `held_kinds` has given. A job that two pauses hold counts for both.

    queues: in how many some are held.
    """
    paused, found = paused_of(one.value for one in pauses), Counter[str]()
    for call, tags in rows:
        found.update(paused.of_job(call, tags))
    is_capped = len(rows) >= COUNTED or queues > _QUEUES
    return [HeldBy(one, found[one.value], is_capped) for one in pauses]


def slots(names: Sequence[str]) -> dict[str, str]:
    """The first names as `held_kinds` takes them."""
    return {f"h{n}": names[n] if n < len(names) else "" for n in range(_QUEUES)}
