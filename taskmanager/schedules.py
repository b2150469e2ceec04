"""The recurring jobs that are written in code, brought into the database at a start."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from taskmanager.domain.errors import ArgumentError, InvalidArgument, InvalidCron
from taskmanager.engine.discovery import Discovered
from taskmanager.engine.recurring import RecurringJobs
from taskmanager.engine.registry import JobDefinition, Registry

log = logging.getLogger("taskmanager")


class Manager(Protocol):
    """What is needed of a TaskManager."""

    registry: Registry
    discovered: Discovered
    recurring_jobs: RecurringJobs

    def recurring(self, recurring_id: str, target: Any, *, cron: str, from_code: bool = False) -> None:
        """Add a recurring job, or change it."""
        ...


def register(tm: Manager) -> None:
    """Write them; report those that are wrong, and those that have left the code."""
    known: set[str] = set()
    for definition in tm.registry:
        if definition.cron is not None:
            _register_one(tm, definition, known)
    orphans = tm.recurring_jobs.mark_orphans(
        known, tm.registry.is_discovered, lambda name: tm.registry.get(name) is not None
    )
    for orphan in orphans:
        log.warning("recurring job %s is orphaned: its code is gone; remove it, or bring the code back", orphan)


def _register_one(tm: Manager, definition: JobDefinition, known: set[str]) -> None:
    """One job's schedule. What is wrong with it is reported, and costs the others nothing."""
    name = definition.title
    if name in known:
        log.error("two jobs with a cron are named %r; the second is known by %r", name, definition.name)
        name = definition.name
    known.add(name)
    try:
        tm.recurring(name, definition, cron=definition.cron or "", from_code=True)
    except (InvalidCron, ArgumentError, InvalidArgument) as error:
        tm.discovered.problems[definition.name] = str(error)
        log.error("recurring job %s (%s) is not scheduled: %s", name, definition.name, error)
