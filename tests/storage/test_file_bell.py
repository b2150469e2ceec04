"""On SQLite a sleeping process is told that another one of the machine has written; what is not told is found."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.server.pulse import Pulse
from taskmanager.storage import structures
from taskmanager.storage.file_bell import FileBell
from taskmanager.storage.glance import Watcher

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who wrote a file"),
]


@pytest.fixture
def bell(tm: TaskManager) -> Iterator[FileBell]:
    if not tm.database.is_embedded:
        pytest.skip("servers have doorbells of another kind")
    made = FileBell(tm.database)
    yield made
    made.close()


def write(tm: TaskManager) -> None:
    tm.database.run(lambda tx: structures.put(tx, "a set", {"a member": 1.0}))


def rung(bell: FileBell) -> tuple[threading.Thread, list[bool]]:
    """Who waits at the bell, and what it was told."""
    told: list[bool] = []
    thread = threading.Thread(target=lambda: told.append(bell.wait()), daemon=True)
    thread.start()
    return thread, told


def settle(bell: FileBell) -> None:
    """What was written before is not to be told."""
    os.write(bell._stopping, b".")
    while bell.wait():
        pass
    os.read(bell._stop, 100)


def test_a_write_wakes_and_so_does_the_wish_to_stop(tm: TaskManager, bell: FileBell) -> None:
    write(tm)
    settle(bell)
    assert bell.is_set
    for act, answer in ((lambda: write(tm), True), (bell.interrupt, False)):
        thread, told = rung(bell)
        assert not told
        act()
        thread.join(30)
        assert told == [answer]


def test_a_file_that_is_made_anew_is_watched_again(tm: TaskManager, bell: FileBell) -> None:
    write(tm)
    settle(bell)
    tm.database.dispose()  # the last connection takes the log away
    wal = Path(bell._path)
    for one in (wal, wal.with_name(wal.name.removesuffix("-wal") + "-shm")):
        one.unlink(missing_ok=True)
    write(tm)
    settle(bell)
    thread, told = rung(bell)
    write(tm)
    thread.join(30)
    assert told == [True]


def test_what_cannot_be_watched_is_said_not_to_be(tm: TaskManager, bell: FileBell) -> None:
    bell._path += "-of-another"
    bell.interrupt()
    assert not bell.wait()
    assert not bell.is_set


@pytest.fixture
def pulse(tm: TaskManager, bell: FileBell) -> Iterator[Any]:
    watcher = Watcher(tm.database, ["default"], "nobody")
    made = Pulse(tm.database, watcher, {}, bell, is_busy=lambda: False, idle_seconds=0.5, busy_seconds=0.5)
    write(tm)
    settle(bell)
    for _ in range(12):  # what was written has been seen, and that nothing comes
        made.tick()
    yield made
    made.close()


def test_looks_are_seldom_where_writes_are_told_and_soon_when_one_was(tm: TaskManager, pulse: Any) -> None:
    assert pulse.tick() > 0.1
    pulse.touch()
    assert pulse.alarm.is_set()
    rests = [pulse.tick() for _ in range(10)]
    assert rests[0] <= 0.001
    assert rests == sorted(rests)
    assert rests[-1] > 0.1


def test_a_bell_that_tells_nothing_is_not_relied_on(tm: TaskManager, pulse: Any) -> None:
    for _ in range(3):
        assert pulse.tick() > 0.02
        write(tm)
        pulse.tick()
    assert pulse.tick() <= 0.02
    pulse.touch()
    for _ in range(10):
        pulse.tick()
    assert pulse.tick() > 0.1


def test_a_server_without_a_doorbell_opens_nothing_for_one(tm: TaskManager, url: str) -> None:
    if not tm.database.is_embedded:
        pytest.skip("servers have doorbells of another kind")
    made = TaskManager(database_url=url, doorbell=False)
    made.server().line.close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        made.server().line.close()
    assert len(os.listdir("/proc/self/fd")) == before
    made.close()
