"""Claiming: the next rows of a queue are taken for a worker, with all that is to be known of their jobs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from taskmanager.domain.paused import PausedJobs, paused_of
from taskmanager.domain.records import Claim
from taskmanager.domain.tags import PARAMETER
from taskmanager.storage import holding, jobs, queues
from taskmanager.storage.statements import Builder
from taskmanager.storage.transaction import Tx, as_moment


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a queue has been claimed: the last row of a full claim."""

    priority: int
    queue_id: int


class Front(Enum):
    """When a claim that begins behind a mark looks at the beginning of its queue: for what is more urgent, too; only
    where nothing is behind the mark; or not at all."""

    ALWAYS = 1
    IF_EMPTY = 2
    NEVER = 3


@dataclass(frozen=True, slots=True)
class Taken:
    """What a claim came to. held: rows it met that are held now, as their jobs are paused by type or tag. last: the
    last row it met, where it met as many as it asked for; reached: also where it did not. front_seconds: what it took
    to look at the beginning of the queue; None where it did not."""

    claims: list[Claim]
    held: int = 0
    last: Mark | None = None
    reached: Mark | None = None
    front_seconds: float | None = None


def take_next(
    tx: Tx, queue: str, limit: int, token: str, *, skip: Sequence[int] = (), after: Mark | None = None,
    front: Front = Front.ALWAYS,
) -> Taken:  # fmt: skip
    """Claim up to `limit` waiting rows of one queue for `token`, and read their jobs and parameters; rows of paused
    jobs are held instead.

    skip: queue ids to pass by. after: where an earlier claim ended; rows before it are found only when none is
    behind it. front: when the beginning of the queue is looked at. A row whose job is gone comes back with
    empty invocation data; the caller drops it.
    """
    rows, front_seconds = candidates(tx, queue, limit, skip, after, front=front)
    if not rows:
        return Taken([], front_seconds=front_seconds)
    claims = {int(r[1]): Claim(int(r[0]), int(r[1]), queue, token, priority=int(r[2])) for r in rows}
    extra = [int(r[0]) for r in rows if claims[int(r[1])].queue_id != int(r[0])]
    if extra:
        queues.acknowledge(tx, extra)
    ids = jobs.ids_json(c.queue_id for c in claims.values())
    tx.send(queues.take, {"ids": ids, "now": tx.bind_moment(tx.now()), "token": token})
    paused, all_of_them = _read(tx, claims), list(claims.values())
    held = _held(tx, all_of_them, paused) if paused else set()
    reached = Mark(all_of_them[-1].priority, all_of_them[-1].queue_id)
    return Taken(
        [one for one in all_of_them if one.queue_id not in held], len(held),
        reached if len(all_of_them) >= limit else None, reached, front_seconds,
    )  # fmt: skip


def _read(tx: Tx, claims: Mapping[int, Claim]) -> PausedJobs:
    """Read what is to be known of claimed jobs, by their ids, and what is paused. A row with a name is one of a job's
    parameters; of no job, a pause."""
    paused = []
    for row in tx.execute(queues.read_taken, {"ids": jobs.ids_json(claims)}):
        job_id, name = int(row[0]), row[6]
        if not job_id:
            paused.append(str(name))
        elif name is None:
            held = claims[job_id]
            held.state, held.state_id, held.invocation_data, held.arguments = row[1], row[2], row[3], row[4]
            held.created_at = as_moment(row[5])
        else:
            claims[job_id].parameters[name] = row[7]
    return paused_of(paused) if paused else PausedJobs()


def _held(tx: Tx, claims: Sequence[Claim], paused: PausedJobs) -> set[int]:
    """Hold the rows of paused jobs, and tell which; once more by what is locked, where there are any."""
    held = _of_paused(claims, paused)
    if held:
        held = _of_paused(claims, holding.still_paused(tx))
    holding.hold(tx, held)
    return held


def _of_paused(claims: Sequence[Claim], paused: PausedJobs) -> set[int]:
    return {c.queue_id for c in claims if paused.of_job(c.invocation_data, c.parameters.get(PARAMETER))}


def candidates(
    tx: Tx, queue: str, limit: int, skip: Sequence[int], after: Mark | None, *, front: Front = Front.ALWAYS
) -> tuple[Sequence[Any], float | None]:
    """The rows that a claim would take, locked: number, job and priority of each; and the seconds that the beginning of
    the queue took: a walk over what was claimed or deleted since the oldest snapshot that somebody holds."""
    given: dict[str, Any] = {"queue": queue, "limit": limit}
    taken: float | None = None

    def looked(build: Builder, **more: Any) -> Sequence[Any]:
        nonlocal taken
        started = time.monotonic()
        found = tx.execute(build, given | more).all()
        taken = (taken or 0.0) + time.monotonic() - started
        return found

    if skip:
        return looked(queues.claimable_except, ids=jobs.ids_json(skip)), taken
    if after is not None:
        rows = list(looked(queues.claimable_before, priority=after.priority)) if front is Front.ALWAYS else []
        if len(rows) < limit:
            behind = {"priority": after.priority, "limit": limit - len(rows), "id": after.queue_id}
            rows += tx.execute(queues.claimable_after, given | behind).all()
        if rows or front is Front.NEVER:
            return rows, taken
    return looked(queues.claimable), taken
