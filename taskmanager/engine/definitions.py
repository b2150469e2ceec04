"""What a recurring job is wanted to be: as the code or a person says it, as it is stored, and how these differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taskmanager.domain import cron as crons
from taskmanager.domain import invocation as invocations
from taskmanager.domain.cron import Misfire
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.invocation import Invocation, InvocationUnreadable
from taskmanager.domain.records import RecurringRecord
from taskmanager.domain.texts import storable
from taskmanager.engine.audit import Told
from taskmanager.engine.legacy import row_of

#: The longest id: it stands behind a prefix in Hash.Key of 100 characters.
MAX_ID = 79


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A recurring job as it is wanted."""

    id: str
    invocation: Invocation
    cron: str
    time_zone: str = "UTC"
    queue: str = "default"
    priority: int = 0
    misfire: Misfire = Misfire.RELAXED
    days_and: bool = False
    from_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What a person wants a definition to be. invocation: None keeps the call as it is. by: who pauses it thereby."""

    cron: str
    time_zone: str
    queue: str
    misfire: Misfire
    days_and: bool
    enabled: bool
    invocation: Invocation | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(Told):
    """A definition that was brought back. missing: it was not there; paused: it does not fire until it is resumed.

    differed: what of it was not as the code says.
    """

    missing: bool
    paused: bool
    differed: tuple[str, ...] = ()


def check(wanted: Definition) -> None:
    """Raises InvalidCron, InvalidArgument."""
    crons.parse(wanted.cron, wanted.time_zone, wanted.days_and)
    if not isinstance(wanted.id, str):
        raise InvalidArgument(f"a recurring job's id is a text, not {wanted.id!r}")
    if not wanted.id or len(wanted.id) > MAX_ID or storable(wanted.id) != wanted.id:
        raise InvalidArgument(f"a recurring job's id has 1 to {MAX_ID} characters: {wanted.id[:100]!r}")
    if row_of(wanted.id) is not None:
        raise InvalidArgument(f"the id {wanted.id!r} names a row of c_Job: write to that table, or take another id")


def fields_of(one: Definition | RecurringRecord) -> dict[str, str]:
    """A definition as it is stored."""
    job = one.invocation.to_compact_json() if isinstance(one, Definition) else one.job
    return {
        "Cron": one.cron, "TimeZoneId": one.time_zone, "Queue": one.queue, "Job": job,
        "Misfire": str(int(one.misfire)), "DaysAnd": str(int(one.days_and)), "Priority": str(one.priority),
    }  # fmt: skip


def is_same_schedule(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether both fire at the same moments."""
    return all(one.get(name) == other.get(name) for name in ("Cron", "TimeZoneId", "DaysAnd"))


def edited(record: RecurringRecord, wanted: Edit) -> dict[str, str]:
    """A definition as it is stored when a person has changed it."""
    fields = fields_of(record) | {
        "Cron": wanted.cron, "TimeZoneId": wanted.time_zone, "Queue": wanted.queue,
        "Misfire": str(int(wanted.misfire)), "DaysAnd": str(int(wanted.days_and)),
    }  # fmt: skip
    if wanted.invocation is not None and not _is_same_call(record.job, wanted.invocation):
        fields["Job"] = wanted.invocation.to_compact_json()
    return fields


def _is_same_call(job: str, wanted: Invocation) -> bool:
    """Whether a stored call says the same, however it is spelled."""
    try:
        found = invocations.read(job)
    except InvocationUnreadable:
        return False
    return (found.name, found.arguments) == (wanted.name, wanted.arguments)


def version(record: RecurringRecord) -> str:
    """Another one whenever somebody has changed the definition, or paused or resumed it."""
    told = json.dumps([fields_of(record), record.paused])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def facts(fields: Mapping[str, str]) -> dict[str, Any]:
    """A stored definition for the audit log, without its arguments: some may be secret, and here they have no names."""
    misfire = fields["Misfire"]
    try:
        job = invocations.read(fields["Job"]).name
    except InvocationUnreadable:
        job = fields["Job"][:200]
    return {
        "job": job, "cron": fields["Cron"], "time_zone": fields["TimeZoneId"], "queue": fields["Queue"],
        "misfire": Misfire(int(misfire)).name.lower() if misfire in ("0", "1", "2") else misfire,
        "days_and": fields["DaysAnd"] == "1", "priority": int(fields["Priority"]),
    }  # fmt: skip


def difference(known: RecurringRecord | None, wanted: Definition, *, paused: bool) -> Restored | None:
    """What is to be restored; None when all is as the code says."""
    new = fields_of(wanted)
    after = facts(new)
    if known is None:
        return Restored(kind="recurring", target=wanted.id, after=after, missing=True, paused=paused)
    old = fields_of(known)
    if old == new and known.from_code and not (known.error or known.orphaned):
        return None
    before = facts(old)
    differed = [name for name, value in after.items() if before[name] != value]
    if old["Job"] != new["Job"] and "job" not in differed:
        differed.append("arguments")
    return Restored(
        kind="recurring", target=wanted.id, before={n: before[n] for n in differed if n in before},
        after={n: after[n] for n in differed if n in after}, missing=False, paused=paused, differed=tuple(differed),
    )  # fmt: skip
