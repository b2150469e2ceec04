"""Transactions: begun, run again as a whole when the server asks for it, joined when the caller has one."""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import CursorResult, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from taskmanager.domain.errors import ReadOnlyDatabase, StorageError, TransactionLost
from taskmanager.storage import urls
from taskmanager.storage.clock import Clock
from taskmanager.storage.dialects import Product, Verdict, product_of
from taskmanager.storage.statements import Builder, Prepared
from taskmanager.storage.tables import Tables

log = logging.getLogger("taskmanager.storage")
T = TypeVar("T")
#: A unique key was there already; for the rooms above, which do not import SQLAlchemy.
DuplicateKey = IntegrityError
#: Rows of a statement made of plain text: their columns are known to the reader only.
Rows = CursorResult[*tuple[Any, ...]]


class Tx:
    """One transaction: runs named statements, and remembers what is to happen after its COMMIT."""

    __slots__ = ("_after", "connection", "database", "joined", "prepared")

    def __init__(self, database: Database, connection: SqlConnection, *, joined: bool = False) -> None:
        self.database = database
        self.connection = connection
        self.prepared = database.prepared
        self.joined = joined
        self._after: list[Callable[[], None]] = []

    @property
    def tables(self) -> Tables:
        """The tables of this database."""
        return self.prepared.tables

    def now(self) -> datetime:
        """Naive UTC by the database's clock."""
        return self.database.clock.now()

    def execute(self, build: Builder, parameters: Any = None) -> Rows:
        """Run a named statement; a list of parameter sets runs as one executemany."""
        return self.connection.execute(self.prepared.get(build), parameters)

    def bind_moment(self, moment: datetime | None) -> Any:
        """A moment as the driver takes it in plain SQL text: SQLite keeps ISO text of a fixed width."""
        if moment is None or not self.database.is_embedded:
            return moment
        return moment.isoformat(" ", "microseconds")

    def after_commit(self, action: Callable[[], None]) -> None:
        """Remember something to do once the rows are visible to others."""
        self._after.append(action)

    def committed(self) -> None:
        """Do what was remembered."""
        actions, self._after = self._after, []
        for action in actions:
            action()


