"""Jobs and their history, as /api/v1 tells them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from taskmanager.domain import tags
from taskmanager.engine.retry_verbs import MOST_SECONDS
from webui.api.fields import Body, Json, Moment, Text, described, limit, name
from webui.api.schemas import LONGEST_DELAY

STATES = ("Enqueued", "Scheduled", "Processing", "Succeeded", "Failed", "Deleted", "Awaiting")
FILTER = 'a filter as on the pages: state:failed queue:mail tag:vip error:Timeout created:>-2h -type:noise "free text"'


class Cursor(Body):
    """Where a page begins: `after` goes on where a page ended."""

    limit = limit()
    after = Text(load_default=None, metadata={"description": "the page's `next`"})


class PlaceQuery(Body):
    """Where a page of a fixed size begins."""

    after = Text(load_default=None, metadata={"description": "the page's `next`"})


class JobsQuery(Cursor):
    """Which jobs."""

    before = Text(load_default=None, metadata={"description": "the page's `previous`"})
    q = Text(load_default="", validate=validate.Length(max=500), metadata={"description": FILTER})
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    order = fields.String(
        load_default="newest", validate=validate.OneOf(("newest", "oldest")),
        metadata={"description": "which come first; the oldest only where an index finds what the filter says"},
    )  # fmt: skip


class JobRow(Schema):
    """A job as a list has it; long texts are cut."""

    id = fields.Integer()
    state = fields.String(allow_none=True)
    name = fields.String()
    arguments = described(fields.String, "in one line; secrets are masked")
    queue = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    since = described(Moment, "when it entered its state", allow_none=True)
    createdAt = Moment()
    expireAt = Moment(allow_none=True)
    tags = fields.List(fields.String())


class JobPage(Schema):
    """A page of jobs, the newest first."""

    items = fields.List(fields.Nested(JobRow))
    next = described(
        fields.String,
        "cursor of the following page; null at the end. A search may end for want of time with few items or none, and "
        "goes on there",
        allow_none=True,
    )
    previous = fields.String(allow_none=True)
    searchedDownTo = described(
        fields.Integer, "a filter that no index serves has looked at no job with a smaller id", allow_none=True
    )
    searched = described(
        fields.Integer, "how many jobs the search has looked at; null where it looked at all", allow_none=True
    )  # fmt: skip


class RetriesQuery(Cursor):
    """Which of them."""

    q = Text(
        load_default="", validate=validate.Length(max=200),
        metadata={"description": "a text in name, number, arguments, queue or error"},
    )  # fmt: skip


class RetryRow(JobRow):
    """A job that failed and will be tried again."""

    error = described(fields.String, "the class of its last error", allow_none=True)
    message = described(fields.String, "what that said, at most 2,000 characters", allow_none=True)


class RetryPage(Schema):
    """A page of retries, those that come next first. Of a search it may be empty, and have a next one."""

    items = fields.List(fields.Nested(RetryRow))
    next = fields.String(allow_none=True)


class Argument(Schema):
    """An argument as it is stored."""

    name = fields.String(allow_none=True)
    value = described(fields.String, "JSON text")


class HistoryEntry(Schema):
    """A state that a job was in."""

    state = fields.String()
    reason = fields.String(allow_none=True)
    at = Moment()
    data = fields.Dict(keys=fields.String(), values=fields.String())


class JobDetail(Schema):
    """All that is known of a job."""

    id = fields.Integer()
    state = fields.String(allow_none=True)
    name = fields.String()
    type = described(fields.String, "module and function")
    arguments = fields.List(fields.Nested(Argument), allow_none=True)
    queue = fields.String(allow_none=True)
    priority = fields.Integer()
    tags = fields.List(fields.String())
    result = described(Json, "what it returned", allow_none=True)
    createdAt = Moment()
    expireAt = Moment(allow_none=True)
    parent = fields.Integer(allow_none=True)
    children = fields.List(fields.Integer())
    parameters = fields.Dict(keys=fields.String(), values=fields.String())
    history = fields.List(fields.Nested(HistoryEntry))
    madeFrom = described(fields.List, "the job it is a copy of", cls_or_instance=fields.Integer())
    madeInto = described(fields.List, "its copies with other arguments", cls_or_instance=fields.Integer())
    statesNext = described(fields.Integer, "where the history goes on; null at its beginning", allow_none=True)
    progress = described(fields.Float, "from 0 to 1", allow_none=True)
    remainingSeconds = described(fields.Float, "about, by its progress", allow_none=True)
    remarks = described(
        fields.List, "its server is gone or silent; it was asked to end", cls_or_instance=fields.String()
    )


class HistoryQuery(Body):
    """Which part of a job's history."""

    statesBefore = fields.Integer(
        load_default=None,
        validate=validate.Range(1, (1 << 63) - 1),
        metadata={"description": "the answer's `statesNext`"},
    )


class LogQuery(Body):
    """Behind what was seen."""

    after = fields.Integer(load_default=0, validate=validate.Range(0, 2**62))


class Panel(Schema):
    """What the host application shows of a job: a text or markup, or names with values."""

    title = fields.String()
    text = fields.String()
    rows = fields.Dict(keys=fields.String(), values=fields.String())
    error = described(fields.String, "the class of the error that it failed with", allow_none=True)


class LogLine(Schema):
    """A line that a job logged."""

    attempt = fields.Integer()
    at = Moment()
    level = fields.String()
    message = fields.String()


class Log(Schema):
    """Lines, and where to go on."""

    lines = fields.List(fields.Nested(LogLine))
    after = fields.Integer()
    state = fields.String(allow_none=True)
    progress = fields.Float(allow_none=True)


class NewJob(Body):
    """A job to be written."""

    taskType = name(longest=300)
    arguments = Json(load_default=None, allow_none=True, metadata={"description": "an object, or an array"})
    queue = name(required=False, longest=50, load_default=None, allow_none=True)
    priority = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(-(10**6), 10**6))
    delaySeconds = fields.Float(load_default=None, allow_none=True, validate=validate.Range(0, LONGEST_DELAY))
    at = Moment(load_default=None, allow_none=True)
    tags = described(
        fields.List, "what the job is found by, beside the tags of its function", cls_or_instance=fields.String(),
        load_default=(), validate=validate.Length(max=tags.MOST),
    )  # fmt: skip


class JobIds(Body):
    """Jobs, and the state they must be in to be changed."""

    ids = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 2**62)), required=True, validate=validate.Length(1, 1000)
    )
    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STATES))


class Undone(Body):
    """Jobs whose deletion or requeue is taken back."""

    ids = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 2**62)), required=True, validate=validate.Length(1, 50)
    )


class GivenUp(Body):
    """Jobs that wait for their next try."""

    ids = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 2**62)), required=True, validate=validate.Length(1, 1000)
    )


class Postponed(GivenUp):
    """Such jobs, and when they are tried next."""

    seconds = fields.Float(
        required=True, allow_nan=False, validate=validate.Range(0, MOST_SECONDS, min_inclusive=False),
        metadata={"description": "from now on"},
    )  # fmt: skip


class Changed(Schema):
    """How many jobs were changed; the others were in another state, or are gone."""

    changed = fields.Integer()
    refused = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"description": "why, by id"})


class Stack(Schema):
    """Where a running job stands."""

    stack = described(fields.String, "null when its worker did not tell within two seconds", allow_none=True)
