"""Claims jobs into memory and hands them to threads. Memory and claims are bounded by what was measured."""

from __future__ import annotations

import itertools
import logging
import threading
import time
import uuid
from contextlib import suppress
from queue import Empty, SimpleQueue

from taskmanager import logs
from taskmanager.domain import invocation as invocations
from taskmanager.domain.errors import ClaimsExhausted
from taskmanager.domain.records import Claim
from taskmanager.domain.states import ALL_NAMES, STARTABLE, Enqueued
from taskmanager.domain.texts import whole
from taskmanager.domain.times import to_unix
from taskmanager.engine import forks
from taskmanager.engine.context import attempt_of
from taskmanager.engine.performer import Outcome, Performer, UnknownJobType
from taskmanager.engine.registry import JobDefinition
from taskmanager.engine.targcc_rules import timeout_of
from taskmanager.engine.transitions import Change
from taskmanager.server import streams
from taskmanager.server.completer import Completer
from taskmanager.server.lifeline import Lifeline
from taskmanager.server.process import Process
from taskmanager.server.runners import Runners
from taskmanager.server.telling import Running
from taskmanager.storage import jobs, queues
from taskmanager.storage.database import Database
from taskmanager.storage.servers import DEATHS
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.worker")

#: How much work, in seconds at the measured rate, is claimed ahead.
_AHEAD_SECONDS = 0.15
_MOST_AHEAD = 500
#: While so many outcomes wait to be written, no more jobs are claimed: they would all run again if this process died.
_MOST_UNWRITTEN = 1000
#: The pulse rings when something waits; this is for the case that it does not.
_REST_SECONDS = 15.0
#: Jobs a second above which a server takes its doorbell down.
_BUSY_RATE = 50
#: How long a claim starts where the one before ended: rows that came back lie before it, and are found after that.
_MARK_SECONDS = 5.0
#: A COMMIT whose answer was lost may be carried out late; so rows of such claims are looked for again for a while.
_DOUBT_SECONDS = 15.0
_DOUBT_PAUSE = 0.5
UNKNOWN_SINCE = "UnknownSince"


