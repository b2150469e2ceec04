"""Processor time of runs that follow each other in a thread."""

from __future__ import annotations

import time

import pytest

from taskmanager.engine import cpu_clock


def _busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_run_of_less_than_a_millisecond_asks_the_system_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.perf_counter()
    before = cpu_clock.begun(now)
    monkeypatch.setattr(time, "thread_time", lambda: pytest.fail("asked"))
    assert cpu_clock.begun(now + 0.0004) == before
    assert cpu_clock.used_ms(before, 0) == 0


def test_what_was_used_between_two_runs_is_not_the_later_ones() -> None:
    cpu_clock.begun(time.perf_counter())
    _busy(0.05)
    before = cpu_clock.begun(time.perf_counter())
    assert cpu_clock.used_ms(before, 1000) < 50


def test_a_run_that_works_has_used_what_it_worked_and_never_more_than_it_took() -> None:
    before = cpu_clock.begun(time.perf_counter())
    _busy(0.05)
    assert cpu_clock.used_ms(before, 10_000) >= 50
    assert cpu_clock.used_ms(before, 20) == 20
