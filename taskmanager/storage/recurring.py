"""Recurring jobs: a hash `python:recurring-job:{id}` each, and the set of their next times.

Python's live in their own set, so that a .NET scheduler on the same tables leaves them alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.records import RecurringRecord
from taskmanager.domain.texts import whole
from taskmanager.storage import structures
from taskmanager.storage.transaction import Tx

SET = "python:recurring-jobs"
HASH = "python:recurring-job:"
#: Outlives the definition: a job removed from the dashboard and restored from code comes back paused.
PAUSED = "paused-recurring-jobs"
#: The fields that make a definition.
DEFINING = ("Cron", "TimeZoneId", "Queue", "Job", "Misfire", "DaysAnd", "Priority")
#: The score of a job that has no next time.
NEVER = -1.0


def load(tx: Tx, recurring_id: str, *, lock: bool = False) -> RecurringRecord | None:
    """One recurring job; locked by its member of the set when it is to be changed."""
    if lock and structures.lock_one(tx, SET, recurring_id) is None:
        return None
    fields = structures.fields(tx, HASH + recurring_id)
    paused = lock_free_paused(tx)
    return _record(recurring_id, fields, recurring_id in paused) if fields else None


def load_all(tx: Tx) -> list[RecurringRecord]:
    """All recurring jobs, by id."""
    return load_these(tx, list(structures.members(tx, SET)), lock_free_paused(tx))


def load_these(tx: Tx, ids: Sequence[str], paused: Collection[str]) -> list[RecurringRecord]:
    """Recurring jobs by their ids, in one statement; those that are gone are left out."""
    hashes = structures.fields_of(tx, [HASH + i for i in ids]) if ids else {}
    return [_record(i, hashes[HASH + i], i in paused) for i in ids if HASH + i in hashes]


def load_due(tx: Tx, now: datetime, limit: int) -> list[tuple[str, RecurringRecord | None]]:
    """Due recurring jobs, their members locked; what another scheduler holds is passed by."""
    ids = [member for _, member, _ in structures.due(tx, SET, times.to_unix(now), limit, lock=True)]
    hashes = structures.fields_of(tx, [HASH + i for i in ids])
    return [(i, _record(i, hashes[HASH + i], False) if HASH + i in hashes else None) for i in ids]


def save(tx: Tx, recurring_id: str, fields: Mapping[str, str | None], next_at: datetime | None) -> None:
    """Write fields of a recurring job, and when it is due next."""
    spelled = dict(fields) | {"NextExecution": times.to_iso(next_at) if next_at else ""}
    structures.put(tx, SET, {recurring_id: times.to_unix(next_at) if next_at else NEVER})
    structures.set_fields(tx, HASH + recurring_id, spelled)


def remove(tx: Tx, recurring_id: str) -> bool:
    """Delete a recurring job; whether it was there."""
    gone = structures.remove(tx, SET, [recurring_id])
    structures.remove_hash(tx, HASH + recurring_id)
    return gone > 0


def set_paused(tx: Tx, recurring_id: str, paused: bool) -> None:
    """Remember or forget that a recurring job is paused."""
    if paused:
        structures.put(tx, PAUSED, {recurring_id: 0})
    else:
        structures.remove(tx, PAUSED, [recurring_id])


def lock_free_paused(tx: Tx) -> set[str]:
    """Ids of paused recurring jobs."""
    return set(structures.members(tx, PAUSED))


def _record(recurring_id: str, fields: Mapping[str, str], paused: bool) -> RecurringRecord:
    return RecurringRecord(
        id=recurring_id,
        cron=fields.get("Cron", ""),
        time_zone=fields.get("TimeZoneId") or "UTC",
        queue=fields.get("Queue") or "default",
        job=fields.get("Job", ""),
        misfire=whole(fields.get("Misfire")) or 0,
        created_at=_moment(fields.get("CreatedAt")),
        next_execution=_moment(fields.get("NextExecution")),
        last_execution=_moment(fields.get("LastExecution")),
        last_job_id=whole(fields.get("LastJobId")),
        error=fields.get("Error") or None,
        paused=paused,
        days_and=fields.get("DaysAnd") == "1",
        orphaned=fields.get("Orphaned") == "1",
        priority=_number(fields.get("Priority", "")),
        from_code=fields.get("FromCode") == "1",
        overrides=_names(fields.get("Overrides")),
        in_code=_texts(fields.get("InCode")),
    )


def _names(text: str | None) -> tuple[str, ...]:
    """The fields that a person has changed in a definition of the code."""
    found = _loaded(text)
    return tuple(n for n in found if n in DEFINING) if isinstance(found, list) else ()


def _texts(text: str | None) -> Mapping[str, str]:
    """What the code says of such a definition."""
    found = _loaded(text)
    return {k: str(v) for k, v in found.items() if k in DEFINING} if isinstance(found, dict) else {}


def _loaded(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> int:
    number = whole(text.removeprefix("-")) or 0
    return -number if text.startswith("-") else number


def _moment(text: str | None) -> datetime | None:
    """A moment as it was written; None for what no Hangfire writes, so that it stops no other job."""
    try:
        return times.parse(text)
    except (ValueError, OverflowError):
        return None
