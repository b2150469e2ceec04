"""What a state brings with it (rows of queues, members of sets, counters), and takes with it when it is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.states import Awaiting, Deleted, Enqueued, Failed, Scheduled, State, Succeeded
from taskmanager.domain.texts import whole
from taskmanager.engine.effects import Effects
from taskmanager.storage import failures
from taskmanager.storage.jobs import LockedJob

SCHEDULE = "schedule"
RETRIES = "retries"
AWAITING = "awaiting"


def member_of(queue: str, job_id: int) -> str:
    """The member of set `schedule`: with the queue before it, a .NET scheduler leaves Python's jobs alone."""
    return f"{queue}:{job_id}"


def job_of(member: str) -> int | None:
    """The job a member of `schedule` means, in either spelling; None when it is none."""
    return whole(member.rpartition(":")[2])


def enter(effects: Effects, job: LockedJob, state: State) -> None:
    """What belongs to a job because it is in this state now."""
    found = _ENTER.get(type(state))
    if found is not None:
        found(effects, job, state)


def leave(effects: Effects, job: LockedJob) -> None:
    """Take away what belonged to the job because of the state it was in."""
    found = _LEAVE.get(job.state or "")
    if found is not None:
        found(effects, job)


def _enter_enqueued(effects: Effects, job: LockedJob, state: Any) -> None:
    effects.push(job.id, state.queue, state.priority)
    if (job.queue, job.priority) != (state.queue, state.priority):
        effects.route(job.id, state.queue, state.priority)


def _enter_scheduled(effects: Effects, job: LockedJob, state: Any) -> None:
    effects.put(SCHEDULE, member_of(job.queue or "default", job.id), times.to_unix(state.enqueue_at))


def _leave_scheduled(effects: Effects, job: LockedJob) -> None:
    effects.remove(SCHEDULE, member_of(job.queue or "default", job.id), str(job.id))
    effects.remove(RETRIES, str(job.id))


def _enter_awaiting(effects: Effects, job: LockedJob, state: Any) -> None:
    effects.put(AWAITING, str(job.id), times.to_unix(effects.tx.now()))


def _enter_failed(effects: Effects, job: LockedJob, state: Any) -> None:
    at = effects.tx.now()
    found = failures.Failure(job.id, state.exception_type, state.exception_message, state.exception_details, at)
    effects.later(failures.change, found)


def _leave_awaiting(effects: Effects, job: LockedJob) -> None:
    effects.remove(AWAITING, str(job.id))


_ENTER: dict[type[State], Callable[[Effects, LockedJob, Any], None]] = {
    Enqueued: _enter_enqueued,
    Scheduled: _enter_scheduled,
    Awaiting: _enter_awaiting,
    Failed: _enter_failed,
    Succeeded: lambda effects, job, state: effects.count("stats:succeeded"),
    Deleted: lambda effects, job, state: effects.count("stats:deleted"),
}

_LEAVE: dict[str, Callable[[Effects, LockedJob], None]] = {
    "Scheduled": _leave_scheduled,
    "Awaiting": _leave_awaiting,
    "Failed": lambda effects, job: effects.later(failures.change, job.id),
    "Succeeded": lambda effects, job: effects.count("stats:succeeded", -1),
    "Deleted": lambda effects, job: effects.count("stats:deleted", -1),
}
