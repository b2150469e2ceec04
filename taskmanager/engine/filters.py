"""Filters: code around a job's life. Our own retries, statistics, continuations and logs are filters too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taskmanager.domain.invocation import Invocation
from taskmanager.domain.records import Claim, JobRecord
from taskmanager.domain.states import State
from taskmanager.engine.effects import Effects
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage.jobs import LockedJob


@dataclass(slots=True)
class Creating:
    """A job about to be created. A filter may change its state and parameters, or cancel it."""

    invocation: Invocation
    state: State
    definition: JobDefinition | None
    parameters: dict[str, str] = field(default_factory=dict)
    cancelled: bool = False


@dataclass(slots=True)
class Performing:
    """A job about to be called, in the thread that calls it. Set `cancelled` to a reason to skip the call."""

    claim: Claim
    definition: JobDefinition
    args: list[Any]
    kwargs: dict[str, Any]
    items: dict[str, Any] = field(default_factory=dict)
    cancelled: str | None = None
    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class Run:
    """One execution as it was measured: for the history table."""

    attempt: int
    started_at: datetime
    ended_at: datetime
    duration_ms: int
    cpu_ms: int | None = None
    memory_mb: int | None = None
    message: str | None = None
    server: str = ""
    #: False of a run that ended before what it is there to call was called.
    was_called: bool = True


@dataclass(frozen=True, slots=True)
class Lost:
    """A run whose process died. record: its job, with parameters and history; claim: of who takes the job over, None
    when that is a person."""

    record: JobRecord
    started_at: datetime
    server: str
    claim: Claim | None


@dataclass(slots=True)
class Electing:
    """A job whose row is locked, and the state it is about to enter; a filter may elect another.

    `traversed` collects the candidates that were replaced: they are kept in the job's history.
    """

    job: LockedJob
    candidate: State
    effects: Effects
    parameters: Mapping[str, str]
    at: datetime
    definition: JobDefinition | None = None
    error: BaseException | None = None
    run: Run | None = None
    traversed: list[State] = field(default_factory=list)
    follow_ups: list[Any] = field(default_factory=list)
    #: Whether the job is in the candidate now. It never is when a run's outcome is refused.
    entered: bool = False

    def elect(self, state: State) -> None:
        """Replace the candidate, keeping the replaced one in the history."""
        self.traversed.append(self.candidate)
        self.candidate = state

    def set_parameter(self, name: str, value: str) -> None:
        """Write a parameter of the job in the same transaction."""
        self.effects.parameter(self.job.id, name, value)


class Filter:
    """Base of all filters: override what you need. `order` sorts them, smaller first."""

    order: int = 0

    def creating(self, context: Creating) -> None:
        """Before a job is written."""

    def created(self, context: Creating, job_id: int) -> None:
        """After a job was written, inside the same transaction."""

    def performing(self, context: Performing) -> None:
        """Before the call, in the worker's thread."""

    def performed(self, context: Performing) -> None:
        """After the call, with its result or error, in the worker's thread; last filter first."""

    def elect(self, context: Electing) -> None:
        """The last word on the next state."""

    def applied(self, context: Electing, state: State) -> None:
        """The state was entered: write what belongs to it, through `context.effects`."""

    def cancelled(self, context: Electing) -> None:
        """A run ended whose job was Deleted meanwhile: its outcome counts for nothing, but may be told of."""

    def refused(self, context: Electing, why: str) -> None:
        """A run ended whose outcome counts for nothing, for its job has gone on without it, is no more, or was put
        back. After a COMMIT in doubt it may be told of again, and that of a run whose outcome was written, too."""

    def lost(self, context: Electing, run: Lost) -> None:
        """The job leaves the Processing of a run whose process died."""


_HOOKS = ("creating", "created", "performing", "performed", "elect", "applied", "cancelled", "refused", "lost")


class Chain:
    """Filters in their order; a hook that a filter does not override costs nothing."""

    def __init__(self, filters: Iterable[Filter] = ()) -> None:
        self.filters: list[Filter] = []
        self.creating: list[Filter] = []
        self.created: list[Filter] = []
        self.performing: list[Filter] = []
        self.performed: list[Filter] = []
        self.elect: list[Filter] = []
        self.applied: list[Filter] = []
        self.cancelled: list[Filter] = []
        self.refused: list[Filter] = []
        self.lost: list[Filter] = []
        for one in filters:
            self.add(one)

    def add(self, one: Filter) -> None:
        """Take a filter in at the place its order asks for."""
        self.filters = sorted([*self.filters, one], key=lambda f: f.order)
        for hook in _HOOKS:
            overriding = [f for f in self.filters if getattr(type(f), hook) is not getattr(Filter, hook)]
            setattr(self, hook, overriding[::-1] if hook == "performed" else overriding)
