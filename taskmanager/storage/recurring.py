"""Recurring jobs: a hash `python:recurring-job:{id}` each, and the set of their next times.

Python's live in their own set, so that a .NET scheduler on the same tables leaves them alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from taskmanager.domain import times
from taskmanager.domain.records import Pause, RecurringRecord
from taskmanager.domain.texts import whole
from taskmanager.storage import structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

SET = "python:recurring-jobs"
HASH = "python:recurring-job:"
#: Outlives the definition: a job removed from the dashboard and restored from code comes back paused. The score is the
#: unix second at which it resumes by itself, 0 when it does not.
PAUSED = "paused-recurring-jobs"
#: Hashes that tell of a pause: Since, Until, By, Note.
PAUSE = "recurring-pause:"
#: The fields that make a definition.
DEFINING = ("Cron", "TimeZoneId", "Queue", "Job", "Misfire", "DaysAnd", "Priority")
_OF_PAUSES = ("Since", "Until", "By", "Note")
#: The score of a job that has no next time.
NEVER = -1.0


@statement
def ended_members(t: Tables, p: Product) -> Any:
    """A score of 0 is a pause without end."""
    s = t.set.c
    at_once = s.Score > 0, s.Score <= bindparam("now")
    return select(s.Value).where(s.Key == PAUSED, *at_once).order_by(s.Score).limit(bindparam("limit"))


@statement
def insert_member(t: Tables, p: Product) -> str:
    """Refused by the unique index when there is a recurring job of this id, or somebody is making one."""
    return p.insert_text(t.set, ("Key", "Value", "Score"))


@statement
def members_after(t: Tables, p: Product) -> Any:
    """A page of all by id, by the index."""
    s = t.set.c
    beyond = s.Key == SET, s.Value > bindparam("after")
    return select(s.Value).where(*beyond).order_by(s.Value).limit(bindparam("limit"))


@statement
def recurring_calls(t: Tables, p: Product) -> str:
    """What each of all calls, and no more of it."""
    q = p.quote
    key = p.concat(f"'{HASH}'", f"s.{q('Value')}")
    return (
        f"SELECT s.{q('Value')}, h.{q('Value')} FROM {q(t.set.name)} s JOIN {q(t.hash.name)} h "
        f"ON h.{q('Key')} = {key} AND h.{q('Field')} = 'Job' WHERE s.{q('Key')} = '{SET}'"
    )


@statement
def paused_members(t: Tables, p: Product) -> Any:
    """Which of some are paused: with thousands of pauses nobody reads them all for one."""
    s = t.set.c
    return select(s.Value, s.Score).where(s.Key == PAUSED, s.Value.in_(bindparam("ids", expanding=True)))


def load(tx: Tx, recurring_id: str, *, lock: bool = False) -> RecurringRecord | None:
    """One recurring job; locked by its member of the set when it is to be changed."""
    if lock and structures.lock_one(tx, SET, recurring_id) is None:
        return None
    return next(iter(load_these(tx, [recurring_id], paused_among(tx, [recurring_id]))), None)


def load_all(tx: Tx) -> list[RecurringRecord]:
    """All recurring jobs, by id."""
    return load_all_with(tx)[0]


def load_all_with(tx: Tx) -> tuple[list[RecurringRecord], dict[str, Pause]]:
    """The same, and in the same statements what is known of the pauses of all, rows of c_Job among them."""
    sets = structures.members_of(tx, [SET, PAUSED])
    ids, paused = list(sets[SET]), sets[PAUSED]
    hashes = structures.fields_of(tx, [HASH + i for i in ids] + [PAUSE + i for i in paused])
    found = [record_in(i, hashes, paused) for i in ids if HASH + i in hashes]
    return found, {i: known for i in paused if (known := pause_in(i, hashes, paused)) is not None}


def load_these(tx: Tx, ids: Sequence[str], paused: Mapping[str, float]) -> list[RecurringRecord]:
    """Recurring jobs by their ids, in one statement; those that are gone are left out."""
    hashes = structures.fields_of(tx, [HASH + i for i in ids] + [PAUSE + i for i in ids if i in paused])
    return [record_in(i, hashes, paused) for i in ids if HASH + i in hashes]


def page_after(tx: Tx, after: str, limit: int) -> tuple[list[RecurringRecord], str | None]:
    """Those with the next ids after one, and the id after which to go on; None at the end."""
    ids = [str(r[0]) for r in tx.execute(members_after, {"after": after, "limit": limit + 1})]
    page = ids[:limit]
    return load_these(tx, page, paused_among(tx, page)), page[-1] if len(ids) > limit else None


def calls(tx: Tx) -> list[tuple[str, str]]:
    """The id of each recurring job with what it calls, as that is stored."""
    return [(str(i), job or "") for i, job in tx.execute(recurring_calls, {})]


def load_due(tx: Tx, now: datetime, limit: int) -> list[tuple[str, RecurringRecord | None]]:
    """Due recurring jobs, their members locked; what another scheduler holds is passed by."""
    ids = [member for _, member, _ in structures.due(tx, SET, times.to_unix(now), limit, lock=True)]
    hashes = structures.fields_of(tx, [HASH + i for i in ids])
    return [(i, _record(i, hashes[HASH + i], None) if HASH + i in hashes else None) for i in ids]


def save(tx: Tx, recurring_id: str, fields: Mapping[str, str | None], next_at: datetime | None) -> None:
    """Write fields of a recurring job, and when it is due next."""
    spelled = dict(fields) | {"NextExecution": times.to_iso(next_at) if next_at else ""}
    structures.put(tx, SET, {recurring_id: times.to_unix(next_at) if next_at else NEVER})
    structures.set_fields(tx, HASH + recurring_id, spelled)


def claim_id(tx: Tx, recurring_id: str) -> None:
    """Take the id of a recurring job that is new, before it is written. Raises DuplicateKey when there is one.

    Who makes the same at the same time waits here until the first has committed.
    """
    tx.execute(insert_member, {"Key": SET, "Value": recurring_id, "Score": NEVER})


def remove(tx: Tx, recurring_id: str) -> bool:
    """Delete a recurring job; whether it was there."""
    gone = structures.remove(tx, SET, [recurring_id])
    structures.remove_hash(tx, HASH + recurring_id)
    return gone > 0


def set_paused(tx: Tx, recurring_id: str, pause: Pause | None) -> None:
    """Remember that a recurring job is paused, or forget it."""
    if pause is None:
        structures.remove(tx, PAUSED, [recurring_id])
        structures.remove_hash(tx, PAUSE + recurring_id)
        return
    structures.put(tx, PAUSED, {recurring_id: times.to_unix(pause.until) if pause.until else 0})
    since, end = (times.to_iso(m) if m else "" for m in (pause.since, pause.until))
    told = dict(zip(_OF_PAUSES, (since, end, pause.by, pause.note), strict=True))
    structures.set_fields(tx, PAUSE + recurring_id, told)


def put_off(tx: Tx, recurring_id: str, at: datetime) -> None:
    """Let a pause end at another moment."""
    structures.put(tx, PAUSED, {recurring_id: times.to_unix(at)})


def ended_pauses(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Ids of recurring jobs whose pause has ended, unlocked: the job is locked first, everywhere in the house."""
    return sorted(str(r[0]) for r in tx.execute(ended_members, {"now": times.to_unix(now), "limit": limit}))


