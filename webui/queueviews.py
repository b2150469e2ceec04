"""How a queue goes, out of its figures: what comes and goes in a minute, when it will be empty, and charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from taskmanager.domain.rollups import HOUR, LATENCY, LENGTH, MINUTE, QUEUE, Figures, floor, moments

#: Over so many minutes it is measured what comes and goes.
LATELY = 10
#: What charts show: span of a bucket in seconds, and how many.
RANGES = {"1h": (MINUTE, 60), "24h": (HOUR, 24), "7d": (HOUR, 168)}
KINDS = (QUEUE, LENGTH, LATENCY)
#: By kind: count and sum of each minute.
Minutes = Mapping[datetime, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Flow:
    """spark: runs that ended in each of the last 60 whole minutes; went: a minute; grew: jobs a minute, None where it
    was not looked at; came: a minute; drain: seconds until it is empty, None where it does not shrink.
    """

    spark: tuple[int, ...] = ()
    went: float = 0.0
    grew: float | None = None
    drain: float | None = None

    @property
    def came(self) -> float | None:
        """How many jobs come a minute: those that went, and those by which it has grown."""
        return None if self.grew is None else max(0.0, self.went + self.grew)


def since(now: datetime) -> datetime:
    """From when on minutes are read."""
    return floor(now, MINUTE) - timedelta(minutes=60)


def flow(runs: Minutes, lengths: Minutes, waiting: int, now: datetime) -> Flow:
    """How it goes. The minute that is not over, whose figures are not all written, is left out."""
    whole = moments(now - timedelta(minutes=1), MINUTE, 60)
    spark = tuple(runs.get(at, (0, 0))[0] for at in whole)
    seen = [(at, lengths[at][1] / lengths[at][0]) for at in whole[-LATELY:] if lengths.get(at, (0, 0))[0]]
    grew = None
    if len(seen) > 1:
        (first, before), (last, after) = seen[0], seen[-1]
        grew = 60 * (after - before) / (last - first).total_seconds()
    drain = 60 * waiting / -grew if grew is not None and grew < 0 and waiting else None
    return Flow(spark, sum(spark[-LATELY:]) / LATELY, grew, drain)


@dataclass(frozen=True, slots=True)
class Charts:
    """Moments, and for each: runs that succeeded and failed, the mean length, and the mean latency in seconds.

    The last two are None where nobody looked.
    """

    moments: tuple[datetime, ...]
    succeeded: tuple[int, ...]
    failed: tuple[int, ...]
    length: tuple[float | None, ...]
    latency: tuple[float | None, ...]


def charts(found: Mapping[str, Mapping[datetime, Figures]], shown: tuple[datetime, ...]) -> Charts:
    """Out of the figures of one queue, by kind and moment."""
    none = Figures()
    runs = [found[QUEUE].get(at, none) for at in shown]
    lengths = [found[LENGTH].get(at, none).mean for at in shown]
    latencies = [found[LATENCY].get(at, none).mean for at in shown]
    return Charts(
        shown, tuple(one.count - one.failed for one in runs), tuple(one.failed for one in runs),
        tuple(None if n is None else round(n, 1) for n in lengths),
        tuple(None if ms is None else round(ms / 1000, 1) for ms in latencies),
    )  # fmt: skip
