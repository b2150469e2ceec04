-- doctor.waiting_sample
SELECT j."InvocationData" FROM "HangfireJob" j WHERE j."StateName" = 'Enqueued' ORDER BY j."Id" LIMIT 200;

-- expiry.delete_counter_rows
DELETE FROM "HangfireCounter" AS t WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- expiry.delete_counters
DELETE FROM "HangfireAggregatedCounter" AS t WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- expiry.delete_hashes
DELETE FROM "HangfireHash" AS t WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- expiry.delete_job_logs
DELETE FROM "HangfireJobLog" AS t WHERE t."JobId" IN (SELECT value FROM json_each(:ids));

-- expiry.delete_job_parameters
DELETE FROM "HangfireJobParameter" AS t WHERE t."JobId" IN (SELECT value FROM json_each(:ids));

-- expiry.delete_job_queue
DELETE FROM "HangfireJobQueue" AS t WHERE t."JobId" IN (SELECT value FROM json_each(:ids));

-- expiry.delete_job_states
DELETE FROM "HangfireState" AS t WHERE t."JobId" IN (SELECT value FROM json_each(:ids));

-- expiry.delete_jobs
DELETE FROM "HangfireJob" AS t WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- expiry.delete_lists
DELETE FROM "HangfireList" AS t WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- expiry.delete_sets
DELETE FROM "HangfireSet" AS t WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- expiry.expired_counters
SELECT "HangfireAggregatedCounter"."Id" 
FROM "HangfireAggregatedCounter" 
WHERE "HangfireAggregatedCounter"."ExpireAt" < ? ORDER BY "HangfireAggregatedCounter"."ExpireAt"
 LIMIT ? OFFSET ?;

-- expiry.expired_hashes
SELECT "HangfireHash"."Id" 
FROM "HangfireHash" 
WHERE "HangfireHash"."ExpireAt" < ? ORDER BY "HangfireHash"."ExpireAt"
 LIMIT ? OFFSET ?;

-- expiry.expired_jobs
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."ExpireAt" < ? ORDER BY "HangfireJob"."ExpireAt"
 LIMIT ? OFFSET ?;

-- expiry.expired_lists
SELECT "HangfireList"."Id" 
FROM "HangfireList" 
WHERE "HangfireList"."ExpireAt" < ? ORDER BY "HangfireList"."ExpireAt"
 LIMIT ? OFFSET ?;

-- expiry.expired_sets
SELECT "HangfireSet"."Id" 
FROM "HangfireSet" 
WHERE "HangfireSet"."ExpireAt" < ? ORDER BY "HangfireSet"."ExpireAt"
 LIMIT ? OFFSET ?;

-- expiry.lock_counter_rows
SELECT "HangfireCounter"."Id", "HangfireCounter"."Key", "HangfireCounter"."Value", "HangfireCounter"."ExpireAt" 
FROM "HangfireCounter" ORDER BY "HangfireCounter"."Id"
 LIMIT ? OFFSET ?;

-- expiry.upsert_aggregated
INSERT INTO "HangfireAggregatedCounter" ("Key", "Value", "ExpireAt") VALUES (:Key, :Value, :ExpireAt) ON CONFLICT ("Key") DO UPDATE SET "Value" = "HangfireAggregatedCounter"."Value" + EXCLUDED."Value", "ExpireAt" = EXCLUDED."ExpireAt";

-- glance.glance
SELECT strftime('%Y-%m-%d %H:%M:%f000', 'now'), CAST(strftime('%s', 'now', 'localtime') AS INTEGER) - CAST(strftime('%s', 'now') AS INTEGER), (SELECT 1 FROM "HangfireJobQueue" WHERE "Queue" IN (:queues) AND "FetchedAt" IS NULL LIMIT 1), (SELECT MIN("Score") FROM "HangfireSet" WHERE "Key" = 'schedule' AND "Score" >= 0), (SELECT MIN("Score") FROM "HangfireSet" WHERE "Key" = 'python:recurring-jobs' AND "Score" >= 0);

-- jobs.enter_one
UPDATE "HangfireJob" SET "StateId" = :state, "StateName" = :name, "ExpireAt" = :expire WHERE "Id" = :id;

