"""How large the second window of a search is."""

from __future__ import annotations

from taskmanager.storage.windows import BUDGET, further


def test_a_fast_machine_looks_at_all() -> None:
    assert further(10_000, BUDGET / 50, 100_000) == 90_000


def test_no_time_at_all_has_room_for_all() -> None:
    assert further(10_000, 0.0, 100_000) == 90_000


def test_a_slow_machine_looks_at_as_many_as_the_time_left_suffices_for() -> None:
    assert further(10_000, 0.05, 100_000, budget=0.2) == 30_000
    assert further(10_000, 0.1, 100_000, budget=0.2) == 10_000


def test_both_together_take_no_longer_than_the_budget_at_the_same_speed() -> None:
    for milliseconds in range(1, 400):
        seconds = milliseconds / 1000
        more = further(5_000, seconds, 100_000)
        assert more == 0 or seconds * (5_000 + more) / 5_000 <= BUDGET + 1e-9
        assert 5_000 + more <= 100_000


def test_where_the_budget_is_spent_or_nearly_so_nothing_more_is_looked_at() -> None:
    assert further(10_000, BUDGET, 100_000) == 0
    assert further(10_000, 3.0, 100_000) == 0
    assert further(10_000, BUDGET * 0.95, 100_000) == 0


def test_what_was_looked_at_counts_towards_the_most() -> None:
    assert further(10_000, 0.001, 10_000) == 0
    assert further(10_000, 0.001, 12_000) == 2_000
    assert further(10_000, 0.001, 8_000) == 0


def test_of_the_little_that_is_left_all_is_looked_at_only_where_it_pays() -> None:
    assert further(10_000, 0.001, 10_100) == 100  # all that there is: no reason to leave it out
    assert further(10_000, 0.199, 10_100, budget=0.2) == 0