def pause_of(tx: Tx, recurring_id: str) -> Pause | None:
    """What is known of a pause; None of a job that is not paused."""
    return pause_in(recurring_id, structures.fields_of(tx, [PAUSE + recurring_id]), paused_among(tx, [recurring_id]))


def with_pauses(tx: Tx, records: Sequence[RecurringRecord]) -> list[RecurringRecord]:
    """Rows of c_Job with what is known of their pauses; nothing where an operator has made them active again."""
    hashes = structures.fields_of(tx, [PAUSE + r.id for r in records if r.paused])
    return [with_pause_in(r, hashes) for r in records]


def with_pause_in(record: RecurringRecord, hashes: Mapping[str, Mapping[str, str]]) -> RecurringRecord:
    """One of them, out of hashes that were read."""
    if not record.paused or PAUSE + record.id not in hashes:
        return record
    end = _moment(hashes[PAUSE + record.id].get("Until"))
    return replace(record, pause=pause_in(record.id, hashes, {record.id: times.to_unix(end) if end else 0.0}))


def paused_rows(tx: Tx, prefix: str) -> frozenset[int]:
    """Rows of c_Job of whose pause something is known. prefix: of their ids."""
    numbers = (whole(i.removeprefix(prefix)) for i in lock_free_paused(tx) if i.startswith(prefix))
    return frozenset(n for n in numbers if n is not None)


def lock_free_paused(tx: Tx) -> dict[str, float]:
    """Paused recurring jobs, with the unix seconds at which they resume by themselves; 0 for those that do not."""
    return structures.members(tx, PAUSED)


def paused_among(tx: Tx, ids: Sequence[str]) -> dict[str, float]:
    """The same of some."""
    return {str(r[0]): float(r[1]) for r in tx.execute(paused_members, {"ids": list(ids)})} if ids else {}


def until(paused: Mapping[str, float], recurring_id: str) -> datetime | None:
    """When a paused job resumes by itself."""
    at = paused.get(recurring_id, 0)
    return times.from_unix(at) if at > 0 else None


def record_in(
    recurring_id: str, hashes: Mapping[str, Mapping[str, str]], paused: Mapping[str, float]
) -> RecurringRecord:
    """A recurring job out of hashes that were read."""
    return _record(recurring_id, hashes[HASH + recurring_id], pause_in(recurring_id, hashes, paused))


def pause_in(recurring_id: str, hashes: Mapping[str, Mapping[str, str]], paused: Mapping[str, float]) -> Pause | None:
    """What hashes that were read tell of a pause; None of a job that is not paused."""
    if recurring_id not in paused:
        return None
    told = hashes.get(PAUSE + recurring_id, {})
    return Pause(
        _moment(told.get("Since")), until(paused, recurring_id), told.get("By") or None, told.get("Note") or None
    )


def _record(recurring_id: str, fields: Mapping[str, str], pause: Pause | None) -> RecurringRecord:
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
        paused=pause is not None,
        days_and=fields.get("DaysAnd") == "1",
        orphaned=fields.get("Orphaned") == "1",
        priority=_number(fields.get("Priority", "")),
        from_code=fields.get("FromCode") == "1",
        overrides=_names(fields.get("Overrides")),
        in_code=_texts(fields.get("InCode")),
        pause=pause,
        resumed_at=_moment(fields.get("ResumedAt")),
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
