"""Runs, what they come to, and the audit log, as /api/v1 tells them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from taskmanager.engine.audit import OUTCOMES
from webui.api.fields import Body, Moment, Text, described
from webui.api.schemas import LoggedRun
from webui.api.workschemas import Cursor

_DAY = "from this moment on; a day alone begins at midnight UTC"


class RunFilter(Body):
    """Which runs."""

    job = Text(load_default="", validate=validate.Length(max=100))
    success = fields.Boolean(load_default=None)
    server = Text(load_default="", validate=validate.Length(max=100))
    triggeredBy = Text(load_default="", validate=validate.Length(max=100))
    q = Text(
        load_default="", validate=validate.Length(max=100),
        metadata={"description": "a part of the name, the error or the result; needs `args.view`"},
    )  # fmt: skip
    since = Moment(load_default=None, metadata={"description": _DAY})
    until = Moment(load_default=None)


class RunsQuery(Cursor, RunFilter):
    """Which runs, and which page of them."""

    before = Text(load_default=None)


class RunRow(Schema):
    """A run as a list has it."""

    id = fields.Integer()
    jobName = fields.String(attribute="name")
    jobId = fields.String(attribute="job_id", allow_none=True)
    jobType = fields.String(attribute="type")
    startedAt = Moment(attribute="started", allow_none=True)
    durationMs = fields.Integer(attribute="duration_ms", allow_none=True)
    success = fields.Boolean(attribute="succeeded")
    serverName = fields.String(attribute="server", allow_none=True)
    triggeredBy = fields.String(attribute="by", allow_none=True)
    note = described(fields.String, "how it ended, cut", allow_none=True)


_SEARCHED = "so many runs were looked at, as many as there was time for; null where all that there are"


class RunPage(Schema):
    """A page of runs, the newest first."""

    items = fields.List(fields.Nested(RunRow))
    next = described(
        fields.String, "of a search also where it has found none yet, and may go on looking", allow_none=True
    )
    previous = fields.String(allow_none=True)
    searchedSince = Moment(allow_none=True)
    searched = described(fields.Integer, _SEARCHED, allow_none=True)


class RunDetail(LoggedRun):
    """A run, whole."""


class RunStatistics(Schema):
    """What runs come to; durations in milliseconds. Of 100,000 of them, the newest, or fewer where that takes long."""

    jobName = described(fields.String, "the name that was asked for, as it is stored", allow_none=True)
    runs = fields.Integer()
    succeeded = fields.Integer()
    p50Ms = fields.Integer(allow_none=True)
    p95Ms = fields.Integer(allow_none=True)
    meanMs = fields.Integer(allow_none=True)
    leastMs = fields.Integer(allow_none=True)
    longestMs = fields.Integer(allow_none=True)
    isCapped = described(fields.Boolean, "there may be older runs that were not counted")
    searchedSince = Moment(allow_none=True)
    searched = described(fields.Integer, _SEARCHED, allow_none=True)


class RunNamesQuery(Body):
    """Which names, and of which days."""

    job = Text(load_default="", validate=validate.Length(max=100), metadata={"description": "a part of the name"})
    since = Moment(load_default=None, metadata={"description": _DAY})
    until = Moment(load_default=None)
    start = fields.Integer(load_default=0, validate=validate.Range(0, 10_000))


class RunResult(Schema):
    """How one of the newest runs went."""

    id = fields.Integer()
    startedAt = Moment(attribute="started", allow_none=True)
    durationMs = fields.Integer(attribute="duration_ms", allow_none=True)
    success = fields.Boolean(attribute="succeeded")


class RunName(RunStatistics):
    """The runs of a name in these days, of at most 400; `last`: its newest ones, whenever that was, oldest first."""

    last = fields.List(fields.Nested(RunResult))


class RunNames(Schema):
    """Twenty names."""

    items = fields.List(fields.Nested(RunName))
    hasMore = fields.Boolean()


class CompareQuery(Body):
    """Which two runs."""

    a = fields.Integer(required=True, validate=validate.Range(0, 2**62))
    b = fields.Integer(required=True, validate=validate.Range(0, 2**62))


class Comparison(Schema):
    """Two runs, and the columns of c_LoggedJob in which they differ."""

    a = fields.Nested(RunDetail)
    b = fields.Nested(RunDetail)
    differing = fields.List(fields.String())


class AuditQuery(Cursor):
    """Which actions."""

    user = Text(load_default=None, validate=validate.Length(1, 100))
    action = Text(load_default=None, validate=validate.Length(1, 50))
    kind = Text(load_default=None, validate=validate.Length(1, 20))
    target = Text(load_default=None, validate=validate.Length(1, 100))
    outcome = fields.String(load_default=None, validate=validate.OneOf(OUTCOMES))
    since = Moment(load_default=None, metadata={"description": _DAY})
    until = Moment(load_default=None)


class AuditRow(Schema):
    """What somebody did."""

    id = fields.Integer()
    at = Moment()
    user = fields.String()
    address = fields.String(allow_none=True)
    door = described(fields.String, "dashboard, api or cli")
    action = fields.String()
    kind = fields.String()
    target = fields.String()
    outcome = fields.String()
    before = described(fields.String, "JSON text", allow_none=True)
    after = described(fields.String, "JSON text", allow_none=True)
    note = fields.String(allow_none=True)
    requestId = described(fields.String, "the X-Request-Id of the answer to it", attribute="request", allow_none=True)


class AuditPage(Schema):
    """A page of the audit log, the newest first."""

    items = fields.List(fields.Nested(AuditRow))
    next = fields.String(allow_none=True)