-- jobs.enter_state
UPDATE "HangfireJob" AS t SET "StateId" = (SELECT MAX(s."Id") FROM "HangfireState" s WHERE s."JobId" = t."Id"), "StateName" = :name, "ExpireAt" = :expire WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- jobs.insert_job
INSERT INTO "HangfireJob" ("StateName", "InvocationData", "Arguments", "CreatedAt", "Queue", "Priority", "EnqueueKey") VALUES (:StateName, :InvocationData, :Arguments, :CreatedAt, :Queue, :Priority, :EnqueueKey);

-- jobs.insert_log
INSERT INTO "HangfireJobLog" ("JobId", "Attempt", "CreatedAt", "Lines") VALUES (:JobId, :Attempt, :CreatedAt, :Lines);

-- jobs.insert_one_job
INSERT INTO "HangfireJob" ("StateName", "InvocationData", "Arguments", "CreatedAt", "Queue", "Priority", "EnqueueKey") VALUES (:StateName, :InvocationData, :Arguments, :CreatedAt, :Queue, :Priority, :EnqueueKey);

-- jobs.insert_one_state
INSERT INTO "HangfireState" ("JobId", "Name", "Reason", "CreatedAt", "Data") VALUES (:JobId, :Name, :Reason, :CreatedAt, :Data);

-- jobs.insert_state
INSERT INTO "HangfireState" ("JobId", "Name", "Reason", "CreatedAt", "Data") VALUES (:JobId, :Name, :Reason, :CreatedAt, :Data);

-- jobs.jobs_by_key
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."EnqueueKey" >= ? AND "HangfireJob"."EnqueueKey" < ? ORDER BY "HangfireJob"."EnqueueKey";

-- jobs.lock_free_jobs
SELECT t."Id", t."StateName", t."StateId", t."Queue", t."Priority", t."CreatedAt" FROM (SELECT value AS id FROM json_each(:ids)) x JOIN "HangfireJob" t ON t."Id" = x.id;

-- jobs.lock_jobs
SELECT t."Id", t."StateName", t."StateId", t."Queue", t."Priority", t."CreatedAt" FROM (SELECT value AS id FROM json_each(:ids)) x JOIN "HangfireJob" t ON t."Id" = x.id;

-- jobs.read_history
SELECT "HangfireState"."Id", "HangfireState"."Name", "HangfireState"."Reason", "HangfireState"."CreatedAt", "HangfireState"."Data" 
FROM "HangfireState" 
WHERE "HangfireState"."JobId" = ? ORDER BY "HangfireState"."Id";

-- jobs.read_jobs
SELECT t."Id", t."StateName", t."StateId", t."InvocationData", t."Arguments", t."CreatedAt", t."ExpireAt", t."Queue", t."Priority" FROM (SELECT value AS id FROM json_each(:ids)) x JOIN "HangfireJob" t ON t."Id" = x.id;

-- jobs.read_log
SELECT "HangfireJobLog"."Attempt", "HangfireJobLog"."CreatedAt", "HangfireJobLog"."Lines" 
FROM "HangfireJobLog" 
WHERE "HangfireJobLog"."JobId" = ? ORDER BY "HangfireJobLog"."Id";

-- jobs.read_parameters
SELECT t."JobId", t."Name", t."Value" FROM (SELECT value AS id FROM json_each(:ids)) x JOIN "HangfireJobParameter" t ON t."JobId" = x.id;

-- jobs.route
UPDATE "HangfireJob" AS t SET "Queue" = :queue, "Priority" = :priority WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- jobs.states_now
SELECT t."Id", t."StateName", t."StateId" FROM (SELECT value AS id FROM json_each(:ids)) x JOIN "HangfireJob" t ON t."Id" = x.id;

-- jobs.upsert_parameter
INSERT INTO "HangfireJobParameter" ("JobId", "Name", "Value") VALUES (:JobId, :Name, :Value) ON CONFLICT ("JobId", "Name") DO UPDATE SET "Value" = EXCLUDED."Value";

-- legacy.all_rows
SELECT "c_Job"."ID", "c_Job"."JobName", "c_Job"."CronExpression", "c_Job"."StoredProcName", "c_Job"."IsActive", "c_Job"."LastRun", "c_Job"."NextRun", substr("c_Job"."LastResult", ?, ?) AS substr_1, "c_Job"."FailureCount" 
FROM "c_Job" ORDER BY "c_Job"."ID";

-- legacy.delete_row
DELETE FROM "c_Job" WHERE ? = "c_Job"."ID";

