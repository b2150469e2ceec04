"""Where and when one job runs, by hand: at another moment, in another queue, once more as a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from taskmanager.domain import times
from taskmanager.domain.errors import InvalidArgument, JobNotFound
from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.domain.records import JobRecord
from taskmanager.domain.states import Enqueued, Scheduled
from taskmanager.engine.client import Client, NewJob, check_queue
from taskmanager.engine.continuations import ANTECEDENT_RESULT
from taskmanager.engine.entering import RETRIES
from taskmanager.engine.registry import Registry
from taskmanager.engine.transitions import GONE, TAKEN, Applied, Change
from taskmanager.storage import jobs, monitoring_lists, queues, retry_rows, structures
from taskmanager.storage.transaction import Tx

#: The states of jobs that are put to another moment.
MOVABLE = frozenset({"Scheduled", "Enqueued", "Failed"})
#: Parameters that belong to the call, so that a copy has them; all others tell of the job's own life.
_COPIED = ("JobName", "CurrentCulture", "CurrentUICulture", ANTECEDENT_RESULT)


class Placing:
    """The verbs."""

    def __init__(self, client: Client, registry: Registry) -> None:
        self.client = client
        self.registry = registry

    def reschedule(self, job_id: int, at: datetime, *, reason: str | None = None) -> Applied:
        """Let a Scheduled, Enqueued or Failed job begin at a moment to come (naive UTC).

        A retry stays one, with what it says of its failure. One that a worker has claimed is refused: it would run now,
        and then once more. Raises InvalidArgument when the moment has passed.
        """

        def work(tx: Tx) -> Applied:
            if at <= tx.now():
                raise InvalidArgument(f"{times.to_iso(at)} has passed: name a moment to come, or requeue the job")
            job = jobs.lock(tx, [job_id]).get(job_id)
            if job is not None and job.state == "Enqueued" and queues.held_among(tx, [job_id]):
                return Applied(job_id, None, refused=TAKEN)
            is_retry = job_id in retry_rows.waiting(tx, RETRIES, [job_id])
            rows = monitoring_lists.rows_of(tx, [job_id]) if is_retry else ()
            told = next((row.reason for row in rows), None) if is_retry else reason
            answer = self.client.transitions.apply(
                tx, [Change(job_id, Scheduled(enqueue_at=at, reason=told), MOVABLE)]
            )[0]
            if answer and is_retry:  # who leaves Scheduled is no retry any more; this one goes on being one
                structures.put(tx, RETRIES, {str(job_id): times.to_unix(at)})
            return answer

        return self.client.database.run(work)

    def requeue_to(self, job_id: int, queue: str, *, reason: str | None = None) -> Applied:
        """Put a job into another queue, whatever became of it; it belongs there from now on. Raises InvalidArgument."""
        check_queue(queue)

        def work(tx: Tx) -> Applied:
            job = jobs.lock(tx, [job_id]).get(job_id)
            if job is None:
                return Applied(job_id, None, refused=GONE)
            to = Enqueued(queue=queue, priority=job.priority, reason=reason)
            return self.client.transitions.apply(tx, [Change(job_id, to)])[0]

        return self.client.database.run(work)

    def copy(
        self, job_id: int, *, key: str, reason: str | None = None, parameters: Mapping[str, str] | None = None
    ) -> int:
        """Write a job of the very same call, as it is stored; each tells of the other. Returns the new job's id.

        key: of `new_key`; asked for twice under one key it is one job. parameters: more of the new job's, as JSON.
        Raises JobNotFound, InvalidArgument for what this package enqueues itself, CreationCancelled.
        """
        job = self.client.database.read(lambda tx: _with_parameters(tx, job_id))
        if job is None:
            raise JobNotFound(f"there is no job {job_id} to make another from")
        try:
            call = read_invocation(job.invocation_data, job.arguments)
        except InvocationUnreadable as error:
            raise InvalidArgument(f"job {job_id} cannot be read: {error}") from None
        if call.type.partition(",")[0].startswith("taskmanager.tasks."):
            raise InvalidArgument(f"{call.name} is a part of the taskmanager, which enqueues it itself")
        kept = {name: job.parameters[name] for name in _COPIED if name in job.parameters}
        state = Enqueued(queue=job.queue or "default", priority=job.priority, reason=reason)
        new = NewJob(
            call, state, state.queue, job.priority, self.registry.get(call.name), kept | dict(parameters or {})
        )
        return self.client.create_from(job_id, new, key=key)


def _with_parameters(tx: Tx, job_id: int) -> JobRecord | None:
    found = jobs.read_many(tx, [job_id])
    return replace(found[0], parameters=jobs.parameters(tx, [job_id]).get(job_id, {})) if found else None
