"""From rows of c_Job to recurring jobs that Python owns: the move, and the way back."""

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
from taskmanager.domain.wallclock import WallClock
from taskmanager.engine.definitions import MAX_ID, Definition
from taskmanager.engine.legacy_schedule import PREFIX, call_of
from taskmanager.storage.legacy import LegacyJob
from taskmanager.storage.procedures import checked_name


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of one row: the recurring job it turns into, or why it stays."""

    row: LegacyJob
    definition: Definition | None
    reason: str = ""


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
    rows: Iterable[LegacyJob],
    moved: Iterable[RecurringRecord],
    mailing: Container[int],
    clock: WallClock,
    now: datetime,
) -> list[dict[str, str | int | None]]:
    """The way back: the columns of each row, and of each recurring job that came from one.

    A row that was taken over and kept is given back its job's cron and IsActive: it comes back as one row, not as two.
    rows: with the whole of LastResult. mailing: rows, by ID. clock: the server's. now: naive UTC. Only a NextRun that
    a person wrote, and that lies ahead, is kept: any other would be an order to run at once, a week later.
    """
    calls = {r.id: (procedure_of(r), r) for r in moved if not r.id.startswith(PREFIX)}
    owned = {name: (procedure, record) for name, (procedure, record) in calls.items() if procedure is not None}
    back: list[dict[str, str | int | None]] = []
    for row in rows:
        kept = None if row.active else _taken_over(row, owned)
        if kept is not None:
            del owned[kept.id]
        back.append({
            "ID": row.id, "JobName": row.name, "CronExpression": row.cron if kept is None else kept.cron,
            "StoredProcName": row.procedure, "IsActive": int(row.active if kept is None else not kept.paused),
            "LastRun": _text(row.last_run), "NextRun": _text(_own_next_run(row, clock, now)),
            "LastResult": row.last_result, "FailureCount": row.failures, "EmailOnFailure": int(row.id in mailing),
        })  # fmt: skip
    for procedure, record in owned.values():
        back.append({
            "JobName": record.id, "CronExpression": record.cron, "StoredProcName": procedure,
            "IsActive": int(not record.paused),
        })  # fmt: skip
    return back


def left_behind(row: LegacyJob, clock: WallClock, now: datetime) -> str:
    """What its NextRun asks for that goes by the cron alone once the row is taken over; empty where nothing is lost.

    clock: the server's. now: naive UTC.
    """
    if row.next_run is not None and row.next_run <= clock.local(now):
        return f"NextRun {row.next_run} has passed: the row would run at once, the recurring job does not"
    own = _own_next_run(row, clock, now)
    return f"NextRun {own} is not taken over: the recurring job runs by its cron" if own is not None else ""


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(" ")


def _own_next_run(row: LegacyJob, clock: WallClock, now: datetime) -> datetime | None:
    """NextRun where it is ahead, and not what the cron says."""
    if row.next_run is None or row.next_run <= clock.local(now):
        return None
    try:
        planned = crons.parse((row.cron or "").strip(), clock.schedule).next_after(now)
    except InvalidCron:
        planned = None
    return None if planned is not None and clock.local(planned) == row.next_run else row.next_run


def _taken_over(row: LegacyJob, owned: Mapping[str, tuple[str, RecurringRecord]]) -> RecurringRecord | None:
    """The recurring job that an inactive row has become."""
    name = (row.name or "").strip()
    for one in (name, _numbered(name, row.id)):
        procedure, record = owned.get(one, (None, None))
        if procedure == row.procedure:
            return record
    return None


def _numbered(name: str, row_id: int) -> str:
    return f"{name[: MAX_ID - 22]} ({row_id})".strip()


def procedure_of(record: RecurringRecord) -> str | None:
    """The stored procedure that a recurring job calls; None when it does something else."""
    return procedure_in(record.job)


def procedure_in(job: str) -> str | None:
    """The same of a call as it is stored."""
    if _CALL.method not in job:
        return None
    try:
        return called_procedure(read(job))
    except ValueError:
        return None


def called_procedure(call: Invocation) -> str | None:
    """The stored procedure that an invocation calls; None when it does something else."""
    if _name_of(call) != _name_of(_CALL) or len(call.arguments) < 4 or call.arguments[3] is None:
        return None
    try:
        return str(json.loads(call.arguments[3]))
    except ValueError:
        return None


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
    numbered = _numbered(name, row.id)
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
