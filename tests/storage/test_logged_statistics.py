"""What runs come to, on every product: as Python counts it, for each filter, and bounded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import monitoring_logged_searches, monitoring_logged_statistics
from taskmanager.storage.monitoring_logged import WantedRuns
from taskmanager.storage.monitoring_logged_statistics import RunStatistics, by_name, measure
from tests.storage.test_monitoring_logged import START, fill, ticking


def told(found: RunStatistics) -> tuple[Any, ...]:
    return found.runs, found.succeeded, found.p50_ms, found.p95_ms, found.avg_ms, found.min_ms, found.max_ms


def counted(numbers: list[int]) -> tuple[Any, ...]:
    """The same of the runs with these numbers, which are their durations too."""
    ordered, many = sorted(numbers), len(numbers)
    half, most = (ordered[-(-share * many // 100) - 1] for share in (50, 95))
    return many, sum(n % 7 != 0 for n in ordered), half, most, round(sum(ordered) / many), ordered[0], ordered[-1]


FILTERS: list[tuple[WantedRuns, Any]] = [
    (WantedRuns(), lambda n: True),
    (WantedRuns("Beta"), lambda n: n % 3 == 1),
    (WantedRuns(succeeded=False), lambda n: n % 7 == 0),
    (WantedRuns("Alpha", True), lambda n: n % 3 == 0 and n % 7),
    (WantedRuns(server="WEB-3"), lambda n: n % 5 == 3),
    (WantedRuns(text="DONE 1"), lambda n: str(n).startswith("1")),
    (WantedRuns(since=START + timedelta(minutes=20), until=START + timedelta(minutes=90)), lambda n: 20 <= n < 90),
]


@pytest.mark.parametrize("shown", [3, 1000], ids=["by the database", "at hand"])
def test_statistics_of_a_filter_are_those_of_its_runs(tm: TaskManager, shown: int) -> None:
    fill(tm, 200)
    for wanted, meets in FILTERS:
        found = tm.database.read(lambda tx, w=wanted: measure(tx, w, shown=shown))  # type: ignore[misc]
        numbers = [n for n in range(200) if meets(n)]
        average, wished = told(found)[4], counted(numbers)
        assert abs(average - wished[4]) <= 1, wanted
        assert told(found)[:4] + told(found)[5:] == wished[:4] + wished[5:], wanted
        assert [int(r.job_id or -1) for r in found.last] == numbers[-shown:]
        assert not found.is_capped


def test_beyond_the_bound_they_are_of_the_newest(tm: TaskManager) -> None:
    fill(tm, 90)
    found = tm.database.read(lambda tx: measure(tx, WantedRuns(), shown=5, most=50))
    # As far back as the fiftieth that succeeded: so many at least.
    assert (found.floor, found.looked) == (START + timedelta(minutes=32), 50)
    assert told(found)[:4] == counted(list(range(32, 90)))[:4]
    assert found.is_capped
    none = tm.database.read(lambda tx: measure(tx, WantedRuns("nobody")))
    assert told(none) == (0, 0, None, None, None, None, None)
    assert none.rate is None


@pytest.mark.parametrize("wanted", [WantedRuns(), WantedRuns(server="web")], ids=["all", "a search"])
def test_a_slow_machine_counts_fewer_and_tells_of_how_many(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch, wanted: WantedRuns
) -> None:
    monkeypatch.setattr(monitoring_logged_statistics, "FIRST", 10)
    fill(tm, 100, Success=1)
    for looked, share in ((10, 1), (10, 2), (20, 3), (40, 5), (80, 9)):
        ticking(monkeypatch, monitoring_logged_statistics.BUDGET / share)
        found = tm.database.read(lambda tx: measure(tx, wanted, shown=3, most=90))
        assert (found.runs, found.looked, found.min_ms, found.max_ms) == (looked, looked, 100 - looked, 99), share
        assert (found.is_capped, found.floor) == (True, START + timedelta(minutes=100 - looked))
        assert [run.duration_ms for run in found.last] == [97, 98, 99]
    ticking(monkeypatch, 0.0)
    found = tm.database.read(lambda tx: measure(tx, wanted, shown=3, most=101))
    assert (found.runs, found.is_capped, found.floor, found.looked) == (100, False, None, None)


def test_a_search_tells_how_far_it_looked(tm: TaskManager) -> None:
    fill(tm, 40)
    found = tm.database.read(lambda tx: measure(tx, WantedRuns(by="system"), most=10))
    assert found.floor == START + timedelta(minutes=28)
    assert found.runs == sum(1 for n in range(28, 40) if n % 50)


def test_each_name_is_summed_up_in_its_days_with_its_newest_runs(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tm, 200)
    since, until = START + timedelta(minutes=20), START + timedelta(minutes=90)
    names = ["Alpha", "Gamma", "nobody"]
    found = tm.database.read(lambda tx: by_name(tx, names, since, until))
    assert [one.name for one in found] == names
    for one, part in zip(found, (0, 2), strict=False):
        numbers = [n for n in range(20, 90) if n % 3 == part]
        assert told(one.statistics)[:4] == counted(numbers)[:4]
        newest = [n for n in range(200) if n % 3 == part][-20:]
        assert [int(r.job_id or -1) for r in one.statistics.last] == newest
    assert (told(found[2].statistics)[:2], found[2].statistics.last) == ((0, 0), ())
    monkeypatch.setattr(monitoring_logged_statistics, "OF_NAME", 10)
    capped = tm.database.read(lambda tx: by_name(tx, ["Beta"]))[0].statistics
    assert (capped.runs, capped.is_capped, capped.max_ms) == (10, True, 199)


def test_of_one_name_fewer_are_counted_where_its_rows_lie_apart(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_logged_statistics, "FIRST_OF_NAME", 5)
    monkeypatch.setattr(monitoring_logged_searches, "SCATTERED", 20)
    ticking(monkeypatch, 0.0)
    fill(tm, 90, Success=1)
    found = tm.database.read(lambda tx: measure(tx, WantedRuns("Alpha"), shown=3, most=100))
    apart = tm.database.product.rows_lie_by_key
    assert (found.runs, found.is_capped, found.looked) == ((20, True, 20) if apart else (30, False, None))
    assert found.min_ms == (30 if apart else 0)
