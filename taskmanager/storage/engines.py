"""How connections are made, pooled and prepared, on each product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from taskmanager.storage import forked, urls

#: The number of MySQL's type BIT.
_BIT = 16


def make_engine(url: URL, pool_size: int, *, autocommit: bool = False) -> Engine:
    """Pooled connections, prepared for our units of work.

    autocommit: each statement is a transaction of its own, and neither the start nor the end of a use sends another.
    """
    nodes = urls.hosts(url)
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True} if autocommit else {}
    engine = create_engine(nodes[0], **options, **_arguments(nodes[0], pool_size))
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, takes_turns=not autocommit)
        return engine
    if engine.dialect.driver == "pymysql":
        _share_tls(engine, nodes)
    _prepare_server(engine)
    return engine


def make_raw_engine(url: URL) -> Engine:
    """Connections as the server gives them to anybody, but for how they are made: hosts tried in turn, shared TLS."""
    nodes = urls.hosts(url.difference_update_query(["read_timeout"]))  # a procedure may run for hours
    engine = create_engine(nodes[0], poolclass=NullPool, **_arguments(nodes[0]))
    event.listen(engine, "connect", lambda connection, _: forked.keep_alive(connection))
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    elif engine.dialect.driver == "pymysql":
        _share_tls(engine, nodes)
    return engine


def _arguments(url: URL, pool_size: int | None = None) -> dict[str, Any]:
    options: dict[str, Any] = {}
    backend = url.get_backend_name()
    if pool_size is not None and backend != "sqlite":
        # Every unit ends in COMMIT or ROLLBACK by itself: the pool's own ROLLBACK would be a wasted round trip.
        options |= {"pool_size": pool_size, "max_overflow": 20, "pool_recycle": 1800, "pool_use_lifo": True}
        options["pool_reset_on_return"] = None
    if backend == "sqlite":
        options["connect_args"] = {"timeout": 30, "check_same_thread": False}
    return options


def _prepare_server(engine: Engine) -> None:
    """READ COMMITTED everywhere: at MySQL's default level a claim blocks the inserts of producers."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        if engine.dialect.name == "postgresql":
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute("SET TIME ZONE 'UTC'")
            cursor.execute("SET lock_timeout = '10s'")
            connection.commit()
        else:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 10")
            _read_bits(connection)
        cursor.close()


def _read_bits(connection: Any) -> None:
    """A BIT of somebody's table is a number, as elsewhere, and not bytes, of which b'\\x00' is true as well."""
    known: dict[int, Any] = connection.decoders if hasattr(connection, "decoders") else connection.converter
    known[_BIT] = lambda data: int.from_bytes(data, "big")


def _prepare_sqlite(engine: Engine, *, takes_turns: bool = True) -> None:
    """WAL, and writers that take turns from the first statement on."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 30000")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    if not takes_turns:
        return

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") == "AUTOCOMMIT":
            return
        read = options.get("taskmanager_read")
        connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")


def _share_tls(engine: Engine, nodes: Sequence[URL]) -> None:
    """Connect by our own PyMySQL connection class, to the first node of a cluster that answers."""

    @event.listens_for(engine, "do_connect")
    def _on_do_connect(dialect: Any, _: Any, __: Any, parameters: dict[str, Any]) -> Any:
        wanted = dict(parameters)
        wanted.pop("client_flag", None)
        flags = parameters.get("client_flag", 0)
        last: Exception | None = None
        for node in nodes:
            at = {"host": node.host, "port": node.port} if len(nodes) > 1 else {}
            try:
                return urls.Connection(**(wanted | {k: v for k, v in at.items() if v}), client_flag=flags)
            except dialect.dbapi.OperationalError as error:
                last = error
        raise last or AssertionError("a database URL names at least one host")
