"""When rows of the older c_Job run next, with the old code's bugs mended, in zones whose clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from taskmanager.domain.targcc import Rule, Slot, Unplannable, kind_of, next_slot
from taskmanager.domain.wallclock import WallClock
from taskmanager.engine import targcc_rules
from taskmanager.storage.targcc import TargccRow
from taskmanager.storage.targcc_marks import Known

PRAGUE = WallClock("Europe/Prague", ZoneInfo("Europe/Prague"))
UTC = WallClock("UTC", ZoneInfo("UTC"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def after(
    kind: str, when: str | None, now: str, *, every: int | None = None, last: str | None = None, clock: WallClock = UTC
) -> Slot:
    rule = Rule(kind, at(when) if when else None, every)
    return next_slot(rule, clock, at(now), at(last) if last else None)


@pytest.mark.parametrize(
    ("kind", "when", "now", "expected"),
    [
        ("Daily", "2000-01-01 02:00", "2026-11-24 01:59:59", "2026-11-24 02:00"),
        ("Daily", "2000-01-01 02:00", "2026-11-24 02:00:00", "2026-11-25 02:00"),
        ("daily", "2030-01-01 02:00", "2026-12-31 23:00:00", "2027-01-01 02:00"),
        ("Monthly", "2000-01-15 02:00", "2026-11-15 02:00:01", "2026-12-15 02:00"),
        ("Annually", "2000-12-24 18:00", "2026-12-24 17:00", "2026-12-24 18:00"),
        ("Annually", "2000-12-24 18:00", "2026-12-24 19:00", "2027-12-24 18:00"),
        ("OneOff", "2026-12-24 18:00", "2026-11-01 00:00", "2026-12-24 18:00"),
        ("OneOff", "2026-10-05 18:00", "2026-11-24 00:00", "2026-10-05 18:00"),
    ],
)
def test_calendar_kinds_run_at_the_time_of_WhenToRun(kind: str, when: str, now: str, expected: str) -> None:
    assert after(kind, when, now).wall == at(expected)


def test_a_weekly_job_runs_on_its_weekday_and_not_daily() -> None:
    now, found = at("2026-11-24 12:00"), []
    for _ in range(3):
        slot = after("Weekly", "2000-01-02 02:00", str(now))
        found.append(slot.wall)
        now = slot.utc
    assert found == [at("2026-11-29 02:00"), at("2026-12-06 02:00"), at("2026-12-13 02:00")]
    assert all(f.weekday() == at("2000-01-02").weekday() for f in found)


def test_a_weekly_job_runs_later_on_its_own_day() -> None:
    assert after("Weekly", "2000-01-04 02:00", "2026-11-24 01:00").wall == at("2026-11-24 02:00")
    assert after("Weekly", "2000-01-04 02:00", "2026-11-24 03:00").wall == at("2026-12-01 02:00")


def test_a_monthly_job_of_day_31_runs_on_a_short_months_last_day() -> None:
    now, found = at("2027-01-31 03:00"), []
    for _ in range(4):
        slot = after("Monthly", "2000-01-31 02:00", str(now))
        found.append(f"{slot.wall:%m-%d}")
        now = slot.utc
    assert found == ["02-28", "03-31", "04-30", "05-31"]


def test_a_job_of_the_29th_of_february_runs_every_year() -> None:
    assert after("Annually", "2000-02-29 02:00", "2026-11-24 00:00").wall == at("2027-02-28 02:00")
    assert after("Annually", "2000-02-29 02:00", "2028-01-01 00:00").wall == at("2028-02-29 02:00")


@pytest.mark.parametrize(
    ("kind", "every", "now", "last", "expected"),
    [
        ("CyclicMin", 15, "2026-11-24 12:05", "2026-11-24 12:00", "2026-11-24 12:15"),
        ("CyclicMin", 15, "2026-11-24 18:05", "2026-11-24 12:00", "2026-11-24 18:05"),
        ("CyclicMin", 15, "2026-11-24 18:05", None, "2026-11-24 18:05"),
        ("CyclicSec", 30, "2026-11-24 12:00:10", "2026-11-24 12:00:00", "2026-11-24 12:00:30"),
        ("CyclicHour", 6, "2026-11-24 12:40", "2026-11-24 12:30:10", "2026-11-24 18:30"),
        ("CyclicHour", 6, "2026-11-25 12:40", "2026-11-24 12:30:10", "2026-11-25 18:30"),
        ("CyclicHour", 6, "2026-11-24 12:40", None, "2026-11-24 13:30"),
        ("CyclicDay", 3, "2026-11-24 04:31", "2026-11-24 04:30:01", "2026-11-27 04:30"),
        ("CyclicDay", 3, "2026-12-24 04:31", "2026-11-24 04:30:01", "2026-12-27 04:30"),
        ("CyclicDay", 3, "2026-11-24 04:31", None, "2026-11-25 04:30"),
    ],
)
def test_cyclic_kinds_go_on_from_the_last_start_with_one_catch_up(
    kind: str, every: int, now: str, last: str | None, expected: str
) -> None:
    assert after(kind, "2000-01-01 04:30", now, every=every, last=last).wall == at(expected)


@pytest.mark.parametrize(
    ("kind", "when", "every", "words"),
    [
        ("CyclicMin", None, 0, "CyclicCount of a CyclicMin job is at least 1, not 0"),
        ("CyclicDay", None, None, "CyclicCount of a CyclicDay job is at least 1, not None"),
        ("Daily", None, None, "WhenToRun of a Daily job is NULL"),
        ("UD", None, None, "enmJobType 'UD' has no rule"),
        (None, None, None, "enmJobType None has no rule"),
        ("CyclicDay", "2026-01-01", 10**9, "beyond the calendar"),
    ],
)
def test_what_cannot_be_planned_says_why(kind: str, when: str | None, every: int | None, words: str) -> None:
    with pytest.raises(Unplannable, match=words):
        after(kind, when, "2026-11-24 12:00", every=every, last="2026-11-24 11:00")


# -- clocks that change: Prague goes forward on 2027-03-28 at 01:00 UTC, and back on 2026-10-25 at 01:00 UTC --------


def test_a_time_that_the_clock_skips_is_reached_when_the_clock_is_put_forward() -> None:
    slot = after("Daily", "2000-01-01 02:30", "2027-03-27 12:00", clock=PRAGUE)
    assert slot == Slot(at("2027-03-28 02:30"), at("2027-03-28 01:00"))
    assert after("Daily", "2000-01-01 02:30", "2027-03-28 01:00", clock=PRAGUE).wall == at("2027-03-29 02:30")


def test_a_time_that_the_clock_shows_twice_is_used_once() -> None:
    slot = after("Daily", "2000-01-01 02:30", "2026-10-24 12:00", clock=PRAGUE)
    assert slot == Slot(at("2026-10-25 02:30"), at("2026-10-25 00:30"))
    assert after("Daily", "2000-01-01 02:30", "2026-10-25 00:31", clock=PRAGUE).wall == at("2026-10-26 02:30")
    assert after("Daily", "2000-01-01 02:30", "2026-10-25 01:31", clock=PRAGUE).wall == at("2026-10-26 02:30")


def test_minutes_go_on_while_the_clock_is_put_back() -> None:
    slot = after("CyclicMin", None, "2026-10-25 00:50", every=15, last="2026-10-25 00:50", clock=PRAGUE)
    assert slot == Slot(at("2026-10-25 02:05"), at("2026-10-25 01:05"))


def test_hours_are_hours_that_pass_and_days_keep_their_time_of_day() -> None:
    hours = after("CyclicHour", "2000-01-01 00:30", "2026-10-24 20:31", every=6, last="2026-10-24 20:30", clock=PRAGUE)
    assert hours.utc == at("2026-10-25 02:30")
    days = after("CyclicDay", "2000-01-01 04:30", "2026-10-24 02:31", every=1, last="2026-10-24 02:30", clock=PRAGUE)
    assert days == Slot(at("2026-10-25 04:30"), at("2026-10-25 03:30"))


def test_a_year_of_any_kind_never_stands_still() -> None:
    for kind in ("Daily", "Weekly", "Monthly", "Annually", "CyclicDay", "CyclicHour"):
        now = at("2026-10-01 00:00")
        for _ in range(60):
            slot = after(kind, "2000-01-31 02:30", str(now), every=7, last=str(now), clock=PRAGUE)
            assert now < slot.utc <= now + timedelta(days=400), (kind, now)
            now = slot.utc


def test_the_kind_is_read_in_any_case_and_shown_to_people() -> None:
    assert kind_of(" cyclicmin ") == "CyclicMin"
    assert kind_of("UD") is None
    assert str(Rule("Weekly", at("2000-01-02 02:00"), None)) == "Weekly Sun 02:00"
    assert str(Rule("CyclicMin", None, 15)) == "CyclicMin 15"
    assert str(Rule("Monthly", at("2000-01-31 02:00"), None)) == "Monthly 31 02:00"


@pytest.mark.parametrize(
    ("kind", "every", "since", "last", "now", "expected"),
    [
        ("Daily", None, "2026-11-24 01:00", None, "2026-11-24 01:59", False),
        ("Daily", None, "2026-11-24 01:00", None, "2026-11-24 02:00", True),
        ("Daily", None, None, "2026-11-24 02:00", "2026-11-24 23:00", False),
        ("Daily", None, None, "2026-11-24 02:00", "2026-11-25 02:00", True),
        ("Daily", None, None, None, "2026-11-25 02:00", False),
        ("CyclicMin", 15, "2026-11-24 01:00", "2026-11-24 00:50", "2026-11-24 01:04", False),
        ("CyclicMin", 15, "2026-11-24 01:00", "2026-11-24 00:50", "2026-11-24 01:05", True),
        ("CyclicMin", None, "2026-11-24 01:00", None, "2026-11-25 01:05", False),
    ],
)
def test_a_paused_row_has_missed_what_its_rule_names_since_its_pause(
    kind: str, every: int | None, since: str | None, last: str | None, now: str, expected: bool
) -> None:
    row = TargccRow(
        id=1, code="mnTM_Sales", runner="", rule=Rule(kind, at("2000-01-01 02:00"), every), active=False, managed=True,
        status=None, last_run=at(last) if last else None, next_run=None, timeout=None, user=None, notifies=False,
        warned=False,
    )  # fmt: skip
    given = (at(since) if since else None, UTC, at(now))
    assert targcc_rules.has_missed(row, Known("mnTM_Sales"), *given) is expected
    others: list[dict[str, Any]] = [{"active": True}, {"managed": False}, {"status": "InProcess"}]
    for other in others:
        assert not targcc_rules.has_missed(replace(row, **other), Known("mnTM_Sales"), *given), other
