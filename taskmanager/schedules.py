"""The recurring jobs that are written in code: brought into the database at a start, and back into it when asked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from taskmanager.config import Settings
from taskmanager.domain.errors import ArgumentError, InvalidArgument, InvalidCron
from taskmanager.engine.definitions import Definition, Restored
from taskmanager.engine.discovery import Discovered
from taskmanager.engine.recurring import RecurringJobs
from taskmanager.engine.registry import Registry

log = logging.getLogger("taskmanager")


class Manager(Protocol):
    """What is needed of a TaskManager."""

    settings: Settings
    registry: Registry
    discovered: Discovered
    recurring_jobs: RecurringJobs
    defined_by_calls: dict[str, Definition]

    def discover(self) -> Discovered:
        """Find the jobs."""
        ...

    def recurring_definition(self, recurring_id: str, target: Any, *, cron: str, from_code: bool = False) -> Definition:
        """A recurring job as it is wanted."""
        ...


@dataclass(frozen=True, slots=True)
class Restoration:
    """What came of restoring the definitions of the code. problems: why some are not written, by the job's name."""

    restored: tuple[Restored, ...]
    unchanged: int
    problems: Mapping[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether no definitions are known here at all."""
        return not (self.restored or self.unchanged or self.problems)


#: So many recurring jobs whose code is gone are named in the log of a start.
_NAMED = 20
#: Whether what code defines by calls is only noted: it is about to be restored.
_only_noted: ContextVar[bool] = ContextVar("taskmanager_only_noted", default=False)


def define(tm: Manager, wanted: Definition) -> None:
    """Write a recurring job that a call defines; note it when it is one of the code."""
    if wanted.from_code and _only_noted.get():
        tm.recurring_jobs.check(wanted)
    else:
        tm.recurring_jobs.add_or_update(wanted)
    if wanted.from_code:
        tm.defined_by_calls[wanted.id] = wanted
    else:
        tm.defined_by_calls.pop(wanted.id, None)


def register(tm: Manager) -> None:
    """Write them; report those that are wrong, and those that have left the code."""
    wanted, names = _wanted(tm)
    for one in wanted:
        try:
            tm.recurring_jobs.add_or_update(one)
            log.info("recurring job %s: %s, %s", one.id, one.cron, one.time_zone)
        except InvalidCron as error:  # what a person has changed in it cannot be read on this host
            log.error("recurring job %s stays as it is: %s", one.id, error)
    log.info("%d recurring jobs of the code are in the database", len(wanted))
    orphans = tm.recurring_jobs.mark_orphans(
        names, tm.registry.is_discovered, lambda name: tm.registry.get(name) is not None
    )
    for orphan in orphans[:_NAMED]:
        log.warning("recurring job %s is orphaned: its code is gone; remove it, or bring the code back", orphan)
    if len(orphans) > _NAMED:
        log.warning(
            "and so are %d more recurring jobs: `taskmanager recurring list` tells which", len(orphans) - _NAMED
        )


def restore(tm: Manager) -> Restoration:
    """Bring back those that are missing, or are not as the code says; pauses survive."""
    if tm.settings.discover and not tm.discovered.modules:
        token = _only_noted.set(True)
        try:
            tm.discover()
        finally:
            _only_noted.reset(token)
    wanted, _ = _wanted(tm)
    restored = tm.recurring_jobs.restore(wanted)
    for one in restored:
        log.info("recurring job %s is restored: %s", one.target, "it was missing" if one.missing else one.differed)
    problems = {name: text for name, text in tm.discovered.problems.items() if tm.registry.get(name) is not None}
    return Restoration(tuple(restored), len(wanted) - len(restored), problems)


def _wanted(tm: Manager) -> tuple[list[Definition], set[str]]:
    """The definitions, and the ids of all, also of those that are wrong: that is reported, and costs no other."""
    found: dict[str, Definition] = {}
    names: set[str] = set()
    for definition in tm.registry:
        if definition.cron is None:
            continue
        name = definition.title
        if name in names:
            log.error("two jobs with a cron are named %r; the second is known by %r", name, definition.name)
            name = definition.name
        names.add(name)
        try:
            one = tm.recurring_definition(name, definition, cron=definition.cron, from_code=True)
            tm.recurring_jobs.check(one)
            found[name] = one
            tm.discovered.problems.pop(definition.name, None)
        except (InvalidCron, ArgumentError, InvalidArgument) as error:
            tm.discovered.problems[definition.name] = str(error)
            log.error("recurring job %s (%s) is not scheduled: %s", name, definition.name, error)
    names |= tm.defined_by_calls.keys()
    return [*found.values(), *(one for one in tm.defined_by_calls.values() if one.id not in found)], names
