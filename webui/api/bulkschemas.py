"""What is sent and answered about many jobs at once at /api/v1: bulk operations, and failures by their cause."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from webui.api.fields import Body, Moment, Text, described, limit
from webui.api.workschemas import FILTER, STATES, JobRow, PlaceQuery


class PlannedOperation(Body):
    """A bulk operation: what is done with all jobs of a state that match a filter."""

    action = fields.String(required=True, validate=validate.OneOf(("requeue", "delete")))
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    q = Text(load_default="", validate=validate.Length(max=500), metadata={"description": FILTER})


class WholeGroup(Body):
    """A bulk operation on a group of failures."""

    expected = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 2**62),
        metadata={"description": "how many jobs are meant; needed above 1,000, and told by the refusal"},
    )  # fmt: skip


class OperationsQuery(Body):
    """Which part of them."""

    limit = limit(50, 200)
    before = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(1, (1 << 63) - 1),
        metadata={"description": "only older ones: the last id of the page before"},
    )  # fmt: skip
    progress = fields.String(load_default=None, validate=validate.OneOf(("running", "done")))
    user = Text(load_default="", validate=validate.Length(max=100), metadata={"description": "who started them"})


class NewOperation(PlannedOperation, WholeGroup):
    """A bulk operation that is to be started."""

    spreadSeconds = fields.Integer(
        load_default=0, strict=True, validate=validate.Range(0, 7 * 86_400),
        metadata={"description": "of requeued jobs: they begin evenly from now on, over so long; 0: all at once"},
    )  # fmt: skip


class MoveQueue(Body):
    """Where the jobs of a queue go."""

    target = fields.String(required=True, validate=validate.Length(1, 50))


class PlannedRecurringOperation(Body):
    """A bulk operation on recurring jobs: what is done with all that match."""

    action = fields.String(required=True, validate=validate.OneOf(("trigger", "pause", "resume", "remove")))
    state = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf(("active", "paused", "error", "hand", "never")),
    )  # fmt: skip
    q = Text(
        load_default="", validate=validate.Length(max=100),
        metadata={"description": "a text in id, name, call, cron or queue, as in the list"},
    )  # fmt: skip


class NewRecurringOperation(PlannedRecurringOperation, WholeGroup):
    """A bulk operation on recurring jobs that is to be started."""

    note = Text(
        load_default=None, allow_none=True, validate=validate.Length(max=500), metadata={"description": "of a pause"}
    )
    until = Moment(
        load_default=None, allow_none=True, metadata={"description": "of a pause: when they resume by themselves"}
    )
    runMissed = fields.Boolean(
        load_default=False, truthy={True}, falsy={False},
        metadata={"description": "of who resumes: each runs once now, if anything was missed"},
    )  # fmt: skip


class RecurringPlan(Schema):
    """The recurring jobs that an operation means, as they are now."""

    matching = fields.Integer()
    expected = described(fields.Integer, "what a start has to say as `expected`; null when nothing", allow_none=True)
    samples = fields.List(fields.String())


class Plan(Schema):
    """The jobs that an operation means, as they are now; of a search, among the newest ones."""

    matching = fields.Integer()
    orMore = described(fields.Boolean, "there are more than are counted")
    expected = described(fields.Integer, "what a start has to say as `expected`; null when nothing", allow_none=True)
    samples = fields.List(fields.Nested(JobRow))


class Operation(Schema):
    """A bulk operation."""

    id = fields.Integer()
    kind = described(fields.String, "jobs or recurring")
    action = fields.String()
    state = described(fields.String, "of recurring jobs: active, paused or error; empty for all")
    q = fields.String()
    user = fields.String()
    startedAt = fields.String()
    endedAt = fields.String(allow_none=True)
    stoppedBy = fields.String(allow_none=True)
    changed = fields.Integer()
    skipped = fields.Integer()
    errors = described(fields.Integer, "what failed, each after several tries")
    progress = described(fields.Float, "from 0 to 1")
    spreadSeconds = described(fields.Float, "over how long requeued jobs begin")


class FailuresQuery(PlaceQuery):
    """Which causes; of a search a page may be empty, and have a next one."""

    q = Text(
        load_default="", validate=validate.Length(max=200),
        metadata={"description": "a text in job, class of the error, message or place"},
    )  # fmt: skip
    since = fields.String(load_default=None, validate=validate.OneOf(("1h", "24h", "7d")))
    newSinceDeploy = fields.Boolean(
        load_default=False, truthy={True, "true"}, falsy={False, "false"},
        metadata={"description": "first seen since the newest version of the application was"},
    )  # fmt: skip


class FailureGroup(Schema):
    """Failed jobs of one cause."""

    key = fields.String()
    job = fields.String()
    exception = fields.String()
    message = fields.String(allow_none=True)
    frame = fields.String()
    first = Moment(allow_none=True)
    last = Moment()
    count = described(fields.Integer, "at most 401, as are the others")
    today = fields.Integer()
    hours = described(
        fields.List, "of each of the last 24 hours, the oldest first", cls_or_instance=fields.Integer()
    )  # fmt: skip


class FailurePage(Schema):
    """A page of groups, those that failed last first."""

    items = fields.List(fields.Nested(FailureGroup))
    next = fields.String(allow_none=True)


class FailureJobs(Schema):
    """A group and a page of its jobs."""

    group = fields.Nested(FailureGroup)
    items = fields.List(fields.Nested(JobRow))
    next = fields.String(allow_none=True)
