"""Writes outcomes back in batches, and Processing for jobs that run longer than a moment."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from taskmanager.domain.errors import ReadOnlyDatabase
from taskmanager.domain.records import Claim
from taskmanager.domain.states import STARTABLE, Processing
from taskmanager.engine.context import PROGRESS, JobContext
from taskmanager.engine.performer import Outcome
from taskmanager.engine.transitions import Applied, Change, Transitions
from taskmanager.server.process import Process
from taskmanager.storage import jobs
from taskmanager.storage.database import Database, Tx

log = logging.getLogger("taskmanager.completer")

#: A job that runs longer than this gets its Processing row at once; a shorter one with its outcome.
_RECORD_AFTER_SECONDS = 0.1
#: Outcomes are collected this long, unless there are many: a COMMIT is the unit of cost.
_COLLECT_SECONDS = 0.012
_MANY = 100
_BATCH = 500


@dataclass(slots=True)
class Running:
    """A job in the hands of a thread."""

    claim: Claim
    context: JobContext
    worker_id: str
    started_at: datetime
    started: float
    timeout: float | None
    recorded: bool = False
    fenced: bool = False


class Completer(Process):
    """One for each worker process. `finished` is told which claims are done with, after their COMMIT."""

    name = "completer"

    def __init__(
        self, database: Database, transitions: Transitions, server_id: str, finished: Callable[[list[Claim]], None]
    ) -> None:
        super().__init__()
        self.database = database
        self.transitions = transitions
        self.server_id = server_id
        self._finished = finished
        self._outcomes: deque[Outcome] = deque()
        self.running: dict[int, Running] = {}
        self._last_flush = 0.0
        self._flushing = threading.Lock()

    def begin(self, running: Running) -> None:
        """A thread starts a job."""
        self.running[running.claim.queue_id] = running

    def add(self, outcome: Outcome) -> None:
        """A thread has ended a job."""
        self._outcomes.append(outcome)
        waiting = len(self._outcomes)
        if waiting >= _MANY or (waiting == 1 and time.monotonic() - self._last_flush > _COLLECT_SECONDS):
            self.alarm.set()

    def tick(self) -> float:
        if not self.flush() and self._outcomes:
            return 0.0
        self.record_processing()
        return _COLLECT_SECONDS if self._outcomes or self.running else 0.05

    def flush(self) -> int:
        """Write the outcomes that wait; returns how many. They stay in memory until the COMMIT has succeeded."""
        with self._flushing:
            batch = [self._outcomes[i] for i in range(min(_BATCH, len(self._outcomes)))]
            if not batch:
                return 0
            changes = [self._change(outcome) for outcome in batch]
            try:
                answers = self._write(changes)
            finally:
                self._last_flush = time.monotonic()
            for outcome, answer in zip(batch, answers, strict=True):
                self._outcomes.popleft()
                self.running.pop(outcome.claim.queue_id, None)
                if answer.refused:
                    log.info("outcome of job %d not written: %s", answer.job_id, answer.refused)
            self._finished([outcome.claim for outcome in batch])
            return len(batch)

    def _write(self, changes: list[Change]) -> list[Applied]:
        try:
            return self.database.run(lambda tx: self.transitions.apply(tx, changes))
        except ReadOnlyDatabase as error:
            log.error("outcomes wait in memory: %s", error)
            raise

    def _change(self, outcome: Outcome) -> Change:
        running = self.running.get(outcome.claim.queue_id)
        before: tuple[tuple[Processing, datetime], ...] = ()
        if running is not None and not running.recorded:
            state = Processing(server_id=self.server_id, worker_id=running.worker_id)
            before = ((state, outcome.started_at),)
        return Change(
            outcome.claim.job_id, outcome.state, STARTABLE, outcome.claim, before=before, at=outcome.ended_at,
            definition=outcome.definition, error=outcome.error, run=outcome.run, log_lines=outcome.log_lines,
        )  # fmt: skip

    def record_processing(self, *, at_once: Running | None = None) -> None:
        """Write Processing for jobs that still run after a moment, and what they tell of their progress."""
        line = time.monotonic() - _RECORD_AFTER_SECONDS
        with self._flushing:
            done = {outcome.claim.queue_id for outcome in self._outcomes}
            late = [
                r for r in list(self.running.values())
                if not (r.recorded or r.fenced or r.claim.queue_id in done) and (r.started < line or r is at_once)
            ]  # fmt: skip
            if late:
                self._record(late)
        self._tell_progress()

    def _record(self, late: list[Running]) -> None:
        changes = [
            Change(
                r.claim.job_id, Processing(server_id=self.server_id, worker_id=r.worker_id), STARTABLE, r.claim,
                keep_claim=True, at=r.started_at,
            )
            for r in late
        ]  # fmt: skip

        def work(tx: Tx) -> tuple[list[Applied], dict[int, tuple[str | None, int | None]]]:
            answers = self.transitions.apply(tx, changes)
            return answers, jobs.current_states(tx, [c.job_id for c in changes])

        answers, states = self.database.run(work)
        for running, answer in zip(late, answers, strict=True):
            if answer:
                running.claim.state, running.claim.state_id = states[running.claim.job_id]
                running.recorded = True
            else:
                running.fenced = True
                running.context.cancellation.cancel(answer.refused or "the claim was given up")

    def _tell_progress(self) -> None:
        told: dict[tuple[int, str], str | None] = {}
        for running in list(self.running.values()):
            if running.recorded and (share := running.context.take_progress()) is not None:
                told[running.claim.job_id, PROGRESS] = f"{share:.4f}"
        if told:
            self.database.run(lambda tx: jobs.set_parameters(tx, told))

    def close(self) -> None:
        while self.flush():
            pass
