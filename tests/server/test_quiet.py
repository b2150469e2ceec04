"""A server that is asked to take no more jobs ends what it runs, gives back what it holds, and goes on when asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import InvalidArgument, TaskManager
from taskmanager.server.pulse import Pulse
from taskmanager.storage import queues, servers
from taskmanager.storage.glance import Watcher

GO = threading.Event()


def hold(n: int) -> int:
    GO.wait(10)
    return n


def double(n: int) -> int:
    return n * 2


def test_a_quiet_server_claims_nothing_and_gives_back_what_waits(tm: TaskManager, hands: Callable[..., Any]) -> None:
    one, other = hands(), hands()
    first = tm.enqueue(double, 1)
    one.worker.tick()
    assert len(one.worker.held) == 1
    pulse = Pulse(
        tm.database, Watcher(tm.database, one.worker.queues, one.id), {"waiting": one.worker}, None,
        is_busy=lambda: False, idle_seconds=1, busy_seconds=1, on_quiet=one.worker.be_quiet,
    )  # fmt: skip
    assert tm.quiet_server(one.id)
    pulse.tick()
    one.worker.tick()
    assert one.worker.held == {}
    assert tm.database.read(lambda tx: queues.held(tx, one.guid)) == []
    second = tm.enqueue(double, 2)
    assert one.claim() == []
    assert other.work() == 2
    assert [tm.get(i).state for i in (first, second)] == ["Succeeded", "Succeeded"]
    tm.quiet_server(one.id, quiet=False)
    pulse.tick()
    tm.enqueue(double, 3)
    assert one.work() == 1
    pulse.close()


def test_an_unknown_server_cannot_be_drained_and_one_that_leaves_is_forgotten(
    tm: TaskManager, hands: Callable[..., Any]
) -> None:
    one = hands()
    assert not tm.quiet_server("nobody:1:ab")
    tm.quiet_server(one.id)
    tm.database.run(lambda tx: servers.remove(tx, one.id))
    assert tm.database.read(servers.quiet_ones) == set()


def test_a_running_server_notices_at_its_next_look_and_ends_what_it_runs(url: str) -> None:
    GO.clear()
    tm = TaskManager(database_url=url, heartbeat_seconds=20)
    server = tm.server()
    server.start()
    try:
        running = tm.enqueue(hold, 1)
        _until(lambda: tm.get(running).state == "Processing")
        tm.quiet_server(server.id)
        began = time.monotonic()
        _until(lambda: server.worker.quiet)
        assert time.monotonic() - began < 3
        waiting = tm.enqueue(double, 2)
        GO.set()
        assert tm.wait(running, 10) == 1
        time.sleep(0.5)
        assert tm.get(waiting).state == "Enqueued"
        tm.quiet_server(server.id, quiet=False)
        assert tm.wait(waiting, 10) == 4
    finally:
        server.stop(grace=2)
        tm.close()


def _until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_server_that_is_asked_to_stop_ends_what_it_runs_and_is_not_asked_back(url: str) -> None:
    GO.clear()
    tm = TaskManager(database_url=url)
    server = tm.server()
    server.start()
    try:
        running = tm.enqueue(hold, 1)
        _until(lambda: tm.get(running).state == "Processing")
        assert not tm.stop_server("nobody:1:ab")
        assert tm.stop_server(server.id)
        for quiet in (True, False):
            with pytest.raises(InvalidArgument, match="was asked to stop"):
                tm.quiet_server(server.id, quiet=quiet)
        _until(server.told_to_stop.is_set)
        waiting = tm.enqueue(double, 2)
        time.sleep(0.3)
        assert not server.retired.is_set()
        GO.set()
        assert tm.wait(running, 10) == 1
        assert server.retired.wait(10)
        assert tm.database.read(lambda tx: (servers.all_servers(tx), servers.asked(tx))) == ([], {})
        assert tm.get(waiting).state == "Enqueued"
    finally:
        server.stop(grace=2)
        tm.close()


def test_a_stop_that_breaks_is_no_reason_to_stay(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    server = tm.server()

    def broken(*args: Any, **more: Any) -> None:
        raise RuntimeError("a thread cannot be joined")

    monkeypatch.setattr(server, "stop", broken)
    server._retire_soon()
    assert server.retired.wait(10)
    assert server.told_to_stop.is_set()
    server.line.close()
