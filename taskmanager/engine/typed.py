"""What a type checker needs to know of a job's parameters, beside ParamSpec.

A method that takes the job's own arguments and keywords of ours (`delay`, `session`, `on`) cannot be written with
ParamSpec. It is written as overloads by the number of positional arguments: `self` is asked to be something whose
`enqueue` takes such a first, second and third argument, and so they are checked; what is given by name is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NotRequired, ParamSpec, Protocol, TypedDict, TypeVar

from taskmanager.engine.context import JobContext

P = ParamSpec("P")
K1 = TypeVar("K1", contravariant=True)
K2 = TypeVar("K2", contravariant=True)
K3 = TypeVar("K3", contravariant=True)


class Given(TypedDict):
    """The options of one enqueue. delay: seconds or a timedelta. at: a moment, naive means UTC."""

    session: NotRequired[Any]
    queue: NotRequired[str | None]
    priority: NotRequired[int | None]
    delay: NotRequired[timedelta | float | None]
    at: NotRequired[datetime | None]
    tags: NotRequired[Iterable[str] | None]


class Takes1(Protocol[K1]):
    """A job that takes a positional argument, and perhaps more."""

    def enqueue(self, a: K1, /, *args: Any, **kwargs: Any) -> int:
        """As the job's own."""
        ...


class Takes2(Protocol[K1, K2]):
    """A job that takes two positional arguments, and perhaps more."""

    def enqueue(self, a: K1, b: K2, /, *args: Any, **kwargs: Any) -> int:
        """As the job's own."""
        ...


class Takes3(Protocol[K1, K2, K3]):
    """A job that takes three positional arguments, and perhaps more."""

    def enqueue(self, a: K1, b: K2, c: K3, /, *args: Any, **kwargs: Any) -> int:
        """As the job's own."""
        ...


class Executes(Protocol[P]):
    """A class whose instances are jobs with these arguments after the context."""

    def execute(self, ctx: JobContext, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Do the work."""
        ...
