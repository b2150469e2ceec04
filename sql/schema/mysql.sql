-- All tables, for MySQL and MariaDB. Generated from taskmanager/storage/tables.py; do not edit.

CREATE TABLE `HangfireJob` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `StateId` BIGINT,
    `StateName` VARCHAR(20),
    `InvocationData` LONGTEXT NOT NULL,
    `Arguments` LONGTEXT NOT NULL,
    `CreatedAt` DATETIME(6) NOT NULL,
    `ExpireAt` DATETIME(6),
    `Queue` VARCHAR(50),
    `Priority` INTEGER NOT NULL DEFAULT '0',
    `EnqueueKey` VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    PRIMARY KEY (`Id`),
    CONSTRAINT `UX_HangfireJob_EnqueueKey` UNIQUE (`EnqueueKey`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireJob_ExpireAt` ON `HangfireJob` (`ExpireAt`);

CREATE INDEX `IX_HangfireJob_StateName` ON `HangfireJob` (`StateName`, `Id`);

CREATE TABLE `HangfireJobParameter` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `JobId` BIGINT NOT NULL,
    `Name` VARCHAR(40) NOT NULL,
    `Value` LONGTEXT,
    PRIMARY KEY (`Id`),
    CONSTRAINT `IX_HangfireJobParameter_JobId_Name` UNIQUE (`JobId`, `Name`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `HangfireState` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `JobId` BIGINT NOT NULL,
    `Name` VARCHAR(20) NOT NULL,
    `Reason` VARCHAR(100),
    `CreatedAt` DATETIME(6) NOT NULL,
    `Data` LONGTEXT,
    PRIMARY KEY (`Id`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireState_JobId` ON `HangfireState` (`JobId`, `Id`);

CREATE TABLE `HangfireJobQueue` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `JobId` BIGINT NOT NULL,
    `FetchedAt` DATETIME(6),
    `Queue` VARCHAR(50) NOT NULL,
    `FetchToken` VARCHAR(64),
    `Priority` INTEGER NOT NULL DEFAULT '0',
    PRIMARY KEY (`Id`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireJobQueue_Claim` ON `HangfireJobQueue` (`Queue`, `FetchedAt`, `Priority`, `Id`);

CREATE INDEX `IX_HangfireJobQueue_FetchToken` ON `HangfireJobQueue` (`FetchToken`);

CREATE INDEX `IX_HangfireJobQueue_JobId` ON `HangfireJobQueue` (`JobId`);

CREATE TABLE `HangfireServer` (
    `Id` VARCHAR(200) NOT NULL,
    `Data` LONGTEXT NOT NULL,
    `LastHeartbeat` DATETIME(6),
    PRIMARY KEY (`Id`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `HangfireSet` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `Key` VARCHAR(100) NOT NULL,
    `Value` VARCHAR(256) NOT NULL,
    `Score` DOUBLE NOT NULL,
    `ExpireAt` DATETIME(6),
    PRIMARY KEY (`Id`),
    CONSTRAINT `IX_HangfireSet_Key_Value` UNIQUE (`Key`, `Value`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireSet_ExpireAt` ON `HangfireSet` (`ExpireAt`);

CREATE INDEX `IX_HangfireSet_Key_Score` ON `HangfireSet` (`Key`, `Score`);

CREATE TABLE `HangfireHash` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `Key` VARCHAR(100) NOT NULL,
    `Field` VARCHAR(100) NOT NULL,
    `Value` LONGTEXT,
    `ExpireAt` DATETIME(6),
    PRIMARY KEY (`Id`),
    CONSTRAINT `IX_HangfireHash_Key_Field` UNIQUE (`Key`, `Field`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireHash_ExpireAt` ON `HangfireHash` (`ExpireAt`);

CREATE TABLE `HangfireList` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `Key` VARCHAR(100) NOT NULL,
    `Value` LONGTEXT,
    `ExpireAt` DATETIME(6),
    PRIMARY KEY (`Id`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireList_ExpireAt` ON `HangfireList` (`ExpireAt`);

CREATE INDEX `IX_HangfireList_Key` ON `HangfireList` (`Key`, `Id`);

CREATE TABLE `HangfireCounter` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `Key` VARCHAR(100) NOT NULL,
    `Value` BIGINT NOT NULL,
    `ExpireAt` DATETIME(6),
    PRIMARY KEY (`Id`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireCounter_Key` ON `HangfireCounter` (`Key`);

CREATE TABLE `HangfireAggregatedCounter` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `Key` VARCHAR(100) NOT NULL,
    `Value` BIGINT NOT NULL,
    `ExpireAt` DATETIME(6),
    PRIMARY KEY (`Id`),
    CONSTRAINT `IX_HangfireCounterAggregated_Key` UNIQUE (`Key`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireAggregatedCounter_ExpireAt` ON `HangfireAggregatedCounter` (`ExpireAt`);

CREATE TABLE `HangfireDistributedLock` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `Resource` VARCHAR(100) NOT NULL,
    `CreatedAt` DATETIME(6) NOT NULL,
    PRIMARY KEY (`Id`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireDistributedLock_Resource` ON `HangfireDistributedLock` (`Resource`, `CreatedAt`);

CREATE TABLE `HangfireJobLog` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `JobId` BIGINT NOT NULL,
    `Attempt` INTEGER NOT NULL DEFAULT '1',
    `CreatedAt` DATETIME(6) NOT NULL,
    `Lines` LONGTEXT NOT NULL,
    PRIMARY KEY (`Id`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireJobLog_JobId` ON `HangfireJobLog` (`JobId`, `Id`);

CREATE TABLE `HangfireAudit` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `At` DATETIME(6) NOT NULL,
    `UserName` VARCHAR(100) NOT NULL,
    `Address` VARCHAR(64),
    `Door` VARCHAR(20) NOT NULL,
    `Action` VARCHAR(50) NOT NULL,
    `TargetKind` VARCHAR(20) NOT NULL,
    `TargetId` VARCHAR(100) NOT NULL,
    `Before` LONGTEXT,
    `After` LONGTEXT,
    `Outcome` VARCHAR(20) NOT NULL,
    `Note` VARCHAR(300),
    PRIMARY KEY (`Id`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireAudit_Action` ON `HangfireAudit` (`Action`, `Id`);

CREATE INDEX `IX_HangfireAudit_At` ON `HangfireAudit` (`At`);

CREATE INDEX `IX_HangfireAudit_Outcome` ON `HangfireAudit` (`Outcome`, `Id`);

CREATE INDEX `IX_HangfireAudit_Target` ON `HangfireAudit` (`TargetKind`, `TargetId`, `Id`);

CREATE INDEX `IX_HangfireAudit_UserName` ON `HangfireAudit` (`UserName`, `Id`);

CREATE TABLE `HangfireMetricRollup` (
    `Span` INTEGER NOT NULL,
    `Kind` VARCHAR(20) NOT NULL,
    `Key` VARCHAR(191) NOT NULL,
    `Bucket` DATETIME(6) NOT NULL,
    `Count` BIGINT NOT NULL,
    `Failed` BIGINT NOT NULL,
    `DurationMs` BIGINT NOT NULL,
    `WaitMs` BIGINT NOT NULL,
    `Waits` BIGINT NOT NULL,
    `LongestMs` BIGINT NOT NULL,
    `D0` BIGINT NOT NULL,
    `D1` BIGINT NOT NULL,
    `D2` BIGINT NOT NULL,
    `D3` BIGINT NOT NULL,
    `D4` BIGINT NOT NULL,
    `D5` BIGINT NOT NULL,
    `D6` BIGINT NOT NULL,
    `D7` BIGINT NOT NULL,
    `D8` BIGINT NOT NULL,
    `D9` BIGINT NOT NULL,
    `D10` BIGINT NOT NULL,
    `D11` BIGINT NOT NULL,
    `D12` BIGINT NOT NULL,
    `D13` BIGINT NOT NULL,
    `D14` BIGINT NOT NULL,
    `D15` BIGINT NOT NULL,
    `D16` BIGINT NOT NULL,
    `D17` BIGINT NOT NULL,
    `D18` BIGINT NOT NULL,
    `D19` BIGINT NOT NULL,
    `D20` BIGINT NOT NULL,
    `D21` BIGINT NOT NULL,
    `D22` BIGINT NOT NULL,
    `D23` BIGINT NOT NULL,
    `D24` BIGINT NOT NULL,
    `D25` BIGINT NOT NULL,
    PRIMARY KEY (`Span`, `Kind`, `Key`, `Bucket`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireMetricRollup_Bucket` ON `HangfireMetricRollup` (`Span`, `Bucket`, `Kind`);

CREATE TABLE `HangfireJobTag` (
    `Id` BIGINT NOT NULL AUTO_INCREMENT,
    `JobId` BIGINT NOT NULL,
    `Name` VARCHAR(100) NOT NULL,
    `Value` VARCHAR(200) NOT NULL,
    PRIMARY KEY (`Id`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX `IX_HangfireJobTag_JobId` ON `HangfireJobTag` (`JobId`);

CREATE INDEX `IX_HangfireJobTag_Name_Value` ON `HangfireJobTag` (`Name`, `Value`, `JobId`);

CREATE TABLE `c_Job` (
    `ID` INTEGER NOT NULL AUTO_INCREMENT,
    `JobName` VARCHAR(100),
    `CronExpression` VARCHAR(50),
    `StoredProcName` VARCHAR(100),
    `IsActive` TINYINT(1),
    `LastRun` DATETIME,
    `NextRun` DATETIME,
    `LastResult` LONGTEXT,
    `FailureCount` INTEGER,
    `EmailOnFailure` TINYINT(1),
    PRIMARY KEY (`ID`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE INDEX `IX_c_Job_JobName` ON `c_Job` (`JobName`);

CREATE TABLE `c_LoggedJob` (
    `ID` BIGINT NOT NULL AUTO_INCREMENT,
    `JobName` VARCHAR(100) NOT NULL,
    `JobId` VARCHAR(100),
    `JobType` VARCHAR(50) NOT NULL,
    `StartedAt` DATETIME NOT NULL,
    `CompletedAt` DATETIME,
    `DurationMs` INTEGER,
    `Success` TINYINT(1) NOT NULL,
    `ResultMessage` LONGTEXT,
    `ErrorMessage` LONGTEXT,
    `StackTrace` LONGTEXT,
    `ServerName` VARCHAR(100),
    `TriggeredBy` VARCHAR(100),
    `MemoryUsedMB` INTEGER,
    `CpuTimeMs` INTEGER,
    `CreatedAt` DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    `RunDate` DATETIME GENERATED ALWAYS AS (`StartedAt`) VIRTUAL INVISIBLE,
    PRIMARY KEY (`ID`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE INDEX `IX_c_LoggedJob_JobName_StartedAt` ON `c_LoggedJob` (`JobName`, `StartedAt`);

CREATE INDEX `IX_c_LoggedJob_Success` ON `c_LoggedJob` (`Success`, `StartedAt`);

CREATE TABLE `c_JobAlert` (
    `ID` INTEGER NOT NULL AUTO_INCREMENT,
    `JobName` VARCHAR(100) NOT NULL,
    `AlertOnFailure` TINYINT(1) NOT NULL DEFAULT '1',
    `AlertOnSuccess` TINYINT(1) NOT NULL DEFAULT '0',
    `AlertOnDurationExceeds` INTEGER,
    `EmailRecipients` VARCHAR(500),
    `SlackWebhook` VARCHAR(500),
    `TeamsWebhook` VARCHAR(500),
    `MaxAlertsPerHour` INTEGER,
    `LastAlertSent` DATETIME,
    PRIMARY KEY (`ID`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE UNIQUE INDEX `UQ_c_JobAlert_JobName` ON `c_JobAlert` (`JobName`);

CREATE TABLE `c_JobAlertRecipient` (
    `ID` BIGINT NOT NULL AUTO_INCREMENT,
    `c_JobID` BIGINT,
    `c_UserID` BIGINT,
    `enmJobAlertType` VARCHAR(50),
    `OverrideName` VARCHAR(50),
    `OverrideEmailOrPhone` VARCHAR(50),
    `AddedBy` VARCHAR(50) NOT NULL DEFAULT '',
    `AddedOn` DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    `ChangedBy` VARCHAR(50),
    `ChangedOn` DATETIME,
    `DeletedBy` VARCHAR(50),
    `DeletedOn` DATETIME,
    `UpdatingLoginID` BIGINT,
    PRIMARY KEY (`ID`)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_520_ci;

CREATE INDEX `IX_c_JobAlertRecipient_c_JobID` ON `c_JobAlertRecipient` (`c_JobID`);
