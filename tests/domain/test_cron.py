"""Cron expressions: golden cases for daylight saving in several zones, month ends, leap years, and properties."""

from __future__ import annotations

import itertools
import random
from datetime import datetime as moment
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskmanager.domain import cron
from taskmanager.domain.cron import Cron, Misfire, due_slots
from taskmanager.domain.errors import InvalidArgument, InvalidCron

GAPS = [
    # zone, expression, after, the one fire of that day: the first moment after the gap
    ("Europe/Prague", "30 2 * * *", moment(2026, 3, 28, 12), moment(2026, 3, 29, 1, 0)),
    ("America/New_York", "30 2 * * *", moment(2026, 3, 7, 12), moment(2026, 3, 8, 7, 0)),
    ("Asia/Jerusalem", "15 2 * * *", moment(2026, 3, 26, 12), moment(2026, 3, 27, 0, 0)),
    ("Australia/Lord_Howe", "15 2 * * *", moment(2026, 10, 3, 6), moment(2026, 10, 3, 15, 30)),
    ("America/Sao_Paulo", "0 0 * * *", moment(2018, 11, 3, 12), moment(2018, 11, 4, 3, 0)),
    ("Europe/London", "30 1 * * *", moment(2026, 3, 28, 12), moment(2026, 3, 29, 1, 0)),
    ("Pacific/Auckland", "30 2 * * *", moment(2026, 9, 26, 0), moment(2026, 9, 26, 14, 0)),
]

OVERLAPS = [
    # zone, hour that comes twice, after, the first of the two
    ("Europe/Prague", 2, moment(2026, 10, 24, 12), moment(2026, 10, 25, 0, 30)),
    ("America/New_York", 1, moment(2026, 10, 31, 12), moment(2026, 11, 1, 5, 30)),
    ("Asia/Jerusalem", 1, moment(2026, 10, 24, 12), moment(2026, 10, 24, 22, 30)),
    ("Europe/London", 1, moment(2026, 10, 24, 12), moment(2026, 10, 25, 0, 30)),
    ("Pacific/Auckland", 2, moment(2026, 4, 4, 0), moment(2026, 4, 4, 13, 30)),
    ("America/Los_Angeles", 1, moment(2026, 10, 31, 12), moment(2026, 11, 1, 8, 30)),
]


@pytest.mark.parametrize(("zone", "expression", "after", "expected"), GAPS)
def test_a_fixed_time_inside_the_spring_gap_runs_at_the_first_moment_after_it(
    zone: str, expression: str, after: moment, expected: moment
) -> None:
    assert Cron(expression, zone).next_after(after) == expected


@pytest.mark.parametrize(("zone", "hour", "after", "first"), OVERLAPS)
def test_a_fixed_time_in_the_autumn_overlap_runs_once_the_first_time(
    zone: str, hour: int, after: moment, first: moment
) -> None:
    fires = Cron(f"30 {hour} * * *", zone).upcoming(2, after)
    assert fires[0] == first
    assert fires[1] - fires[0] > timedelta(hours=23)


@pytest.mark.parametrize(("zone", "hour", "after", "first"), OVERLAPS)
def test_an_interval_goes_on_through_the_repeated_hour(zone: str, hour: int, after: moment, first: moment) -> None:
    fires = Cron("*/30 * * * *", zone).between(first - timedelta(minutes=1), first + timedelta(hours=3), 100)
    assert [b - a for a, b in itertools.pairwise(fires)] == [timedelta(minutes=30)] * (len(fires) - 1)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 0 31 2 *", moment(2026, 1, 1), None),
        ("0 0 29 2 *", moment(2026, 1, 1), moment(2028, 2, 29)),
        ("0 0 31 * *", moment(2026, 1, 31), moment(2026, 3, 31)),
        ("0 0 L * *", moment(2026, 2, 1), moment(2026, 2, 28)),
        ("0 9 * * MON#2", moment(2026, 1, 1), moment(2026, 1, 12, 9)),
        ("0 0 9 * * ?", moment(2026, 1, 1, 9), moment(2026, 1, 2, 9)),
        ("*/10 * * * * *", moment(2026, 1, 1), moment(2026, 1, 1, 0, 0, 10)),
        ("@daily", moment(2026, 1, 1), moment(2026, 1, 2)),
        ("0 0 13 * fri", moment(2026, 2, 1), moment(2026, 2, 6)),
    ],
)
def test_golden_cases_in_utc(expression: str, after: moment, expected: moment | None) -> None:
    assert Cron(expression).next_after(after) == expected


