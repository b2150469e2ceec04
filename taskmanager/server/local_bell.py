"""Waking sleepers of this user on this machine: a datagram to a socket in their folder, instead of the server's bell.

The server's own way to wake somebody (`storage.doorbell`) is a statement and takes it about a millisecond; this takes a
fiftieth of it, and the server nothing. Who is on another machine, or of another user, is rung by the server.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Container
from pathlib import Path

log = logging.getLogger("taskmanager.doorbell")

#: The socket of who sleeps, and of who does not: to write to it is to ring, so it bears the other name then.
ASLEEP, AWAKE = ".bell", ".awake"


class LocalBell:
    """As `Doorbell`. The file is called by the server's guid."""

    def __init__(self, folder: Path, guid: str) -> None:
        self._asleep, self._awake = folder / f"{guid}{ASLEEP}", folder / f"{guid}{AWAKE}"
        self._socket = _bound(self._awake)
        self._is_set = False

    @property
    def works(self) -> bool:
        """Whether this system has such sockets, and the folder takes one."""
        return self._socket is not None

    def listen(self, asleep: bool) -> bool:
        """Tell others whether somebody sleeps here; whether that was news."""
        if asleep == self._is_set or self._socket is None:
            return False
        old, new = (self._awake, self._asleep) if asleep else (self._asleep, self._awake)
        try:
            os.rename(old, new)
        except OSError as problem:  # somebody has tidied up: we are rung by the server from now on
            log.debug("%s is gone, others of this machine ring through the server: %s", old, problem)
            self._is_set = False
            return False
        self._is_set = asleep
        return True

    def wait(self) -> bool:
        """Sleep until rung. Rings that came together are one."""
        if sys.platform == "win32" or self._socket is None or not self._socket.recv(16):
            return False
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(16, socket.MSG_DONTWAIT):
                pass
        return True

    def interrupt(self) -> None:
        """Wake our own sleeper, to stop."""
        ring_one(self._asleep if self._is_set else self._awake)

    def cut(self) -> None:
        """End the sleep though nobody rings."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def drop(self) -> None:
        """A socket is not out of order."""

    def close(self) -> None:
        """Take it down."""
        for path in (self._asleep, self._awake):
            path.unlink(missing_ok=True)
        if self._socket is not None:
            self._socket.close()
        self._is_set = False


def ring_sleepers(folder: Path, but: Container[str] = ()) -> set[str]:
    """Ring all who sleep here, `but` some; the guids of who was rung. What a dead one left is removed."""
    try:
        names = os.listdir(folder)
    except OSError:
        return set()
    rung = set()
    for name in names:
        guid, dot, _ = name.rpartition(ASLEEP)
        if dot and guid not in but and ring_one(folder / name):
            rung.add(guid)
    return rung


def ring_one(path: Path) -> bool:
    """Ring one; False when nobody is there any more."""
    if sys.platform == "win32":
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ringing:
        ringing.setblocking(False)
        try:
            ringing.sendto(b".", str(path))
        except BlockingIOError:  # it has been rung often, and is about to wake
            return True
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return False
        except OSError:  # it woke, or ended, in this moment
            return False
    return True


def _bound(path: Path) -> socket.socket | None:
    if sys.platform == "win32":
        return None
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        made.bind(str(path))
    except OSError as problem:  # the path is too long, or the file system has no sockets
        log.debug("no socket at %s, others of this machine ring through the server: %s", path, problem)
        made.close()
        return None
    return made
