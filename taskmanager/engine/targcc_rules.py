"""What is to be done about a row of the older c_Job: decided from it, what is remembered about it, and the time."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from taskmanager.domain.targcc import Kind, Rule, Unplannable, following, kind_of, next_slot
from taskmanager.domain.texts import whole
from taskmanager.domain.wallclock import WallClock
from taskmanager.storage.targcc import TargccRow
from taskmanager.storage.targcc_marks import Known

SYSTEM, SQL = "System", "SQL"
#: The parameter of a run that bounds it: the TimeOutSec of its row.
TIMEOUT = "TimeOutSec"
#: Who is told to stop and does not, in so long, is told as a failure all the same.
STUBBORN = timedelta(seconds=15)
#: How long a managed row without TimeOutSec may be InProcess by somebody else's hand.
_FOREIGN_SECONDS = 3600
_OVER = frozenset({"Succeeded", "Failed", "Deleted"})


class Act(Enum):
    """What to do with a row. FREE: it is InProcess, and nobody runs it any more."""

    STOP = "stop"
    PLAN = "plan"
    FIRE = "fire"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Facts:
    """What else is known. states: of the jobs that rows were claimed for. begun: since when those run.

    owed: jobs whose outcomes wait to be written.
    """

    now: datetime
    clock: WallClock
    states: Mapping[int, str | None]
    begun: Mapping[int, datetime]
    owed: Set[int]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done. text: why a row is freed, or what to tell of it. take_back: a run to be cancelled."""

    known: Known
    act: Act | None = None
    text: str | None = None
    by: str = SYSTEM
    take_back: int | None = None


def decide(row: TargccRow, before: Known | None, facts: Facts) -> Decision | None:
    """What to do about a row now; None when it is nothing."""
    known = before or Known()
    if known.code != row.code:
        known = Known(row.code, job=known.job, claimed=known.claimed, last=known.last, freed=known.freed)
    made = _in_process(row, known, facts) if row.in_process else _idle(row, known, facts)
    idle = made.act is None and made.text is None and made.take_back is None
    return None if idle and made.known == before else made


def is_due(row: TargccRow, known: Known, now: datetime, clock: WallClock) -> bool:
    """Whether the time of a row has come. What was written by us stands for a moment; a person's NextRunTime is
    what the wall clock shows."""
    if row.next_run is None:
        return False
    if known.utc is not None and row.next_run == known.wall:
        return now >= known.utc
    return row.next_run <= clock.local(now)


def due_at(next_run: datetime, known: Known | None, clock: WallClock) -> datetime:
    """The moment (UTC) at which the NextRunTime of a row comes."""
    if known is not None and known.utc is not None and known.wall == next_run:
        return known.utc
    return clock.utc(next_run)


def _in_process(row: TargccRow, known: Known, facts: Facts) -> Decision:
    if known.job is None:
        return _foreign(row, known, facts)
    state = facts.states.get(known.job)
    if state is None or state in _OVER:
        what = "is gone" if state is None else f"is {state}"
        gone = f"job {known.job}, which ran it, {what}, and its end was not written here"
        return Decision(known) if known.job in facts.owed else Decision(known, Act.FREE, gone)
    begun = facts.begun.get(known.job)
    if row.timeout is None or begun is None or facts.now < begun + timedelta(seconds=row.timeout) + STUBBORN:
        return Decision(known)
    over = f"it ran longer than TimeOutSec ({row.timeout} s), and does not end when it is told to"
    return Decision(replace(known, freed=known.job), Act.FREE, over)


def _foreign(row: TargccRow, known: Known, facts: Facts) -> Decision:
    """Somebody else claimed it: an external program, an older TaskManager that may be dead, or a person."""
    seconds = row.timeout or (_FOREIGN_SECONDS if row.managed else None)
    if seconds is None or (row.last_run is None and not row.managed):
        return Decision(known)
    if row.last_run is not None and facts.now < facts.clock.utc(row.last_run) + timedelta(seconds=seconds):
        return Decision(known)
    return Decision(known, Act.FREE, f"its end was not reported within {seconds} s (TimeOutSec)")


def _idle(row: TargccRow, known: Known, facts: Facts) -> Decision:
    """Whoever took a running row out of InProcess means its run to end."""
    unfinished = known.job is not None and facts.states.get(known.job) not in (None, *_OVER)
    made = _wanted(row, replace(known, job=None, claimed=None), facts)
    return replace(made, take_back=known.job) if unfinished else made


