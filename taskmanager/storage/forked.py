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


def hang_up(connection: Any) -> None:
    """Cut a driver's connection from whichever thread: who reads on it gets an error at once."""
    number = _socket_of(connection)
    if number >= 0:
        with suppress(OSError), socket.socket(fileno=os.dup(number)) as own:
            own.shutdown(socket.SHUT_RDWR)


def _in_child() -> None:
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
