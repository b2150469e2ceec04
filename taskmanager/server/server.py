"""One server: an identity, its processes, and the written order in which they stop."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
import uuid
from collections.abc import Callable
from typing import Protocol

from taskmanager.config import Settings, describe
from taskmanager.domain.errors import StorageError
from taskmanager.domain.times import to_iso, to_unix, utcnow
from taskmanager.domain.version import VERSION
from taskmanager.engine.performer import Performer
from taskmanager.engine.recurring import RecurringJobs
from taskmanager.engine.transitions import Transitions
from taskmanager.server.company import Company
from taskmanager.server.completer import Completer
from taskmanager.server.failure_keeper import FailureKeeper
from taskmanager.server.hold_keeper import HoldKeeper
from taskmanager.server.lifeline import Lifeline, folder_of
from taskmanager.server.local_bell import LocalBell
from taskmanager.server.measuring import Measurer, Measures, Sampler
from taskmanager.server.process import Loop, Process
from taskmanager.server.pulse import BellLoop, Pulse
from taskmanager.server.recollection import Recollection
from taskmanager.server.runners import Runners
from taskmanager.server.schedulers import DelayedScheduler, RecurringScheduler
from taskmanager.server.upkeep import Cancellation, CounterRoller, Expirer, Heartbeat, StackTeller, Watchdog
from taskmanager.server.vitals import Vitals
from taskmanager.server.worker import MESSENGERS, Worker
from taskmanager.storage import server_facts, servers
from taskmanager.storage.database import Database
from taskmanager.storage.doorbell import Doorbell
from taskmanager.storage.file_bell import FileBell
from taskmanager.storage.glance import Watcher
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.server")

#: What the database has not taken so long after the grace time is left to those who get the claims.
_LAST_SECONDS = 2.0
#: What tidies up begins one after the other, so that a server that starts needs few connections at once.
_APART_SECONDS = 0.05


class Parts(Protocol):
    """What a server is made of; the composition root hands it over."""

    settings: Settings
    database: Database
    transitions: Transitions
    recurring_jobs: RecurringJobs
    extra_processes: list[Callable[[Company], Process]]

    def performer(self, server_id: str) -> Performer:
        """A performer that signs with this server's id."""
        ...


