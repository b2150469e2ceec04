"""A read that somebody waits for is ended by the server itself when it takes too long; all others have no bound."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import DatabaseSlow, StorageError
from taskmanager.storage import limits, monitoring_lists, monitoring_walk, servers
from taskmanager.storage.database import Database
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_filters import Term, Wanted
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: How the session's bound is asked for, and what it says when there is none.
NONE = {
    "mysql": ("SELECT @@SESSION.max_execution_time", 0), "mariadb": ("SELECT @@SESSION.max_statement_time", 0),
    "postgresql": ("SHOW statement_timeout", "0"),
}  # fmt: skip


def endless(t: Tables, p: Product) -> str:
    """Counts to a thousand millions; no product takes less than a minute for it."""
    digits = "(" + " UNION ALL ".join(f"SELECT {n} AS d" for n in range(10)) + ")"
    return f"SELECT SUM({' + '.join(f'd{n}.d' for n in range(9))}) FROM {', '.join(f'{digits} d{n}' for n in range(9))}"


def test_a_read_ends_when_its_time_is_up(tm: TaskManager) -> None:
    began = time.monotonic()
    with tm.database.hasty(9.0, reading_seconds=1.0), pytest.raises(DatabaseSlow):
        tm.database.read(lambda tx: tx.execute(endless))
    assert time.monotonic() - began < 20, "a machine under load; without the bound it is minutes"


class Line:
    """Between a client and its server; frozen, nothing passes any more, and nothing is closed."""

    def __init__(self, host: str, port: int) -> None:
        self.there = (host, port)
        self.frozen = threading.Event()
        self.open: list[socket.socket] = []
        self.door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.door.accept()
                if not self.frozen.is_set():
                    far = socket.create_connection(self.there)
                    for one, other in ((near, far), (far, near)):
                        threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()
                    self.open.append(far)
                self.open.append(near)

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if self.frozen.is_set():
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for one in (self.door, *self.open):
            one.close()


@pytest.fixture
def line(tm: TaskManager) -> Iterator[Line]:
    if tm.database.is_embedded:
        pytest.skip("SQLite has no server that may be frozen")
    made = Line(tm.database.url.host or "", tm.database.url.port or 0)
    yield made
    made.close()


def test_a_page_is_not_held_up_by_a_server_that_is_frozen(tm: TaskManager, line: Line) -> None:
    database = Database(tm.database.url.set(host="127.0.0.1", port=line.door.getsockname()[1]))
    database.read(lambda tx: tx.execute(servers.read_servers))
    line.frozen.set()
    for _ in range(2):  # by the connection that is there, then by a new one
        began = time.monotonic()
        with database.hasty(0.1, reading_seconds=0.5), pytest.raises((DatabaseSlow, StorageError)):
            database.read(lambda tx: tx.execute(servers.read_servers))
        assert time.monotonic() - began < 30, "a machine under load; without a bound it is for ever"
    database.dispose()


def test_no_statement_begins_after_the_time_is_up(tm: TaskManager) -> None:
    seen: list[int] = []

    def work(tx: Tx) -> None:
        tx.ends = time.monotonic() - 1
        tx.execute(endless)
        seen.append(1)

    with tm.database.hasty(9.0, reading_seconds=30.0), pytest.raises(DatabaseSlow):
        tm.database.read(work)
    assert not seen


def test_writes_and_other_reads_have_no_bound_on_the_same_connection(tm: TaskManager) -> None:
    name = tm.database.product.name
    if name == "sqlite":
        pytest.skip("SQLite's bound ends with the block it stands in")
    ask, none = NONE[name]

    def bound(tx: Tx) -> Any:
        return tx.connection.exec_driver_sql(ask).scalar_one()

    with tm.database.hasty(9.0, reading_seconds=3.0):
        assert tm.database.read(bound) != none
        assert tm.database.run(bound) == none
        assert tm.database.read(bound) != none
    assert tm.database.read(bound) == none


def test_reads_share_one_thread_that_watches_them(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda self: (started.append(self.name), start(self)))
    with tm.database.hasty(9.0, reading_seconds=3.0):
        for _ in range(5):
            tm.database.read(lambda tx: tx.execute(servers.read_servers))
    assert len(started) <= 1


def test_only_the_read_that_lasts_too_long_is_hung_up_and_not_one_that_has_ended() -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    now = time.monotonic()
    slow, quick, patient = (
        limits._Watched(near, now + seconds) for seconds, (near, _) in zip((0.2, 0.1, 60), pairs, strict=True)
    )
    watch = limits._Watch()
    for one in (patient, slow, quick):  # the thread waits for the first, and is told of the others
        watch.add(one)
    watch.remove(quick)
    pairs[0][1].settimeout(30)
    assert pairs[0][1].recv(1) == b"", "hung up"
    assert (slow.is_over, quick.is_over, patient.is_over) == (True, False, False)
    for near, far in pairs[1:]:
        near.send(b"x")
        assert far.recv(1) == b"x"
    for pair in pairs:
        for end in pair:
            end.close()


def plans(tx: Tx) -> tuple[int, int, str]:
    """Of the statements that this connection has prepared: plans for their own values, for all values; and the mode."""
    asked = "SUM(custom_plans), SUM(generic_plans), current_setting('plan_cache_mode')"
    of = "pg_prepared_statements WHERE cardinality(parameter_types) > 0"
    row = tx.connection.exec_driver_sql(f"SELECT {asked} FROM {of}").one()
    return int(row[0]), int(row[1]), str(row[2])


def test_the_windows_of_a_bulk_operation_are_planned_for_their_own_values(tm: TaskManager) -> None:
    """From the eleventh on each walked the table: 300 ms of the server at a million jobs, 17 before."""
    if tm.database.product.name != "postgresql":
        pytest.skip("others keep no plan for all values")

    def work(tx: Tx) -> tuple[int, int, str]:
        for _ in range(15):
            monitoring_walk.portion(tx, Wanted(("Failed",), (Term("type", ("import",)),)), below=1 << 62, limit=9)
        return plans(tx)

    custom, generic, _ = tm.database.run(work)
    assert (custom > 9, generic) == (True, 0)
    assert tm.database.run(lambda tx: tx.connection.exec_driver_sql("SHOW plan_cache_mode").scalar_one()) == "auto"


def test_what_a_page_asks_is_planned_for_its_own_values_each_time(tm: TaskManager) -> None:
    """PostgreSQL's plan for all values of a filter walked the table: 1.1 s from the eleventh page on, at a million."""
    if tm.database.product.name != "postgresql":
        pytest.skip("others keep no plan for all values")

    def work(tx: Tx) -> tuple[int, int, str]:
        for _ in range(15):  # psycopg prepares the sixth; the server may keep a plan from the sixth of those on
            monitoring_lists.count(tx, Wanted(("Failed",), (Term("type", ("import",)),)))
        return plans(tx)

    with tm.database.hasty(9.0, reading_seconds=9.0):
        custom, generic, _ = tm.database.read(work)
    assert (custom > 9, generic) == (True, 0)
    assert tm.database.read(work)[2] == "auto", "a worker's own looks are always the same, and cheaper so"
