"""What is found by one text, what a schedule means, and how runs went, as /api/v1 tells it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from taskmanager.domain.conditions import Kind
from webui.api.fields import Body, Json, Moment, QuietHours, Telling, Text, described, limit, name
from webui.api.schemas import LONGEST_DELAY
from webui.api.workschemas import JobRow


class SearchQuery(Body):
    """What is looked for."""

    q = Text(
        required=True, validate=validate.Length(1, 500),
        metadata={"description": "a job's number, a filter, or a part of a name"},
    )  # fmt: skip


class FoundRecurring(Schema):
    """A recurring job by its name; /api/v1/recurring has the rest."""

    id = fields.String()
    name = fields.String()
    cron = fields.String()
    queue = fields.String()
    isPaused = fields.Boolean()


class FoundServer(Schema):
    """A worker process by its name."""

    id = fields.String()
    name = fields.String()
    stage = described(fields.String, "active, silent or dead")


class FoundRun(Schema):
    """A run by its row in c_LoggedJob."""

    historyId = fields.Integer()
    job = fields.String()
    startedAt = Moment()
    durationMs = fields.Integer(allow_none=True)
    succeeded = fields.Boolean()


class FoundChange(Schema):
    """What somebody changed of what has this name, or under it."""

    id = fields.Integer()
    at = Moment()
    user = fields.String()
    action = fields.String()
    kind = fields.String()
    target = fields.String()
    outcome = fields.String()


class SavedSearch(Schema):
    """A search under a name, one's own or of all."""

    name = fields.String()
    q = fields.String()
    by = described(fields.String, "who saved it")
    shared = fields.Boolean()


class NewSearch(Body):
    """A search to be kept."""

    name = name(longest=60)
    q = Text(required=True, validate=validate.Length(1, 500))


class SearchResult(Schema):
    """At most 20 of each kind. A number that a job has finds that job alone."""

    jobId = described(fields.Integer, "the job whose number it is", allow_none=True)
    jobs = fields.List(fields.Nested(JobRow))
    more = described(fields.Boolean, "there are more jobs: ask /api/v1/jobs with the same `q`")
    searchedDownTo = described(
        fields.Integer, "the search has looked at no job with a smaller id", allow_none=True
    )  # fmt: skip
    searched = described(
        fields.Integer, "how many jobs the search has looked at; null where it looked at all", allow_none=True
    )  # fmt: skip
    recurring = fields.List(fields.Nested(FoundRecurring))
    queues = fields.List(fields.String())
    servers = fields.List(fields.Nested(FoundServer))
    runs = fields.List(fields.Nested(FoundRun))
    changes = described(fields.List, "of the audit log, for who may see it", cls_or_instance=fields.Nested(FoundChange))
    filterError = described(fields.String, "why no job was looked for by it", allow_none=True)


class CronQuery(Body):
    """A schedule."""

    cron = name(text="5 fields, 6 with seconds first, or @daily and the like")
    timeZone = name(required=False, longest=64, load_default="UTC", text="`server`: that of c_Job's crons")
    daysAnd = fields.Boolean(load_default=False, metadata={"description": "both days must fit, not either"})


class ComingRun(Schema):
    """When it fires."""

    at = Moment()
    local = described(fields.String, "what the clock of its zone shows")
    offset = fields.String()
    remark = described(fields.String, "what daylight saving does before it; empty for nothing")


class CronPreview(Schema):
    """What a schedule means."""

    words = fields.String()
    runs = fields.List(fields.Nested(ComingRun))


class RecentQuery(Body):
    """How many of the newest."""

    limit = limit(60)


class RecentRun(Schema):
    """One run."""

    jobId = fields.Integer()
    startedAt = Moment()
    durationMs = fields.Integer()
    waitedMs = described(fields.Integer, "from its creation to its first start", allow_none=True)
    outcome = described(fields.String, "succeeded, failed, retried (failed, and tried again) or deleted (cancelled)")


class RecentRuns(Schema):
    """The newest runs, the oldest of them first, and what they come to."""

    runs = fields.List(fields.Nested(RecentRun))
    p50Ms = fields.Integer(allow_none=True)
    p95Ms = fields.Integer(allow_none=True)
    succeededPercent = fields.Float(allow_none=True)


class RecurringRun(RecentRun):
    """One run, and what c_LoggedJob has of it: null where that is switched off, or has no such row any more."""

    historyId = described(fields.Integer, "of /api/v1/history", allow_none=True)
    serverName = fields.String(allow_none=True)
    triggeredBy = fields.String(allow_none=True)
    message = described(fields.String, "how it ended, at most 300 characters", allow_none=True)


class RecurringRuns(RecentRuns):
    """The newest runs of a recurring job, the oldest of them first, and what they come to."""

    runs = fields.List(fields.Nested(RecurringRun))


