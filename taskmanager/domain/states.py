"""The states a job can be in, as values, and how each is written in Hangfire's `State.Data`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quote
from typing import ClassVar

from taskmanager.domain.texts import storable
from taskmanager.domain.times import to_iso

#: Longest reason the State table holds; longer ones are cut with an ellipsis.
MAX_REASON = 100
_JSON = json.JSONEncoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What all states share. `final` states expire; `reason` tells people why the job came here."""

    name: ClassVar[str] = ""
    final: ClassVar[bool] = False

    reason: str | None = None

    def data(self, at: datetime) -> dict[str, str]:
        """The state's own facts, all as text, as Hangfire writes them."""
        return {}

    def json(self, at: datetime) -> str:
        """`data` as JSON text. What thousands of jobs a second enter writes its own: at a third of the price."""
        return _JSON(self.data(at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued(State):
    """Waits in a queue for a free worker."""

    name: ClassVar[str] = "Enqueued"
    queue: str = "default"
    priority: int = 0

    def data(self, at: datetime) -> dict[str, str]:
        return {"EnqueuedAt": to_iso(at), "Queue": self.queue}


@lru_cache(maxsize=1000)
def enqueued(queue: str, priority: int = 0) -> Enqueued:
    """Enqueued without a reason: one value for all jobs of a queue, and not one for each."""
    return Enqueued(queue=queue, priority=priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled(State):
    """Waits for a moment (naive UTC), then goes to its queue."""

    name: ClassVar[str] = "Scheduled"
    enqueue_at: datetime

    def data(self, at: datetime) -> dict[str, str]:
        return {"EnqueueAt": to_iso(self.enqueue_at), "ScheduledAt": to_iso(at)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing(State):
    """Is being performed by one worker."""

    name: ClassVar[str] = "Processing"
    server_id: str
    worker_id: str

    def data(self, at: datetime) -> dict[str, str]:
        return {"StartedAt": to_iso(at), "ServerId": self.server_id, "WorkerId": self.worker_id}

    def json(self, at: datetime) -> str:
        return f'{{"StartedAt": "{to_iso(at)}"{_by_whom(self.server_id, self.worker_id)}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded(State):
    """Ended well. `result` is JSON text; durations are in milliseconds."""

    name: ClassVar[str] = "Succeeded"
    final: ClassVar[bool] = True
    duration_ms: int = 0
    latency_ms: int = 0
    result: str | None = None

    def data(self, at: datetime) -> dict[str, str]:
        facts = {
            "SucceededAt": to_iso(at),
            "PerformanceDuration": str(self.duration_ms),
            "Latency": str(self.latency_ms),
        }
        if self.result is not None:
            facts["Result"] = self.result
        return facts

    def json(self, at: datetime) -> str:
        result = "" if self.result is None else f', "Result": {_quote(self.result)}'
        return (
            f'{{"SucceededAt": "{to_iso(at)}", "PerformanceDuration": "{self.duration_ms}", '
            f'"Latency": "{self.latency_ms}"{result}}}'
        )


@lru_cache(maxsize=1000)
def _by_whom(server_id: str, worker_id: str) -> str:
    """The end of Processing's JSON: the same for all jobs of a thread."""
    return f', "ServerId": {_quote(server_id)}, "WorkerId": {_quote(worker_id)}}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(State):
    """Ended badly, and stays until somebody acts. Not final in Hangfire's sense: it never expires."""

    name: ClassVar[str] = "Failed"
    exception_type: str
    exception_message: str
    exception_details: str
    server_id: str | None = None

    def data(self, at: datetime) -> dict[str, str]:
        facts = {
            "FailedAt": to_iso(at),
            "ExceptionType": self.exception_type,
            "ExceptionMessage": storable(self.exception_message),
            "ExceptionDetails": storable(self.exception_details),
        }
        if self.server_id is not None:
            facts["ServerId"] = self.server_id
        return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted(State):
    """Will not run, or was cancelled while it ran."""

    name: ClassVar[str] = "Deleted"
    final: ClassVar[bool] = True
    exception_type: str | None = None
    exception_message: str | None = None

    def data(self, at: datetime) -> dict[str, str]:
        facts = {"DeletedAt": to_iso(at)}
        if self.exception_type is not None:
            facts["Exception"] = json.dumps({"e": self.exception_type, "m": self.exception_message})
        return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaiting(State):
    """Waits for another job to end."""

    name: ClassVar[str] = "Awaiting"
    parent_id: int
    queue: str = "default"
    only_on_success: bool = True

    def data(self, at: datetime) -> dict[str, str]:
        next_state = {"$type": "Hangfire.States.EnqueuedState, Hangfire.Core", "Queue": self.queue}
        return {
            "ParentId": str(self.parent_id),
            "NextState": json.dumps(next_state),
            "Options": "OnlyOnSucceededState" if self.only_on_success else "OnAnyFinishedState",
        }


ALL_NAMES = ("Enqueued", "Scheduled", "Processing", "Succeeded", "Failed", "Deleted", "Awaiting")

#: From these a worker may start a job: Processing too, for a job whose last process is known to be gone, and none,
#: for a row that somebody wrote by hand.
STARTABLE: frozenset[str | None] = frozenset({"Enqueued", "Scheduled", "Processing", None})


def short(text: str | None, length: int = MAX_REASON) -> str | None:
    """Cut a text for a narrow column, with an ellipsis to show it."""
    return text if text is None or len(text) <= length else text[: length - 1] + "…"
