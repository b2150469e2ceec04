"""What an old snapshot keeps a server from cleaning away: history, dead rows, a growing log. Told by who looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from taskmanager.storage.database import Database

#: From here on a finding is made of it: entries of InnoDB's history list, seconds that a transaction is open, dead
#: rows of the queue's table, bytes of SQLite's write-ahead log.
HISTORY_LENGTH = 1_000_000
OPEN_SECONDS = 300.0
DEAD_ROWS = 100_000
LOG_BYTES = 256 * 1024**2

_INNODB_LENGTH = "SELECT count FROM information_schema.INNODB_METRICS WHERE name = 'trx_rseg_history_len'"
_INNODB_OLDEST = (
    "SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()) FROM information_schema.INNODB_TRX "
    "WHERE trx_mysql_thread_id <> CONNECTION_ID() ORDER BY trx_started LIMIT 1"
)
_POSTGRES_OLDEST = (
    "SELECT pid, EXTRACT(EPOCH FROM clock_timestamp() - xact_start) FROM pg_stat_activity "
    "WHERE xact_start IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend' ORDER BY xact_start LIMIT 1"
)
_POSTGRES_DEAD = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = :name"


def look(database: Database) -> tuple[str, list[tuple[str, str]]]:
    """What was seen, and pairs of what is wrong with its cure."""
    seen = {"mysql": _innodb, "mariadb": _innodb, "postgresql": _postgres, "sqlite": _sqlite}[database.product.name]
    parts, wrong = [], []
    for what, trouble in seen(database):
        parts.append(what)
        wrong += [trouble] if trouble else []
    return "; ".join(parts), wrong


_Seen = Iterator[tuple[str, tuple[str, str] | None]]


def _innodb(database: Database) -> _Seen:
    with database.engine.connect() as connection:
        try:
            length = int(connection.execute(text(_INNODB_LENGTH)).scalar() or 0)
            oldest = connection.execute(text(_INNODB_OLDEST)).first()
        except DBAPIError:
            connection.rollback()
            yield "not to be seen by this user, who lacks the right PROCESS", None
            return
        connection.rollback()
    what = f"history list length {length}"
    long = (what, "end the oldest transaction, or wait for purge; the claim reads over deleted rows until then")
    yield what, long if length > HISTORY_LENGTH else None
    yield _open(oldest, "KILL {}")


def _postgres(database: Database) -> _Seen:
    name = database.tables.queue.name
    with database.engine.connect() as connection:
        dead = _number(connection, _POSTGRES_DEAD, {"name": name})
        oldest = connection.execute(text(_POSTGRES_OLDEST)).first()
        connection.rollback()
    what = f"{dead} dead rows in {name}"
    yield what, (what, f'VACUUM "{name}", and let autovacuum run more often on it') if dead > DEAD_ROWS else None
    yield _open(oldest, "SELECT pg_terminate_backend({})")


def _open(oldest: Any, ending: str) -> tuple[str, tuple[str, str] | None]:
    """A transaction that is open for long is a snapshot that nothing may be cleaned under."""
    seconds = float(oldest[1] or 0) if oldest is not None else 0.0
    if oldest is None or seconds < OPEN_SECONDS:
        return "no old transaction", None
    what = f"connection {oldest[0]} has a transaction open for {seconds:.0f} s"
    return what, (what, f"let its owner COMMIT, or end it: {ending.format(oldest[0])}")


def _sqlite(database: Database) -> _Seen:
    log = Path(f"{database.url.database}-wal")
    size = log.stat().st_size if log.is_file() else 0
    what = f"write-ahead log of {size} bytes"
    cure = "end the process that reads without an end, then PRAGMA wal_checkpoint(TRUNCATE)"
    yield what, (what, cure) if size > LOG_BYTES else None


def _number(connection: Connection, query: str, values: dict[str, Any]) -> int:
    return int(connection.execute(text(query), values).scalar() or 0)
