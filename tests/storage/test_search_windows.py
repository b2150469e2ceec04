"""A search looks in windows that fit its budget of time; whatever their size, nothing is skipped or found twice."""

from __future__ import annotations

from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import monitoring_filters, monitoring_lists, monitoring_reach, windows
from taskmanager.storage.monitoring_filters import Term, Wanted
from taskmanager.storage.monitoring_lists import Page
from taskmanager.storage.transaction import Tx

COUNT = 60
#: Seconds that a statement takes, from a quick server to one whose first window uses up the budget.
PACES = (0.0, 0.01, 0.02, 0.033, 0.15)
ENQUEUED, FAILED, VIP = ("Enqueued",), ("Failed",), Term("tag", (("tag", "vip"),))
MAIL, ERROR = Term("queue", ("mail",)), Term("error", ("hm",))
SEARCHES = [
    Wanted((), (MAIL,)), Wanted(ENQUEUED, (MAIL,)), Wanted(("Enqueued", "Failed"), (MAIL,)), Wanted(FAILED, (MAIL,)),
    Wanted((), (VIP, MAIL)), Wanted(ENQUEUED, (VIP,)), Wanted(FAILED, (VIP,)), Wanted((), (VIP,)),
    Wanted((), (ERROR,)), Wanted(FAILED, (ERROR, VIP)), Wanted(ENQUEUED, (Term("queue", ("none",)),)), Wanted(ENQUEUED),
]  # fmt: skip


class Pace:
    """A clock that goes on by so many seconds with each statement, and counts them."""

    def __init__(self) -> None:
        self.seconds = self.now = 0.0
        self.statements = 0

    def __call__(self) -> float:
        return self.now


def send(to: str) -> None: ...


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> Pace:
    """The clock of searches, which look at 5 jobs at first and at 30 at most."""
    clock, real = Pace(), Tx.execute

    def execute(tx: Tx, build: Any, parameters: Any = None) -> Any:
        clock.now += clock.seconds
        clock.statements += 1
        return real(tx, build, parameters)

    monkeypatch.setattr(Tx, "execute", execute)
    monkeypatch.setattr(windows, "clock", clock)
    monkeypatch.setattr(monitoring_reach, "FIRST", 5)
    monkeypatch.setattr(monitoring_reach, "FIRST_FEW", 5)
    monkeypatch.setattr(monitoring_filters, "SCANNED", 30)
    return clock


@pytest.fixture
def jobs(tm: TaskManager) -> list[int]:
    """Ids, ascending: each seventh has failed, each third is tagged, the oldest and some others are of a queue."""
    work = tm.job(send)
    found = []
    for n in range(COUNT):
        tags = ["vip"] if n % 3 == 0 else []
        queue = "mail" if n < 4 or n % 10 == 1 else "default"
        found.append(work.options(tags=tags, queue=queue).enqueue(str(n)))
    for one in found[::7]:
        tm.client.fail(one, ValueError("hm"), "hm")
    return found


def expected(jobs: list[int], wanted: Wanted) -> list[int]:
    """The same by hand, the newest first."""
    found = []
    for n, one in enumerate(jobs):
        has = {"mail": n < 4 or n % 10 == 1, "vip": n % 3 == 0, "hm": n % 7 == 0, "none": False}
        state = "Failed" if n % 7 == 0 else "Enqueued"
        names = [term.values[0][1] if term.kind == "tag" else term.values[0] for term in wanted.terms]
        if (not wanted.states or state in wanted.states) and all(has[name] for name in names):
            found.append(one)
    return found[::-1]


def page(tm: TaskManager, wanted: Wanted, **edge: Any) -> Page:
    return tm.database.read(lambda tx: monitoring_lists.page(tx, wanted, limit=3, **edge))


def down(tm: TaskManager, wanted: Wanted) -> list[int]:
    """All, page by page; where a page ends for want of time, from its floor on."""
    found, one = list[int](), page(tm, wanted)
    while True:
        found += [row.id for row in one.rows]
        before = one.rows[-1].id if one.has_older else one.floor
        if before is None:
            return found
        one = page(tm, wanted, before=before)


def up(tm: TaskManager, wanted: Wanted) -> list[int]:
    """All from the oldest on."""
    found, one = list[int](), page(tm, wanted, after=0)
    while True:
        found += [row.id for row in one.rows][::-1]
        if not one.has_newer:
            return found[::-1]
        one = page(tm, wanted, after=one.rows[0].id if one.ceiling is None else one.ceiling)


