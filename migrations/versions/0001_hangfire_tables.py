"""Hangfire's tables, where they are absent.

Revision 0001, after nothing. The definitions are frozen: a change of `tables.py` is a new revision.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from taskmanager.storage.migrating import Key, current_run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
MOMENT = (
    sa.DateTime()
    .with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    .with_variant(postgresql.TIMESTAMP(precision=6), "postgresql")
)
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
ASCII = sa.String(64).with_variant(mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "sqlite_autoincrement": True,
}


def upgrade() -> None:
    _jobs()
    _queue_and_servers()
    _structures()
    _counters_and_locks()


def downgrade() -> None:
    raise NotImplementedError("dropping the tables would drop the jobs: do it by hand if you mean it")


def _id() -> sa.Column[Any]:
    return sa.Column("Id", BIG_ID, primary_key=True, autoincrement=True)


def _jobs() -> None:
    run = current_run()
    p = run.prefix
    run.create(
        f"{p}Job",
        _id(),
        sa.Column("StateId", sa.BigInteger()),
        sa.Column("StateName", sa.String(20)),
        sa.Column("InvocationData", LONG_TEXT, nullable=False),
        sa.Column("Arguments", LONG_TEXT, nullable=False),
        sa.Column("CreatedAt", MOMENT, nullable=False),
        sa.Column("ExpireAt", MOMENT),
        sa.Column("Queue", sa.String(50)),
        sa.Column("Priority", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("EnqueueKey", ASCII),
        sa.UniqueConstraint("EnqueueKey", name=f"UX_{p}Job_EnqueueKey"),
        keys=[Key(f"IX_{p}Job_StateName", "StateName", "Id"), Key(f"IX_{p}Job_ExpireAt", "ExpireAt")],
        **OPTIONS,
    )
    run.create(
        f"{p}JobParameter",
        _id(),
        sa.Column("JobId", sa.BigInteger(), nullable=False),
        sa.Column("Name", sa.String(40), nullable=False),
        sa.Column("Value", LONG_TEXT),
        sa.UniqueConstraint("JobId", "Name", name=f"IX_{p}JobParameter_JobId_Name"),
        **OPTIONS,
    )
    run.create(
        f"{p}State",
        _id(),
        sa.Column("JobId", sa.BigInteger(), nullable=False),
        sa.Column("Name", sa.String(20), nullable=False),
        sa.Column("Reason", sa.String(100)),
        sa.Column("CreatedAt", MOMENT, nullable=False),
        sa.Column("Data", LONG_TEXT),
        keys=[Key(f"IX_{p}State_JobId", "JobId", "Id")],
        **OPTIONS,
    )
    run.create(
        f"{p}JobLog",
        _id(),
        sa.Column("JobId", sa.BigInteger(), nullable=False),
        sa.Column("Attempt", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("CreatedAt", MOMENT, nullable=False),
        sa.Column("Lines", LONG_TEXT, nullable=False),
        keys=[Key(f"IX_{p}JobLog_JobId", "JobId", "Id")],
        **OPTIONS,
    )


def _queue_and_servers() -> None:
    run = current_run()
    p = run.prefix
    run.create(
        f"{p}JobQueue",
        _id(),
        sa.Column("JobId", sa.BigInteger(), nullable=False),
        sa.Column("FetchedAt", MOMENT),
        sa.Column("Queue", sa.String(50), nullable=False),
        sa.Column("FetchToken", sa.String(64)),
        sa.Column("Priority", sa.Integer(), nullable=False, server_default="0"),
        keys=[
            Key(f"IX_{p}JobQueue_Claim", "Queue", "FetchedAt", "Priority", "Id"),
            Key(f"IX_{p}JobQueue_FetchToken", "FetchToken"),
            Key(f"IX_{p}JobQueue_JobId", "JobId"),
        ],
        **OPTIONS,
    )
    run.create(
        f"{p}Server",
        sa.Column("Id", sa.String(200), primary_key=True),
        sa.Column("Data", LONG_TEXT, nullable=False),
        sa.Column("LastHeartbeat", MOMENT),
        **OPTIONS,
    )


def _structures() -> None:
    run = current_run()
    p = run.prefix
    run.create(
        f"{p}Set",
        _id(),
        sa.Column("Key", sa.String(100), nullable=False),
        sa.Column("Value", sa.String(256), nullable=False),
        sa.Column("Score", sa.Double(), nullable=False),
        sa.Column("ExpireAt", MOMENT),
        sa.UniqueConstraint("Key", "Value", name=f"IX_{p}Set_Key_Value"),
        keys=[Key(f"IX_{p}Set_Key_Score", "Key", "Score"), Key(f"IX_{p}Set_ExpireAt", "ExpireAt")],
        **OPTIONS,
    )
    run.create(
        f"{p}Hash",
        _id(),
        sa.Column("Key", sa.String(100), nullable=False),
        sa.Column("Field", sa.String(100), nullable=False),
        sa.Column("Value", LONG_TEXT),
        sa.Column("ExpireAt", MOMENT),
        sa.UniqueConstraint("Key", "Field", name=f"IX_{p}Hash_Key_Field"),
        keys=[Key(f"IX_{p}Hash_ExpireAt", "ExpireAt")],
        **OPTIONS,
    )
    run.create(
        f"{p}List",
        _id(),
        sa.Column("Key", sa.String(100), nullable=False),
        sa.Column("Value", LONG_TEXT),
        sa.Column("ExpireAt", MOMENT),
        keys=[Key(f"IX_{p}List_Key", "Key", "Id"), Key(f"IX_{p}List_ExpireAt", "ExpireAt")],
        **OPTIONS,
    )


def _counters_and_locks() -> None:
    run = current_run()
    p = run.prefix
    run.create(
        f"{p}Counter",
        _id(),
        sa.Column("Key", sa.String(100), nullable=False),
        sa.Column("Value", sa.BigInteger(), nullable=False),
        sa.Column("ExpireAt", MOMENT),
        keys=[Key(f"IX_{p}Counter_Key", "Key")],
        **OPTIONS,
    )
    run.create(
        f"{p}AggregatedCounter",
        _id(),
        sa.Column("Key", sa.String(100), nullable=False),
        sa.Column("Value", sa.BigInteger(), nullable=False),
        sa.Column("ExpireAt", MOMENT),
        sa.UniqueConstraint("Key", name=f"IX_{p}CounterAggregated_Key"),
        keys=[Key(f"IX_{p}AggregatedCounter_ExpireAt", "ExpireAt")],
        **OPTIONS,
    )
    run.create(
        f"{p}DistributedLock",
        _id(),
        sa.Column("Resource", sa.String(100), nullable=False),
        sa.Column("CreatedAt", MOMENT, nullable=False),
        keys=[Key(f"IX_{p}DistributedLock_Resource", "Resource", "CreatedAt")],
        **OPTIONS,
    )
