"""The pulse of a worker process: one cheap look at a time at the database, closer together while there is work.

It wakes whoever has something to do, at the moment it is due. Under it, a doorbell wakes the pulse.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping

from taskmanager.domain.times import to_unix
from taskmanager.server.local_bell import LocalBell
from taskmanager.server.process import Process
from taskmanager.storage.database import Database
from taskmanager.storage.doorbell import Doorbell
from taskmanager.storage.file_bell import FileBell
from taskmanager.storage.glance import Glance, Watcher

log = logging.getLogger("taskmanager.pulse")

#: For so long after work was found the pulse stays quick: work comes in groups.
_LIVELY_SECONDS = 1.0
#: SQLite says for the price of a read of shared memory whether anybody wrote: asked so often, and less often where
#: writes are told. What is told is seen a moment later: at first in so long, then in twice as long, and so on.
_EMBEDDED_SECONDS, _EMBEDDED_TOLD_SECONDS, _SOON_SECONDS = 0.02, 0.2, 0.001
#: Writes seen in a row of which nothing was told, after which one does not rely on it.
_MOST_UNTOLD = 3
#: The fetcher is woken by the ring itself; the look that tells what else there is does not stand in its way.
_AFTER_RING_SECONDS = 0.01
#: After a ring its thread lets go of Python's lock, so that who was woken begins before it lies down again. A ring that
#: comes meanwhile is lost: the look that follows a ring finds what it was for.
_LET_GO_SECONDS = 0.0005
#: Looks of a process whose claims find as many jobs as it can take: what it learns is what else is due.
_STREAMING_SECONDS = 0.25
#: A look that takes longer walks over what the server cannot purge, while somebody holds an old snapshot: looks are at
#: least so many times as far apart as one takes beyond that.
_DEAR_SECONDS, _DEAR_TIMES = 0.02, 4
#: Looks of an idle process that something else wakes are a safety net, for jobs written by SQL and rings that were
#: lost: they are at least so far apart.
_WOKEN_SECONDS = 0.5


class Pulse(Process):
    """Looks, and rings the alarms of the fetcher and the schedulers.

    idle_seconds, busy_seconds: between two looks. is_streaming: whether claims find all that can be done, so that no
    look for jobs is needed; at its end somebody sets the alarm. stretch: by how much looks of an idle process may be
    farther apart, where other servers look, too.
    """

    name = "pulse"

    def __init__(
        self, database: Database, watcher: Watcher, wakes: Mapping[str, Process],
        bell: Doorbell | FileBell | None,
        *, nearby: LocalBell | None = None, is_busy: Callable[[], bool], idle_seconds: float, busy_seconds: float,
        is_streaming: Callable[[], bool] = lambda: False,
        on_quiet: Callable[[bool], None] = lambda quiet: None, on_stop: Callable[[], None] = lambda: None,
        stretch: Callable[[], float] = lambda: 1.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.database, self.watcher, self.wakes, self.bell = database, watcher, wakes, bell
        self._bells = [one for one in (nearby, bell) if one is not None]
        self._idle, self._busy = idle_seconds, busy_seconds
        self._is_streaming, self._streams_until = is_streaming, 0.0
        self._is_busy, self._on_quiet, self._on_stop, self._stretch = is_busy, on_quiet, on_stop, stretch
        self._lively_until = time.monotonic()
        #: The doorbell rang since the last tick; and the look was put off for it, once.
        self._is_rung = self._is_put_off = False
        self._version = -1
        self._look_at = 0.0
        self._is_touched, self._soon, self._untold = False, _EMBEDDED_TOLD_SECONDS, 0

    def tick(self) -> float:
        if self._is_streaming() and (left := self._streams_until - time.monotonic()) > 0:
            self._is_rung = False
            return left
        if self._is_rung:
            self._is_rung = False
            if not self._is_put_off:
                self._is_put_off = True
                return _AFTER_RING_SECONDS
        self._is_put_off = False
        if self.database.is_embedded and not self._changed():
            return self._rest_embedded()
        started = time.monotonic()
        glance = self.watcher.look()
        took = time.monotonic() - started
        self._on_quiet(glance.quiet)
        if glance.stopping:
            self._on_stop()
        found = self._wake(glance)
        if found:
            self._lively_until = time.monotonic() + _LIVELY_SECONDS
        lively = time.monotonic() < self._lively_until
        self._sleep(not self._is_busy())
        due = max(0.001, self._until_due(glance))
        rest = min(self._busy if lively else self._rest_idle(glance), due)
        rest = max(rest, _DEAR_TIMES * (took - _DEAR_SECONDS))
        self._look_at = time.monotonic() + rest
        if self._is_streaming():
            self._streams_until = time.monotonic() + min(_STREAMING_SECONDS, due)
            return min(_STREAMING_SECONDS, due)
        return self._rest_embedded() if self.database.is_embedded else rest

    def ring(self) -> None:
        """Somebody in this process enqueued, or the doorbell rang."""
        self._lively_until = time.monotonic() + _LIVELY_SECONDS
        self._look_at = 0.0
        if "waiting" in self.wakes:
            self.wakes["waiting"].alarm.set()
            self._is_rung = True
        self.alarm.set()

    def touch(self) -> None:
        """Somebody writes to SQLite's file: what it is can be seen in a moment."""
        if not self._is_busy():
            self._is_touched = True
            self.alarm.set()

    def _changed(self) -> bool:
        version, before = self.watcher.version(), self._version
        changed, self._version = version != before, version
        if self._is_touched:
            self._is_touched, self._soon, self._untold = False, _SOON_SECONDS, 0
        elif changed and before >= 0 and self._soon >= _EMBEDDED_SECONDS:
            self._untold += 1
        return changed or time.monotonic() >= self._look_at

    def _rest_idle(self, glance: Glance) -> float:
        is_woken = glance.quiet or self.database.is_embedded or (self.bell is not None and self.bell.is_set)
        rest = max(self._idle, _WOKEN_SECONDS) if is_woken else self._idle
        return rest * self._stretch()

    def _rest_embedded(self) -> float:
        is_told = self.bell is not None and self.bell.is_set and self._untold < _MOST_UNTOLD and not self._is_busy()
        longest = _EMBEDDED_TOLD_SECONDS if is_told else _EMBEDDED_SECONDS
        soon, self._soon = self._soon, min(self._soon * 2, _EMBEDDED_TOLD_SECONDS)
        return min(longest, soon, max(0.001, self._look_at - time.monotonic()))

    def _wake(self, glance: Glance) -> bool:
        now = to_unix(glance.now)
        due = {
            "waiting": glance.waiting and not glance.quiet,
            "scheduled": glance.scheduled is not None and glance.scheduled <= now,
            "recurring": glance.recurring is not None and glance.recurring <= now,
        }
        woken = [self.wakes[name] for name, is_due in due.items() if is_due and name in self.wakes]
        for process in woken:
            process.alarm.set()
        if glance.stacks and "stacks" in self.wakes:
            self.wakes["stacks"].alarm.set()
        return bool(woken)

    def _until_due(self, glance: Glance) -> float:
        now = to_unix(glance.now)
        ahead = [
            score - now
            for name, score in (("scheduled", glance.scheduled), ("recurring", glance.recurring))
            if score is not None and score > now and name in self.wakes
        ]
        return min(ahead, default=math.inf)

    def _sleep(self, asleep: bool) -> None:
        """Register with the ringers unless work comes in a stream; look again after it, for what came between."""
        if any([bell.listen(asleep) for bell in self._bells]) and asleep:
            self.alarm.set()

    def close(self) -> None:
        self.watcher.close()


class BellLoop(threading.Thread):
    """Sleeps on the doorbell, and calls `rung` when it is woken."""

    def __init__(self, bell: Doorbell | FileBell | LocalBell, rung: Callable[[], None]) -> None:
        super().__init__(name="taskmanager-doorbell", daemon=True)
        self._bell, self._rung = bell, rung
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._bell.wait() and not self._stopping.is_set():
                    self._rung()
                    time.sleep(_LET_GO_SECONDS)
            except Exception as error:
                if not self._stopping.is_set():
                    log.warning("the doorbell is out of order, polling goes on: %s", error)
                    self._bell.drop()
                    self._stopping.wait(2.0)

    def stop(self) -> None:
        """Wake the sleeper and end. It may be about to fall asleep just now, so it is woken again."""
        self._stopping.set()
        deadline = time.monotonic() + 2.0
        while self.is_alive() and time.monotonic() < deadline:
            try:
                self._bell.interrupt()
            except Exception as error:
                log.debug("the doorbell could not be rung to stop: %s", error)
                self._bell.cut()
            self.join(0.1)
        if self.is_alive():
            self._bell.cut()
            self.join(0.5)
        try:
            self._bell.close()
        except Exception as error:
            log.debug("the doorbell could not be taken down: %s", error)
