"""Tags and declared search keys of jobs, where the table is absent.

Revision 0007, after 0006. The definition is frozen: a change of `tables.py` is a new revision.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from taskmanager.storage.migrating import Key, current_run

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
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
    run = current_run()
    p = run.prefix
    run.create(
        f"{p}JobTag",
        sa.Column("Id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("JobId", sa.BigInteger, nullable=False),
        sa.Column("Name", sa.String(100), nullable=False),
        sa.Column("Value", sa.String(200), nullable=False),
        keys=[
            Key(f"IX_{p}JobTag_Name_Value", "Name", "Value", "JobId"),
            Key(f"IX_{p}JobTag_JobId", "JobId"),
        ],
        **OPTIONS,
    )


def downgrade() -> None:
    raise NotImplementedError("dropping the table would drop the tags: do it by hand if you mean it")
