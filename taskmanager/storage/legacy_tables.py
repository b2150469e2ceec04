"""The c_* tables: what people who only know SQL read and write. Columns and order are a contract."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, String, Table, Text
from sqlalchemy import text as sql_text
from sqlalchemy.dialects import mysql, postgresql, sqlite

#: Whole seconds of the server's wall clock: MySQL would round a fraction up, MariaDB cut it.
WallClock = (
    DateTime()
    .with_variant(mysql.DATETIME(), "mysql", "mariadb")
    .with_variant(postgresql.TIMESTAMP(precision=0), "postgresql")
)
#: TINYINT accepts 0, 1, '1' and TRUE, where BIT refuses text; people also write 2.
Flag = Integer().with_variant(mysql.TINYINT(1), "mysql", "mariadb")
LongText = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
BigId = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")

_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_520_ci",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_unicode_520_ci",
    "sqlite_autoincrement": True,
}


class LegacyTables:
    """c_Job, c_LoggedJob, c_JobAlert, c_JobAlertRecipient, in the shape of the specification."""

    def __init__(self, metadata: MetaData) -> None:
        self.job = Table(
            "c_Job",
            metadata,
            Column("ID", Integer, primary_key=True, autoincrement=True),
            Column("JobName", String(100)),
            Column("CronExpression", String(50)),
            Column("StoredProcName", String(100)),
            Column("IsActive", Flag),
            Column("LastRun", WallClock),
            Column("NextRun", WallClock),
            Column("LastResult", LongText),
            Column("FailureCount", Integer),
            Column("EmailOnFailure", Flag),
            Index("IX_c_Job_JobName", "JobName"),
            **_OPTIONS,
        )
        self.logged = _logged_job(metadata)
        self.alert = Table(
            "c_JobAlert",
            metadata,
            Column("ID", Integer, primary_key=True, autoincrement=True),
            Column("JobName", String(100), nullable=False),
            Column("AlertOnFailure", Flag, nullable=False, server_default="1"),
            Column("AlertOnSuccess", Flag, nullable=False, server_default="0"),
            Column("AlertOnDurationExceeds", Integer),
            Column("EmailRecipients", String(500)),
            Column("SlackWebhook", String(500)),
            Column("TeamsWebhook", String(500)),
            Column("MaxAlertsPerHour", Integer),
            Column("LastAlertSent", WallClock),
            Index("UQ_c_JobAlert_JobName", "JobName", unique=True),
            **_OPTIONS,
        )
        self.recipient = _recipient(metadata)

    def all(self) -> tuple[Table, ...]:
        """The four tables."""
        return (self.job, self.logged, self.alert, self.recipient)


def _logged_job(metadata: MetaData) -> Table:
    return Table(
        "c_LoggedJob",
        metadata,
        Column("ID", BigId, primary_key=True, autoincrement=True),
        Column("JobName", String(100), nullable=False),
        Column("JobId", String(100)),
        Column("JobType", String(50), nullable=False),
        Column("StartedAt", WallClock, nullable=False),
        Column("CompletedAt", WallClock),
        Column("DurationMs", Integer),
        Column("Success", Flag, nullable=False),
        Column("ResultMessage", LongText),
        Column("ErrorMessage", LongText),
        Column("StackTrace", LongText),
        Column("ServerName", String(100)),
        Column("TriggeredBy", String(100)),
        Column("MemoryUsedMB", Integer),
        Column("CpuTimeMs", Integer),
        Column("CreatedAt", WallClock, nullable=False, server_default=sql_text("CURRENT_TIMESTAMP")),
        Index("IX_c_LoggedJob_JobName_StartedAt", "JobName", "StartedAt"),
        Index("IX_c_LoggedJob_Success", "Success", "StartedAt"),
        **_OPTIONS,
    )


def _recipient(metadata: MetaData) -> Table:
    return Table(
        "c_JobAlertRecipient",
        metadata,
        Column("ID", BigId, primary_key=True, autoincrement=True),
        Column("c_JobID", BigInteger),
        Column("c_UserID", BigInteger),
        Column("enmJobAlertType", String(50)),
        Column("OverrideName", String(50)),
        Column("OverrideEmailOrPhone", String(50)),
        Column("AddedBy", String(50), nullable=False, server_default=""),
        Column("AddedOn", WallClock, nullable=False, server_default=sql_text("CURRENT_TIMESTAMP")),
        Column("ChangedBy", String(50)),
        Column("ChangedOn", WallClock),
        Column("DeletedBy", String(50)),
        Column("DeletedOn", WallClock),
        Column("UpdatingLoginID", BigInteger),
        Index("IX_c_JobAlertRecipient_c_JobID", "c_JobID"),
        **_OPTIONS,
    )
