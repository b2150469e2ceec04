"""How many jobs ended in each hour or day: the dated counters, never the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from taskmanager.storage import structures
from taskmanager.storage.transaction import Tx

OUTCOMES = ("succeeded", "failed", "deleted")
_HOURS, _DAYS = "%Y-%m-%d-%H", "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class Trend:
    """Moments (naive UTC), and for each how many jobs ended how."""

    moments: tuple[datetime, ...]
    series: dict[str, tuple[int, ...]]


def hourly(tx: Tx, hours: int = 24) -> Trend:
    """By the hour, up to this one; kept for a day."""
    last = tx.now().replace(minute=0, second=0, microsecond=0)
    moments = tuple(last - timedelta(hours=back) for back in range(hours - 1, -1, -1))
    return _read(tx, moments, _HOURS)


def daily(tx: Tx, days: int) -> Trend:
    """By the day (UTC), up to today; kept for a month."""
    last = tx.now().replace(hour=0, minute=0, second=0, microsecond=0)
    moments = tuple(last - timedelta(days=back) for back in range(days - 1, -1, -1))
    return _read(tx, moments, _DAYS)


def both(tx: Tx, days: int | None) -> tuple[Trend, Trend]:
    """The last 24 hours, and so many days (None: those hours), by one look."""
    now = tx.now()
    hour, day = now.replace(minute=0, second=0, microsecond=0), now.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = tuple(hour - timedelta(hours=back) for back in range(23, -1, -1))
    dates = tuple(day - timedelta(days=back) for back in range((days or 0) - 1, -1, -1))
    found = _counts(tx, [(moment, _HOURS) for moment in hours] + [(moment, _DAYS) for moment in dates])
    short = Trend(hours, {name: row[: len(hours)] for name, row in found.items()})
    return short, Trend(dates, {name: row[len(hours) :] for name, row in found.items()}) if days else short


def _read(tx: Tx, moments: tuple[datetime, ...], form: str) -> Trend:
    return Trend(moments, _counts(tx, [(moment, form) for moment in moments]))


def _counts(tx: Tx, moments: Sequence[tuple[datetime, str]]) -> dict[str, tuple[int, ...]]:
    keys = {name: [f"stats:{name}:{moment.strftime(form)}" for moment, form in moments] for name in OUTCOMES}
    found = structures.counts_of(tx, [key for row in keys.values() for key in row])
    return {name: tuple(found[key] for key in row) for name, row in keys.items()}
