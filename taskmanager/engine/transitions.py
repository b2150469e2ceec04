"""The one door through which a job changes its state. It takes many changes at once; one is a batch of one.

It locks the jobs, checks what was expected, lets filters elect another state, collects the effects of
leaving and entering, and writes all rows set-wise. Everybody comes through here: workers, schedulers, the
dashboard's buttons, the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from taskmanager.domain import times
from taskmanager.domain.records import Claim
from taskmanager.domain.states import Deleted, Enqueued, Failed, State, Succeeded
from taskmanager.engine import entering
from taskmanager.engine.effects import Effects
from taskmanager.engine.filters import Chain, Electing, Lost, Run
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import jobs, queues
from taskmanager.storage.jobs import LockedJob
from taskmanager.storage.transaction import Tx

#: A job's parameter: when the run ended that was cancelled by the job's deletion.
STOPPED_AT = "StoppedAt"
#: What may follow from entering these is in the job's parameters.
_NEED_PARAMETERS = (Succeeded, Failed, Deleted)
#: Why a job that is not in the database is not changed.
GONE = "there is no such job"
#: Why a job is not put elsewhere: it may be running, though nobody has written so.
TAKEN = "a worker has the job already"
#: How a run ends whose queue row somebody deleted.
ROW_DELETED = Deleted(reason="Its queue row was deleted while it ran")


@dataclass(slots=True)
class Change:
    """One job's way to another state.

    expected: the names of states it may come from. claim: the worker's own claim, for changes by the one who
    performs; it fences off a worker that was given up. before: states passed through on the way, with their
    moments (Processing of a short run). at: when it happened, by the database's clock; now when None.
    elect: whether filters are asked. A run that is given back has not ended, so they are not; but they are asked when
    it turns out to have ended, because its queue row was deleted.
    """

    job_id: int
    to: State
    expected: frozenset[str | None] | None = None
    claim: Claim | None = None
    keep_claim: bool = False
    before: tuple[tuple[State, datetime], ...] = ()
    at: datetime | None = None
    definition: JobDefinition | None = None
    error: BaseException | None = None
    run: Run | None = None
    log_lines: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    elect: bool = True


class Applied(NamedTuple):
    """What came of a change: the state entered and the one left, or why nothing was changed.

    busy: only because somebody else is changing the job at this moment.
    """

    job_id: int
    state: State | None
    left: str | None = None
    refused: str | None = None
    busy: bool = False

    def __bool__(self) -> bool:
        return self.state is not None


class Transitions:
    """The door. job_expiration: how long final states are kept."""

    def __init__(
        self,
        filters: Chain,
        *,
        job_expiration: timedelta = timedelta(days=1),
        failed_expiration: timedelta | None = None,
    ) -> None:
        self.filters = filters
        self.job_expiration = job_expiration
        self.failed_expiration = failed_expiration

    def apply(self, tx: Tx, changes: Sequence[Change], *, skip_locked: bool = False) -> list[Applied]:
        """Carry out changes in the transaction; a refused one is told by its answer, never by an exception.

        skip_locked: wait for nobody; what somebody else is changing is answered as busy, and stays as it is.
        """
        effects, seen = Effects(tx), set[int]()
        answers, follow_ups = self._round(tx, effects, changes, seen, skip_locked)
        while follow_ups:  # rounds, not calls of calls: a line of continuations may be long
            _, follow_ups = self._round(tx, effects, follow_ups, seen, skip_locked=False)
        effects.write()
        if effects.queues:
            ring = tx.ring
            tx.after_commit(lambda: ring(effects.queues))
        return answers

    def _round(
        self, tx: Tx, effects: Effects, changes: Sequence[Change], seen: set[int], skip_locked: bool
    ) -> tuple[list[Applied], list[Change]]:
        """Answers, and what follows from the changes. seen: the jobs changed in this batch; no job is twice."""
        locked = jobs.lock(tx, (c.job_id for c in changes), skip_locked=skip_locked)
        missing = {c.job_id for c in changes} - locked.keys() if skip_locked else ()
        busy = jobs.current_states(tx, missing) if missing else {}
        claims = [c.claim for c in changes if c.claim is not None and c.job_id not in busy]
        owned = queues.owned(tx, claims) if claims else set()
        changes = _without_row(tx, changes, locked, owned)
        given_back = _given_back_among(tx, changes, locked)
        wanting = [c.job_id for c in changes if c.elect and isinstance(c.to, _NEED_PARAMETERS)]
        parameters = jobs.parameters(tx, wanting) if wanting else {}
        answers, follow_ups = [], list[Change]()
        for change in changes:
            if change.job_id in busy:
                answers.append(Applied(change.job_id, None, refused="somebody else is changing the job", busy=True))
                continue
            refusal = self._refusal(change, locked.get(change.job_id), owned, seen)
            if refusal is not None:
                if change.claim is not None and change.claim.queue_id in owned and not change.keep_claim:
                    effects.acknowledge(change.claim.queue_id)
                answers.append(Applied(change.job_id, None, refused=refusal))
                if change.run is not None:
                    self._ended_in_vain(effects, change, locked.get(change.job_id), parameters)
                continue
            seen.add(change.job_id)
            context = _context(change, locked[change.job_id], effects, parameters)
            if _is_lost(change, context.job, given_back):
                self._tell_lost(context, change)
            answers.append(self._one(change, context))
            follow_ups.extend(context.follow_ups)
        return answers, follow_ups

    def _refusal(self, change: Change, job: LockedJob | None, owned: set[int], seen: set[int]) -> str | None:
        if job is None:
            return GONE
        if change.job_id in seen:
            return "the job is changed already in this batch"
        if change.expected is not None and job.state not in change.expected:
            return f"the job is {job.state}, not {' or '.join(sorted(filter(None, change.expected)))}"
        if change.claim is not None:
            if change.claim.queue_id not in owned:
                return "the claim was given up"
            if (job.state, job.state_id) != (change.claim.state, change.claim.state_id):
                return f"the job was moved to {job.state} meanwhile"
        return None

    def _ended_in_vain(
        self, effects: Effects, change: Change, job: LockedJob | None, parameters: Mapping[int, Mapping[str, str]]
    ) -> None:
        """Tell of a run whose outcome is refused."""
        at = change.at or effects.tx.now()
        context = _context(change, job or LockedJob(change.job_id, None, None, None, 0, at), effects, parameters)
        if job is not None and job.state == "Deleted":
            _end_cancelled(effects, change, context.at)
            for one in self.filters.cancelled:
                one.cancelled(context)
            return
        why = _why_in_vain(change, job)
        for one in self.filters.refused:
            one.refused(context, why)

    def _tell_lost(self, context: Electing, change: Change) -> None:
        """Tell of the run that the job's Processing is of: it has no end of its own."""
        record = jobs.read(context.effects.tx, change.job_id) if self.filters.lost else None
        facts = record.current.data if record is not None and record.current is not None else {}
        started_at = times.parse(facts.get("StartedAt"))
        if record is None or started_at is None:
            return
        run = Lost(record, started_at, facts.get("ServerId", ""), change.claim)
        for one in self.filters.lost:
            one.lost(context, run)

    def _one(self, change: Change, context: Electing) -> Applied:
        effects, job = context.effects, context.job
        if change.elect:
            for one in self.filters.elect:
                one.elect(context)
        state = context.candidate
        if isinstance(state, Enqueued):
            state = context.candidate = _in_own_queue(state, job)
        for passed, at in change.before:
            effects.history(job.id, passed, at)
        for passed in context.traversed:
            effects.history(job.id, passed, context.at)
        self._leave(effects, change, job)
        effects.history(job.id, state, context.at)
        effects.enter(job.id, state.name, self._expiry(state, effects))
        context.entered = True
        for name, value in change.parameters.items():
            effects.parameter(job.id, name, value)
        entering.enter(effects, job, state)
        if change.log_lines:
            effects.log(job.id, change.run.attempt if change.run else 1, change.log_lines, context.at)
        if change.elect:
            for one in self.filters.applied:
                one.applied(context, state)
        elif change.run is not None:
            for one in self.filters.refused:
                one.refused(context, state.reason or "")
        return Applied(job.id, state, left=job.state)

    def _leave(self, effects: Effects, change: Change, job: LockedJob) -> None:
        if change.keep_claim:
            pass
        elif change.claim is not None:
            effects.acknowledge(change.claim.queue_id)
        elif job.state in ("Enqueued", "Processing", None):
            effects.drop_queue_rows(job.id)
        entering.leave(effects, job)

    def _expiry(self, state: State, effects: Effects) -> datetime | None:
        if state.final:
            return effects.after(self.job_expiration)
        if isinstance(state, Failed) and self.failed_expiration is not None:
            return effects.after(self.failed_expiration)
        return None


