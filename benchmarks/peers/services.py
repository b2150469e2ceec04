"""The services peers stand on: their addresses, and a database of its own for each that needs one."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from benchmarks.peers.peer import Peer

#: Where they are usually; an argument or an environment variable says otherwise.
USUAL = {
    "redis": "redis://127.0.0.1:6379/15",
    "amqp": "amqp://guest:guest@127.0.0.1:5672//",
    "mysql": "mysql+pymysql://root@127.0.0.1:3306/",
    "postgresql": "postgresql+psycopg://postgres@127.0.0.1:5432/postgres",
}
#: What needs no server: a new file for each system.
EMBEDDED = "sqlite"
_PORTS = {"redis": 6379, "amqp": 5672, "mysql": 3306, "postgresql": 5432}


def variable(service: str) -> str:
    """The environment variable of a service's address."""
    return f"BENCH_{service.upper()}_URL"


def usual(service: str) -> str:
    """The address out of the environment, or the usual one."""
    return os.environ.get(variable(service), USUAL[service])


def missing(peer: Peer, addresses: Mapping[str, str]) -> str | None:
    """Why a peer cannot be measured: the service that does not answer."""
    for service in _served(peer):
        parts = urlsplit(addresses[service])
        try:
            socket.create_connection((parts.hostname or "127.0.0.1", parts.port or _PORTS[service]), 3).close()
        except OSError as problem:
            return f"{service} at {parts.hostname}:{parts.port or _PORTS[service]} does not answer: {problem}"
    return None


def _served(peer: Peer) -> list[str]:
    return [service for service in peer.needs if service != EMBEDDED]


def addresses_of(peers: Iterable[Peer], addresses: Mapping[str, str]) -> dict[str, str]:
    """The addresses of the services that these peers need and that answer."""
    return {name: addresses[name] for peer in peers if not missing(peer, addresses) for name in _served(peer)}


@contextmanager
def databases(peer: Peer, addresses: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Environment variables with the addresses of what the peer needs; its databases are made, and dropped after."""
    given = {variable(name): addresses[name] for name in _served(peer)}
    made: list[tuple[URL, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        if EMBEDDED in peer.needs:
            given[variable(EMBEDDED)] = f"sqlite:///{folder}/bench.db"
        try:
            for service in ("mysql", "postgresql"):
                if service in peer.needs:
                    admin, name = make_url(addresses[service]), f"bench_{peer.name.replace('-', '_')}"
                    _administer(admin, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
                    made.append((admin, name))
                    given[variable(service)] = admin.set(database=name).render_as_string(hide_password=False)
            yield given
        finally:
            for admin, name in made:
                force = " WITH (FORCE)" if admin.get_backend_name() == "postgresql" else ""
                _administer(admin, f"DROP DATABASE {name}{force}")


def _administer(admin: URL, *statements: str) -> None:
    engine = create_engine(admin, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def settings(addresses: Mapping[str, str]) -> dict[str, list[str]]:
    """Version and durability of the databases that answer."""
    asked = {
        "mysql": "SELECT @@version, @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@innodb_buffer_pool_size",
        "postgresql": "SELECT version(), current_setting('synchronous_commit'), current_setting('fsync')",
    }
    found = {}
    for service, sql in asked.items():
        if service in addresses:
            engine = create_engine(make_url(addresses[service]))
            with engine.connect() as connection:
                found[service] = [str(value) for value in connection.execute(text(sql)).one()]
            engine.dispose()
    return found
