"""Jobs that wait for another: Awaiting until the parent ends, then Enqueued or Deleted, in its transaction."""

from __future__ import annotations

import json
from typing import Any

from taskmanager.domain.states import Deleted, Enqueued, State, Succeeded
from taskmanager.domain.texts import whole
from taskmanager.engine.filters import Electing, Filter
from taskmanager.engine.transitions import Change

CONTINUATIONS = "Continuations"
ANTECEDENT_RESULT = "AntecedentResult"
ON_ANY, ON_SUCCESS = 0, 1
_NAMES = {"OnAnyFinishedState": 0, "OnlyOnSucceededState": 1, "OnlyOnDeletedState": 2}


class Continuations(Filter):
    """When a job ends for good, starts or deletes those that waited for it."""

    order = 1000

    def applied(self, context: Electing, state: State) -> None:
        if not state.final:
            return
        for child, options in waiting(context.parameters.get(CONTINUATIONS)):
            context.follow_ups.append(start(child, options, state))


def waiting(text: str | None) -> list[tuple[int, int]]:
    """The children of a job and on what they wait, from its parameter; unreadable entries are left out."""
    if not text:
        return []
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        return []
    found = []
    for entry in entries if isinstance(entries, list) else []:
        child = whole(str(entry.get("JobId", ""))) if isinstance(entry, dict) else None
        if child is not None:
            found.append((child, _option(entry.get("Options", 0))))
    return found


def with_child(text: str | None, child: int, options: int) -> str:
    """The parameter with one more child."""
    entries = [{"JobId": str(c), "Options": o} for c, o in waiting(text)]
    return json.dumps([*entries, {"JobId": str(child), "Options": options}])


def start(child: int, options: int, parent: State) -> Change:
    """The change of a waiting child after its parent entered a final state."""
    expected = frozenset({"Awaiting"})
    wanted = options in (ON_ANY, 3) or (options == ON_SUCCESS) == isinstance(parent, Succeeded)
    if not wanted:
        return Change(child, Deleted(reason="Continuation condition was not met"), expected)
    parameters = {}
    if isinstance(parent, Succeeded) and parent.result is not None:
        parameters[ANTECEDENT_RESULT] = parent.result
    return Change(child, Enqueued(queue="", reason="Triggered by its parent"), expected, parameters=parameters)


def _option(value: Any) -> int:
    return value if isinstance(value, int) else _NAMES.get(str(value), whole(str(value)) or 0)
