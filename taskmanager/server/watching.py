"""Conditions of the installation are looked at by any process; of all that run, one does it each time."""

from __future__ import annotations

from collections.abc import Callable

from taskmanager.engine.conditions import EVERY, Conditions
from taskmanager.server.process import Process

#: Where there is no condition, it is seen so late that there is one.
_IDLE_SECONDS = 60.0


class ConditionJudge(Process):
    """Judges conditions. afterwards: what else is to be done at each look, where there are any."""

    name = "condition-judge"

    def __init__(self, conditions: Conditions, afterwards: Callable[[], object] | None = None) -> None:
        super().__init__()
        self.conditions, self._afterwards = conditions, afterwards

    def tick(self) -> float:
        if not self.conditions.judge():
            return _IDLE_SECONDS
        if self._afterwards is not None:
            self._afterwards()
        return EVERY
