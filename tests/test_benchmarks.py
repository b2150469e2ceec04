"""The benchmarks run: with small numbers, on SQLite. Their figures are nobody's business here."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks import beside, drain, enqueue, idle, latency, load, memory, past, recurring, scale, startup
from benchmarks.fill import fill, fresh
from benchmarks.summary import summary

pytestmark = pytest.mark.slow


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bench.db"


def test_enqueue_is_measured(url: str) -> None:
    found = enqueue.measure(url, singles=5, many=1000)
    assert found["enqueue_per_second"] > 0
    assert found["ratio_in_callers"] > 0
    assert found["ratio_many"] > 0


def test_a_drain_is_measured_with_and_without_history(url: str) -> None:
    assert drain.measure(url, 50)["ratio"] > 0
    assert drain.compare_history(url, 50)["with_per_second"] > 0


def test_latency_is_measured(url: str) -> None:
    found = latency.measure(url, 3, doorbell=True)
    assert found["p50_ms"] > 0
    assert found["bare_ms"] > 0


def test_latency_is_measured_at_a_rate(url: str) -> None:
    assert 0 < latency.measure(url, 20, per_second=100)["per_second"] <= 101


def test_a_drain_of_mixed_durations_tells_what_a_job_costs(url: str) -> None:
    found = load.drain(url, 60, processes=1, threads=5, waits=(0.0, 0.001))
    assert found["per_second"] > 0
    assert 0 < found["commits_per_job"] <= found["statements_per_job"]


def test_start_up_is_measured(url: str) -> None:
    assert startup.measure(url, 1)["start_to_first_job_ms"] > 0


def test_recurring_jobs_all_fire_as_the_clock_moves(url: str) -> None:
    found = recurring.measure(url, hourly=60, together=5)
    assert found["over_an_hour"]["jobs"] == 60
    assert found["at_once"]["jobs"] == 5


def test_finished_jobs_are_filled_in_as_a_server_leaves_them(url: str) -> None:
    tm = fresh(url)
    fill(tm, 30)
    past.finish(tm, kept=timedelta(days=1))
    assert [state.name for state in tm.get(30).history] == ["Enqueued", "Processing", "Succeeded"]
    assert tm.get(30).state == "Succeeded"
    assert drain.is_empty(tm)
    tm.close()


def test_idle_workers_are_measured(url: str) -> None:
    found = idle.measure(url, processes=2, seconds=2)
    assert found["statements_per_second_each"] > 0
    assert found["resident_mb"] > 10


def test_memory_and_scale_are_measured(url: str) -> None:
    assert len(memory.measure(url, 20)["after_each_tenth_mb"]) == 10
    assert [row["waiting"] for row in scale.measure(url, [10])] == [10]


def test_a_drain_beside_what_tables_hold_leaves_it_there(url: str, tmp_path: Path) -> None:
    tm = fresh(url)
    fill(tm, 7)
    found = beside.measure(url, f"sqlite:///{tmp_path}/empty.db", jobs=30, rounds=1)
    assert found["ratio"] > 0
    assert beside.is_drained(tm)
    assert not drain.is_empty(tm)
    tm.close()


def test_several_runs_are_told_by_median_and_range() -> None:
    runs = [{"jobs": 5, "rate": 3.0, "rows": [{"ms": 1}]}, {"jobs": 5, "rate": 1.0, "rows": [{"ms": 2}]},
            {"jobs": 5, "rate": 9.0, "rows": [{"ms": 3}]}]  # fmt: skip
    assert summary(runs) == {
        "jobs": 5, "rate": {"median": 3.0, "least": 1.0, "most": 9.0},
        "rows": [{"ms": {"median": 2, "least": 1, "most": 3}}],
    }  # fmt: skip
