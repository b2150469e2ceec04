"""Hangfire's tables under their own names and columns, a safe superset, for all four products."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

from taskmanager.domain.rollups import LONGEST_KEY, STEPS
from taskmanager.storage.legacy_tables import LegacyTables

#: SQLite only numbers rows of type INTEGER by itself.
Id = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
#: A moment in UTC, in microseconds.
Moment = (
    DateTime()
    .with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    .with_variant(postgresql.TIMESTAMP(precision=6), "postgresql")
)
LongText = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
#: Keys made by the program: plain ASCII keeps their unique index small.
Ascii64 = String(64).with_variant(mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")

#: Binary collation: keys and queue names differ by case here as they do on PostgreSQL and SQLite.
_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "sqlite_autoincrement": True,
}


def _pk() -> Column[int]:
    return Column("Id", Id, primary_key=True, autoincrement=True)


class Tables:
    """All tables of one installation. `prefix` is put before Hangfire's names, as Hangfire itself does."""

    def __init__(self, prefix: str = "Hangfire") -> None:
        self.prefix = prefix
        self.metadata = MetaData()
        self.job = self._job()
        self.parameter = self._parameter()
        self.state = self._state()
        self.queue = self._queue()
        self.server = self._server()
        self.set = self._set()
        self.hash = self._hash()
        self.list = self._list()
        self.counter = self._counter()
        self.aggregated = self._aggregated()
        self.lock = self._lock()
        self.log = self._log()
        self.audit = self._audit()
        self.rollup = self._rollup()
        self.tag = self._tag()
        self.legacy = LegacyTables(self.metadata)

    def hangfire(self) -> tuple[Table, ...]:
        """The prefixed tables, without the c_* ones."""
        return (
            self.job, self.parameter, self.state, self.queue, self.server, self.set, self.hash,
            self.list, self.counter, self.aggregated, self.lock, self.log,
            self.audit, self.rollup, self.tag,
        )  # fmt: skip

    def _table(self, name: str, *items: Any) -> Table:
        return Table(self.prefix + name, self.metadata, *items, **_OPTIONS)

    def _index(self, name: str, *columns: str, **options: Any) -> Index:
        return Index(f"IX_{self.prefix}{name}", *columns, **options)

    def _job(self) -> Table:
        return self._table(
            "Job",
            _pk(),
            Column("StateId", BigInteger),
            Column("StateName", String(20)),
            Column("InvocationData", LongText, nullable=False),
            Column("Arguments", LongText, nullable=False),
            Column("CreatedAt", Moment, nullable=False),
            Column("ExpireAt", Moment),
            Column("Queue", String(50)),
            Column("Priority", Integer, nullable=False, server_default="0"),
            # A time-ordered key: a retried enqueue whose COMMIT was in doubt meets its own first try.
            Column("EnqueueKey", Ascii64),
            UniqueConstraint("EnqueueKey", name=f"UX_{self.prefix}Job_EnqueueKey"),
            self._index("Job_StateName", "StateName", "Id"),
            self._index("Job_ExpireAt", "ExpireAt"),
        )

    def _parameter(self) -> Table:
        return self._table(
            "JobParameter",
            _pk(),
            Column("JobId", BigInteger, nullable=False),
            Column("Name", String(40), nullable=False),
            Column("Value", LongText),
            UniqueConstraint("JobId", "Name", name=f"IX_{self.prefix}JobParameter_JobId_Name"),
        )

    def _state(self) -> Table:
        return self._table(
            "State",
            _pk(),
            Column("JobId", BigInteger, nullable=False),
            Column("Name", String(20), nullable=False),
            Column("Reason", String(100)),
            Column("CreatedAt", Moment, nullable=False),
            Column("Data", LongText),
            self._index("State_JobId", "JobId", "Id"),
        )

    def _queue(self) -> Table:
        """The claim index serves WHERE and ORDER BY alike: a filesort would lock every waiting row."""
        return self._table(
            "JobQueue",
            _pk(),
            Column("JobId", BigInteger, nullable=False),
            Column("FetchedAt", Moment),
            Column("Queue", String(50), nullable=False),
            Column("FetchToken", String(64)),
            Column("Priority", Integer, nullable=False, server_default="0"),
            self._index("JobQueue_Claim", "Queue", "FetchedAt", "Priority", "Id"),
            self._index("JobQueue_FetchToken", "FetchToken"),
            self._index("JobQueue_JobId", "JobId"),
        )

    def _server(self) -> Table:
        return self._table(
            "Server",
            Column("Id", String(200), primary_key=True),
            Column("Data", LongText, nullable=False),
            Column("LastHeartbeat", Moment),
        )

    def _set(self) -> Table:
        return self._table(
            "Set",
            _pk(),
            Column("Key", String(100), nullable=False),
            Column("Value", String(256), nullable=False),
            Column("Score", Double, nullable=False),
            Column("ExpireAt", Moment),
            UniqueConstraint("Key", "Value", name=f"IX_{self.prefix}Set_Key_Value"),
            self._index("Set_Key_Score", "Key", "Score"),
            self._index("Set_ExpireAt", "ExpireAt"),
        )

    def _hash(self) -> Table:
        return self._table(
            "Hash",
            _pk(),
            Column("Key", String(100), nullable=False),
            Column("Field", String(100), nullable=False),
            Column("Value", LongText),
            Column("ExpireAt", Moment),
            UniqueConstraint("Key", "Field", name=f"IX_{self.prefix}Hash_Key_Field"),
            self._index("Hash_ExpireAt", "ExpireAt"),
        )

    def _list(self) -> Table:
        return self._table(
            "List",
            _pk(),
            Column("Key", String(100), nullable=False),
            Column("Value", LongText),
            Column("ExpireAt", Moment),
            self._index("List_Key", "Key", "Id"),
            self._index("List_ExpireAt", "ExpireAt"),
        )

    def _counter(self) -> Table:
        return self._table(
            "Counter",
            _pk(),
            Column("Key", String(100), nullable=False),
            Column("Value", BigInteger, nullable=False),
            Column("ExpireAt", Moment),
            self._index("Counter_Key", "Key"),
        )

    def _aggregated(self) -> Table:
        return self._table(
            "AggregatedCounter",
            _pk(),
            Column("Key", String(100), nullable=False),
            Column("Value", BigInteger, nullable=False),
            Column("ExpireAt", Moment),
            UniqueConstraint("Key", name=f"IX_{self.prefix}CounterAggregated_Key"),
            self._index("AggregatedCounter_ExpireAt", "ExpireAt"),
        )

    def _lock(self) -> Table:
        """Never unique by Resource: a .NET server inserts beside an expired row and would fail on it."""
        return self._table(
            "DistributedLock",
            _pk(),
            Column("Resource", String(100), nullable=False),
            Column("CreatedAt", Moment, nullable=False),
            self._index("DistributedLock_Resource", "Resource", "CreatedAt"),
        )

    def _log(self) -> Table:
        """Our own: lines a job wrote, a chunk a row, bounded by settings."""
        return self._table(
            "JobLog",
            _pk(),
            Column("JobId", BigInteger, nullable=False),
            Column("Attempt", Integer, nullable=False, server_default="1"),
            Column("CreatedAt", Moment, nullable=False),
            Column("Lines", LongText, nullable=False),
            self._index("JobLog_JobId", "JobId", "Id"),
        )

    def _audit(self) -> Table:
        """Our own: who changed what, when, from where; only ever added to, and expired by `At`."""
        return self._table(
            "Audit",
            _pk(),
            Column("At", Moment, nullable=False),
            Column("UserName", String(100), nullable=False),
            Column("Address", String(64)),
            Column("Door", String(20), nullable=False),
            Column("Action", String(50), nullable=False),
            Column("TargetKind", String(20), nullable=False),
            Column("TargetId", String(100), nullable=False),
            Column("Before", LongText),
            Column("After", LongText),
            Column("Outcome", String(20), nullable=False),
            Column("Note", String(300)),
            self._index("Audit_At", "At"),
            self._index("Audit_UserName", "UserName", "Id"),
            self._index("Audit_Action", "Action", "Id"),
            self._index("Audit_Outcome", "Outcome", "Id"),
            self._index("Audit_Target", "TargetKind", "TargetId", "Id"),
        )

    def _rollup(self) -> Table:
        """Our own: figures of runs and queues in a bucket of time; its key is read along for one type or queue.

        Span: seconds. D0 to D25: how many runs took less than 1 ms, 2 ms, 4 ms ... and longer than all.
        """
        sums = ("Count", "Failed", "DurationMs", "WaitMs", "Waits", "LongestMs", *(f"D{step}" for step in range(STEPS)))
        return self._table(
            "MetricRollup",
            Column("Span", Integer, primary_key=True, autoincrement=False),
            Column("Kind", String(20), primary_key=True),
            Column("Key", String(LONGEST_KEY), primary_key=True),
            Column("Bucket", Moment, primary_key=True),
            *(Column(name, BigInteger, nullable=False) for name in sums),
            self._index("MetricRollup_Bucket", "Span", "Bucket", "Kind"),
        )

    def _tag(self) -> Table:
        """Our own: tags and declared search keys of jobs; a tag's jobs lie in the order of their ids."""
        return self._table(
            "JobTag",
            _pk(),
            Column("JobId", BigInteger, nullable=False),
            Column("Name", String(100), nullable=False),
            Column("Value", String(200), nullable=False),
            self._index("JobTag_Name_Value", "Name", "Value", "JobId"),
            self._index("JobTag_JobId", "JobId"),
        )


@lru_cache(maxsize=16)
def tables_of(prefix: str) -> Tables:
    """The tables of a prefix: the same objects for every Database of the process, for building them takes 20 ms.

    Who wants to change them takes tables of its own.
    """
    return Tables(prefix)
