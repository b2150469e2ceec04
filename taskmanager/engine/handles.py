"""What `@job` leaves of a function: it can still be called, and be enqueued. Classes: `job_class.py`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeAlias, TypeVar, Unpack, cast, overload

from taskmanager.domain.errors import ArgumentError, ConfigurationError
from taskmanager.engine.context import JobContext
from taskmanager.engine.registry import JobDefinition, JobType, define
from taskmanager.engine.typed import Given, Takes1, Takes2, Takes3

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)
A1 = TypeVar("A1")
A2 = TypeVar("A2")
A3 = TypeVar("A3")

Delay: TypeAlias = timedelta | float | None
At: TypeAlias = datetime | None
On: TypeAlias = Literal["success", "any"]

#: Keywords of one enqueue; a job that has a parameter of such a name is given them by `options(...)`.
OPTIONS = frozenset(Given.__annotations__)


class Enqueuer(Protocol):
    """What a handle needs of the TaskManager."""

    def enqueue_definition(
        self, definition: JobDefinition, args: tuple[Any, ...], kwargs: dict[str, Any], options: Mapping[str, Any]
    ) -> int:
        """Write one job and return its id."""
        ...

    def continue_definition(
        self, parent_id: int, definition: JobDefinition, args: tuple[Any, ...], kwargs: dict[str, Any],
        options: Mapping[str, Any], on: str,
    ) -> int:  # fmt: skip
        """Write a job that waits for another."""
        ...


#: How an unbound handle finds its TaskManager; the app puts itself here.
current: Callable[[], Enqueuer] | None = None


@dataclass(frozen=True, slots=True)
class Call(Generic[P]):
    """A job with options for one enqueue: `f.options(delay=60).enqueue(...)`."""

    definition: JobDefinition
    given: Mapping[str, Any]
    owner: Enqueuer | None = None

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> int:
        """Write one job with these options; returns its id."""
        return owner_of(self.owner).enqueue_definition(self.definition, args, kwargs, self.given)

    @overload
    def continue_after(self, parent_id: int, /, *args: P.args, **kwargs: P.kwargs) -> int: ...
    @overload
    def continue_after(self, parent_id: int, /, *args: Any, on: On, **kwargs: Any) -> int: ...
    def continue_after(self, parent_id: int, /, *args: Any, **kwargs: Any) -> int:
        """Write a job that waits for another; `on` is "success" or "any"."""
        on = kwargs.pop("on", "success")
        return owner_of(self.owner).continue_definition(parent_id, self.definition, args, kwargs, self.given, on)


class JobFunction(Generic[P, R]):
    """A function that is a job: call it as before, or `.enqueue(...)` it with the same arguments."""

    def __init__(self, function: Callable[..., R], definition: JobDefinition, owner: Enqueuer | None = None) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.definition = definition
        self.owner = owner

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        return self.function(*args, **kwargs)

    @overload
    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> int: ...
    @overload
    def enqueue(self, *, session: Any, **kwargs: Any) -> int: ...
    @overload
    def enqueue(self: Takes1[A1], a: A1, /, *, session: Any, **kwargs: Any) -> int: ...
    @overload
    def enqueue(self: Takes2[A1, A2], a: A1, b: A2, /, *, session: Any, **kwargs: Any) -> int: ...
    @overload
    def enqueue(self: Takes3[A1, A2, A3], a: A1, b: A2, c: A3, /, *rest: Any, session: Any, **kwargs: Any) -> int: ...
    def enqueue(self, *args: Any, **kwargs: Any) -> int:  # type: ignore[misc]
        """Run as soon as possible; returns the job's id. Raises ArgumentError when arguments do not fit.

        session: your own SQLAlchemy Session or Connection, to write the job in its transaction.
        """
        given, rest = split(self.definition, kwargs)
        return owner_of(self.owner).enqueue_definition(self.definition, args, rest, given)

    @overload
    def schedule(self, *, delay: Delay = None, at: At = None, **kwargs: Any) -> int: ...
    @overload
    def schedule(self: Takes1[A1], a: A1, /, *, delay: Delay = None, at: At = None, **kwargs: Any) -> int: ...
    @overload
    def schedule(
        self: Takes2[A1, A2], a: A1, b: A2, /, *, delay: Delay = None, at: At = None, **kwargs: Any
    ) -> int: ...
    @overload
    def schedule(
        self: Takes3[A1, A2, A3], a: A1, b: A2, c: A3, /, *rest: Any, delay: Delay = None, at: At = None, **kwargs: Any
    ) -> int: ...
    def schedule(self, *args: Any, delay: Delay = None, at: At = None, **kwargs: Any) -> int:  # type: ignore[misc]
        """Run after `delay` (seconds or timedelta), or at a moment (naive means UTC); returns the job's id.

        A type checker checks the first three positional arguments; `options(delay=…).enqueue(…)` is checked wholly.
        """
        return later(self.definition, self.owner, args, kwargs, delay, at)

    @overload
    def continue_after(self, parent_id: int, /, *args: P.args, **kwargs: P.kwargs) -> int: ...
    @overload
    def continue_after(self, parent_id: int, /, *, on: On, **kwargs: Any) -> int: ...
    @overload
    def continue_after(self: Takes1[A1], parent_id: int, a: A1, /, *, on: On, **kwargs: Any) -> int: ...
    @overload
    def continue_after(self: Takes2[A1, A2], parent_id: int, a: A1, b: A2, /, *, on: On, **kwargs: Any) -> int: ...
    @overload
    def continue_after(
        self: Takes3[A1, A2, A3], parent_id: int, a: A1, b: A2, c: A3, /, *rest: Any, on: On, **kwargs: Any
    ) -> int: ...
    def continue_after(self, parent_id: int, /, *args: Any, **kwargs: Any) -> int:
        """Run when another job has ended: `on` "success", or "any" final state. Raises JobNotFound."""
        on = kwargs.pop("on", "success")
        given, rest = split(self.definition, kwargs)
        return owner_of(self.owner).continue_definition(parent_id, self.definition, args, rest, given, on)

    def options(self, **given: Unpack[Given]) -> Call[P]:
        """Options for one enqueue that could clash with the job's own parameters: session, queue, delay, …"""
        return Call(self.definition, known(given), self.owner)


