"""What is to be done about a row of c_Job: decided from the row, what is remembered about it, and the time."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime

from taskmanager.domain import cron as crons
from taskmanager.domain.errors import InvalidCron
from taskmanager.domain.wallclock import WallClock
from taskmanager.storage.legacy import LegacyRow
from taskmanager.storage.legacy_marks import Known

SYSTEM, SQL = "System", "SQL"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done. plan: write `known.wall` to NextRun. fire: what triggered the run that is to be made.

    slot: the moment (UTC) for which we had planned that run; None where a person's NextRun fires it.
    note: what to tell in LastResult. take_back: runs that have not begun and are not to begin.
    """

    known: Known
    plan: bool = False
    fire: str | None = None
    slot: datetime | None = None
    note: str | None = None
    take_back: tuple[int, ...] = ()


def decide(
    row: LegacyRow, known: Known | None, now: datetime, clock: WallClock, *, unfinished: Set[int], mark: str
) -> Decision | None:
    """What to do about a row now; None when it is nothing.

    now: naive UTC. unfinished: the jobs among `known.runs` that have not ended. mark: for a row not known yet.
    """
    before = known
    if known is None or not known.is_of(row.name, row.procedure):
        known = Known(mark)
    known = replace(known, name=row.name, procedure=row.procedure, active=row.active)
    made = _active(row, known, now, clock, unfinished) if row.active else _inactive(row, known, before)
    idle = not (made.plan or made.fire or made.note or made.take_back)
    return None if idle and made.known == before else made


def _inactive(row: LegacyRow, known: Known, before: Known | None) -> Decision:
    """It is planned anew when it is active again, so that no run comes from a NextRun gone stale."""
    stopped = before is not None and before.active and before.mark == known.mark
    waiting = tuple(job for job, by in known.runs.items() if by in (SYSTEM, SQL)) if stopped else ()
    known = replace(known, cron=None, wall=None, utc=None, fault=None)
    return Decision(known, plan=row.next_run is not None, take_back=waiting)


def _active(row: LegacyRow, known: Known, now: datetime, clock: WallClock, unfinished: Set[int]) -> Decision:
    cron = (row.cron or "").strip()
    untouched = row.next_run is not None and row.next_run == known.wall
    is_planned = (known.cron, known.zone) == (cron, clock.schedule)
    if is_due(row, known, now, clock) and not (untouched and known.cron != cron):
        if any(job in unfinished for job in known.runs):
            return Decision(known)  # it waits: runs of one row never overlap
        slot = known.utc if untouched else None
        return replace(_planned(known, cron, now, clock, fire=SYSTEM if untouched else SQL), slot=slot)
    if row.next_run is None and not (is_planned and known.wall is None):
        return _planned(known, cron, now, clock)
    if untouched and not is_planned:
        return _planned(known, cron, now, clock)
    return _judged(known, cron)


def is_due(row: LegacyRow, known: Known | None, now: datetime, clock: WallClock) -> bool:
    """Whether the time of an active row has come. What was written by us stands for a moment; a person's NextRun
    is what the wall clock shows."""
    if row.next_run is None:
        return False
    if known is not None and known.utc is not None and row.next_run == known.wall:
        return now >= known.utc
    return row.next_run <= clock.local(now)


def _planned(known: Known, cron: str, now: datetime, clock: WallClock, *, fire: str | None = None) -> Decision:
    judged = _judged(known, cron)
    moment = crons.parse(cron, clock.schedule).next_after(now) if cron and judged.known.fault is None else None
    known = replace(
        judged.known, cron=cron, zone=clock.schedule, utc=moment, wall=None if moment is None else clock.local(moment)
    )
    return replace(judged, known=known, plan=True, fire=fire)


def _judged(known: Known, cron: str) -> Decision:
    """What is wrong with a cron is told once for each text of it. An empty one is nothing wrong: it is never due."""
    fault = None
    try:
        if cron:
            crons.parse(cron)
    except InvalidCron as error:
        fault = str(error)
    told = fault is None or fault == known.fault
    return Decision(replace(known, fault=fault), note=None if told else fault)
