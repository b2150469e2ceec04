"""Where a bulk operation puts each job of a part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from taskmanager.domain import times
from taskmanager.domain.states import Deleted, Enqueued, Scheduled, State
from taskmanager.engine.operation import Operation
from taskmanager.storage import jobs, queues
from taskmanager.storage.transaction import Tx


def of(tx: Tx, job_id: int, now: Operation, ids: Sequence[int]) -> dict[int, State]:
    """The state that each of these jobs is to enter; what is skipped already has none. job_id: the operation's."""
    reason = f"Bulk operation #{job_id} by {now.user}"[:100]
    if now.action == "move":
        return _moves(tx, now, ids, reason)
    if now.action == "delete":
        return dict.fromkeys(ids, Deleted(reason=reason))
    if now.spread:
        return _spread(now, ids, tx.now(), reason)
    return dict.fromkeys(ids, Enqueued(queue="", reason=reason))


def _moves(tx: Tx, now: Operation, ids: Sequence[int], reason: str) -> dict[int, State]:
    """The other queue for those that no worker has in hand; their rows are locked, so that none of them runs twice."""
    locked = jobs.lock(tx, ids) if ids else {}
    free = queues.lock_free_among(tx, locked) if locked else set()
    for job_id in sorted(set(ids) - free):
        now.skip(job_id, "a worker has it in hand")
    target = now.options["queue"]
    return {i: Enqueued(queue=target, priority=locked[i].priority, reason=reason) for i in free}


def _spread(now: Operation, ids: Sequence[int], at: datetime, reason: str) -> dict[int, State]:
    """For each of these jobs, newest first, its moment within the spread; those whose moment has passed go at once.

    Where it is known how many there are, by their number, else by their ids.
    """
    begun, done = times.parse(now.started) or at, now.done
    top, found = now.top or now.upper, dict[int, State]()
    for place, job_id in enumerate(ids):
        share = (done + place) / now.total if now.total else (top - job_id) / max(1, top - now.lower)
        moment = begun + timedelta(seconds=now.spread * min(1.0, max(0.0, share)))
        found[job_id] = (
            Scheduled(enqueue_at=moment, reason=reason) if moment > at else Enqueued(queue="", reason=reason)
        )
    return found