def _in_own_queue(state: Enqueued, job: LockedJob) -> Enqueued:
    """An Enqueued state without a queue means the one the job itself remembers."""
    if not state.queue:
        return replace(state, queue=job.queue or "default", priority=job.priority)
    return state


def _without_row(
    tx: Tx, changes: Sequence[Change], locked: Mapping[int, LockedJob], owned: set[int]
) -> Sequence[Change]:
    """A run whose queue row somebody deleted ends as Deleted, whatever it came to: nobody else would end the job.

    Only while the job is in the very state that this run left it in, and in no queue: a row that another worker
    holds, or that waits, is the job's, and its next run will end it.
    """
    lost = {
        c.job_id
        for c in changes
        if c.claim is not None and not c.keep_claim and c.claim.queue_id not in owned and _is_as_left(c, locked)
    }
    ended = lost - queues.waiting_among(tx, lost) if lost else lost
    if not ended:
        return changes
    return [
        replace(c, to=ROW_DELETED, claim=None, keep_claim=True, elect=c.elect or isinstance(c.to, Enqueued))
        if c.job_id in ended else c
        for c in changes
    ]  # fmt: skip


def _is_as_left(change: Change, locked: Mapping[int, LockedJob]) -> bool:
    job, claim = locked.get(change.job_id), change.claim
    return job is not None and claim is not None and (job.state, job.state_id) == (claim.state, claim.state_id)


