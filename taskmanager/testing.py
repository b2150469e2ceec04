"""For the tests of people who use taskmanager: run jobs by hand, at once, or only record them; and move time.

Nothing is faked: jobs are written to the database, claimed and performed by the same code as in a worker, in the
test's own thread.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from taskmanager.config import Settings
from taskmanager.domain.errors import JobFailed
from taskmanager.domain.states import Scheduled
from taskmanager.engine.client import Client, NewJob
from taskmanager.engine.filters import Chain
from taskmanager.engine.legacy import LegacyJobs
from taskmanager.engine.performer import Outcome, Performer
from taskmanager.engine.recurring import RecurringJobs
from taskmanager.engine.registry import Registry
from taskmanager.engine.transitions import Transitions
from taskmanager.server.completer import Completer
from taskmanager.server.lifeline import Lifeline, folder_of
from taskmanager.server.runners import Runners
from taskmanager.server.schedulers import DelayedScheduler, RecurringScheduler
from taskmanager.server.worker import Worker
from taskmanager.storage import monitoring, servers
from taskmanager.storage.database import Database


class Manager(Protocol):
    """What the kit needs of a TaskManager."""

    settings: Settings
    database: Database
    transitions: Transitions
    filters: Chain
    registry: Registry
    client: Client
    recurring_jobs: RecurringJobs
    legacy_jobs: LegacyJobs | None

    def performer(self, server_id: str) -> Performer:
        """A performer that signs with this server's id."""
        ...


@dataclass(frozen=True, slots=True)
class Recorded:
    """A job that would have been written. args: its arguments by name, as JSON gives them back."""

    id: int
    name: str
    args: dict[str, Any]
    queue: str
    priority: int
    at: datetime | None = None
    parent_id: int | None = None


class Testing:
    """`tm.testing`."""

    __test__ = False  # no test class, whatever pytest makes of its name

    def __init__(self, tm: Manager) -> None:
        self._tm = tm

    def move_time(self, by: timedelta | float) -> None:
        """Let time pass for this TaskManager: what is due by then is due now. by: a timedelta, or seconds."""
        self._tm.database.clock.shift(by if isinstance(by, timedelta) else timedelta(seconds=by))

    def drain(self, queues: Sequence[str] | None = None, *, most: int = 10_000, raise_errors: bool = False) -> int:
        """Perform all that is due, delayed and recurring jobs too, and what those enqueue; how many ran.

        queues: their names; all that are there when None. most: an end for jobs that enqueue themselves.
        raise_errors: raise what a job raised, first one first, after all have run. Raises JobFailed when `most`
        jobs have run and there is more.
        """
        with _Hand(self._tm) as hand:
            while hand.turn(queues, most):
                if len(hand.outcomes) >= most:
                    raise JobFailed(f"{most} jobs have run and there are more: do they enqueue themselves?")
        errors = [outcome.error for outcome in hand.outcomes if outcome.error is not None]
        if raise_errors and errors:
            raise errors[0]
        return len(hand.outcomes)

    @contextmanager
    def inline(self, *, raise_errors: bool = True) -> Iterator[None]:
        """Inside the block `enqueue` returns after the job has run, here, in this thread.

        raise_errors: what the job raises comes out of `enqueue`; its retries wait as always. A job that is
        enqueued by a job runs after it. In a session of your own nothing runs before the next enqueue or `drain`.
        """
        with self._client(_Inline(self._tm, lambda: self.drain(raise_errors=raise_errors))):
            yield

    @contextmanager
    def record(self) -> Iterator[list[Recorded]]:
        """Inside the block nothing is written: the list tells what would have been."""
        recorder = _Recorder(self._tm)
        with self._client(recorder):
            yield recorder.jobs

    @contextmanager
    def _client(self, client: Client) -> Iterator[None]:
        before, self._tm.client = self._tm.client, client
        try:
            yield
        finally:
            self._tm.client = before