class Decorator:
    """What `@job(...)` makes; applied to a function or a class."""

    def __init__(
        self, options: dict[str, Any], is_injected: Callable[[Any], bool],
        take: Callable[[JobDefinition], JobDefinition],
        owner: Enqueuer | None,
    ) -> None:  # fmt: skip
        self._options, self._is_injected, self._take, self._owner = options, is_injected, take, owner

    @overload
    def __call__(self, target: C) -> C: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, target: Callable[Concatenate[JobContext, P], R]) -> JobFunction[P, R]: ...
    @overload
    def __call__(self, target: Callable[P, R]) -> JobFunction[P, R]: ...
    def __call__(self, target: Any) -> Any:
        options = dict(self._options)
        if options.get("cron") is not None:
            options.setdefault("job_type", JobType.RECURRING)
        if isinstance(target, type):
            return self._class(cast(Any, target), options)
        definition = self._take(define(target, is_injected=self._is_injected, **options))
        return JobFunction(target, definition, self._owner)

    def _class(self, target: Any, options: dict[str, Any]) -> Any:
        if not callable(getattr(target, "execute", None)):
            raise ConfigurationError(f"@job on class {target.__qualname__}: it needs a method execute(self, ctx)")
        target.definition = self._take(define(target, is_injected=self._is_injected, execute=target.execute, **options))
        target.owner = self._owner
        return target


def later(
    definition: JobDefinition, owner: Enqueuer | None, args: tuple[Any, ...], kwargs: Mapping[str, Any],
    delay: Delay, at: At,
) -> int:  # fmt: skip
    """What `schedule` does; returns the job's id. Raises ArgumentError unless one of delay and at is given."""
    given, rest = split(definition, kwargs)
    if (delay is None) == (at is None):
        raise ArgumentError(f"{definition.method}.schedule() takes either delay or at")
    return owner_of(owner).enqueue_definition(definition, args, rest, {**given, "delay": delay, "at": at})


def owner_of(owner: Enqueuer | None) -> Enqueuer:
    """The TaskManager a job was decorated with, else the current one. Raises ConfigurationError without any."""
    if owner is not None:
        return owner
    if current is None:
        raise ConfigurationError("no TaskManager was made yet: `tm = TaskManager()` before a job is enqueued")
    return current()


def split(definition: JobDefinition, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options and the job's own arguments; a name that could be both is refused."""
    own = {p.name for p in definition.signature.parameters}
    for name in OPTIONS & own & kwargs.keys():
        raise ArgumentError(
            f"{definition.method} has a parameter '{name}', which is also an option of enqueue: "
            f"give options by {definition.method}.options({name}=…).enqueue(…), and the argument by position"
        )
    given = {k: v for k, v in kwargs.items() if k in OPTIONS}
    return given, {k: v for k, v in kwargs.items() if k not in OPTIONS}


def known(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options of one enqueue, as given. Raises ArgumentError for a name that is none."""
    for name in given.keys() - OPTIONS:
        raise ArgumentError(f"there is no option {name!r}; options are {', '.join(sorted(OPTIONS))}")
    return given
