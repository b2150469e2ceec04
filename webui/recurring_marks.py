"""What a recurring job's past and schedule come to: its success rate, what was missed, how it fires."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from taskmanager.domain import cron as crons
from taskmanager.domain.alerts import AlertRule
from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine.legacy import row_of
from taskmanager.engine.legacy_served import ServedJobs
from taskmanager.engine.missed_runs import allowed
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import recurring_past
from taskmanager.storage.recurring_past import Past
from taskmanager.storage.recurring_runs import RecurringRun
from webui import jobviews
from webui.blueprint import manager
from webui.crons import upcoming

#: So many runs of each that are not counted yet are read for a list.
READ = 100
#: In a list it is told for so long that a run was missed; its page tells it as long as it is known.
_NEWS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of the runs since a day (UTC) succeeded: of 30 days, or since the first that is known of."""

    succeeded: int
    runs: int
    since: date
    is_whole: bool

    @property
    def percent(self) -> float:
        """Of 100; 100 is never told of what has failed once."""
        found = round(100 * self.succeeded / self.runs, 1)
        return 99.9 if found == 100 and self.succeeded < self.runs else found


@dataclass(frozen=True, slots=True)
class Late:
    """A time it was to begin at, and when somebody dealt with it: None while nobody has."""

    slot: datetime
    dealt_with: datetime | None
    milliseconds: float
    is_news: bool


def rate(past: Past, runs: Sequence[RecurringRun], limit: int, now: datetime) -> Rate | None:
    """Of 30 days, out of what is counted and the newest `limit` runs; None when there was none.

    Where there are more that are not counted, what is told is of those at hand.
    """
    first = recurring_past.first_day(now)
    is_cut = len(runs) >= limit and runs[0].row > past.tally.upto
    tally = recurring_past.Tally() if is_cut else past.tally
    more = [(run.started.date(), run.outcome == "succeeded") for run in runs if run.row > tally.upto]
    results = [succeeded for day, succeeded in more if day >= first]
    days = [counts for day, counts in tally.days.items() if day >= first]
    of = len(results) + sum(all_of_it for _, all_of_it in days)
    if not of:
        return None
    since = max(first, min([day for day, _ in more] + ([tally.first] if tally.first else []), default=first))
    return Rate(sum(results) + sum(good for good, _ in days), of, since, since == first)


def late(record: RecurringRecord, past: Past, now: datetime) -> Late | None:
    """The run it owes now, or the last one that was missed, by the setting and the rules that alerts go by."""
    due = record.next_execution
    if due is not None and due < now and not (record.paused or record.error or _is_older(record)):
        most, behind = allowed(_rule_of(record), manager().settings.alert_missed_seconds), (now - due).total_seconds()
        if most is not None and behind > most:
            return Late(due, None, behind * 1000, True)
    missed = past.missed
    if missed is None:
        return None
    by = (missed.dealt_with - missed.slot).total_seconds()
    return Late(missed.slot, missed.dealt_with, by * 1000, now - missed.dealt_with < _NEWS)


def fires(record: RecurringRecord) -> str:
    """How it fires: `schedule`; `hand`, when it has none; `never`, when its schedule names no moment that comes; or
    `unplanned`, for a row of c_Job that no scheduler has looked at since it was written."""
    if is_by_hand(record.cron):
        return "hand"
    if record.next_execution is not None or record.paused or record.error:
        return "schedule"
    is_row = row_of(record.id) is not None
    return "unplanned" if is_row and upcoming(record.cron, record.time_zone, 1) else "never"


@functools.lru_cache(maxsize=4096)
def is_by_hand(cron: str) -> bool:
    """Whether a schedule is none: what has it runs by hand only."""
    fields = cron.split()
    return not fields or fields == crons.never().split()


@functools.lru_cache(maxsize=4096)
def comes(cron: str) -> bool:
    """Whether a schedule names a moment that comes. Only a day of a month may be one that never does."""
    fields = cron.split()
    if len(fields) < 5 or fields[-3] in ("*", "?") or fields[-2] == "*":
        return True
    return bool(upcoming(cron, "UTC", 1))


def state(record: RecurringRecord) -> str:
    """What its pill says: error, paused, hand, never, unplanned or active."""
    if record.error or record.paused:
        return "error" if record.error else "paused"
    found = fires(record)
    return "active" if found == "schedule" else found


def server_zone() -> str:
    """The zone of the crons of c_Job, as it was when their rows were looked at last."""
    legacy = manager().legacy_jobs
    clock = (legacy.schedule.last_clock or legacy.wall_clock()) if legacy is not None else None
    return clock.schedule if clock is not None else "UTC"


def zone_of(record: RecurringRecord) -> str:
    """The zone of its cron."""
    return server_zone() if record.time_zone == "server" else record.time_zone


def definition_of(record: RecurringRecord) -> JobDefinition | None:
    """The function it calls, where this process knows it."""
    try:
        return jobviews.definitions().get(read_invocation(record.job).name)
    except InvocationUnreadable:
        return None


def _rule_of(record: RecurringRecord) -> AlertRule | None:
    known = definition_of(record)
    return known.alerts if known is not None else None


def _is_older(record: RecurringRecord) -> bool:
    """Whether it is a row of the older c_Job: by the sum of TimeOutSec its own engine tells when one is missed."""
    row_id, rows = row_of(record.id), manager().legacy_jobs
    return row_id is not None and isinstance(rows, ServedJobs) and rows.is_targcc(row_id)
