"""A job by the name that people use: one that discovery found, or a row of c_Job; for every door alike."""

from __future__ import annotations

from collections.abc import Iterable

from taskmanager.domain.errors import AmbiguousJob, UnknownJob
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine.registry import JobDefinition, Registry


def find(
    registry: Registry, schedules: Iterable[RecurringRecord], name: str, *, registered_only: bool = False
) -> JobDefinition | RecurringRecord:
    """The job of a registered, display, function or class name, a JobName, or `c_job:ID`; in any case.

    schedules: all recurring jobs; the rows of c_Job among them are looked at. Raises UnknownJob, AmbiguousJob.
    """
    found, unknown = _registered(registry, name, registered_only)
    wanted = name.strip().lower()
    rows = [r for r in schedules if r.id.startswith("c_job:") and wanted in (r.id, (r.name or "").lower())]
    matches = [*([found.name] if found else []), *(r.id for r in rows)]
    if len(matches) > 1:
        raise AmbiguousJob(f"{name!r} may be {', '.join(matches)}: use one of these")
    if found is not None:
        return found
    if not rows:
        raise unknown or UnknownJob(f"no job is named {name!r}")
    return rows[0]


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
