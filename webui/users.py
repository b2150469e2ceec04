"""Users, and what roles let them do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

VIEW = frozenset({"jobs.view", "args.view"})
MANAGE = frozenset(
    {
        "jobs.manage", "jobs.requeue", "jobs.delete", "jobs.enqueue", "jobs.edit", "recurring.trigger",
        "recurring.pause", "recurring.remove", "recurring.edit", "recurring.restore", "queues.pause", "types.pause",
        "servers.drain", "operations.start", "operations.stop", "alerts.edit", "audit.view",
        "history.export", "system.view",
    }
)  # fmt: skip
ROLES: Mapping[str, frozenset[str]] = {"view": VIEW, "manage": VIEW | MANAGE}


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signed in."""

    name: str
    actions: frozenset[str]


class Refused(Exception):
    """A token that lets nobody in, and why, for the log; who sent it is told only that it did not."""
