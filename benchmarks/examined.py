"""How many rows each statement looks at, by the server's own counters; on SQLite, steps of its virtual machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, text

from taskmanager.storage.transaction import Tx

_READS = text("SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%'")
#: Of tables what was read one after another, of indexes every entry; of this transaction.
_RETURNED = text(
    "SELECT COALESCE(SUM(pg_stat_get_xact_tuples_returned(oid)), 0) FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
)
_STEP = 10
#: How many rows asking costs by itself, of each server: found out once, for asking takes longer than most statements.
_asking: WeakKeyDictionary[Engine, int] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Look:
    """One statement, by its name, how many rows it looked at, and how long it took."""

    name: str
    rows: int
    ms: float = 0.0


@contextmanager
def looks() -> Iterator[list[Look]]:
    """What runs meanwhile in this process, statement by statement."""
    found: list[Look] = []
    real: Any = Tx.execute

    def execute(self: Tx, build: Any, parameters: Any = None) -> Any:
        # Before the counter starts: what is prepared asks the server what it is.
        counter = _COUNTERS[self.prepared.product.name](self)
        began = time.perf_counter()
        answer = real(self, build, parameters)
        took = 1000 * (time.perf_counter() - began)
        found.append(Look(build.__name__, counter(), round(took, 1)))
        return answer

    Tx.execute = execute  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Tx.execute = real  # type: ignore[method-assign]


def _by_handlers(tx: Tx) -> Callable[[], int]:
    def read() -> int:
        return sum(int(value) for _, value in tx.connection.execute(_READS))

    engine = tx.connection.engine
    if engine not in _asking:
        _asking[engine] = -read() + read()
    own, before = _asking[engine], read()
    return lambda: read() - before - own


def _by_tuples(tx: Tx) -> Callable[[], int]:
    def read() -> int:
        return int(tx.connection.execute(_RETURNED).scalar_one())

    # In autocommit the server takes the counts of a session away after each second: in a transaction they stay.
    driver: Any = tx.connection.connection.dbapi_connection
    alone = driver.autocommit
    if alone:
        driver.rollback()  # where the one before failed, its transaction is still open; else nothing is sent
        tx.connection.exec_driver_sql("BEGIN")
    before = read()

    def counted() -> int:
        rows = read() - before
        if alone:
            tx.connection.exec_driver_sql("COMMIT")
        return rows

    return counted


def _by_steps(tx: Tx) -> Callable[[], int]:
    steps = [0]

    def step() -> None:
        steps[0] += _STEP

    driver: Any = tx.connection.connection.dbapi_connection
    driver.set_progress_handler(step, _STEP)

    def read() -> int:
        driver.set_progress_handler(None, 0)
        return steps[0]

    return read


_COUNTERS: dict[str, Callable[[Tx], Callable[[], int]]] = {
    "mysql": _by_handlers, "mariadb": _by_handlers, "postgresql": _by_tuples, "sqlite": _by_steps,
}  # fmt: skip
