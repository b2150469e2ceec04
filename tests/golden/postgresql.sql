-- alert_messages.insert_told
INSERT INTO "HangfireList" ("Key", "Value", "ExpireAt") VALUES (:Key, :Value, :ExpireAt);
-- of many rows
INSERT INTO "HangfireList" ("Key", "Value", "ExpireAt") SELECT * FROM unnest(CAST(:Key AS text[]), CAST(:Value AS text[]), CAST(:ExpireAt AS timestamp[]));

-- alert_messages.told_before
SELECT "HangfireList"."Id", "HangfireList"."Value" 
FROM "HangfireList" 
WHERE "HangfireList"."Key" = %(key)s::VARCHAR AND "HangfireList"."Id" < %(before)s::BIGINT ORDER BY "HangfireList"."Id" DESC 
 LIMIT %(limit)s::INTEGER;

-- alerts.alerts_named
SELECT "c_JobAlert"."ID", "c_JobAlert"."JobName", "c_JobAlert"."AlertOnFailure", "c_JobAlert"."AlertOnSuccess", "c_JobAlert"."AlertOnDurationExceeds", "c_JobAlert"."EmailRecipients", "c_JobAlert"."SlackWebhook", "c_JobAlert"."TeamsWebhook", "c_JobAlert"."MaxAlertsPerHour", "c_JobAlert"."LastAlertSent" 
FROM "c_JobAlert" 
WHERE lower(trim("c_JobAlert"."JobName")) IN (__[POSTCOMPILE_names]) ORDER BY "c_JobAlert"."ID" 
 LIMIT %(param_1)s::INTEGER;

-- alerts.all_alerts
SELECT "c_JobAlert"."ID", "c_JobAlert"."JobName", "c_JobAlert"."AlertOnFailure", "c_JobAlert"."AlertOnSuccess", "c_JobAlert"."AlertOnDurationExceeds", "c_JobAlert"."EmailRecipients", "c_JobAlert"."SlackWebhook", "c_JobAlert"."TeamsWebhook", "c_JobAlert"."MaxAlertsPerHour", "c_JobAlert"."LastAlertSent" 
FROM "c_JobAlert" ORDER BY "c_JobAlert"."ID";

-- alerts.all_mailing_rows
SELECT "c_Job"."ID", "c_Job"."JobName" 
FROM "c_Job" 
WHERE "c_Job"."EmailOnFailure" != %(EmailOnFailure_1)s::INTEGER ORDER BY "c_Job"."ID";

-- alerts.delete_alert
DELETE FROM "c_JobAlert" WHERE %(id)s = "c_JobAlert"."ID";

-- alerts.insert_alert
INSERT INTO "c_JobAlert" ("JobName", "AlertOnFailure", "AlertOnSuccess", "AlertOnDurationExceeds", "EmailRecipients", "SlackWebhook", "TeamsWebhook", "MaxAlertsPerHour") VALUES (%(JobName)s::VARCHAR, %(AlertOnFailure)s::INTEGER, %(AlertOnSuccess)s::INTEGER, %(AlertOnDurationExceeds)s::INTEGER, %(EmailRecipients)s::VARCHAR, %(SlackWebhook)s::VARCHAR, %(TeamsWebhook)s::VARCHAR, %(MaxAlertsPerHour)s::INTEGER) RETURNING "c_JobAlert"."ID";

-- alerts.mailing_rows
SELECT t."ID", t."EmailOnFailure" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "c_Job" t ON t."ID" = x.id ORDER BY x.id;

-- alerts.one_alert
SELECT "c_JobAlert"."ID", "c_JobAlert"."JobName", "c_JobAlert"."AlertOnFailure", "c_JobAlert"."AlertOnSuccess", "c_JobAlert"."AlertOnDurationExceeds", "c_JobAlert"."EmailRecipients", "c_JobAlert"."SlackWebhook", "c_JobAlert"."TeamsWebhook", "c_JobAlert"."MaxAlertsPerHour", "c_JobAlert"."LastAlertSent" 
FROM "c_JobAlert" 
WHERE %(id)s = "c_JobAlert"."ID";

-- alerts.stamp_alert
UPDATE "c_JobAlert" SET "LastAlertSent"=%(at)s::TIMESTAMP WITHOUT TIME ZONE WHERE %(id)s = "c_JobAlert"."ID";

-- alerts.update_alert
UPDATE "c_JobAlert" SET "JobName"=%(JobName)s::VARCHAR, "AlertOnFailure"=%(AlertOnFailure)s::INTEGER, "AlertOnSuccess"=%(AlertOnSuccess)s::INTEGER, "AlertOnDurationExceeds"=%(AlertOnDurationExceeds)s::INTEGER, "EmailRecipients"=%(EmailRecipients)s::VARCHAR, "SlackWebhook"=%(SlackWebhook)s::VARCHAR, "TeamsWebhook"=%(TeamsWebhook)s::VARCHAR, "MaxAlertsPerHour"=%(MaxAlertsPerHour)s::INTEGER WHERE %(id)s = "c_JobAlert"."ID";

-- audit.delete_rows
DELETE FROM "HangfireAudit" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- audit.expired
SELECT "HangfireAudit"."Id" 
FROM "HangfireAudit" 
WHERE "HangfireAudit"."At" < %(until)s::TIMESTAMP WITHOUT TIME ZONE ORDER BY "HangfireAudit"."At" 
 LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- audit.insert_row
INSERT INTO "HangfireAudit" ("At", "UserName", "Address", "Door", "Action", "TargetKind", "TargetId", "Before", "After", "Outcome", "Note") VALUES (:At, :UserName, :Address, :Door, :Action, :TargetKind, :TargetId, :Before, :After, :Outcome, :Note);
-- of many rows
INSERT INTO "HangfireAudit" ("At", "UserName", "Address", "Door", "Action", "TargetKind", "TargetId", "Before", "After", "Outcome", "Note") SELECT * FROM unnest(CAST(:At AS timestamp[]), CAST(:UserName AS text[]), CAST(:Address AS text[]), CAST(:Door AS text[]), CAST(:Action AS text[]), CAST(:TargetKind AS text[]), CAST(:TargetId AS text[]), CAST(:Before AS text[]), CAST(:After AS text[]), CAST(:Outcome AS text[]), CAST(:Note AS text[]));

-- audit.newest
SELECT "HangfireAudit"."Id", "HangfireAudit"."At", "HangfireAudit"."UserName", "HangfireAudit"."Address", "HangfireAudit"."Door", "HangfireAudit"."Action", "HangfireAudit"."TargetKind", "HangfireAudit"."TargetId", "HangfireAudit"."Before", "HangfireAudit"."After", "HangfireAudit"."Outcome", "HangfireAudit"."Note" 
FROM "HangfireAudit" 
WHERE "HangfireAudit"."Id" < %(edge)s::BIGINT ORDER BY "HangfireAudit"."Id" DESC 
 LIMIT %(limit)s::INTEGER;

-- audit.of_target
SELECT "HangfireAudit"."Id", "HangfireAudit"."At", "HangfireAudit"."UserName", "HangfireAudit"."Address", "HangfireAudit"."Door", "HangfireAudit"."Action", "HangfireAudit"."TargetKind", "HangfireAudit"."TargetId", "HangfireAudit"."Before", "HangfireAudit"."After", "HangfireAudit"."Outcome", "HangfireAudit"."Note" 
FROM "HangfireAudit" 
WHERE "HangfireAudit"."Id" < %(edge)s::BIGINT AND "HangfireAudit"."TargetKind" = %(kind)s::VARCHAR AND "HangfireAudit"."TargetId" = %(target)s::VARCHAR ORDER BY "HangfireAudit"."Id" DESC 
 LIMIT %(limit)s::INTEGER;

-- catalogue.index_names
SELECT tablename, indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename IN ('HangfireAggregatedCounter', 'HangfireAudit', 'HangfireCounter', 'HangfireDistributedLock', 'HangfireHash', 'HangfireJob', 'HangfireJobLog', 'HangfireJobParameter', 'HangfireJobQueue', 'HangfireJobTag', 'HangfireList', 'HangfireMetricRollup', 'HangfireServer', 'HangfireSet', 'HangfireState', 'c_Job', 'c_JobAlert', 'c_JobAlertRecipient', 'c_LoggedJob');

-- catalogue.table_sizes
SELECT c.relname, CAST(c.reltuples AS BIGINT), pg_total_relation_size(c.oid) FROM pg_class c WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind IN ('r', 'p') AND c.relname IN ('HangfireAggregatedCounter', 'HangfireAudit', 'HangfireCounter', 'HangfireDistributedLock', 'HangfireHash', 'HangfireJob', 'HangfireJobLog', 'HangfireJobParameter', 'HangfireJobQueue', 'HangfireJobTag', 'HangfireList', 'HangfireMetricRollup', 'HangfireServer', 'HangfireSet', 'HangfireState', 'c_Job', 'c_JobAlert', 'c_JobAlertRecipient', 'c_LoggedJob');

-- doctor.waiting_sample
SELECT j."InvocationData" FROM "HangfireJob" j WHERE j."StateName" = 'Enqueued' ORDER BY j."Id" LIMIT 200;

-- expiry.delete_counter_rows
DELETE FROM "HangfireCounter" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- expiry.delete_counters
DELETE FROM "HangfireAggregatedCounter" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- expiry.delete_hashes
DELETE FROM "HangfireHash" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- expiry.delete_job_logs
DELETE FROM "HangfireJobLog" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."JobId" = x.id;

-- expiry.delete_job_parameters
DELETE FROM "HangfireJobParameter" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."JobId" = x.id;

-- expiry.delete_job_queue
DELETE FROM "HangfireJobQueue" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."JobId" = x.id;

-- expiry.delete_job_states
DELETE FROM "HangfireState" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."JobId" = x.id;

-- expiry.delete_job_tags
DELETE FROM "HangfireJobTag" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."JobId" = x.id;

-- expiry.delete_jobs
DELETE FROM "HangfireJob" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- expiry.delete_lists
DELETE FROM "HangfireList" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- expiry.delete_sets
DELETE FROM "HangfireSet" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- expiry.expired_counters
SELECT "HangfireAggregatedCounter"."Id" 
FROM "HangfireAggregatedCounter" 
WHERE "HangfireAggregatedCounter"."ExpireAt" < %(now)s::TIMESTAMP WITHOUT TIME ZONE ORDER BY "HangfireAggregatedCounter"."ExpireAt" 
 LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- expiry.expired_hashes
SELECT "HangfireHash"."Id" 
FROM "HangfireHash" 
WHERE "HangfireHash"."ExpireAt" < %(now)s::TIMESTAMP WITHOUT TIME ZONE ORDER BY "HangfireHash"."ExpireAt" 
 LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- expiry.expired_jobs
SELECT "HangfireJob"."Id", "HangfireJob"."StateName" 
FROM "HangfireJob" 
WHERE "HangfireJob"."ExpireAt" < %(now)s::TIMESTAMP WITHOUT TIME ZONE ORDER BY "HangfireJob"."ExpireAt" 
 LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- expiry.expired_lists
SELECT "HangfireList"."Id" 
FROM "HangfireList" 
WHERE "HangfireList"."ExpireAt" < %(now)s::TIMESTAMP WITHOUT TIME ZONE ORDER BY "HangfireList"."ExpireAt" 
 LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- expiry.expired_sets
SELECT "HangfireSet"."Id" 
FROM "HangfireSet" 
WHERE "HangfireSet"."ExpireAt" < %(now)s::TIMESTAMP WITHOUT TIME ZONE ORDER BY "HangfireSet"."ExpireAt" 
 LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- expiry.lock_counter_rows
SELECT "HangfireCounter"."Id", "HangfireCounter"."Key", "HangfireCounter"."Value", "HangfireCounter"."ExpireAt" 
FROM "HangfireCounter" ORDER BY "HangfireCounter"."Id" 
 LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- expiry.upsert_aggregated
INSERT INTO "HangfireAggregatedCounter" ("Key", "Value", "ExpireAt") VALUES (:Key, :Value, :ExpireAt) ON CONFLICT ("Key") DO UPDATE SET "Value" = "HangfireAggregatedCounter"."Value" + EXCLUDED."Value", "ExpireAt" = EXCLUDED."ExpireAt";

-- failures.calls_by_id
SELECT t."Id", t."InvocationData" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJob" t ON t."Id" = x.id ORDER BY x.id;

-- failures.failed_without_group
SELECT j."Id", g."Value", CASE WHEN g."Value" IS NULL THEN SUBSTR(s."Data", 1, 16000) END, s."CreatedAt" FROM (SELECT "Id", "StateId" FROM "HangfireJob" WHERE "StateName" = 'Failed' AND "Id" > :after ORDER BY "Id" LIMIT :limit) j JOIN "HangfireState" s ON s."Id" = j."StateId" LEFT JOIN "HangfireJobParameter" g ON g."JobId" = j."Id" AND g."Name" = 'FailureGroup' ORDER BY j."Id";

-- failures.members_behind
SELECT "HangfireSet"."Value" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Value" > %(value)s::VARCHAR ORDER BY "HangfireSet"."Value" 
 LIMIT %(limit)s;

-- failures.newest_failures
SELECT "HangfireSet"."Id", "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Score" <= %(score)s AND ("HangfireSet"."Score" < %(score)s OR "HangfireSet"."Score" = %(score)s AND "HangfireSet"."Id" < %(row)s::BIGINT) ORDER BY "HangfireSet"."Score" DESC, "HangfireSet"."Id" DESC 
 LIMIT %(limit)s;

-- failures.next_group
SELECT min("HangfireSet"."Key") AS min_1 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" > %(key)s::VARCHAR AND "HangfireSet"."Key" < %(end)s::VARCHAR;

