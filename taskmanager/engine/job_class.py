"""The base of job classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, ParamSpec, TypeVar, Unpack, overload

from taskmanager.engine.context import JobContext
from taskmanager.engine.handles import At, Call, Delay, Enqueuer, On, known, later, owner_of, split
from taskmanager.engine.registry import JobDefinition
from taskmanager.engine.typed import Executes, Given, Takes1, Takes2, Takes3

P = ParamSpec("P")
A1 = TypeVar("A1")
A2 = TypeVar("A2")
A3 = TypeVar("A3")


class Job(ABC):
    """Base of job classes: `execute` is called on a fresh instance, its constructor filled by type hints.

    The class is enqueued with what `execute` takes after the context, typed as a function's arguments are.
    """

    definition: ClassVar[JobDefinition]
    owner: ClassVar[Enqueuer | None] = None

    @abstractmethod
    def execute(self, ctx: JobContext, /, *args: Any, **kwargs: Any) -> Any:
        """Do the work; may be `async def`. Return a value, a JobResult, or nothing."""

    @overload
    @classmethod
    def enqueue(cls: type[Executes[P]], *args: P.args, **kwargs: P.kwargs) -> int: ...
    @overload
    @classmethod
    def enqueue(cls, *, session: Any, **kwargs: Any) -> int: ...  # type: ignore[overload-cannot-match]
    @overload
    @classmethod
    def enqueue(cls: type[Takes1[A1]], a: A1, /, *, session: Any, **kwargs: Any) -> int: ...
    @overload
    @classmethod
    def enqueue(cls: type[Takes2[A1, A2]], a: A1, b: A2, /, *, session: Any, **kwargs: Any) -> int: ...
    @overload
    @classmethod
    def enqueue(
        cls: type[Takes3[A1, A2, A3]], a: A1, b: A2, c: A3, /, *rest: Any, session: Any, **kwargs: Any
    ) -> int: ...
    @classmethod  # type: ignore[misc]
    def enqueue(cls, *args: Any, **kwargs: Any) -> int:
        """Run as soon as possible; returns the job's id. Raises ArgumentError when arguments do not fit."""
        given, rest = split(cls.definition, kwargs)
        return owner_of(cls.owner).enqueue_definition(cls.definition, args, rest, given)

    @overload
    @classmethod
    def schedule(cls, *, delay: Delay = None, at: At = None, **kwargs: Any) -> int: ...
    @overload
    @classmethod
    def schedule(cls: type[Takes1[A1]], a: A1, /, *, delay: Delay = None, at: At = None, **kwargs: Any) -> int: ...
    @overload
    @classmethod
    def schedule(
        cls: type[Takes2[A1, A2]], a: A1, b: A2, /, *, delay: Delay = None, at: At = None, **kwargs: Any
    ) -> int: ...
    @overload
    @classmethod
    def schedule(
        cls: type[Takes3[A1, A2, A3]], a: A1, b: A2, c: A3, /, *rest: Any, delay: Delay = None, at: At = None,
        **kwargs: Any,
    ) -> int: ...  # fmt: skip
    @classmethod  # type: ignore[misc]
    def schedule(cls, *args: Any, delay: Delay = None, at: At = None, **kwargs: Any) -> int:
        """Run after `delay` (seconds or timedelta), or at a moment (naive means UTC); returns the job's id."""
        return later(cls.definition, cls.owner, args, kwargs, delay, at)

    @overload
    @classmethod
    def continue_after(cls: type[Executes[P]], parent_id: int, /, *args: P.args, **kwargs: P.kwargs) -> int: ...
    @overload
    @classmethod
    def continue_after(cls, parent_id: int, /, *, on: On, **kwargs: Any) -> int: ...  # type: ignore[overload-cannot-match]
    @overload
    @classmethod
    def continue_after(cls: type[Takes1[A1]], parent_id: int, a: A1, /, *, on: On, **kwargs: Any) -> int: ...
    @overload
    @classmethod
    def continue_after(cls: type[Takes2[A1, A2]], parent_id: int, a: A1, b: A2, /, *, on: On, **kwargs: Any) -> int: ...
    @overload
    @classmethod
    def continue_after(
        cls: type[Takes3[A1, A2, A3]], parent_id: int, a: A1, b: A2, c: A3, /, *rest: Any, on: On, **kwargs: Any
    ) -> int: ...
    @classmethod
    def continue_after(cls, parent_id: int, /, *args: Any, **kwargs: Any) -> int:
        """Run when another job has ended: `on` "success", or "any" final state. Raises JobNotFound."""
        on = kwargs.pop("on", "success")
        given, rest = split(cls.definition, kwargs)
        return owner_of(cls.owner).continue_definition(parent_id, cls.definition, args, rest, given, on)

    @classmethod
    def options(cls: type[Executes[P]], **given: Unpack[Given]) -> Call[P]:
        """Options for one enqueue that could clash with the job's own parameters: session, queue, delay, …"""
        return _call(cls, known(given))


def _call(job: Any, given: Any) -> Call[Any]:
    return Call(job.definition, given, job.owner)
