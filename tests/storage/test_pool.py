"""The pool keeps as many connections as were in use at once lately."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection

from taskmanager import TaskManager
from taskmanager.storage import pool as pools
from taskmanager.storage.pool import ShrinkingPool
from tests.hand_clock import HandClock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    return HandClock.of(monkeypatch, pools)


@pytest.fixture
def pool(clock: HandClock) -> ShrinkingPool:
    return ShrinkingPool(
        lambda: sqlite3.connect(":memory:", check_same_thread=False), pool_size=5, max_overflow=0, timeout=0.05
    )


def total(pool: ShrinkingPool) -> int:
    return pool.checkedin() + pool.checkedout()


def burst(pool: ShrinkingPool, count: int) -> None:
    """So many at once."""
    give_back([pool.connect() for _ in range(count)])


def give_back(taken: Sequence[PoolProxiedConnection]) -> None:
    for one in taken:
        one.close()


def test_what_a_burst_opened_is_kept_for_the_next_one(pool: ShrinkingPool, clock: HandClock) -> None:
    burst(pool, 4)
    clock.now += 59
    burst(pool, 4)
    assert total(pool) == 4


def test_what_nobody_needs_for_two_minutes_is_closed_as_connections_come_back(
    pool: ShrinkingPool, clock: HandClock
) -> None:
    burst(pool, 4)
    for _ in range(12):
        clock.now += 15
        burst(pool, 1)
    assert total(pool) == 1
    assert pool.checkedout() == 0


def test_as_many_as_are_in_use_at_once_are_kept(pool: ShrinkingPool, clock: HandClock) -> None:
    burst(pool, 5)
    held = pool.connect()
    for _ in range(12):
        clock.now += 15
        burst(pool, 2)
    assert total(pool) == 3, "the one that is held, and two"
    held.close()
    assert total(pool) == 3


def test_after_a_silence_the_first_that_comes_back_is_kept(pool: ShrinkingPool, clock: HandClock) -> None:
    burst(pool, 3)
    clock.now += 3600
    burst(pool, 1)
    burst(pool, 1)
    assert total(pool) == 1


def test_there_are_never_more_than_its_size(pool: ShrinkingPool) -> None:
    taken = [pool.connect() for _ in range(5)]
    with pytest.raises(PoolTimeout):
        pool.connect()
    give_back(taken)
    burst(pool, 5)


def test_units_of_many_threads_at_once_leave_no_connections_open_for_long(
    tm: TaskManager, clock: HandClock, engine_name: str
) -> None:
    if engine_name == "sqlite":
        pytest.skip("SQLite's connections are files")
    engine, closed = tm.database.engine, list[object]()
    event.listen(engine, "close", lambda connection, record: closed.append(connection))
    together = Barrier(6)

    def work() -> None:
        tm.database.run(lambda tx: together.wait(20))

    with ThreadPoolExecutor(6) as threads:
        for one in [threads.submit(work) for _ in range(6)]:
            one.result(30)
    assert not closed
    for _ in range(12):
        clock.now += 15
        tm.database.run(lambda tx: tx.now())
    assert len(closed) >= 5
    assert isinstance(engine.pool, ShrinkingPool)
    assert total(engine.pool) == 1