-- glance.glance
SELECT timezone('utc', clock_timestamp()), 0, CASE WHEN (EXISTS (SELECT 1 FROM (SELECT 1 FROM "HangfireJobQueue" r WHERE r."Queue" = :queue AND r."FetchedAt" IS NULL ORDER BY r."Queue", r."FetchedAt", r."Priority", r."Id" LIMIT 1) one) AND NOT EXISTS (SELECT 1 FROM "HangfireSet" s WHERE s."Key" = 'paused-queues' AND s."Value" = :queue)) THEN 1 END, (SELECT MIN("Score") FROM "HangfireSet" WHERE "Key" = 'schedule' AND "Score" >= 0), (SELECT MIN("Score") FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' AND "Score" >= 0), (SELECT MIN("Score") FROM "HangfireSet" WHERE "Key" = 'paused-recurring-jobs' AND "Score" > 0), (SELECT MIN("Score") FROM "HangfireSet" WHERE "Key" = 'paused-queues' AND "Score" > 0), (SELECT MIN("Score") FROM "HangfireSet" WHERE "Key" = 'paused-jobs' AND "Score" > 0), (SELECT MAX("Score") FROM "HangfireSet" WHERE "Key" = 'quiet-servers' AND "Value" = :server), CASE WHEN EXISTS (SELECT 1 FROM "HangfireSet" WHERE "Key" = 'stacks-wanted') THEN 1 END;

-- holding.hold_rows
UPDATE "HangfireJobQueue" t SET "FetchedAt" = '9999-12-31 00:00:00.000000', "FetchToken" = NULL FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- holding.lock_paused
SELECT "Value" FROM "HangfireSet" WHERE "Key" = 'paused-jobs' FOR SHARE;

-- holds.free_rows
UPDATE "HangfireJobQueue" t SET "FetchedAt" = NULL FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id AND t."FetchedAt" = '9999-12-31 00:00:00.000000';

-- holds.held_behind
SELECT "Priority", "Id", "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" = '9999-12-31 00:00:00.000000' AND "Priority" > :priority ORDER BY "FetchedAt", "Priority", "Id" LIMIT :limit;

-- holds.held_kinds
SELECT SUBSTR(j."InvocationData", 1, 2000), v."Value" FROM (SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h0 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h0 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h1 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h1 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h2 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h2 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h3 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h3 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h4 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h4 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h5 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h5 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h6 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h6 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h7 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h7 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h8 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h8 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h9 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h9 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h10 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h10 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h11 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h11) h JOIN "HangfireJob" j ON j."Id" = h."JobId" LEFT JOIN "HangfireJobParameter" v ON v."JobId" = h."JobId" AND v."Name" = 'Tags';

-- holds.held_of_priority
SELECT "Priority", "Id", "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" = '9999-12-31 00:00:00.000000' AND "Priority" = :priority AND "Id" > :id ORDER BY "FetchedAt", "Priority", "Id" LIMIT :limit;

-- holds.held_queues
SELECT x.name FROM (WITH RECURSIVE names (name, number) AS (SELECT MIN("Queue"), 1 FROM "HangfireJobQueue" UNION ALL SELECT (SELECT MIN("Queue") FROM "HangfireJobQueue" WHERE "Queue" > names.name), number + 1 FROM names WHERE names.name IS NOT NULL AND number < 1000) SELECT name FROM names WHERE name IS NOT NULL) x WHERE EXISTS (SELECT 1 FROM (SELECT 1 FROM "HangfireJobQueue" r WHERE r."Queue" = x.name AND r."FetchedAt" = '9999-12-31 00:00:00.000000' ORDER BY r."Queue", r."FetchedAt", r."Priority", r."Id" LIMIT 1) one);

-- holds.kinds
SELECT t."Id", SUBSTR(t."InvocationData", 1, 2000), NULL FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJob" t ON t."Id" = x.id UNION ALL SELECT t."JobId", NULL, t."Value" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJobParameter" t ON t."JobId" = x.id WHERE t."Name" = 'Tags';

-- holds.lock_round
SELECT "Id" FROM "HangfireSet" WHERE "Key" = 'held-jobs-back' AND "Value" = 'round' FOR UPDATE SKIP LOCKED;

-- job_log.insert_log
INSERT INTO "HangfireJobLog" ("JobId", "Attempt", "CreatedAt", "Lines") VALUES (:JobId, :Attempt, :CreatedAt, :Lines);
-- of many rows
INSERT INTO "HangfireJobLog" ("JobId", "Attempt", "CreatedAt", "Lines") SELECT * FROM unnest(CAST(:JobId AS bigint[]), CAST(:Attempt AS bigint[]), CAST(:CreatedAt AS timestamp[]), CAST(:Lines AS text[]));

-- job_log.read_log
SELECT "HangfireJobLog"."Attempt", "HangfireJobLog"."CreatedAt", "HangfireJobLog"."Lines" 
FROM "HangfireJobLog" 
WHERE "HangfireJobLog"."JobId" = %(job)s::BIGINT ORDER BY "HangfireJobLog"."Id";

-- job_log.read_newest_log
SELECT "HangfireJobLog"."Lines" 
FROM "HangfireJobLog" 
WHERE "HangfireJobLog"."JobId" = %(job)s::BIGINT ORDER BY "HangfireJobLog"."Id" DESC 
 LIMIT %(param_1)s::INTEGER;

-- job_pauses.known_rows
SELECT "Value", 2, NULL, NULL FROM "HangfireSet" WHERE "Key" = 'paused-jobs' UNION ALL SELECT "Key", 3, "Field", "Value" FROM "HangfireHash" WHERE "Key" >= 'job-pause:0' AND "Key" < 'job-pause:g';

-- job_tags.insert_tag
INSERT INTO "HangfireJobTag" ("JobId", "Name", "Value") VALUES (:JobId, :Name, :Value);
-- of many rows
INSERT INTO "HangfireJobTag" ("JobId", "Name", "Value") SELECT * FROM unnest(CAST(:JobId AS bigint[]), CAST(:Name AS text[]), CAST(:Value AS text[]));

-- job_tags.tag_values
WITH RECURSIVE names (name, number) AS (SELECT (SELECT MIN("Value") FROM "HangfireJobTag" WHERE "Name" = 'tag'), 1 UNION ALL SELECT (SELECT MIN("Value") FROM "HangfireJobTag" WHERE "Name" = 'tag' AND "Value" > names.name), number + 1 FROM names WHERE names.name IS NOT NULL AND number < 300) SELECT name FROM names WHERE name IS NOT NULL;

-- jobs.enter_inserted
UPDATE "HangfireJob" SET "StateId" = lastval(), "StateName" = :name, "ExpireAt" = :expire WHERE "Id" = :id;

-- jobs.enter_one
UPDATE "HangfireJob" SET "StateId" = :state, "StateName" = :name, "ExpireAt" = :expire WHERE "Id" = :id;

-- jobs.enter_state
UPDATE "HangfireJob" t SET "StateId" = (SELECT MAX(s."Id") FROM "HangfireState" s WHERE s."JobId" = t."Id"), "StateName" = :name, "ExpireAt" = :expire FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- jobs.insert_job
INSERT INTO "HangfireJob" ("StateName", "InvocationData", "Arguments", "CreatedAt", "Queue", "Priority", "EnqueueKey") VALUES (:StateName, :InvocationData, :Arguments, :CreatedAt, :Queue, :Priority, :EnqueueKey);
-- of many rows
INSERT INTO "HangfireJob" ("StateName", "InvocationData", "Arguments", "CreatedAt", "Queue", "Priority", "EnqueueKey") SELECT * FROM unnest(CAST(:StateName AS text[]), CAST(:InvocationData AS text[]), CAST(:Arguments AS text[]), CAST(:CreatedAt AS timestamp[]), CAST(:Queue AS text[]), CAST(:Priority AS bigint[]), CAST(:EnqueueKey AS text[]));

-- jobs.insert_one_job
INSERT INTO "HangfireJob" ("StateName", "InvocationData", "Arguments", "CreatedAt", "Queue", "Priority", "EnqueueKey") VALUES (:StateName, :InvocationData, :Arguments, :CreatedAt, :Queue, :Priority, :EnqueueKey) RETURNING "Id";

-- jobs.insert_one_state
INSERT INTO "HangfireState" ("JobId", "Name", "Reason", "CreatedAt", "Data") VALUES (:JobId, :Name, :Reason, :CreatedAt, :Data) RETURNING "Id";

-- jobs.insert_state
INSERT INTO "HangfireState" ("JobId", "Name", "Reason", "CreatedAt", "Data") VALUES (:JobId, :Name, :Reason, :CreatedAt, :Data);
-- of many rows
INSERT INTO "HangfireState" ("JobId", "Name", "Reason", "CreatedAt", "Data") SELECT * FROM unnest(CAST(:JobId AS bigint[]), CAST(:Name AS text[]), CAST(:Reason AS text[]), CAST(:CreatedAt AS timestamp[]), CAST(:Data AS text[]));

-- jobs.jobs_by_key
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."EnqueueKey" >= %(low)s::VARCHAR AND "HangfireJob"."EnqueueKey" < %(high)s::VARCHAR ORDER BY "HangfireJob"."EnqueueKey";

-- jobs.lock_free_jobs
SELECT t."Id", t."StateName", t."StateId", t."Queue", t."Priority", t."CreatedAt" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJob" t ON t."Id" = x.id ORDER BY x.id FOR UPDATE OF t SKIP LOCKED;

-- jobs.lock_jobs
SELECT t."Id", t."StateName", t."StateId", t."Queue", t."Priority", t."CreatedAt" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJob" t ON t."Id" = x.id ORDER BY x.id FOR UPDATE OF t;

-- jobs.lock_parameter
SELECT "HangfireJobParameter"."Value" 
FROM "HangfireJobParameter" 
WHERE "HangfireJobParameter"."JobId" = %(job)s::BIGINT AND "HangfireJobParameter"."Name" = %(name)s::VARCHAR FOR UPDATE;

-- jobs.read_history
SELECT "HangfireState"."Id", "HangfireState"."Name", "HangfireState"."Reason", "HangfireState"."CreatedAt", "HangfireState"."Data" 
FROM "HangfireState" 
WHERE "HangfireState"."JobId" = %(job)s::BIGINT ORDER BY "HangfireState"."Id";

-- jobs.read_jobs
SELECT t."Id", t."StateName", t."StateId", t."InvocationData", t."Arguments", t."CreatedAt", t."ExpireAt", t."Queue", t."Priority" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJob" t ON t."Id" = x.id ORDER BY x.id;

-- jobs.read_parameter
SELECT "HangfireJobParameter"."Value" 
FROM "HangfireJobParameter" 
WHERE "HangfireJobParameter"."JobId" = %(job)s::BIGINT AND "HangfireJobParameter"."Name" = %(name)s::VARCHAR;

-- jobs.read_parameters
SELECT t."JobId", t."Name", t."Value" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJobParameter" t ON t."JobId" = x.id ORDER BY x.id;

-- jobs.route
UPDATE "HangfireJob" t SET "Queue" = :queue, "Priority" = :priority FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- jobs.states_now
SELECT t."Id", t."StateName", t."StateId" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJob" t ON t."Id" = x.id ORDER BY x.id;

-- jobs.upsert_parameter
INSERT INTO "HangfireJobParameter" ("JobId", "Name", "Value") VALUES (:JobId, :Name, :Value) ON CONFLICT ("JobId", "Name") DO UPDATE SET "Value" = EXCLUDED."Value";

-- legacy.all_rows
SELECT "c_Job"."ID", "c_Job"."JobName", "c_Job"."CronExpression", "c_Job"."StoredProcName", "c_Job"."IsActive", "c_Job"."LastRun", "c_Job"."NextRun", substr("c_Job"."LastResult", %(substr_2)s::INTEGER, %(length)s) AS substr_1, "c_Job"."FailureCount" 
FROM "c_Job" ORDER BY "c_Job"."ID";

-- legacy.deciding_rows
SELECT t."ID", t."JobName", t."CronExpression", t."StoredProcName", t."IsActive", t."NextRun" FROM "c_Job" t ORDER BY t."ID";

-- legacy.delete_row
DELETE FROM "c_Job" WHERE %(id)s = "c_Job"."ID";

-- legacy.due_rows
SELECT t."ID", t."JobName", t."CronExpression", t."StoredProcName", t."IsActive", t."NextRun" FROM "c_Job" t WHERE t."IsActive" <> 0 AND t."NextRun" <= :until ORDER BY t."NextRun", t."ID";

-- legacy.glance_at_rows
SELECT 'UTC', COUNT(*), md5(string_agg(concat_ws('|', "ID", COALESCE("JobName", '~'), COALESCE("CronExpression", '~'), COALESCE("StoredProcName", '~'), CASE WHEN "IsActive" <> 0 THEN 1 ELSE 0 END, CASE WHEN "NextRun" IS NULL THEN 1 ELSE 0 END), ',' ORDER BY "ID")), (SELECT COUNT(*) FROM "HangfireHash" WHERE "Key" IN ('c_job:outcomes', 'c_job:waiting')), MIN(CASE WHEN "IsActive" <> 0 THEN "NextRun" END) FROM "c_Job";

-- legacy.lock_free_rows
SELECT t."ID", t."JobName", t."CronExpression", t."StoredProcName", t."IsActive", t."NextRun" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "c_Job" t ON t."ID" = x.id ORDER BY x.id FOR UPDATE OF t SKIP LOCKED;

-- legacy.lock_row
SELECT "c_Job"."ID", "c_Job"."JobName", "c_Job"."CronExpression", "c_Job"."StoredProcName", "c_Job"."IsActive", "c_Job"."LastRun", "c_Job"."NextRun", substr("c_Job"."LastResult", %(substr_2)s::INTEGER, %(length)s) AS substr_1, "c_Job"."FailureCount" 
FROM "c_Job" 
WHERE %(id)s = "c_Job"."ID" FOR UPDATE;

-- legacy.note_row
UPDATE "c_Job" SET "LastResult"=%(text)s::VARCHAR WHERE %(id)s = "c_Job"."ID";

-- legacy.plan_row
UPDATE "c_Job" SET "NextRun" = :next_run WHERE "ID" = :id;

-- legacy.rows_there
SELECT t."ID" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "c_Job" t ON t."ID" = x.id ORDER BY x.id;

-- legacy.switch_row
UPDATE "c_Job" SET "IsActive"=%(active)s::INTEGER, "NextRun"=%(NextRun)s::TIMESTAMP WITHOUT TIME ZONE WHERE %(id)s = "c_Job"."ID";

-- legacy.wait_briefly
;

-- legacy.wait_usually
;

-- legacy.write_cancelled
UPDATE "c_Job" SET "LastRun" = :ran_at, "LastResult" = :text WHERE "ID" = :id;

-- legacy.write_failure
UPDATE "c_Job" SET "LastRun" = :ran_at, "LastResult" = :text, "FailureCount" = COALESCE("FailureCount", 0) + 1 WHERE "ID" = :id;

-- legacy.write_success
UPDATE "c_Job" SET "LastRun" = :ran_at, "LastResult" = :text, "FailureCount" = 0 WHERE "ID" = :id;

-- legacy_edits.edit_row
UPDATE "c_Job" SET "JobName"=%(name)s::VARCHAR, "CronExpression"=%(cron)s::VARCHAR, "StoredProcName"=%(procedure)s::VARCHAR WHERE %(id)s = "c_Job"."ID";

-- legacy_edits.edit_targcc_row
UPDATE "c_Job" SET "enmJobType" = :kind, "WhenToRun" = :when_to_run, "CyclicCount" = :every, "TimeOutSec" = :timeout WHERE "ID" = :id;

-- legacy_edits.lock_row_to_edit
SELECT "c_Job"."JobName", "c_Job"."CronExpression", "c_Job"."StoredProcName", "c_Job"."IsActive", "c_Job"."EmailOnFailure" 
FROM "c_Job" 
WHERE %(id)s = "c_Job"."ID" FOR UPDATE;

-- legacy_edits.row_to_edit
SELECT "c_Job"."JobName", "c_Job"."CronExpression", "c_Job"."StoredProcName", "c_Job"."IsActive", "c_Job"."EmailOnFailure" 
FROM "c_Job" 
WHERE %(id)s = "c_Job"."ID";

-- legacy_edits.set_mails
UPDATE "c_Job" SET "EmailOnFailure"=%(mails)s::INTEGER WHERE %(id)s = "c_Job"."ID";

-- legacy_edits.targcc_row
SELECT t."ID", t."lkpJob", t."lkpJobRunner", t."enmJobType", t."WhenToRun", t."CyclicCount", t."TimeOutSec", t."Active", t."IsManaged", t."NextRunTime", t."LastRunTime", t."enmJobStatus", t."ActivatingUser", t."SendNotificationOnSuccess", t."WarningMailSent" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "c_Job" t ON t."ID" = x.id ORDER BY x.id;

-- legacy_lists.rows_as_seen
SELECT "c_Job"."ID", "c_Job"."JobName", "c_Job"."CronExpression", "c_Job"."StoredProcName", "c_Job"."IsActive", "c_Job"."LastRun", "c_Job"."NextRun", substr("c_Job"."LastResult", %(substr_2)s::INTEGER, %(length)s) AS substr_1, "c_Job"."FailureCount", 'UTC' 
FROM "c_Job" 
WHERE "c_Job"."ID" IN (__[POSTCOMPILE_ids]);

-- legacy_lists.rows_at_a_glance
SELECT "ID", "IsActive", "CronExpression", "NextRun", "LastRun", "JobName", "StoredProcName", 'UTC' FROM "c_Job";

-- legacy_lists.zone_of_rows
SELECT 'UTC' FROM "c_Job" LIMIT 1;

-- legacy_marks.forget_job
DELETE FROM "HangfireHash" WHERE "HangfireHash"."Key" = %(key)s::VARCHAR AND "HangfireHash"."Field" = %(field)s::VARCHAR;

-- legacy_marks.forget_mark
DELETE FROM "HangfireHash" WHERE "HangfireHash"."Key" = %(Key_1)s::VARCHAR AND "HangfireHash"."Field" = %(field)s::VARCHAR AND "HangfireHash"."Value" = %(value)s::VARCHAR;

-- legacy_marks.read_marks
SELECT "HangfireHash"."Field", "HangfireHash"."Value" 
FROM "HangfireHash" 
WHERE "HangfireHash"."Key" = %(Key_1)s::VARCHAR AND "HangfireHash"."Field" IN (__[POSTCOMPILE_fields]);

-- logged.delete_logged
DELETE FROM "c_LoggedJob" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."ID" = x.id;

-- logged.insert_logged
INSERT INTO "c_LoggedJob" ("JobName", "JobId", "JobType", "StartedAt", "CompletedAt", "DurationMs", "Success", "ResultMessage", "ErrorMessage", "StackTrace", "ServerName", "TriggeredBy", "MemoryUsedMB", "CpuTimeMs", "CreatedAt") VALUES (:JobName, :JobId, :JobType, :StartedAt, :CompletedAt, :DurationMs, :Success, :ResultMessage, :ErrorMessage, :StackTrace, :ServerName, :TriggeredBy, :MemoryUsedMB, :CpuTimeMs, :CreatedAt);
-- of many rows
INSERT INTO "c_LoggedJob" ("JobName", "JobId", "JobType", "StartedAt", "CompletedAt", "DurationMs", "Success", "ResultMessage", "ErrorMessage", "StackTrace", "ServerName", "TriggeredBy", "MemoryUsedMB", "CpuTimeMs", "CreatedAt") SELECT * FROM unnest(CAST(:JobName AS text[]), CAST(:JobId AS text[]), CAST(:JobType AS text[]), CAST(:StartedAt AS timestamp[]), CAST(:CompletedAt AS timestamp[]), CAST(:DurationMs AS bigint[]), CAST(:Success AS bigint[]), CAST(:ResultMessage AS text[]), CAST(:ErrorMessage AS text[]), CAST(:StackTrace AS text[]), CAST(:ServerName AS text[]), CAST(:TriggeredBy AS text[]), CAST(:MemoryUsedMB AS bigint[]), CAST(:CpuTimeMs AS bigint[]), CAST(:CreatedAt AS timestamp[]));

-- logged.logged_of_name
SELECT "c_LoggedJob"."ID", "c_LoggedJob"."JobName", "c_LoggedJob"."JobId", "c_LoggedJob"."JobType", "c_LoggedJob"."StartedAt", "c_LoggedJob"."CompletedAt", "c_LoggedJob"."DurationMs", "c_LoggedJob"."Success", "c_LoggedJob"."ResultMessage", "c_LoggedJob"."ErrorMessage", "c_LoggedJob"."StackTrace", "c_LoggedJob"."ServerName", "c_LoggedJob"."TriggeredBy", "c_LoggedJob"."MemoryUsedMB", "c_LoggedJob"."CpuTimeMs", "c_LoggedJob"."CreatedAt" 
FROM "c_LoggedJob" 
WHERE "c_LoggedJob"."JobName" = %(name)s::VARCHAR ORDER BY "c_LoggedJob"."StartedAt" DESC, "c_LoggedJob"."ID" DESC 
 LIMIT %(limit)s;

-- logged.logged_statistics
SELECT "c_LoggedJob"."JobName", count(*) AS count_1, sum("c_LoggedJob"."Success") AS sum_1, avg("c_LoggedJob"."DurationMs") AS avg_1, min("c_LoggedJob"."DurationMs") AS min_1, max("c_LoggedJob"."DurationMs") AS max_1, max("c_LoggedJob"."StartedAt") AS max_2 
FROM "c_LoggedJob" 
WHERE "c_LoggedJob"."StartedAt" >= %(since)s::TIMESTAMP WITHOUT TIME ZONE GROUP BY "c_LoggedJob"."JobName" ORDER BY "c_LoggedJob"."JobName";

-- logged.read_logged
SELECT "c_LoggedJob"."ID", "c_LoggedJob"."JobName", "c_LoggedJob"."JobId", "c_LoggedJob"."JobType", "c_LoggedJob"."StartedAt", "c_LoggedJob"."CompletedAt", "c_LoggedJob"."DurationMs", "c_LoggedJob"."Success", "c_LoggedJob"."ResultMessage", "c_LoggedJob"."ErrorMessage", "c_LoggedJob"."StackTrace", "c_LoggedJob"."ServerName", "c_LoggedJob"."TriggeredBy", "c_LoggedJob"."MemoryUsedMB", "c_LoggedJob"."CpuTimeMs", "c_LoggedJob"."CreatedAt" 
FROM "c_LoggedJob" 
WHERE (%(any_name)s = %(param_1)s::INTEGER OR lower("c_LoggedJob"."JobName") = %(name)s) AND (%(any_outcome)s = %(param_2)s::INTEGER OR "c_LoggedJob"."Success" = %(Success_1)s::INTEGER) ORDER BY "c_LoggedJob"."ID" DESC 
 LIMIT %(limit)s;

-- logged.same_start
SELECT "DurationMs", "ServerName" FROM "c_LoggedJob" WHERE "JobName" = :JobName AND "StartedAt" = :StartedAt AND "JobId" = :JobId;

-- logged.walk_logged
SELECT "ID", CASE WHEN "CreatedAt" < :before THEN 1 ELSE 0 END FROM "c_LoggedJob" WHERE "ID" > :after ORDER BY "ID" LIMIT :limit;

-- logged.walk_targcc_logged
SELECT "ID", CASE WHEN "AddedOn" < :before THEN 1 ELSE 0 END FROM "c_LoggedJob" WHERE "ID" > :after ORDER BY "ID" LIMIT :limit;

-- monitoring.calls_in_state
SELECT "HangfireJob"."Id", "HangfireJob"."InvocationData", "HangfireJob"."Queue" 
FROM "HangfireJob" 
WHERE "HangfireJob"."StateName" = %(state)s::VARCHAR AND "HangfireJob"."Id" < %(before)s::BIGINT ORDER BY "HangfireJob"."Id" DESC 
 LIMIT %(limit)s;

-- monitoring.count_fetched
SELECT count(*) AS count_1 
FROM (SELECT "HangfireJobQueue"."Id" AS "Id" 
FROM "HangfireJobQueue" 
WHERE "HangfireJobQueue"."Queue" = %(queue)s::VARCHAR AND "HangfireJobQueue"."FetchedAt" < '9999-12-31 00:00:00.000000' 
 LIMIT %(cap)s) AS anon_1;

-- monitoring.count_held
SELECT count(*) AS count_1 
FROM (SELECT "HangfireJobQueue"."Id" AS "Id" 
FROM "HangfireJobQueue" 
WHERE "HangfireJobQueue"."Queue" = %(queue)s::VARCHAR AND "HangfireJobQueue"."FetchedAt" = '9999-12-31 00:00:00.000000' 
 LIMIT %(cap)s) AS anon_1;

-- monitoring.count_state
SELECT count(*) AS count_1 
FROM (SELECT "HangfireJob"."Id" AS "Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."StateName" = %(state)s::VARCHAR 
 LIMIT %(cap)s) AS anon_1;

-- monitoring.count_waiting
SELECT count(*) AS count_1 
FROM (SELECT "HangfireJobQueue"."Id" AS "Id" 
FROM "HangfireJobQueue" 
WHERE "HangfireJobQueue"."Queue" = %(queue)s::VARCHAR AND "HangfireJobQueue"."FetchedAt" IS NULL 
 LIMIT %(cap)s) AS anon_1;

-- monitoring.ids_in_state
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."StateName" = %(state)s::VARCHAR AND "HangfireJob"."Id" < %(before)s::BIGINT ORDER BY "HangfireJob"."Id" DESC 
 LIMIT %(limit)s;

-- monitoring.newest_calls
SELECT "HangfireJob"."Id", "HangfireJob"."InvocationData", "HangfireJob"."Queue" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(before)s::BIGINT ORDER BY "HangfireJob"."Id" DESC 
 LIMIT %(limit)s;

-- monitoring.newest_ids
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(before)s::BIGINT ORDER BY "HangfireJob"."Id" DESC 
 LIMIT %(limit)s;

-- monitoring.queue_names
WITH RECURSIVE names (name, number) AS (SELECT MIN("Queue"), 1 FROM "HangfireJobQueue" UNION ALL SELECT (SELECT MIN("Queue") FROM "HangfireJobQueue" WHERE "Queue" > names.name), number + 1 FROM names WHERE names.name IS NOT NULL AND number < 1000) SELECT name FROM names WHERE name IS NOT NULL;

-- monitoring_dates.place_of_date
WITH RECURSIVE s (step, low, high) AS (SELECT 0, COALESCE(MAX("Id"), 0) * 0, COALESCE(MAX("Id"), 0) FROM "HangfireJob" UNION ALL SELECT s.step + 1, CASE WHEN (SELECT "CreatedAt" FROM "HangfireJob" WHERE "Id" > ((s.low + s.high) >> 1) ORDER BY "Id" LIMIT 1) < %(at)s::TIMESTAMP WITHOUT TIME ZONE THEN ((s.low + s.high) >> 1) + 1 ELSE s.low END, CASE WHEN (SELECT "CreatedAt" FROM "HangfireJob" WHERE "Id" > ((s.low + s.high) >> 1) ORDER BY "Id" LIMIT 1) < %(at)s::TIMESTAMP WITHOUT TIME ZONE THEN s.high ELSE ((s.low + s.high) >> 1) END FROM s WHERE s.low < s.high AND s.step < 62) SELECT MAX(low) FROM s;

-- monitoring_details.log_after
SELECT "HangfireJobLog"."Id", "HangfireJobLog"."Attempt", "HangfireJobLog"."CreatedAt", "HangfireJobLog"."Lines" 
FROM "HangfireJobLog" 
WHERE "HangfireJobLog"."JobId" = %(job)s::BIGINT AND "HangfireJobLog"."Id" > %(after)s::BIGINT ORDER BY "HangfireJobLog"."Id" 
 LIMIT %(limit)s;

-- monitoring_details.neighbours_of
SELECT (SELECT MIN("Id") FROM "HangfireJob" WHERE "StateName" = :state AND "Id" > :job), (SELECT MAX("Id") FROM "HangfireJob" WHERE "StateName" = :state AND "Id" < :job);

-- monitoring_details.newest_states
SELECT "HangfireState"."Id", "HangfireState"."Name", "HangfireState"."Reason", "HangfireState"."CreatedAt", "HangfireState"."Data" 
FROM "HangfireState" 
WHERE "HangfireState"."JobId" = %(job)s::BIGINT AND "HangfireState"."Id" < %(before)s::BIGINT ORDER BY "HangfireState"."Id" DESC 
 LIMIT %(limit)s;

-- monitoring_details.runs_before
SELECT count(*) AS count_1, sum(CASE WHEN (anon_1."Name" = %(Name_1)s::VARCHAR) THEN %(param_1)s::INTEGER ELSE %(param_2)s::INTEGER END) AS sum_1 
FROM (SELECT "HangfireState"."Name" AS "Name" 
FROM "HangfireState" 
WHERE "HangfireState"."JobId" = %(job)s::BIGINT AND "HangfireState"."Id" < %(before)s::BIGINT ORDER BY "HangfireState"."Id" DESC 
 LIMIT %(limit)s) AS anon_1;

-- monitoring_directory.directory
SELECT 'server', "Id", "Data", "LastHeartbeat" FROM "HangfireServer" UNION ALL SELECT 'queue', name, NULL, NULL FROM (WITH RECURSIVE names (name, number) AS (SELECT MIN("Queue"), 1 FROM "HangfireJobQueue" UNION ALL SELECT (SELECT MIN("Queue") FROM "HangfireJobQueue" WHERE "Queue" > names.name), number + 1 FROM names WHERE names.name IS NOT NULL AND number < 1000) SELECT name FROM names WHERE name IS NOT NULL) x UNION ALL SELECT 'python:recurring-jobs', s."Value", (CASE WHEN COALESCE(h0."Value", '') = '' THEN '' ELSE '!' END || '|' || COALESCE(h1."Value", '') || '|' || COALESCE(h2."Value", '') || '|' || COALESCE(h3."Value", '')), NULL FROM "HangfireSet" s LEFT JOIN "HangfireHash" h0 ON h0."Key" = ('python:recurring-job:' || s."Value") AND h0."Field" = 'Error' LEFT JOIN "HangfireHash" h1 ON h1."Key" = ('python:recurring-job:' || s."Value") AND h1."Field" = 'Cron' LEFT JOIN "HangfireHash" h2 ON h2."Key" = ('python:recurring-job:' || s."Value") AND h2."Field" = 'Queue' LEFT JOIN "HangfireHash" h3 ON h3."Key" = ('python:recurring-job:' || s."Value") AND h3."Field" = 'Job' WHERE s."Key" = 'python:recurring-jobs' UNION ALL SELECT 'job', 'it', NULL, NULL FROM "HangfireJob" WHERE "Id" = :job UNION ALL SELECT "Key", "Value", NULL, NULL FROM "HangfireSet" WHERE "Key" IN ('paused-queues', 'paused-recurring-jobs');

-- monitoring_exact.count_whole_filter
SELECT count(*) AS count_1 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" >= %(floor)s::BIGINT AND "HangfireJob"."StateName" = %(v0_0)s::VARCHAR AND CASE WHEN lower("HangfireJob"."InvocationData" COLLATE "C") LIKE %(v1_0)s::VARCHAR ESCAPE '!' THEN TRUE ELSE FALSE END;

-- monitoring_exact.count_whole_state
SELECT count(*) AS count_1 
FROM "HangfireJob" 
WHERE "HangfireJob"."StateName" = %(state)s::VARCHAR;

-- monitoring_failures.group_sizes
SELECT CAST(:k0 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k0 ORDER BY "Score" DESC LIMIT 401) g0) h0 GROUP BY part UNION ALL SELECT CAST(:k1 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k1 ORDER BY "Score" DESC LIMIT 401) g1) h1 GROUP BY part UNION ALL SELECT CAST(:k2 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k2 ORDER BY "Score" DESC LIMIT 401) g2) h2 GROUP BY part UNION ALL SELECT CAST(:k3 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k3 ORDER BY "Score" DESC LIMIT 401) g3) h3 GROUP BY part UNION ALL SELECT CAST(:k4 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k4 ORDER BY "Score" DESC LIMIT 401) g4) h4 GROUP BY part UNION ALL SELECT CAST(:k5 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k5 ORDER BY "Score" DESC LIMIT 401) g5) h5 GROUP BY part UNION ALL SELECT CAST(:k6 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k6 ORDER BY "Score" DESC LIMIT 401) g6) h6 GROUP BY part UNION ALL SELECT CAST(:k7 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k7 ORDER BY "Score" DESC LIMIT 401) g7) h7 GROUP BY part UNION ALL SELECT CAST(:k8 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k8 ORDER BY "Score" DESC LIMIT 401) g8) h8 GROUP BY part UNION ALL SELECT CAST(:k9 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k9 ORDER BY "Score" DESC LIMIT 401) g9) h9 GROUP BY part UNION ALL SELECT CAST(:k10 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k10 ORDER BY "Score" DESC LIMIT 401) g10) h10 GROUP BY part UNION ALL SELECT CAST(:k11 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k11 ORDER BY "Score" DESC LIMIT 401) g11) h11 GROUP BY part UNION ALL SELECT CAST(:k12 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k12 ORDER BY "Score" DESC LIMIT 401) g12) h12 GROUP BY part UNION ALL SELECT CAST(:k13 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k13 ORDER BY "Score" DESC LIMIT 401) g13) h13 GROUP BY part UNION ALL SELECT CAST(:k14 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k14 ORDER BY "Score" DESC LIMIT 401) g14) h14 GROUP BY part UNION ALL SELECT CAST(:k15 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k15 ORDER BY "Score" DESC LIMIT 401) g15) h15 GROUP BY part UNION ALL SELECT CAST(:k16 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k16 ORDER BY "Score" DESC LIMIT 401) g16) h16 GROUP BY part UNION ALL SELECT CAST(:k17 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k17 ORDER BY "Score" DESC LIMIT 401) g17) h17 GROUP BY part UNION ALL SELECT CAST(:k18 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k18 ORDER BY "Score" DESC LIMIT 401) g18) h18 GROUP BY part UNION ALL SELECT CAST(:k19 AS VARCHAR), part, COUNT(*) FROM (SELECT CASE WHEN "Score" >= :day THEN FLOOR(("Score" - :day) / 3600) WHEN "Score" >= :week THEN -1 ELSE -2 END AS part FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = :k19 ORDER BY "Score" DESC LIMIT 401) g19) h19 GROUP BY part;