class Server:
    """A worker process's inside. `start`, then `stop`; a server that was given up is replaced by a new one."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        settings, database = parts.settings, parts.database
        self.guid = guid = uuid.uuid4().hex
        self.id = f"{settings.server_name}:{os.getpid()}:{guid}"
        self.given_up = threading.Event()
        #: Somebody asked it to stop after its jobs; and it has.
        self.told_to_stop, self.retired = threading.Event(), threading.Event()
        self._stops, self._is_stopped, self._stopping_lock = threading.Event(), False, threading.Lock()
        self.line = Lifeline(self.id, settings.threads + MESSENGERS, folder_of(database.identity))
        self.runners = Runners(settings.variables())
        self.measures = Measures() if settings.metrics else None
        self.completer = Completer(database, parts.transitions, self.id, self._finished, self.measures)
        self.worker = Worker(
            database, parts.performer(self.id), self.completer, self.runners, self.line,
            guid=guid, queue_names=settings.queues, threads=settings.threads, prefetch=settings.prefetch,
            messages=next((queue for queue in settings.worked_queues if queue not in settings.queues), None),
            max_deaths=settings.max_process_deaths, unknown_seconds=settings.unknown_job_seconds,
        )  # fmt: skip
        self.bell = _bell(database, guid) if settings.doorbell else None
        self.nearby = LocalBell(self.line.path.parent, guid) if isinstance(self.bell, Doorbell) else None
        self.stack_teller = StackTeller(database, self.completer)
        wakes: dict[str, Process] = {"waiting": self.worker, "stacks": self.stack_teller}
        self.schedulers: list[Process] = []
        if settings.scheduler:
            wakes["scheduled"] = DelayedScheduler(database, parts.transitions)
            wakes["recurring"] = RecurringScheduler(parts.recurring_jobs)
            self.schedulers = [wakes["scheduled"], wakes["recurring"]]
        self._looks_at_rows = settings.legacy and settings.scheduler
        self.company = Company(self.id, settings.worked_queues, scheduler=settings.scheduler, rows=self._looks_at_rows)
        self.pulse = Pulse(
            database, Watcher(database, settings.worked_queues, self.id), wakes, self.bell,
            nearby=self.nearby, is_busy=lambda: self.worker.is_busy or self.worker.quiet,
            is_streaming=lambda: self.worker.is_streaming,
            idle_seconds=settings.poll_interval_seconds, busy_seconds=settings.poll_interval_busy_seconds,
            on_quiet=self.worker.be_quiet, on_stop=self._retire_soon, stretch=lambda: self.company.stretch,
        )  # fmt: skip
        self.worker.ran_dry = self.pulse.alarm.set
        self._loops: list[Loop] = []
        self._bell_loops: list[BellLoop] = []
        self.jobs_done = 0
        self._started = ""
        self._vitals = Vitals()
        self._recollection = Recollection(settings.web_redact)

    def start(self) -> None:
        """Announce the server and start everything."""
        database = self.parts.database
        self._started = to_iso(database.clock.now())
        database.run(self._announce)
        logging.getLogger().addHandler(self._recollection)
        kept = self.parts.settings
        upkeep: list[Process] = [
            Heartbeat(
                database,
                self.id,
                self.line,
                self.given_up.set,
                seconds=kept.heartbeat_seconds,
                tell=self._data,
                more=self._recollect,
            ),
            Watchdog(database, self.id, dead_after=kept.dead_after_seconds, heard=self.company.heard),
            Cancellation(database, self.completer),
            Expirer(database, self.parts.transitions, kept.audit_retention_seconds, kept.history_retention_seconds),
            CounterRoller(database),
            FailureKeeper(database),
            HoldKeeper(database),
            self.stack_teller,
        ]
        if self.measures is not None:
            upkeep += [Measurer(database, self.measures), Sampler(database)]
        extra = [make(self.company) for make in self.parts.extra_processes]
        processes = [self.completer, self.worker, *self.schedulers, *extra, self.pulse]
        self.worker.start_threads()
        self._loops = [Loop(process) for process in processes]
        self._loops += [Loop(process, after=number * _APART_SECONDS) for number, process in enumerate(upkeep)]
        for loop in self._loops:
            loop.start()
        rung = self.pulse.touch if database.is_embedded else self.pulse.ring
        bells = (self.bell, self.nearby)
        self._bell_loops = [BellLoop(bell, rung) for bell in bells if bell is not None and bell.works]
        for sleeper in self._bell_loops:
            sleeper.start()
        log.info("server %s works on %s with %d threads", self.id, ", ".join(kept.worked_queues), kept.threads)

    def drain(self, stop: threading.Event) -> None:
        """Take no more jobs, and wait until those at hand have ended, however long they take, or `stop` is set."""
        self.line.drain()
        self._end_jobs(stop)

    def _end_jobs(self, stop: threading.Event) -> None:
        self._in_order(self.worker.give_back_waiting)
        while self.worker.held and not self.given_up.is_set():
            if stop.wait(0.1):
                return

    def _retire_soon(self) -> None:
        """Asked to stop by somebody: end the jobs at hand in a thread of its own, then stop."""
        if not self.told_to_stop.is_set():
            self.told_to_stop.set()
            threading.Thread(target=self._retire, name="taskmanager-retire", daemon=True).start()

    def _retire(self) -> None:
        log.info("server %s is asked to stop when its jobs have ended", self.id)
        try:
            self._end_jobs(self._stops)
            if not self._stops.is_set():  # else who stops it has begun
                self.stop()
        except Exception:  # it takes no jobs any more: whatever is left ends with the process
            log.exception("server %s could not stop in order", self.id)
        finally:
            self.retired.set()

    def stop(self, grace: float | None = None, *, hurry: threading.Event | None = None) -> None:
        """Stop in order: no new claims; give back what was not begun; let jobs end within the grace time, then
        cancel them; write outcomes; give back what still runs; leave. It also ends when the database is down.

        Called again it does nothing. grace: seconds. hurry: set, the grace time is over.
        """
        self._stops.set()
        with self._stopping_lock:
            if not self._is_stopped:
                self._is_stopped = True
                self._stop_within(grace, hurry)

    def _stop_within(self, grace: float | None, hurry: threading.Event | None) -> None:
        database = self.parts.database
        deadline = time.monotonic() + (self.parts.settings.grace_seconds if grace is None else grace)
        database.patience_ends = deadline + _LAST_SECONDS
        try:
            self._stop(deadline, hurry)
        finally:
            database.patience_ends = math.inf

    def _stop(self, deadline: float, hurry: threading.Event | None) -> None:
        for loop in self._loops:
            if isinstance(loop.process, (Worker, Pulse)) or loop.process in self.schedulers:
                loop.stop()
        for sleeper in self._bell_loops:
            sleeper.stop()
        self._join([loop for loop in self._loops if isinstance(loop.process, (Worker, Pulse))])
        given_back = self._in_order(self.worker.give_back_waiting)
        if not self.worker.stop_threads(deadline, hurry):
            self.parts.database.patience_ends = time.monotonic() + _LAST_SECONDS
            for running in list(self.completer.running.values()):
                running.context.cancellation.cancel("the server stops", stopping=True)
            self.worker.stop_threads(time.monotonic() + 1.0)
        self.completer.close()
        if self.worker.held:
            given_back += self._in_order(self.worker.claims.give_back_running)
        self._leave()
        log.info("server %s stopped; %d claims given back", self.id, given_back)

    def _join(self, loops: list[Loop]) -> None:
        deadline = time.monotonic() + _LAST_SECONDS
        for loop in loops:
            loop.join(max(0.0, deadline - time.monotonic()))

    def _in_order(self, give_back: Callable[[], int]) -> int:
        """Give claims back; while the database is down they are left to those who bury this server."""
        try:
            return give_back()
        except StorageError as error:
            log.error("claims cannot be given back now: %s", error)
            return 0

    def resident_bytes(self) -> int:
        """Memory this process holds."""
        return self._vitals.resident_bytes()

    def _leave(self) -> None:
        # What is still held was not taken back a moment ago: then the database is not there.
        self.parts.database.patience_ends = 0.0 if self.worker.held else time.monotonic() + _LAST_SECONDS / 2
        for loop in self._loops:
            loop.stop()
        self._join(self._loops)
        logging.getLogger().removeHandler(self._recollection)
        self.runners.close()
        try:
            self.parts.database.run(lambda tx: servers.remove(tx, self.id), patience=_LAST_SECONDS)
        except StorageError as error:
            log.error("server %s cannot sign off, and is left to be buried: %s", self.id, error)
            self.line.let_go()
        else:
            self.line.close()

    def _finished(self, claims: list) -> None:  # type: ignore[type-arg]
        self.jobs_done += len(claims)
        self.worker.finished(claims)

    def _announce(self, tx: Tx) -> None:
        servers.announce(tx, self.id, self._data())
        settings = self.parts.settings
        servers.note_version(tx, settings.app_version or f"taskmanager {VERSION}")
        told = {name: [value[:500], origin] for name, value, origin, _ in describe(settings) if name != "database_url"}
        server_facts.tell(tx, self.id, {"Settings": told})

    def _recollect(self) -> dict[str, object]:
        """Once a minute what the last hour was like, and new warnings."""
        now, told = to_unix(self.parts.database.clock.now()), self._told
        return self._recollection.sample(
            int(now), cpu=told["cpu"], memory=told["memory"], busy=len(self.completer.running)
        )

    def _data(self) -> dict[str, object]:
        settings = self.parts.settings
        self._told = self._vitals.told()
        ahead = (utcnow() - self.parts.database.clock.now()).total_seconds()
        return {
            "WorkerCount": settings.threads,
            "Queues": list(settings.worked_queues),
            "StartedAt": self._started,
            "taskmanager": {
                "pid": os.getpid(), "scheduler": settings.scheduler, "rows": self._looks_at_rows,
                "version": VERSION, "done": self.jobs_done,
                "ahead": round(ahead, 1), "busy": len(self.completer.running), **self._told,
            },
        }  # fmt: skip


def _bell(database: Database, guid: str) -> Doorbell | FileBell | None:
    """What wakes this server; None where nothing can."""
    bell = FileBell(database) if database.is_embedded else Doorbell(database, guid)
    return bell if bell.works else None