class _Hand:
    """A worker that is ticked by hand, for as long as it is open."""

    def __init__(self, tm: Manager) -> None:
        self._tm, database = tm, tm.database
        guid = uuid.uuid4().hex
        self.id = f"testing:{os.getpid()}:{guid}"
        self.outcomes: list[Outcome] = []
        self._line = Lifeline(self.id, 1, folder_of(database.identity))
        self._runners = Runners(tm.settings.variables())
        self._completer = _Watching(database, tm.transitions, self.id, lambda claims: self._worker.finished(claims))
        self._completer.seen = self.outcomes
        self._worker = Worker(
            database, tm.performer(self.id), self._completer, self._runners, self._line,
            guid=guid, queue_names=tm.settings.queues, threads=1, prefetch=0,
        )  # fmt: skip
        self._schedulers = [DelayedScheduler(database, tm.transitions), RecurringScheduler(tm.recurring_jobs)]

    def __enter__(self) -> _Hand:
        self._tm.database.run(lambda tx: servers.announce(tx, self.id, {"taskmanager": {"testing": True}}))
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.give_back_waiting()
        self._runners.close()
        self._tm.database.run(lambda tx: servers.remove(tx, self.id))
        self._line.close()

    def turn(self, queues: Sequence[str] | None, most: int) -> int:
        """Everything that is due at this moment, once; how many jobs ran."""
        for scheduler in self._schedulers:
            scheduler.tick()
        if self._tm.legacy_jobs is not None:
            self._tm.legacy_jobs.fire_due()
        if queues is None:
            lengths = self._tm.database.read(monitoring.queue_lengths)
            queues = [*self._tm.settings.queues, *(q.name for q in lengths if q.name not in self._tm.settings.queues)]
        self._worker.queues = tuple(queues)
        before = len(self.outcomes)
        while len(self.outcomes) < most:
            self._worker.tick()
            if not self._worker.job_threads.work_off():
                break
            self._completer.flush()
        return len(self.outcomes) - before


class _Watching(Completer):
    """A completer that remembers what it was given."""

    seen: list[Outcome]

    def add(self, outcome: Outcome) -> None:
        self.seen.append(outcome)
        super().add(outcome)


class _Inline(Client):
    """Drains after each enqueue, unless it is a job that enqueues."""

    def __init__(self, tm: Manager, drain: Any) -> None:
        super().__init__(
            tm.database, tm.transitions, tm.filters, max_payload_bytes=tm.client.max_payload_bytes,
            registry=tm.registry,
        )  # fmt: skip
        self._drain = drain
        self._is_draining = False

    def create(self, new: Sequence[NewJob], *, session: Any = None, key: str | None = None) -> list[int]:
        ids = super().create(new, session=session, key=key)
        self._work(session)
        return ids

    def continue_after(self, parent_id: int, new: NewJob, *, on_any: bool, session: Any = None) -> int:
        child = super().continue_after(parent_id, new, on_any=on_any, session=session)
        self._work(session)
        return child

    def _work(self, session: Any) -> None:
        if session is not None or self._is_draining:
            return
        self._is_draining = True
        try:
            self._drain()
        finally:
            self._is_draining = False


class _Recorder(Client):
    """Writes nothing."""

    def __init__(self, tm: Manager) -> None:
        super().__init__(
            tm.database, tm.transitions, tm.filters, max_payload_bytes=tm.client.max_payload_bytes,
            registry=tm.registry,
        )  # fmt: skip
        self.jobs: list[Recorded] = []

    def create(self, new: Sequence[NewJob], *, session: Any = None, key: str | None = None) -> list[int]:
        return [self._record(one, None) for one in new]

    def continue_after(self, parent_id: int, new: NewJob, *, on_any: bool, session: Any = None) -> int:
        return self._record(new, parent_id)

    def _record(self, new: NewJob, parent_id: int | None) -> int:
        names = [p.name for p in new.definition.signature.parameters] if new.definition else []
        texts = new.invocation.arguments
        args = {n: json.loads(a) for n, a in zip(names, texts, strict=False) if a is not None}
        at = new.state.enqueue_at if isinstance(new.state, Scheduled) else None
        job = Recorded(
            len(self.jobs) + 1, new.invocation.name, args, new.queue, new.priority, at=at, parent_id=parent_id
        )
        self.jobs.append(job)
        return job.id