def _wanted(row: TargccRow, known: Known, facts: Facts) -> Decision:
    if not row.managed:
        return Decision(known)
    if not row.active:
        known = replace(known, rule=None, wall=None, utc=None, fault=None)
        return Decision(known, Act.STOP if row.next_run is not None else None)
    rule = _text(row.rule)
    untouched = row.next_run is not None and row.next_run == known.wall
    if is_due(row, known, facts.now, facts.clock) and not (untouched and known.rule != rule):
        return Decision(known, Act.FIRE, by=SYSTEM if untouched or known.wall is None else SQL)
    if row.next_run is None and (known.rule, known.wall) == (rule, None):
        return Decision(known)  # it was told that there is no next time
    if row.next_run is None or (untouched and known.rule != rule):
        planned = plan(row, known, facts.clock, facts.now)
        told = planned.fault is None or planned.fault == known.fault
        return Decision(planned, Act.PLAN, None if told else planned.fault)
    return Decision(known)


def plan(row: TargccRow, known: Known, clock: WallClock, now: datetime) -> Known:
    """When it runs next, as `wall` and `utc` of what is known; or why it does not, as `fault`."""
    last = known.last or (None if row.last_run is None else clock.utc(row.last_run))
    fault, slot = None, None
    try:
        slot = next_slot(row.rule, clock, now, last)
    except Unplannable as error:
        fault = str(error)
    wall, utc = (None, None) if slot is None else (slot.wall, slot.utc)
    return replace(known, rule=_text(row.rule), wall=wall, utc=utc, fault=fault)


def resume(row: TargccRow, known: Known, clock: WallClock, now: datetime) -> Known:
    """As `plan`, for a row that was paused: what was missed is not owed. A OneOff row whose time is past has none."""
    planned = plan(row, known, clock, now)
    if planned.utc is None or planned.utc > now:
        return planned
    if kind_of(row.rule.kind) is Kind.ONE_OFF:
        return replace(planned, wall=None, utc=None)
    slot = next_slot(row.rule, clock, now, now)
    return replace(planned, wall=slot.wall, utc=slot.utc)


def has_missed(row: TargccRow, known: Known, since: datetime | None, clock: WallClock, now: datetime) -> bool:
    """Whether a row that is not active would have run since a moment (UTC), or since its last run."""
    last = known.last or (None if row.last_run is None else clock.utc(row.last_run))
    begun = since or last
    if row.active or row.in_process or not row.managed or begun is None:
        return False
    try:
        return next_slot(row.rule, clock, begun, last).utc <= now
    except Unplannable:
        return False


@dataclass(frozen=True, slots=True)
class Ending:
    """What a row is left with after a run: NextRunTime, and whether it is done with for good."""

    known: Known
    next_run: datetime | None
    retire: bool = False


def ending(row: TargccRow, known: Known, clock: WallClock, now: datetime) -> Ending:
    """What follows a run. An edit during the run has the last word, and a time that is still to come stays."""
    touched = row.next_run != known.claimed
    after = replace(known, job=None, claimed=None)
    if not row.active or not row.managed:
        return Ending(after, None if row.managed else row.next_run)
    if touched or not is_due(row, known, now, clock):
        return Ending(after, row.next_run)
    if kind_of(row.rule.kind) is Kind.ONE_OFF:
        return Ending(replace(after, rule=None, wall=None, utc=None), None, retire=True)
    after = plan(row, after, clock, now)
    return Ending(after, after.wall)


def expected(row: TargccRow, known: Known, facts: Facts) -> datetime | None:
    """When a row that has not begun was to begin (UTC); None for one that runs, is off, or has no time.

    An external program's row is expected one period after its last run.
    """
    if not row.active:
        return None
    if not row.managed:
        after = None if row.in_process or row.last_run is None else following(row.rule, row.last_run)
        return None if after is None else facts.clock.utc(after)
    if row.in_process:
        waits = known.job is not None and facts.states.get(known.job) == "Enqueued"
        return facts.clock.utc(known.claimed) if waits and known.claimed is not None else None
    if row.next_run is None:
        return None
    return known.utc if known.utc is not None and row.next_run == known.wall else facts.clock.utc(row.next_run)


def timeout_of(parameters: Mapping[str, str], otherwise: float | None) -> float | None:
    """How many seconds a run may take: its row's TimeOutSec, else what its definition says."""
    given = whole(parameters.get(TIMEOUT))
    return float(given) if given else otherwise


def _text(rule: Rule) -> str:
    return f"{rule.kind}|{rule.when}|{rule.every}"