-- legacy.lock_row
SELECT "c_Job"."ID", "c_Job"."JobName", "c_Job"."CronExpression", "c_Job"."StoredProcName", "c_Job"."IsActive", "c_Job"."LastRun", "c_Job"."NextRun", substr("c_Job"."LastResult", ?, ?) AS substr_1, "c_Job"."FailureCount" 
FROM "c_Job" 
WHERE ? = "c_Job"."ID";

-- legacy.note_row
UPDATE "c_Job" SET "LastResult"=? WHERE ? = "c_Job"."ID";

-- legacy.plan_row
UPDATE "c_Job" SET "NextRun"=? WHERE ? = "c_Job"."ID";

-- legacy.switch_row
UPDATE "c_Job" SET "IsActive"=?, "NextRun"=? WHERE ? = "c_Job"."ID";

-- legacy.wanting_rows
SELECT "c_Job"."ID", "c_Job"."JobName", "c_Job"."CronExpression", "c_Job"."StoredProcName", "c_Job"."NextRun", "c_Job"."LastResult" 
FROM "c_Job" 
WHERE "c_Job"."IsActive" != ? AND ("c_Job"."NextRun" IS NULL OR "c_Job"."NextRun" <= ?) ORDER BY "c_Job"."ID"
 LIMIT ? OFFSET ?;

-- legacy.write_failure
UPDATE "c_Job" SET "LastRun" = :ran_at, "LastResult" = :text, "FailureCount" = COALESCE("FailureCount", 0) + 1 WHERE "ID" = :id;

-- legacy.write_success
UPDATE "c_Job" SET "LastRun"=?, "LastResult"=?, "FailureCount"=? WHERE ? = "c_Job"."ID";

-- logged.insert_logged
INSERT INTO "c_LoggedJob" ("JobName", "JobId", "JobType", "StartedAt", "CompletedAt", "DurationMs", "Success", "ResultMessage", "ErrorMessage", "StackTrace", "ServerName", "TriggeredBy", "MemoryUsedMB", "CpuTimeMs", "CreatedAt") VALUES (:JobName, :JobId, :JobType, :StartedAt, :CompletedAt, :DurationMs, :Success, :ResultMessage, :ErrorMessage, :StackTrace, :ServerName, :TriggeredBy, :MemoryUsedMB, :CpuTimeMs, :CreatedAt);

-- logged.logged_statistics
SELECT "c_LoggedJob"."JobName", count(*) AS count_1, sum("c_LoggedJob"."Success") AS sum_1, avg("c_LoggedJob"."DurationMs") AS avg_1, min("c_LoggedJob"."DurationMs") AS min_1, max("c_LoggedJob"."DurationMs") AS max_1, max("c_LoggedJob"."StartedAt") AS max_2 
FROM "c_LoggedJob" 
WHERE "c_LoggedJob"."StartedAt" >= ? GROUP BY "c_LoggedJob"."JobName" ORDER BY "c_LoggedJob"."JobName";

-- logged.read_logged
SELECT "c_LoggedJob"."ID", "c_LoggedJob"."JobName", "c_LoggedJob"."JobId", "c_LoggedJob"."JobType", "c_LoggedJob"."StartedAt", "c_LoggedJob"."CompletedAt", "c_LoggedJob"."DurationMs", "c_LoggedJob"."Success", "c_LoggedJob"."ResultMessage", "c_LoggedJob"."ErrorMessage", "c_LoggedJob"."StackTrace", "c_LoggedJob"."ServerName", "c_LoggedJob"."TriggeredBy", "c_LoggedJob"."MemoryUsedMB", "c_LoggedJob"."CpuTimeMs", "c_LoggedJob"."CreatedAt" 
FROM "c_LoggedJob" 
WHERE (? = ? OR lower("c_LoggedJob"."JobName") = ?) AND (? = ? OR "c_LoggedJob"."Success" = ?) ORDER BY "c_LoggedJob"."ID" DESC
 LIMIT ? OFFSET ?;

-- monitoring.calls_in_state
SELECT "HangfireJob"."Id", "HangfireJob"."InvocationData", "HangfireJob"."Queue" 
FROM "HangfireJob" 
WHERE "HangfireJob"."StateName" = ? AND "HangfireJob"."Id" < ? ORDER BY "HangfireJob"."Id" DESC
 LIMIT ? OFFSET ?;

-- monitoring.count_fetched
SELECT count(*) AS count_1 
FROM (SELECT "HangfireJobQueue"."Id" AS "Id" 
FROM "HangfireJobQueue" 
WHERE "HangfireJobQueue"."Queue" = ? AND "HangfireJobQueue"."FetchedAt" IS NOT NULL
 LIMIT ? OFFSET ?) AS anon_1;

