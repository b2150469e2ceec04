-- Rows as .NET servers of several ages write them. {p} stands for the prefix.

INSERT INTO `{p}Job` (Id, StateId, StateName, InvocationData, Arguments, CreatedAt, ExpireAt) VALUES
(1, 1, 'Enqueued', '{"Type":"Acme.Mailer, Acme","Method":"Send","ParameterTypes":"[\\"System.String\\",\\"System.Int32\\"]","Arguments":"[\\"\\\\\\"bob\\\\\\"\\",\\"3\\"]"}', '["\\"bob\\"","3"]', '2026-07-20 03:00:00.123456', NULL),
(2, 4, 'Succeeded', '{"Type":"Acme.Report, Acme","Method":"Run","ParameterTypes":"[]","Arguments":"[]"}', '[]', '2026-07-19 03:00:00.000001', '2026-07-20 03:00:01.999999'),
(3, 6, 'Failed', '{"Type":"Acme.Report, Acme","Method":"Laufe","ParameterTypes":"[]","Arguments":"[]"}', '["\\"Größe – שלום\\""]', '2026-07-19 03:00:00', NULL),
(4, 7, 'Scheduled', '{"Type":"Acme.Mailer, Acme","Method":"Send","ParameterTypes":"[]","Arguments":"[]"}', '[]', '2026-07-20 03:00:00', NULL),
(5, 8, 'Scheduled', '{"Type":"Acme.Mailer, Acme","Method":"Send","ParameterTypes":"[]","Arguments":"[]"}', '[]', '2026-07-20 03:00:00', NULL),
(6, 9, 'Scheduled', '{"Type":"Acme.Mailer, Acme","Method":"Send","ParameterTypes":"[]","Arguments":"[]"}', '[]', '2026-07-20 03:00:00', NULL),
(7, 10, 'Scheduled', '{"Type":"Acme.Mailer, Acme","Method":"Send","ParameterTypes":"[]","Arguments":"[]"}', '[]', '2026-07-20 03:00:00', NULL),
(8, 12, 'Scheduled', '{"Type":"Acme.Mailer, Acme","Method":"Send","ParameterTypes":"[]","Arguments":"[]"}', '[]', '2026-07-20 03:00:00', NULL),
(9, 13, 'Scheduled', '{"Type":"Acme.Mailer, Acme","Method":"Send","ParameterTypes":"[]","Arguments":"[]"}', '[]', '2026-07-20 03:00:00', NULL),
(10, 14, 'Scheduled', '{"Type":"Acme.Mailer, Acme","Method":"Send","ParameterTypes":"[]","Arguments":"[]"}', '[]', '2026-07-20 03:00:00', NULL),
(11, 15, 'Scheduled', '{"Type":"Acme.Mailer, Acme","Method":"Send","ParameterTypes":"[]","Arguments":"[]"}', '[]', '2026-07-20 03:00:00', NULL),
(12, 16, 'Awaiting', '{"Type":"Acme.Mailer, Acme","Method":"Send","ParameterTypes":"[]","Arguments":"[]"}', '[]', '2026-07-20 03:00:00', NULL);

INSERT INTO `{p}State` (Id, JobId, Name, Reason, CreatedAt, Data) VALUES
(1, 1, 'Enqueued', NULL, '2026-07-20 03:00:00.123457', '{"EnqueuedAt":"2026-07-20T03:00:00.1234567Z","Queue":"default"}'),
(2, 2, 'Enqueued', 'Triggered by recurring job scheduler', '2026-07-19 03:00:00', '{"EnqueuedAt":"1784430000000","Queue":"default"}'),
(3, 2, 'Processing', NULL, '2026-07-19 03:00:00.5', '{"StartedAt":"1784430000500","ServerId":"web1:4711:2f0c","WorkerId":"8f"}'),
(4, 2, 'Succeeded', NULL, '2026-07-19 03:00:01.5', '{"SucceededAt":"1784430001500","PerformanceDuration":"1000","Latency":"500","Result":"\\"fertig – ✓\\""}'),
(5, 3, 'Processing', NULL, '2026-07-19 03:00:00', '{"StartedAt":"2026-07-19T03:00:00.0000000Z","ServerId":"web1:4711:2f0c","WorkerId":"8f"}'),
(6, 3, 'Failed', 'An exception occurred during performance of the job.', '2026-07-19 03:00:01', '{"FailedAt":"2026-07-19T03:00:01.0000000Z","ExceptionType":"System.InvalidOperationException","ExceptionMessage":"Ungültig","ExceptionDetails":"System.InvalidOperationException: Ungültig\\r\\n   at Acme.Report.Laufe() in C:\\\\src\\\\Report.cs:line 42"}'),
(7, 4, 'Scheduled', NULL, '2026-07-20 03:00:00', '{"EnqueueAt":"2026-07-20T04:01:05.0000000Z","ScheduledAt":"2026-07-20T03:00:00.0000000Z"}'),
(8, 5, 'Scheduled', 'Retry attempt 1 of 10: Ungültig', '2026-07-20 03:00:00', '{"EnqueueAt":"1784520100123","ScheduledAt":"1784516400000"}'),
(9, 6, 'Scheduled', NULL, '2026-07-20 03:00:00', '{"EnqueueAt":"1784520165","ScheduledAt":"1784516400"}'),
(10, 7, 'Scheduled', NULL, '2026-07-20 03:00:00', '{"EnqueueAt":"2026-07-20T06:02:10.5000000+02:00","ScheduledAt":"2026-07-20T03:00:00.0000000Z"}'),
(11, 8, 'Enqueued', NULL, '2026-07-20 03:00:00', '{"EnqueuedAt":"2026-07-20T03:00:00.0000000Z","Queue":"mail"}'),
(12, 8, 'Scheduled', NULL, '2026-07-20 03:00:00', '{"enqueueAt":"2026-07-19T23:02:11.9999999-05:00","scheduledAt":"2026-07-20T03:00:00.0000000Z"}'),
(13, 9, 'Scheduled', NULL, '2026-07-20 03:00:00', '{"EnqueueAt":"2026-02-30T04:00:01.0000000Z"}'),
(14, 10, 'Scheduled', NULL, '2026-07-20 03:00:00', '{broken'),
(15, 11, 'Scheduled', NULL, '2026-07-20 03:00:00', '{"EnqueueAt":"2026-07-20T04:01:05.0000000Z"}'),
(16, 12, 'Awaiting', NULL, '2026-07-20 03:00:00', '{"ParentId":"1","NextState":"{\\"$type\\":\\"Hangfire.States.EnqueuedState, Hangfire.Core\\",\\"Queue\\":\\"default\\",\\"Reason\\":null}","Options":"OnlyOnSucceededState","Expiration":"365.00:00:00"}');

