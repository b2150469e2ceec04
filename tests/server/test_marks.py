"""Claims begin where the last one ended, and leave the front of a queue alone where the way to it is long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.server import marks as module
from taskmanager.server.marks import Marks
from taskmanager.storage import claiming, queues
from taskmanager.storage.claiming import Front, Mark, Taken
from tests.hand_clock import HandClock

_FULL, _BEHIND = Mark(0, 20), Mark(0, 25)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    return HandClock.of(monkeypatch, module)


def full(front_seconds: float | None) -> Taken:
    return Taken([], last=_FULL, reached=_FULL, front_seconds=front_seconds)


def test_without_a_full_claim_the_next_begins_at_the_front() -> None:
    marks = Marks()
    assert marks.of("default") == (None, Front.ALWAYS)
    marks.claimed("default", full(0.0005))
    assert marks.of("default") == (_FULL, Front.ALWAYS)
    assert marks.of("other") == (None, Front.ALWAYS)
    marks.claimed("default", Taken([], reached=_BEHIND, front_seconds=0.0005))
    assert marks.of("default") == (None, Front.ALWAYS)


def test_a_slow_front_is_left_alone_for_thirty_times_as_long_while_jobs_are_found(
    clock: HandClock,
) -> None:
    marks = Marks()
    for seconds in (0.004, 0.003, 0.009):
        assert marks.of("default")[1] is Front.ALWAYS, "one look may have met a server that stood still"
        marks.claimed("default", full(seconds))
    assert marks.of("default") == (_FULL, Front.IF_EMPTY)
    clock.now += 0.061
    assert marks.of("default") == (_FULL, Front.ALWAYS)
    marks.claimed("default", full(0.0005))
    assert marks.of("default") == (_FULL, Front.ALWAYS)


def test_a_dear_front_is_left_alone_though_nothing_is_found_and_is_owed_a_look(clock: HandClock) -> None:
    marks = Marks()
    for seconds in (3.0, 0.1, 0.2):
        marks.claimed("default", full(seconds))
    assert marks.of("default") == (_FULL, Front.NEVER)
    assert marks.rest(60.0) == 60.0, "nothing is owed: the claim was full"
    marks.claimed("default", Taken([], reached=_BEHIND))
    assert marks.of("default") == (_BEHIND, Front.NEVER), "the next begins behind what was found"
    assert 2.9 < marks.rest(60.0) < 3
    clock.now += 3
    assert marks.of("default") == (_BEHIND, Front.ALWAYS)
    assert marks.rest(60.0) == 0.05
    clock.now += 2
    assert marks.of("default") == (None, Front.ALWAYS), "rows that came back are found after five seconds"
    marks.claimed("default", Taken([], front_seconds=100.0))
    assert marks.rest(60.0) == 60.0
    for _ in range(3):
        marks.claimed("default", full(100.0))
    clock.now += 5.1
    assert marks.of("default") == (None, Front.ALWAYS), "the longest rest is five seconds"


def test_what_a_claim_finds_by_the_way_it_looks(tm: TaskManager) -> None:
    tm.database.run(lambda tx: queues.push(tx, [(i, "default", 0) for i in range(1, 11)]))
    first = tm.database.run(lambda tx: claiming.take_next(tx, "default", 4, "a.1"))
    assert first.front_seconds is not None
    tm.database.run(lambda tx: queues.release(tx, first.claims[:1]))
    tm.database.run(lambda tx: queues.push(tx, [(99, "default", -5)]))
    found = first.reached

    def claimed(number: int, limit: int, front: Front) -> tuple[list[int], bool]:
        taken = tm.database.run(
            lambda tx: claiming.take_next(tx, "default", limit, f"b.{number}", after=found, front=front)
        )
        return [claim.job_id for claim in taken.claims], taken.front_seconds is not None

    assert claimed(1, 3, Front.NEVER) == ([5, 6, 7], False)
    assert claimed(2, 2, Front.IF_EMPTY) == ([8, 9], False)
    assert claimed(3, 3, Front.NEVER) == ([10], False)
    assert claimed(4, 3, Front.NEVER) == ([], False)
    assert claimed(5, 1, Front.ALWAYS) == ([99], True), "what is more urgent"
    assert claimed(6, 3, Front.IF_EMPTY) == ([1], True), "what came back"


def test_a_worker_whose_front_is_dear_still_runs_all_jobs(
    tm: TaskManager, hands: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_DEAR_SECONDS", -1.0)
    monkeypatch.setattr(module, "_CHEAP_SECONDS", -0.01)
    worker, ids = hands(threads=3), list[int]()
    for number in range(5):
        ids += tm.enqueue_many(len, [("x",)] * 4, queue="default")
        assert worker.worker._marks.rest(60.0) <= 60.0
        for _ in range(30):
            worker.work()
            if all(tm.get(i).state == "Succeeded" for i in ids):
                break
            time.sleep(worker.worker._marks.rest(0.02))
        assert [tm.get(i).state for i in ids] == ["Succeeded"] * len(ids), number
