"""When a recurring job runs: cron expressions in a time zone. The only user of croniter.

croniter is asked about naive wall-clock time only; daylight saving is decided here, by Hangfire's rules: a
time inside the spring gap runs at the first moment after it; in the autumn overlap an interval expression
(`*`, a range or a step in second, minute or hour) runs in both hours, a fixed time once, the first time.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from croniter import croniter
from croniter.croniter import CroniterBadCronError, CroniterBadDateError

from taskmanager.domain.cron_fields import fields_of
from taskmanager.domain.errors import InvalidArgument, InvalidCron
from taskmanager.domain.zones import resolve_zone as resolve_zone

#: Days that may lie between two fires of any expression that fires at all: a 29th of February over 1900.
_HORIZON_YEARS = 9
#: No zone changed its clock by more than a day (Samoa left one out).
_LARGEST_SHIFT = timedelta(hours=26)


class Misfire(IntEnum):
    """What becomes of slots that passed while nobody looked, as in Hangfire."""

    RELAXED = 0
    STRICT = 1
    IGNORABLE = 2

    @classmethod
    def parse(cls, value: str | int | None) -> Misfire:
        """Read a name or a number; nothing means relaxed. Raises InvalidArgument."""
        text = "" if value is None else str(value).strip().upper()
        if text == "":
            return cls.RELAXED
        if text in ("0", "1", "2"):
            return cls(int(text))
        if text in cls.__members__:
            return cls[text]
        raise InvalidArgument(f"misfire is relaxed, strict or ignorable, not {value!r}")


@dataclass(frozen=True, slots=True)
class Due:
    """What a look at the clock found: the stamps of the runs to create, and when to look again."""

    slots: tuple[datetime, ...]
    resume_after: datetime
    next: datetime | None


class Cron:
    """An expression of 5 fields, or 6 with seconds first, in an IANA zone. Moments are naive UTC."""

    __slots__ = ("_days_and", "_fields", "_found", "_zone", "expression", "time_zone")

    def __init__(self, expression: str, time_zone: str = "UTC", *, days_and: bool = False) -> None:
        self.expression = expression
        self.time_zone = time_zone
        self._days_and = days_and
        self._fields = fields_of(expression)
        self._zone = resolve_zone(time_zone)
        #: A moment, and the first fire after it: the same for all moments between them. Many jobs have one expression.
        self._found: tuple[datetime, datetime] | None = None
        if re.search(r"\bR\b|R\(", self._text, re.IGNORECASE):
            raise InvalidCron(
                f"cron {expression!r} cannot be read: R, a random moment, would be another one at each look"
            )
        try:
            croniter(self._text, datetime(2024, 1, 1), day_or=not days_and, second_at_beginning=True)
        except (CroniterBadCronError, ValueError, KeyError) as error:
            raise InvalidCron(f"cron {expression!r} cannot be read: {error}") from None

    def __repr__(self) -> str:
        return f"Cron({self.expression!r}, {self.time_zone!r})"

    @property
    def _text(self) -> str:
        return " ".join(self._fields)

    @property
    def has_seconds(self) -> bool:
        """Whether the expression names seconds."""
        return len(self._fields) == 6

    @property
    def is_interval(self) -> bool:
        """Whether it repeats within the hour or over hours, so that it goes on through a repeated hour."""
        return any(c in field for field in self._fields[: 3 if self.has_seconds else 2] for c in "*-/")

    def next_after(self, moment: datetime) -> datetime | None:
        """The first fire strictly after a moment; None when the expression never fires."""
        found = self._found
        if found is not None and found[0] <= moment < found[1]:
            return found[1]
        fire = next(self._fires(moment), None)
        self._found = None if fire is None else (moment, fire)
        return fire

    def upcoming(self, count: int, after: datetime) -> list[datetime]:
        """The next fires after a moment."""
        return [fire for fire, _ in zip(self._fires(after), range(count), strict=False)]

    def between(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """Fires after one moment up to and with another, at most `limit`."""
        found: list[datetime] = []
        for fire in self._fires(after):
            if fire > until or len(found) >= limit:
                break
            found.append(fire)
        return found

    def previous_before(self, moment: datetime) -> datetime | None:
        """The last fire strictly before a moment; None when there is none within the horizon."""
        for days in (1, 8, 32, 370, 366 * _HORIZON_YEARS):
            start = moment - timedelta(days=days)
            walls = self._walls_before(self._local(moment) + self._slack(moment), self._local(start))
            for wall in walls:
                fires = [f for f in self._moments(wall) if f < moment]
                if fires:
                    return max(fires)
        return None

    def _fires(self, moment: datetime) -> Iterator[datetime]:
        """All fires after a moment, in order: wall-clock matches, each mapped to its moments in UTC."""
        last = moment
        pending: list[datetime] = []
        for wall in self._walls_after(self._local(moment) - self._slack(moment)):
            moments = self._moments(wall)
            ready = [f for f in pending if f <= self._earliest(wall)]
            pending = [f for f in pending if f not in ready] + [f for f in moments if f > moment]
            for fire in sorted(ready):
                if fire > last:
                    last = fire
                    yield fire
            if not self._is_ambiguous(wall):
                for fire in sorted(pending):
                    if fire > last and fire <= (moments[0] if moments else fire):
                        last = fire
                        yield fire
                pending = [f for f in pending if f > last]
        for fire in sorted(pending):
            if fire > last:
                last = fire
                yield fire

    def _walls_after(self, wall: datetime) -> Iterator[datetime]:
        walker = croniter(
            self._text, wall, day_or=not self._days_and, second_at_beginning=True,
            max_years_between_matches=_HORIZON_YEARS,
        )  # fmt: skip
        while True:
            try:
                yield walker.get_next(datetime)
            except CroniterBadDateError:
                return

    def _walls_before(self, wall: datetime, floor: datetime) -> Iterator[datetime]:
        walker = croniter(
            self._text, wall, day_or=not self._days_and, second_at_beginning=True,
            max_years_between_matches=_HORIZON_YEARS,
        )  # fmt: skip
        while True:
            try:
                found = walker.get_prev(datetime)
            except CroniterBadDateError:
                return
            if found < floor - _LARGEST_SHIFT:
                return
            yield found

    def _slack(self, moment: datetime) -> timedelta:
        """By how much wall clocks near a moment may run backwards or jump; a second when they do not."""
        near = [self._offset(moment + by) or timedelta(0) for by in (-_LARGEST_SHIFT, timedelta(0), _LARGEST_SHIFT)]
        return max(near) - min(near) + timedelta(seconds=1)

    def _local(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=UTC).astimezone(self._zone).replace(tzinfo=None)

    def _utc(self, wall: datetime, fold: int) -> datetime:
        return wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC).replace(tzinfo=None)

    def _earliest(self, wall: datetime) -> datetime:
        return min(self._utc(wall, 0), self._utc(wall, 1))

    def _is_ambiguous(self, wall: datetime) -> bool:
        return self._utc(wall, 0) < self._utc(wall, 1)

    def _moments(self, wall: datetime) -> list[datetime]:
        """The moments in UTC a wall-clock time stands for: two in the overlap, the gap's end inside a gap."""
        first, second = self._utc(wall, 0), self._utc(wall, 1)
        if first == second:
            return [first]
        if first < second:
            return [first, second] if self.is_interval else [first]
        return [] if self.is_interval else [self._gap_end(second, first)]

    def _gap_end(self, low: datetime, high: datetime) -> datetime:
        """The first moment after a spring gap: the change of offset between two moments, to the second."""
        before = self._offset(low)
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) / 2
            middle = middle.replace(microsecond=0) + timedelta(seconds=1 if middle.microsecond else 0)
            if middle >= high:
                break
            low, high = (middle, high) if self._offset(middle) == before else (low, middle)
        return high

    def _offset(self, moment: datetime) -> timedelta | None:
        return moment.replace(tzinfo=UTC).astimezone(self._zone).utcoffset()


