"""Servers that look at the same things look the more seldom, the more of them live."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from taskmanager import TaskManager, job
from taskmanager.domain.records import ServerRecord
from taskmanager.engine.legacy_served import ServedJobs
from taskmanager.server.company import Company
from taskmanager.server.pulse import Pulse
from taskmanager.server.schedulers import DelayedScheduler, LegacyScheduler
from taskmanager.server.upkeep import Watchdog
from taskmanager.storage import servers
from taskmanager.storage.glance import Watcher

_START = datetime(2026, 3, 1, 12)


@job
def greet() -> None:
    """Nothing."""


def company(queues: Iterable[str] = ("default",), *, scheduler: bool = True, rows: bool = True) -> Company:
    return Company("me", tuple(queues), scheduler=scheduler, rows=rows)


def server(name: str, beat: int, queues: Iterable[str] = ("default",), **told: Any) -> ServerRecord:
    told = {"scheduler": True, "rows": True} | told
    data = {"Queues": list(queues), "taskmanager": told}
    return ServerRecord(name, data, _START + timedelta(seconds=5 * beat))


def hear(one: Company, others: Callable[[int], list[ServerRecord]], readings: int = 2) -> None:
    for beat in range(readings):
        one.heard([server("me", beat), *others(beat)])


def test_a_server_alone_rests_as_long_as_it_is_set_to() -> None:
    one = company()
    assert (one.stretch, one.stretch_of_rows) == (1, 1)
    hear(one, lambda beat: [])
    assert (one.stretch, one.stretch_of_rows) == (1, 1)


@pytest.mark.parametrize(
    ("others", "stretch", "rows"), [(1, 1.25, 1.25), (4, 2, 2), (8, 3, 2), (19, 3, 2), (500, 3, 2)]
)
def test_it_rests_the_longer_the_more_others_live_up_to_a_bound(others: int, stretch: float, rows: float) -> None:
    one = company()
    hear(one, lambda beat: [server(f"s{n}", beat) for n in range(others)])
    assert (one.stretch, one.stretch_of_rows) == (stretch, rows)


@pytest.mark.parametrize("others", range(1, 60))
def test_what_is_new_is_seen_sooner_than_by_one_alone_that_looks_more_often(others: int) -> None:
    one = company()
    hear(one, lambda beat: [server(f"s{n}", beat) for n in range(others)])
    servers = others + 1
    for stretch in (one.stretch, one.stretch_of_rows):
        assert stretch / (servers + 1) < 1 / 2, "the mean of the first of n looks in T seconds is T / (n + 1)"


def test_the_row_of_a_server_that_has_died_counts_for_nothing() -> None:
    one = company()
    hear(one, lambda beat: [server(f"s{n}", 0) for n in range(19)], readings=5)
    assert (one.stretch, one.stretch_of_rows) == (1, 1)


def test_servers_that_fall_silent_are_counted_no_more_after_two_readings() -> None:
    one = company()
    hear(one, lambda beat: [server("s", beat)], readings=3)
    assert one.stretch == 1.25
    one.heard([server("s", 2)])
    assert one.stretch == 1.25, "one reading may come too early"
    one.heard([server("s", 2)])
    assert one.stretch == 1
    one.heard([server("s", 3)])
    assert one.stretch == 1.25, "it was only slow"
    one.heard([])
    assert one.stretch == 1, "it has signed off"


def test_only_those_count_that_work_on_the_queue_that_has_the_fewest() -> None:
    one = company(("default", "mail"))
    hear(one, lambda beat: [server(f"s{n}", beat) for n in range(8)])
    assert one.stretch == 1, "nobody else works on mail"
    hear(one, lambda beat: [*(server(f"s{n}", beat) for n in range(8)), server("m", beat, ("mail",))], readings=3)
    assert one.stretch == 1.25
    assert one.stretch_of_rows == 2, "rows of c_Job are in no queue"


def test_who_fires_nothing_does_not_count_for_who_does() -> None:
    def others(beat: int) -> list[ServerRecord]:
        return [server(f"s{n}", beat, scheduler=False, rows=False) for n in range(8)]

    one, other = company(), company(scheduler=False, rows=False)
    for each in (one, other):
        hear(each, others)
    assert (one.stretch, one.stretch_of_rows) == (1, 1)
    assert (other.stretch, other.stretch_of_rows) == (3, 1)


@pytest.mark.parametrize("data", [{}, {"Queues": "default"}, {"taskmanager": 7}, {"Queues": None, "taskmanager": {}}])
def test_rows_of_other_programs_count_for_nothing(data: dict[str, Any]) -> None:
    one = company()
    hear(one, lambda beat: [ServerRecord("net", data, _START + timedelta(seconds=beat))])
    assert (one.stretch, one.stretch_of_rows) == (1, 1)


def test_the_watchdog_tells_of_servers_that_give_signs_of_life(tm: TaskManager) -> None:
    one = company()
    watchdog = Watchdog(tm.database, "me", dead_after=30, heard=one.heard)
    told = server("other", 0).data
    tm.database.run(lambda tx: servers.announce(tx, "other", told))
    for _ in range(2):
        tm.database.run(lambda tx: servers.heartbeat(tx, "other", told))
        watchdog._next_remote = 0.0  # else five seconds pass between two readings
        watchdog.tick()
    assert one.stretch == 1.25


def test_an_idle_pulse_rests_longer_in_company_but_never_past_what_is_due(tm: TaskManager) -> None:
    if tm.database.is_embedded:
        pytest.skip("a process on SQLite sees by shared memory whether anybody wrote")
    stretch = [1.0]
    delayed = DelayedScheduler(tm.database, tm.transitions)
    pulse = Pulse(
        tm.database, Watcher(tm.database, ["default"], "me"), {"scheduled": delayed}, None, is_busy=lambda: False,
        idle_seconds=2, busy_seconds=0.01, stretch=lambda: stretch[0],
    )  # fmt: skip
    assert pulse.tick() == 2
    stretch[0] = 3.0
    assert pulse.tick() == 6
    tm.enqueue(greet, delay=timedelta(seconds=4))
    assert 3 < pulse.tick() <= 4
    pulse.close()


def test_rows_are_looked_at_less_often_in_company_but_never_late(tm: TaskManager) -> None:
    stretch = [1.0]
    assert isinstance(tm.legacy_jobs, ServedJobs)
    scheduler = LegacyScheduler(tm.legacy_jobs, lambda: stretch[0])
    scheduler.tick()
    assert scheduler.tick() == 1
    stretch[0] = 2.0
    assert scheduler.tick() == 2
    table = tm.database.tables.legacy.job
    with tm.database.engine.begin() as connection:
        connection.execute(
            table.insert().values(JobName="soon", CronExpression="* * * * * *", StoredProcName="SP_None", IsActive=1)
        )
    assert scheduler.tick() <= 1, "the run begins with its second"
