-- The tables of TARGCC as its SQL Server script has them, in the types of MySQL and MariaDB.
CREATE TABLE c_Lookup (
    ID bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    enmLookupType_Lookup varchar(50) NULL,
    Code varchar(50) NULL,
    locText varchar(100) NULL
);
CREATE TABLE c_User (
    ID bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    clc_FullName varchar(100) NULL,
    Email varchar(100) NULL,
    PhoneNumber varchar(50) NULL
);
CREATE TABLE c_SystemDefault (
    ID bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `Group` varchar(50) NULL,
    SettingName varchar(50) NULL,
    spt_SettingValue varchar(500) NULL
);
INSERT INTO c_SystemDefault (`Group`, SettingName, spt_SettingValue) VALUES
    ('Config', 'ProblemMailTo', NULL), ('Maintenance', 'DaysToKeep', '1#c_LoggedJob#30');
CREATE TABLE c_LoggedAlert (
    ID bigint NOT NULL AUTO_INCREMENT PRIMARY KEY
);
CREATE TABLE c_Job (
    TableName_c_Job bit(1) NULL DEFAULT b'0',
    ID bigint NOT NULL AUTO_INCREMENT,
    lkpJob varchar(50) NULL,
    lkpJobRunner varchar(50) NULL,
    Description varchar(500) NULL,
    Instructions varchar(1000) NULL,
    enmJobType varchar(50) NULL,
    WhenToRun datetime NULL,
    CyclicCount int NULL,
    SendNotificationOnSuccess bit(1) NULL,
    SendAlarmOnMissed bit(1) NULL,
    TimeOutSec int NULL,
    Active bit(1) NULL,
    ActivatingUser varchar(50) NULL,
    NextRunTime datetime NULL,
    LastRunTime datetime NULL,
    enmJobStatus varchar(50) NULL,
    WarningMailSent bit(1) NULL,
    IsManaged bit(1) NULL,
    LastRunBy varchar(50) NULL,
    AddedBy varchar(50) NOT NULL,
    AddedOn datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ChangedBy varchar(50) NULL,
    ChangedOn datetime NULL,
    DeletedBy varchar(50) NULL,
    DeletedOn datetime NULL,
    UpdatingLoginID bigint NULL,
    PRIMARY KEY (ID),
    UNIQUE KEY IX_c_Job_Job_JobRunner (lkpJob, lkpJobRunner),
    KEY IX_c_Job_Active (Active),
    KEY IX_c_Job_Job (lkpJob),
    KEY IX_c_Job_JobRunner (lkpJobRunner),
    KEY IX_c_Job_JobRunner_Active (lkpJobRunner, Active)
);
CREATE TABLE c_LoggedJob (
    ID bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    c_JobID bigint NULL,
    WhenStarted datetime NULL,
    ActivatingUser varchar(50) NULL,
    LastRunBy varchar(50) NULL,
    ExecutionTimeSec int NULL,
    enmRunStatus_JobStatus varchar(50) NULL,
    Remarks longtext NULL,
    c_LoggedAlertID bigint NULL,
    SuccessCount int NULL,
    FailureCount int NULL,
    AddedBy varchar(50) NOT NULL,
    AddedOn datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ChangedBy varchar(50) NULL,
    ChangedOn datetime NULL,
    DeletedBy varchar(50) NULL,
    DeletedOn datetime NULL,
    UpdatingLoginID bigint NULL,
    KEY IX_c_LoggedJob_c_JobID (c_JobID),
    CONSTRAINT FK_c_LoggedJob_c_Job FOREIGN KEY (c_JobID) REFERENCES c_Job (ID),
    CONSTRAINT FK_c_LoggedJob_c_LoggedAlert FOREIGN KEY (c_LoggedAlertID) REFERENCES c_LoggedAlert (ID)
);
CREATE TABLE c_JobAlertRecipient (
    TableName_c_JobAlertRecipient bit(1) NULL DEFAULT b'0',
    ID bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    c_JobID bigint NULL,
    c_UserID bigint NULL,
    enmJobAlertType varchar(50) NULL,
    OverrideName varchar(50) NULL,
    OverrideEmailOrPhone varchar(50) NULL,
    AddedBy varchar(50) NOT NULL,
    AddedOn datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ChangedBy varchar(50) NULL,
    ChangedOn datetime NULL,
    DeletedBy varchar(50) NULL,
    DeletedOn datetime NULL,
    UpdatingLoginID bigint NULL,
    KEY IX_c_JobAlertRecipient_c_JobID (c_JobID),
    CONSTRAINT FK_c_JobAlertRecipient_c_Job FOREIGN KEY (c_JobID) REFERENCES c_Job (ID) ON DELETE CASCADE,
    CONSTRAINT FK_c_JobAlertRecipient_c_User FOREIGN KEY (c_UserID) REFERENCES c_User (ID) ON DELETE CASCADE
);
CREATE VIEW ccvwComboList_c_Job AS SELECT ID, lkpJob AS TextNS, CONCAT(lkpJob, ' on ', lkpJobRunner) AS Text FROM c_Job;
INSERT INTO c_Lookup (enmLookupType_Lookup, Code, locText) VALUES
    ('JobRunner', 'LocalTaskManager', 'The local one'), ('Job', 'BackupDB', 'Backup'), ('Job', 'mnTM_Sales', 'Sales');
INSERT INTO c_User (ID, clc_FullName, Email) VALUES (7, 'Ops', 'ops@example.com');
CREATE TABLE Ran (ID bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, What varchar(100), At datetime(3));
CREATE PROCEDURE mnTM_Sales() SELECT 'יום טוב 12 rows' AS r, 5 AS n;
CREATE PROCEDURE mnTM_Silent() INSERT INTO Ran (What, At) VALUES ('silent', NOW(3));
CREATE PROCEDURE mnTM_Two() BEGIN SELECT 1; SELECT 2; END;
CREATE PROCEDURE mnTM_Wrong() SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no orders today';
CREATE PROCEDURE mnTM_Long() SELECT REPEAT('x', 3000);
CREATE PROCEDURE mnTM_Slow() BEGIN INSERT INTO Ran (What, At) VALUES ('slow', NOW(3)); SELECT SLEEP(60); END;
CREATE PROCEDURE mnTM_Hung() BEGIN INSERT INTO Ran (What, At) VALUES ('hung', NOW(3)); SELECT SLEEP(60); END;
CREATE PROCEDURE mnTM_Edited() BEGIN SELECT SLEEP(1.5); END;
CREATE PROCEDURE mnTM_Dies() BEGIN INSERT INTO Ran (What, At) VALUES ('dies', NOW(3)); SELECT SLEEP(60); END;
CREATE PROCEDURE mnTM_Counts() SELECT CONCAT(COUNT(*), ' orders') AS r FROM Ran WHERE What = 'counted';
CREATE PROCEDURE mnTM_Takes(n int) SELECT n;