-- monitoring_front.cause_sizes
SELECT CAST(:k0 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireSet" WHERE "Key" = :k0 ORDER BY "Score" DESC LIMIT 401) p0 LIMIT 401) counted) UNION ALL SELECT CAST(:k1 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireSet" WHERE "Key" = :k1 ORDER BY "Score" DESC LIMIT 401) p0 LIMIT 401) counted) UNION ALL SELECT CAST(:k2 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireSet" WHERE "Key" = :k2 ORDER BY "Score" DESC LIMIT 401) p0 LIMIT 401) counted) UNION ALL SELECT CAST(:k3 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireSet" WHERE "Key" = :k3 ORDER BY "Score" DESC LIMIT 401) p0 LIMIT 401) counted) UNION ALL SELECT CAST(:k4 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireSet" WHERE "Key" = :k4 ORDER BY "Score" DESC LIMIT 401) p0 LIMIT 401) counted) UNION ALL SELECT CAST(:k5 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireSet" WHERE "Key" = :k5 ORDER BY "Score" DESC LIMIT 401) p0 LIMIT 401) counted);

-- monitoring_front.front_sets
SELECT * FROM (SELECT 'cause', "Value", "Score" FROM "HangfireSet" WHERE "Key" = 'failure-groups' ORDER BY "Score" DESC, "Id" DESC LIMIT 6) a UNION ALL SELECT * FROM (SELECT 'run', "Value", "Score" FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' AND "Score" >= 0 ORDER BY "Score", "Id" LIMIT 8) b;

-- monitoring_front_of_queues.front_of_queues
SELECT * FROM (SELECT 'server', "Id", CAST("LastHeartbeat" AS VARCHAR), "Data" FROM "HangfireServer") b0 UNION ALL SELECT * FROM (SELECT 'day', '', CAST("Bucket" AS VARCHAR), (SUM("Count") || ',' || SUM("Failed")) FROM "HangfireMetricRollup" WHERE "Span" = 3600 AND "Kind" = 'queue' AND "Key" IN (:q0, :q1) AND "Bucket" >= :day GROUP BY "Bucket") b1 UNION ALL SELECT * FROM (SELECT 'period', '', CAST("Bucket" AS VARCHAR), (SUM("Count") || ',' || SUM("Failed")) FROM "HangfireMetricRollup" WHERE "Span" = :span AND "Kind" = 'queue' AND "Key" IN (:q0, :q1) AND "Bucket" >= :since GROUP BY "Bucket") b2 UNION ALL SELECT * FROM (SELECT 'deploy', "Value", CAST("Score" AS VARCHAR), '' FROM "HangfireSet" WHERE "Key" = 'deploys' AND "Score" >= :marked ORDER BY "Score" DESC LIMIT 20) b3 UNION ALL SELECT * FROM (SELECT 'run', s.id, CAST(s.at AS VARCHAR), c."Value" FROM (SELECT s.id, s.at FROM (SELECT "Value" AS id, "Score" AS at FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' AND "Score" >= 0 ORDER BY "Score" LIMIT 10000) s LEFT JOIN "HangfireHash" h ON h."Key" = ('python:recurring-job:' || s.id) AND h."Field" = 'Queue' WHERE COALESCE(NULLIF(h."Value", ''), 'default') IN (:q0, :q1) ORDER BY s.at LIMIT 8) s LEFT JOIN "HangfireHash" c ON c."Key" = ('python:recurring-job:' || s.id) AND c."Field" = 'Cron') b4 UNION ALL SELECT * FROM (SELECT 'failed', CAST(f.id AS VARCHAR), '', '' FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Failed' ORDER BY "Id" DESC LIMIT 10000) f WHERE f.queue IN (:q0, :q1) ORDER BY f.id DESC LIMIT 6) b5;

-- monitoring_front_of_queues.trend_of_queues
SELECT 'period', '', CAST("Bucket" AS VARCHAR), (SUM("Count") || ',' || SUM("Failed")) FROM "HangfireMetricRollup" WHERE "Span" = :span AND "Kind" = 'queue' AND "Key" IN (:q0, :q1) AND "Bucket" >= :since GROUP BY "Bucket";

-- monitoring_lists.above_tagged
SELECT "HangfireJob"."Id", "HangfireJob"."StateName", substr("HangfireJob"."InvocationData", %(substr_2)s::INTEGER, %(substr_3)s::INTEGER) AS substr_1, substr("HangfireJob"."Arguments", %(substr_5)s::INTEGER, %(substr_6)s::INTEGER) AS substr_4, "HangfireJob"."CreatedAt", "HangfireJob"."ExpireAt", "HangfireJob"."Queue", "HangfireState"."Reason", "HangfireState"."CreatedAt" AS "CreatedAt_1", substr("HangfireState"."Data", %(substr_8)s::INTEGER, %(substr_9)s::INTEGER) AS substr_7 
FROM (SELECT "HangfireJob"."Id" AS "Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" > %(edge)s::BIGINT AND "HangfireJob"."Id" >= %(floor)s::BIGINT AND "HangfireJob"."StateName" = %(v0_0)s::VARCHAR AND (SELECT "HangfireJobTag"."JobId" 
FROM "HangfireJobTag" 
WHERE "HangfireJobTag"."JobId" = "HangfireJob"."Id" AND "HangfireJobTag"."Name" = %(v1_0n)s::VARCHAR AND "HangfireJobTag"."Value" = %(v1_0)s::VARCHAR 
 LIMIT %(param_1)s::INTEGER) IS NOT NULL AND "HangfireJob"."Id" <= %(ceiling)s::BIGINT ORDER BY "HangfireJob"."Id" ASC 
 LIMIT %(limit)s) AS anon_1 JOIN ("HangfireJob" LEFT OUTER JOIN "HangfireState" ON "HangfireState"."Id" = "HangfireJob"."StateId") ON "HangfireJob"."Id" = anon_1."Id";

-- monitoring_lists.newest_in_state
SELECT "HangfireJob"."Id", "HangfireJob"."StateName", substr("HangfireJob"."InvocationData", %(substr_2)s::INTEGER, %(substr_3)s::INTEGER) AS substr_1, substr("HangfireJob"."Arguments", %(substr_5)s::INTEGER, %(substr_6)s::INTEGER) AS substr_4, "HangfireJob"."CreatedAt", "HangfireJob"."ExpireAt", "HangfireJob"."Queue", "HangfireState"."Reason", "HangfireState"."CreatedAt" AS "CreatedAt_1", substr("HangfireState"."Data", %(substr_8)s::INTEGER, %(substr_9)s::INTEGER) AS substr_7 
FROM "HangfireJob" LEFT OUTER JOIN "HangfireState" ON "HangfireState"."Id" = "HangfireJob"."StateId" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT AND "HangfireJob"."StateName" = %(v0_0)s::VARCHAR ORDER BY "HangfireJob"."Id" DESC 
 LIMIT %(limit)s;

-- monitoring_lists.newest_searched
SELECT "HangfireJob"."Id", "HangfireJob"."StateName", substr("HangfireJob"."InvocationData", %(substr_2)s::INTEGER, %(substr_3)s::INTEGER) AS substr_1, substr("HangfireJob"."Arguments", %(substr_5)s::INTEGER, %(substr_6)s::INTEGER) AS substr_4, "HangfireJob"."CreatedAt", "HangfireJob"."ExpireAt", "HangfireJob"."Queue", "HangfireState"."Reason", "HangfireState"."CreatedAt" AS "CreatedAt_1", substr("HangfireState"."Data", %(substr_8)s::INTEGER, %(substr_9)s::INTEGER) AS substr_7 
FROM (SELECT "HangfireJob"."Id" AS "Id" 
FROM "HangfireJob" LEFT OUTER JOIN "HangfireState" ON "HangfireState"."Id" = "HangfireJob"."StateId" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT AND (SELECT "HangfireJobParameter"."JobId" 
FROM "HangfireJobParameter" 
WHERE "HangfireJobParameter"."JobId" = "HangfireJob"."Id" AND "HangfireJobParameter"."Name" = %(Name_1)s::VARCHAR AND "HangfireJobParameter"."Value" IN (%(v18_0)s) 
 LIMIT %(param_1)s::INTEGER) IS NOT NULL AND "HangfireJob"."Id" >= %(floor)s::BIGINT AND "HangfireJob"."StateName" = %(v0_0)s::VARCHAR AND "HangfireJob"."Id" = %(v1_0)s::BIGINT AND CASE WHEN lower("HangfireJob"."InvocationData" COLLATE "C") LIKE %(v2_0)s::VARCHAR ESCAPE '!' THEN TRUE ELSE FALSE END AND "HangfireJob"."Queue" = %(v3_0)s::VARCHAR AND CASE WHEN lower("HangfireState"."Data" COLLATE "C") LIKE %(v4_0)s::VARCHAR ESCAPE '!' THEN TRUE ELSE FALSE END AND CASE WHEN octet_length("HangfireState"."Data") <= 6000 AND NOT lower("HangfireState"."Data" COLLATE "C") LIKE %(v5_0)s::VARCHAR ESCAPE '!' THEN FALSE WHEN lower(substr("HangfireState"."Data", 1, 1500) COLLATE "C") LIKE %(v5_0)s::VARCHAR ESCAPE '!' THEN TRUE ELSE FALSE END AND (CASE WHEN lower("HangfireJob"."Arguments" COLLATE "C") LIKE %(v6_0)s::VARCHAR ESCAPE '!' THEN TRUE ELSE FALSE END OR CASE WHEN lower("HangfireJob"."Arguments" COLLATE "C") LIKE %(v6_0t)s::VARCHAR ESCAPE '!' THEN TRUE ELSE FALSE END) AND ((SELECT "HangfireJobTag"."JobId" 
FROM "HangfireJobTag" 
WHERE "HangfireJobTag"."JobId" = "HangfireJob"."Id" AND "HangfireJobTag"."Name" = %(v7_0n)s::VARCHAR AND "HangfireJobTag"."Value" = %(v7_0)s::VARCHAR 
 LIMIT %(param_2)s::INTEGER) IS NOT NULL OR (SELECT "HangfireJobTag"."JobId" 
FROM "HangfireJobTag" 
WHERE "HangfireJobTag"."JobId" = "HangfireJob"."Id" AND "HangfireJobTag"."Name" = %(v7_1n)s::VARCHAR AND "HangfireJobTag"."Value" = %(v7_1)s::VARCHAR 
 LIMIT %(param_3)s::INTEGER) IS NOT NULL) AND ((SELECT "HangfireJobTag"."JobId" 
FROM "HangfireJobTag" 
WHERE "HangfireJobTag"."JobId" = "HangfireJob"."Id" AND "HangfireJobTag"."Name" = %(v8_0n)s::VARCHAR AND "HangfireJobTag"."Value" = %(v8_0)s::VARCHAR 
 LIMIT %(param_4)s::INTEGER) IS NOT NULL OR (SELECT "HangfireJobTag"."JobId" 
FROM "HangfireJobTag" 
WHERE "HangfireJobTag"."JobId" = "HangfireJob"."Id" AND "HangfireJobTag"."Name" = %(v8_1n)s::VARCHAR AND "HangfireJobTag"."Value" = %(v8_1)s::VARCHAR 
 LIMIT %(param_5)s::INTEGER) IS NOT NULL) AND "HangfireJob"."CreatedAt" >= %(v9_0)s::TIMESTAMP WITHOUT TIME ZONE AND "HangfireJob"."CreatedAt" < %(v10_0)s::TIMESTAMP WITHOUT TIME ZONE AND "HangfireState"."CreatedAt" >= %(v11_0)s::TIMESTAMP WITHOUT TIME ZONE AND "HangfireState"."CreatedAt" < %(v12_0)s::TIMESTAMP WITHOUT TIME ZONE AND CAST(substring("HangfireState"."Data" FROM '"PerformanceDuration":' || ' ?"?([0-9]{1,15})') AS BIGINT) >= %(v13_0)s::BIGINT AND CAST(substring("HangfireState"."Data" FROM '"PerformanceDuration":' || ' ?"?([0-9]{1,15})') AS BIGINT) < %(v14_0)s::BIGINT AND CAST(substring("HangfireState"."Data" FROM '"Latency":' || ' ?"?([0-9]{1,15})') AS BIGINT) >= %(v15_0)s::BIGINT AND CAST(substring("HangfireState"."Data" FROM '"Latency":' || ' ?"?([0-9]{1,15})') AS BIGINT) < %(v16_0)s::BIGINT AND (CASE WHEN lower("HangfireJob"."InvocationData" COLLATE "C") LIKE %(v17_0)s::VARCHAR ESCAPE '!' THEN TRUE ELSE FALSE END OR CASE WHEN lower("HangfireJob"."Arguments" COLLATE "C") LIKE %(v17_0)s::VARCHAR ESCAPE '!' THEN TRUE ELSE FALSE END OR CASE WHEN octet_length("HangfireState"."Data") <= 6000 AND NOT lower("HangfireState"."Data" COLLATE "C") LIKE %(v17_0d)s::VARCHAR ESCAPE '!' THEN FALSE WHEN lower(substr("HangfireState"."Data", 1, 1500) COLLATE "C") LIKE %(v17_0d)s::VARCHAR ESCAPE '!' THEN TRUE ELSE FALSE END) AND (EXISTS (SELECT * 
FROM "HangfireJobParameter" 
WHERE "HangfireJobParameter"."JobId" = "HangfireJob"."Id" AND "HangfireJobParameter"."Name" = %(Name_2)s::VARCHAR AND "HangfireJobParameter"."Value" IN (%(v19_0)s))) AND (EXISTS (SELECT * 
FROM "HangfireJobParameter" 
WHERE "HangfireJobParameter"."JobId" = "HangfireJob"."Id" AND "HangfireJobParameter"."Name" = %(Name_3)s::VARCHAR AND "HangfireJobParameter"."Value" IN (%(v20_0)s))) ORDER BY "HangfireJob"."Id" DESC 
 LIMIT %(limit)s) AS anon_1 JOIN ("HangfireJob" LEFT OUTER JOIN "HangfireState" ON "HangfireState"."Id" = "HangfireJob"."StateId") ON "HangfireJob"."Id" = anon_1."Id";

-- monitoring_lists.newest_tagged
SELECT "HangfireJob"."Id", "HangfireJob"."StateName", substr("HangfireJob"."InvocationData", %(substr_2)s::INTEGER, %(substr_3)s::INTEGER) AS substr_1, substr("HangfireJob"."Arguments", %(substr_5)s::INTEGER, %(substr_6)s::INTEGER) AS substr_4, "HangfireJob"."CreatedAt", "HangfireJob"."ExpireAt", "HangfireJob"."Queue", "HangfireState"."Reason", "HangfireState"."CreatedAt" AS "CreatedAt_1", substr("HangfireState"."Data", %(substr_8)s::INTEGER, %(substr_9)s::INTEGER) AS substr_7 
FROM (SELECT "HangfireJobTag"."JobId" AS "Id" 
FROM "HangfireJobTag" 
WHERE "HangfireJobTag"."JobId" < %(edge)s::BIGINT AND "HangfireJobTag"."Name" = %(v1_0n)s::VARCHAR AND "HangfireJobTag"."Value" = %(v1_0)s::VARCHAR AND "HangfireJobTag"."JobId" >= %(floor)s::BIGINT AND (SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" = "HangfireJobTag"."JobId" AND "HangfireJob"."Id" >= %(floor)s::BIGINT AND "HangfireJob"."StateName" = %(v0_0)s::VARCHAR 
 LIMIT %(param_1)s::INTEGER) IS NOT NULL ORDER BY "HangfireJobTag"."JobId" DESC 
 LIMIT %(limit)s) AS anon_1 JOIN ("HangfireJob" LEFT OUTER JOIN "HangfireState" ON "HangfireState"."Id" = "HangfireJob"."StateId") ON "HangfireJob"."Id" = anon_1."Id";

-- monitoring_lists.newest_with_parameter
SELECT "HangfireJob"."Id", "HangfireJob"."StateName", substr("HangfireJob"."InvocationData", %(substr_2)s::INTEGER, %(substr_3)s::INTEGER) AS substr_1, substr("HangfireJob"."Arguments", %(substr_5)s::INTEGER, %(substr_6)s::INTEGER) AS substr_4, "HangfireJob"."CreatedAt", "HangfireJob"."ExpireAt", "HangfireJob"."Queue", "HangfireState"."Reason", "HangfireState"."CreatedAt" AS "CreatedAt_1", substr("HangfireState"."Data", %(substr_8)s::INTEGER, %(substr_9)s::INTEGER) AS substr_7 
FROM (SELECT "HangfireJob"."Id" AS "Id" 
FROM "HangfireJobParameter" JOIN "HangfireJob" ON "HangfireJob"."Id" = "HangfireJobParameter"."JobId" 
WHERE "HangfireJobParameter"."JobId" < %(edge)s::BIGINT AND "HangfireJobParameter"."Name" = %(Name_1)s::VARCHAR AND "HangfireJobParameter"."Value" IN (%(v1_0)s) AND "HangfireJobParameter"."JobId" >= %(floor)s::BIGINT AND "HangfireJob"."Id" >= %(floor)s::BIGINT AND "HangfireJob"."StateName" = %(v0_0)s::VARCHAR ORDER BY "HangfireJobParameter"."JobId" DESC 
 LIMIT %(limit)s) AS anon_1 JOIN ("HangfireJob" LEFT OUTER JOIN "HangfireState" ON "HangfireState"."Id" = "HangfireJob"."StateId") ON "HangfireJob"."Id" = anon_1."Id";

-- monitoring_lists.place_of_all
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT ORDER BY "HangfireJob"."Id" DESC 
 LIMIT %(param_1)s::INTEGER OFFSET %(skip)s;

-- monitoring_lists.rows_by_id
SELECT "HangfireJob"."Id", "HangfireJob"."StateName", substr("HangfireJob"."InvocationData", %(substr_2)s::INTEGER, %(substr_3)s::INTEGER) AS substr_1, substr("HangfireJob"."Arguments", %(substr_5)s::INTEGER, %(substr_6)s::INTEGER) AS substr_4, "HangfireJob"."CreatedAt", "HangfireJob"."ExpireAt", "HangfireJob"."Queue", "HangfireState"."Reason", "HangfireState"."CreatedAt" AS "CreatedAt_1", substr("HangfireState"."Data", %(substr_8)s::INTEGER, %(substr_9)s::INTEGER) AS substr_7 
FROM "HangfireJob" LEFT OUTER JOIN "HangfireState" ON "HangfireState"."Id" = "HangfireJob"."StateId" 
WHERE "HangfireJob"."Id" IN (__[POSTCOMPILE_ids]);

-- monitoring_lists.shown_parameters
SELECT "HangfireJobParameter"."JobId", "HangfireJobParameter"."Name", substr("HangfireJobParameter"."Value", %(substr_2)s::INTEGER, %(substr_3)s::INTEGER) AS substr_1 
FROM "HangfireJobParameter" 
WHERE "HangfireJobParameter"."JobId" IN (__[POSTCOMPILE_ids]) AND "HangfireJobParameter"."Name" IN (__[POSTCOMPILE_names]);

-- monitoring_logged.logged_by_id
SELECT "c_LoggedJob"."ID", "c_LoggedJob"."JobName", "c_LoggedJob"."JobId", "c_LoggedJob"."JobType", "c_LoggedJob"."StartedAt", "c_LoggedJob"."CompletedAt", "c_LoggedJob"."DurationMs", "c_LoggedJob"."Success", "c_LoggedJob"."ResultMessage", "c_LoggedJob"."ErrorMessage", "c_LoggedJob"."StackTrace", "c_LoggedJob"."ServerName", "c_LoggedJob"."TriggeredBy", "c_LoggedJob"."MemoryUsedMB", "c_LoggedJob"."CpuTimeMs", "c_LoggedJob"."CreatedAt" 
FROM "c_LoggedJob" 
WHERE %(id)s = "c_LoggedJob"."ID";

-- monitoring_logged.logged_names
WITH RECURSIVE names (name, number) AS (SELECT MIN("JobName"), 1 FROM "c_LoggedJob" UNION ALL SELECT (SELECT MIN("JobName") FROM "c_LoggedJob" WHERE "JobName" > names.name), number + 1 FROM names WHERE names.name IS NOT NULL AND number < 500) SELECT name FROM names WHERE name IS NOT NULL;

-- monitoring_logged.logged_page
SELECT l."ID", l."JobName", l."JobId", l."JobType", l."StartedAt", l."DurationMs", l."Success", l."ServerName", l."TriggeredBy", SUBSTR(COALESCE(l."ErrorMessage", l."ResultMessage"), 1, 300) FROM (SELECT ID, StartedAt FROM (SELECT * FROM (SELECT "ID" AS ID, "StartedAt" AS StartedAt FROM "c_LoggedJob" WHERE "Success" = 1 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at AND ("StartedAt" < :edge_at OR "ID" < :edge_id) ORDER BY "StartedAt" DESC, "ID" DESC LIMIT :limit) b0 UNION ALL SELECT * FROM (SELECT "ID" AS ID, "StartedAt" AS StartedAt FROM "c_LoggedJob" WHERE "Success" = 0 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at AND ("StartedAt" < :edge_at OR "ID" < :edge_id) ORDER BY "StartedAt" DESC, "ID" DESC LIMIT :limit) b1 UNION ALL SELECT * FROM (SELECT "ID" AS ID, "StartedAt" AS StartedAt FROM "c_LoggedJob" WHERE "Success" > 1 AND COALESCE("StartedAt", "StartedAt") >= :since AND COALESCE("StartedAt", "StartedAt") < :until AND COALESCE("StartedAt", "StartedAt") <= :edge_at AND (COALESCE("StartedAt", "StartedAt") < :edge_at OR "ID" < :edge_id) ORDER BY "StartedAt" DESC, "ID" DESC LIMIT :limit) b2) u ORDER BY StartedAt DESC, ID DESC LIMIT :limit) k JOIN "c_LoggedJob" l ON l."ID" = k.ID ORDER BY k.StartedAt DESC, k.ID DESC;

-- monitoring_logged.logged_page_of_name
SELECT l."ID", l."JobName", l."JobId", l."JobType", l."StartedAt", l."DurationMs", l."Success", l."ServerName", l."TriggeredBy", SUBSTR(COALESCE(l."ErrorMessage", l."ResultMessage"), 1, 300) FROM (SELECT ID, StartedAt FROM (SELECT * FROM (SELECT "ID" AS ID, "StartedAt" AS StartedAt FROM "c_LoggedJob" WHERE "JobName" = :name AND "Success" = 0 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at AND ("StartedAt" < :edge_at OR "ID" < :edge_id) AND CASE WHEN LOWER("ServerName") LIKE :server ESCAPE '!' THEN TRUE ELSE FALSE END AND CASE WHEN LOWER("TriggeredBy") LIKE :by ESCAPE '!' THEN TRUE ELSE FALSE END AND (CASE WHEN LOWER("JobName") LIKE :text ESCAPE '!' THEN TRUE ELSE FALSE END OR CASE WHEN LOWER("ErrorMessage") LIKE :text ESCAPE '!' THEN TRUE ELSE FALSE END OR CASE WHEN LOWER("ResultMessage") LIKE :text ESCAPE '!' THEN TRUE ELSE FALSE END) ORDER BY "StartedAt" DESC, "ID" DESC LIMIT :limit) b0) u ORDER BY StartedAt DESC, ID DESC LIMIT :limit) k JOIN "c_LoggedJob" l ON l."ID" = k.ID ORDER BY k.StartedAt DESC, k.ID DESC;

-- monitoring_logged_runs.logged_of_runs
SELECT * FROM (SELECT 0 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at0_0, :at0_1, :at0_2) AND "JobId" = :job0 LIMIT 5) b0 UNION ALL SELECT * FROM (SELECT 1 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at1_0, :at1_1, :at1_2) AND "JobId" = :job1 LIMIT 5) b1 UNION ALL SELECT * FROM (SELECT 2 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at2_0, :at2_1, :at2_2) AND "JobId" = :job2 LIMIT 5) b2 UNION ALL SELECT * FROM (SELECT 3 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at3_0, :at3_1, :at3_2) AND "JobId" = :job3 LIMIT 5) b3 UNION ALL SELECT * FROM (SELECT 4 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at4_0, :at4_1, :at4_2) AND "JobId" = :job4 LIMIT 5) b4 UNION ALL SELECT * FROM (SELECT 5 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at5_0, :at5_1, :at5_2) AND "JobId" = :job5 LIMIT 5) b5 UNION ALL SELECT * FROM (SELECT 6 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at6_0, :at6_1, :at6_2) AND "JobId" = :job6 LIMIT 5) b6 UNION ALL SELECT * FROM (SELECT 7 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at7_0, :at7_1, :at7_2) AND "JobId" = :job7 LIMIT 5) b7 UNION ALL SELECT * FROM (SELECT 8 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at8_0, :at8_1, :at8_2) AND "JobId" = :job8 LIMIT 5) b8 UNION ALL SELECT * FROM (SELECT 9 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at9_0, :at9_1, :at9_2) AND "JobId" = :job9 LIMIT 5) b9 UNION ALL SELECT * FROM (SELECT 10 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at10_0, :at10_1, :at10_2) AND "JobId" = :job10 LIMIT 5) b10 UNION ALL SELECT * FROM (SELECT 11 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at11_0, :at11_1, :at11_2) AND "JobId" = :job11 LIMIT 5) b11 UNION ALL SELECT * FROM (SELECT 12 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at12_0, :at12_1, :at12_2) AND "JobId" = :job12 LIMIT 5) b12 UNION ALL SELECT * FROM (SELECT 13 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at13_0, :at13_1, :at13_2) AND "JobId" = :job13 LIMIT 5) b13 UNION ALL SELECT * FROM (SELECT 14 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at14_0, :at14_1, :at14_2) AND "JobId" = :job14 LIMIT 5) b14 UNION ALL SELECT * FROM (SELECT 15 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at15_0, :at15_1, :at15_2) AND "JobId" = :job15 LIMIT 5) b15 UNION ALL SELECT * FROM (SELECT 16 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at16_0, :at16_1, :at16_2) AND "JobId" = :job16 LIMIT 5) b16 UNION ALL SELECT * FROM (SELECT 17 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at17_0, :at17_1, :at17_2) AND "JobId" = :job17 LIMIT 5) b17 UNION ALL SELECT * FROM (SELECT 18 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at18_0, :at18_1, :at18_2) AND "JobId" = :job18 LIMIT 5) b18 UNION ALL SELECT * FROM (SELECT 19 AS place, "ID", "ServerName", "TriggeredBy", SUBSTR(COALESCE("ErrorMessage", "ResultMessage"), 1, 300) AS note FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" IN (:at19_0, :at19_1, :at19_2) AND "JobId" = :job19 LIMIT 5) b19;

-- monitoring_logged_searches.logged_numbers
SELECT MIN(low), MAX(high) FROM (SELECT MIN("ID") AS low, MAX("ID") AS high FROM "c_LoggedJob" WHERE "Success" = 1 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at UNION ALL SELECT MIN("ID") AS low, MAX("ID") AS high FROM "c_LoggedJob" WHERE "Success" = 0 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at UNION ALL SELECT MIN("ID") AS low, MAX("ID") AS high FROM "c_LoggedJob" WHERE "Success" > 1 AND COALESCE("StartedAt", "StartedAt") >= :since AND COALESCE("StartedAt", "StartedAt") < :until AND "StartedAt" <= :edge_at) k;

-- monitoring_logged_searches.logged_search
SELECT l."ID", l."JobName", l."JobId", l."JobType", l."StartedAt", l."DurationMs", l."Success", l."ServerName", l."TriggeredBy", SUBSTR(COALESCE(l."ErrorMessage", l."ResultMessage"), 1, 300) FROM (SELECT ID, StartedAt FROM (SELECT "ID" AS ID, "StartedAt" AS StartedAt FROM "c_LoggedJob" WHERE "ID" >= :low AND "ID" <= :high AND "Success" >= 0 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at AND ("StartedAt" < :edge_at OR "ID" < :edge_id) AND CASE WHEN LOWER("ServerName") LIKE :server ESCAPE '!' THEN TRUE ELSE FALSE END) w ORDER BY StartedAt DESC, ID DESC LIMIT :limit) k JOIN "c_LoggedJob" l ON l."ID" = k.ID ORDER BY k.StartedAt DESC, k.ID DESC;

-- monitoring_logged_searches.logged_search_counted
SELECT l."ID", l."JobName", l."JobId", l."JobType", l."StartedAt", l."DurationMs", l."Success", l."ServerName", l."TriggeredBy", SUBSTR(COALESCE(l."ErrorMessage", l."ResultMessage"), 1, 300), k.found FROM (SELECT ID, StartedAt, COUNT(*) OVER () AS found FROM (SELECT "ID" AS ID, "StartedAt" AS StartedAt FROM "c_LoggedJob" WHERE "Success" = 1 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at AND ("StartedAt" < :edge_at OR "ID" < :edge_id) AND CASE WHEN LOWER("ServerName") LIKE :server ESCAPE '!' THEN TRUE ELSE FALSE END UNION ALL SELECT "ID" AS ID, "StartedAt" AS StartedAt FROM "c_LoggedJob" WHERE "Success" = 0 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at AND ("StartedAt" < :edge_at OR "ID" < :edge_id) AND CASE WHEN LOWER("ServerName") LIKE :server ESCAPE '!' THEN TRUE ELSE FALSE END UNION ALL SELECT "ID" AS ID, "StartedAt" AS StartedAt FROM "c_LoggedJob" WHERE "Success" > 1 AND COALESCE("StartedAt", "StartedAt") >= :since AND COALESCE("StartedAt", "StartedAt") < :until AND COALESCE("StartedAt", "StartedAt") <= :edge_at AND (COALESCE("StartedAt", "StartedAt") < :edge_at OR "ID" < :edge_id) AND CASE WHEN LOWER("ServerName") LIKE :server ESCAPE '!' THEN TRUE ELSE FALSE END) w ORDER BY StartedAt DESC, ID DESC LIMIT :limit) k JOIN "c_LoggedJob" l ON l."ID" = k.ID ORDER BY k.StartedAt DESC, k.ID DESC;

-- monitoring_logged_statistics.logged_last
SELECT 0 AS place, ID, StartedAt, JobName, JobId, DurationMs, Success FROM (SELECT "ID" AS ID, "StartedAt" AS StartedAt, "JobName" AS JobName, "JobId" AS JobId, "DurationMs" AS DurationMs, "Success" AS Success FROM "c_LoggedJob" WHERE "JobName" = :name0 ORDER BY "StartedAt" DESC, "ID" DESC LIMIT :limit) n0 UNION ALL SELECT 1 AS place, ID, StartedAt, JobName, JobId, DurationMs, Success FROM (SELECT "ID" AS ID, "StartedAt" AS StartedAt, "JobName" AS JobName, "JobId" AS JobId, "DurationMs" AS DurationMs, "Success" AS Success FROM "c_LoggedJob" WHERE "JobName" = :name1 ORDER BY "StartedAt" DESC, "ID" DESC LIMIT :limit) n1;

-- monitoring_logged_statistics.logged_measures
SELECT SUM(runs), SUM(good), MIN(CASE WHEN up_to * 100 >= 50 * timed THEN took END), MIN(CASE WHEN up_to * 100 >= 95 * timed THEN took END), SUM(took * runs) * 1.0 / NULLIF(MAX(timed), 0), MIN(took), MAX(took) FROM (SELECT took, runs, good, SUM(CASE WHEN took IS NULL THEN 0 ELSE runs END) OVER (ORDER BY took) AS up_to, SUM(CASE WHEN took IS NULL THEN 0 ELSE runs END) OVER () AS timed FROM (SELECT took, SUM(runs) AS runs, SUM(good) AS good FROM (SELECT "DurationMs" AS took, COUNT(*) AS runs, SUM(CASE WHEN "Success" <> 0 THEN 1 ELSE 0 END) AS good FROM "c_LoggedJob" WHERE "Success" = 1 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at AND ("StartedAt" < :edge_at OR "ID" < :edge_id) GROUP BY "DurationMs" UNION ALL SELECT "DurationMs" AS took, COUNT(*) AS runs, SUM(CASE WHEN "Success" <> 0 THEN 1 ELSE 0 END) AS good FROM "c_LoggedJob" WHERE "Success" = 0 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at AND ("StartedAt" < :edge_at OR "ID" < :edge_id) GROUP BY "DurationMs" UNION ALL SELECT "DurationMs" AS took, COUNT(*) AS runs, SUM(CASE WHEN "Success" <> 0 THEN 1 ELSE 0 END) AS good FROM "c_LoggedJob" WHERE "Success" > 1 AND COALESCE("StartedAt", "StartedAt") >= :since AND COALESCE("StartedAt", "StartedAt") < :until AND COALESCE("StartedAt", "StartedAt") <= :edge_at AND (COALESCE("StartedAt", "StartedAt") < :edge_at OR "ID" < :edge_id) GROUP BY "DurationMs") p GROUP BY took) g) r;

-- monitoring_logged_statistics.logged_measures_as_they_lie
SELECT SUM(runs), SUM(good), MIN(CASE WHEN up_to * 100 >= 50 * timed THEN took END), MIN(CASE WHEN up_to * 100 >= 95 * timed THEN took END), SUM(took * runs) * 1.0 / NULLIF(MAX(timed), 0), MIN(took), MAX(took) FROM (SELECT took, runs, good, SUM(CASE WHEN took IS NULL THEN 0 ELSE runs END) OVER (ORDER BY took) AS up_to, SUM(CASE WHEN took IS NULL THEN 0 ELSE runs END) OVER () AS timed FROM (SELECT "DurationMs" AS took, COUNT(*) AS runs, SUM(CASE WHEN "Success" <> 0 THEN 1 ELSE 0 END) AS good FROM "c_LoggedJob" WHERE "ID" >= :low AND "ID" <= :high AND "Success" = 0 AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at AND ("StartedAt" < :edge_at OR "ID" < :edge_id) GROUP BY "DurationMs") g) r;

-- monitoring_logged_statistics.logged_newest
SELECT ID, StartedAt, JobName, JobId, DurationMs, Success FROM (SELECT * FROM (SELECT "ID" AS ID, "StartedAt" AS StartedAt, "JobName" AS JobName, "JobId" AS JobId, "DurationMs" AS DurationMs, "Success" AS Success FROM "c_LoggedJob" WHERE "JobName" = :name AND "StartedAt" >= :since AND "StartedAt" < :until AND "StartedAt" <= :edge_at AND ("StartedAt" < :edge_at OR "ID" < :edge_id) ORDER BY "StartedAt" DESC, "ID" DESC LIMIT :limit) b0) u ORDER BY StartedAt DESC, ID DESC LIMIT :limit;

-- monitoring_logged_statistics.logged_sums
SELECT place, SUM(runs), SUM(good), MIN(CASE WHEN up_to * 100 >= 50 * timed THEN took END), MIN(CASE WHEN up_to * 100 >= 95 * timed THEN took END), SUM(took * runs) * 1.0 / NULLIF(MAX(timed), 0), MIN(took), MAX(took) FROM (SELECT place, took, runs, good, SUM(CASE WHEN took IS NULL THEN 0 ELSE runs END) OVER (PARTITION BY place ORDER BY took) AS up_to, SUM(CASE WHEN took IS NULL THEN 0 ELSE runs END) OVER (PARTITION BY place) AS timed FROM (SELECT place, DurationMs AS took, COUNT(*) AS runs, SUM(CASE WHEN Success <> 0 THEN 1 ELSE 0 END) AS good FROM (SELECT 0 AS place, DurationMs, Success FROM (SELECT "DurationMs" AS DurationMs, "Success" AS Success FROM "c_LoggedJob" WHERE "JobName" = :name0 AND "StartedAt" >= :since AND "StartedAt" < :until ORDER BY "StartedAt" DESC, "ID" DESC LIMIT :limit) n0 UNION ALL SELECT 1 AS place, DurationMs, Success FROM (SELECT "DurationMs" AS DurationMs, "Success" AS Success FROM "c_LoggedJob" WHERE "JobName" = :name1 AND "StartedAt" >= :since AND "StartedAt" < :until ORDER BY "StartedAt" DESC, "ID" DESC LIMIT :limit) n1) u GROUP BY place, DurationMs) g) r GROUP BY place;

-- monitoring_narrowed.counts_of_a_queue
SELECT 'enqueued', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :enqueued_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Enqueued'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'scheduled', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :scheduled_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Scheduled'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'processing', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :processing_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Processing'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'failed', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :failed_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Failed'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'awaiting', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :awaiting_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Awaiting'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'retries', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :retries_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireSet" WHERE "Key" = 'retries'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'succeeded', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" = 'stats:succeeded') + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" = 'stats:succeeded') UNION ALL SELECT 'deleted', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" = 'stats:deleted') + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" = 'stats:deleted') UNION ALL SELECT 'ended_succeeded', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" IN (:succeeded_now, :succeeded_before)) + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" IN (:succeeded_now, :succeeded_before)) UNION ALL SELECT 'ended_failed', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" IN (:failed_now, :failed_before)) + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" IN (:failed_now, :failed_before)) UNION ALL SELECT 'ended_deleted', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" IN (:deleted_now, :deleted_before)) + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" IN (:deleted_now, :deleted_before)) UNION ALL SELECT 'recurring', (SELECT COUNT(*) FROM (SELECT 1 FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' LIMIT 10001) x) UNION ALL SELECT 'alerts', (SELECT COUNT(*) FROM (SELECT 1 FROM "HangfireSet" WHERE "Key" = 'alerts:failing' LIMIT 10001) x) - (SELECT COUNT(*) FROM (SELECT 1 FROM "HangfireSet" WHERE "Key" = 'alerts:acknowledged' LIMIT 10001) x) UNION ALL SELECT 'rows', COUNT(*) FROM "c_Job" UNION ALL SELECT 'servers', COUNT(*) FROM "HangfireServer" UNION ALL SELECT 'queues', COUNT(*) FROM (WITH RECURSIVE names (name, number) AS (SELECT MIN("Queue"), 1 FROM "HangfireJobQueue" UNION ALL SELECT (SELECT MIN("Queue") FROM "HangfireJobQueue" WHERE "Queue" > names.name), number + 1 FROM names WHERE names.name IS NOT NULL AND number < 1000) SELECT name FROM names WHERE name IS NOT NULL) x UNION ALL SELECT 'revision', (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") UNION ALL SELECT 'due', COALESCE(SUM("Score"), 0) FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' LIMIT 10001) z UNION ALL SELECT 'flags', COALESCE(SUM("Score" + 1), 0) FROM "HangfireSet" WHERE "Key" IN ('paused-queues', 'paused-recurring-jobs', 'quiet-servers') UNION ALL SELECT 'silent', COUNT(*) FROM "HangfireServer" WHERE "LastHeartbeat" < :silent UNION ALL SELECT 'list', COALESCE(MAX("Id"), 0) FROM "HangfireList" UNION ALL SELECT 'audit', COALESCE(MAX("Id"), 0) FROM "HangfireAudit" UNION ALL SELECT name, SUM(id) FROM (SELECT "Id" AS id, CASE "Name" WHEN 'Enqueued' THEN '+enqueued' WHEN 'Scheduled' THEN '+scheduled' WHEN 'Processing' THEN '+processing' WHEN 'Failed' THEN '+failed' WHEN 'Awaiting' THEN '+awaiting' WHEN 'Succeeded' THEN '+succeeded' WHEN 'Deleted' THEN '+deleted' ELSE '+other' END AS name FROM "HangfireState" WHERE "Id" > (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") - (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") % 500 - 500 AND (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") > :kept ORDER BY "Id" DESC LIMIT 1000) y GROUP BY name UNION ALL SELECT '~enqueued', CASE WHEN w.n > 10000 THEN 20001 ELSE 2 * w.n END FROM (SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q0 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted) AS n) w UNION ALL SELECT '~retries', 2 * COUNT(CASE WHEN j."Queue" IN (:q0) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Value" FROM "HangfireSet" WHERE "Key" = 'retries' ORDER BY "Score" LIMIT 10001) s LEFT JOIN "HangfireJob" j ON j."Id" = CAST(CASE WHEN s."Value" ~ '^[0-9]{1,18}$' THEN s."Value" END AS BIGINT) UNION ALL SELECT '~recurring', 2 * COUNT(CASE WHEN COALESCE(NULLIF(h."Value", ''), 'default') IN (:q0) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Value" FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' LIMIT 10001) s LEFT JOIN "HangfireHash" h ON h."Key" = ('python:recurring-job:' || s."Value") AND h."Field" = 'Queue' UNION ALL SELECT '~scheduled', 2 * COUNT(CASE WHEN x.queue IN (:q0) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Scheduled' ORDER BY "Id" DESC LIMIT 10001) x UNION ALL SELECT '~processing', 2 * COUNT(CASE WHEN x.queue IN (:q0) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Processing' ORDER BY "Id" DESC LIMIT 10001) x UNION ALL SELECT '~failed', 2 * COUNT(CASE WHEN x.queue IN (:q0) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Failed' ORDER BY "Id" DESC LIMIT 10001) x UNION ALL SELECT '~awaiting', 2 * COUNT(CASE WHEN x.queue IN (:q0) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Awaiting' ORDER BY "Id" DESC LIMIT 10001) x UNION ALL SELECT '~deleted', 2 * COUNT(CASE WHEN x.queue IN (:q0) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Deleted' ORDER BY "Id" DESC LIMIT 10001) x UNION ALL SELECT '~succeeded', 2 * COUNT(CASE WHEN x.queue IN (:q0) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Succeeded' ORDER BY "Id" DESC LIMIT 10001) x;

-- monitoring_narrowed.counts_of_queues
SELECT 'enqueued', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :enqueued_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Enqueued'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'scheduled', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :scheduled_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Scheduled'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'processing', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :processing_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Processing'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'failed', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :failed_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Failed'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'awaiting', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :awaiting_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Awaiting'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'retries', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :retries_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireSet" WHERE "Key" = 'retries'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'succeeded', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" = 'stats:succeeded') + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" = 'stats:succeeded') UNION ALL SELECT 'deleted', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" = 'stats:deleted') + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" = 'stats:deleted') UNION ALL SELECT 'ended_succeeded', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" IN (:succeeded_now, :succeeded_before)) + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" IN (:succeeded_now, :succeeded_before)) UNION ALL SELECT 'ended_failed', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" IN (:failed_now, :failed_before)) + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" IN (:failed_now, :failed_before)) UNION ALL SELECT 'ended_deleted', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" IN (:deleted_now, :deleted_before)) + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" IN (:deleted_now, :deleted_before)) UNION ALL SELECT 'recurring', (SELECT COUNT(*) FROM (SELECT 1 FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' LIMIT 10001) x) UNION ALL SELECT 'alerts', (SELECT COUNT(*) FROM (SELECT 1 FROM "HangfireSet" WHERE "Key" = 'alerts:failing' LIMIT 10001) x) - (SELECT COUNT(*) FROM (SELECT 1 FROM "HangfireSet" WHERE "Key" = 'alerts:acknowledged' LIMIT 10001) x) UNION ALL SELECT 'rows', COUNT(*) FROM "c_Job" UNION ALL SELECT 'servers', COUNT(*) FROM "HangfireServer" UNION ALL SELECT 'queues', COUNT(*) FROM (WITH RECURSIVE names (name, number) AS (SELECT MIN("Queue"), 1 FROM "HangfireJobQueue" UNION ALL SELECT (SELECT MIN("Queue") FROM "HangfireJobQueue" WHERE "Queue" > names.name), number + 1 FROM names WHERE names.name IS NOT NULL AND number < 1000) SELECT name FROM names WHERE name IS NOT NULL) x UNION ALL SELECT 'revision', (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") UNION ALL SELECT 'due', COALESCE(SUM("Score"), 0) FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' LIMIT 10001) z UNION ALL SELECT 'flags', COALESCE(SUM("Score" + 1), 0) FROM "HangfireSet" WHERE "Key" IN ('paused-queues', 'paused-recurring-jobs', 'quiet-servers') UNION ALL SELECT 'silent', COUNT(*) FROM "HangfireServer" WHERE "LastHeartbeat" < :silent UNION ALL SELECT 'list', COALESCE(MAX("Id"), 0) FROM "HangfireList" UNION ALL SELECT 'audit', COALESCE(MAX("Id"), 0) FROM "HangfireAudit" UNION ALL SELECT name, SUM(id) FROM (SELECT "Id" AS id, CASE "Name" WHEN 'Enqueued' THEN '+enqueued' WHEN 'Scheduled' THEN '+scheduled' WHEN 'Processing' THEN '+processing' WHEN 'Failed' THEN '+failed' WHEN 'Awaiting' THEN '+awaiting' WHEN 'Succeeded' THEN '+succeeded' WHEN 'Deleted' THEN '+deleted' ELSE '+other' END AS name FROM "HangfireState" WHERE "Id" > (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") - (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") % 500 - 500 AND (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") > :kept ORDER BY "Id" DESC LIMIT 1000) y GROUP BY name UNION ALL SELECT '~enqueued', CASE WHEN w.n > 10000 THEN 20001 ELSE 2 * w.n END FROM (SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q0 AND "FetchedAt" IS NULL  LIMIT 10001) p0 UNION ALL SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q1 AND "FetchedAt" IS NULL  LIMIT 10001) p1 LIMIT 10001) counted) AS n) w UNION ALL SELECT '~retries', 2 * COUNT(CASE WHEN j."Queue" IN (:q0, :q1) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Value" FROM "HangfireSet" WHERE "Key" = 'retries' ORDER BY "Score" LIMIT 10001) s LEFT JOIN "HangfireJob" j ON j."Id" = CAST(CASE WHEN s."Value" ~ '^[0-9]{1,18}$' THEN s."Value" END AS BIGINT) UNION ALL SELECT '~recurring', 2 * COUNT(CASE WHEN COALESCE(NULLIF(h."Value", ''), 'default') IN (:q0, :q1) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END + 2 * (SELECT COUNT(*) FROM "c_Job") FROM (SELECT "Value" FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' LIMIT 10001) s LEFT JOIN "HangfireHash" h ON h."Key" = ('python:recurring-job:' || s."Value") AND h."Field" = 'Queue' UNION ALL SELECT '~scheduled', 2 * COUNT(CASE WHEN x.queue IN (:q0, :q1) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Scheduled' ORDER BY "Id" DESC LIMIT 10001) x UNION ALL SELECT '~processing', 2 * COUNT(CASE WHEN x.queue IN (:q0, :q1) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Processing' ORDER BY "Id" DESC LIMIT 10001) x UNION ALL SELECT '~failed', 2 * COUNT(CASE WHEN x.queue IN (:q0, :q1) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Failed' ORDER BY "Id" DESC LIMIT 10001) x UNION ALL SELECT '~awaiting', 2 * COUNT(CASE WHEN x.queue IN (:q0, :q1) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Awaiting' ORDER BY "Id" DESC LIMIT 10001) x UNION ALL SELECT '~deleted', 2 * COUNT(CASE WHEN x.queue IN (:q0, :q1) THEN 1 END) + CASE WHEN COUNT(*) > 10000 THEN 1 ELSE 0 END FROM (SELECT "Id" AS id, "Queue" AS queue FROM "HangfireJob" WHERE "StateName" = 'Deleted' ORDER BY "Id" DESC LIMIT 10001) x UNION ALL SELECT '~succeeded', 2 * COALESCE(SUM("Count" - "Failed"), 0) FROM "HangfireMetricRollup" WHERE "Span" = 86400 AND "Kind" = 'queue' AND "Key" IN (:q0, :q1);

-- monitoring_overview.overview_facts
SELECT * FROM (SELECT 'server', "Id", CAST("LastHeartbeat" AS VARCHAR), "Data" FROM "HangfireServer") b0 UNION ALL SELECT * FROM (SELECT 'type', "Key", '', (SUM("Count") || ',' || SUM("Failed") || ',' || SUM("DurationMs") || ',' || SUM("D0") || ',' || SUM("D1") || ',' || SUM("D2") || ',' || SUM("D3") || ',' || SUM("D4") || ',' || SUM("D5") || ',' || SUM("D6") || ',' || SUM("D7") || ',' || SUM("D8") || ',' || SUM("D9") || ',' || SUM("D10") || ',' || SUM("D11") || ',' || SUM("D12") || ',' || SUM("D13") || ',' || SUM("D14") || ',' || SUM("D15") || ',' || SUM("D16") || ',' || SUM("D17") || ',' || SUM("D18") || ',' || SUM("D19") || ',' || SUM("D20") || ',' || SUM("D21") || ',' || SUM("D22") || ',' || SUM("D23") || ',' || SUM("D24") || ',' || SUM("D25") || ',' || MAX("LongestMs")) FROM "HangfireMetricRollup" WHERE "Span" = 3600 AND "Kind" = 'type' AND "Bucket" >= :day GROUP BY "Key" ORDER BY SUM("DurationMs") DESC LIMIT 100) b1 UNION ALL SELECT * FROM (SELECT 'minute', '', CAST("Bucket" AS VARCHAR), ("Count" || ',' || "Failed") FROM "HangfireMetricRollup" WHERE "Span" = 60 AND "Kind" = 'all' AND "Key" = '' AND "Bucket" >= :hour) b2 UNION ALL SELECT * FROM (SELECT 'deploy', "Value", CAST("Score" AS VARCHAR), '' FROM "HangfireSet" WHERE "Key" = 'deploys' AND "Score" >= :since ORDER BY "Score" DESC LIMIT 20) b3 UNION ALL SELECT * FROM (SELECT 'alert', "Value", CAST("Score" AS VARCHAR), '' FROM "HangfireSet" WHERE "Key" = 'alerts:messages' AND "Score" >= :since ORDER BY "Score" DESC LIMIT 20) b4 UNION ALL SELECT * FROM (SELECT 'operation', o."Value", '', s."Value" FROM (SELECT "Value", "Score" FROM "HangfireSet" WHERE "Key" = 'bulk-operations' ORDER BY "Score" DESC LIMIT 10) o JOIN "HangfireJobParameter" s ON s."JobId" = CAST(CASE WHEN o."Value" ~ '^[0-9]{1,18}$' THEN o."Value" END AS BIGINT) AND s."Name" = 'Operation') b5;

-- monitoring_queues.calls_and_figures
SELECT * FROM (SELECT 'call', SUBSTR(j."InvocationData", 1, 300), CAST(COUNT(*) AS VARCHAR) FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 2000) n JOIN "HangfireJob" j ON j."Id" = n."JobId" GROUP BY SUBSTR(j."InvocationData", 1, 300) ORDER BY COUNT(*) DESC LIMIT 200) b0 UNION ALL SELECT * FROM (SELECT "Kind", CAST("Bucket" AS VARCHAR), ("Count" || ',' || "Failed" || ',' || "DurationMs") FROM "HangfireMetricRollup" WHERE "Span" = :span AND "Kind" IN ('queue', 'queue.length', 'queue.latency') AND "Key" = :queue AND "Bucket" >= :since) b1;

