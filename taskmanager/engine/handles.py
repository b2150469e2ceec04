"""What `@job` leaves in a module: a function that can still be called, and be enqueued; or a class with `execute`."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from taskmanager.domain.errors import ArgumentError, ConfigurationError
from taskmanager.engine.context import JobContext
from taskmanager.engine.registry import JobDefinition, JobType, define

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

#: Keywords of one enqueue; a job that has a parameter of such a name is given them by `options(...)`.
OPTIONS = frozenset({"session", "queue", "priority", "delay", "at"})


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
        return _owner(self.owner).enqueue_definition(self.definition, args, kwargs, self.given)

    @overload
    def continue_after(self, parent_id: int, /, *args: P.args, **kwargs: P.kwargs) -> int: ...
    @overload
    def continue_after(self, parent_id: int, /, *args: Any, on: str, **kwargs: Any) -> int: ...
    def continue_after(self, parent_id: int, /, *args: Any, **kwargs: Any) -> int:
        """Write a job that waits for another; `on` is "success" or "any"."""
        on = kwargs.pop("on", "success")
        return _owner(self.owner).continue_definition(parent_id, self.definition, args, kwargs, self.given, on)


class JobFunction(Generic[P, R]):
    """A function that is a job: call it as before, or `.enqueue(...)` it with the same arguments."""

    def __init__(self, function: Callable[..., R], definition: JobDefinition, owner: Enqueuer | None = None) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.definition = definition
        self.owner = owner

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        return self.function(*args, **kwargs)

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> int:
        """Run as soon as possible; returns the job's id. Raises ArgumentError when arguments do not fit."""
        given, rest = _split(self.definition, kwargs)
        return _owner(self.owner).enqueue_definition(self.definition, args, rest, given)

    def schedule(
        self, *args: Any, delay: timedelta | float | None = None, at: datetime | None = None, **kwargs: Any
    ) -> int:
        """Run after `delay` (seconds or timedelta), or at a moment (naive means UTC); returns the job's id.

        Python's types cannot tell these keywords from the job's own: `options(delay=…).enqueue(…)` is checked.
        """
        given, rest = _split(self.definition, kwargs)
        if (delay is None) == (at is None):
            raise ArgumentError(f"{self.definition.method}.schedule() takes either delay or at")
        return _owner(self.owner).enqueue_definition(self.definition, args, rest, {**given, "delay": delay, "at": at})

    @overload
    def continue_after(self, parent_id: int, /, *args: P.args, **kwargs: P.kwargs) -> int: ...
    @overload
    def continue_after(self, parent_id: int, /, *args: Any, on: str, **kwargs: Any) -> int: ...
    def continue_after(self, parent_id: int, /, *args: Any, **kwargs: Any) -> int:
        """Run when another job has ended: `on` "success", or "any" final state. Raises JobNotFound."""
        on = kwargs.pop("on", "success")
        given, rest = _split(self.definition, kwargs)
        return _owner(self.owner).continue_definition(parent_id, self.definition, args, rest, given, on)

    def options(self, **given: Any) -> Call[P]:
        """Options for one enqueue that could clash with the job's own parameters: session, queue, delay, …"""
        return Call(self.definition, _known(given), self.owner)


class Job(ABC):
    """Base of job classes: `execute` is called on a fresh instance, its constructor filled by type hints."""

    definition: ClassVar[JobDefinition]
    owner: ClassVar[Enqueuer | None] = None

    @abstractmethod
    def execute(self, ctx: JobContext) -> Any:
        """Do the work; may be `async def`. Return a value, a JobResult, or nothing."""

    @classmethod
    def enqueue(cls, *args: Any, **kwargs: Any) -> int:
        """Run as soon as possible; returns the job's id."""
        given, rest = _split(cls.definition, kwargs)
        return _owner(cls.owner).enqueue_definition(cls.definition, args, rest, given)

    @classmethod
    def schedule(
        cls, *args: Any, delay: timedelta | float | None = None, at: datetime | None = None, **kwargs: Any
    ) -> int:
        """Run later; returns the job's id."""
        given, rest = _split(cls.definition, kwargs)
        return _owner(cls.owner).enqueue_definition(cls.definition, args, rest, {**given, "delay": delay, "at": at})

    @classmethod
    def continue_after(cls, parent_id: int, *args: Any, on: str = "success", **kwargs: Any) -> int:
        """Run when another job has ended: `on` "success", or "any" final state. Raises JobNotFound."""
        given, rest = _split(cls.definition, kwargs)
        return _owner(cls.owner).continue_definition(parent_id, cls.definition, args, rest, given, on)

    @classmethod
    def options(cls, **given: Any) -> Call[...]:
        """Options for one enqueue."""
        return Call(cls.definition, _known(given), cls.owner)


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


def _owner(owner: Enqueuer | None) -> Enqueuer:
    if owner is not None:
        return owner
    if current is None:
        raise ConfigurationError("no TaskManager was made yet: `tm = TaskManager()` before a job is enqueued")
    return current()


def _split(definition: JobDefinition, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options and the job's own arguments; a name that could be both is refused."""
    own = {p.name for p in definition.signature.parameters}
    for name in OPTIONS & own & kwargs.keys():
        raise ArgumentError(
            f"{definition.method} has a parameter '{name}', which is also an option of enqueue: "
            f"give options by {definition.method}.options({name}=…).enqueue(…), and the argument by position"
        )
    given = {k: v for k, v in kwargs.items() if k in OPTIONS}
    return given, {k: v for k, v in kwargs.items() if k not in OPTIONS}


def _known(given: dict[str, Any]) -> dict[str, Any]:
    for name in given.keys() - OPTIONS:
        raise ArgumentError(f"there is no option {name!r}; options are {', '.join(sorted(OPTIONS))}")
    return given
