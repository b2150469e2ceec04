"""Claims jobs into memory, for threads to perform. Memory and claims are bounded by what was measured."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from taskmanager.domain.records import Claim
from taskmanager.engine.performer import Performer
from taskmanager.server.completer import Completer
from taskmanager.server.held_claims import DOUBT_PAUSE, HeldClaims
from taskmanager.server.job_threads import JobThreads
from taskmanager.server.lifeline import Lifeline
from taskmanager.server.marks import Marks
from taskmanager.server.process import Process
from taskmanager.server.runners import Runners
from taskmanager.server.sweeper import SWEEPS, Sweeper
from taskmanager.storage import claiming, queues
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.worker")

#: How much work, in seconds at the measured rate, is claimed ahead.
_AHEAD_SECONDS = 0.15
#: The rate is measured over so long.
_MEASURE_SECONDS = 0.25
_MOST_AHEAD = 500
#: While so many outcomes wait to be written, no more jobs are claimed: they would all run again if this process died.
_MOST_UNWRITTEN = 1000
#: The pulse rings when something waits; this is for the case that it does not.
_REST_SECONDS = 15.0
#: Jobs a second above which a server takes its doorbell down.
_BUSY_RATE = 50
#: Threads that send messages and do nothing else: a mail server that hangs holds up no job.
MESSENGERS = 2
#: How often a process that has no thread free for jobs looks for messages.
_MESSAGES_SECONDS = 1.0


class Worker(Process):
    """The fetcher: `tick` claims as many as there is room for; `job_threads` perform, the completer writes back.

    messages: the queue of jobs that tell people something; it has threads of its own, the `messengers`.
    """

    name = "fetcher"

    def __init__(
        self, database: Database, performer: Performer, completer: Completer, runners: Runners, lifeline: Lifeline,
        *, guid: str, queue_names: tuple[str, ...], threads: int, prefetch: int | None = None,
        messages: str | None = None, max_deaths: int = 3, unknown_seconds: float = 300.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.database, self.performer = database, performer
        self.guid, self.queues, self._messages, self._prefetch = guid, queue_names, messages, prefetch
        self._numbers = itertools.count(1)
        self._sweeper = Sweeper(database)
        self._marks = Marks()
        self._inbox: SimpleQueue[Claim | None] = SimpleQueue()
        self._letters: SimpleQueue[Claim | None] = SimpleQueue()
        self._letters_at = 0.0
        self.claims = HeldClaims(database, performer, completer, guid=guid, unknown_seconds=unknown_seconds)
        self.job_threads, self.messengers = (
            JobThreads(
                performer, completer, runners, lifeline, inbox, count=count, first=first, max_deaths=max_deaths,
                unknown=self._lay_aside, stranded=self.claims.stranded.put,
            )
            for inbox, count, first in (
                (self._inbox, threads, 0), (self._letters, MESSENGERS if messages is not None else 0, threads),
            )
        )  # fmt: skip
        self._done = 0
        self._rate, self._rate_at, self._rate_done = 0.0, time.monotonic(), 0
        self._is_full = False
        #: Called when claims find fewer than there is room for, after some that did not.
        self.ran_dry: Callable[[], None] = lambda: None
        self.draining = False
        #: Asked by somebody to take no more jobs, until asked again.
        self.quiet = False

    @property
    def held(self) -> dict[int, Claim]:
        """The claims of this process, by the ids of their queue rows."""
        return self.claims.by_row

    def tick(self) -> float:
        """Claim as many as there is room for; 0 when there may be more."""
        self.claims.put_back()
        if self.quiet and not self.draining:
            self._give_back_inbox()
            return 1.0
        if self.draining:
            return 0.05
        room, found = self._room(), 0
        for queue in self.queues:
            if found >= room:
                break
            found += self._claim_past_held(queue, room - found)
        self._claim_messages(is_busy=found >= room)
        if room <= 0:
            return 0.05
        self._note_full(found >= room)
        if self._sweeper.has_met() or found >= room:
            return 0.0
        return DOUBT_PAUSE if self.claims.unanswered else self._marks.rest(_REST_SECONDS)

    def _note_full(self, is_full: bool) -> None:
        was_full, self._is_full = self._is_full, is_full
        if was_full and not is_full:
            self.ran_dry()

    def perform(self, claim: Claim) -> None:
        """Perform one claim in the calling thread."""
        self.job_threads.perform(claim)

    def _claim_messages(self, *, is_busy: bool) -> None:
        """However much there is to do, messages go out: their threads have nothing else to do."""
        free = self.messengers.idle - self._letters.qsize()
        if self._messages is None or free <= 0 or (is_busy and time.monotonic() < self._letters_at):
            return
        self._letters_at = time.monotonic() + _MESSAGES_SECONDS
        self._claim(self._messages, free, self._letters)

    def _claim_past_held(self, queue: str, room: int) -> int:
        """Claim, and where rows of paused jobs fill the place of others, put those aside that stand behind them."""
        found = self._claim(queue, room, self._inbox)
        for _ in range(SWEEPS):
            if found >= room or not self._sweeper.is_amid:
                break
            self._marks.begin_at(queue, self._sweeper.sweep(queue, self.claims.skips(), self._marks.of(queue)[0]))
            found += self._claim(queue, room - found, self._inbox)
        return found

    def _claim(self, queue: str, limit: int, inbox: SimpleQueue[Claim | None]) -> int:
        token = queues.token_of(self.guid, next(self._numbers))
        skip, (mark, front) = self.claims.skips(), self._marks.of(queue)

        def work(tx: Tx) -> claiming.Taken:
            self.claims.unanswered += 1
            return claiming.take_next(tx, queue, limit, token, skip=skip, after=mark, front=front)

        taken = self.database.run(work, patience=5)
        self.claims.unanswered -= 1
        self._marks.claimed(queue, taken)
        self._sweeper.met(taken)
        self.claims.keep(taken.claims)
        for claim in taken.claims:
            inbox.put(claim)
        return len(taken.claims)

    def _room(self) -> int:
        """Free places; none while enough is in memory, so that claims come in batches."""
        self._measure(time.monotonic())
        ahead = self._ahead
        waiting = self._inbox.qsize()
        idle = self.job_threads.idle
        if waiting > ahead // 2 and waiting >= idle:
            return 0
        return min(idle + ahead - waiting, self.job_threads.count + ahead + _MOST_UNWRITTEN - len(self.held))

    def _measure(self, now: float) -> None:
        """How many jobs a second end here; four times a second, and sooner where far more do than was thought.

        Then what is claimed ahead doubles at most: a worker that wakes to many short jobs is at its pace in some
        hundredths of a second, and one that has met a few short ones does not take hundreds of long ones.
        """
        taken, done = now - self._rate_at, self._done - self._rate_done
        known = max(self.job_threads.count, self._ahead)
        if taken > _MEASURE_SECONDS:
            self._rate = done / taken
        elif done >= 2 * known and known < _MOST_AHEAD:
            self._rate = min(done / max(taken, 0.001), 2 * known / _AHEAD_SECONDS)
        else:
            return
        self._rate_at, self._rate_done = now, self._done

    @property
    def _ahead(self) -> int:
        """How many jobs are claimed beyond those that threads are free for."""
        return self._prefetch if self._prefetch is not None else min(_MOST_AHEAD, int(self._rate * _AHEAD_SECONDS))

    @property
    def is_busy(self) -> bool:
        """Whether jobs come so fast that ringing for each would be a waste."""
        return self._rate > _BUSY_RATE and time.monotonic() - self._rate_at < 1.0

    @property
    def is_streaming(self) -> bool:
        """Whether jobs come fast, and each claim has found as many as there was room for: nobody need look for more."""
        return self._is_full and self.is_busy and not self.quiet

    def finished(self, claims: list[Claim]) -> None:
        """Claims whose outcome is written."""
        self.claims.forget(claims)
        self._done += len(claims)
        if self._inbox.qsize() <= self._rate * _AHEAD_SECONDS / 2 or self.job_threads.idle:
            self.alarm.set()

    def _lay_aside(self, claim: Claim) -> None:
        self.claims.unknown.put(claim)
        self.alarm.set()

    def start_threads(self) -> None:
        """Start the threads that perform."""
        self.job_threads.start()
        self.messengers.start()

    def stop_threads(self, deadline: float, hurry: threading.Event | None = None) -> bool:
        """Let them end after their jobs; whether all did before the deadline (monotonic seconds), or `hurry`."""
        return all([threads.stop(deadline, hurry) for threads in (self.job_threads, self.messengers)])

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
        for inbox in (self._inbox, self._letters):
            with suppress(Empty):
                while True:
                    claim = inbox.get_nowait()
                    if claim is not None:
                        waiting.append(claim)
        self.claims.give_back_waiting(waiting)
        return len(waiting)
