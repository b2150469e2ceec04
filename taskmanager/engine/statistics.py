"""Dated counters, as Hangfire's StatisticsHistory: by day for a month, by hour for a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from taskmanager.domain.states import State
from taskmanager.engine.filters import Electing, Filter

_COUNTED = {"Succeeded": "succeeded", "Failed": "failed", "Deleted": "deleted"}


class StatisticsHistory(Filter):
    """Counts final outcomes; a failure that is retried is not one."""

    order = 30

    def applied(self, context: Electing, state: State) -> None:
        name = _COUNTED.get(state.name)
        if name is None:
            return
        at = context.at
        for key, expire_at in _keys(name, at.toordinal() * 24 + at.hour):
            context.effects.count(key, 1, expire_at)


@lru_cache(maxsize=64)
def _keys(name: str, hours: int) -> tuple[tuple[str, datetime], ...]:
    """The counters of an hour, of which so many have been since the calendar began, and when each expires."""
    day = datetime.fromordinal(hours // 24)
    hour = day + timedelta(hours=hours % 24)
    return (
        (f"stats:{name}:{day:%Y-%m-%d}", day + timedelta(days=31)),
        (f"stats:{name}:{hour:%Y-%m-%d-%H}", hour + timedelta(hours=25)),
    )