-- monitoring_queues.calls_of_queue
SELECT SUBSTR(j."InvocationData", 1, 300), COUNT(*) FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 2000) n JOIN "HangfireJob" j ON j."Id" = n."JobId" GROUP BY SUBSTR(j."InvocationData", 1, 300) ORDER BY COUNT(*) DESC LIMIT 200;

-- monitoring_queues.fetched_of_queue
SELECT "HangfireJobQueue"."Id", "HangfireJobQueue"."JobId" 
FROM "HangfireJobQueue" 
WHERE "HangfireJobQueue"."Queue" = %(queue)s::VARCHAR AND "HangfireJobQueue"."FetchedAt" < '9999-12-31 00:00:00.000000' AND "HangfireJobQueue"."Id" > %(id)s::BIGINT ORDER BY "HangfireJobQueue"."Id" 
 LIMIT %(limit)s;

-- monitoring_queues.heads
SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q0 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h0 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q1 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h1 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q2 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h2 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q3 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h3 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q4 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h4 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q5 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h5 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q6 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h6 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q7 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h7 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q8 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h8 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q9 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h9 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q10 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h10 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q11 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h11;

-- monitoring_queues.heads_and_held
SELECT h.*, NULL, NULL FROM (SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q0 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h0 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q1 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h1 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q2 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h2 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q3 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h3 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q4 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h4 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q5 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h5 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q6 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h6 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q7 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h7 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q8 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h8 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q9 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h9 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q10 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h10 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :q11 AND "FetchedAt" IS NULL ORDER BY "FetchedAt", "Priority", "Id" LIMIT 5) h11) h UNION ALL SELECT NULL, k.* FROM (SELECT SUBSTR(j."InvocationData", 1, 2000), v."Value" FROM (SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h0 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h0 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h1 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h1 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h2 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h2 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h3 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h3 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h4 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h4 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h5 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h5 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h6 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h6 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h7 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h7 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h8 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h8 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h9 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h9 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h10 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h10 UNION ALL SELECT * FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :h11 AND "FetchedAt" = '9999-12-31 00:00:00.000000' LIMIT 2000) h11) h JOIN "HangfireJob" j ON j."Id" = h."JobId" LEFT JOIN "HangfireJobParameter" v ON v."JobId" = h."JobId" AND v."Name" = 'Tags') k;