class Worker(Process):
    """The fetcher and its hands. `tick` claims; threads perform; the completer writes back."""

    name = "fetcher"

    def __init__(
        self, database: Database, performer: Performer, completer: Completer, runners: Runners, lifeline: Lifeline,
        *, guid: str, queue_names: tuple[str, ...], threads: int, prefetch: int | None = None,
        max_deaths: int = 3, unknown_seconds: float = 300.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.database, self.performer, self.completer = database, performer, completer
        self.runners, self.lifeline = runners, lifeline
        self.guid, self.queues, self.threads = guid, queue_names, threads
        self._prefetch, self._max_deaths, self._unknown_seconds = prefetch, max_deaths, unknown_seconds
        self._numbers = itertools.count(1)
        self._inbox: SimpleQueue[Claim | None] = SimpleQueue()
        self.held: dict[int, Claim] = {}
        self._skip: dict[int, float] = {}
        self._marks: dict[str, tuple[queues.Mark, float]] = {}
        self._unknown: SimpleQueue[Claim] = SimpleQueue()
        self._stranded: SimpleQueue[Claim] = SimpleQueue()
        self._runner = forks.safely(runners)
        #: Which threads have a job in hand: a byte for each, so that none writes where another does.
        self._at_work = bytearray(threads)
        self._done = 0
        self._rate, self._rate_at, self._rate_done = 0.0, time.monotonic(), 0
        #: Tries to claim of which nobody knows how they ended.
        self._unanswered = 0
        self._doubt_until, self._strays_at = 0.0, 0.0
        self._pool: list[threading.Thread] = []
        self.draining = False
        #: Asked by somebody to take no more jobs, until asked again.
        self.quiet = False

    # -- claiming ---------------------------------------------------------------------------------------------

    def tick(self) -> float:
        """Claim as many as there is room for; 0 when there may be more."""
        self._put_back_unknown()
        self._give_back_stranded()
        if self._unanswered:
            self._give_back_strays()
        if self.quiet and not self.draining:
            self._give_back_inbox()
            return 1.0
        room = self._room()
        if self.draining or room <= 0:
            return 0.05
        found = 0
        for queue in self.queues:
            found += self._claim(queue, room - found)
            if found >= room:
                break
        return 0.0 if found >= room else _DOUBT_PAUSE if self._unanswered else _REST_SECONDS

    def _claim(self, queue: str, limit: int) -> int:
        token = queues.token_of(self.guid, next(self._numbers))
        skip, mark = self._skipped(), self._mark(queue)

        def work(tx: Tx) -> list[Claim]:
            self._unanswered += 1
            return queues.claim(tx, queue, limit, token, skip=skip, after=mark)

        claims = self.database.run(work, patience=5)
        self._unanswered -= 1
        self._remember(queue, claims[-1] if len(claims) >= limit else None)
        for held in claims:
            self.held[held.queue_id] = held
            self._inbox.put(held)
        return len(claims)

    def _mark(self, queue: str) -> queues.Mark | None:
        mark, until = self._marks.get(queue, (None, 0.0))
        return mark if time.monotonic() < until else None

    def _remember(self, queue: str, last: Claim | None) -> None:
        """Where the next claim of this queue starts; at the beginning when this one found less than it asked for."""
        if last is None:
            self._marks.pop(queue, None)
            return
        _, until = self._marks.get(queue, (None, 0.0))
        now = time.monotonic()
        self._marks[queue] = (queues.Mark(last.priority, last.queue_id), until if until > now else now + _MARK_SECONDS)

    def _room(self) -> int:
        """Free places; none while enough is in memory, so that claims come in batches."""
        now = time.monotonic()
        if now - self._rate_at > 0.25:
            self._rate = (self._done - self._rate_done) / (now - self._rate_at)
            self._rate_at, self._rate_done = now, self._done
        ahead = self._prefetch if self._prefetch is not None else min(_MOST_AHEAD, int(self._rate * _AHEAD_SECONDS))
        waiting = self._inbox.qsize()
        idle = self.threads - sum(self._at_work)
        if waiting > ahead // 2 and waiting >= idle:
            return 0
        return min(idle + ahead - waiting, self.threads + ahead + _MOST_UNWRITTEN - len(self.held))

    @property
    def is_busy(self) -> bool:
        """Whether jobs come so fast that ringing for each would be a waste."""
        return self._rate > _BUSY_RATE and time.monotonic() - self._rate_at < 1.0

    def finished(self, claims: list[Claim]) -> None:
        """Claims whose outcome is written."""
        for held in claims:
            self.held.pop(held.queue_id, None)
        self._done += len(claims)
        if self._inbox.qsize() <= self._rate * _AHEAD_SECONDS / 2 or sum(self._at_work) < self.threads:
            self.alarm.set()

    def _give_back_strays(self) -> None:
        """Rows that carry our tokens but that we do not hold: the COMMIT of a claim whose answer was lost."""
        now = time.monotonic()
        if now < self._strays_at:
            return

        def work(tx: Tx) -> int:
            strays = [queue_id for queue_id, _, _ in queues.held(tx, self.guid) if queue_id not in self.held]
            if strays:
                rows = [Claim(i, 0, "", token) for i, _, token in queues.held(tx, self.guid) if i in strays]
                return queues.release(tx, rows)
            return 0

        given_back = self.database.run(work, patience=5)
        if given_back:
            log.warning("gave %d claims back whose COMMIT had been in doubt", given_back)
        self._strays_at = now + _DOUBT_PAUSE
        self._doubt_until = self._doubt_until or now + _DOUBT_SECONDS
        if now >= self._doubt_until:
            self._unanswered, self._doubt_until = 0, 0.0

    # -- performing -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads."""
        for slot in range(self.threads):
            thread = threading.Thread(target=self._work, args=(slot,), name=f"taskmanager-job-{slot}", daemon=True)
            self._pool.append(thread)
            thread.start()

    def _work(self, slot: int) -> None:
        worker_id = str(uuid.uuid4())
        while True:
            claim = self._inbox.get()
            if claim is None:
                return
            self._at_work[slot] = 1
            try:
                self.perform(claim, slot, worker_id)
            except BaseException:  # a thread that ended would be missed by all later jobs
                log.exception(
                    "job %d could not be performed; its claim is given back", claim.job_id, extra=self._about(claim)
                )
                self.completer.running.pop(claim.queue_id, None)
                self._stranded.put(claim)
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
            self._unknown.put(claim)
            self.alarm.set()
            return
        except Exception as error:  # InvocationUnreadable, or a function that cannot be made a job
            self.completer.add(self._failed(claim, error))
            return
        self._run(claim, definition, stored, slot, worker_id)

    def work_off(self) -> int:
        """Perform what has been claimed, in this thread; how many."""
        done = 0
        while not self._inbox.empty():
            claim = self._inbox.get()
            if claim is not None:
                self.perform(claim)
                done += 1
        return done

    def _run(self, claim: Claim, definition: JobDefinition, stored: object, slot: int, worker_id: str) -> None:
        context = self.performer.context_of(claim, definition.name)
        running = Running(
            claim, context, worker_id, self.performer.now(), time.monotonic(),
            timeout_of(claim.parameters, definition.timeout),
        )  # fmt: skip
        self.completer.begin(running)
        if DEATHS in claim.parameters:
            self.completer.record_processing(at_once=running)
        self.lifeline.start(slot, claim.job_id)
        try:
            with logs.job_context((claim.job_id, context.attempt, claim.queue, self.performer.server, definition.name)):
                outcome = self.performer.perform(claim, definition, stored, context, self._runner)  # type: ignore[arg-type]
        except Exception as error:  # what the job left behind could not be made an outcome
            log.exception("the end of job %d could not be understood", claim.job_id, extra=self._about(claim))
            outcome = self._failed(claim, error)
        finally:
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
            return self._failed(claim, error, known=True)
        if claim.state not in STARTABLE or claim.created_at is None:
            level = logging.INFO if claim.state in ALL_NAMES else logging.WARNING
            gone = "gone" if claim.created_at is None else claim.state
            log.log(level, "job %d is %s: its queue row is dropped", claim.job_id, gone, extra=self._about(claim))
            return self._failed(claim, LookupError(f"the job is {gone}: its queue row is dropped"))
        return None

    def _failed(self, claim: Claim, error: BaseException, *, known: bool = False) -> Outcome:
        now = self.performer.now()
        return Outcome(claim, self.performer.failure(error), now, now, None, error)

    def _about(self, claim: Claim) -> dict[str, object]:
        return logs.about(claim.job_id, attempt_of(claim), claim.queue, self.performer.server)

    # -- jobs this server does not know -----------------------------------------------------------------------

    def _put_back_unknown(self) -> None:
        """Give rows of unknown types back for servers that know them; after a while one of us fails them."""
        while not self._unknown.empty():
            claim = self._unknown.get()
            now = to_unix(self.performer.now())
            since = _since(claim, now)
            waited = now - since
            if waited >= self._unknown_seconds:
                name = invocations.read(claim.invocation_data, claim.arguments).name
                message = (
                    f"no server has known this job's type for {waited:.0f} s; register it, or delete the job: {name}"
                )
                self.completer.add(self._failed(claim, UnknownJobType(message)))
                continue
            try:
                self._put_back(claim, since)
            except Exception:
                self._unknown.put(claim)
                raise
            self._skip[claim.queue_id] = time.monotonic() + max(0.5, min(15.0, self._unknown_seconds - waited))

    def _put_back(self, claim: Claim, since: float) -> None:
        log.warning(
            "job %d is of a type this server does not know; left for others: %s",
            claim.job_id,
            claim.invocation_data[:120],
            extra=self._about(claim),
        )

        def work(tx: Tx) -> None:
            if claim.parameters.get(UNKNOWN_SINCE) != f"{since:.0f}":
                jobs.set_parameters(tx, {(claim.job_id, UNKNOWN_SINCE): f"{since:.0f}"})
            queues.release(tx, [claim])

        self.database.run(work)
        self.held.pop(claim.queue_id, None)

    def _give_back_stranded(self) -> None:
        """Give back what a thread could not perform, and leave it to others for a while."""
        while not self._stranded.empty():
            claim = self._stranded.get()
            try:
                self._release([claim])
            except Exception:
                self._stranded.put(claim)
                raise
            self._skip[claim.queue_id] = time.monotonic() + 5.0

    def _skipped(self) -> list[int]:
        if not self._skip:
            return []
        now = time.monotonic()
        self._skip = {queue_id: until for queue_id, until in self._skip.items() if until > now}
        return list(self._skip)

    # -- stopping ---------------------------------------------------------------------------------------------

    def be_quiet(self, quiet: bool) -> None:
        """Take no more jobs, and give back what no thread has begun; or take them again."""
        if quiet != self.quiet:
            log.info("asked to take %s", "no more jobs" if quiet else "jobs again")
            self.quiet = quiet
            self.alarm.set()

    def give_back_waiting(self) -> int:
        """Stop claiming, and give back what no thread has begun."""
        self.draining = True
        return self._give_back_inbox()

    def _give_back_inbox(self) -> int:
        waiting: list[Claim] = []
        with suppress(Empty):
            while True:
                claim = self._inbox.get_nowait()
                if claim is not None:
                    waiting.append(claim)
        try:
            self._release(waiting, patience=1)
        except Exception:
            for claim in waiting:
                self._stranded.put(claim)
            raise
        return len(waiting)

    def stop_threads(self, deadline: float, hurry: threading.Event | None = None) -> bool:
        """Let the threads end after their jobs; whether all did before the deadline (monotonic seconds), or `hurry`."""
        for _ in self._pool:
            self._inbox.put(None)
        for thread in self._pool:
            while thread.is_alive() and time.monotonic() < deadline and not (hurry is not None and hurry.is_set()):
                thread.join(min(0.1, max(0.0, deadline - time.monotonic())))
        return not any(thread.is_alive() for thread in self._pool)

    def give_back_running(self) -> int:
        """Give back jobs that did not end in time; they will run again elsewhere.

        One that must not be repeated goes back just so, with the mark it wrote: who claims it fails it.
        """
        left = list(self.held.values())
        repeatable = [r for r in self.completer.running.values() if r.recorded and r.context.is_repeatable]
        recorded = [r.claim for r in repeatable if r.claim.queue_id in self.held]
        changes = [
            Change(
                c.job_id, Enqueued(queue="", reason="The server stopped before the job ended"),
                STARTABLE, c, elect=False,
            )
            for c in recorded
        ]  # fmt: skip
        if changes:
            self.database.run(lambda tx: self.completer.transitions.apply(tx, changes), patience=5)
        self._release([c for c in left if c not in recorded])
        return len(left)

    def _release(self, claims: list[Claim], *, patience: float = 5) -> None:
        if claims:
            self.database.run(lambda tx: queues.release(tx, claims), patience=patience)
            for claim in claims:
                self.held.pop(claim.queue_id, None)


def _since(claim: Claim, now: float) -> float:
    """Since when nobody knows a job's type, in unix seconds: from now on when that is unreadable, or yet to come."""
    since = whole(claim.parameters.get(UNKNOWN_SINCE))
    return now if since is None or since > now + 1 else float(since)
