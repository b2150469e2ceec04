"""Types of jobs, queues, servers and rules of alerts, as /api/v1 tells them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from taskmanager.domain.states import ALL_NAMES
from webui.api.fields import Body, Moment, QuietHours, Telling, Text, described, name
from webui.api.workschemas import Cursor, JobRow


class TypeArgument(Schema):
    """An argument of a job."""

    name = fields.String()
    type = fields.String()
    required = fields.Boolean()
    default = described(fields.String, "as JSON", allow_none=True)


class TaskType(Schema):
    """A registered job."""

    taskType = fields.String()
    name = fields.String()
    description = fields.String()
    queue = fields.String()
    arguments = fields.List(fields.Nested(TypeArgument))


class Statistics(Schema):
    """The counts of everything; those of jobs that have not ended stop at 10,001."""

    at = Moment()
    stale = described(fields.Boolean, "the database does not answer; the figures are older")
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    atLeast = fields.List(
        fields.String(), metadata={"description": "counts that stopped at their bound: there may be more"}
    )


class CountQuery(Body):
    """Which jobs: of a state, of a filter, or of both."""

    state = fields.String(load_default=None, validate=validate.OneOf(ALL_NAMES))
    q = Text(
        load_default="", validate=validate.Length(max=500),
        metadata={"description": "a filter in the language of the lists, without named arguments"},
    )  # fmt: skip


class ExactCount(Schema):
    """All jobs of a state or of a filter, counted in the background."""

    state = fields.String(allow_none=True)
    progress = described(
        fields.String,
        "counting, done, slow (it takes longer than 5 s), away, or busy (others are being counted); ask again",
    )
    count = described(fields.Integer, "the newest that was had", allow_none=True)
    at = described(Moment, "when that was", allow_none=True)


class TrendQuery(Body):
    """How far back."""

    period = fields.String(load_default="day", validate=validate.OneOf(("hour", "day", "week", "month")))


class Trend(Schema):
    """How many jobs ended in each hour of a day, or each day of a week or month (UTC), how many runs in each minute of
    an hour; the last one is not over."""

    moments = fields.List(Moment())
    succeeded = fields.List(fields.Integer())
    failed = fields.List(fields.Integer())
    deleted = fields.List(
        fields.Integer(), allow_none=True, metadata={"description": "null in a dashboard of some queues"}
    )


class Queue(Schema):
    """A queue."""

    name = fields.String()
    paused = fields.Boolean()
    waiting = described(fields.Integer, "at most 10,001")
    fetched = described(fields.Integer, "in workers' hands")
    held = described(fields.Integer, "put aside, as they are paused by type or tag; at most 10,001")
    waitingSince = described(Moment, "of the job that waits longest, whatever its priority", allow_none=True)
    pausedSince = Moment(allow_none=True)
    pausedUntil = described(Moment, "when it resumes by itself", allow_none=True)
    pausedBy = fields.String(allow_none=True)
    pauseNote = fields.String(allow_none=True)
    endedPerMinute = described(fields.Float, "runs, over the last ten minutes")
    grownPerMinute = described(fields.Float, "by how many jobs; null where it was not looked at", allow_none=True)
    emptyInSeconds = described(
        fields.Float, "when it goes on like that; null where it does not shrink", allow_none=True
    )


class FiguresQuery(Body):
    """How far back."""

    range = fields.String(load_default="1h", validate=validate.OneOf(("1h", "24h", "7d")))


class QueueFigures(Schema):
    """By when a minute or hour begins (UTC); the last one is not over. Null where nobody looked."""

    moments = fields.List(Moment())
    succeeded = described(fields.List, "runs", cls_or_instance=fields.Integer())
    failed = described(fields.List, "runs, also of jobs that are tried again", cls_or_instance=fields.Integer())
    waiting = described(fields.List, "mean length", cls_or_instance=fields.Float(allow_none=True))
    latencySeconds = described(fields.List, "mean", cls_or_instance=fields.Float(allow_none=True))


class QueueJobsQuery(Cursor):
    """Which of them."""

    fetched = fields.Boolean(load_default=False, metadata={"description": "those in workers' hands"})
    held = fields.Boolean(load_default=False, metadata={"description": "those put aside, paused by type or tag"})


class QueueJobs(Schema):
    """A page of a queue's jobs, in its order."""

    items = fields.List(fields.Nested(JobRow))
    next = fields.String(allow_none=True)


