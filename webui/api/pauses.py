"""Jobs that are paused by their type or by a tag, at /api/v1/pauses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from taskmanager.domain.paused import TAG, TYPE, kind_and_name
from webui import access, redaction
from webui.api import schemas
from webui.api.fields import Body, Moment, Text, described
from webui.api.problems import refuse, told
from webui.api.routing import group, operation
from webui.blueprint import manager

pauses = group("pauses", "Jobs paused by type or tag")


class Paused(Body):
    """A type or a tag, one of them."""

    type = Text(load_default=None, allow_none=True, metadata={"description": "a function, by any of its names"})
    tag = Text(load_default=None, allow_none=True, metadata={"description": "a tag, however it is spelt"})


class PauseJobs(Paused, schemas.PauseJob):
    """A type or a tag, one of them, and what is to be known of the pause."""


class JobPause(Schema):
    """A type or a tag that is paused."""

    type = described(fields.String, "`module:function`; null of a tag", allow_none=True)
    tag = described(fields.String, "in small letters; null of a type", allow_none=True)
    since = Moment(allow_none=True)
    until = described(Moment, "when it resumes by itself", allow_none=True)
    by = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    held = described(fields.Integer, "jobs that a worker has met and put aside; more wait behind others")
    isCapped = described(fields.Boolean, "whether more are held than were counted")


@operation(pauses, "GET", "/api/v1/pauses", gives=lambda: JobPause(many=True))
def list_pauses() -> Any:
    """The types and tags that are paused, and how many jobs each holds."""
    return [
        {
            "type": one.pause.name if one.pause.kind == TYPE else None,
            "tag": one.pause.name if one.pause.kind == TAG else None,
            "since": one.pause.pause.since, "until": one.pause.pause.until, "by": one.pause.pause.by,
            "note": redaction.message(one.pause.pause.note) if one.pause.pause.note else None,
            "held": one.held, "isCapped": one.is_capped,
        }
        for one in manager().paused_jobs()
    ]  # fmt: skip


@operation(pauses, "POST", "/api/v1/pauses", needs="types.pause", body=PauseJobs)
def pause_jobs(body: Mapping[str, Any]) -> None:
    """Run no job of a type, or with a tag, for ever or until a moment. Paused again, it has the new note and end.

    They stay Enqueued, in their place. A type that no code here knows is refused where none of the newest 100,000 jobs
    is of it.
    """
    pausing, note, until = manager().job_pausing, body["note"], body["until"]
    with told(field="tag" if body["tag"] is not None else "type"):
        value = pausing.value(body["type"], body["tag"])
    after = {"paused": True, "note": note, "until": until and f"{until.isoformat()}Z"}
    access.about(*kind_and_name(value), after={name: value for name, value in after.items() if value})
    with told(field="until" if until is not None else "note"):
        pausing.pause(value, by=access.actor("api").user, note=note, until=until)


@operation(
    pauses, "POST", "/api/v1/pauses/resume", needs="types.pause", body=Paused,
    also={404: "It is not paused."},
)  # fmt: skip
def resume_jobs(body: Mapping[str, Any]) -> None:
    """Run the jobs of a type, or with a tag, again, in their old order."""
    kind = TAG if body["tag"] is not None else TYPE
    access.about(kind, body[kind] or "", after={"paused": False})
    with told(field=kind):
        was = manager().resume_jobs(job=body["type"], tag=body["tag"])
    if not was:
        refuse(404, "Pauses.NotFound", f"{kind} {body[kind]!r} is not paused")
