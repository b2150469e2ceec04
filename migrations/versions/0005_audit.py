"""The audit log of changes made by people, where it is absent.

Revision 0005, after 0004. The definition is frozen: a change of `tables.py` is a new revision.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from taskmanager.storage.migrating import Key, current_run

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
MOMENT = (
    sa.DateTime()
    .with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    .with_variant(postgresql.TIMESTAMP(precision=6), "postgresql")
)
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
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
        f"{p}Audit",
        sa.Column("Id", BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("At", MOMENT, nullable=False),
        sa.Column("UserName", sa.String(100), nullable=False),
        sa.Column("Address", sa.String(64)),
        sa.Column("Door", sa.String(20), nullable=False),
        sa.Column("Action", sa.String(50), nullable=False),
        sa.Column("TargetKind", sa.String(20), nullable=False),
        sa.Column("TargetId", sa.String(100), nullable=False),
        sa.Column("Before", LONG_TEXT),
        sa.Column("After", LONG_TEXT),
        sa.Column("Outcome", sa.String(20), nullable=False),
        sa.Column("Note", sa.String(300)),
        keys=[
            Key(f"IX_{p}Audit_At", "At"),
            Key(f"IX_{p}Audit_UserName", "UserName", "Id"),
            Key(f"IX_{p}Audit_Action", "Action", "Id"),
            Key(f"IX_{p}Audit_Outcome", "Outcome", "Id"),
            Key(f"IX_{p}Audit_Target", "TargetKind", "TargetId", "Id"),
        ],
        **OPTIONS,
    )


def downgrade() -> None:
    raise NotImplementedError("dropping the table would drop the log: do it by hand if you mean it")