class NewCopy(Body):
    """A job once more: the arguments that are another, by name, and its queue. What is not given stays."""

    arguments = fields.Dict(
        keys=Text(validate=validate.Length(1, 100)), values=Json(allow_none=True), load_default=dict,
        metadata={"description": "values as JSON, by the names of the function's arguments"},
    )  # fmt: skip
    queue = name(required=False, longest=50, load_default=None, allow_none=True)


class NewPlace(Body):
    """The queue a job is put into."""

    queue = name(longest=50)


class NewTime(Body):
    """When a job is to begin: after a while, or at a moment to come."""

    delaySeconds = fields.Float(
        load_default=None, allow_none=True, allow_nan=False,
        validate=validate.Range(0, LONGEST_DELAY, min_inclusive=False),
    )  # fmt: skip
    at = Moment(load_default=None, allow_none=True)


class Row(Schema):
    """The columns of a row of c_Job that can be edited, as texts; flags are `1` or empty."""

    version = described(fields.String, "another one whenever somebody has changed them")
    columns = fields.Dict(keys=fields.String(), values=fields.String())


class SaveRow(Body):
    """Columns that are to be another; what is not given stays."""

    version = name(text="of what was read")
    columns = fields.Dict(
        keys=Text(validate=validate.Length(1, 100)), values=Text(validate=validate.Length(max=1000)), required=True
    )


class AlertMessage(JobRow):
    """A message of alerts: the job that sends it, and what came of it."""

    outcome = fields.String(allow_none=True)


class OtherAlert(Schema):
    """Who is told of a job other than by a rule of c_JobAlert."""

    job = fields.String()
    recurringId = fields.String(allow_none=True)
    source = described(fields.String, "EmailOnFailure of a row of c_Job, or @job(alerts=…) in the code")


class ActiveAlert(Schema):
    """A failure that was told of and is not over, and what people made of it."""

    key = described(fields.String, "by which it is acknowledged and snoozed")
    jobName = fields.String(allow_none=True)
    since = described(Moment, "its first failure; null when not known", allow_none=True)
    lastFailed = Moment()
    failures = described(fields.Integer, "since its first failure")
    acknowledgedBy = fields.String(allow_none=True)
    acknowledgedAt = Moment(allow_none=True)
    acknowledgedNote = fields.String(allow_none=True)
    snoozedUntil = described(Moment, "nothing is sent of it until then", allow_none=True)
    snoozedBy = fields.String(allow_none=True)
    snoozedNote = fields.String(allow_none=True)


class Acknowledge(Body):
    """Why, or what is being done."""

    note = Text(load_default=None, allow_none=True, validate=validate.Length(max=500))


class Snooze(Acknowledge):
    """Until when nothing is sent."""

    until = Moment(required=True)


class SaveCondition(Telling):
    """A rule about the installation. Of the webhooks null keeps what is there, and an empty text removes it."""

    name = name(longest=80)
    kind = Text(required=True, validate=validate.OneOf(list(Kind)))
    queue = described(Text, "of latency and unserved; null: any that is not paused", load_default=None, allow_none=True)
    seconds = described(
        fields.Float, "how long a job may wait, or how long there may be no server", load_default=60.0
    )  # fmt: skip
    percent = described(fields.Float, "of runs that fail", load_default=20.0)
    runs = described(fields.Integer, "fewer runs say nothing", load_default=10, strict=True)
    minutes = described(fields.Integer, "within which runs are counted", load_default=15, strict=True)


class InstallationRule(Schema):
    """A rule about the installation, and how it stands; of webhooks the host only."""

    id = fields.String()
    name = fields.String()
    kind = fields.String()
    queue = fields.String(allow_none=True)
    seconds = fields.Float()
    percent = fields.Float()
    runs = fields.Integer()
    minutes = fields.Integer()
    emailRecipients = fields.List(fields.String())
    slackWebhook = fields.String(allow_none=True)
    teamsWebhook = fields.String(allow_none=True)
    maxAlertsPerHour = fields.Integer(allow_none=True)
    isTrue = described(fields.Boolean, "somebody was told that it came true, and not yet that it is over")
    quietHours = fields.Nested(QuietHours, allow_none=True)


class Sent(Schema):
    """A try to send a message."""

    jobId = described(fields.Integer, "the job that sends it, which may have expired")
    at = Moment(allow_none=True)
    event = fields.String()
    about = described(fields.String, "a job's name, or of a condition")
    outcome = described(fields.String, "sent, failed, or held: nothing was sent, and told says why")
    told = fields.String(allow_none=True)


class SentPage(Schema):
    """Tries, the newest first."""

    items = fields.List(fields.Nested(Sent))
    next = fields.String(allow_none=True)