-- monitoring_queues.jobs_elsewhere
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" IN (__[POSTCOMPILE_ids]) AND ("HangfireJob"."Queue" IS NULL OR ("HangfireJob"."Queue" NOT IN (__[POSTCOMPILE_queues]))) 
 LIMIT %(param_1)s::INTEGER;

-- monitoring_queues.jobs_of_priority
SELECT "Priority", "Id", "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" IS NULL AND "Priority" = :priority AND "Id" > :id ORDER BY "FetchedAt", "Priority", "Id" LIMIT :limit;

-- monitoring_queues.jobs_of_queue
SELECT "Priority", "Id", "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" IS NULL AND "Priority" > :priority ORDER BY "FetchedAt", "Priority", "Id" LIMIT :limit;

-- monitoring_queues.last_calls_and_figures
SELECT * FROM (SELECT 'call', SUBSTR(j."InvocationData", 1, 300), CAST(COUNT(*) AS VARCHAR) FROM (SELECT "JobId" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" IS NULL ORDER BY "FetchedAt" DESC, "Priority" DESC, "Id" DESC LIMIT 5000) n JOIN "HangfireJob" j ON j."Id" = n."JobId" GROUP BY SUBSTR(j."InvocationData", 1, 300) ORDER BY COUNT(*) DESC LIMIT 200) b0 UNION ALL SELECT * FROM (SELECT "Kind", CAST("Bucket" AS VARCHAR), ("Count" || ',' || "Failed" || ',' || "DurationMs") FROM "HangfireMetricRollup" WHERE "Span" = :span AND "Kind" IN ('queue', 'queue.length', 'queue.latency') AND "Key" = :queue AND "Bucket" >= :since) b1;

-- monitoring_queues.names
SELECT name, 0, NULL, NULL FROM (WITH RECURSIVE names (name, number) AS (SELECT MIN("Queue"), 1 FROM "HangfireJobQueue" UNION ALL SELECT (SELECT MIN("Queue") FROM "HangfireJobQueue" WHERE "Queue" > names.name), number + 1 FROM names WHERE names.name IS NOT NULL AND number < 1000) SELECT name FROM names WHERE name IS NOT NULL) x UNION ALL SELECT s."Value", 1, h."Field", h."Value" FROM "HangfireSet" s LEFT JOIN "HangfireHash" h ON h."Key" = ('queue-pause:' || s."Value") WHERE s."Key" = 'paused-queues' UNION ALL SELECT "Value", 2, NULL, NULL FROM "HangfireSet" WHERE "Key" = 'paused-jobs' UNION ALL SELECT "Key", 3, "Field", "Value" FROM "HangfireHash" WHERE "Key" >= 'job-pause:0' AND "Key" < 'job-pause:g';

-- monitoring_reach.rungs_of_all
SELECT "HangfireJob"."Id", "HangfireJob"."CreatedAt", 0 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" = (SELECT max("HangfireJob"."Id") AS max_1 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" <= (SELECT max("HangfireJob"."Id") AS max_2 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) - %(skip0)s::BIGINT) UNION ALL SELECT "HangfireJob"."Id", "HangfireJob"."CreatedAt", 1 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" = (SELECT max("HangfireJob"."Id") AS max_3 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" <= (SELECT max("HangfireJob"."Id") AS max_2 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) - %(skip1)s::BIGINT) UNION ALL SELECT "HangfireJob"."Id", "HangfireJob"."CreatedAt", 2 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" = (SELECT max("HangfireJob"."Id") AS max_4 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" <= (SELECT max("HangfireJob"."Id") AS max_2 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) - %(skip2)s::BIGINT) UNION ALL SELECT "HangfireJob"."Id", "HangfireJob"."CreatedAt", 3 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" = (SELECT max("HangfireJob"."Id") AS max_5 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" <= (SELECT max("HangfireJob"."Id") AS max_2 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) - %(skip3)s::BIGINT) UNION ALL SELECT "HangfireJob"."Id", "HangfireJob"."CreatedAt", 4 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" = (SELECT max("HangfireJob"."Id") AS max_6 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" <= (SELECT max("HangfireJob"."Id") AS max_2 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) - %(skip4)s::BIGINT) UNION ALL SELECT "HangfireJob"."Id", "HangfireJob"."CreatedAt", 5 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" = (SELECT max("HangfireJob"."Id") AS max_7 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" <= (SELECT max("HangfireJob"."Id") AS max_2 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) - %(skip5)s::BIGINT) UNION ALL SELECT "HangfireJob"."Id", "HangfireJob"."CreatedAt", 6 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" = (SELECT max("HangfireJob"."Id") AS max_8 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" <= (SELECT max("HangfireJob"."Id") AS max_2 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) - %(skip6)s::BIGINT);

