"""How many jobs ended in each hour or day: the dated counters, never the jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from taskmanager.storage import structures
from taskmanager.storage.transaction import Tx

OUTCOMES = ("succeeded", "failed", "deleted")


@dataclass(frozen=True, slots=True)
class Trend:
    """Moments (naive UTC), and for each how many jobs ended how."""

    moments: tuple[datetime, ...]
    series: dict[str, tuple[int, ...]]


def hourly(tx: Tx, hours: int = 24) -> Trend:
    """By the hour, up to this one; kept for a day."""
    last = tx.now().replace(minute=0, second=0, microsecond=0)
    moments = tuple(last - timedelta(hours=back) for back in range(hours - 1, -1, -1))
    return _read(tx, moments, "%Y-%m-%d-%H")


def daily(tx: Tx, days: int) -> Trend:
    """By the day (UTC), up to today; kept for a month."""
    last = tx.now().replace(hour=0, minute=0, second=0, microsecond=0)
    moments = tuple(last - timedelta(days=back) for back in range(days - 1, -1, -1))
    return _read(tx, moments, "%Y-%m-%d")


def _read(tx: Tx, moments: tuple[datetime, ...], form: str) -> Trend:
    keys = {name: [f"stats:{name}:{moment.strftime(form)}" for moment in moments] for name in OUTCOMES}
    found = structures.counts_of(tx, [key for row in keys.values() for key in row])
    return Trend(moments, {name: tuple(found[key] for key in row) for name, row in keys.items()})
