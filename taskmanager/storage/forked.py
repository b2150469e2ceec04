"""A forked child lets go of its parent's connections: it must not speak on them, nor keep them open.

While a dead worker's socket is open in a child, the server goes on holding its locks. Closing a connection in the
child would say good-bye in the parent's name; so its socket is turned into /dev/null, and the object is kept.
"""

from __future__ import annotations

import os
import socket
import weakref
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, event

_engines: weakref.WeakSet[Engine] = weakref.WeakSet()
_connections: weakref.WeakSet[Any] = weakref.WeakSet()
_owners: list[weakref.WeakMethod[Any]] = []
#: Of a child: never closed, for SQLite forbids even that on what a parent opened.
_kept: list[Any] = []


def protect(engine: Engine) -> None:
    """Children of this process begin with an empty pool of this engine, and without its sockets."""
    if engine not in _engines:
        _engines.add(engine)
        event.listen(engine, "connect", lambda connection, _: remember(connection))


def remember(connection: Any) -> None:
    """Children of this process let go of this driver's connection."""
    with suppress(TypeError):  # sqlite3's cannot be referred to weakly, and has no socket
        _connections.add(connection)


def renew(method: Any) -> None:
    """Call this bound method in children of this process, while its owner lives."""
    _owners[:] = [known for known in _owners if known() is not None]
    _owners.append(weakref.WeakMethod(method))


def hang_up(connection: Any) -> None:
    """Cut a driver's connection from whichever thread: who reads on it gets an error at once."""
    number = _socket_of(connection)
    if number >= 0:
        with suppress(OSError), socket.socket(fileno=socket.dup(number)) as own:
            own.shutdown(socket.SHUT_RDWR)


def keep_alive(connection: Any) -> None:
    """Let the kernel ask every half minute whether the other end is there.

    So the way through a firewall stays open while a procedure runs, and a host that vanished is found.
    """
    number = _socket_of(connection)
    if number < 0:
        return
    with suppress(OSError), socket.socket(fileno=socket.dup(number)) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):
                own.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)


def _in_child() -> None:
    for owner in _owners:
        method = owner()
        if method is not None:
            method()
    null = os.open(os.devnull, os.O_RDWR)
    for connection in list(_connections):
        _kept.append(connection)
        number = _socket_of(connection)
        if number >= 0:
            os.dup2(null, number, inheritable=False)
    os.close(null)
    for engine in list(_engines):
        _kept.append(engine.pool)
        engine.dispose(close=False)


def _socket_of(connection: Any) -> int:
    """The file descriptor of PyMySQL's socket, or of libpq's and libmysql's; -1 when it is closed."""
    try:
        holder = getattr(connection, "_sock", None) or connection
        return int(holder.fileno())
    except Exception:  # drivers raise their own errors for a closed connection
        return -1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
