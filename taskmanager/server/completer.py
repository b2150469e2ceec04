"""Writes outcomes back in batches, and Processing for jobs that run longer than a moment."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from taskmanager import logs
from taskmanager.domain.errors import ReadOnlyDatabase, StorageError
from taskmanager.domain.records import Claim
from taskmanager.domain.states import STARTABLE, Failed, Processing, short
from taskmanager.engine.context import PROGRESS, attempt_of
from taskmanager.engine.performer import Outcome, details_of, text_of
from taskmanager.engine.transitions import GONE, Applied, Change, Transitions
from taskmanager.server.measuring import Measures
from taskmanager.server.process import Process
from taskmanager.server.telling import Running, Teller, joined
from taskmanager.storage import jobs, legacy_shape, queues
from taskmanager.storage.database import Database
from taskmanager.storage.dialects import Verdict
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.completer")

#: A job that runs longer than this gets its Processing row at once; a shorter one with its outcome.
_RECORD_AFTER_SECONDS = 0.1
#: Outcomes are collected this long, unless there are many: a COMMIT is the unit of cost.
_COLLECT_SECONDS = 0.012
_MANY = 100
_BATCH = 500
#: An outcome whose job is locked by somebody, an operator's open transaction for one, is tried again after this pause.
_BUSY_SECONDS = 0.25
#: How often running jobs' lines and progress are written.
_TELL_SECONDS = 1.0
#: While nothing runs and nothing waits to be written. Who begins or ends a job wakes it; this is for no other case.
_REST_SECONDS = 15.0


class Completer(Process):
    """One for each worker process. `finished` is told which claims are done with, after their COMMIT; `measures`
    what they came to."""

    name = "completer"

    def __init__(
        self, database: Database, transitions: Transitions, server_id: str, finished: Callable[[list[Claim]], None],
        measures: Measures | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.database = database
        self.transitions = transitions
        self.server_id = server_id
        self._finished = finished
        self._measures = measures
        self._teller = Teller(database)
        self._outcomes: deque[Outcome] = deque()
        #: Outcomes of jobs that somebody else had locked, and when they are tried again.
        self._held_up: list[Outcome] = []
        self._held_up_until = 0.0
        self.running: dict[int, Running] = {}
        #: Runs whose Processing was sent, and nobody knows whether it was written.
        self._unsure: list[Running] = []
        self._states: dict[str, Processing] = {}
        self._last_flush = 0.0
        self._told = time.monotonic()
        self._closing = False
        #: Whether the tick found nothing at hand: who brings something then rings.
        self._resting = False
        self._flushing = threading.Lock()

    def begin(self, running: Running) -> None:
        """A thread starts a job."""
        self.running[running.claim.queue_id] = running
        if self._resting and not self.alarm.is_set():
            self.alarm.set()

    def add(self, outcome: Outcome) -> None:
        """A thread has ended a job."""
        self._outcomes.append(outcome)
        waiting = len(self._outcomes)
        late = waiting == 1 and time.monotonic() - self._last_flush > _COLLECT_SECONDS
        if (waiting >= _MANY or late or self._resting) and not self.alarm.is_set():
            self.alarm.set()

    def tick(self) -> float:
        self._resting = False
        if not self.flush() and self._outcomes:
            return 0.0
        self.record_processing()
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self.tell()
        self._resting = True  # before looking: what comes between rings
        if self._outcomes or self.running or self._held_up:
            self._resting = False
            return _COLLECT_SECONDS
        return _REST_SECONDS

    def flush(self) -> int:
        """Write the outcomes that wait; returns how many. They stay in memory until the COMMIT has succeeded."""
        with self._flushing:
            if self._held_up and (self._closing or time.monotonic() >= self._held_up_until):
                self._outcomes.extend(self._held_up)
                self._held_up = []
            batch = list(self._outcomes.copy())[:_BATCH]
            if not batch:
                return 0
            if self._unsure:
                self._record(self._unsure)
            busy: list[Outcome] = []
            try:
                changes = [self._change(outcome) for outcome in batch]
                answers = self._write(changes, skip_locked=not self._closing)
                self._tell(changes, answers)
                busy = [outcome for outcome, answer in zip(batch, answers, strict=True) if answer.busy]
            except Exception as error:
                if not self._is_of_one(error):
                    raise
                log.warning("%d outcomes are written one by one, for together they cannot be: %s", len(batch), error)
                legacy_shape.forget(self.database.prepared)
                for outcome in batch:
                    self._write_alone(outcome)
            finally:
                self._last_flush = time.monotonic()
            self._hold_up(busy)
            held_up = {outcome.claim.queue_id for outcome in busy}
            written = [outcome.claim for outcome in batch if outcome.claim.queue_id not in held_up]
            for _ in batch:
                self._outcomes.popleft()
            for claim in written:
                self.running.pop(claim.queue_id, None)
            self._finished(written)
            return len(batch)

    def _hold_up(self, busy: list[Outcome]) -> None:
        """Keep what could not be written for somebody else's lock: the others do not wait for it."""
        if busy:
            self._held_up += busy
            self._held_up_until = time.monotonic() + _BUSY_SECONDS

    def _write(self, changes: list[Change], *, skip_locked: bool = False) -> list[Applied]:
        try:
            return self.database.run(lambda tx: self.transitions.apply(tx, changes, skip_locked=skip_locked))
        except ReadOnlyDatabase as error:
            log.error("outcomes wait in memory: %s", error)
            raise

    def _is_of_one(self, error: Exception) -> bool:
        """Whether one outcome of a batch may be to blame, so that the others must be written without it."""
        if isinstance(error, ReadOnlyDatabase):
            return False
        cause = error.__cause__ if isinstance(error, StorageError) and error.__cause__ else error
        return self.database.product.verdict(cause) in (Verdict.FATAL, Verdict.DUPLICATE)

    def _write_alone(self, outcome: Outcome) -> None:
        """Write one outcome; when the database or a filter does not take it, that job is Failed, and only that.

        Called again after an error it is refused for what was written before: those claims are gone.
        """
        change = self._change(outcome)
        try:
            self._tell([change], self._write([change]))
        except Exception as error:
            if not self._is_of_one(error):
                raise
            about = self._about(change)
            log.exception("the outcome of job %d, %s, cannot be written", change.job_id, change.to.name, extra=about)
            self._fail(change, error)

    def _fail(self, change: Change, error: Exception) -> None:
        """End a job whose outcome cannot be written, with a row of its run; without one, where that is to blame."""
        failed = Failed(
            reason="Its outcome could not be written", exception_type=type(error).__name__,
            exception_message=f"the job ended as {change.to.name}, but that could not be written: {text_of(error)}",
            server_id=self.server_id, exception_details=details_of(error),
        )  # fmt: skip
        plain = Change(
            change.job_id, failed, STARTABLE, change.claim, before=change.before, at=change.at, elect=False,
            definition=change.definition, run=change.run,
        )  # fmt: skip
        try:
            self._tell([plain], self._write([plain]))
        except Exception as again:
            if not self._is_of_one(again):
                raise
            log.warning("the run of job %d has no row in the history: %s", change.job_id, again)
            without = replace(plain, run=None)
            self._tell([without], self._write([without]))

    def _tell(self, changes: list[Change], answers: list[Applied]) -> None:
        if self._measures is not None:
            self._measures.record(changes, answers)
        for change, answer in zip(changes, answers, strict=True):
            if answer.refused and not answer.busy:
                about = self._about(change)
                if answer.refused == GONE and change.run is not None:
                    said = f": {short(change.to.exception_message)}" if isinstance(change.to, Failed) else ""
                    log.warning(
                        "job %d was deleted from the database while it ran; that it ended as %s is in its history at "
                        "most, and nobody is told%s", answer.job_id, change.to.name, said, extra=about,
                    )  # fmt: skip
                    continue
                log.info("outcome of job %d not written: %s", answer.job_id, answer.refused, extra=about)

    def _about(self, change: Change) -> dict[str, object]:
        claim, name = change.claim, change.definition.name if change.definition is not None else ""
        if claim is None:
            return {}
        return logs.about(claim.job_id, attempt_of(claim), claim.queue, self.server_id, name)

    def _change(self, outcome: Outcome) -> Change:
        running = self.running.get(outcome.claim.queue_id)
        before: tuple[tuple[Processing, datetime], ...] = ()
        lines, share = outcome.log_lines, outcome.progress
        if running is not None:
            lines, share = joined(running.lines, lines), running.share if share is None else share
        if running is not None and not running.recorded:
            before = ((self._processing(running.worker_id), outcome.started_at),)
            share = None  # nobody could have seen it move
        return Change(
            outcome.claim.job_id, outcome.state, STARTABLE, outcome.claim, before=before, at=outcome.ended_at,
            definition=outcome.definition, error=outcome.error, run=outcome.run, log_lines=lines,
            parameters={} if share is None else {PROGRESS: f"{share:.4f}"},
        )  # fmt: skip

    def _processing(self, worker_id: str) -> Processing:
        """The state of what runs in one of our threads."""
        found = self._states.get(worker_id)
        if found is None:
            found = self._states[worker_id] = Processing(server_id=self.server_id, worker_id=worker_id)
        return found

    def record_processing(self, *, at_once: Running | None = None) -> None:
        """Write Processing for jobs that still run after a moment."""
        now = time.monotonic()
        line = now - _RECORD_AFTER_SECONDS
        with self._flushing:
            done = {outcome.claim.queue_id for outcome in [*self._outcomes.copy(), *self._held_up]}
            late = [
                r for r in list(self.running.values())
                if not (r.recorded or r.fenced or r.claim.queue_id in done)
                and ((r.started < line and r.record_at <= now) or r is at_once)
            ]  # fmt: skip
            if late:
                self._record(late)

    def _record(self, late: list[Running]) -> None:
        changes = [
            Change(
                r.claim.job_id, self._processing(r.worker_id), STARTABLE, r.claim,
                keep_claim=True, at=r.started_at, definition=r.definition,
            )
            for r in late
        ]  # fmt: skip

        def work(tx: Tx) -> tuple[list[Applied], dict[int, tuple[str | None, int | None]]]:
            answers = self.transitions.apply(tx, changes, skip_locked=True)
            refused = [r for r, answer in zip(late, answers, strict=True) if not answer]
            written.update(r.claim.job_id for r in refused if self._is_written(tx, r))
            return answers, jobs.current_states(tx, [c.job_id for c in changes])

        written: set[int] = set()
        self._unsure = late
        answers, states = self.database.run(work)
        self._unsure = []
        for running, answer in zip(late, answers, strict=True):
            if answer or running.claim.job_id in written:
                running.claim.state, running.claim.state_id = states[running.claim.job_id]
                running.claim.begun = running.recorded = True
            elif answer.busy:
                running.record_at = time.monotonic() + _BUSY_SECONDS
            else:
                running.fenced = True
                running.context.cancellation.cancel(answer.refused or "the claim was given up")

    def _is_written(self, tx: Tx, running: Running) -> bool:
        """Whether the job is in our very Processing already: by the COMMIT of an earlier try, whose answer was lost."""
        record = jobs.read(tx, running.claim.job_id)
        facts = record.current.data if record is not None and record.current is not None else {}
        ours = self._processing(running.worker_id).data(running.started_at)
        return facts == ours and bool(queues.owned(tx, [running.claim]))

    def tell(self) -> None:
        """Write what running jobs have said since the last time."""
        with self._flushing:
            self._told = time.monotonic()
            self._teller.tell([r for r in list(self.running.values()) if r.recorded and not r.fenced])

    def close(self) -> None:
        """Write what is left. What the database does not take now is done again by those who get the claims."""
        try:
            while self.flush():
                pass
            self._closing = True  # those whose jobs are locked are waited for, after all others are written
            while self.flush():
                pass
        except StorageError as error:
            lost = len(self._outcomes) + len(self._held_up)
            log.error("%d outcomes are lost, their jobs will run again: %s", lost, error)
