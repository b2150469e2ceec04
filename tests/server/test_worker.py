"""A worker and a scheduler whose database, jobs or neighbours do something at the worst moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskmanager import JobContext, TaskManager
from taskmanager.domain.errors import StorageError
from taskmanager.domain.states import Scheduled
from taskmanager.engine.entering import SCHEDULE
from taskmanager.engine.transitions import Change
from taskmanager.server import lifeline
from taskmanager.server.lifeline import Lifeline
from taskmanager.storage import clock, structures
from taskmanager.storage.clock import Clock
from taskmanager.storage.glance import Watcher
from taskmanager.storage.transaction import Tx
from tests.conftest import history

pytestmark = pytest.mark.timeout(60)


def nothing() -> None: ...


def waiting(tm: TaskManager) -> dict[str, float]:
    return tm.database.read(lambda tx: structures.members(tx, SCHEDULE))


def test_no_more_jobs_are_begun_while_a_thousand_outcomes_cannot_be_written(tm: TaskManager, hands: Any) -> None:
    tm.enqueue_many(nothing, [() for _ in range(1200)])
    worker = hands()
    while claims := worker.claim():
        for claim in claims:
            worker.worker.perform(claim)
    assert 1000 <= len(worker.worker.held) <= 1010
    while worker.completer.flush():
        pass
    assert worker.work() > 0


def test_an_operators_open_transaction_on_a_job_holds_up_that_job_alone(tm: TaskManager, hands: Any) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite has one writer at a time")
    ids, worker, table = [tm.enqueue(nothing) for _ in range(4)], hands(), tm.database.tables.job
    claims = worker.claim()
    with tm.database.engine.connect() as operator:
        operator.execute(table.update().where(table.c.Id == ids[1]).values(Priority=7))
        begun = time.monotonic()
        for claim in claims:
            worker.worker.perform(claim)
        worker.completer.flush()
        assert time.monotonic() - begun < 5, "nobody is waited for"
        assert [tm.get(i).state for i in ids] == ["Succeeded", "Enqueued", "Succeeded", "Succeeded"]
        assert [c.job_id for c in worker.worker.held.values()] == [ids[1]]
        operator.commit()
    worker.completer.close()
    assert history(tm, ids[1]) == ["Enqueued", "Processing", "Succeeded"]
    assert worker.worker.held == {}


def test_a_long_job_that_an_operator_has_locked_is_not_cancelled_and_seen_processing_later(
    tm: TaskManager, hands: Any
) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite has one writer at a time")
    go, cancelled, table = threading.Event(), list[bool](), tm.database.tables.job

    def long(ctx: JobContext) -> None:
        go.wait(20)
        cancelled.append(ctx.cancellation.is_cancelled)

    job_id, worker = tm.job(long).enqueue(), hands()
    (claim,) = worker.claim()
    thread = threading.Thread(target=worker.worker.perform, args=(claim,))
    thread.start()
    while not worker.completer.running:
        time.sleep(0.01)
    (running,) = worker.completer.running.values()
    with tm.database.engine.connect() as operator:
        operator.execute(table.update().where(table.c.Id == job_id).values(Priority=7))
        worker.completer.record_processing(at_once=running)
        assert (running.recorded, running.fenced) == (False, False)
        operator.commit()
    worker.completer.record_processing(at_once=running)
    assert tm.get(job_id).state == "Processing"
    go.set()
    thread.join()
    worker.completer.flush()
    assert (cancelled, history(tm, job_id)) == ([False], ["Enqueued", "Processing", "Succeeded"])


def test_claims_that_could_not_be_given_back_are_given_back_later(
    tm: TaskManager, hands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tm.enqueue_many(nothing, [() for _ in range(3)])
    worker, other = hands(), hands()
    worker.worker.tick()
    with monkeypatch.context() as patched:
        patched.setattr(tm.database, "run", _down)
        with pytest.raises(StorageError):
            worker.worker.give_back_waiting()
    worker.worker.tick()
    assert worker.worker.held == {}, "a process that is being replaced ends when it holds nothing"
    assert other.work() == 3


def _down(*_: Any, **__: Any) -> Any:
    raise StorageError("the database is down")


def test_a_paused_queue_is_no_reason_to_look_more_often(tm: TaskManager) -> None:
    watcher = Watcher(tm.database, ["default", "other"], "nobody")
    tm.enqueue(nothing)
    assert watcher.look().waiting
    tm.pause_queue("default")
    assert not watcher.look().waiting
    tm.job(nothing).options(queue="other").enqueue()
    assert watcher.look().waiting
    watcher.close()


def test_a_job_that_is_moved_to_another_moment_while_it_becomes_due_waits_for_that(
    tm: TaskManager, hands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite has one writer at a time")
    job_id, later = tm.job(nothing).schedule(delay=-1), tm.database.clock.now() + timedelta(hours=1)
    real, moved = structures.due, list[bool]()

    def then_moved(tx: Tx, *given: Any, **options: Any) -> Any:
        found = real(tx, *given, **options)
        if not moved:
            moved.append(bool(tm.client.reschedule(job_id, later)))
        return found

    monkeypatch.setattr(structures, "due", then_moved)
    hands().delayed.tick()
    assert (moved, tm.get(job_id).state, len(waiting(tm))) == ([True], "Scheduled", 1)


def test_a_stray_member_is_left_while_its_job_is_being_scheduled(tm: TaskManager, hands: Any) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite has one writer at a time")
    job_id, worker = tm.enqueue(nothing), hands()
    tm.database.run(lambda tx: structures.put(tx, SCHEDULE, {f"default:{job_id}": 1.0}))
    scheduled, done = threading.Event(), threading.Event()

    def slowly(tx: Tx) -> None:
        later = Scheduled(enqueue_at=tx.now() + timedelta(hours=1))
        assert all(tm.transitions.apply(tx, [Change(job_id, later)]))
        scheduled.set()
        done.wait(0.5)

    other = threading.Thread(target=lambda: tm.database.run(slowly))
    other.start()
    assert scheduled.wait(10)
    worker.delayed.tick()
    done.set()
    other.join()
    assert (tm.get(job_id).state, len(waiting(tm))) == ("Scheduled", 1), "without its member it would never run"
    tm.database.run(lambda tx: structures.put(tx, SCHEDULE, {"default:987654321": 1.0, "nonsense": 1.0}))
    worker.delayed.tick()
    assert len(waiting(tm)) == 1, "members of no job go"


def test_a_reading_of_the_clock_is_never_seen_by_half(monkeypatch: pytest.MonkeyPatch) -> None:
    known, seen = Clock(), list[Any]()
    begin, ticks = known.now(), iter(range(100, 1000))

    class Ticking:
        """Between any two readings another thread looks."""

        @staticmethod
        def monotonic() -> float:
            if looking:
                return 200.0
            looking.append(True)
            seen.append(known.now())
            looking.clear()
            return 200.0

    looking = [True]
    known._reading = (begin, float(next(ticks)))
    monkeypatch.setattr(clock, "time", Ticking)
    before = known.now()
    looking.clear()
    known.set(before)
    assert seen == [before]


def test_a_neighbour_that_looks_for_the_dead_does_not_keep_a_process_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[[Any], bool] = lifeline._lock
    answers = iter([False, False])
    monkeypatch.setattr(lifeline, "_lock", lambda file: next(answers, True) and real(file))
    Lifeline("host:1:abc", 1, tmp_path).close()
    assert list(answers) == [], "it has asked again after each refusal"


def test_what_is_claimed_ahead_doubles_at_most_while_far_more_jobs_end_than_was_thought(
    hands: Callable[..., Any],
) -> None:
    worker = hands(threads=4).worker
    worker._prefetch = None
    now = worker._rate_at = 1024.0  # sums of this and of halves, quarters … are exact
    assert worker._ahead == 0
    ahead = []
    for _ in range(7):
        now += 2**-9
        worker._done += 1000
        worker._measure(now)
        ahead.append(worker._ahead)
    assert ahead == [8, 16, 32, 64, 128, 256, 500], "a few short jobs are no reason to take hundreds"
    now += 0.1875
    worker._done += 40
    worker._measure(now)
    assert worker._ahead == 500, "fewer than was thought is seen after the whole time alone"
    now += 0.1875
    worker._measure(now)
    assert worker._ahead == int(40 / 0.375 * 0.15)