-- monitoring_reach.scan_ceilings
SELECT anon_1."Id", "HangfireJob"."CreatedAt", 'state', (SELECT max("HangfireJob"."Id") AS max_1 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) AS anon_2 
FROM (SELECT "HangfireJob"."Id" AS "Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" > %(edge)s::BIGINT AND "HangfireJob"."StateName" = %(state)s::VARCHAR ORDER BY "HangfireJob"."Id" ASC 
 LIMIT %(param_1)s::INTEGER OFFSET %(skip)s) AS anon_1 LEFT OUTER JOIN "HangfireJob" ON "HangfireJob"."Id" = anon_1."Id" UNION ALL SELECT anon_3."Id", "HangfireJob"."CreatedAt", 'tag', (SELECT max("HangfireJob"."Id") AS max_2 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) AS anon_4 
FROM (SELECT "HangfireJobTag"."JobId" AS "Id" 
FROM "HangfireJobTag" 
WHERE "HangfireJobTag"."JobId" > %(edge)s::BIGINT AND "HangfireJobTag"."Name" = %(name)s::VARCHAR AND "HangfireJobTag"."Value" = %(value)s::VARCHAR ORDER BY "HangfireJobTag"."JobId" ASC 
 LIMIT %(param_2)s::INTEGER OFFSET %(skip)s) AS anon_3 LEFT OUTER JOIN "HangfireJob" ON "HangfireJob"."Id" = anon_3."Id";

-- monitoring_reach.scan_floor
SELECT anon_1."Id", "HangfireJob"."CreatedAt", 'state', (SELECT max("HangfireJob"."Id") AS max_1 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) AS anon_2 
FROM (SELECT "HangfireJob"."Id" AS "Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT AND "HangfireJob"."StateName" = %(state)s::VARCHAR ORDER BY "HangfireJob"."Id" DESC 
 LIMIT %(param_1)s::INTEGER OFFSET %(skip)s) AS anon_1 LEFT OUTER JOIN "HangfireJob" ON "HangfireJob"."Id" = anon_1."Id";

-- monitoring_reach.scan_floors
SELECT anon_1."Id", "HangfireJob"."CreatedAt", 'state', (SELECT max("HangfireJob"."Id") AS max_1 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) AS anon_2 
FROM (SELECT "HangfireJob"."Id" AS "Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT AND "HangfireJob"."StateName" = %(state)s::VARCHAR ORDER BY "HangfireJob"."Id" DESC 
 LIMIT %(param_1)s::INTEGER OFFSET %(skip)s) AS anon_1 LEFT OUTER JOIN "HangfireJob" ON "HangfireJob"."Id" = anon_1."Id" UNION ALL SELECT anon_3."Id", "HangfireJob"."CreatedAt", 'tag', (SELECT max("HangfireJob"."Id") AS max_2 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT) AS anon_4 
FROM (SELECT "HangfireJobTag"."JobId" AS "Id" 
FROM "HangfireJobTag" 
WHERE "HangfireJobTag"."JobId" < %(edge)s::BIGINT AND "HangfireJobTag"."Name" = %(name)s::VARCHAR AND "HangfireJobTag"."Value" = %(value)s::VARCHAR ORDER BY "HangfireJobTag"."JobId" DESC 
 LIMIT %(param_2)s::INTEGER OFFSET %(skip)s) AS anon_3 LEFT OUTER JOIN "HangfireJob" ON "HangfireJob"."Id" = anon_3."Id";

-- monitoring_recurring.newest_runs
SELECT s.id, s.run, CASE WHEN s.run LIKE '%"S"]' THEN 0 ELSE (SELECT COUNT(*) FROM "HangfireList" f WHERE f."Key" = ('python:recurring-job:' || s.id) AND f."Id" > COALESCE((SELECT g."Id" FROM "HangfireList" g WHERE g."Key" = ('python:recurring-job:' || s.id) AND g."Value" LIKE '%"S"]' ORDER BY g."Key" DESC, g."Id" DESC LIMIT 1), 0) AND (f."Value" LIKE '%"F"]' OR f."Value" LIKE '%"R"]')) END FROM (SELECT s.id, (SELECT l."Value" FROM "HangfireList" l WHERE l."Key" = ('python:recurring-job:' || s.id) ORDER BY l."Key" DESC, l."Id" DESC LIMIT 1) AS run FROM (SELECT "Value" AS id FROM "HangfireSet" WHERE "Key" = :key UNION ALL SELECT ('c_job:' || x.id) AS id FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x) s) s;

-- monitoring_recurring.recurring_at_a_glance
SELECT "HangfireSet"."Value", "HangfireSet"."Score", h_error."Value" AS "Value_1", h_cron."Value" AS "Value_2", NULL AS anon_1 
FROM "HangfireSet" LEFT OUTER JOIN "HangfireHash" AS h_error ON h_error."Key" = ('python:recurring-job:' || "HangfireSet"."Value") AND h_error."Field" = %(Field_1)s::VARCHAR LEFT OUTER JOIN "HangfireHash" AS h_cron ON h_cron."Key" = CASE WHEN ("HangfireSet"."Score" < %(Score_1)s::INTEGER) THEN 'python:recurring-job:' || "HangfireSet"."Value" END AND h_cron."Field" = %(Field_2)s::VARCHAR 
WHERE "HangfireSet"."Key" = %(Key_1)s::VARCHAR UNION ALL SELECT "HangfireSet"."Value", "HangfireSet"."Score", NULL AS anon_1, NULL AS anon__1, 1 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(Key_2)s::VARCHAR;

-- monitoring_recurring.recurring_texts
SELECT "HangfireSet"."Value", "HangfireSet"."Score", h_error."Value" AS "Value_1", h_lastexecution."Value" AS "Value_2", h_cron."Value" AS "Value_3", h_queue."Value" AS "Value_4", h_job."Value" AS "Value_5", NULL AS anon_1 
FROM "HangfireSet" LEFT OUTER JOIN "HangfireHash" AS h_error ON h_error."Key" = ('python:recurring-job:' || "HangfireSet"."Value") AND h_error."Field" = %(Field_1)s::VARCHAR LEFT OUTER JOIN "HangfireHash" AS h_lastexecution ON h_lastexecution."Key" = ('python:recurring-job:' || "HangfireSet"."Value") AND h_lastexecution."Field" = %(Field_2)s::VARCHAR LEFT OUTER JOIN "HangfireHash" AS h_cron ON h_cron."Key" = ('python:recurring-job:' || "HangfireSet"."Value") AND h_cron."Field" = %(Field_3)s::VARCHAR LEFT OUTER JOIN "HangfireHash" AS h_queue ON h_queue."Key" = ('python:recurring-job:' || "HangfireSet"."Value") AND h_queue."Field" = %(Field_4)s::VARCHAR LEFT OUTER JOIN "HangfireHash" AS h_job ON h_job."Key" = ('python:recurring-job:' || "HangfireSet"."Value") AND h_job."Field" = %(Field_5)s::VARCHAR 
WHERE "HangfireSet"."Key" = %(Key_1)s::VARCHAR UNION ALL SELECT "HangfireSet"."Value", "HangfireSet"."Score", NULL AS anon_1, NULL AS anon__1, NULL AS anon__2, NULL AS anon__3, NULL AS anon__4, 1 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(Key_2)s::VARCHAR;

-- monitoring_rollups.figures_of_key
SELECT "HangfireMetricRollup"."Kind", "HangfireMetricRollup"."Bucket", "HangfireMetricRollup"."Count", "HangfireMetricRollup"."Failed", "HangfireMetricRollup"."DurationMs", "HangfireMetricRollup"."WaitMs", "HangfireMetricRollup"."Waits", "HangfireMetricRollup"."LongestMs", "HangfireMetricRollup"."D0", "HangfireMetricRollup"."D1", "HangfireMetricRollup"."D2", "HangfireMetricRollup"."D3", "HangfireMetricRollup"."D4", "HangfireMetricRollup"."D5", "HangfireMetricRollup"."D6", "HangfireMetricRollup"."D7", "HangfireMetricRollup"."D8", "HangfireMetricRollup"."D9", "HangfireMetricRollup"."D10", "HangfireMetricRollup"."D11", "HangfireMetricRollup"."D12", "HangfireMetricRollup"."D13", "HangfireMetricRollup"."D14", "HangfireMetricRollup"."D15", "HangfireMetricRollup"."D16", "HangfireMetricRollup"."D17", "HangfireMetricRollup"."D18", "HangfireMetricRollup"."D19", "HangfireMetricRollup"."D20", "HangfireMetricRollup"."D21", "HangfireMetricRollup"."D22", "HangfireMetricRollup"."D23", "HangfireMetricRollup"."D24", "HangfireMetricRollup"."D25" 
FROM "HangfireMetricRollup" 
WHERE "HangfireMetricRollup"."Span" = %(span)s::INTEGER AND "HangfireMetricRollup"."Kind" IN (__[POSTCOMPILE_kinds]) AND "HangfireMetricRollup"."Key" = %(key)s::VARCHAR AND "HangfireMetricRollup"."Bucket" >= %(since)s::TIMESTAMP WITHOUT TIME ZONE;

-- monitoring_rollups.minutes_of_queues
SELECT "HangfireMetricRollup"."Key", "HangfireMetricRollup"."Kind", "HangfireMetricRollup"."Bucket", "HangfireMetricRollup"."Count", "HangfireMetricRollup"."DurationMs" 
FROM "HangfireMetricRollup" 
WHERE "HangfireMetricRollup"."Span" = %(Span_1)s::INTEGER AND "HangfireMetricRollup"."Kind" IN (__[POSTCOMPILE_Kind_1]) AND "HangfireMetricRollup"."Key" IN (__[POSTCOMPILE_keys]) AND "HangfireMetricRollup"."Bucket" >= %(since)s::TIMESTAMP WITHOUT TIME ZONE;

-- monitoring_sets.members_after
SELECT "HangfireSet"."Id", "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Score" >= %(score)s AND ("HangfireSet"."Score" > %(score)s OR "HangfireSet"."Score" = %(score)s AND "HangfireSet"."Id" > %(row)s::BIGINT) ORDER BY "HangfireSet"."Score", "HangfireSet"."Id" 
 LIMIT %(limit)s;

