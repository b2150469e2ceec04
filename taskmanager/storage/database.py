"""Transactions: begun, run again as a whole when the server asks for it, joined when the caller has one."""

from __future__ import annotations

import logging
import math
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, TypeVar

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from taskmanager.domain.errors import DatabaseSlow, ReadOnlyDatabase, StorageError, TransactionLost
from taskmanager.storage import companions, forked, limits, urls
from taskmanager.storage.clock import Clock
from taskmanager.storage.dialects import Product, Verdict, product_of
from taskmanager.storage.engines import give_up_pool, make_engine, make_raw_engine
from taskmanager.storage.statements import Prepared
from taskmanager.storage.tables import tables_of
from taskmanager.storage.transaction import Tx, as_moment, connection_of

log = logging.getLogger("taskmanager.storage")
T = TypeVar("T")
#: Seconds of patience at most in this thread or task, whatever the unit's own.
_haste: ContextVar[float | None] = ContextVar("taskmanager_haste", default=None)
#: A unique key was there already, and any error of the database; for the rooms above, which import no SQLAlchemy.
DuplicateKey = IntegrityError
DatabaseError = SQLAlchemyError


class Database:
    """One database: knows connections, transactions and retries, and no query.

    patience_seconds: how long a unit of work is tried again through an outage before its error is raised.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        prefix: str = "Hangfire",
        patience_seconds: float = 90.0,
    ) -> None:
        self.url = urls.parse(url)
        self.patience_seconds = patience_seconds
        #: By the monotonic clock: nothing is tried again after it, whatever the patience; who stops sets it.
        self.patience_ends = math.inf
        self.engine = make_engine(self.url)
        #: For looks: here each statement is a transaction of its own, and a look is one statement on the wire.
        self.looking = make_engine(self.url, autocommit=True)
        self._raw: Engine | None = None
        #: SQLite has one writer at a time, and whom it lets wait sleeps up to 100 ms: our own threads take turns here.
        self._turn: Any = nullcontext()
        self.renew_turn()
        forked.renew(self.renew_turn)
        self.clock = Clock()
        self.tables = tables_of(prefix)
        self._prepared: Prepared | None = None
        #: Told the names of queues that got work, after the COMMIT; the app puts a doorbell here.
        self.ring: Callable[[set[str]], None] = lambda queues: None

    def renew_turn(self) -> None:
        """In a forked child nobody holds the turn that a thread of its parent had."""
        if self.is_embedded:
            self._turn = threading.RLock()

    @property
    def prepared(self) -> Prepared:
        """The named statements for this product; the first use asks the server what it is."""
        if self._prepared is None:
            self._prepared = Prepared(self.tables, self._ask_product(), self.engine.dialect)
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
        """As `run`, for reading only, and without a transaction around it: each statement sees what is committed.

        Nothing is sent but the statements themselves, and nothing may be locked or written.
        """
        return self._persist(lambda: self._look(work), patience)

    def run_single(self, work: Callable[[Tx], T], *, patience: float | None = None) -> T:
        """As `run`, for a unit of one statement, which needs neither BEGIN nor COMMIT; it has no companion."""

        def attempt() -> T:
            with self._turn:
                return self._look(work)

        return self._persist(attempt, patience)

    def through_outage(self, attempt: Callable[[], T]) -> T:
        """Do something that opens its own connections, again while the database cannot be reached.

        For start-up: a worker that is started during an outage waits for its end instead of giving up.
        Raises what `attempt` raises when that is no outage; StorageError when patience ends.
        """
        deadline = time.monotonic() + self.patience_seconds
        tries = 0
        while True:
            try:
                return attempt()
            except (StorageError, SQLAlchemyError) as error:
                cause = error if isinstance(error, SQLAlchemyError) else error.__cause__
                out = isinstance(cause, SQLAlchemyError) and self._verdict(cause) in (Verdict.AGAIN, Verdict.RECONNECT)
                if not out:
                    raise
                if time.monotonic() >= min(deadline, self.patience_ends):
                    raise error if isinstance(error, StorageError) else StorageError(_brief(error)) from error
                log.log(logging.WARNING if tries == 0 else logging.DEBUG, "waiting for the database: %s", error)
                self.dispose()
                tries += 1
            self._rest(min(9, tries + 4))

    def join(self, connection: Any) -> Tx:
        """A transaction of the caller's: a SQLAlchemy Connection or Session. Its COMMIT stays the caller's."""
        own = connection_of(connection, self.engine.dialect.name)
        if not own.in_transaction():
            own.begin()
        tx = Tx(self.prepared, self.clock, own, joined=True, ring=self.ring)
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

    @contextmanager
    def hasty(self, seconds: float, *, reading_seconds: float | None = None) -> Iterator[None]:
        """Let nothing that this thread or task runs meanwhile be tried again for longer: somebody waits for it.

        reading_seconds: for all reads taken together; what takes longer is ended by the server, with DatabaseSlow.
        """
        token = _haste.set(seconds)
        try:
            with limits.until(reading_seconds) if reading_seconds is not None else nullcontext():
                yield
        finally:
            _haste.reset(token)

    def create_tables(self) -> None:
        """Create all tables that are absent, without migrations: for tests and throw-away databases."""
        self.tables.metadata.create_all(self.engine)

    def raw(self) -> SqlConnection:
        """A connection outside any pool, for what must be dropped afterwards (doorbells, procedures)."""
        if self._raw is None:
            self._raw = make_raw_engine(self.url)
        return self._raw.connect()

    def dispose(self) -> None:
        """Close all pooled connections: those at work when they come back."""
        give_up_pool(self.engine)
        give_up_pool(self.looking)

    def protect_children(self) -> None:
        """Processes that this one forks let go of its connections."""
        forked.protect(self.engine)
        forked.protect(self.looking)

    # -- the unit of work ---------------------------------------------------------------------------------

    def _once(self, work: Callable[[Tx], T]) -> T:
        with self._turn, self.engine.connect() as connection:
            connection.begin()
            tx = Tx(self.prepared, self.clock, connection, ring=self.ring)
            if self.clock.stale:
                self._read_clock(connection)
            result = work(tx)
            companions.accompany(tx, result)
            self._commit(connection)
        tx.committed()
        return result

    def _commit(self, connection: SqlConnection) -> None:
        try:
            connection.commit()
        except BaseException:
            if not self.is_embedded:  # nobody knows what the connection holds, and the pool does not roll back
                connection.invalidate()
            raise

    def _look(self, work: Callable[[Tx], T]) -> T:
        with self.looking.connect() as connection:
            tx = Tx(self.prepared, self.clock, connection, ring=self.ring)
            seconds = limits.left()
            tx.ends = None if seconds is None else time.monotonic() + seconds
            with limits.bounded(connection, self.product, seconds):
                if self.clock.stale:
                    self._read_clock(connection)
                result = work(tx)
        tx.committed()
        return result

    def _persist(self, attempt: Callable[[], T], patience: float | None) -> T:
        haste = _haste.get()
        patience = self.patience_seconds if patience is None else patience
        deadline = time.monotonic() + (patience if haste is None else min(haste, patience))
        tries = 0
        while True:
            try:
                return attempt()
            except SQLAlchemyError as error:
                tries += 1
                self._judge(error, tries, deadline)
            self._rest(tries)

    def _rest(self, tries: int) -> None:
        """The pause before the next try; none is waited for that will not be."""
        time.sleep(min(_pause(tries), max(0.0, self.patience_ends - time.monotonic())))

    def _judge(self, error: SQLAlchemyError, tries: int, deadline: float) -> None:
        """Return when the unit is worth another try; raise the typed error when it is not."""
        if limits.left() is not None and self._prepared is not None and self.product.is_too_slow(error):
            raise DatabaseSlow(f"the database is slow: {_brief(error)}") from error
        verdict = self._verdict(error)
        if verdict is Verdict.RECONNECT:
            self.dispose()
        if verdict in (Verdict.AGAIN, Verdict.RECONNECT) and time.monotonic() < min(deadline, self.patience_ends):
            level = logging.DEBUG if tries < 5 else logging.WARNING
            log.log(level, "transaction runs again (try %d): %s", tries + 1, _brief(error))
            return
        if verdict is Verdict.READ_ONLY or (self._prepared is not None and self.product.refuses_writes(error)):
            raise ReadOnlyDatabase(f"the database cannot be written: {_brief(error)}") from error
        if verdict is Verdict.DUPLICATE:
            raise error
        raise StorageError(_brief(error)) from error

    def is_refusal(self, error: StorageError) -> bool:
        """Whether the database answered, and would answer so again: it is no outage, and nothing that passes."""
        cause = error.__cause__
        if isinstance(error, (DatabaseSlow, ReadOnlyDatabase)) or not isinstance(cause, SQLAlchemyError):
            return False
        return self._verdict(cause) is Verdict.FATAL

    def _verdict(self, error: SQLAlchemyError) -> Verdict:
        if self._prepared is not None:
            return self._prepared.product.verdict(error)
        return product_of(self.engine.dialect).verdict(error)

    def _ask_product(self) -> Product:
        # Once connected, the dialect knows; a second connection would be waited for as long as an outage lasts.
        known = getattr(self.engine.dialect, "server_version_info", None) is not None
        if self.engine.dialect.name in ("mysql", "mariadb") and not known:
            self._persist(self._touch, None)
        return product_of(self.engine.dialect)

    def _touch(self) -> None:
        with self.engine.connect():
            pass

    def _read_clock(self, connection: SqlConnection) -> None:
        product = self.product
        asked = time.monotonic()
        now, offset = _pair(connection, f"SELECT {product.utc_now}, {product.local_offset}")
        self.clock.set(as_moment(now), float(offset), asked=asked)


def _pair(connection: Any, sql: str) -> Any:
    return connection.execute(text(sql)).one()


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