INSERT INTO `{p}JobParameter` (Id, JobId, Name, Value) VALUES
(1, 1, 'CurrentCulture', '"de-DE"'),
(2, 1, 'Continuations', '[{"JobId":"12","Options":1}]'),
(3, 2, 'RecurringJobId', '"täglich"'),
(4, 2, 'Time', '1784430000'),
(5, 5, 'RetryCount', '1');

INSERT INTO `{p}JobQueue` (Id, JobId, FetchedAt, Queue, FetchToken) VALUES
(1, 1, NULL, 'default', NULL),
(2, 3, '2026-07-19 03:00:00.25', 'mail', '3f2504e0-4f89-11d3-9a0c-0305e82c3301');

INSERT INTO `{p}Server` (Id, Data, LastHeartbeat) VALUES
('web1:4711:2f0c', '{"WorkerCount":20,"Queues":["default"],"StartedAt":"2026-07-20T01:00:00.0000000Z"}', '2026-07-20 03:00:00.75');

INSERT INTO `{p}Set` (Id, `Key`, `Value`, Score, ExpireAt) VALUES
(1, 'schedule', '4', 1784520065, NULL),
(2, 'schedule', '5', 1784520100, NULL),
(3, 'schedule', '6', 1784520165, NULL),
(4, 'schedule', '7', 1784520130, NULL),
(5, 'schedule', 'mail:8', 1784520131, NULL),
(6, 'schedule', '9', 1784520132, NULL),
(7, 'schedule', '10', 1784520133, NULL),
(8, 'schedule', '11', 1784600000, NULL),
(9, 'schedule', 'no-such-job', 1784520134, NULL),
(10, 'retries', '5', 0, NULL),
(11, 'awaiting', '12', 1784516400, NULL),
(12, 'recurring-jobs', 'täglich', 1784520300, NULL),
(13, 'recurring-jobs', 'hourly', 1784523599, NULL),
(14, 'recurring-jobs', 'disabled', -1, NULL),
(15, 'recurring-jobs', 'fresh', 0, NULL),
(16, 'app:cache', 'x', 0.5, '2026-07-21 00:00:00');

INSERT INTO `{p}Hash` (Id, `Key`, Field, Value, ExpireAt) VALUES
(1, 'recurring-job:täglich', 'Cron', '5 4 * * *', NULL),
(2, 'recurring-job:täglich', 'TimeZoneId', 'W. Europe Standard Time', NULL),
(3, 'recurring-job:täglich', 'NextExecution', '2026-07-20T04:05:00.0000000Z', NULL),
(4, 'recurring-job:täglich', 'Job', '{"Type":"Acme.Report, Acme","Method":"Run","ParameterTypes":"[]","Arguments":"[]"}', NULL),
(5, 'recurring-job:hourly', 'NextExecution', '1784523599000', NULL),
(6, 'recurring-job:hourly', 'Job', '{"t":"Acme.Report, Acme","m":"Run"}', NULL),
(7, 'recurring-job:disabled', 'NextExecution', '', NULL),
(8, 'recurring-job:fresh', 'NextExecution', '2026-07-20T04:05:00.0000000Z', NULL),
(9, 'console:1', '0', 'ein Wort', '2026-07-21 00:00:00.5');

INSERT INTO `{p}List` (Id, `Key`, Value, ExpireAt) VALUES (1, 'app:list', 'a', NULL), (2, 'app:list', 'b', '2026-07-21 00:00:00.25');

INSERT INTO `{p}Counter` (Id, `Key`, `Value`, ExpireAt) VALUES
(1, 'stats:succeeded', 1, NULL),
(2, 'stats:succeeded:2026-07-19', 1, '2026-08-19 03:00:01'),
(3, 'stats:succeeded', -1, NULL);

INSERT INTO `{p}AggregatedCounter` (Id, `Key`, `Value`, ExpireAt) VALUES (1, 'stats:succeeded', 2147483647, NULL), (2, 'stats:succeeded:2026-07-19-03', 7, '2026-07-20 03:00:01');

INSERT INTO `{p}DistributedLock` (Resource, CreatedAt) VALUES
('recurring-jobs:lock', '2026-07-20 03:00:00.5'),
('recurring-jobs:lock', '2026-07-20 03:00:01.5');
