"""Acting on a whole group of failed jobs, in batches that hold no lock for long."""

from __future__ import annotations

import time
from dataclasses import dataclass

from taskmanager.engine.client import Client
from taskmanager.storage import failures

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Acted:
    """How many jobs were changed, and whether the group has more."""

    changed: int
    more: bool


class FailureGroups:
    """The verbs on groups."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def requeue(self, key: str, *, reason: str | None = None, limit: int = 2000, seconds: float = 5.0) -> Acted:
        """Put the failed jobs of a group back into their queues: at most `limit`, for at most so many seconds."""
        return self._act(key, "requeue", reason, limit, seconds)

    def delete(self, key: str, *, reason: str | None = None, limit: int = 2000, seconds: float = 5.0) -> Acted:
        """Delete the failed jobs of a group: at most `limit`, for at most so many seconds."""
        return self._act(key, "delete", reason, limit, seconds)

    def _act(self, key: str, action: str, reason: str | None, limit: int, seconds: float) -> Acted:
        database, ends, changed = self.client.database, time.monotonic() + seconds, 0
        verb = self.client.requeue if action == "requeue" else self.client.delete
        while changed < limit and time.monotonic() < ends:
            size = min(_BATCH, limit - changed)
            ids = database.read(lambda tx, n=size: failures.members(tx, key, n))  # type: ignore[misc]
            answers = verb(ids, reason=reason, expected=["Failed"])
            changed += sum(map(bool, answers))
            left = [(key, answer.job_id) for answer in answers if not answer]
            if not ids or (left and not database.run(lambda tx, some=left: failures.prune(tx, some))):  # type: ignore[misc]
                break
        return Acted(changed, bool(database.read(lambda tx: failures.members(tx, key, 1))))
