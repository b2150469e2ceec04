-- All tables, for PostgreSQL. Generated from taskmanager/storage/tables.py; do not edit.

CREATE TABLE "HangfireJob" (
    "Id" BIGSERIAL NOT NULL,
    "StateId" BIGINT,
    "StateName" VARCHAR(20),
    "InvocationData" TEXT NOT NULL,
    "Arguments" TEXT NOT NULL,
    "CreatedAt" TIMESTAMP(6) WITHOUT TIME ZONE NOT NULL,
    "ExpireAt" TIMESTAMP(6) WITHOUT TIME ZONE,
    "Queue" VARCHAR(50),
    "Priority" INTEGER DEFAULT '0' NOT NULL,
    "EnqueueKey" VARCHAR(64),
    PRIMARY KEY ("Id"),
    CONSTRAINT "UX_HangfireJob_EnqueueKey" UNIQUE ("EnqueueKey")
);

CREATE INDEX "IX_HangfireJob_ExpireAt" ON "HangfireJob" ("ExpireAt");

CREATE INDEX "IX_HangfireJob_StateName" ON "HangfireJob" ("StateName", "Id");

CREATE TABLE "HangfireJobParameter" (
    "Id" BIGSERIAL NOT NULL,
    "JobId" BIGINT NOT NULL,
    "Name" VARCHAR(40) NOT NULL,
    "Value" TEXT,
    PRIMARY KEY ("Id"),
    CONSTRAINT "IX_HangfireJobParameter_JobId_Name" UNIQUE ("JobId", "Name")
);

CREATE TABLE "HangfireState" (
    "Id" BIGSERIAL NOT NULL,
    "JobId" BIGINT NOT NULL,
    "Name" VARCHAR(20) NOT NULL,
    "Reason" VARCHAR(100),
    "CreatedAt" TIMESTAMP(6) WITHOUT TIME ZONE NOT NULL,
    "Data" TEXT,
    PRIMARY KEY ("Id")
);

CREATE INDEX "IX_HangfireState_JobId" ON "HangfireState" ("JobId", "Id");

CREATE TABLE "HangfireJobQueue" (
    "Id" BIGSERIAL NOT NULL,
    "JobId" BIGINT NOT NULL,
    "FetchedAt" TIMESTAMP(6) WITHOUT TIME ZONE,
    "Queue" VARCHAR(50) NOT NULL,
    "FetchToken" VARCHAR(64),
    "Priority" INTEGER DEFAULT '0' NOT NULL,
    PRIMARY KEY ("Id")
);

CREATE INDEX "IX_HangfireJobQueue_Claim" ON "HangfireJobQueue" ("Queue", "FetchedAt", "Priority", "Id");

CREATE INDEX "IX_HangfireJobQueue_FetchToken" ON "HangfireJobQueue" ("FetchToken");

CREATE INDEX "IX_HangfireJobQueue_JobId" ON "HangfireJobQueue" ("JobId");

CREATE TABLE "HangfireServer" (
    "Id" VARCHAR(200) NOT NULL,
    "Data" TEXT NOT NULL,
    "LastHeartbeat" TIMESTAMP(6) WITHOUT TIME ZONE,
    PRIMARY KEY ("Id")
);

CREATE TABLE "HangfireSet" (
    "Id" BIGSERIAL NOT NULL,
    "Key" VARCHAR(100) NOT NULL,
    "Value" VARCHAR(256) NOT NULL,
    "Score" DOUBLE PRECISION NOT NULL,
    "ExpireAt" TIMESTAMP(6) WITHOUT TIME ZONE,
    PRIMARY KEY ("Id"),
    CONSTRAINT "IX_HangfireSet_Key_Value" UNIQUE ("Key", "Value")
);

CREATE INDEX "IX_HangfireSet_ExpireAt" ON "HangfireSet" ("ExpireAt");

CREATE INDEX "IX_HangfireSet_Key_Score" ON "HangfireSet" ("Key", "Score");

CREATE TABLE "HangfireHash" (
    "Id" BIGSERIAL NOT NULL,
    "Key" VARCHAR(100) NOT NULL,
    "Field" VARCHAR(100) NOT NULL,
    "Value" TEXT,
    "ExpireAt" TIMESTAMP(6) WITHOUT TIME ZONE,
    PRIMARY KEY ("Id"),
    CONSTRAINT "IX_HangfireHash_Key_Field" UNIQUE ("Key", "Field")
);

CREATE INDEX "IX_HangfireHash_ExpireAt" ON "HangfireHash" ("ExpireAt");

CREATE TABLE "HangfireList" (
    "Id" BIGSERIAL NOT NULL,
    "Key" VARCHAR(100) NOT NULL,
    "Value" TEXT,
    "ExpireAt" TIMESTAMP(6) WITHOUT TIME ZONE,
    PRIMARY KEY ("Id")
);

CREATE INDEX "IX_HangfireList_ExpireAt" ON "HangfireList" ("ExpireAt");

