"""How connections are made, pooled and prepared, on each product."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool, Pool

from taskmanager.storage import forked, limits, urls
from taskmanager.storage.pool import ShrinkingPool

#: The key of a pooled connection's info under which the pool it belongs to stands.
_POOL = "taskmanager.pool"
_given_up: weakref.WeakSet[Pool] = weakref.WeakSet()

#: How long connecting may take where the URL's `connect_timeout` says nothing; less where somebody waits for a page.
_CONNECT_SECONDS = 10
#: When SQLite waits for the disk, by what the URL says.
_SYNCHRONOUS = {"NORMAL": "PRAGMA synchronous = NORMAL", "FULL": "PRAGMA synchronous = FULL"}
#: So many connections of a pool at once; who asks for one more waits for up to 30 s.
_MOST = 25
#: The number of MySQL's type BIT.
_BIT = 16


def make_engine(url: URL, *, autocommit: bool = False) -> Engine:
    """Pooled connections, prepared for our units of work.

    autocommit: each statement is a transaction of its own, and neither the start nor the end of a use sends another.
    """
    nodes = urls.hosts(url)
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True} if autocommit else {}
    engine = create_engine(nodes[0], **options, **_arguments(nodes[0], is_pooled=True))
    _know_pool(engine)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, urls.synchronous(url), takes_turns=not autocommit)
        return engine
    if engine.dialect.driver == "pymysql":
        _connect_by_pymysql(engine, nodes, several=not autocommit, autocommit=autocommit)
    else:
        _connect_in_time(engine, several=not autocommit)
    _prepare_server(engine)
    return engine


def give_up_pool(engine: Engine) -> None:
    """Close all pooled connections: those at rest now, those at work when they come back; new ones are made."""
    _given_up.add(engine.pool)
    engine.dispose()


def _know_pool(engine: Engine) -> None:
    """SQLAlchemy puts what comes back into the pool it came from, and leaves it to the garbage collector there."""

    @event.listens_for(engine, "connect")
    def _on_connect(_: Any, record: Any) -> None:
        record.info[_POOL] = weakref.ref(engine.pool)

    @event.listens_for(engine, "checkin")
    def _on_checkin(_: Any, record: Any) -> None:
        home = record.info.get(_POOL)
        if home is not None and home() in _given_up:
            record.close()


@contextmanager
def _or_closed(connection: Any) -> Iterator[None]:
    """A new connection that cannot be prepared has no owner yet who would close it."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def make_raw_engine(url: URL) -> Engine:
    """Connections as the server gives them to anybody, but for how they are made: hosts tried in turn, shared TLS."""
    nodes = urls.hosts(url.difference_update_query(["read_timeout"]))  # a procedure may run for hours
    engine = create_engine(nodes[0], isolation_level="AUTOCOMMIT", poolclass=NullPool, **_arguments(nodes[0]))
    event.listen(engine, "connect", lambda connection, _: forked.keep_alive(connection))
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, urls.synchronous(url))
    elif engine.dialect.driver == "pymysql":
        _connect_by_pymysql(engine, nodes, autocommit=True)
    else:
        _connect_in_time(engine)
    return engine


def _arguments(url: URL, *, is_pooled: bool = False) -> dict[str, Any]:
    options: dict[str, Any] = {}
    backend = url.get_backend_name()
    if is_pooled and backend != "sqlite":
        # Every unit ends in COMMIT or ROLLBACK by itself: the pool's own ROLLBACK would be a wasted round trip.
        options |= {"poolclass": ShrinkingPool, "pool_size": _MOST, "max_overflow": 0, "pool_use_lifo": True}
        options |= {"pool_recycle": 1800, "pool_reset_on_return": None}
    if backend == "sqlite":
        options["connect_args"] = {"timeout": 30, "check_same_thread": False}
    return options


def _prepare_server(engine: Engine) -> None:
    """READ COMMITTED everywhere: at MySQL's default level a claim blocks the inserts of producers."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _: Any) -> None:
        with _or_closed(connection):
            cursor = connection.cursor()
            if engine.dialect.name == "postgresql":
                cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED")
                cursor.execute("SET TIME ZONE 'UTC'")
                cursor.execute("SET lock_timeout = '10s'")
                # What is estimated to cost much is compiled first: a second, for statements that take milliseconds.
                cursor.execute("SET jit = off")
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


def _prepare_sqlite(engine: Engine, synchronous: str, *, takes_turns: bool = True) -> None:
    """WAL, and writers that take turns from the first statement on."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 30000")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(_SYNCHRONOUS[synchronous])
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


def _in_time(parameters: dict[str, Any]) -> dict[str, Any]:
    """A driver's parameters with a bound on connecting: a server that is frozen lets one in, and says nothing."""
    seconds, left = int(parameters.get("connect_timeout", _CONNECT_SECONDS)), limits.left()
    if left is not None:
        bound = max(2, math.ceil(left))
        seconds = min(seconds, bound) if seconds > 0 else bound  # 0 is for ever, on PostgreSQL
    return parameters | {"connect_timeout": seconds}


def _connect_in_time(engine: Engine, *, several: bool = False) -> None:
    """Connect within a bound of time. several: statements of a transaction may travel together, by psycopg."""

    @event.listens_for(engine, "do_connect")
    def _on_do_connect(dialect: Any, _: Any, arguments: Any, parameters: dict[str, Any]) -> Any:
        if not several or dialect.driver != "psycopg":
            return dialect.connect(*arguments, **_in_time(parameters))
        from taskmanager.storage import psycopg_connection  # not everybody has psycopg

        return psycopg_connection.Connection.connect(*arguments, **_in_time(parameters))


def _connect_by_pymysql(
    engine: Engine, nodes: Sequence[URL], *, several: bool = False, autocommit: bool = False
) -> None:
    """Connect by our own PyMySQL connection class, to the first node of a cluster that answers.

    several: statements of a transaction may travel together. autocommit: as servers begin; nothing has to be sent.
    """
    from taskmanager.storage import pymysql_connection  # with it comes cryptography: 9 MB that only MySQL needs

    @event.listens_for(engine, "do_connect")
    def _on_do_connect(dialect: Any, _: Any, __: Any, parameters: dict[str, Any]) -> Any:
        wanted = _in_time(parameters)
        wanted.pop("client_flag", None)
        flags = parameters.get("client_flag", 0)
        wanted["autocommit"] = autocommit
        last: Exception | None = None
        for node in nodes:
            at = {"host": node.host, "port": node.port} if len(nodes) > 1 else {}
            try:
                options = wanted | {k: v for k, v in at.items() if v} | {"client_flag": flags, "several": several}
                return pymysql_connection.Connection(**options)
            except dialect.dbapi.OperationalError as error:
                last = error
        raise last or AssertionError("a database URL names at least one host")
