"""An idle server is woken by an enqueue elsewhere: by its doorbell, or on SQLite by what a write leaves in the file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.server.process import Process
from taskmanager.server.pulse import Pulse
from taskmanager.storage import doorbell, structures
from taskmanager.storage.database import Database
from taskmanager.storage.doorbell import SET
from taskmanager.storage.glance import Glance, Watcher

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def double(n: int) -> int:
    return n * 2


@pytest.mark.parametrize("is_near", [True, False], ids=["of this machine", "of another"])
def test_an_idle_server_begins_at_once_what_somebody_else_enqueues_though_it_looks_seldom(
    url: str, is_near: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_near and url.startswith("sqlite"):
        pytest.skip("nobody on another machine uses this file")
    rung, real = list[str](), doorbell.ring_one

    def ring_one(database: Database, member: str) -> bool:
        rung.append(member)
        return real(database, member)

    monkeypatch.setattr(doorbell, "ring_one", ring_one)
    serving = TaskManager(database_url=url, poll_interval_seconds=10)
    serving.definition(double)
    elsewhere = TaskManager(database_url=url, poll_interval_seconds=10)
    if not is_near:
        elsewhere.ringer._folder = tmp_path  # that of the other's temporary files is not seen from here
    server = serving.server()
    server.start()
    took = []
    try:
        for n in range(3):
            asleep(serving)
            started = time.monotonic()
            assert elsewhere.wait(elsewhere.enqueue(double, n), 60) == n * 2
            took.append(time.monotonic() - started)
        assert bool(rung) is not (is_near or serving.database.is_embedded), "who is near needs no ring by the server"
    finally:
        server.stop(grace=1)
        elsewhere.close()
        serving.close()
    assert sorted(took)[1] < 1.5, f"it looks by itself every 5 s: {took}"


def asleep(tm: TaskManager) -> None:
    """It has seen that there is nothing to do, and lies down."""
    time.sleep(1.5)
    deadline = time.monotonic() + 40
    while not tm.database.is_embedded and not tm.database.read(lambda tx: structures.members(tx, SET)):
        assert time.monotonic() < deadline, "it does not wait for its doorbell"
        time.sleep(0.05)


class Rung(Process):
    """Counts nothing: its alarm tells whether it was woken."""

    def tick(self) -> float:
        return 1.0


class Looks(Watcher):
    """Counts its looks."""

    count = 0

    def look(self) -> Glance:
        self.count += 1
        return super().look()


def test_a_ring_wakes_the_fetcher_and_the_pulse_lets_it_go_first_but_once(tm: TaskManager) -> None:
    watcher, fetcher = Looks(tm.database, ["default"], "me"), Rung()
    pulse = Pulse(
        tm.database, watcher, {"waiting": fetcher}, None, is_busy=lambda: False, idle_seconds=2, busy_seconds=1
    )
    pulse.tick()
    before = watcher.count
    fetcher.alarm.clear()
    pulse.ring()
    assert fetcher.alarm.is_set()
    assert pulse.tick() <= 0.01
    assert watcher.count == before, "a claim does not wait for a look"
    pulse.ring()
    pulse.tick()
    assert watcher.count == before + 1, "however often somebody rings, it looks"
    pulse.close()


def test_while_claims_find_all_that_can_be_done_nobody_looks_for_more(tm: TaskManager) -> None:
    watcher, streams = Looks(tm.database, ["default"], "me"), True
    pulse = Pulse(
        tm.database, watcher, {"waiting": Rung()}, None, is_busy=lambda: True, is_streaming=lambda: streams,
        idle_seconds=2, busy_seconds=0.02,
    )  # fmt: skip
    assert pulse.tick() >= 0.2
    pulse.ring()
    assert pulse.tick() > 0.1
    assert watcher.count == 1, "not for a ring either"
    streams = False
    pulse.tick()
    assert watcher.count == 2
    pulse.close()


def test_a_fetcher_that_runs_dry_says_so_once(tm: TaskManager, hands: Callable[..., Any]) -> None:
    worker = hands(threads=2)
    dry = list[str]()
    worker.worker.ran_dry = lambda: dry.append("dry")
    tm.enqueue_many(double, [(n,) for n in range(2)])
    worker.worker.tick()
    assert dry == [], "there may be more"
    worker.work()
    worker.worker.tick()
    worker.worker.tick()
    assert dry == ["dry"]
