"""Figures of runs and queues by minute, hour and day, where they are absent.

Revision 0006, after 0005. The definition is frozen: a change of `tables.py` is a new revision.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from taskmanager.storage.migrating import Key, current_run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = (
    sa.DateTime()
    .with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    .with_variant(postgresql.TIMESTAMP(precision=6), "postgresql")
)
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}
SUMS = ("Count", "Failed", "DurationMs", "WaitMs", "Waits", "LongestMs", *(f"D{step}" for step in range(26)))


def upgrade() -> None:
    run = current_run()
    p = run.prefix
    run.create(
        f"{p}MetricRollup",
        sa.Column("Span", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("Kind", sa.String(20), primary_key=True),
        sa.Column("Key", sa.String(191), primary_key=True),
        sa.Column("Bucket", MOMENT, primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in SUMS),
        keys=[Key(f"IX_{p}MetricRollup_Bucket", "Span", "Bucket", "Kind")],
        **OPTIONS,
    )


def downgrade() -> None:
    raise NotImplementedError("dropping the table would drop the figures: do it by hand if you mean it")