@functools.lru_cache(maxsize=4096)
def parse(expression: str, time_zone: str = "UTC", days_and: bool = False) -> Cron:
    """A Cron, parsed once. Raises InvalidCron."""
    if not isinstance(expression, str):
        raise InvalidCron(f"a cron expression is a text such as '0 2 * * *', not {expression!r}")
    if not isinstance(time_zone, str):
        raise InvalidCron(f"a time zone is an IANA name such as 'Europe/Prague', not {time_zone!r}")
    return Cron(expression, time_zone, days_and=days_and)


def due_slots(
    cron: Cron, *, last: datetime, now: datetime, misfire: Misfire, precision_seconds: float, limit: int = 1000
) -> Due:
    """The runs to create now, given the last slot that was dealt with.

    relaxed: one run for all missed slots, stamped now (or its slot, if that is now). strict: one for each
    slot, at most `limit` at a time. ignorable: only slots not older than `precision_seconds`.
    """
    if misfire is Misfire.STRICT:
        slots = tuple(cron.between(last, now, limit))
        resume = slots[-1] if len(slots) == limit else now
        return Due(slots, resume, cron.next_after(resume))
    upcoming = cron.next_after(now)
    if misfire is Misfire.IGNORABLE:
        floor = max(last, now - timedelta(seconds=precision_seconds))
        return Due(tuple(cron.between(floor, now, limit)), now, upcoming)
    first = cron.next_after(last)
    if first is None or first > now:
        return Due((), now, upcoming)
    return Due((now,), now, upcoming)


# -- expressions by name, for people ----------------------------------------------------------------------------


def minutely() -> str:
    """Every minute."""
    return "* * * * *"


def hourly(minute: int = 0) -> str:
    """Every hour at a minute."""
    return f"{_in('minute', minute, 0, 59)} * * * *"


def daily(hour: int = 0, minute: int = 0) -> str:
    """Every day at a time."""
    return f"{_in('minute', minute, 0, 59)} {_in('hour', hour, 0, 23)} * * *"


def weekly(day: str | int = "mon", hour: int = 0, minute: int = 0) -> str:
    """Every week on a day, by English name or number (0 is Sunday)."""
    names = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
    number = names.index(day.lower()[:3]) if isinstance(day, str) and day.lower()[:3] in names else day
    if not isinstance(number, int):
        raise InvalidArgument(f"day is a weekday such as 'mon', not {day!r}")
    return f"{_in('minute', minute, 0, 59)} {_in('hour', hour, 0, 23)} * * {_in('day', number, 0, 7)}"


def monthly(day: int = 1, hour: int = 0, minute: int = 0) -> str:
    """Every month on a day."""
    return f"{_in('minute', minute, 0, 59)} {_in('hour', hour, 0, 23)} {_in('day', day, 1, 31)} * *"


def yearly(month: int = 1, day: int = 1, hour: int = 0, minute: int = 0) -> str:
    """Every year on a date."""
    date = f"{_in('day', day, 1, 31)} {_in('month', month, 1, 12)}"
    return f"{_in('minute', minute, 0, 59)} {_in('hour', hour, 0, 23)} {date} *"


def never() -> str:
    """Never: the 31st of February."""
    return "0 0 31 2 *"


def _in(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise InvalidArgument(f"{name} is from {low} to {high}, not {value}")
    return value
