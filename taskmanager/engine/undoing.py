"""The last change of a job by hand taken back: a deletion or a requeue, while nothing has come of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from taskmanager.domain import times
from taskmanager.domain.records import JobRecord, StateRecord
from taskmanager.domain.states import Deleted, Enqueued, Failed, Scheduled, State
from taskmanager.engine.client import Client
from taskmanager.engine.continuations import CONTINUATIONS
from taskmanager.engine.entering import RETRIES
from taskmanager.engine.transitions import GONE, TAKEN, Applied, Change
from taskmanager.storage import jobs, queues, structures
from taskmanager.storage.transaction import Tx

#: From where jobs go back, and to which state before it.
WAYS: dict[str, frozenset[str]] = {
    "Deleted": frozenset({"Enqueued", "Scheduled", "Failed"}),
    "Enqueued": frozenset({"Failed", "Scheduled", "Deleted"}),
}
#: Jobs that are taken back at once: their histories are read one by one.
MOST = 50


class Undoing:
    """The verb."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def undo(self, ids: Iterable[int], *, reason: str | None = None) -> list[Applied]:
        """Put deleted or requeued jobs back into the state they were in before, with what it said, in one transaction.

        A deleted job goes back where it was neither running nor waited for by others; a requeued one while no worker
        has it. Nothing is told or counted as if it happened again: no filter is asked. Answers tell refusals.
        """
        wanted = sorted(set(ids))

        def work(tx: Tx) -> list[Applied]:
            locked = jobs.lock(tx, wanted)
            free = queues.lock_free_among(tx, wanted)
            answers, changes, retries = [], [], dict[str, float]()
            for job_id in wanted:
                record = jobs.read(tx, job_id) if job_id in locked else None
                to = GONE if record is None else _before(record, job_id in free, tx.now(), reason)
                if isinstance(to, str):
                    answers.append(Applied(job_id, None, refused=to))
                    continue
                changes.append(Change(job_id, to, frozenset({locked[job_id].state}), elect=False))
                if isinstance(to, Scheduled) and (to.reason or "").startswith("Retry attempt"):
                    retries[str(job_id)] = times.to_unix(to.enqueue_at)
            done = self.client.transitions.apply(tx, changes) if changes else []
            if retries:
                structures.put(tx, RETRIES, retries)
            return sorted([*answers, *done], key=lambda one: one.job_id)

        return self.client.database.run(work)


def _before(record: JobRecord, is_free: bool, now: datetime, reason: str | None) -> State | str:
    """The state a job goes back to, or why it does not."""
    now_in = record.current
    if now_in is None or record.state not in WAYS or len(record.history) < 2 or now_in is not record.history[-1]:
        return f"the job is {record.state}: there is nothing to undo"
    before = record.history[-2]
    if before.name not in WAYS[now_in.name]:
        return f"the job was {before.name} before: that is not undone"
    if now_in.name == "Deleted" and record.parameters.get(CONTINUATIONS) not in (None, "", "[]"):
        return "its deletion has been told to the jobs that waited for it"
    if now_in.name == "Enqueued" and not is_free:
        return TAKEN
    return _restored(before, now, reason, was_enqueued=now_in.name == "Enqueued")


def _restored(before: StateRecord, now: datetime, reason: str | None, *, was_enqueued: bool) -> State | str:
    data = before.data
    if before.name == "Enqueued":
        return Enqueued(queue="", reason=reason)
    if before.name == "Deleted":
        return Deleted(reason=reason)
    if before.name == "Failed":
        return Failed(
            exception_type=data.get("ExceptionType", ""), exception_message=data.get("ExceptionMessage", ""),
            exception_details=data.get("ExceptionDetails", ""), server_id=data.get("ServerId"), reason=reason,
        )  # fmt: skip
    at = times.parse(data.get("EnqueueAt"))
    if at is None:
        return "it is not known when the job was to run"
    if was_enqueued and at <= now:
        return "the job's time has come"
    return Scheduled(enqueue_at=at, reason=before.reason)
