"""Sleepers of this user on this machine are rung by a datagram, and what a dead one left behind disturbs nobody."""

from __future__ import annotations

import os
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskmanager.server import lifeline
from taskmanager.server.lifeline import Death
from taskmanager.server.local_bell import ASLEEP, AWAKE, LocalBell, ring_sleepers

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no such sockets in Python")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: that of a socket has a hundred characters."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.fixture
def bell(folder: Path) -> Iterator[LocalBell]:
    made = LocalBell(folder, uuid.uuid4().hex)
    assert made.works
    yield made
    made.close()


def test_who_sleeps_is_rung_and_rings_that_come_together_are_one(bell: LocalBell, folder: Path) -> None:
    assert bell.listen(True), "that somebody sleeps is news"
    assert not bell.listen(True)
    for _ in range(5):
        assert len(ring_sleepers(folder)) == 1
    assert bell.wait()
    later = threading.Timer(0.1, bell.interrupt)
    later.start()
    assert bell.wait(), "this wait ends by its own ring: nothing was left of the five"
    later.join()


def test_more_rings_than_a_socket_holds_are_rings(bell: LocalBell, folder: Path) -> None:
    bell.listen(True)
    assert all(ring_sleepers(folder) for _ in range(2000))
    assert bell.wait()


def test_who_is_awake_and_who_is_left_out_is_not_rung(bell: LocalBell, folder: Path) -> None:
    assert ring_sleepers(folder) == set()
    bell.listen(True)
    (guid,) = ring_sleepers(folder)
    assert ring_sleepers(folder, {guid}) == set()
    assert bell.listen(False)
    assert ring_sleepers(folder) == set()


def test_what_a_dead_process_left_is_removed_by_who_rings_and_by_who_buries_it(folder: Path) -> None:
    for guid in ("one", "two"):
        dead = LocalBell(folder, guid)
        dead.listen(True)
        dead._socket.close()  # type: ignore[union-attr]
    (folder / f"two{ASLEEP}").rename(folder / f"two{AWAKE}")
    assert ring_sleepers(folder) == set()
    assert sorted(os.listdir(folder)) == [f"two{AWAKE}"]
    lifeline.forget(Death(folder / "two.alive", "host:1:two", frozenset()))
    assert os.listdir(folder) == []


def test_who_was_tidied_away_is_rung_by_the_server(bell: LocalBell, folder: Path) -> None:
    for left in folder.iterdir():
        left.unlink()
    assert not bell.listen(True)
    assert ring_sleepers(folder) == set()
    assert ring_sleepers(folder / "nowhere") == set()


def test_a_path_that_is_too_long_for_a_socket_leaves_it_to_the_server(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    bell = LocalBell(long, uuid.uuid4().hex)
    assert not bell.works
    assert not bell.listen(True)
    bell.close()


def test_a_wait_ends_when_it_is_cut(bell: LocalBell) -> None:
    later = threading.Timer(0.1, bell.cut)
    later.start()
    assert not bell.wait()
    later.join()


def test_a_folder_that_others_can_write_to_is_made_ours_or_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    above = lifeline.folder_of("some database").parent
    above.chmod(0o777)
    lifeline.folder_of("another")
    assert above.stat().st_mode & 0o777 == 0o700
    if os.getuid() == 0:
        os.chown(above, 65534, 65534)
    else:
        monkeypatch.setattr(os, "getuid", lambda: above.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="belongs to another user"):
        lifeline.folder_of("another")