-- monitoring_snapshot.counts
SELECT 'enqueued', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :enqueued_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Enqueued'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'scheduled', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :scheduled_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Scheduled'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'processing', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :processing_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Processing'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'failed', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :failed_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Failed'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'awaiting', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :awaiting_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJob" WHERE "StateName" = 'Awaiting'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'retries', CASE WHEN (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") <= :kept THEN :retries_known ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireSet" WHERE "Key" = 'retries'  LIMIT 10001) p0 LIMIT 10001) counted) END UNION ALL SELECT 'succeeded', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" = 'stats:succeeded') + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" = 'stats:succeeded') UNION ALL SELECT 'deleted', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" = 'stats:deleted') + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" = 'stats:deleted') UNION ALL SELECT 'ended_succeeded', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" IN (:succeeded_now, :succeeded_before)) + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" IN (:succeeded_now, :succeeded_before)) UNION ALL SELECT 'ended_failed', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" IN (:failed_now, :failed_before)) + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" IN (:failed_now, :failed_before)) UNION ALL SELECT 'ended_deleted', (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireCounter" WHERE "Key" IN (:deleted_now, :deleted_before)) + (SELECT COALESCE(SUM("Value"), 0) FROM "HangfireAggregatedCounter" WHERE "Key" IN (:deleted_now, :deleted_before)) UNION ALL SELECT 'recurring', (SELECT COUNT(*) FROM (SELECT 1 FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' LIMIT 10001) x) UNION ALL SELECT 'alerts', (SELECT COUNT(*) FROM (SELECT 1 FROM "HangfireSet" WHERE "Key" = 'alerts:failing' LIMIT 10001) x) - (SELECT COUNT(*) FROM (SELECT 1 FROM "HangfireSet" WHERE "Key" = 'alerts:acknowledged' LIMIT 10001) x) UNION ALL SELECT 'rows', COUNT(*) FROM "c_Job" UNION ALL SELECT 'servers', COUNT(*) FROM "HangfireServer" UNION ALL SELECT 'queues', COUNT(*) FROM (WITH RECURSIVE names (name, number) AS (SELECT MIN("Queue"), 1 FROM "HangfireJobQueue" UNION ALL SELECT (SELECT MIN("Queue") FROM "HangfireJobQueue" WHERE "Queue" > names.name), number + 1 FROM names WHERE names.name IS NOT NULL AND number < 1000) SELECT name FROM names WHERE name IS NOT NULL) x UNION ALL SELECT 'revision', (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") UNION ALL SELECT 'due', COALESCE(SUM("Score"), 0) FROM (SELECT "Score" FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' LIMIT 10001) z UNION ALL SELECT 'flags', COALESCE(SUM("Score" + 1), 0) FROM "HangfireSet" WHERE "Key" IN ('paused-queues', 'paused-recurring-jobs', 'quiet-servers') UNION ALL SELECT 'silent', COUNT(*) FROM "HangfireServer" WHERE "LastHeartbeat" < :silent UNION ALL SELECT 'list', COALESCE(MAX("Id"), 0) FROM "HangfireList" UNION ALL SELECT 'audit', COALESCE(MAX("Id"), 0) FROM "HangfireAudit" UNION ALL SELECT name, SUM(id) FROM (SELECT "Id" AS id, CASE "Name" WHEN 'Enqueued' THEN '+enqueued' WHEN 'Scheduled' THEN '+scheduled' WHEN 'Processing' THEN '+processing' WHEN 'Failed' THEN '+failed' WHEN 'Awaiting' THEN '+awaiting' WHEN 'Succeeded' THEN '+succeeded' WHEN 'Deleted' THEN '+deleted' ELSE '+other' END AS name FROM "HangfireState" WHERE "Id" > (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") - (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") % 500 - 500 AND (SELECT COALESCE(MAX("Id"), 0) FROM "HangfireState") > :kept ORDER BY "Id" DESC LIMIT 1000) y GROUP BY name;

-- monitoring_traces.traces
SELECT * FROM (SELECT 'run' AS what, "ID" AS id, "JobName" AS name, "StartedAt" AS moment, "DurationMs" AS lasted, '' AS who, '' AS kind, '' AS target, CASE WHEN "Success" >= 1 THEN 'done' ELSE 'failed' END AS outcome FROM "c_LoggedJob" WHERE "JobName" = :n0 ORDER BY "StartedAt" DESC LIMIT 5) x0 UNION ALL SELECT * FROM (SELECT 'run' AS what, "ID" AS id, "JobName" AS name, "StartedAt" AS moment, "DurationMs" AS lasted, '' AS who, '' AS kind, '' AS target, CASE WHEN "Success" >= 1 THEN 'done' ELSE 'failed' END AS outcome FROM "c_LoggedJob" WHERE "JobName" = :n1 ORDER BY "StartedAt" DESC LIMIT 5) x1 UNION ALL SELECT * FROM (SELECT 'run' AS what, "ID" AS id, "JobName" AS name, "StartedAt" AS moment, "DurationMs" AS lasted, '' AS who, '' AS kind, '' AS target, CASE WHEN "Success" >= 1 THEN 'done' ELSE 'failed' END AS outcome FROM "c_LoggedJob" WHERE "JobName" = :n2 ORDER BY "StartedAt" DESC LIMIT 5) x2 UNION ALL SELECT * FROM (SELECT 'run' AS what, "ID" AS id, "JobName" AS name, "StartedAt" AS moment, "DurationMs" AS lasted, '' AS who, '' AS kind, '' AS target, CASE WHEN "Success" >= 1 THEN 'done' ELSE 'failed' END AS outcome FROM "c_LoggedJob" WHERE "JobName" = :n3 ORDER BY "StartedAt" DESC LIMIT 5) x3 UNION ALL SELECT * FROM (SELECT 'run' AS what, "ID" AS id, "JobName" AS name, "StartedAt" AS moment, "DurationMs" AS lasted, '' AS who, '' AS kind, '' AS target, CASE WHEN "Success" >= 1 THEN 'done' ELSE 'failed' END AS outcome FROM "c_LoggedJob" WHERE "JobName" = :n4 ORDER BY "StartedAt" DESC LIMIT 5) x4 UNION ALL SELECT * FROM (SELECT 'change' AS what, "Id" AS id, "Action" AS name, "At" AS moment, CAST(NULL AS INTEGER) AS lasted, "UserName" AS who, "TargetKind" AS kind, "TargetId" AS target, "Outcome" AS outcome FROM "HangfireAudit" WHERE "TargetKind" = 'job' AND "TargetId" = :target ORDER BY "Id" DESC LIMIT 5) x5 UNION ALL SELECT * FROM (SELECT 'change' AS what, "Id" AS id, "Action" AS name, "At" AS moment, CAST(NULL AS INTEGER) AS lasted, "UserName" AS who, "TargetKind" AS kind, "TargetId" AS target, "Outcome" AS outcome FROM "HangfireAudit" WHERE "TargetKind" = 'recurring' AND "TargetId" = :target ORDER BY "Id" DESC LIMIT 5) x6 UNION ALL SELECT * FROM (SELECT 'change' AS what, "Id" AS id, "Action" AS name, "At" AS moment, CAST(NULL AS INTEGER) AS lasted, "UserName" AS who, "TargetKind" AS kind, "TargetId" AS target, "Outcome" AS outcome FROM "HangfireAudit" WHERE "TargetKind" = 'queue' AND "TargetId" = :target ORDER BY "Id" DESC LIMIT 5) x7 UNION ALL SELECT * FROM (SELECT 'change' AS what, "Id" AS id, "Action" AS name, "At" AS moment, CAST(NULL AS INTEGER) AS lasted, "UserName" AS who, "TargetKind" AS kind, "TargetId" AS target, "Outcome" AS outcome FROM "HangfireAudit" WHERE "TargetKind" = 'server' AND "TargetId" = :target ORDER BY "Id" DESC LIMIT 5) x8 UNION ALL SELECT * FROM (SELECT 'change' AS what, "Id" AS id, "Action" AS name, "At" AS moment, CAST(NULL AS INTEGER) AS lasted, "UserName" AS who, "TargetKind" AS kind, "TargetId" AS target, "Outcome" AS outcome FROM "HangfireAudit" WHERE "TargetKind" = 'operation' AND "TargetId" = :target ORDER BY "Id" DESC LIMIT 5) x9 UNION ALL SELECT * FROM (SELECT 'change' AS what, "Id" AS id, "Action" AS name, "At" AS moment, CAST(NULL AS INTEGER) AS lasted, "UserName" AS who, "TargetKind" AS kind, "TargetId" AS target, "Outcome" AS outcome FROM "HangfireAudit" WHERE "TargetKind" = 'alert' AND "TargetId" = :target ORDER BY "Id" DESC LIMIT 5) x10 UNION ALL SELECT * FROM (SELECT 'change' AS what, "Id" AS id, "Action" AS name, "At" AS moment, CAST(NULL AS INTEGER) AS lasted, "UserName" AS who, "TargetKind" AS kind, "TargetId" AS target, "Outcome" AS outcome FROM "HangfireAudit" WHERE "TargetKind" = 'search' AND "TargetId" = :target ORDER BY "Id" DESC LIMIT 5) x11 UNION ALL SELECT * FROM (SELECT 'change' AS what, "Id" AS id, "Action" AS name, "At" AS moment, CAST(NULL AS INTEGER) AS lasted, "UserName" AS who, "TargetKind" AS kind, "TargetId" AS target, "Outcome" AS outcome FROM "HangfireAudit" WHERE "UserName" = :target ORDER BY "Id" DESC LIMIT 5) x12;

-- monitoring_usual.steps_of_types
SELECT "HangfireMetricRollup"."Key", sum("HangfireMetricRollup"."Count") AS sum_1, max("HangfireMetricRollup"."LongestMs") AS max_1, sum("HangfireMetricRollup"."D0") AS sum_2, sum("HangfireMetricRollup"."D1") AS sum_3, sum("HangfireMetricRollup"."D2") AS sum_4, sum("HangfireMetricRollup"."D3") AS sum_5, sum("HangfireMetricRollup"."D4") AS sum_6, sum("HangfireMetricRollup"."D5") AS sum_7, sum("HangfireMetricRollup"."D6") AS sum_8, sum("HangfireMetricRollup"."D7") AS sum_9, sum("HangfireMetricRollup"."D8") AS sum_10, sum("HangfireMetricRollup"."D9") AS sum_11, sum("HangfireMetricRollup"."D10") AS sum_12, sum("HangfireMetricRollup"."D11") AS sum_13, sum("HangfireMetricRollup"."D12") AS sum_14, sum("HangfireMetricRollup"."D13") AS sum_15, sum("HangfireMetricRollup"."D14") AS sum_16, sum("HangfireMetricRollup"."D15") AS sum_17, sum("HangfireMetricRollup"."D16") AS sum_18, sum("HangfireMetricRollup"."D17") AS sum_19, sum("HangfireMetricRollup"."D18") AS sum_20, sum("HangfireMetricRollup"."D19") AS sum_21, sum("HangfireMetricRollup"."D20") AS sum_22, sum("HangfireMetricRollup"."D21") AS sum_23, sum("HangfireMetricRollup"."D22") AS sum_24, sum("HangfireMetricRollup"."D23") AS sum_25, sum("HangfireMetricRollup"."D24") AS sum_26, sum("HangfireMetricRollup"."D25") AS sum_27 
FROM "HangfireMetricRollup" 
WHERE "HangfireMetricRollup"."Span" = %(Span_1)s::INTEGER AND "HangfireMetricRollup"."Kind" = %(Kind_1)s::VARCHAR AND "HangfireMetricRollup"."Key" IN (__[POSTCOMPILE_keys]) AND "HangfireMetricRollup"."Bucket" >= %(since)s::TIMESTAMP WITHOUT TIME ZONE GROUP BY "HangfireMetricRollup"."Key";

-- monitoring_waits.looks
SELECT e.name, NULL, NULL, NULL, (SELECT s."CreatedAt" FROM "HangfireJobQueue" w JOIN "HangfireJob" j ON j."Id" = w."JobId" JOIN "HangfireState" s ON s."Id" = j."StateId" WHERE w."Id" = (SELECT MIN((SELECT "Id" FROM "HangfireJobQueue" WHERE "Queue" = e.name AND "FetchedAt" IS NULL AND "Priority" = x.step ORDER BY "FetchedAt", "Priority", "Id" LIMIT 1)) FROM (WITH RECURSIVE steps (step, number) AS (SELECT (SELECT "Priority" FROM "HangfireJobQueue" WHERE "Queue" = e.name AND "FetchedAt" IS NULL ORDER BY "Queue", "FetchedAt", "Priority" LIMIT 1), 1 UNION ALL SELECT (SELECT "Priority" FROM "HangfireJobQueue" WHERE "Queue" = e.name AND "FetchedAt" IS NULL AND "Priority" > steps.step ORDER BY "Queue", "FetchedAt", "Priority" LIMIT 1), number + 1 FROM steps WHERE steps.step IS NOT NULL AND number < 100) SELECT step FROM steps WHERE step IS NOT NULL) x)) FROM (SELECT CAST(:q0 AS VARCHAR) AS name UNION ALL SELECT CAST(:q1 AS VARCHAR) AS name UNION ALL SELECT CAST(:q2 AS VARCHAR) AS name UNION ALL SELECT CAST(:q3 AS VARCHAR) AS name UNION ALL SELECT CAST(:q4 AS VARCHAR) AS name UNION ALL SELECT CAST(:q5 AS VARCHAR) AS name UNION ALL SELECT CAST(:q6 AS VARCHAR) AS name UNION ALL SELECT CAST(:q7 AS VARCHAR) AS name UNION ALL SELECT CAST(:q8 AS VARCHAR) AS name UNION ALL SELECT CAST(:q9 AS VARCHAR) AS name UNION ALL SELECT CAST(:q10 AS VARCHAR) AS name UNION ALL SELECT CAST(:q11 AS VARCHAR) AS name) e UNION ALL SELECT CAST(:q0 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q0 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q0 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q0 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q1 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q1 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q1 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q1 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q2 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q2 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q2 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q2 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q3 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q3 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q3 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q3 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q4 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q4 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q4 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q4 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q5 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q5 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q5 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q5 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q6 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q6 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q6 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q6 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q7 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q7 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q7 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q7 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q8 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q8 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q8 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q8 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q9 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q9 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q9 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q9 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q10 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q10 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q10 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q10 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL UNION ALL SELECT CAST(:q11 AS VARCHAR), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q11 AND "FetchedAt" IS NULL  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q11 AND "FetchedAt" < '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), (SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT 1 AS one FROM "HangfireJobQueue" WHERE "Queue" = :q11 AND "FetchedAt" = '9999-12-31 00:00:00.000000'  LIMIT 10001) p0 LIMIT 10001) counted), NULL;

-- monitoring_waits.waits
SELECT e.name, (SELECT s."CreatedAt" FROM "HangfireJobQueue" w JOIN "HangfireJob" j ON j."Id" = w."JobId" JOIN "HangfireState" s ON s."Id" = j."StateId" WHERE w."Id" = (SELECT MIN((SELECT "Id" FROM "HangfireJobQueue" WHERE "Queue" = e.name AND "FetchedAt" IS NULL AND "Priority" = x.step ORDER BY "FetchedAt", "Priority", "Id" LIMIT 1)) FROM (WITH RECURSIVE steps (step, number) AS (SELECT (SELECT "Priority" FROM "HangfireJobQueue" WHERE "Queue" = e.name AND "FetchedAt" IS NULL ORDER BY "Queue", "FetchedAt", "Priority" LIMIT 1), 1 UNION ALL SELECT (SELECT "Priority" FROM "HangfireJobQueue" WHERE "Queue" = e.name AND "FetchedAt" IS NULL AND "Priority" > steps.step ORDER BY "Queue", "FetchedAt", "Priority" LIMIT 1), number + 1 FROM steps WHERE steps.step IS NOT NULL AND number < 100) SELECT step FROM steps WHERE step IS NOT NULL) x)) FROM (SELECT CAST(:q0 AS VARCHAR) AS name UNION ALL SELECT CAST(:q1 AS VARCHAR) AS name UNION ALL SELECT CAST(:q2 AS VARCHAR) AS name UNION ALL SELECT CAST(:q3 AS VARCHAR) AS name UNION ALL SELECT CAST(:q4 AS VARCHAR) AS name UNION ALL SELECT CAST(:q5 AS VARCHAR) AS name UNION ALL SELECT CAST(:q6 AS VARCHAR) AS name UNION ALL SELECT CAST(:q7 AS VARCHAR) AS name UNION ALL SELECT CAST(:q8 AS VARCHAR) AS name UNION ALL SELECT CAST(:q9 AS VARCHAR) AS name UNION ALL SELECT CAST(:q10 AS VARCHAR) AS name UNION ALL SELECT CAST(:q11 AS VARCHAR) AS name) e;

-- monitoring_walk.highest_job
SELECT max("HangfireJob"."Id") AS max_1 
FROM "HangfireJob";

-- monitoring_walk.ids_in_state
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < %(edge)s::BIGINT AND "HangfireJob"."StateName" = %(v0_0)s::VARCHAR ORDER BY "HangfireJob"."Id" DESC 
 LIMIT %(limit)s;

-- monitoring_walk.lowest_of_state
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."StateName" = %(state)s::VARCHAR ORDER BY "HangfireJob"."Id" 
 LIMIT %(param_1)s::INTEGER;

-- monitoring_walk.plan_anew
SET LOCAL plan_cache_mode = force_custom_plan;

-- notifications.delete_notifications
DELETE FROM "HangfireList" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- notifications.insert_notification
INSERT INTO "HangfireList" ("Key", "Value", "ExpireAt") VALUES (:Key, :Value, :ExpireAt);
-- of many rows
INSERT INTO "HangfireList" ("Key", "Value", "ExpireAt") SELECT * FROM unnest(CAST(:Key AS text[]), CAST(:Value AS text[]), CAST(:ExpireAt AS timestamp[]));

-- notifications.marks_of
SELECT "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Value" IN (__[POSTCOMPILE_users]);

-- notifications.newest_ids
SELECT "HangfireList"."Id" 
FROM "HangfireList" 
WHERE "HangfireList"."Key" = %(key)s::VARCHAR ORDER BY "HangfireList"."Id" DESC 
 LIMIT %(param_1)s::INTEGER;

-- notifications.notifications_after
SELECT "HangfireList"."Id", "HangfireList"."Value", "HangfireList"."ExpireAt" 
FROM "HangfireList" 
WHERE "HangfireList"."Key" = %(key)s::VARCHAR AND "HangfireList"."Id" > %(after)s::BIGINT ORDER BY "HangfireList"."Id" 
 LIMIT %(limit)s::INTEGER;

-- notifications.upsert_mark
INSERT INTO "HangfireSet" ("Key", "Value", "Score", "ExpireAt") VALUES (:Key, :Value, :Score, :ExpireAt) ON CONFLICT ("Key", "Value") DO UPDATE SET "Score" = EXCLUDED."Score", "ExpireAt" = EXCLUDED."ExpireAt";

-- operation_parts.delete_part
DELETE FROM "HangfireHash" WHERE "HangfireHash"."Key" = %(key)s::VARCHAR AND "HangfireHash"."Field" = %(field)s::VARCHAR;

-- operation_parts.insert_part
INSERT INTO "HangfireHash" ("Key", "Field", "Value", "ExpireAt") VALUES (:Key, :Field, :Value, :ExpireAt);
-- of many rows
INSERT INTO "HangfireHash" ("Key", "Field", "Value", "ExpireAt") SELECT * FROM unnest(CAST(:Key AS text[]), CAST(:Field AS text[]), CAST(:Value AS text[]), CAST(:ExpireAt AS timestamp[]));

-- operation_parts.read_part
SELECT "HangfireHash"."Value" 
FROM "HangfireHash" 
WHERE "HangfireHash"."Key" = %(key)s::VARCHAR AND "HangfireHash"."Field" = %(field)s::VARCHAR;

-- pauses.ended
SELECT "HangfireSet"."Value" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Score" > %(Score_1)s::INTEGER AND "HangfireSet"."Score" <= %(now)s ORDER BY "HangfireSet"."Score" 
 LIMIT %(limit)s;

-- queues.claimable
SELECT "Id", "JobId", "Priority" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" IS NULL AND NOT EXISTS (SELECT 1 FROM "HangfireSet" s WHERE s."Key" = 'paused-queues' AND s."Value" = :queue) ORDER BY "FetchedAt", "Priority", "Id" LIMIT :limit FOR UPDATE SKIP LOCKED;

-- queues.claimable_after
SELECT "Id", "JobId", "Priority" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" IS NULL AND "Priority" = :priority AND "Id" > :id AND NOT EXISTS (SELECT 1 FROM "HangfireSet" s WHERE s."Key" = 'paused-queues' AND s."Value" = :queue) ORDER BY "FetchedAt", "Priority", "Id" LIMIT :limit FOR UPDATE SKIP LOCKED;

-- queues.claimable_before
SELECT "Id", "JobId", "Priority" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" IS NULL AND "Priority" < :priority AND NOT EXISTS (SELECT 1 FROM "HangfireSet" s WHERE s."Key" = 'paused-queues' AND s."Value" = :queue) ORDER BY "FetchedAt", "Priority", "Id" LIMIT :limit FOR UPDATE SKIP LOCKED;

-- queues.claimable_except
SELECT "Id", "JobId", "Priority" FROM "HangfireJobQueue" WHERE "Queue" = :queue AND "FetchedAt" IS NULL AND "Id" NOT IN (SELECT id FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x) AND NOT EXISTS (SELECT 1 FROM "HangfireSet" s WHERE s."Key" = 'paused-queues' AND s."Value" = :queue) ORDER BY "FetchedAt", "Priority", "Id" LIMIT :limit FOR UPDATE SKIP LOCKED;

-- queues.delete_of_jobs
DELETE FROM "HangfireJobQueue" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."JobId" = x.id;

-- queues.delete_rows
DELETE FROM "HangfireJobQueue" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- queues.fetched_rows
SELECT "Id", "JobId", "FetchToken" FROM "HangfireJobQueue" WHERE "FetchToken" IS NOT NULL ORDER BY "FetchToken" LIMIT :limit;

-- queues.free_rows_of_jobs
SELECT t."JobId", t."FetchedAt" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJobQueue" t ON t."JobId" = x.id ORDER BY x.id;

-- queues.give_back
UPDATE "HangfireJobQueue" t SET "FetchedAt" = NULL, "FetchToken" = NULL FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id AND t."FetchToken" = :token;

-- queues.held_by
SELECT "Id", "JobId", "FetchToken" FROM "HangfireJobQueue" WHERE "FetchToken" >= :low AND "FetchToken" < :high ORDER BY "Id";

-- queues.lock_free_rows
SELECT t."Id", t."FetchToken" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJobQueue" t ON t."Id" = x.id ORDER BY x.id FOR UPDATE OF t SKIP LOCKED;

-- queues.lock_free_rows_of_jobs
SELECT t."JobId", t."FetchedAt" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJobQueue" t ON t."JobId" = x.id ORDER BY x.id FOR UPDATE OF t SKIP LOCKED;

-- queues.lock_rows
SELECT t."Id", t."FetchToken" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJobQueue" t ON t."Id" = x.id ORDER BY x.id FOR UPDATE OF t;

-- queues.push_row
INSERT INTO "HangfireJobQueue" ("JobId", "Queue", "Priority") VALUES (:JobId, :Queue, :Priority);
-- of many rows
INSERT INTO "HangfireJobQueue" ("JobId", "Queue", "Priority") SELECT * FROM unnest(CAST(:JobId AS bigint[]), CAST(:Queue AS text[]), CAST(:Priority AS bigint[]));

-- queues.read_taken
SELECT t."Id", t."StateName", t."StateId", t."InvocationData", t."Arguments", t."CreatedAt", NULL AS name, NULL AS value FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJob" t ON t."Id" = x.id UNION ALL SELECT t."JobId", NULL, NULL, NULL, NULL, NULL, t."Name", t."Value" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJobParameter" t ON t."JobId" = x.id UNION ALL SELECT 0, NULL, NULL, NULL, NULL, NULL, s."Value", NULL FROM "HangfireSet" s WHERE s."Key" = 'paused-jobs';

-- queues.rows_of_jobs
SELECT t."JobId" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJobQueue" t ON t."JobId" = x.id ORDER BY x.id;

-- queues.take
UPDATE "HangfireJobQueue" t SET "FetchedAt" = :now, "FetchToken" = :token FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- queues.tokens_now
SELECT t."Id", t."FetchToken" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "HangfireJobQueue" t ON t."Id" = x.id ORDER BY x.id;

-- recurring.ended_members
SELECT "HangfireSet"."Value" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(Key_1)s::VARCHAR AND "HangfireSet"."Score" > %(Score_1)s::INTEGER AND "HangfireSet"."Score" <= %(now)s ORDER BY "HangfireSet"."Score" 
 LIMIT %(limit)s;

-- recurring.insert_member
INSERT INTO "HangfireSet" ("Key", "Value", "Score") VALUES (:Key, :Value, :Score);
-- of many rows
INSERT INTO "HangfireSet" ("Key", "Value", "Score") SELECT * FROM unnest(CAST(:Key AS text[]), CAST(:Value AS text[]), CAST(:Score AS float8[]));

-- recurring.members_after
SELECT "HangfireSet"."Value" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(Key_1)s::VARCHAR AND "HangfireSet"."Value" > %(after)s::VARCHAR ORDER BY "HangfireSet"."Value" 
 LIMIT %(limit)s;

-- recurring.paused_members
SELECT "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(Key_1)s::VARCHAR AND "HangfireSet"."Value" IN (__[POSTCOMPILE_ids]);

-- recurring.recurring_calls
SELECT s."Value", h."Value" FROM "HangfireSet" s JOIN "HangfireHash" h ON h."Key" = ('python:recurring-job:' || s."Value") AND h."Field" = 'Job' WHERE s."Key" = 'python:recurring-jobs';

-- recurring_past.upsert_past
INSERT INTO "HangfireHash" ("Key", "Field", "Value", "ExpireAt") VALUES (:Key, :Field, :Value, :ExpireAt) ON CONFLICT ("Key", "Field") DO UPDATE SET "Value" = EXCLUDED."Value", "ExpireAt" = EXCLUDED."ExpireAt";

-- recurring_runs.delete_runs
DELETE FROM "HangfireList" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- recurring_runs.forget_runs
DELETE FROM "HangfireList" WHERE "HangfireList"."Key" = %(key)s::VARCHAR;

-- recurring_runs.insert_run
INSERT INTO "HangfireList" ("Key", "Value", "ExpireAt") VALUES (:Key, :Value, :ExpireAt);
-- of many rows
INSERT INTO "HangfireList" ("Key", "Value", "ExpireAt") SELECT * FROM unnest(CAST(:Key AS text[]), CAST(:Value AS text[]), CAST(:ExpireAt AS timestamp[]));

-- recurring_runs.runs_behind
SELECT "Id", "Value" FROM "HangfireList" WHERE "Key" = :key AND "Id" > :after ORDER BY "Id" LIMIT :limit;

-- recurring_runs.runs_of_three
SELECT l."Key", l."Id", l."Value" FROM json_to_recordset(CAST(:wanted AS json)) AS w(name text, number bigint) CROSS JOIN LATERAL (SELECT * FROM "HangfireList" WHERE "Key" = w.name AND "Id" > w.number ORDER BY "Id" DESC LIMIT :limit) l;

-- recurring_runs.surplus_runs
SELECT "HangfireList"."Id" 
FROM "HangfireList" 
WHERE "HangfireList"."Key" = %(key)s::VARCHAR ORDER BY "HangfireList"."Id" DESC 
 LIMIT %(param_1)s::INTEGER OFFSET %(param_2)s::INTEGER;

-- requests.insert_request
INSERT INTO "HangfireHash" ("Key", "Field", "Value", "ExpireAt") VALUES (:Key, :Field, :Value, :ExpireAt);
-- of many rows
INSERT INTO "HangfireHash" ("Key", "Field", "Value", "ExpireAt") SELECT * FROM unnest(CAST(:Key AS text[]), CAST(:Field AS text[]), CAST(:Value AS text[]), CAST(:ExpireAt AS timestamp[]));

-- retry_rows.data_of_states
SELECT "HangfireState"."JobId", "HangfireState"."Data" 
FROM "HangfireState" 
WHERE "HangfireState"."Id" IN (__[POSTCOMPILE_ids]);

-- retry_rows.failures_of_jobs
SELECT "HangfireState"."JobId", min("HangfireState"."CreatedAt") AS min_1, max("HangfireState"."Id") AS max_1 
FROM "HangfireState" 
WHERE "HangfireState"."JobId" IN (__[POSTCOMPILE_ids]) AND "HangfireState"."Name" = %(Name_1)s::VARCHAR GROUP BY "HangfireState"."JobId";

-- retry_rows.heads_of_states
SELECT "HangfireState"."JobId", substr("HangfireState"."Data", %(substr_2)s::INTEGER, %(substr_3)s::INTEGER) AS substr_1 
FROM "HangfireState" 
WHERE "HangfireState"."Id" IN (__[POSTCOMPILE_ids]);

-- retry_rows.members_among
SELECT "HangfireSet"."Value" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Value" IN (__[POSTCOMPILE_values]);

-- retry_rows.scores_among
SELECT "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Value" IN (__[POSTCOMPILE_values]);

-- rollups.delete_bucket
DELETE FROM "HangfireMetricRollup" WHERE "HangfireMetricRollup"."Span" = %(span)s::INTEGER AND "HangfireMetricRollup"."Bucket" = %(bucket)s::TIMESTAMP WITHOUT TIME ZONE;

-- rollups.oldest_bucket
SELECT "HangfireMetricRollup"."Bucket" 
FROM "HangfireMetricRollup" 
WHERE "HangfireMetricRollup"."Span" = %(span)s::INTEGER AND "HangfireMetricRollup"."Bucket" < %(until)s::TIMESTAMP WITHOUT TIME ZONE ORDER BY "HangfireMetricRollup"."Bucket" 
 LIMIT %(param_1)s::INTEGER;

-- rollups.upsert_figures
INSERT INTO "HangfireMetricRollup" ("Span", "Kind", "Key", "Bucket", "Count", "Failed", "DurationMs", "WaitMs", "Waits", "LongestMs", "D0", "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "D13", "D14", "D15", "D16", "D17", "D18", "D19", "D20", "D21", "D22", "D23", "D24", "D25") VALUES (:Span, :Kind, :Key, :Bucket, :Count, :Failed, :DurationMs, :WaitMs, :Waits, :LongestMs, :D0, :D1, :D2, :D3, :D4, :D5, :D6, :D7, :D8, :D9, :D10, :D11, :D12, :D13, :D14, :D15, :D16, :D17, :D18, :D19, :D20, :D21, :D22, :D23, :D24, :D25) ON CONFLICT ("Span", "Kind", "Key", "Bucket") DO UPDATE SET "Count" = "HangfireMetricRollup"."Count" + EXCLUDED."Count", "Failed" = "HangfireMetricRollup"."Failed" + EXCLUDED."Failed", "DurationMs" = "HangfireMetricRollup"."DurationMs" + EXCLUDED."DurationMs", "WaitMs" = "HangfireMetricRollup"."WaitMs" + EXCLUDED."WaitMs", "Waits" = "HangfireMetricRollup"."Waits" + EXCLUDED."Waits", "D0" = "HangfireMetricRollup"."D0" + EXCLUDED."D0", "D1" = "HangfireMetricRollup"."D1" + EXCLUDED."D1", "D2" = "HangfireMetricRollup"."D2" + EXCLUDED."D2", "D3" = "HangfireMetricRollup"."D3" + EXCLUDED."D3", "D4" = "HangfireMetricRollup"."D4" + EXCLUDED."D4", "D5" = "HangfireMetricRollup"."D5" + EXCLUDED."D5", "D6" = "HangfireMetricRollup"."D6" + EXCLUDED."D6", "D7" = "HangfireMetricRollup"."D7" + EXCLUDED."D7", "D8" = "HangfireMetricRollup"."D8" + EXCLUDED."D8", "D9" = "HangfireMetricRollup"."D9" + EXCLUDED."D9", "D10" = "HangfireMetricRollup"."D10" + EXCLUDED."D10", "D11" = "HangfireMetricRollup"."D11" + EXCLUDED."D11", "D12" = "HangfireMetricRollup"."D12" + EXCLUDED."D12", "D13" = "HangfireMetricRollup"."D13" + EXCLUDED."D13", "D14" = "HangfireMetricRollup"."D14" + EXCLUDED."D14", "D15" = "HangfireMetricRollup"."D15" + EXCLUDED."D15", "D16" = "HangfireMetricRollup"."D16" + EXCLUDED."D16", "D17" = "HangfireMetricRollup"."D17" + EXCLUDED."D17", "D18" = "HangfireMetricRollup"."D18" + EXCLUDED."D18", "D19" = "HangfireMetricRollup"."D19" + EXCLUDED."D19", "D20" = "HangfireMetricRollup"."D20" + EXCLUDED."D20", "D21" = "HangfireMetricRollup"."D21" + EXCLUDED."D21", "D22" = "HangfireMetricRollup"."D22" + EXCLUDED."D22", "D23" = "HangfireMetricRollup"."D23" + EXCLUDED."D23", "D24" = "HangfireMetricRollup"."D24" + EXCLUDED."D24", "D25" = "HangfireMetricRollup"."D25" + EXCLUDED."D25", "LongestMs" = CASE WHEN EXCLUDED."LongestMs" > "HangfireMetricRollup"."LongestMs" THEN EXCLUDED."LongestMs" ELSE "HangfireMetricRollup"."LongestMs" END;

-- server_facts.keep_facts
UPDATE "HangfireHash" SET "ExpireAt" = :expire WHERE "Key" = :key;

-- server_facts.upsert_fact
INSERT INTO "HangfireHash" ("Key", "Field", "Value", "ExpireAt") VALUES (:Key, :Field, :Value, :ExpireAt) ON CONFLICT ("Key", "Field") DO UPDATE SET "Value" = EXCLUDED."Value", "ExpireAt" = EXCLUDED."ExpireAt";

-- servers.beat
UPDATE "HangfireServer" SET "LastHeartbeat" = :now, "Data" = :data WHERE "Id" = :id;

-- servers.delete_server
DELETE FROM "HangfireServer" WHERE "HangfireServer"."Id" = %(id)s::VARCHAR;

-- servers.lock_server
SELECT "HangfireServer"."LastHeartbeat" 
FROM "HangfireServer" 
WHERE "HangfireServer"."Id" = %(id)s::VARCHAR FOR UPDATE SKIP LOCKED;

-- servers.read_servers
SELECT "HangfireServer"."Id", "HangfireServer"."Data", "HangfireServer"."LastHeartbeat" 
FROM "HangfireServer" ORDER BY "HangfireServer"."Id";

-- servers.release_row
UPDATE "HangfireJobQueue" t SET "FetchedAt" = NULL, "FetchToken" = NULL FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id AND t."FetchToken" >= :low AND t."FetchToken" < :high;

-- servers.upsert_server
INSERT INTO "HangfireServer" ("Id", "Data", "LastHeartbeat") VALUES (:Id, :Data, :LastHeartbeat) ON CONFLICT ("Id") DO UPDATE SET "Data" = EXCLUDED."Data", "LastHeartbeat" = EXCLUDED."LastHeartbeat";

-- signing_key.insert_key
INSERT INTO "HangfireHash" ("Key", "Field", "Value") VALUES (:Key, :Field, :Value);
-- of many rows
INSERT INTO "HangfireHash" ("Key", "Field", "Value") SELECT * FROM unnest(CAST(:Key AS text[]), CAST(:Field AS text[]), CAST(:Value AS text[]));

-- stored_types.calls_containing
SELECT SUBSTR(j."InvocationData", 1, 2000) FROM (SELECT "Id" FROM "HangfireJob" ORDER BY "Id" DESC LIMIT 100000) n JOIN "HangfireJob" j ON j."Id" = n."Id" WHERE CASE WHEN LOWER(j."InvocationData") LIKE :text ESCAPE '!' THEN TRUE ELSE FALSE END LIMIT 200;

-- stranded.without_row
SELECT j."Id" FROM (SELECT "Id" FROM "HangfireJob" WHERE "StateName" >= :state AND "StateName" <= :state ORDER BY "StateName", "Id" LIMIT :window) j WHERE (SELECT r."Id" FROM "HangfireJobQueue" r WHERE r."JobId" = j."Id" LIMIT 1) IS NULL ORDER BY j."Id";

-- structures.all_members
SELECT "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR ORDER BY "HangfireSet"."Value";

-- structures.all_members_of
SELECT "HangfireSet"."Key", "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" IN (__[POSTCOMPILE_keys]) ORDER BY "HangfireSet"."Value";

-- structures.count_members
SELECT count(*) AS count_1 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR;

-- structures.delete_field
DELETE FROM "HangfireHash" WHERE "HangfireHash"."Key" = %(key)s::VARCHAR AND "HangfireHash"."Field" = %(field)s::VARCHAR;

-- structures.delete_hash
DELETE FROM "HangfireHash" WHERE "HangfireHash"."Key" = %(key)s::VARCHAR;

-- structures.delete_member
DELETE FROM "HangfireSet" WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Value" = %(value)s::VARCHAR;

-- structures.delete_members
DELETE FROM "HangfireSet" t USING (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x WHERE t."Id" = x.id;

-- structures.due_members
SELECT "HangfireSet"."Id", "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Score" >= %(Score_1)s::INTEGER AND "HangfireSet"."Score" <= %(now)s ORDER BY "HangfireSet"."Score" 
 LIMIT %(limit)s;

-- structures.insert_counter
INSERT INTO "HangfireCounter" ("Key", "Value", "ExpireAt") VALUES (:Key, :Value, :ExpireAt);
-- of many rows
INSERT INTO "HangfireCounter" ("Key", "Value", "ExpireAt") SELECT * FROM unnest(CAST(:Key AS text[]), CAST(:Value AS bigint[]), CAST(:ExpireAt AS timestamp[]));

-- structures.lock_due_members
SELECT "HangfireSet"."Id", "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Score" >= %(Score_1)s::INTEGER AND "HangfireSet"."Score" <= %(now)s ORDER BY "HangfireSet"."Score" 
 LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- structures.lock_member
SELECT "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = %(key)s::VARCHAR AND "HangfireSet"."Value" = %(value)s::VARCHAR FOR UPDATE;

-- structures.read_counter
SELECT anon_1."Key", sum(anon_1."Value") AS sum_1 
FROM (SELECT "HangfireCounter"."Key" AS "Key", "HangfireCounter"."Value" AS "Value" 
FROM "HangfireCounter" 
WHERE "HangfireCounter"."Key" IN (__[POSTCOMPILE_keys]) UNION ALL SELECT "HangfireAggregatedCounter"."Key" AS "Key", "HangfireAggregatedCounter"."Value" AS "Value" 
FROM "HangfireAggregatedCounter" 
WHERE "HangfireAggregatedCounter"."Key" IN (__[POSTCOMPILE_keys])) AS anon_1 GROUP BY anon_1."Key";

-- structures.read_hash
SELECT "HangfireHash"."Field", "HangfireHash"."Value" 
FROM "HangfireHash" 
WHERE "HangfireHash"."Key" = %(key)s::VARCHAR;

-- structures.read_hashes
SELECT "HangfireHash"."Key", "HangfireHash"."Field", "HangfireHash"."Value" 
FROM "HangfireHash" 
WHERE "HangfireHash"."Key" IN (__[POSTCOMPILE_keys]);

-- structures.upsert_field
INSERT INTO "HangfireHash" ("Key", "Field", "Value", "ExpireAt") VALUES (:Key, :Field, :Value, :ExpireAt) ON CONFLICT ("Key", "Field") DO UPDATE SET "Value" = EXCLUDED."Value";

-- structures.upsert_member
INSERT INTO "HangfireSet" ("Key", "Value", "Score", "ExpireAt") VALUES (:Key, :Value, :Score, :ExpireAt) ON CONFLICT ("Key", "Value") DO UPDATE SET "Score" = EXCLUDED."Score";

-- targcc.ask_targcc_row
UPDATE "c_Job" SET "ActivatingUser" = :user WHERE "ID" = :id;

-- targcc.claim_targcc_row
UPDATE "c_Job" SET "enmJobStatus" = 'InProcess', "LastRunTime" = :at, "LastRunBy" = :by WHERE "ID" = :id;

-- targcc.end_targcc_row
UPDATE "c_Job" SET "enmJobStatus" = :status, "LastRunTime" = :at, "LastRunBy" = :by, "WarningMailSent" = 0, "ActivatingUser" = :user, "NextRunTime" = :next_run WHERE "ID" = :id;

-- targcc.fail_targcc_row
UPDATE "c_Job" SET "enmJobStatus" = 'Failure' WHERE "ID" = :id;

-- targcc.lock_targcc_rows
SELECT t."ID", t."lkpJob", t."lkpJobRunner", t."enmJobType", t."WhenToRun", t."CyclicCount", t."TimeOutSec", t."Active", t."IsManaged", t."NextRunTime", t."LastRunTime", t."enmJobStatus", t."ActivatingUser", t."SendNotificationOnSuccess", t."WarningMailSent" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "c_Job" t ON t."ID" = x.id ORDER BY x.id FOR UPDATE OF t SKIP LOCKED;

-- targcc.plan_targcc_row
UPDATE "c_Job" SET "NextRunTime" = :next_run WHERE "ID" = :id;

-- targcc.retire_targcc_row
UPDATE "c_Job" SET "Active" = 0 WHERE "ID" = :id;

-- targcc.server_zone
SELECT 'UTC';

-- targcc.some_targcc_rows
SELECT t."ID", t."lkpJob", t."lkpJobRunner", t."enmJobType", t."WhenToRun", t."CyclicCount", t."TimeOutSec", t."Active", t."IsManaged", t."NextRunTime", t."LastRunTime", t."enmJobStatus", t."ActivatingUser", t."SendNotificationOnSuccess", t."WarningMailSent" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "c_Job" t ON t."ID" = x.id ORDER BY x.id;

-- targcc.stop_targcc_row
UPDATE "c_Job" SET "NextRunTime" = NULL, "ActivatingUser" = :user WHERE "ID" = :id;

-- targcc.switch_targcc_row
UPDATE "c_Job" SET "Active" = :active, "NextRunTime" = NULL, "ActivatingUser" = :user WHERE "ID" = :id;

-- targcc.targcc_rows
SELECT t."ID", t."lkpJob", t."lkpJobRunner", t."enmJobType", t."WhenToRun", t."CyclicCount", t."TimeOutSec", t."Active", t."IsManaged", t."NextRunTime", t."LastRunTime", t."enmJobStatus", t."ActivatingUser", t."SendNotificationOnSuccess", t."WarningMailSent" FROM "c_Job" t ORDER BY t."ID";

-- targcc.wait_for_targcc_row
SELECT t."ID", t."lkpJob", t."lkpJobRunner", t."enmJobType", t."WhenToRun", t."CyclicCount", t."TimeOutSec", t."Active", t."IsManaged", t."NextRunTime", t."LastRunTime", t."enmJobStatus", t."ActivatingUser", t."SendNotificationOnSuccess", t."WarningMailSent" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "c_Job" t ON t."ID" = x.id ORDER BY x.id FOR UPDATE OF t;

-- targcc_glance.glance_at_targcc_rows
SELECT COUNT(*), md5(string_agg(concat_ws('|', "ID", COALESCE(CAST("lkpJob" AS text), '~'), COALESCE(CAST("lkpJobRunner" AS text), '~'), COALESCE(CAST("enmJobType" AS text), '~'), COALESCE(CAST("WhenToRun" AS text), '~'), COALESCE(CAST("CyclicCount" AS text), '~'), COALESCE(CAST("TimeOutSec" AS text), '~'), COALESCE(CAST("Active" AS text), '~'), COALESCE(CAST("IsManaged" AS text), '~'), COALESCE(CAST("NextRunTime" AS text), '~'), COALESCE(CAST("LastRunTime" AS text), '~'), COALESCE(CAST("enmJobStatus" AS text), '~'), COALESCE(CAST("WarningMailSent" AS text), '~')), ',' ORDER BY "ID")) FROM "c_Job";

-- targcc_logged.insert_targcc_logged
INSERT INTO "c_LoggedJob" ("c_JobID", "WhenStarted", "ActivatingUser", "LastRunBy", "ExecutionTimeSec", "enmRunStatus_JobStatus", "Remarks", "SuccessCount", "FailureCount", "AddedBy", "AddedOn") VALUES (:c_JobID, :WhenStarted, :ActivatingUser, :LastRunBy, :ExecutionTimeSec, :enmRunStatus_JobStatus, :Remarks, :SuccessCount, :FailureCount, :AddedBy, :AddedOn);

-- targcc_logged.read_targcc_logged
SELECT l."ID", COALESCE(j."lkpJob", ''), l."WhenStarted", l."ExecutionTimeSec", l."enmRunStatus_JobStatus", l."Remarks", l."LastRunBy", l."ActivatingUser", l."AddedOn" FROM "c_LoggedJob" l LEFT JOIN "c_Job" j ON j."ID" = l."c_JobID" WHERE (:any_name = 1 OR LOWER(j."lkpJob") = :name) AND (:any_outcome = 1 OR LOWER(COALESCE(l."enmRunStatus_JobStatus", '')) NOT IN ('success', 'warning')) ORDER BY l."ID" DESC LIMIT :limit;

-- targcc_logged.targcc_runs_that_began
SELECT "LastRunBy" FROM "c_LoggedJob" WHERE "c_JobID" = :id AND "WhenStarted" = :at;

-- targcc_logged.targcc_statistics
SELECT COALESCE(j."lkpJob", ''), COUNT(*), SUM(CASE WHEN LOWER(COALESCE(l."enmRunStatus_JobStatus", '')) IN ('success', 'warning') THEN 1 ELSE 0 END), AVG(l."ExecutionTimeSec"), MIN(l."ExecutionTimeSec"), MAX(l."ExecutionTimeSec"), MAX(l."WhenStarted") FROM "c_LoggedJob" l LEFT JOIN "c_Job" j ON j."ID" = l."c_JobID" WHERE COALESCE(l."WhenStarted", l."AddedOn") >= :since GROUP BY COALESCE(j."lkpJob", '') ORDER BY COALESCE(j."lkpJob", '');

-- targcc_mail.last_targcc_run
SELECT "WhenStarted", "Remarks" FROM "c_LoggedJob" WHERE "c_JobID" = :id ORDER BY "ID" DESC LIMIT 1;

-- targcc_mail.mailing_targcc_rows
SELECT r."c_JobID", MAX(j."lkpJob") FROM "c_JobAlertRecipient" r JOIN "c_Job" j ON j."ID" = r."c_JobID" WHERE LOWER(TRIM(r."enmJobAlertType")) = 'email' AND r."DeletedOn" IS NULL GROUP BY r."c_JobID" ORDER BY r."c_JobID";

-- targcc_mail.problem_mail_to
SELECT "spt_SettingValue" FROM "c_SystemDefault" WHERE "Group" = 'Config' AND "SettingName" = 'ProblemMailTo';

-- targcc_mail.recipients_among_users
SELECT t."c_JobID", CASE WHEN COALESCE(t."OverrideEmailOrPhone", '') <> '' THEN t."OverrideEmailOrPhone" ELSE u."Email" END FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "c_JobAlertRecipient" t ON t."c_JobID" = x.id LEFT JOIN "c_User" u ON u."ID" = t."c_UserID" WHERE LOWER(TRIM(t."enmJobAlertType")) = 'email' AND t."DeletedOn" IS NULL ORDER BY t."ID";

-- targcc_mail.recipients_without_users
SELECT t."c_JobID", t."OverrideEmailOrPhone" FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "c_JobAlertRecipient" t ON t."c_JobID" = x.id WHERE LOWER(TRIM(t."enmJobAlertType")) = 'email' AND t."DeletedOn" IS NULL ORDER BY t."ID";

-- targcc_mail.targcc_recipients
SELECT t."c_JobID", CASE WHEN COALESCE(t."OverrideName", '') <> '' THEN t."OverrideEmailOrPhone" ELSE u."Email" END FROM (SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x JOIN "c_JobAlertRecipient" t ON t."c_JobID" = x.id LEFT JOIN "c_User" u ON u."ID" = t."c_UserID" WHERE LOWER(TRIM(t."enmJobAlertType")) = 'email' AND t."DeletedOn" IS NULL ORDER BY t."ID";

-- targcc_mail.warn_of_targcc_row
UPDATE "c_Job" SET "WarningMailSent" = 1 WHERE "ID" = :id;

-- targcc_marks.forget_targcc
DELETE FROM "HangfireHash" WHERE "HangfireHash"."Key" = %(key)s::VARCHAR AND "HangfireHash"."Field" = %(field)s::VARCHAR;

-- targcc_marks.read_targcc_marks
SELECT "HangfireHash"."Field", "HangfireHash"."Value" 
FROM "HangfireHash" 
WHERE "HangfireHash"."Key" = %(Key_1)s::VARCHAR AND "HangfireHash"."Field" IN (__[POSTCOMPILE_fields]);