CREATE INDEX "IX_HangfireList_Key" ON "HangfireList" ("Key", "Id");

CREATE TABLE "HangfireCounter" (
    "Id" BIGSERIAL NOT NULL,
    "Key" VARCHAR(100) NOT NULL,
    "Value" BIGINT NOT NULL,
    "ExpireAt" TIMESTAMP(6) WITHOUT TIME ZONE,
    PRIMARY KEY ("Id")
);

CREATE INDEX "IX_HangfireCounter_Key" ON "HangfireCounter" ("Key");

CREATE TABLE "HangfireAggregatedCounter" (
    "Id" BIGSERIAL NOT NULL,
    "Key" VARCHAR(100) NOT NULL,
    "Value" BIGINT NOT NULL,
    "ExpireAt" TIMESTAMP(6) WITHOUT TIME ZONE,
    PRIMARY KEY ("Id"),
    CONSTRAINT "IX_HangfireCounterAggregated_Key" UNIQUE ("Key")
);

CREATE INDEX "IX_HangfireAggregatedCounter_ExpireAt" ON "HangfireAggregatedCounter" ("ExpireAt");

CREATE TABLE "HangfireDistributedLock" (
    "Id" BIGSERIAL NOT NULL,
    "Resource" VARCHAR(100) NOT NULL,
    "CreatedAt" TIMESTAMP(6) WITHOUT TIME ZONE NOT NULL,
    PRIMARY KEY ("Id")
);

CREATE INDEX "IX_HangfireDistributedLock_Resource" ON "HangfireDistributedLock" ("Resource", "CreatedAt");

CREATE TABLE "HangfireJobLog" (
    "Id" BIGSERIAL NOT NULL,
    "JobId" BIGINT NOT NULL,
    "Attempt" INTEGER DEFAULT '1' NOT NULL,
    "CreatedAt" TIMESTAMP(6) WITHOUT TIME ZONE NOT NULL,
    "Lines" TEXT NOT NULL,
    PRIMARY KEY ("Id")
);

CREATE INDEX "IX_HangfireJobLog_JobId" ON "HangfireJobLog" ("JobId", "Id");

CREATE TABLE "HangfireAudit" (
    "Id" BIGSERIAL NOT NULL,
    "At" TIMESTAMP(6) WITHOUT TIME ZONE NOT NULL,
    "UserName" VARCHAR(100) NOT NULL,
    "Address" VARCHAR(64),
    "Door" VARCHAR(20) NOT NULL,
    "Action" VARCHAR(50) NOT NULL,
    "TargetKind" VARCHAR(20) NOT NULL,
    "TargetId" VARCHAR(100) NOT NULL,
    "Before" TEXT,
    "After" TEXT,
    "Outcome" VARCHAR(20) NOT NULL,
    "Note" VARCHAR(300),
    PRIMARY KEY ("Id")
);

CREATE INDEX "IX_HangfireAudit_Action" ON "HangfireAudit" ("Action", "Id");

CREATE INDEX "IX_HangfireAudit_At" ON "HangfireAudit" ("At");

CREATE INDEX "IX_HangfireAudit_Outcome" ON "HangfireAudit" ("Outcome", "Id");

CREATE INDEX "IX_HangfireAudit_Target" ON "HangfireAudit" ("TargetKind", "TargetId", "Id");

CREATE INDEX "IX_HangfireAudit_UserName" ON "HangfireAudit" ("UserName", "Id");

CREATE TABLE "HangfireMetricRollup" (
    "Span" INTEGER NOT NULL,
    "Kind" VARCHAR(20) NOT NULL,
    "Key" VARCHAR(191) NOT NULL,
    "Bucket" TIMESTAMP(6) WITHOUT TIME ZONE NOT NULL,
    "Count" BIGINT NOT NULL,
    "Failed" BIGINT NOT NULL,
    "DurationMs" BIGINT NOT NULL,
    "WaitMs" BIGINT NOT NULL,
    "Waits" BIGINT NOT NULL,
    "LongestMs" BIGINT NOT NULL,
    "D0" BIGINT NOT NULL,
    "D1" BIGINT NOT NULL,
    "D2" BIGINT NOT NULL,
    "D3" BIGINT NOT NULL,
    "D4" BIGINT NOT NULL,
    "D5" BIGINT NOT NULL,
    "D6" BIGINT NOT NULL,
    "D7" BIGINT NOT NULL,
    "D8" BIGINT NOT NULL,
    "D9" BIGINT NOT NULL,
    "D10" BIGINT NOT NULL,
    "D11" BIGINT NOT NULL,
    "D12" BIGINT NOT NULL,
    "D13" BIGINT NOT NULL,
    "D14" BIGINT NOT NULL,
    "D15" BIGINT NOT NULL,
    "D16" BIGINT NOT NULL,
    "D17" BIGINT NOT NULL,
    "D18" BIGINT NOT NULL,
    "D19" BIGINT NOT NULL,
    "D20" BIGINT NOT NULL,
    "D21" BIGINT NOT NULL,
    "D22" BIGINT NOT NULL,
    "D23" BIGINT NOT NULL,
    "D24" BIGINT NOT NULL,
    "D25" BIGINT NOT NULL,
    PRIMARY KEY ("Span", "Kind", "Key", "Bucket")
);

