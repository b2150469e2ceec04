"""Figures of many runs in a few numbers: how many, how long together, and how many took about how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Seconds that one bucket of time spans, and for how long buckets of that span are kept.
MINUTE, HOUR, DAY = 60, 3_600, 86_400
KEPT = {MINUTE: timedelta(hours=48), HOUR: timedelta(days=90), DAY: timedelta(days=730)}
#: What figures are of: runs by the name of the job, by queue, and all of them (under an empty key); what waits in
#: a queue, looked at once a minute.
TYPE, QUEUE, ALL, LENGTH, LATENCY = "type", "queue", "all", "queue.length", "queue.latency"
#: Durations are counted by powers of two: below 1 ms, below 2 ms, below 4 ms ... and all from 2**24 ms (4.7 h) on.
STEPS = 26
#: No longer key than this: of names that begin alike so far the figures are together.
LONGEST_KEY = 191


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over runs. ms, longest: of their durations; waited: ms from creation to start, known of `waits` runs.

    Of samples of a queue `count` is how many there were, `ms` the sum of what was seen, `longest` the most.
    """

    count: int = 0
    failed: int = 0
    ms: int = 0
    waited: int = 0
    waits: int = 0
    longest: int = 0
    steps: tuple[int, ...] = (0,) * STEPS

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.count + other.count, self.failed + other.failed, self.ms + other.ms, self.waited + other.waited,
            self.waits + other.waits, max(self.longest, other.longest),
            tuple(a + b for a, b in zip(self.steps, other.steps, strict=True)),
        )  # fmt: skip

    @property
    def mean(self) -> float | None:
        """The mean of durations (ms), or of samples."""
        return self.ms / self.count if self.count else None

    @property
    def mean_wait(self) -> float | None:
        """The mean time from creation to start (ms)."""
        return self.waited / self.waits if self.waits else None

    def below(self, share: float) -> float | None:
        """The duration (ms) under which this share of the runs stayed, drawn straight between two steps."""
        return quantile(self.steps, share, self.longest)


def step_of(ms: int) -> int:
    """The step a duration is counted in."""
    return min(ms.bit_length(), STEPS - 1)


def quantile(steps: Sequence[int], share: float, longest: int) -> float | None:
    """As `Figures.below`. longest: no answer is above it (ms)."""
    total = sum(steps)
    if not total:
        return None
    wanted, before = share * total, 0
    for step, count in enumerate(steps):
        if count and before + count >= wanted:
            low, high = (1 << step - 1 if step else 0), 1 << step
            if longest >= low:  # what lies in the last step has no other bound
                high = longest if step == STEPS - 1 else min(high, longest)
            return low + (high - low) * (wanted - before) / count
        before += count
    return float(longest)


def floor(at: datetime, span: int) -> datetime:
    """When the bucket of a moment (naive UTC) begins."""
    start = at.replace(second=0, microsecond=0)
    return start if span == MINUTE else start.replace(minute=0) if span == HOUR else start.replace(minute=0, hour=0)


def moments(now: datetime, span: int, count: int) -> tuple[datetime, ...]:
    """When the last so many buckets begin, up to that of now."""
    last = floor(now, span)
    return tuple(last - timedelta(seconds=span * back) for back in range(count - 1, -1, -1))


def together(parts: Iterable[Figures]) -> Figures:
    """The sum of all."""
    total = Figures()
    for part in parts:
        total += part
    return total
