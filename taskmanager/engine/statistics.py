"""Dated counters, as Hangfire's StatisticsHistory: by day for a month, by hour for a day."""

from __future__ import annotations

from datetime import timedelta

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
        day = context.at.replace(hour=0, minute=0, second=0, microsecond=0)
        hour = context.at.replace(minute=0, second=0, microsecond=0)
        context.effects.count(f"stats:{name}:{day:%Y-%m-%d}", 1, day + timedelta(days=31))
        context.effects.count(f"stats:{name}:{hour:%Y-%m-%d-%H}", 1, hour + timedelta(hours=25))