-- monitoring.count_state
SELECT count(*) AS count_1 
FROM (SELECT "HangfireJob"."Id" AS "Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."StateName" = ?
 LIMIT ? OFFSET ?) AS anon_1;

-- monitoring.count_waiting
SELECT count(*) AS count_1 
FROM (SELECT "HangfireJobQueue"."Id" AS "Id" 
FROM "HangfireJobQueue" 
WHERE "HangfireJobQueue"."Queue" = ? AND "HangfireJobQueue"."FetchedAt" IS NULL
 LIMIT ? OFFSET ?) AS anon_1;

-- monitoring.ids_in_state
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."StateName" = ? AND "HangfireJob"."Id" < ? ORDER BY "HangfireJob"."Id" DESC
 LIMIT ? OFFSET ?;

-- monitoring.newest_calls
SELECT "HangfireJob"."Id", "HangfireJob"."InvocationData", "HangfireJob"."Queue" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < ? ORDER BY "HangfireJob"."Id" DESC
 LIMIT ? OFFSET ?;

-- monitoring.newest_ids
SELECT "HangfireJob"."Id" 
FROM "HangfireJob" 
WHERE "HangfireJob"."Id" < ? ORDER BY "HangfireJob"."Id" DESC
 LIMIT ? OFFSET ?;

-- monitoring.queue_names
SELECT DISTINCT "HangfireJobQueue"."Queue" 
FROM "HangfireJobQueue";

-- queues.claimable
SELECT "Id", "JobId", "Priority" FROM "HangfireJobQueue" INDEXED BY "IX_HangfireJobQueue_Claim" WHERE "Queue" = :queue AND "FetchedAt" IS NULL AND NOT EXISTS (SELECT 1 FROM "HangfireSet" s WHERE s."Key" = 'paused-queues' AND s."Value" = :queue) ORDER BY "Priority", "Id" LIMIT :limit;

-- queues.claimable_after
SELECT "Id", "JobId", "Priority" FROM "HangfireJobQueue" INDEXED BY "IX_HangfireJobQueue_Claim" WHERE "Queue" = :queue AND "FetchedAt" IS NULL AND "Priority" = :priority AND "Id" > :id AND NOT EXISTS (SELECT 1 FROM "HangfireSet" s WHERE s."Key" = 'paused-queues' AND s."Value" = :queue) ORDER BY "Priority", "Id" LIMIT :limit;

-- queues.claimable_before
SELECT "Id", "JobId", "Priority" FROM "HangfireJobQueue" INDEXED BY "IX_HangfireJobQueue_Claim" WHERE "Queue" = :queue AND "FetchedAt" IS NULL AND "Priority" < :priority AND NOT EXISTS (SELECT 1 FROM "HangfireSet" s WHERE s."Key" = 'paused-queues' AND s."Value" = :queue) ORDER BY "Priority", "Id" LIMIT :limit;

-- queues.claimable_except
SELECT "Id", "JobId", "Priority" FROM "HangfireJobQueue" INDEXED BY "IX_HangfireJobQueue_Claim" WHERE "Queue" = :queue AND "FetchedAt" IS NULL AND "Id" NOT IN (SELECT id FROM (SELECT value AS id FROM json_each(:ids)) x) AND NOT EXISTS (SELECT 1 FROM "HangfireSet" s WHERE s."Key" = 'paused-queues' AND s."Value" = :queue) ORDER BY "Priority", "Id" LIMIT :limit;

-- queues.delete_of_jobs
DELETE FROM "HangfireJobQueue" AS t WHERE t."JobId" IN (SELECT value FROM json_each(:ids));

-- queues.delete_rows
DELETE FROM "HangfireJobQueue" AS t WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- queues.fetched_rows
SELECT "Id", "JobId", "FetchToken" FROM "HangfireJobQueue" WHERE "FetchToken" IS NOT NULL ORDER BY "FetchToken" LIMIT :limit;

-- queues.give_back
UPDATE "HangfireJobQueue" AS t SET "FetchedAt" = NULL, "FetchToken" = NULL WHERE t."Id" IN (SELECT value FROM json_each(:ids)) AND t."FetchToken" = :token;

-- queues.held_by
SELECT "Id", "JobId", "FetchToken" FROM "HangfireJobQueue" WHERE "FetchToken" >= :low AND "FetchToken" < :high ORDER BY "Id";

