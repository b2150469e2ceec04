"""From rows of c_Job to recurring jobs that Python owns: what would differ, the move, and the way back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from taskmanager.domain import cron as crons
from taskmanager.domain.errors import InvalidArgument, InvalidCron
from taskmanager.domain.invocation import Invocation, read
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine.definitions import MAX_ID, Definition
from taskmanager.engine.legacy_schedule import PREFIX, call_of
from taskmanager.storage.legacy import LegacyJob
from taskmanager.storage.procedures import checked_name


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of c_Job and what its owner should know: problems keep it from running, notes tell what differs."""

    row: LegacyJob
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    next_runs: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of one row: the recurring job it turns into, or why it stays."""

    row: LegacyJob
    definition: Definition | None
    reason: str = ""


def check(rows: Iterable[LegacyJob], procedures: Mapping[str, int] | None, zone: str, now: datetime) -> list[Finding]:
    """Look at rows one by one. procedures: the parameters of each that is known; None when nothing is.

    zone: of the crons. now: naive UTC.
    """
    rows = list(rows)
    names = Counter((row.name or "").strip().lower() for row in rows)
    return [_finding(row, names, procedures, zone, now) for row in rows]


def plan(
    rows: Iterable[LegacyJob], zone: str, *, known: Iterable[RecurringRecord] = (), ids: Container[int] | None = None
) -> list[Move]:
    """The recurring jobs that active rows would become; an id is the row's name, with its ID unless that is unique.

    rows: the whole table. known: the recurring jobs there are: none that does something else is written over. ids: of
    the rows to be moved; all when None.
    """
    rows = list(rows)
    names = Counter((row.name or "").strip().lower() for row in rows)
    taken = {one.id.lower(): procedure_of(one) for one in known if not one.id.startswith(PREFIX)}
    return [_move(row, names, taken, zone) for row in rows if ids is None or row.id in ids]


def inserts(
    rows: Iterable[LegacyJob], moved: Iterable[RecurringRecord], mailing: Container[int]
) -> list[dict[str, str | int | None]]:
    """The way back: the columns of each row, and of each recurring job that came from one. mailing: rows, by ID."""
    back: list[dict[str, str | int | None]] = [
        {
            "ID": row.id, "JobName": row.name, "CronExpression": row.cron, "StoredProcName": row.procedure,
            "IsActive": int(row.active), "EmailOnFailure": int(row.id in mailing),
        }
        for row in rows
    ]  # fmt: skip
    for record in moved:
        name = procedure_of(record)
        if name is not None and not record.id.startswith(PREFIX):
            back.append({
                "JobName": record.id, "CronExpression": record.cron, "StoredProcName": name,
                "IsActive": int(not record.paused),
            })  # fmt: skip
    return back


def procedure_of(record: RecurringRecord) -> str | None:
    """The stored procedure that a recurring job calls; None when it does something else."""
    try:
        call = read(record.job)
    except ValueError:
        return None
    if f"{call.type}:{call.method}" != _name_of(_CALL) or len(call.arguments) < 4 or call.arguments[3] is None:
        return None
    return str(json.loads(call.arguments[3]))


def _finding(
    row: LegacyJob, names: Mapping[str, int], procedures: Mapping[str, int] | None, zone: str, now: datetime
) -> Finding:
    problems, notes = [], []
    try:
        wanted = ".".join(checked_name(row.procedure)).lower()
        if procedures is not None and wanted not in procedures:
            problems.append(f"procedure {row.procedure!r} does not exist, or this user may not see it")
        elif procedures is not None and procedures[wanted]:
            problems.append(f"procedure {row.procedure!r} takes {procedures[wanted]} parameters; c_Job has none")
    except InvalidArgument as error:
        problems.append(str(error))
    runs: tuple[datetime, ...] = ()
    cron = (row.cron or "").strip()
    if not cron:
        notes.append("no cron: runs only when it is forced")
    else:
        try:
            runs = tuple(crons.parse(cron, zone).upcoming(3, after=now))
            notes += _about(cron) if runs else ["its cron never fires"]
        except InvalidCron as error:
            problems.append(str(error))
    if names[(row.name or "").strip().lower()] > 1:
        notes.append("its name is not unique: ask for it by c_job:{ID}".replace("{ID}", str(row.id)))
    if not row.active:
        notes.append("inactive")
    return Finding(row, tuple(problems), tuple(notes), runs)


def _about(cron: str) -> list[str]:
    fields = cron.split()
    notes = ["6 fields: the first is seconds"] if len(fields) == 6 else []
    day, weekday = (fields[-3], fields[-1]) if len(fields) in (5, 6) else ("*", "*")
    if all(field not in ("*", "?") for field in (day, weekday)):
        notes.append("day of month OR day of week, as in cron")
    return notes


def _move(row: LegacyJob, names: Mapping[str, int], taken: Mapping[str, str | None], zone: str) -> Move:
    if not row.active:
        return Move(row, None, "inactive")
    cron = (row.cron or "").strip()
    if not cron:
        return Move(row, None, "no cron: runs only when it is forced")
    wanted = row.procedure
    try:
        checked_name(wanted)
        crons.parse(cron, zone)
    except (InvalidArgument, InvalidCron) as error:
        return Move(row, None, str(error))
    name = (row.name or "").strip()
    unique = name and names[name.lower()] == 1 and len(name) <= MAX_ID and not name.startswith(PREFIX)
    numbered = f"{name[: MAX_ID - 22]} ({row.id})".strip()
    free = [one for one in ([name] if unique else []) + [numbered] if taken.get(one.lower(), wanted) == wanted]
    if not free:
        return Move(row, None, f"recurring job {numbered!r} is another one: give the row another name")
    known = free[0]
    return Move(row, Definition(id=known, invocation=_call(row), cron=cron, time_zone=zone))


def _call(row: LegacyJob) -> Invocation:
    """The procedure by itself: its runs belong to no row of c_Job."""
    made = call_of(row)
    items = (made.arguments[0], made.arguments[1], "0", json.dumps(row.procedure))
    return Invocation(made.type, made.method, made.parameter_types, items)


def _name_of(call: Invocation) -> str:
    return f"{call.type}:{call.method}"


_CALL = call_of(LegacyJob(0, None, None, None, False, None, None, None, 0))
