"""What the API is sent and what it answers, by name and type; the document is made of it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from webui.api.fields import Body, Json, Moment, Payload, Text, described, limit, name

_TASK = "a registered job: its display name, function or class name, or module:function, in any case"
_PAYLOAD = "the arguments as JSON text: an object names them, an array has them by position"
_CRON = "5 fields, 6 with seconds first, or @daily and the like"
#: A recurring job's id stands behind a prefix in a column of 100 characters.
LONGEST_ID = 79
#: A year, in seconds.
LONGEST_DELAY = 366 * 86_400


class FaultSchema(Schema):
    """What is wrong with one field."""

    field = fields.String(required=True)
    message = fields.String(required=True)


class ProblemSchema(Schema):
    """An error, as RFC 9457 has it."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = described(fields.String, "tells errors apart, such as Jobs.NotFound", required=True)
    detail = fields.String(required=True)
    errors = fields.List(fields.Nested(FaultSchema))


# -- jobs by name, /api/jobs ----------------------------------------------------------------------------------


class FireAndForget(Body):
    """A job to run as soon as possible."""

    taskType = name(longest=300, text=_TASK)
    payload = Payload(load_default=None, allow_none=True, metadata={"type": "string", "description": _PAYLOAD})


class Delayed(FireAndForget):
    """A job to run later."""

    delaySeconds = fields.Integer(
        required=True, strict=True, validate=validate.Range(0, LONGEST_DELAY), metadata={"description": "seconds"}
    )


class RecurringJob(FireAndForget):
    """A job to run by a schedule; the id says which one is made or changed."""

    jobId = name(longest=LONGEST_ID)
    cronExpression = name(text=_CRON)


class Started(Schema):
    """A job that was written."""

    jobId = fields.Integer(required=True)
    message = fields.String(required=True)


class Saved(Schema):
    """A recurring job that was written."""

    jobId = fields.String(required=True)
    message = fields.String(required=True)


class KnownJob(Schema):
    """What is known of a job by its name."""

    jobType = described(fields.String, "module and function or class, or the procedure of a row of c_Job")
    jobName = fields.String()
    description = fields.String()
    type = described(fields.String, "Recurring, FireAndForget, Delayed or Manual")
    cronExpression = fields.String(allow_none=True)
    queue = fields.String()
    retryAttempts = fields.Integer()


class HistoryQuery(Body):
    """How much of it."""

    limit = limit(50, 1000)
    count = fields.Integer(validate=validate.Range(1, 1000), metadata={"description": "the same as limit"})


class LoggedRun(Schema):
    """A row of c_LoggedJob; moments are UTC."""

    id = fields.Integer(attribute="ID")
    jobName = fields.String(attribute="JobName")
    jobId = fields.String(attribute="JobId", allow_none=True)
    jobType = fields.String(attribute="JobType")
    startedAt = Moment(attribute="StartedAt", allow_none=True)
    completedAt = Moment(attribute="CompletedAt", allow_none=True)
    durationMs = fields.Integer(attribute="DurationMs", allow_none=True)
    success = fields.Boolean(attribute="Success")
    resultMessage = fields.String(attribute="ResultMessage", allow_none=True)
    errorMessage = fields.String(attribute="ErrorMessage", allow_none=True)
    stackTrace = fields.String(attribute="StackTrace", allow_none=True)
    serverName = fields.String(attribute="ServerName", allow_none=True)
    triggeredBy = fields.String(attribute="TriggeredBy", allow_none=True)
    memoryUsedMB = fields.Integer(attribute="MemoryUsedMB", allow_none=True)
    cpuTimeMs = fields.Integer(attribute="CpuTimeMs", allow_none=True)
    createdAt = Moment(attribute="CreatedAt", allow_none=True)


# -- recurring jobs, /api/v1/admin/jobs ---------------------------------------------------------------------------


class AdminJobsQuery(Body):
    """Which part of them."""

    limit = limit(1000, 1000)
    after = Text(
        load_default=None,
        validate=validate.Length(1, 100),
        metadata={"description": "the id that the page before ends with"},
    )


class AdminJob(Schema):
    """A recurring job."""

    id = fields.String()
    name = fields.String()
    cron = fields.String()
    timeZone = fields.String()
    queue = fields.String()
    nextExecution = Moment(allow_none=True)
    lastExecution = Moment(allow_none=True)
    lastJobId = fields.Integer(allow_none=True)
    lastStatus = described(fields.String, "the state of its last job; null when that has expired", allow_none=True)
    isPaused = fields.Boolean()
    pausedBy = described(fields.String, "null when nothing is known of it, as after SQL", allow_none=True)
    pausedSince = Moment(allow_none=True)
    pausedUntil = described(Moment, "when it resumes by itself", allow_none=True)
    pauseNote = fields.String(allow_none=True)
    error = described(fields.String, "why it cannot be scheduled", allow_none=True)
    createdAt = Moment(allow_none=True)


class PauseJob(Body):
    """What is to be known of a pause."""

    note = Text(load_default=None, allow_none=True, validate=validate.Length(max=500), metadata={"description": "why"})
    until = Moment(load_default=None, allow_none=True, metadata={"description": "when it resumes by itself"})


class ResumeJob(Body):
    """What becomes of the times that were missed."""

    runMissed = fields.Boolean(
        load_default=False, truthy={True}, falsy={False},
        metadata={"description": "run once now, if anything was missed; else that is skipped"},
    )  # fmt: skip


class TriggerJob(Body):
    """How it is run this time."""

    arguments = Json(
        load_default=None, allow_none=True,
        metadata={"description": "an object, or an array: for this run, instead of the arguments it has"},
    )  # fmt: skip


class Execution(Schema):
    """One run of a recurring job."""

    jobId = fields.String(allow_none=True)
    status = described(fields.String, "Succeeded or Failed")
    startedAt = Moment(allow_none=True)
    durationMs = fields.Integer(allow_none=True)
    error = fields.String(allow_none=True)


class AdminJobDetail(AdminJob):
    """A recurring job with its latest runs."""

    executionHistory = fields.List(fields.Nested(Execution))


class Restored(Schema):
    """A recurring job that was brought back."""

    id = fields.String()
    missing = described(fields.Boolean, "it was not there")
    isPaused = described(fields.Boolean, "it does not fire until it is resumed")
    differed = fields.List(fields.String(), metadata={"description": "what of it was not as the code says"})


class Restoration(Schema):
    """What came of restoring."""

    restored = fields.List(fields.Nested(Restored))
    unchanged = fields.Integer()
    problems = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata={"description": "why some are not written, by name"}
    )