class Server(Schema):
    """A worker process."""

    id = fields.String()
    name = fields.String()
    workers = fields.Integer()
    queues = fields.List(fields.String())
    startedAt = Moment(allow_none=True)
    heartbeat = Moment(allow_none=True)
    stage = described(fields.String, "active, silent or dead")
    scheduler = fields.Boolean()
    isPaused = described(fields.Boolean, "takes no more jobs")
    isStopping = described(fields.Boolean, "was asked to stop when its jobs have ended")
    running = described(fields.List, "jobs it performs", cls_or_instance=fields.Integer())
    version = fields.String(allow_none=True)
    memoryBytes = fields.Integer(allow_none=True)
    cpuPercent = described(fields.Float, "of one core, since its last sign of life", allow_none=True)
    jobsDone = described(fields.Integer, "since it began", allow_none=True)


class SystemFinding(Schema):
    """Something that was looked at."""

    level = described(fields.String, "ok, warn or bad")
    subject = fields.String()
    text = fields.String()
    cure = described(fields.String, "what to do; empty when nothing is wrong")


class ServerQuery(Schema):
    """Which page of its jobs."""

    before = Text(load_default=None, metadata={"description": "`next` of the page before"})


class ServerMinute(Schema):
    """A minute of a server, in the mean."""

    at = described(fields.Integer, "unix seconds at which it began")
    cpuPercent = described(fields.Float, "of one core")
    memoryBytes = fields.Integer()
    busyThreads = fields.Float()


class ServerSetting(Schema):
    """A setting of a server, as it began; secrets are masked."""

    name = fields.String()
    value = fields.String()
    origin = fields.String()


class ServerDetail(Server):
    """A worker process and what it tells of itself."""

    next = described(fields.String, "leads to further jobs that it performs", allow_none=True)
    minutes = described(fields.List, "its last hour", cls_or_instance=fields.Nested(ServerMinute))
    warnings = described(
        fields.List, "lines of its log, the oldest first; null without the permission args.view",
        cls_or_instance=fields.String(), allow_none=True,
    )  # fmt: skip
    settings = described(
        fields.List, "null without the permission system.view", cls_or_instance=fields.Nested(ServerSetting),
        allow_none=True,
    )  # fmt: skip


class SaveRule(Telling):
    """A rule of alerts, a row of c_JobAlert. Of the webhooks null keeps what is there, and an empty text removes it."""

    jobName = name()
    onFailure = fields.Boolean(load_default=True)
    onSuccess = fields.Boolean(load_default=False)
    onDurationExceeds = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 2**31 - 1),
        metadata={"description": "milliseconds"},
    )  # fmt: skip


class Rule(Schema):
    """A rule of alerts; of webhooks the host only."""

    id = fields.Integer()
    jobName = fields.String()
    onFailure = fields.Boolean()
    onSuccess = fields.Boolean()
    onDurationExceeds = fields.Integer(allow_none=True)
    emailRecipients = fields.List(fields.String())
    slackWebhook = fields.String(allow_none=True)
    teamsWebhook = fields.String(allow_none=True)
    maxAlertsPerHour = fields.Integer(allow_none=True)
    lastAlertSent = Moment(allow_none=True)
    sentInLastHour = fields.Integer()
    heldBack = described(fields.Integer, "messages since the last one that went out")
    isFailing = described(fields.Boolean, "a failure was told of last, and no recovery since")
    quietHours = fields.Nested(QuietHours, allow_none=True)


class Tested(Schema):
    """To whom a message was sent, and what came of it."""

    sent = fields.List(fields.String())
    failed = fields.List(fields.String())
