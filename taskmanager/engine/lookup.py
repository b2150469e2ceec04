"""A job by the name that people use: one that discovery found, a row of c_Job, or what it became; for every door."""

from __future__ import annotations

from collections.abc import Iterable

from taskmanager.domain.errors import AmbiguousJob, UnknownJob
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine import moving
from taskmanager.engine.legacy_schedule import PREFIX
from taskmanager.engine.registry import JobDefinition, Registry


def find(
    registry: Registry, schedules: Iterable[RecurringRecord], name: str, *, registered_only: bool = False
) -> JobDefinition | RecurringRecord:
    """The job of a registered, display, function or class name, a JobName, or `c_job:ID`; in any case.

    schedules: of `RecurringJobs.by_name`; those that `are_by_name` are looked at. A row that was taken over and kept,
    inactive, leaves its name to the recurring job that it became. Raises UnknownJob, AmbiguousJob.
    """
    found, unknown = _registered(registry, name, registered_only)
    wanted = name.strip().lower()
    known = [r for r in schedules if wanted in (r.id.lower(), (r.name or "").strip().lower())]
    rows = are_by_name(known)
    moved = [r for r in rows if not r.id.startswith(PREFIX)]
    if moved:
        rows = moved + [r for r in rows if r.id.startswith(PREFIX) and not r.paused]
    matches = [*([found.name] if found else []), *(r.id for r in rows)]
    if len(matches) > 1:
        raise AmbiguousJob(f"{name!r} may be {', '.join(matches)}: use one of these")
    if found is not None:
        return found
    if not rows:
        raise unknown or UnknownJob(f"no job is named {name!r}")
    return rows[0]


def are_by_name(schedules: Iterable[RecurringRecord]) -> list[RecurringRecord]:
    """Of recurring jobs those that are jobs by a name of their own: rows of c_Job, and what rows have become."""
    return [r for r in schedules if r.id.startswith(PREFIX) or moving.procedure_of(r) is not None]


def definition(registry: Registry, name: str) -> JobDefinition:
    """The registered job of a name; no job of our own, and no function that is not marked. Raises UnknownJob."""
    found, unknown = _registered(registry, name, True)
    if found is None:
        raise unknown or UnknownJob(f"no job is named {name!r}")
    return found


def logged_name(registry: Registry, schedules: Iterable[RecurringRecord], name: str) -> tuple[str, UnknownJob | None]:
    """The name a job's runs are kept under, and what `find` raised; a job that has left the code has its runs still."""
    try:
        found = find(registry, schedules, name)
    except AmbiguousJob:
        return name, None
    except UnknownJob as error:
        return name, error
    return (found.title if isinstance(found, JobDefinition) else found.name or found.id), None


def _registered(
    registry: Registry, name: str, registered_only: bool
) -> tuple[JobDefinition | None, UnknownJob | None]:  # fmt: skip
    try:
        found = registry.find(name, registered_only=registered_only)
    except AmbiguousJob:
        raise
    except UnknownJob as error:
        return None, error
    return (None, None) if found.is_internal else (found, None)
