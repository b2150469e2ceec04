"""The processes of a database server on this machine, and what they do."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil
from sqlalchemy.engine import make_url

#: A server has caught up when it takes less of a core, and writes less each second.
_QUIET_SHARE, _QUIET_BYTES = 0.05, 1024**2


def server_of(url: str) -> psutil.Process | None:
    """The first process of a database server on this machine, found by its port; None for SQLite or another host."""
    port = make_url(url).port
    with suppress(psutil.AccessDenied):
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid:
                return psutil.Process(one.pid)
    return None


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time that a process and its descendants have used, those that have ended among them."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += sum(one.cpu_times()[:4])  # user, system, and both of children that have ended
    return total


def written_bytes(process: psutil.Process) -> int:
    """What a process and its living descendants have written; 0 where the system does not tell."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error, AttributeError):
            total += one.io_counters().write_bytes
    return total


def catch_up(url: str, most: float = 120.0) -> None:
    """Wait until the server has written and purged what a fill left it with, for so many seconds at most: else what is
    measured next pays for that."""
    server, until = server_of(url), time.monotonic() + most
    quiet = 0
    while server is not None and quiet < 3 and time.monotonic() < until:
        used, written = cpu_seconds(server), written_bytes(server)
        time.sleep(1.0)
        is_quiet = cpu_seconds(server) - used < _QUIET_SHARE and written_bytes(server) - written < _QUIET_BYTES
        quiet = quiet + 1 if is_quiet else 0
