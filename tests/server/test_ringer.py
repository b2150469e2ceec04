"""Whom an enqueue wakes, and by what: nobody is forgotten where a way to ring is missing."""

from __future__ import annotations

import os
import queue
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskmanager import TaskManager
from taskmanager.server import ringer
from taskmanager.server.local_bell import LocalBell
from taskmanager.server.ringer import Ringer
from taskmanager.storage import doorbell
from taskmanager.storage.database import Database

pytestmark = pytest.mark.one_server


@pytest.fixture(autouse=True)
def _servers_only(tm: TaskManager) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite rings nobody")


@pytest.fixture
def left_out(monkeypatch: pytest.MonkeyPatch) -> queue.Queue[set[str]]:
    """Of each round of rings through the database: whom it leaves out."""
    rounds: queue.Queue[set[str]] = queue.Queue()

    def ring_all(database: Database, at_once: set[str], but: set[str]) -> set[str]:
        rounds.put(but)
        return set()

    monkeypatch.setattr(doorbell, "ring_all", ring_all)
    return rounds


@pytest.fixture
def sleeper(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalBell]:
    """One of this machine, in the folder that ringers look into."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(ringer, "folder_of", lambda identity: Path(folder))
        made = LocalBell(Path(folder), "sleeper")
        made.listen(True)
        yield made
        made.close()


def rang(bell: LocalBell) -> bool:
    """Whether it was rung since it was asked last."""
    assert bell._socket is not None
    bell._socket.setblocking(False)
    try:
        return bell.wait()
    except BlockingIOError:
        return False


def test_who_is_rung_here_and_the_servers_of_this_process_are_not_rung_through_the_database(
    tm: TaskManager, left_out: queue.Queue[set[str]], sleeper: LocalBell
) -> None:
    made, woken = Ringer(tm.database, doorbell=True), list[str]()
    made.add("own", lambda: woken.append("own"))
    made.ring({"default"})
    assert left_out.get(timeout=30) == {"own", "sleeper"}
    assert (woken, rang(sleeper)) == (["own"], True)
    sleeper.listen(False)
    made.ring({"default"})
    assert left_out.get(timeout=30) == {"own"}, "it was awake this time"
    made.close()


def test_where_there_is_no_folder_of_sleepers_all_are_rung_through_the_database(
    tm: TaskManager, left_out: queue.Queue[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(identity: str) -> Path:
        raise PermissionError("belongs to another user")

    monkeypatch.setattr(ringer, "folder_of", refused)
    made = Ringer(tm.database, doorbell=True)
    made.ring({"default"})
    assert left_out.get(timeout=30) == set()
    made.close()


def test_a_forked_child_rings_the_servers_of_its_parent_as_others(
    tm: TaskManager, left_out: queue.Queue[set[str]], sleeper: LocalBell
) -> None:
    made = Ringer(tm.database, doorbell=True)
    made.add("sleeper", lambda: None)
    made.ring({"default"})
    assert not rang(sleeper), "it is woken without its bell"
    child = os.fork()
    if child == 0:
        made.ring({"default"})
        os._exit(0)
    os.waitpid(child, 0)
    assert rang(sleeper)
    made.close()
