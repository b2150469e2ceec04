"""The threads that perform claims: each takes one from the inbox, runs its job, and hands on the outcome."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from queue import SimpleQueue

from taskmanager import logs
from taskmanager.domain.errors import ClaimsExhausted
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.records import Claim
from taskmanager.domain.states import ALL_NAMES, STARTABLE
from taskmanager.domain.texts import whole
from taskmanager.engine import forks
from taskmanager.engine.performer import Outcome, Performer, UnknownJobType
from taskmanager.engine.registry import JobDefinition
from taskmanager.engine.targcc_rules import timeout_of
from taskmanager.server import streams
from taskmanager.server.completer import Completer
from taskmanager.server.lifeline import Lifeline
from taskmanager.server.runners import Runners
from taskmanager.server.telling import Running
from taskmanager.storage.servers import DEATHS

log = logging.getLogger("taskmanager.worker")


class JobThreads:
    """As many threads as jobs may run at once.

    inbox: what has been claimed and not begun; None ends a thread. unknown: told of a claim of a type this process does
    not know. stranded: told of one that a thread could not perform. first: the lifeline's slot of the first thread.
    """

    def __init__(
        self, performer: Performer, completer: Completer, runners: Runners, lifeline: Lifeline,
        inbox: SimpleQueue[Claim | None], *, count: int, max_deaths: int, first: int = 0,
        unknown: Callable[[Claim], None], stranded: Callable[[Claim], None],
    ) -> None:  # fmt: skip
        self.performer, self.completer, self.lifeline, self.inbox = performer, completer, lifeline, inbox
        self.count, self._first, self._max_deaths = count, first, max_deaths
        self._unknown, self._stranded = unknown, stranded
        self._runner = forks.safely(runners)
        #: Which threads have a job in hand: a byte for each, so that none writes where another does.
        self._at_work = bytearray(count)
        self._threads: list[threading.Thread] = []

    @property
    def idle(self) -> int:
        """How many have no job in hand."""
        return self.count - sum(self._at_work)

    def start(self) -> None:
        """Start the threads."""
        for slot in range(self.count):
            name = f"taskmanager-job-{self._first + slot}"
            thread = threading.Thread(target=self._work, args=(slot,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, deadline: float, hurry: threading.Event | None = None) -> bool:
        """Let the threads end after their jobs; whether all did before the deadline (monotonic seconds), or `hurry`."""
        for _ in self._threads:
            self.inbox.put(None)
        for thread in self._threads:
            while thread.is_alive() and time.monotonic() < deadline and not (hurry is not None and hurry.is_set()):
                thread.join(min(0.1, max(0.0, deadline - time.monotonic())))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, slot: int) -> None:
        worker_id = str(uuid.uuid4())
        while True:
            claim = self.inbox.get()
            if claim is None:
                return
            self._at_work[slot] = 1
            try:
                self.perform(claim, self._first + slot, worker_id)
            except BaseException:  # a thread that ended would be missed by all later jobs
                about = self.performer.about(claim)
                log.exception("job %d could not be performed; its claim is given back", claim.job_id, extra=about)
                self.completer.running.pop(claim.queue_id, None)
                self._stranded(claim)
            finally:
                self._at_work[slot] = 0

    def perform(self, claim: Claim, slot: int = 0, worker_id: str = "") -> None:
        """Perform one claim and hand the outcome to the completer."""
        refused = self._refused(claim)
        if refused is not None:
            self.completer.add(refused)
            return
        try:
            definition, stored = self.performer.resolve(claim)
        except UnknownJobType:
            self._unknown(claim)
            return
        except Exception as error:  # InvocationUnreadable, or a function that cannot be made a job
            self.completer.add(self.performer.failed(claim, error))
            return
        self._run(claim, definition, stored, slot, worker_id)

    def work_off(self) -> int:
        """Perform what has been claimed, in this thread; how many."""
        done = 0
        while not self.inbox.empty():
            claim = self.inbox.get()
            if claim is not None:
                self.perform(claim)
                done += 1
        return done

    def _run(self, claim: Claim, definition: JobDefinition, stored: Invocation, slot: int, worker_id: str) -> None:
        name, server = definition.name, self.performer.server
        context = self.performer.context_of(claim, name)
        running = Running(
            claim, context, worker_id, self.performer.now(), time.monotonic(),
            timeout_of(claim.parameters, definition.timeout), definition=definition,
        )  # fmt: skip
        self.completer.begin(running)
        if DEATHS in claim.parameters:
            self.completer.record_processing(at_once=running)
        self.lifeline.start(slot, claim.job_id)
        token = logs.enter_job((claim.job_id, context.attempt, claim.queue, server, name))
        try:
            outcome = self.performer.perform(
                claim, definition, stored, context, self._runner, started_at=running.started_at
            )
        except Exception as error:  # what the job left behind could not be made an outcome
            log.exception("the end of job %d could not be understood", claim.job_id, extra=self.performer.about(claim))
            outcome = self.performer.failed(claim, error)
        finally:
            logs.leave_job(token)
            self.lifeline.start(slot, 0)
            streams.mend()
        self.completer.add(outcome)

    def _refused(self, claim: Claim) -> Outcome | None:
        """An outcome for a claim that is not to be run: its job is gone, over, or kills its processes."""
        deaths = whole(claim.parameters.get(DEATHS)) or 0
        if deaths >= self._max_deaths:
            error = ClaimsExhausted(
                f"{deaths} worker processes died while they performed this job; it is not run again"
            )
            return self.performer.failed(claim, error)
        if claim.state not in STARTABLE or claim.created_at is None:
            level = logging.INFO if claim.state in ALL_NAMES else logging.WARNING
            gone = "gone" if claim.created_at is None else claim.state
            about = self.performer.about(claim)
            log.log(level, "job %d is %s: its queue row is dropped", claim.job_id, gone, extra=about)
            return self.performer.failed(claim, LookupError(f"the job is {gone}: its queue row is dropped"))
        return None
