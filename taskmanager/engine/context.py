"""What a running job may ask and tell: its id, attempt, cancellation, parameters, log, progress, clock."""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sized
from datetime import datetime, timedelta
from typing import Any, TypeVar

from taskmanager.domain.errors import JobCancelled
from taskmanager.domain.notifications import Notification, notification
from taskmanager.domain.records import Claim
from taskmanager.engine.retries import RETRY_COUNT, retry_count

T = TypeVar("T")
PROGRESS = "Progress"


class CancellationToken:
    """Tripped when the job is deleted, requeued or times out, or when the server stops."""

    __slots__ = ("_callbacks", "is_cancelled", "is_stopping", "reason")

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []
        #: Whether the job should end now.
        self.is_cancelled = False
        self.reason: str | None = None
        #: Whether it was tripped because the server stops: the run is given up, not the job.
        self.is_stopping = False

    def cancel(self, reason: str, *, stopping: bool = False) -> None:
        """Trip the token; the first reason stays."""
        if not self.is_cancelled:
            self.reason, self.is_stopping = reason, stopping
            self.is_cancelled = True
            for callback in list(self._callbacks):
                callback()

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Call this when the token is tripped, at once if it is already."""
        self._callbacks.append(callback)
        if self.is_cancelled:
            callback()

    def wait(self, seconds: float) -> bool:
        """Sleep that ends early, with True, when the token is tripped."""
        tripped = threading.Event()
        self.on_cancel(tripped.set)
        try:
            return tripped.wait(seconds)
        finally:
            self._callbacks.remove(tripped.set)

    def raise_if_cancelled(self) -> None:
        """Raise JobCancelled when the token is tripped."""
        if self.is_cancelled:
            raise JobCancelled(self.reason)


class JobLog:
    """Lines kept with the job, bounded: past the bounds lines are counted, not kept."""

    def __init__(self, now: Callable[[], datetime], *, max_lines: int, max_bytes: int) -> None:
        self._now = now
        self._max_lines, self._max_bytes = max_lines, max_bytes
        self._lines: list[str] = []
        self._kept = self._bytes = self._dropped = 0
        self._lock = threading.Lock()

    def debug(self, message: object, /, *args: Any, **fields: Any) -> None:
        """Keep a line of level DEBUG."""
        self.write("DEBUG", message, args, fields)

    def info(self, message: object, /, *args: Any, **fields: Any) -> None:
        """Keep a line of level INFO; `args` fill the message's %-placeholders, `fields` are kept beside it."""
        self.write("INFO", message, args, fields)

    def warning(self, message: object, /, *args: Any, **fields: Any) -> None:
        """Keep a line of level WARNING."""
        self.write("WARNING", message, args, fields)

    def error(self, message: object, /, *args: Any, **fields: Any) -> None:
        """Keep a line of level ERROR."""
        self.write("ERROR", message, args, fields)

    def exception(self, message: object, /, *args: Any, **fields: Any) -> None:
        """Keep a line of level ERROR with the stack trace of the exception that is being handled."""
        self.write("ERROR", f"{_filled(message, args)}\n{traceback.format_exc().rstrip()}", (), fields)

    def write(self, level: str, message: object, args: tuple[Any, ...], fields: dict[str, Any]) -> None:
        """Keep one line, and hand it to the standard logging as well. A line that cannot be made fails no job."""
        text = _filled(message, args)
        logging.getLogger("taskmanager.job").log(logging.getLevelNamesMapping()[level], text)
        line = {"at": self._now().isoformat(timespec="milliseconds"), "level": level, "message": text}
        if fields:
            line["fields"] = {k: _shown(v) for k, v in fields.items()}  # type: ignore[assignment]
        self._keep(json.dumps(line))

    def _keep(self, packed: str) -> None:
        with self._lock:
            if self._kept >= self._max_lines or self._bytes + len(packed) > self._max_bytes:
                self._dropped += 1
                return
            self._lines.append(packed)
            self._kept += 1
            self._bytes += len(packed)

    @property
    def bounds(self) -> tuple[int, int]:
        """How many lines and bytes are kept of one run."""
        return self._max_lines, self._max_bytes

    def keep(self, lines: str, *, dropped: int = 0) -> None:
        """Keep lines that were packed elsewhere, within the same bounds: those of an isolated job.

        dropped: how many it did not keep itself.
        """
        for line in lines.splitlines():
            self._keep(line)
        with self._lock:
            self._dropped += dropped

    def take(self) -> str | None:
        """What was kept since the last time, a JSON object a line; None when there is nothing."""
        with self._lock:
            lines, self._lines = self._lines, []
        return "\n".join(lines) or None

    def take_dropped(self) -> int:
        """How many lines were not kept since the last time."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def rest(self) -> str | None:
        """At the end of a run: what was kept since the last time, and one line that tells how many were not."""
        if not self._lines and not self._dropped:
            return None
        lines, dropped = self.take(), self.take_dropped()
        if not dropped:
            return lines
        note = f"{dropped} lines were not kept: the log of a job is bounded"
        return "\n".join([*filter(None, [lines]), json.dumps({"at": None, "level": "WARNING", "message": note})])


def _filled(message: object, args: tuple[Any, ...]) -> str:
    """The message with its placeholders filled; where its arguments do not fit, they stand beside it."""
    text = _shown(message)
    try:
        return text % args if args else text
    except Exception:  # of the arguments' own code, too: a job is not to fail because of what it tells
        return " ".join([text, *map(_shown, args)])


def _shown(value: object) -> str:
    try:
        return str(value)
    except Exception:  # as above
        return f"({type(value).__name__} without a text)"


def attempt_of(claim: Claim) -> int:
    """Which run of its job a claim is for, from 1."""
    return retry_count(claim.parameters.get(RETRY_COUNT)) + 1


class JobContext:
    """Given to a job that declares a parameter of this type.

    job_id: the engine's id. attempt: from 1. parameters: the job's stored parameters. cancellation: the token.
    """

    timed_out = False
    #: False once the run did what must not be done twice: a server that stops does not put it back.
    is_repeatable = True
    #: False until a run that is there to call something else has done so.
    was_called = True
    #: Bytes of JSON kept of this run's result, where it is not what the settings say.
    max_result_bytes: int | None = None
    #: Processor milliseconds and megabytes of a run that had a process of its own.
    measured: tuple[int | None, int | None] | None = None
    _progress: float | None = None
    _told: float | None = None
    #: None until somebody asks for it: most runs say nothing.
    _log: JobLog | None = None

    def __init__(
        self, claim: Claim, now: Callable[[], datetime], *, name: str = "", server: str = "",
        max_log_lines: int = 1000, max_log_bytes: int = 256 * 1024, write: Callable[[Notification], object],
    ) -> None:  # fmt: skip
        self.claim = claim
        self.job_id = claim.job_id
        self.queue = claim.queue
        self.name = name
        self.server = server
        self.parameters: dict[str, str] = claim.parameters
        self.attempt = attempt_of(claim)
        self.cancellation = CancellationToken()
        self.items: dict[str, Any] = {}
        self._log_bounds = (max_log_lines, max_log_bytes)
        self._now = now
        self._write = write

    def now(self) -> datetime:
        """Naive UTC by the database's clock."""
        return self._now()

    @property
    def log(self) -> JobLog:
        """Lines kept with the job."""
        if self._log is None:
            lines, size = self._log_bounds  # two threads of a job may ask first at once: one log is kept
            vars(self).setdefault("_log", JobLog(self._now, max_lines=lines, max_bytes=size))
        assert self._log is not None
        return self._log

    def take_lines(self) -> str | None:
        """What was kept in the log since the last time, for the completer."""
        return None if self._log is None else self._log.take()

    def rest_of_lines(self) -> str | None:
        """As `take_lines`, at the end of the run."""
        return None if self._log is None else self._log.rest()

    @property
    def recurring_job_id(self) -> str | None:
        """The recurring job this run belongs to."""
        found = _parsed(self.parameters.get("RecurringJobId"))
        return None if found is None else str(found)

    @property
    def antecedent_result(self) -> Any:
        """What the job returned that this one waited for."""
        return _parsed(self.parameters.get("AntecedentResult"))

    def raise_if_cancelled(self) -> None:
        """Raise JobCancelled when somebody wants this run to end."""
        self.cancellation.raise_if_cancelled()

    def notify(self, user: str, kind: str, message: str) -> None:
        """Tell a user something, on all his open pages: at once, whatever becomes of the run.

        kind: Success, Error, Info or Warning. A message of more than 4,000 characters is cut. Raises InvalidArgument,
        and StorageError when the database stays away.
        """
        self._write(notification(user, kind, message))

    def progress(self, share: float) -> None:
        """Say how far the job is, from 0 to 1; kept with the job and shown to people."""
        self._progress = min(1.0, max(0.0, float(share)))

    def track(self, items: Iterable[T], total: int | None = None) -> Iterator[T]:
        """Go through items, telling progress and ending early when cancelled."""
        size = total if total is not None else len(items) if isinstance(items, Sized) else 0
        for number, item in enumerate(items):
            self.raise_if_cancelled()
            yield item
            if size:
                self.progress((number + 1) / size)

    def take_progress(self) -> float | None:
        """The progress if it changed since the last time, for the completer."""
        if self._progress == self._told:
            return None
        self._told = self._progress
        return self._progress

    def sleep(self, seconds: float | timedelta) -> None:
        """Sleep, ending early with JobCancelled when somebody wants this run to end."""
        span = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        if self.cancellation.wait(span):
            self.raise_if_cancelled()


def _parsed(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
