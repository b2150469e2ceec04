"""What people ask of jobs: enqueue, schedule, continue, delete, requeue, reschedule. Verbs in a transaction."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from taskmanager.domain import tags
from taskmanager.domain.errors import CreationCancelled, InvalidArgument, JobNotFound, PayloadTooLarge
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.states import Awaiting, Deleted, Enqueued, Failed, Scheduled, State, Succeeded
from taskmanager.engine import continuations, entering, labels
from taskmanager.engine.effects import Effects
from taskmanager.engine.filters import Chain, Creating
from taskmanager.engine.registry import JobDefinition, Registry
from taskmanager.engine.transitions import Applied, Change, Transitions
from taskmanager.storage import jobs
from taskmanager.storage.database import Database, DuplicateKey
from taskmanager.storage.jobs import LockedJob
from taskmanager.storage.transaction import Tx

#: Parameters of a job that was made from another one, and of that one; the last so many are told.
MADE_FROM, MADE_INTO, _MADE = "MadeFrom", "MadeInto", 20
_QUEUE_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


@dataclass(slots=True)
class NewJob:
    """A job to be written: the call, its first state, and where it belongs."""

    invocation: Invocation
    state: State
    queue: str
    priority: int = 0
    definition: JobDefinition | None = None
    parameters: dict[str, str] = field(default_factory=dict)


class Client:
    """Writes jobs and changes them, in its own transaction or the caller's."""

    def __init__(
        self, database: Database, transitions: Transitions, filters: Chain, *,
        max_payload_bytes: int = 16 * 1024 * 1024, registry: Registry | None = None,
    ) -> None:  # fmt: skip
        self.database = database
        self.transitions = transitions
        self.filters = filters
        self.max_payload_bytes = max_payload_bytes
        self.registry = registry

    def create(self, new: Sequence[NewJob], *, session: Any = None, key: str | None = None) -> list[int]:
        """Write jobs and return their ids; in the caller's Session or Connection when one is given.

        key: of `new_key`; jobs that were written under it before are not written again, their ids are the answer.
        Raises ArgumentError, PayloadTooLarge, StorageError; TransactionLost when the caller's transaction died.
        """
        key = key or new_key()
        if session is None:
            return self.run_once(key, lambda tx: self.create_in(tx, new, key))
        with self.database.guard_joined():
            return self.create_in(self.database.join(session), new, key)

    def run_once(self, key: str, work: Callable[[Tx], list[int]], *, asked_before: bool = False) -> list[int]:
        """Run a unit that writes jobs under this key; the ids of those jobs.

        asked_before: the key is of somebody who may ask twice; it is looked for before anything else.

        Run again after a COMMIT in doubt, it first asks whether an earlier try has written them: what that try has
        changed besides (a row is InProcess) would otherwise refuse it.
        """
        tries = 0

        def attempt(tx: Tx) -> list[int]:
            nonlocal tries
            tries += 1
            if (asked_before or tries > 1) and (written := jobs.by_key(tx, key)):
                return written
            try:
                return work(tx)
            except DuplicateKey:
                # The COMMIT of an earlier try was in doubt and had gone through, with all that belongs to it.
                tx.connection.rollback()
                found = jobs.by_key(tx, key)
                if not found:
                    raise
                return found

        return self.database.run(attempt)

    def create_in(self, tx: Tx, new: Sequence[NewJob], key: str) -> list[int]:
        """Write jobs inside a transaction."""
        contexts = [Creating(n.invocation, n.state, n.definition, n.parameters) for n in new]
        for one in self.filters.creating:
            for context in contexts:
                one.creating(context)
        kept = [(n, c) for n, c in zip(new, contexts, strict=True) if not c.cancelled]
        if not kept:
            return []
        now = tx.now()
        ids = jobs.add(tx, [self._row(n, c, now) for n, c in kept], key)
        effects = Effects(tx)
        for job_id, (one_new, context) in zip(ids, kept, strict=True):
            effects.history(job_id, context.state, now)
            effects.enter(job_id, context.state.name, None)
            locked = LockedJob(job_id, None, None, one_new.queue, one_new.priority, now)
            entering.enter(effects, locked, context.state)
            for name, value in context.parameters.items():
                effects.parameter(job_id, name, value)
            labels.write(effects, job_id, self._definition(one_new), context.invocation.arguments, context.parameters)
        effects.write()
        for one in self.filters.created:
            for job_id, (_, context) in zip(ids, kept, strict=True):
                one.created(context, job_id)
        if effects.queues:
            ring = self.database.ring
            tx.after_commit(lambda: ring(effects.queues))
        return ids

    def _definition(self, new: NewJob) -> JobDefinition | None:
        """What is known of the job; a recurring one is made from what is stored of it."""
        if new.definition is not None or self.registry is None:
            return new.definition
        return self.registry.known(new.invocation.name)

    def _row(self, new: NewJob, context: Creating, now: datetime) -> dict[str, Any]:
        arguments = self.checked_arguments(context.invocation)
        return {
            "StateName": context.state.name,
            "InvocationData": context.invocation.to_json(arguments),
            "Arguments": arguments,
            "CreatedAt": now,
            "Queue": new.queue,
            "Priority": new.priority,
        }

    def checked_arguments(self, invocation: Invocation) -> str:
        """The arguments as they are stored. Raises PayloadTooLarge."""
        arguments = invocation.arguments_json()
        if len(arguments) > self.max_payload_bytes:
            raise PayloadTooLarge(
                f"the arguments of {invocation.name} take {len(arguments)} bytes, more than the "
                f"{self.max_payload_bytes} of max_payload_bytes: pass a reference (an id, a path) instead"
            )
        return arguments

    def continue_after(self, parent_id: int, new: NewJob, *, on_any: bool, session: Any = None) -> int:
        """Write a job that waits for another; starts it at once when that has ended. Raises JobNotFound."""
        key = new_key()

        def work(tx: Tx) -> list[int]:
            parent = jobs.lock(tx, [parent_id]).get(parent_id)
            if parent is None:
                raise JobNotFound(f"there is no job {parent_id} to continue after")
            new.state = Awaiting(parent_id=parent_id, queue=new.queue, only_on_success=not on_any)
            child = next(iter(self.create_in(tx, [new], key)), None)
            if child is None:
                raise CreationCancelled(f"a filter does not let {new.invocation.name} be created")
            options = continuations.ON_ANY if on_any else continuations.ON_SUCCESS
            known = jobs.locked_parameter(tx, parent_id, continuations.CONTINUATIONS)
            listed = continuations.with_child(known, child, options)
            jobs.set_parameters(tx, {(parent_id, continuations.CONTINUATIONS): listed})
            self._start_if_over(tx, parent, child, options)
            return [child]

        if session is None:
            return self.run_once(key, work)[0]
        with self.database.guard_joined():
            return work(self.database.join(session))[0]

    def create_from(self, job_id: int, new: NewJob, *, key: str) -> int:
        """Write a job made from another, which stays as it is; each tells of the other by a parameter.

        key: of `new_key`; asked for twice under one key it is one job. Raises JobNotFound, CreationCancelled.
        """
        new.parameters[MADE_FROM] = str(job_id)

        def work(tx: Tx) -> list[int]:
            if not jobs.lock(tx, [job_id]):
                raise JobNotFound(f"there is no job {job_id} to make another from")
            if (labelled := jobs.parameter(tx, job_id, tags.PARAMETER)) is not None:
                new.parameters.setdefault(tags.PARAMETER, labelled)
            made = self.create_in(tx, [new], key)
            if not made:
                raise CreationCancelled(f"a filter does not let {new.invocation.name} be created")
            known = jobs.locked_parameter(tx, job_id, MADE_INTO)
            listed = [*(known.split(",") if known else []), str(made[0])][-_MADE:]
            jobs.set_parameters(tx, {(job_id, MADE_INTO): ",".join(listed)})
            return made

        return self.run_once(key, work)[0]

    def _start_if_over(self, tx: Tx, parent: LockedJob, child: int, options: int) -> None:
        if parent.state not in ("Succeeded", "Deleted"):
            return
        record = jobs.read(tx, parent.id)
        result = record.current.data.get("Result") if record and record.current else None
        over: State = Succeeded(result=result) if parent.state == "Succeeded" else Deleted()
        self.transitions.apply(tx, [continuations.start(child, options, over)])

    # -- changes by people ------------------------------------------------------------------------------------

    def change(self, changes: Sequence[Change]) -> list[Applied]:
        """Carry changes out in one transaction.

        Run again after a COMMIT in doubt, a job that is found in the wanted state has been changed by the first try.
        """
        tries = 0

        def work(tx: Tx) -> list[Applied]:
            nonlocal tries
            tries += 1
            answers = self.transitions.apply(tx, changes)
            return [_own(a, c) if tries > 1 else a for a, c in zip(answers, changes, strict=True)]

        return self.database.run(work)

    def delete(
        self, ids: Iterable[int], *, reason: str | None = None, expected: Iterable[str] | None = None
    ) -> list[Applied]:
        """Move jobs to Deleted; one that runs is cancelled cooperatively within seconds."""
        wanted = frozenset(expected) if expected is not None else _ALL - {"Deleted"}
        return self.change([Change(i, Deleted(reason=reason), wanted) for i in sorted(set(ids))])

    def requeue(
        self, ids: Iterable[int], *, reason: str | None = None, expected: Iterable[str] | None = None
    ) -> list[Applied]:
        """Put jobs back into their own queues, whatever became of them."""
        wanted = frozenset(expected) if expected is not None else None
        return self.change([Change(i, Enqueued(queue="", reason=reason), wanted) for i in sorted(set(ids))])

    def reschedule(self, job_id: int, at: datetime, *, reason: str | None = None) -> Applied:
        """Move a job to another moment (naive UTC)."""
        return self.change([Change(job_id, Scheduled(enqueue_at=at, reason=reason))])[0]

    def fail(self, job_id: int, error: BaseException, message: str) -> Applied:
        """Move a job to Failed by hand, without retries."""
        failed = Failed(exception_type=type(error).__name__, exception_message=message, exception_details=message)
        return self.change([Change(job_id, failed, elect=False)])[0]


_ALL = frozenset({"Enqueued", "Scheduled", "Processing", "Succeeded", "Failed", "Deleted", "Awaiting"})


def _own(answer: Applied, change: Change) -> Applied:
    done = answer.refused is not None and answer.refused.startswith(f"the job is {change.to.name},")
    return Applied(answer.job_id, change.to) if done else answer


def check_queue(queue: object) -> None:
    """Raises InvalidArgument when this is no name of a queue."""
    if not isinstance(queue, str) or not _is_queue(queue):
        raise InvalidArgument(f"queue {queue!r}: a queue name has 1 to 50 of the characters a-z, 0-9, _ and -")


@lru_cache(maxsize=1000)
def _is_queue(name: str) -> bool:
    return 1 <= len(name) <= 50 and set(name) <= _QUEUE_LETTERS


def new_key() -> str:
    """A key no other enqueue has, that grows with time so that its index is filled at one end (as UUID 7)."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"