def test_days_may_be_anded_as_in_hangfire() -> None:
    assert Cron("0 0 13 * fri", days_and=True).next_after(moment(2026, 1, 1)) == moment(2026, 2, 13)


@pytest.mark.parametrize("bad", ["", "* * * *", "61 * * * *", "x * * * *", "* * * * * * *", "@sometimes"])
def test_what_cannot_be_read_is_named(bad: str) -> None:
    with pytest.raises(InvalidCron) as caught:
        Cron(bad)
    assert repr(bad) in str(caught.value)


def test_an_unknown_zone_is_named_and_windows_ids_are_known() -> None:
    with pytest.raises(InvalidCron, match="Mars/Olympus"):
        Cron("* * * * *", "Mars/Olympus")
    assert str(cron.resolve_zone("Israel Standard Time")) == "Asia/Jerusalem"


def test_helpers_write_expressions_and_check_ranges() -> None:
    assert (cron.daily(2), cron.hourly(5), cron.weekly("tue", 3)) == ("0 2 * * *", "5 * * * *", "0 3 * * 2")
    assert (cron.monthly(3), cron.yearly(2, 3), cron.minutely()) == ("0 0 3 * *", "0 0 3 2 *", "* * * * *")
    assert Cron(cron.never()).next_after(moment(2026, 1, 1)) is None
    with pytest.raises(InvalidArgument):
        cron.daily(24)


def test_misfire_policies_owe_one_all_or_only_fresh_slots() -> None:
    hourly, last, now = Cron("0 * * * *"), moment(2026, 1, 1), moment(2026, 1, 1, 5, 0, 1)
    relaxed = due_slots(hourly, last=last, now=now, misfire=Misfire.RELAXED, precision_seconds=2)
    assert relaxed.slots == (now,)
    strict = due_slots(hourly, last=last, now=now, misfire=Misfire.STRICT, precision_seconds=2)
    assert [s.hour for s in strict.slots] == [1, 2, 3, 4, 5]
    cut = due_slots(hourly, last=last, now=now, misfire=Misfire.STRICT, precision_seconds=2, limit=2)
    assert (cut.resume_after, cut.next) == (moment(2026, 1, 1, 2), moment(2026, 1, 1, 3))
    fresh = due_slots(hourly, last=last, now=now, misfire=Misfire.IGNORABLE, precision_seconds=2)
    assert [s.hour for s in fresh.slots] == [5]


EXPRESSIONS = st.sampled_from(
    ["* * * * *", "*/7 * * * *", "30 2 * * *", "0 0 1 * *", "15 10 * * 1-5", "0 0,12 1-7 * 0", "5 4 29 2 *"]
)
ZONES = st.sampled_from(["UTC", "Europe/Prague", "America/New_York", "Australia/Lord_Howe", "Asia/Jerusalem"])
MOMENTS = st.datetimes(moment(2020, 1, 1), moment(2030, 1, 1))


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, ZONES, MOMENTS)
def test_fires_increase_and_are_found_from_both_sides(expression: str, zone: str, after: moment) -> None:
    schedule = Cron(expression, zone)
    fires = schedule.upcoming(4, after)
    assert fires == sorted(set(fires))
    assert all(fire > after for fire in fires)
    assert schedule.between(after, fires[-1], 10) == fires
    assert schedule.previous_before(fires[1]) == fires[0]


@pytest.mark.parametrize("expression", ["*/7 * * * *", "30 2 * * *", "15,45 1-3 * * *", "0 30 2 * * ?", "0 0 1 1 *"])
def test_the_next_fire_does_not_depend_on_what_was_asked_before(expression: str) -> None:
    """It is remembered for the moments before it: here those around both changes of the clock, in any order."""
    remembering = Cron(expression, "Europe/Berlin")
    starts = (moment(2026, 3, 28, 23, 0), moment(2026, 10, 24, 23, 0))
    moments = [start + timedelta(minutes=11 * n) for start in starts for n in range(30)]
    random.Random(7).shuffle(moments)
    for after in moments:
        fire = remembering.next_after(after)
        assert fire is not None
        assert fire == Cron(expression, "Europe/Berlin").next_after(after)
        for asked in (after, fire - timedelta(microseconds=1), fire):
            assert remembering.next_after(asked) == Cron(expression, "Europe/Berlin").next_after(asked)
