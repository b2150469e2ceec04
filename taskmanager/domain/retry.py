"""When a failed job runs again: a policy answers from the number of the attempt and the exception, or the job asks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from taskmanager.domain import given
from taskmanager.domain.errors import RemoteError, qualified

#: Hangfire's default number of retries, given to functions without `@job`.
HANGFIRE_ATTEMPTS = 10


def hangfire_delay(attempt: int) -> float:
    """Seconds before retry `attempt` (from 1): (n-1)^4 + 15 + rand{0..29}·n, as Hangfire computes it."""
    return float((attempt - 1) ** 4 + 15 + random.randrange(30) * attempt)


class Retry(Exception):
    """Raised by a job: run me again, after `delay` (seconds or timedelta) if given, whatever my exception lists say.

    Counts as an attempt, unless `count=False`; then it may go on for ever. Raises InvalidArgument.
    """

    def __init__(self, reason: str = "", *, delay: float | timedelta | None = None, count: bool = True) -> None:
        super().__init__(reason or "the job asked to be run again")
        self.delay = None if delay is None else given.span(delay, "the delay of Retry").total_seconds()
        self.count = count


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and when a job is tried again.

    attempts: retries after the first execution. delays: seconds or timedelta for each retry, the last one
    repeating. jitter: a share (0 to 1) of each delay added at random. retry_on / give_up_on: exception types.
    then_delete: end in Deleted instead of Failed when attempts are used up.
    """

    attempts: int = HANGFIRE_ATTEMPTS
    delays: tuple[float, ...] = ()
    jitter: float = 0.0
    retry_on: tuple[type[BaseException], ...] = (BaseException,)
    give_up_on: tuple[type[BaseException], ...] = ()
    then_delete: bool = False
    formula: Callable[[int], float] = field(default=hangfire_delay, compare=False)

    def wants(self, error: BaseException | None) -> bool:
        """Whether an exception of this kind is worth another try at all."""
        if error is None:
            return True
        return _is(error, self.retry_on) and not _is(error, self.give_up_on)

    def delay(self, attempt: int) -> float:
        """Seconds to wait before retry number `attempt`, from 1."""
        if not self.delays:
            return self.formula(attempt)
        seconds = self.delays[min(attempt, len(self.delays)) - 1]
        return seconds + seconds * self.jitter * random.random()

    def expected(self, attempt: int) -> float | None:
        """The same without chance: about so long; None where a function of the user's says it."""
        if self.delays:
            return self.delays[min(attempt, len(self.delays)) - 1] * (1 + self.jitter / 2)
        return (attempt - 1) ** 4 + 15 + 14.5 * attempt if self.formula is hangfire_delay else None


def _is(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    """isinstance, also for what came from another process and is known by its names only."""
    if isinstance(error, RemoteError):
        return not {qualified(kind) for kind in kinds}.isdisjoint(error.kinds)
    return isinstance(error, kinds)


def seconds_of(delays: Sequence[float | timedelta]) -> tuple[float, ...]:
    """Delays as users write them, in seconds."""
    return tuple(d.total_seconds() if isinstance(d, timedelta) else float(d) for d in delays)