CREATE INDEX "IX_HangfireMetricRollup_Bucket" ON "HangfireMetricRollup" ("Span", "Bucket", "Kind");

CREATE TABLE "HangfireJobTag" (
    "Id" BIGSERIAL NOT NULL,
    "JobId" BIGINT NOT NULL,
    "Name" VARCHAR(100) NOT NULL,
    "Value" VARCHAR(200) NOT NULL,
    PRIMARY KEY ("Id")
);

CREATE INDEX "IX_HangfireJobTag_JobId" ON "HangfireJobTag" ("JobId");

CREATE INDEX "IX_HangfireJobTag_Name_Value" ON "HangfireJobTag" ("Name", "Value", "JobId");

CREATE TABLE "c_Job" (
    "ID" SERIAL NOT NULL,
    "JobName" VARCHAR(100),
    "CronExpression" VARCHAR(50),
    "StoredProcName" VARCHAR(100),
    "IsActive" INTEGER,
    "LastRun" TIMESTAMP(0) WITHOUT TIME ZONE,
    "NextRun" TIMESTAMP(0) WITHOUT TIME ZONE,
    "LastResult" TEXT,
    "FailureCount" INTEGER,
    "EmailOnFailure" INTEGER,
    PRIMARY KEY ("ID")
);

CREATE INDEX "IX_c_Job_JobName" ON "c_Job" ("JobName");

CREATE TABLE "c_LoggedJob" (
    "ID" BIGSERIAL NOT NULL,
    "JobName" VARCHAR(100) NOT NULL,
    "JobId" VARCHAR(100),
    "JobType" VARCHAR(50) NOT NULL,
    "StartedAt" TIMESTAMP(0) WITHOUT TIME ZONE NOT NULL,
    "CompletedAt" TIMESTAMP(0) WITHOUT TIME ZONE,
    "DurationMs" INTEGER,
    "Success" INTEGER NOT NULL,
    "ResultMessage" TEXT,
    "ErrorMessage" TEXT,
    "StackTrace" TEXT,
    "ServerName" VARCHAR(100),
    "TriggeredBy" VARCHAR(100),
    "MemoryUsedMB" INTEGER,
    "CpuTimeMs" INTEGER,
    "CreatedAt" TIMESTAMP(0) WITHOUT TIME ZONE DEFAULT CURRENT_TIMESTAMP NOT NULL,
    PRIMARY KEY ("ID")
);

CREATE INDEX "IX_c_LoggedJob_JobName_StartedAt" ON "c_LoggedJob" ("JobName", "StartedAt");

CREATE INDEX "IX_c_LoggedJob_Success" ON "c_LoggedJob" ("Success", "StartedAt");

CREATE TABLE "c_JobAlert" (
    "ID" SERIAL NOT NULL,
    "JobName" VARCHAR(100) NOT NULL,
    "AlertOnFailure" INTEGER DEFAULT '1' NOT NULL,
    "AlertOnSuccess" INTEGER DEFAULT '0' NOT NULL,
    "AlertOnDurationExceeds" INTEGER,
    "EmailRecipients" VARCHAR(500),
    "SlackWebhook" VARCHAR(500),
    "TeamsWebhook" VARCHAR(500),
    "MaxAlertsPerHour" INTEGER,
    "LastAlertSent" TIMESTAMP(0) WITHOUT TIME ZONE,
    PRIMARY KEY ("ID")
);

CREATE UNIQUE INDEX "UQ_c_JobAlert_JobName" ON "c_JobAlert" ("JobName");

CREATE TABLE "c_JobAlertRecipient" (
    "ID" BIGSERIAL NOT NULL,
    "c_JobID" BIGINT,
    "c_UserID" BIGINT,
    "enmJobAlertType" VARCHAR(50),
    "OverrideName" VARCHAR(50),
    "OverrideEmailOrPhone" VARCHAR(50),
    "AddedBy" VARCHAR(50) DEFAULT '' NOT NULL,
    "AddedOn" TIMESTAMP(0) WITHOUT TIME ZONE DEFAULT CURRENT_TIMESTAMP NOT NULL,
    "ChangedBy" VARCHAR(50),
    "ChangedOn" TIMESTAMP(0) WITHOUT TIME ZONE,
    "DeletedBy" VARCHAR(50),
    "DeletedOn" TIMESTAMP(0) WITHOUT TIME ZONE,
    "UpdatingLoginID" BIGINT,
    PRIMARY KEY ("ID")
);

CREATE INDEX "IX_c_JobAlertRecipient_c_JobID" ON "c_JobAlertRecipient" ("c_JobID");
