"""When rows of the older c_Job run next: decided from enmJobType, WhenToRun, CyclicCount, the last start and the time.

Calendar kinds go by the server's wall clock, hours, minutes and seconds by time that passes: a clock that is put
forward or back neither drops nor doubles a run.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import count

from taskmanager.domain.wallclock import WallClock

#: No clock is put forward by more.
_LONGEST_GAP = timedelta(hours=3)


class Kind(StrEnum):
    """enmJobType. UD (undefined) has no rule, as what is not listed here."""

    ANNUALLY = "Annually"
    MONTHLY = "Monthly"
    WEEKLY = "Weekly"
    DAILY = "Daily"
    CYCLIC_DAY = "CyclicDay"
    CYCLIC_HOUR = "CyclicHour"
    CYCLIC_MIN = "CyclicMin"
    CYCLIC_SEC = "CyclicSec"
    ONE_OFF = "OneOff"


def items_of(result: str | None) -> tuple[int | None, int | None]:
    """How many items a run did and failed at, as the metadata of its JobResult says; of failed ones it is a Warning."""
    try:
        value = json.loads(result or "null")
    except ValueError:
        return None, None
    facts = value.get("metadata") if isinstance(value, dict) else None
    facts = facts if isinstance(facts, dict) else {}
    done, failed = (facts.get(n) if isinstance(facts.get(n), int) else None for n in ("SuccessCount", "FailureCount"))
    return done, failed


class Unplannable(ValueError):
    """A row says no time at which it is to run; the message says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a row says of its times. when: a time of the wall clock. every: CyclicCount."""

    kind: str | None
    when: datetime | None
    every: int | None

    def __str__(self) -> str:
        """For people: `Weekly Sun 02:00`."""
        kind, when = kind_of(self.kind), self.when
        if kind is None:
            return self.kind or ""
        if kind in _CYCLIC:
            return f"{kind} {self.every}"
        if when is None:
            return str(kind)
        day = {
            Kind.ANNUALLY: f"{when:%m-%d} ", Kind.MONTHLY: f"{when.day} ", Kind.WEEKLY: f"{when:%a} ",
            Kind.ONE_OFF: f"{when:%Y-%m-%d} ",
        }  # fmt: skip
        return f"{kind} {day.get(kind, '')}{when:%H:%M}{when.strftime(':%S') if when.second else ''}"


@dataclass(frozen=True, slots=True)
class Slot:
    """A time of the wall clock, as it is written to NextRunTime, and the moment (naive UTC) it stands for."""

    wall: datetime
    utc: datetime


_CYCLIC = (Kind.CYCLIC_DAY, Kind.CYCLIC_HOUR, Kind.CYCLIC_MIN, Kind.CYCLIC_SEC)


def kind_of(text: str | None) -> Kind | None:
    """The kind that a text means, in any case; None for UD and for what is none."""
    wanted = (text or "").strip().lower()
    return next((kind for kind in Kind if kind.lower() == wanted), None)


def next_slot(rule: Rule, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    """When a row runs next. last: when its last run began. Moments are naive UTC. Raises Unplannable.

    What was missed is made up for once, never once for each time that was missed.
    """
    kind = kind_of(rule.kind)
    if kind is None:
        raise Unplannable(f"enmJobType {rule.kind!r} has no rule: it is one of {', '.join(Kind)}")
    if kind in _CYCLIC and (rule.every is None or rule.every <= 0):
        raise Unplannable(f"CyclicCount of a {kind} job is at least 1, not {rule.every}")
    if kind not in _CYCLIC and rule.when is None:
        raise Unplannable(f"WhenToRun of a {kind} job is NULL, or no time")
    try:
        return _RULES[kind](rule, clock, now, last)
    except (OverflowError, ValueError) as error:
        raise Unplannable(f"the next time of this {kind} job is beyond the calendar") from error


def following(rule: Rule, last: datetime) -> datetime | None:
    """One period after a time of the wall clock; None for a row that has no period."""
    kind, every = kind_of(rule.kind), max(0, rule.every or 0)
    if kind in _CYCLIC and not every:
        return None
    if kind in (Kind.ANNUALLY, Kind.MONTHLY):
        month = last.year * 12 + last.month - 1 + (12 if kind is Kind.ANNUALLY else 1)
        return datetime.combine(_clamped(month // 12, month % 12 + 1, last.day), last.time())
    spans = {
        Kind.WEEKLY: timedelta(days=7), Kind.DAILY: timedelta(days=1), Kind.CYCLIC_DAY: timedelta(days=every),
        Kind.CYCLIC_HOUR: timedelta(hours=every), Kind.CYCLIC_MIN: timedelta(minutes=every),
        Kind.CYCLIC_SEC: timedelta(seconds=every),
    }  # fmt: skip
    return last + spans[kind] if kind in spans else None


def reached(clock: WallClock, shown: datetime) -> datetime:
    """The first moment at which the wall clock shows this time, or a later one where this one is skipped."""
    moment = clock.utc(shown)
    if clock.local(moment) == shown:
        return moment
    moment -= _LONGEST_GAP
    while clock.local(moment) < shown:
        moment += timedelta(minutes=1)
    return moment.replace(second=0)


def _daily(rule: Rule, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    today = clock.local(now).date()
    return _first(rule, clock, now, (today + timedelta(days=n) for n in count(-1)))


def _weekly(rule: Rule, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    today = clock.local(now).date()
    ahead = (_when(rule).weekday() - today.weekday()) % 7
    return _first(rule, clock, now, (today + timedelta(days=ahead + 7 * n) for n in count(-1)))


def _monthly(rule: Rule, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    """Day 31 is a short month's last day."""
    today = clock.local(now).date()
    months = ((today.year * 12 + today.month - 1 + n) for n in count(-1))
    return _first(rule, clock, now, (_clamped(m // 12, m % 12 + 1, _when(rule).day) for m in months))


def _annually(rule: Rule, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    when, year = _when(rule), clock.local(now).year
    return _first(rule, clock, now, (_clamped(year + n, when.month, when.day) for n in count(-1)))


def _one_off(rule: Rule, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    """On its own day; that it is past does not matter: it has not run."""
    return Slot(_when(rule), reached(clock, _when(rule)))


def _cyclic_day(rule: Rule, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    if last is None:
        return _daily(rule, clock, now, None)
    first, every = clock.local(last).date(), rule.every or 1
    passed = max(0, (clock.local(now).date() - first).days // every - 1)
    return _first(rule, clock, now, (first + timedelta(days=every * n) for n in count(passed)))


def _cyclic_hour(rule: Rule, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    anchor = (last or now).replace(microsecond=0)
    shown, when = clock.local(anchor), _when(rule)
    anchor += timedelta(minutes=when.minute - shown.minute, seconds=when.second - shown.second)
    step = timedelta(hours=1 if last is None else rule.every or 1)
    if anchor <= now:
        anchor += step * ((now - anchor) // step + 1)
    return Slot(clock.local(anchor), anchor)


def _cyclic_min(rule: Rule, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    return _after(timedelta(minutes=rule.every or 1), clock, now, last)


def _cyclic_sec(rule: Rule, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    return _after(timedelta(seconds=rule.every or 1), clock, now, last)


_RULES: dict[Kind, Callable[[Rule, WallClock, datetime, datetime | None], Slot]] = {
    Kind.ANNUALLY: _annually,
    Kind.MONTHLY: _monthly,
    Kind.WEEKLY: _weekly,
    Kind.DAILY: _daily,
    Kind.CYCLIC_DAY: _cyclic_day,
    Kind.CYCLIC_HOUR: _cyclic_hour,
    Kind.CYCLIC_MIN: _cyclic_min,
    Kind.CYCLIC_SEC: _cyclic_sec,
    Kind.ONE_OFF: _one_off,
}


def _when(rule: Rule) -> datetime:
    """Midnight where a cyclic row says no time."""
    return (rule.when or datetime(2000, 1, 1)).replace(microsecond=0)


def _first(rule: Rule, clock: WallClock, now: datetime, days: Iterator[date]) -> Slot:
    """The first of these days, at the rule's time, that is still to come."""
    for day in days:
        wall = datetime.combine(day, _when(rule).time())
        moment = reached(clock, wall)
        if moment > now:
            return Slot(wall, moment)
    raise AssertionError("days do not end")


def _clamped(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _after(span: timedelta, clock: WallClock, now: datetime, last: datetime | None) -> Slot:
    """So long after the last start, or now when that is past."""
    moment = now if last is None else max(now, last + span)
    shown = moment.replace(microsecond=0)
    return Slot(clock.local(shown), shown)