-- queues.lock_rows
SELECT t."Id", t."FetchToken" FROM (SELECT value AS id FROM json_each(:ids)) x JOIN "HangfireJobQueue" t ON t."Id" = x.id;

-- queues.push_row
INSERT INTO "HangfireJobQueue" ("JobId", "Queue", "Priority") VALUES (:JobId, :Queue, :Priority);

-- queues.rows_of_jobs
SELECT t."JobId" FROM (SELECT value AS id FROM json_each(:ids)) x JOIN "HangfireJobQueue" t ON t."JobId" = x.id;

-- queues.take
UPDATE "HangfireJobQueue" AS t SET "FetchedAt" = :now, "FetchToken" = :token WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- servers.beat
UPDATE "HangfireServer" SET "LastHeartbeat" = :now WHERE "Id" = :id;

-- servers.change_data
UPDATE "HangfireServer" SET "Data" = :data WHERE "Id" = :id;

-- servers.delete_server
DELETE FROM "HangfireServer" WHERE "HangfireServer"."Id" = ?;

-- servers.lock_server
SELECT "HangfireServer"."LastHeartbeat" 
FROM "HangfireServer" 
WHERE "HangfireServer"."Id" = ?;

-- servers.read_servers
SELECT "HangfireServer"."Id", "HangfireServer"."Data", "HangfireServer"."LastHeartbeat" 
FROM "HangfireServer" ORDER BY "HangfireServer"."Id";

-- servers.release_row
UPDATE "HangfireJobQueue" AS t SET "FetchedAt" = NULL, "FetchToken" = NULL WHERE t."Id" IN (SELECT value FROM json_each(:ids)) AND t."FetchToken" >= :low AND t."FetchToken" < :high;

-- servers.upsert_server
INSERT INTO "HangfireServer" ("Id", "Data", "LastHeartbeat") VALUES (:Id, :Data, :LastHeartbeat) ON CONFLICT ("Id") DO UPDATE SET "Data" = EXCLUDED."Data", "LastHeartbeat" = EXCLUDED."LastHeartbeat";

-- structures.all_members
SELECT "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = ? ORDER BY "HangfireSet"."Value";

-- structures.count_members
SELECT count(*) AS count_1 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = ?;

-- structures.delete_hash
DELETE FROM "HangfireHash" WHERE "HangfireHash"."Key" = ?;

-- structures.delete_member
DELETE FROM "HangfireSet" WHERE "HangfireSet"."Key" = ? AND "HangfireSet"."Value" = ?;

-- structures.delete_members
DELETE FROM "HangfireSet" AS t WHERE t."Id" IN (SELECT value FROM json_each(:ids));

-- structures.due_members
SELECT "HangfireSet"."Id", "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = ? AND "HangfireSet"."Score" >= ? AND "HangfireSet"."Score" <= ? ORDER BY "HangfireSet"."Score"
 LIMIT ? OFFSET ?;

-- structures.insert_counter
INSERT INTO "HangfireCounter" ("Key", "Value", "ExpireAt") VALUES (:Key, :Value, :ExpireAt);

-- structures.lock_due_members
SELECT "HangfireSet"."Id", "HangfireSet"."Value", "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = ? AND "HangfireSet"."Score" >= ? AND "HangfireSet"."Score" <= ? ORDER BY "HangfireSet"."Score"
 LIMIT ? OFFSET ?;

-- structures.lock_member
SELECT "HangfireSet"."Score" 
FROM "HangfireSet" 
WHERE "HangfireSet"."Key" = ? AND "HangfireSet"."Value" = ?;

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
WHERE "HangfireHash"."Key" = ?;

-- structures.read_hashes
SELECT "HangfireHash"."Key", "HangfireHash"."Field", "HangfireHash"."Value" 
FROM "HangfireHash" 
WHERE "HangfireHash"."Key" IN (__[POSTCOMPILE_keys]);

-- structures.upsert_field
INSERT INTO "HangfireHash" ("Key", "Field", "Value", "ExpireAt") VALUES (:Key, :Field, :Value, :ExpireAt) ON CONFLICT ("Key", "Field") DO UPDATE SET "Value" = EXCLUDED."Value";

-- structures.upsert_member
INSERT INTO "HangfireSet" ("Key", "Value", "Score", "ExpireAt") VALUES (:Key, :Value, :Score, :ExpireAt) ON CONFLICT ("Key", "Value") DO UPDATE SET "Score" = EXCLUDED."Score";