def _context(change: Change, job: LockedJob, effects: Effects, parameters: Mapping[int, Mapping[str, str]]) -> Electing:
    """parameters: those that were read; of others a claim knows what they were when it was made."""
    known = parameters.get(change.job_id) or (change.claim.parameters if change.claim is not None else {})
    return Electing(
        job, change.to, effects, known, change.at or effects.tx.now(), change.definition,
        change.error, change.run,
    )  # fmt: skip


def _end_cancelled(effects: Effects, change: Change, at: datetime) -> None:
    """A run that was asked to end has ended: when it did, and what it had written since it was asked."""
    effects.parameter(change.job_id, STOPPED_AT, times.to_iso(at))
    if change.log_lines and change.run is not None:
        effects.log(change.job_id, change.run.attempt, change.log_lines, at)


def _why_in_vain(change: Change, job: LockedJob | None) -> str:
    """Why a run's outcome counts for nothing."""
    if job is None:
        return "the job was deleted from the database while it ran"
    if change.claim is not None and (job.state, job.state_id) != (change.claim.state, change.claim.state_id):
        return f"the job was moved to {job.state} while it ran"
    return "its claim was given up while it ran"


def _given_back_among(tx: Tx, changes: Sequence[Change], locked: Mapping[int, LockedJob]) -> set[int]:
    """Of the jobs in Processing that others than their workers change, those whose claims were given back."""
    others = {c.job_id for c in changes if c.claim is None and c.job_id in locked}
    left = [job_id for job_id in others if locked[job_id].state == "Processing"]
    return queues.free_among(tx, left) if left else set()


def _is_lost(change: Change, job: LockedJob, given_back: set[int]) -> bool:
    """Whether the job's Processing is of a run whose process died: another claim takes it over, or its claim was
    given back for it."""
    if job.state != "Processing":
        return False
    return job.id in given_back if change.claim is None else not change.claim.begun