def test_paging_finds_the_same_whatever_the_windows_in_both_directions(
    tm: TaskManager, jobs: list[int], pace: Pace
) -> None:
    for wanted in SEARCHES:
        told = expected(jobs, wanted)
        assert told or any(term.values == ("none",) for term in wanted.terms)
        for pace.seconds in PACES:
            assert down(tm, wanted) == told, (wanted, pace.seconds)
            assert up(tm, wanted) == told, (wanted, pace.seconds)


def test_a_quick_server_looks_at_all_it_may_and_a_slow_one_at_fewer(
    tm: TaskManager, jobs: list[int], pace: Pace
) -> None:
    nothing = Term("queue", ("none",))
    for wanted, looked in (
        (Wanted(ENQUEUED, (nothing,)), (30, 21, 11, 8, 5)),
        (Wanted((), (nothing,)), (30, 30, 6, 6, 5)),
        (Wanted((), (VIP, nothing)), (None, 13, 8, 6, 5)),  # they lie apart: a second window may be all the colder
    ):  # fmt: skip
        for pace.seconds, most in zip(PACES, looked, strict=True):
            one = page(tm, wanted)
            assert one.rows == ()
            if most is None:
                assert one.floor is None, "there are but twenty"
                continue
            assert one.looked == most, (wanted, pace.seconds)
            of = [one for one in jobs[::-1] if one in expected(jobs, Wanted(wanted.states, wanted.terms[:-1]))]
            assert one.floor == of[most - 1], "the page tells the job at which it stopped"
            assert one.floor_at is not None


def test_what_a_first_window_fills_takes_no_second(tm: TaskManager, jobs: list[int], pace: Pace) -> None:
    one = page(tm, Wanted(ENQUEUED, (Term("type", ("send",)),)))
    assert (len(one.rows), one.has_older, one.looked, pace.statements) == (3, True, 5, 3)


def test_a_count_goes_on_in_the_same_budget_and_the_page_tells_how_far(
    tm: TaskManager, jobs: list[int], pace: Pace
) -> None:
    wanted = Wanted(ENQUEUED, (Term("type", ("send",)),))
    told = []
    for pace.seconds in PACES:
        one = tm.database.read(lambda tx: monitoring_lists.counted(tx, wanted, limit=3))
        assert one.count == one.looked, "each that was looked at is one"
        assert one.floor == expected(jobs, Wanted(ENQUEUED))[one.looked - 1]
        told.append(one.count)
    assert told[0] == 30
    assert sorted(told, reverse=True) == told
    assert told[-1] == 5


def test_a_first_page_with_its_count_takes_six_statements_at_most(tm: TaskManager, jobs: list[int], pace: Pace) -> None:
    for wanted in SEARCHES:
        for pace.seconds in PACES:
            pace.statements = 0
            tm.database.read(lambda tx, w=wanted: monitoring_lists.counted(tx, w, limit=1))  # type: ignore[misc]
            assert pace.statements <= 6, (wanted, pace.seconds)


def test_what_shall_find_the_same_each_time_does_not_look_at_the_clock(
    tm: TaskManager, jobs: list[int], pace: Pace
) -> None:
    wanted, told = Wanted(ENQUEUED, (MAIL,)), set()
    for pace.seconds in PACES:
        one = tm.database.read(lambda tx: monitoring_lists.counted(tx, wanted, limit=1, is_fixed=True))
        told.add((one.count, one.floor, one.looked))
        assert one.count == tm.database.read(lambda tx: monitoring_lists.count(tx, wanted))
    assert len(told) == 1


def test_of_a_tag_and_a_state_that_one_leads_which_fewer_jobs_have(
    tm: TaskManager, jobs: list[int], pace: Pace
) -> None:
    def way(state: str) -> str:
        return tm.database.read(lambda tx: monitoring_reach.way(tx, Wanted((state,), (VIP,))))

    assert (way("Enqueued"), way("Failed"), way("Deleted")) == ("tag", "state", "state")
    none = Wanted(("Failed",), (Term("tag", (("tag", "none"),)),))
    assert tm.database.read(lambda tx: monitoring_reach.way(tx, none)) == "tag", "of which there are none at all"


def test_jobs_of_a_tag_are_counted_as_far_as_time_lasts(tm: TaskManager, jobs: list[int], pace: Pace) -> None:
    told = []
    for pace.seconds in (0.0, 0.15):
        one = tm.database.read(lambda tx: monitoring_lists.counted(tx, Wanted((), (VIP,)), limit=3))
        told.append((one.count, one.is_least, one.floor))
    assert told == [(20, False, None), (5, True, None)]