class Database:
    """One database: knows connections, transactions and retries, and no query.

    patience_seconds: how long a unit of work is tried again through an outage before its error is raised.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        prefix: str = "Hangfire",
        pool_size: int = 5,
        patience_seconds: float = 90.0,
    ) -> None:
        self.url = urls.parse(url)
        self.patience_seconds = patience_seconds
        self.engine = _make_engine(self.url, pool_size)
        self.clock = Clock()
        self.tables = Tables(prefix)
        self._prepared: Prepared | None = None
        #: Told the names of queues that got work, after the COMMIT; the app puts a doorbell here.
        self.ring: Callable[[set[str]], None] = lambda queues: None

    @property
    def prepared(self) -> Prepared:
        """The named statements for this product; the first use asks the server what it is."""
        if self._prepared is None:
            self._prepared = Prepared(self.tables, self._ask_product())
        return self._prepared

    @property
    def product(self) -> Product:
        """The product this database is."""
        return self.prepared.product

    @property
    def identity(self) -> str:
        """What tells this installation from others on the same machine; no password in it."""
        url = self.url.set(username=None, password=None, query={})
        place = os.path.abspath(url.database or "") if self.is_embedded else url.render_as_string()
        return f"{place}#{self.tables.prefix}"

    @property
    def is_embedded(self) -> bool:
        """Whether the database lives in this process (SQLite), so that no server is needed."""
        return self.engine.dialect.name == "sqlite"

    def run(self, work: Callable[[Tx], T], *, patience: float | None = None) -> T:
        """Run a unit of work in a transaction of its own, and the whole of it again on transient errors.

        The work must have no effect outside the transaction. patience: seconds, else the database's own.
        Raises StorageError when patience ends or the error is not transient.
        """
        return self._persist(lambda: self._once(work), patience)

    def read(self, work: Callable[[Tx], T], *, patience: float | None = None) -> T:
        """As `run`, for reading only: on SQLite it takes no turn among the writers."""
        return self._persist(lambda: self._once(work, write=False), patience)

    def through_outage(self, attempt: Callable[[], T]) -> T:
        """Do something that opens its own connections, again while the database cannot be reached.

        For start-up: a worker that is started during an outage waits for its end instead of giving up.
        Raises what `attempt` raises when that is no outage, or when patience ends.
        """
        deadline = time.monotonic() + self.patience_seconds
        tries = 0
        while True:
            try:
                return attempt()
            except (StorageError, SQLAlchemyError) as error:
                cause = error if isinstance(error, SQLAlchemyError) else error.__cause__
                out = isinstance(cause, SQLAlchemyError) and self._verdict(cause) in (Verdict.AGAIN, Verdict.RECONNECT)
                if not out or time.monotonic() >= deadline:
                    raise
                log.log(logging.WARNING if tries == 0 else logging.DEBUG, "waiting for the database: %s", error)
                self.engine.dispose()
                tries += 1
            time.sleep(_pause(min(9, tries + 4)))

    def join(self, connection: Any) -> Tx:
        """A transaction of the caller's: a SQLAlchemy Connection or Session. Its COMMIT stays the caller's."""
        own = connection.connection() if hasattr(connection, "get_bind") else connection
        tx = Tx(self, own, joined=True)
        if self.clock.stale:
            self._read_clock(own)

        @event.listens_for(own, "commit", once=True)
        def _committed(_: Any) -> None:
            tx.committed()

        return tx

    @contextmanager
    def guard_joined(self) -> Iterator[None]:
        """Inside the caller's transaction nothing can be retried: say so by type."""
        try:
            yield
        except SQLAlchemyError as error:
            verdict = self.product.verdict(error)
            if verdict in (Verdict.AGAIN, Verdict.RECONNECT):
                raise TransactionLost(
                    f"the server rolled the caller's transaction back ({_brief(error)}); begin it anew"
                ) from error
            raise StorageError(_brief(error)) from error

    def create_tables(self) -> None:
        """Create all tables that are absent, without migrations: for tests and throw-away databases."""
        self.tables.metadata.create_all(self.engine)

    def raw(self) -> SqlConnection:
        """A connection outside any pool, for what must be dropped afterwards (doorbells, procedures)."""
        engine = create_engine(self.engine.url, poolclass=NullPool, **_arguments(self.engine.url))
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        return engine.connect()

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()

    # -- the unit of work ---------------------------------------------------------------------------------

    def _once(self, work: Callable[[Tx], T], *, write: bool = True) -> T:
        with self.engine.connect() as connection:
            if not write:
                connection = connection.execution_options(taskmanager_read=True)
            tx = Tx(self, connection)
            if self.clock.stale:
                self._read_clock(connection)
            result = work(tx)
            connection.commit()
        tx.committed()
        return result

    def _persist(self, attempt: Callable[[], T], patience: float | None) -> T:
        deadline = time.monotonic() + (self.patience_seconds if patience is None else patience)
        tries = 0
        while True:
            try:
                return attempt()
            except SQLAlchemyError as error:
                tries += 1
                self._judge(error, tries, deadline)
            time.sleep(_pause(tries))

    def _judge(self, error: SQLAlchemyError, tries: int, deadline: float) -> None:
        """Return when the unit is worth another try; raise the typed error when it is not."""
        verdict = self._verdict(error)
        if verdict is Verdict.RECONNECT:
            self.engine.dispose()
        if verdict in (Verdict.AGAIN, Verdict.RECONNECT) and time.monotonic() < deadline:
            level = logging.DEBUG if tries < 5 else logging.WARNING
            log.log(level, "transaction runs again (try %d): %s", tries + 1, _brief(error))
            return
        if verdict is Verdict.READ_ONLY:
            raise ReadOnlyDatabase(f"the database cannot be written: {_brief(error)}") from error
        if verdict is Verdict.DUPLICATE:
            raise error
        raise StorageError(_brief(error)) from error

    def _verdict(self, error: SQLAlchemyError) -> Verdict:
        if self._prepared is not None:
            return self._prepared.product.verdict(error)
        return product_of(self.engine.dialect).verdict(error)

    def _ask_product(self) -> Product:
        if self.engine.dialect.name in ("mysql", "mariadb"):
            self._persist(self._touch, None)
        return product_of(self.engine.dialect)

    def _touch(self) -> None:
        with self.engine.connect():
            pass

    def _read_clock(self, connection: SqlConnection) -> None:
        product = self.product
        now, offset = _pair(connection, f"SELECT {product.utc_now}, {product.local_offset}")
        self.clock.set(as_moment(now), float(offset))


def _pair(connection: Any, sql: str) -> Any:
    return connection.execute(text(sql)).one()


def as_moment(value: Any) -> datetime:
    """A moment as drivers hand it over: SQLite gives text."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return datetime.fromisoformat(str(value))


def insert_each(tx: Tx, build: Builder, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows as one multi-row statement; no rows, no statement."""
    if rows:
        tx.execute(build, list(rows))


def _pause(tries: int) -> float:
    """Seconds before the next try: jittered, doubling from 5 ms to 1 s."""
    return min(1.0, 0.005 * 2.0 ** min(tries, 9)) * random.uniform(0.5, 1.0)


def _brief(error: BaseException) -> str:
    """The driver's own words without the statement and its parameters, which may hold secrets."""
    original = getattr(error, "orig", None) or error
    arguments: tuple[Any, ...] = getattr(original, "args", ())
    if len(arguments) > 1 and isinstance(arguments[0], int):
        return f"{arguments[1]} (error {arguments[0]})"
    return str(original).strip() or type(original).__name__


def _make_engine(url: URL, pool_size: int) -> Engine:
    nodes = urls.hosts(url)
    engine = create_engine(nodes[0], **_arguments(nodes[0], pool_size))
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
        return engine
    if engine.dialect.driver == "pymysql":
        _share_tls(engine, nodes)
    _prepare_server(engine)
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
        cursor.close()


def _prepare_sqlite(engine: Engine) -> None:
    """WAL, and writers that take turns from the first statement on."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 30000")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: SqlConnection) -> None:
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
