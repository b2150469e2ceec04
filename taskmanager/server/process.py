"""A process is a tick that says how long it may rest. Loops, errors, back-off and stopping are around it."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from contextlib import suppress

log = logging.getLogger("taskmanager.server")

#: The longest pause after repeated errors.
_LONGEST_BACKOFF_SECONDS = 3.0


class Process(ABC):
    """Something that ticks. Tests tick by hand; `alarm` ends a rest early."""

    name = "process"

    def __init__(self) -> None:
        self.alarm = threading.Event()

    @abstractmethod
    def tick(self) -> float:
        """Do what is to be done now; answer how many seconds there may be nothing to do."""

    def close(self) -> None:  # noqa: B027 - most processes have nothing to close
        """Called once in the loop's thread after the last tick."""


class Loop(threading.Thread):
    """Ticks a process until told to stop. An error is logged and the tick comes again after a growing pause.

    after: seconds until the first tick; an alarm ends them, as it ends every rest.
    """

    def __init__(self, process: Process, *, after: float = 0.0) -> None:
        super().__init__(name=f"taskmanager-{process.name}", daemon=True)
        self.process, self._after = process, after
        self._stopping = threading.Event()

    def run(self) -> None:
        errors = 0
        if self._after:
            self.process.alarm.wait(self._after)
            self.process.alarm.clear()
        while not self._stopping.is_set():
            try:
                rest = self.process.tick()
                errors = 0
            except Exception:
                errors += 1
                rest = min(_LONGEST_BACKOFF_SECONDS, 0.1 * errors * errors)
                with suppress(Exception):  # a job may have closed the stream that logging writes to
                    log.exception("%s: error %d in a row; again in %.1f s", self.process.name, errors, rest)
            if rest > 0 and not self._stopping.is_set():
                self.process.alarm.wait(rest)
            self.process.alarm.clear()
        try:
            self.process.close()
        except Exception:
            log.exception("%s: error while closing", self.process.name)

    def stop(self) -> None:
        """No further tick begins."""
        self._stopping.set()
        self.process.alarm.set()
