"""Figures of many runs: steps of durations, shares of them, buckets of time, and sums."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from taskmanager.domain.rollups import DAY, HOUR, MINUTE, STEPS, Figures, floor, moments, quantile, step_of, together


@pytest.mark.parametrize(
    ("ms", "step"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (1000, 10), (1 << 24, 25), (10**12, 25)]
)
def test_a_duration_is_counted_in_the_step_of_its_power_of_two(ms: int, step: int) -> None:
    assert step_of(ms) == step < STEPS


def test_a_share_is_found_within_the_step_in_which_it_lies() -> None:
    generator = random.Random(7)
    runs = sorted(int(generator.lognormvariate(5, 1.5)) for _ in range(2000))
    steps = [0] * STEPS
    for ms in runs:
        steps[step_of(ms)] += 1
    for share in (0.5, 0.95, 0.99):
        found, exact = quantile(steps, share, runs[-1]), runs[int(share * len(runs)) - 1]
        assert found is not None
        assert exact / 2 <= found <= exact * 2
    assert quantile(steps, 1, runs[-1]) == runs[-1], "nothing is above the longest"
    assert quantile([0] * STEPS, 0.95, 0) is None


def test_runs_that_are_longer_than_all_steps_lie_below_the_longest() -> None:
    steps, longest = [0] * (STEPS - 1) + [10], 5 * 24 * 3_600_000
    assert quantile(steps, 1, longest) == longest
    assert quantile(steps, 0.5, longest) == ((1 << STEPS - 2) + longest) / 2


def test_buckets_begin_on_their_minute_hour_and_day() -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, 89)
    assert [floor(at, span) for span in (MINUTE, HOUR, DAY)] == [
        datetime(2026, 3, 4, 5, 6), datetime(2026, 3, 4, 5), datetime(2026, 3, 4),
    ]  # fmt: skip
    assert moments(at, HOUR, 3) == (datetime(2026, 3, 4, 3), datetime(2026, 3, 4, 4), datetime(2026, 3, 4, 5))


def test_sums_add_and_keep_the_longest() -> None:
    one, two = Figures(2, 1, 30, 8, 2, 20, (1, 1) + (0,) * 24), Figures(1, 0, 5, 0, 0, 5, (0, 1) + (0,) * 24)
    total = together([one, two])
    assert total == Figures(3, 1, 35, 8, 2, 20, (1, 2) + (0,) * 24)
    assert (total.mean_wait, Figures().mean, Figures().mean_wait) == (4.0, None, None)
