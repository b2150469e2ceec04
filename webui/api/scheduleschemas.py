"""Recurring jobs as /api/v1 tells them, and takes them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from webui.api.fields import Body, Json, Moment, Text, described, name
from webui.api.schemas import AdminJob
from webui.api.workschemas import Cursor


class SchedulesQuery(Cursor):
    """Which recurring jobs."""

    q = Text(load_default="", validate=validate.Length(max=100))
    state = fields.String(load_default=None, validate=validate.OneOf(("active", "paused", "error", "hand", "never")))
    sort = fields.String(
        load_default="id", validate=validate.OneOf(("id", "next", "last", "duration", "failures")),
        metadata={"description": "duration: of the newest run; failures: in a row, up to now. Both: the most first"},
    )  # fmt: skip


class Rate(Schema):
    """How many runs succeeded."""

    percent = fields.Float()
    succeeded = fields.Integer()
    runs = fields.Integer()
    since = described(fields.Date, "the day (UTC) from which on runs are counted: 30 days back, or the first known run")


class MissedRun(Schema):
    """A run that began, or begins, later than `alert_missed_seconds` or the rule in its code allows."""

    due = Moment()
    dealtWith = described(Moment, "null while nobody has: it is overdue", allow_none=True)


class ScheduleRow(AdminJob):
    """A recurring job, and how it goes."""

    state = described(
        fields.String,
        "active, paused, error, hand (runs by hand only), never (its cron never comes) or unplanned (a row of c_Job "
        "that no scheduler has looked at yet)",
    )
    successRate = fields.Nested(
        Rate, allow_none=True, metadata={"description": "of 30 days; null when it has not run in them"}
    )
    lastResults = described(
        fields.List, "of the newest 20 runs, the oldest first", cls_or_instance=fields.String()
    )  # fmt: skip
    p50Ms = described(fields.Integer, "of the newest 30 runs", allow_none=True)
    p95Ms = fields.Integer(allow_none=True)
    failuresInARow = fields.Integer()
    missed = fields.Nested(MissedRun, allow_none=True, metadata={"description": "the newest that is known"})
    runsMayOverlap = described(fields.Boolean, "a run begins though the one before has not ended")


class SchedulePage(Schema):
    """A page of recurring jobs."""

    items = fields.List(fields.Nested(ScheduleRow))
    next = fields.String(allow_none=True)


class Schedule(ScheduleRow):
    """A recurring job, whole."""

    nextRuns = described(
        fields.List, "the next 20, paused or not; of a row of an older c_Job none", cls_or_instance=Moment()
    )  # fmt: skip
    version = described(fields.String, "another one whenever somebody has changed it", allow_none=True)
    fromCode = described(fields.Boolean, "the code defines it")
    missedRuns = described(fields.List, "the last ten, the newest first", cls_or_instance=fields.Nested(MissedRun))


class SaveSchedule(Body):
    """What a recurring job is to be."""

    taskType = name(longest=300)
    arguments = Json(load_default=None, allow_none=True, metadata={"description": "an object, or an array"})
    cron = name()
    timeZone = name(required=False, longest=64, load_default=None, allow_none=True)
    queue = name(required=False, longest=50, load_default=None, allow_none=True)
    misfire = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf(("relaxed", "strict", "ignorable"))
    )
    version = name(
        required=False, load_default=None, allow_none=True, text="of what was read; else it is replaced whatever it is"
    )
    isNew = fields.Boolean(
        load_default=False, truthy={True}, falsy={False},
        metadata={"description": "it is made, never replaced: refused when there is one of this id"},
    )  # fmt: skip
