"""Waking on SQLite: Linux tells a sleeping thread that the write-ahead log of the database's file was written."""

from __future__ import annotations

import ctypes
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

from taskmanager.storage.database import Database

_MODIFY, _ATTRIB, _MOVE_SELF = 0x2, 0x4, 0x800
_SLEEP_SECONDS = 20.0
#: Where the file cannot be watched, so long passes before it is tried again.
_AGAIN_SECONDS = 5.0
#: Writes that come closer together are told as one.
_TOGETHER_SECONDS = 0.005


class FileBell:
    """As `Doorbell`, for processes of one machine that share a file. Nobody has to ring: to write is enough.

    It tells that a transaction is being committed, a moment before others see it. What it does not tell (another
    operating system, a file system that does not say who wrote) is found by looking.
    """

    def __init__(self, database: Database) -> None:
        file = database.url.database
        self._path = f"{Path(file).absolute()}-wal" if file else ""
        self._inotify = -1
        self._stop, self._stopping = _pipe() if self.works else (-1, -1)
        self._is_watched = False

    @property
    def works(self) -> bool:
        """Whether this system can tell at all."""
        return sys.platform == "linux" and bool(self._path)

    @property
    def is_set(self) -> bool:
        """Whether the file is watched."""
        return self._is_watched

    def listen(self, asleep: bool) -> bool:
        """Nobody has to be told who sleeps."""
        return False

    def wait(self) -> bool:
        """Sleep until somebody writes (True), we are to stop, or some seconds have passed (False)."""
        if sys.platform != "linux":
            return False
        time.sleep(_TOGETHER_SECONDS)
        self._is_watched = self._watch()
        poll = select.poll()
        for number in (self._inotify, self._stop) if self._is_watched else (self._stop,):
            poll.register(number, select.POLLIN)
        told = poll.poll(1000 * (_SLEEP_SECONDS if self._is_watched else _AGAIN_SECONDS))
        if self._inotify not in (number for number, _ in told):
            return False
        os.read(self._inotify, 65536)
        return True

    def interrupt(self) -> None:
        """Wake our own sleeper, to stop."""
        os.write(self._stopping, b".")

    def cut(self) -> None:
        """There is nobody else who could be asked."""

    def drop(self) -> None:
        """Forget what is out of order; the next wait begins anew."""
        self._is_watched = False
        if self._inotify >= 0:
            os.close(self._inotify)
            self._inotify = -1

    def close(self) -> None:
        """End watching."""
        self.drop()
        for number in (self._stop, self._stopping):
            os.close(number)

    def _watch(self) -> bool:
        """Watch the file of that name, which may be another than a moment ago; whether it is there."""
        if sys.platform != "linux":
            return False
        library: Any = ctypes.CDLL(None)
        if self._inotify < 0:
            self._inotify = library.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        mask = ctypes.c_uint32(_MODIFY | _ATTRIB | _MOVE_SELF)
        return self._inotify >= 0 and library.inotify_add_watch(self._inotify, os.fsencode(self._path), mask) >= 0


def _pipe() -> tuple[int, int]:
    """What is read and what is written to end a wait; none where nobody waits."""
    if sys.platform != "linux":
        return -1, -1
    return os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
