"""A file that says which process lives and which jobs it runs, and survives `kill -9` of that process.

The process keeps it locked: the kernel drops the lock at its death, so a neighbour on the same machine that
gets the lock knows the owner is gone, at once and beyond doubt. The slots tell which jobs had been started.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import mmap
import os
import stat
import struct
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from taskmanager.server.local_bell import ASLEEP, AWAKE

if sys.platform == "win32":  # pragma: no cover - Windows only
    import msvcrt
else:
    import fcntl

_HEADER = 512
#: The header's last byte, not 0 when the process takes no more jobs.
_DRAINS = _HEADER - 1
_SLOT = struct.Struct("<q")
#: A neighbour that looks for the dead may hold a new file for a moment.
_LOCK_SECONDS = 2.0
#: The file is gone; or, on Windows, a neighbour has it open at this moment, and buries nobody by it.
_NOT_REMOVED = (FileNotFoundError, PermissionError) if sys.platform == "win32" else (FileNotFoundError,)


@dataclass(frozen=True, slots=True)
class Death:
    """A process of this machine that is gone: its server id and the jobs that were running in it."""

    path: Path
    server_id: str
    started: frozenset[int]


_open: weakref.WeakSet[Lifeline] = weakref.WeakSet()


class Lifeline:
    """The living side. One slot for each job that may run at a time."""

    def __init__(self, server_id: str, slots: int, folder: Path) -> None:
        self.path = folder / f"{server_id.rpartition(':')[2]}.alive"
        self._file: IO[bytes] = open(self.path, "w+b")  # noqa: SIM115 - kept open, and locked, for life
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _lock(self._file):
            if time.monotonic() > deadline:
                raise OSError(f"{self.path} is locked by another process")
            time.sleep(0.01)
        self._file.write(server_id.encode().ljust(_HEADER, b"\0") + bytes(_SLOT.size * slots))
        self._file.flush()
        self._map = mmap.mmap(self._file.fileno(), _HEADER + _SLOT.size * slots)
        _open.add(self)

    def start(self, slot: int, job_id: int) -> None:
        """Say that a job is running in this slot; 0 when none is."""
        if self._map.closed:  # the server has stopped, and not waited for this job
            return
        _SLOT.pack_into(self._map, _HEADER + slot * _SLOT.size, job_id)

    def touch(self) -> None:
        """Say that the process is not hung, for its supervisor."""
        os.utime(self.path)

    def drain(self) -> None:
        """Say that the process takes no more jobs, so that another may begin in its place."""
        self._map[_DRAINS] = 1

    def close(self) -> None:
        """A clean end: nobody needs to bury this process."""
        if sys.platform == "win32":  # pragma: no cover - Windows only, where what is open cannot be removed
            self.let_go()
        with contextlib.suppress(*_NOT_REMOVED):
            self.path.unlink()
        self.let_go()

    @property
    def is_let_go(self) -> bool:
        """Whether the lock on the file was given up."""
        return self._file.closed

    def let_go(self) -> None:
        """Close the file and leave it there: a forked child that kept it open would hold its parent's lock."""
        self._map.close()
        self._file.close()


def folder_of(identity: str) -> Path:
    """Where the lifelines of this user's processes on one database are; `identity` tells databases apart.

    Raises PermissionError where another user got there first.
    """
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "user"
    above = Path(tempfile.gettempdir()) / f"taskmanager-{user}"
    folder = above / hashlib.sha256(identity.encode()).hexdigest()[:16]
    for one in (above, folder):
        one.mkdir(mode=0o700, exist_ok=True)
    _must_be_ours(above)
    return folder


def _must_be_ours(folder: Path) -> None:
    """Who writes here may declare our processes dead. Raises PermissionError where another user can."""
    if sys.platform == "win32":  # its folder of temporary files is the user's own
        return
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {0, os.getuid()}:
        raise PermissionError(f"{folder} belongs to another user: remove it, or set TMPDIR to a folder of your own")
    if found.st_mode & 0o022:
        folder.chmod(0o700)


def touches(folder: Path) -> dict[int, float]:
    """When each living process of a folder last said it was not hung, by process id and the host's clock.

    That clock may jump: only that a moment has changed tells something.
    """
    return {pid: touched for pid, touched, _ in _signs(folder)}


def draining(folder: Path) -> set[int]:
    """Ids of the processes that take no more jobs."""
    return {pid for pid, _, drains in _signs(folder) if drains}


def _signs(folder: Path) -> Iterator[tuple[int, float, bool]]:
    for path in folder.glob("*.alive"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            with open(path, "rb") as file:
                header = file.read(_HEADER)
            yield int(_id_in(header).split(":")[-2]), path.stat().st_mtime, header[_DRAINS] != 0


def _id_in(header: bytes) -> str:
    return header[:_DRAINS].rstrip(b"\0").decode(errors="replace")


def deaths(folder: Path) -> Iterator[Death]:
    """Processes of this machine that ended without saying so. The caller buries them, then calls `forget`.

    It is asked twice a second: this process's own files are not opened.
    """
    ours = {str(line.path) for line in list(_open) if not line.is_let_go}
    names = (name for name in os.listdir(folder) if name.endswith(".alive"))
    for path in sorted(folder / name for name in names if os.path.join(folder, name) not in ours):
        try:
            with open(path, "r+b") as file:
                if not _lock(file):
                    continue
                content = file.read()
        except OSError:
            continue
        server_id = _id_in(content[:_HEADER])
        running = (_SLOT.unpack_from(content, at)[0] for at in range(_HEADER, len(content) - 7, _SLOT.size))
        if server_id:
            yield Death(path, server_id, frozenset(r for r in running if r))


def forget(death: Death) -> None:
    """The dead was buried; its bells go with it."""
    for left in (death.path, *(death.path.with_suffix(one) for one in (ASLEEP, AWAKE))):
        with contextlib.suppress(*_NOT_REMOVED):
            left.unlink()


def _lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":  # pragma: no cover - Windows only
            file.seek(1 << 30)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            file.seek(0)
        else:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _in_child() -> None:
    for line in list(_open):
        line.let_go()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
