"""What is remembered of a recurring job's past: a hash `python:recurring-ran:{id}`.

`Tally`: its runs by day, as far as they are counted; what is not, is counted by who reads it. `Missed`: the last time
at which it was dealt with too late; `MissedRuns`: the last ten such times.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from taskmanager.domain import times
from taskmanager.storage import structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: No longer than the key of the recurring job itself: an id fills what is left of a key.
PAST = "python:recurring-ran:"
#: Runs are counted for so many days; what is known of a job that is gone is kept for so many.
RATED_DAYS, _KEPT_DAYS = 30, 400
#: So many missed runs of each are remembered.
MOST_MISSED = 10


@dataclass(frozen=True, slots=True)
class Tally:
    """Runs by day (UTC): how many succeeded, and of how many. upto: of the runs' rows all up to this one are counted.

    first: the day of the first run that was ever counted, whose counts may be gone.
    """

    upto: int = 0
    days: Mapping[date, tuple[int, int]] = field(default_factory=dict)
    first: date | None = None

    def counting(self, runs: Iterable[tuple[int, datetime, bool]]) -> Tally:
        """With more runs: their row, their start, and whether they succeeded. What is counted already is passed by."""
        days, upto, first = dict(self.days), self.upto, self.first
        for row, started, succeeded in runs:
            if row > self.upto:
                day = started.date()
                good, all_of_it = days.get(day, (0, 0))
                days[day] = good + succeeded, all_of_it + 1
                upto, first = max(upto, row), min(first or day, day)
        return Tally(upto, days, first)

    def since(self, day: date) -> Tally:
        """Without the days before this one."""
        return Tally(self.upto, {one: counts for one, counts in self.days.items() if one >= day}, self.first)


@dataclass(frozen=True, slots=True)
class Missed:
    """A time at which it was to begin, and when somebody dealt with it; both UTC."""

    slot: datetime
    dealt_with: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered of one. all_missed: the newest first, `missed` among them."""

    tally: Tally = field(default_factory=Tally)
    missed: Missed | None = None
    all_missed: tuple[Missed, ...] = ()


NOTHING = Past()


@statement
def upsert_past(t: Tables, p: Product) -> str:
    return p.upsert(t.hash, ("Key", "Field"), {"Value": "{new}", "ExpireAt": "{new}"})


def first_day(now: datetime) -> date:
    """The day from which on runs are counted."""
    return (now - timedelta(days=RATED_DAYS)).date()


def read(hashes: Mapping[str, Mapping[str, str]], recurring_id: str) -> Past:
    """Out of hashes that were read."""
    fields = hashes.get(PAST + recurring_id)
    if not fields:
        return NOTHING
    newest, known = _missed(fields.get("Missed")), _all_missed(fields.get("MissedRuns"))
    more = (newest,) if newest is not None and newest not in known else ()  # of a process that knows no list
    return Past(_tally(fields.get("Tally")), newest, (more + known)[:MOST_MISSED])


def load(tx: Tx, recurring_ids: Sequence[str]) -> dict[str, Past]:
    """What is remembered of each of these."""
    hashes = structures.fields_of(tx, [PAST + one for one in recurring_ids])
    return {one: read(hashes, one) for one in recurring_ids}


def save_tally(tx: Tx, recurring_id: str, tally: Tally) -> None:
    """Write how far its runs are counted. Whoever comes last wins: each tally is right with the rows behind it."""
    kept = tally.since(first_day(tx.now()))
    days = {day.isoformat(): list(counts) for day, counts in sorted(kept.days.items())}
    _save(tx, recurring_id, "Tally", [kept.upto, kept.first.isoformat() if kept.first else None, days])


def save_missed(tx: Tx, slots: Mapping[str, datetime], now: datetime) -> None:
    """Remember that these slots, by the ids of their recurring jobs, were dealt with too late."""
    known = load(tx, list(slots)) if slots else {}
    for recurring_id, slot in slots.items():
        before = [one for one in known[recurring_id].all_missed if one.slot != slot]  # an older c_Job tells it again
        runs = [Missed(slot, now), *before][:MOST_MISSED]
        told = [[times.to_iso(one.slot), times.to_iso(one.dealt_with)] for one in runs]
        _save(tx, recurring_id, "Missed", told[0])
        _save(tx, recurring_id, "MissedRuns", told)


def forget(tx: Tx, recurring_id: str) -> None:
    """Of a recurring job that is gone."""
    structures.remove_hash(tx, PAST + recurring_id)


def _save(tx: Tx, recurring_id: str, name: str, value: Any) -> None:
    expire = tx.bind_moment(tx.now().replace(microsecond=0) + timedelta(days=_KEPT_DAYS))
    text = json.dumps(value, separators=(",", ":"))
    tx.send(upsert_past, {"Key": PAST + recurring_id, "Field": name, "Value": text, "ExpireAt": expire})


def _tally(text: str | None) -> Tally:
    try:
        upto, first, days = json.loads(text or "")
        counts = {date.fromisoformat(day): (int(good), int(of)) for day, (good, of) in days.items()}
        return Tally(int(upto), counts, date.fromisoformat(first) if first else None)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Tally()  # what somebody else wrote there: counted again


def _missed(text: str | None) -> Missed | None:
    try:
        return _one_missed(json.loads(text or ""))
    except (ValueError, RecursionError):
        return None


def _all_missed(text: str | None) -> tuple[Missed, ...]:
    try:
        found = json.loads(text or "")
    except (ValueError, RecursionError):
        return ()
    runs = [_one_missed(one) for one in found] if isinstance(found, list) else []
    return tuple(one for one in runs if one is not None)


def _one_missed(value: Any) -> Missed | None:
    try:
        slot, at = (times.parse(one) for one in value)
    except (ValueError, TypeError, AttributeError):
        return None
    return Missed(slot, at) if slot is not None and at is not None else None
