"""The c_* tables, where they are absent. Those that are there, of whatever shape, belong to their owners.

Revision 0002, after 0001. The definitions are frozen: a change of `legacy_tables.py` is a new revision.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import UserDefinedType

from taskmanager.storage.migrating import Key, current_run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
WALL_CLOCK = (
    sa.DateTime()
    .with_variant(mysql.DATETIME(), "mysql", "mariadb")
    .with_variant(postgresql.TIMESTAMP(precision=0), "postgresql")
)
FLAG = sa.Integer().with_variant(mysql.TINYINT(1), "mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
NOW = sa.text("CURRENT_TIMESTAMP")
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_520_ci",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_unicode_520_ci",
    "sqlite_autoincrement": True,
}


class RunDate(UserDefinedType[Any]):
    """The older name of StartedAt: old queries order by it, and `SELECT *` keeps its 16 columns."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "DATETIME GENERATED ALWAYS AS (`StartedAt`) VIRTUAL INVISIBLE"


def upgrade() -> None:
    _job()
    _logged_job()
    _alert()
    _recipient()


def downgrade() -> None:
    raise NotImplementedError("dropping the tables would drop the history: do it by hand if you mean it")


def _id(type_: Any = BIG_ID) -> sa.Column[Any]:
    return sa.Column("ID", type_, primary_key=True, autoincrement=True)


def _job() -> None:
    current_run().create(
        "c_Job",
        _id(sa.Integer()),
        sa.Column("JobName", sa.String(100)),
        sa.Column("CronExpression", sa.String(50)),
        sa.Column("StoredProcName", sa.String(100)),
        sa.Column("IsActive", FLAG),
        sa.Column("LastRun", WALL_CLOCK),
        sa.Column("NextRun", WALL_CLOCK),
        sa.Column("LastResult", LONG_TEXT),
        sa.Column("FailureCount", sa.Integer()),
        sa.Column("EmailOnFailure", FLAG),
        keys=[Key("IX_c_Job_JobName", "JobName")],
        **OPTIONS,
    )


def _logged_job() -> None:
    run = current_run()
    run_date = [sa.Column("RunDate", RunDate())] if run.has_invisible_columns else []
    run.create(
        "c_LoggedJob",
        _id(),
        sa.Column("JobName", sa.String(100), nullable=False),
        sa.Column("JobId", sa.String(100)),
        sa.Column("JobType", sa.String(50), nullable=False),
        sa.Column("StartedAt", WALL_CLOCK, nullable=False),
        sa.Column("CompletedAt", WALL_CLOCK),
        sa.Column("DurationMs", sa.Integer()),
        sa.Column("Success", FLAG, nullable=False),
        sa.Column("ResultMessage", LONG_TEXT),
        sa.Column("ErrorMessage", LONG_TEXT),
        sa.Column("StackTrace", LONG_TEXT),
        sa.Column("ServerName", sa.String(100)),
        sa.Column("TriggeredBy", sa.String(100)),
        sa.Column("MemoryUsedMB", sa.Integer()),
        sa.Column("CpuTimeMs", sa.Integer()),
        sa.Column("CreatedAt", WALL_CLOCK, nullable=False, server_default=NOW),
        *run_date,
        keys=[
            Key("IX_c_LoggedJob_JobName_StartedAt", "JobName", "StartedAt"),
            Key("IX_c_LoggedJob_Success", "Success", "StartedAt"),
        ],
        **OPTIONS,
    )


def _alert() -> None:
    current_run().create(
        "c_JobAlert",
        _id(sa.Integer()),
        sa.Column("JobName", sa.String(100), nullable=False),
        sa.Column("AlertOnFailure", FLAG, nullable=False, server_default="1"),
        sa.Column("AlertOnSuccess", FLAG, nullable=False, server_default="0"),
        sa.Column("AlertOnDurationExceeds", sa.Integer()),
        sa.Column("EmailRecipients", sa.String(500)),
        sa.Column("SlackWebhook", sa.String(500)),
        sa.Column("TeamsWebhook", sa.String(500)),
        sa.Column("MaxAlertsPerHour", sa.Integer()),
        sa.Column("LastAlertSent", WALL_CLOCK),
        keys=[Key("UQ_c_JobAlert_JobName", "JobName", unique=True)],
        **OPTIONS,
    )


def _recipient() -> None:
    current_run().create(
        "c_JobAlertRecipient",
        _id(),
        sa.Column("c_JobID", sa.BigInteger()),
        sa.Column("c_UserID", sa.BigInteger()),
        sa.Column("enmJobAlertType", sa.String(50)),
        sa.Column("OverrideName", sa.String(50)),
        sa.Column("OverrideEmailOrPhone", sa.String(50)),
        sa.Column("AddedBy", sa.String(50), nullable=False, server_default=""),
        sa.Column("AddedOn", WALL_CLOCK, nullable=False, server_default=NOW),
        sa.Column("ChangedBy", sa.String(50)),
        sa.Column("ChangedOn", WALL_CLOCK),
        sa.Column("DeletedBy", sa.String(50)),
        sa.Column("DeletedOn", WALL_CLOCK),
        sa.Column("UpdatingLoginID", sa.BigInteger()),
        keys=[Key("IX_c_JobAlertRecipient_c_JobID", "c_JobID")],
        **OPTIONS,
    )
