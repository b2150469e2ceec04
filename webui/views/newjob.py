"""A new job out of a registered function's signature: validated by the codec, and one job however often it is sent.

The arguments are typed field by field, or as JSON; the form may begin with those of a job that is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain import tags
from taskmanager.domain.codec import parse
from taskmanager.domain.cron import resolve_zone
from taskmanager.domain.errors import (
    ArgumentError,
    CreationCancelled,
    InvalidArgument,
    InvalidCron,
    PayloadTooLarge,
)
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.records import JobRecord
from taskmanager.engine.client import check_queue, new_key
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import jobs
from webui import access, callforms, crons, jobforms, jobviews, onekey, redaction, shell
from webui.access import needs
from webui.blueprint import manager, pages, read

_LONGEST_DELAY = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be made. call: as Python; at: UTC, None for at once."""

    call: Any
    queue: str
    at: datetime | None


@pages.get("/jobs/new")
@needs("jobs.enqueue")
def new_job() -> Any:
    """The functions to choose from, or the form of one: empty, or with what another job was called with."""
    _must_be_on()
    name, source = request.args.get("type", ""), request.args.get("from", "")
    if source:
        return _like(source, name)
    if not name:
        return render_template(
            "new_job.html", here="jobs", state="new", definitions=choosable(), definition=None,
            signature_of=jobforms.signature,
        )  # fmt: skip
    return _page(definition_of(name), {}, {})


def _must_be_on() -> None:
    """Aborts with 403 where setting `web_new_job` has switched the page off."""
    if not manager().settings.web_new_job:
        abort(403, "web_new_job")


def _like(source: str, name: str) -> Any:
    """The form with the arguments of another job, secrets left out."""
    number = int(source) if source.isascii() and source.isdecimal() and len(source) < 19 else 0
    found = read(lambda tx: jobs.read_many(tx, [number])) if number else []
    if not found:
        abort(404)
    if not callforms.may_edit():
        abort(403, "args.view")
    known = callforms.known_call(found[0].invocation_data, found[0].arguments)
    if known is None or (name and known[0].name != name):
        flash(_("This process does not know the function, or it takes other arguments by now."), "warn")
        return redirect(url_for("pages.new_job"), 303)
    given = {"queue": found[0].queue or "", "priority": str(found[0].priority or "")}
    labels = read(lambda tx: jobs.parameter(tx, number, tags.PARAMETER))
    given["tags"] = ", ".join(tags.of_parameter(labels))
    return _page(known[0], given, {}, callforms.fields(*known), source=number)


@pages.post("/jobs/new")
@needs("jobs.enqueue")
def new_job_enqueue() -> Any:
    """Write the job that the form says, or show what it would be."""
    _must_be_on()
    definition = definition_of(request.form.get("type", ""))
    given, errors = request.form.to_dict(), dict[str, str]()
    form = jobforms.fields(definition, given)
    typed = bool(given.get("arguments", "").strip()) and not any(field.text for field in form)
    is_raw = bool(given.get("raw")) or (typed and bool(given.get("preview")))
    args, kwargs = _raw(given, errors) if is_raw else jobforms.call(form)
    for field in [] if is_raw else form:
        if redaction.MASK in field.text:
            field.error = _("holds a masked secret: write it out")
    options = _options(given, errors)
    is_whole = not errors and (is_raw or not any(field.error for field in form))
    preview = None
    try:
        body = _own_key(given, definition.invocation(args, kwargs), options) if is_whole else ""
        known = _made_before(options, body, errors)
        if known:
            return _done(known, _("That job is there already: #%(id)s.", id=known), 200)
        is_whole = is_whole and not errors
        if is_whole and given.get("preview"):
            preview = _preview(definition, (args, kwargs), options)
        elif is_whole:
            job_id = manager().enqueue_definition(definition, args, kwargs, options)
            _made_before(options, body, errors)
            if not errors:
                return _done(job_id, _("Job #%(id)s was created.", id=job_id), 201)
    except (ArgumentError, InvalidArgument, PayloadTooLarge, CreationCancelled) as error:
        errors["form"] = str(error)
    if given.get("preview"):
        access.about("", "")  # nothing is changed
    return _page(definition, given, errors, form, preview=preview), 200 if preview else 422


def _done(job_id: int, told: str, status: int) -> Any:
    if not shell.wants_page():
        return {"id": job_id}, status
    flash(told, "done")
    return redirect(url_for("pages.job_details", job_id=job_id), 303)


def _own_key(given: Mapping[str, str], call: Invocation, options: dict[str, Any]) -> str:
    """Make the job one under the user's own key, if there is one; what is asked for, as a hash, else nothing."""
    unique = given.get("unique", "").strip()
    if not unique:
        return ""
    named = {name: given.get(name, "").strip() for name in ("queue", "priority", "delay", "at", "zone", "tags")}
    body = onekey.hash_of(call.to_compact_json(), json.dumps(named))
    options["key"] = onekey.hash_of(g.user.name, "form", unique)[:48]
    options["parameters"] = {onekey.PARAMETER: json.dumps(body)}
    return body


def _made_before(options: Mapping[str, Any], body: str, errors: dict[str, str]) -> int:
    """The same job that was made under the key before, 0 for none; another one is an error."""
    made = read(lambda tx: onekey.made_under(tx, options["key"], body)) if body else None
    if made is not None and not made[1]:
        errors["unique"] = _("was given to another job, #%(id)s", id=made[0])
    return made[0] if made is not None and made[1] else 0


def _page(
    definition: JobDefinition, given: dict[str, str], errors: dict[str, str], form: list[jobforms.Field] | None = None,
    *, preview: Preview | None = None, source: int = 0,
) -> str:  # fmt: skip
    return render_template(
        "new_job.html", here="jobs", state="new", definition=definition, errors=errors, given=given,
        form=jobforms.fields(definition) if form is None else form, preview=preview, source=source,
        signature=jobforms.signature(definition), zones=crons.zones(),
        once=given["once"] if re.fullmatch(r"[0-9a-f]{32}", given.get("once", "")) else new_key(),
    )  # fmt: skip


def _preview(definition: JobDefinition, call: tuple[Any, Any], options: Mapping[str, Any]) -> Preview:
    """What the form comes to. Raises ArgumentError, InvalidArgument."""
    queue = options["queue"] or definition.queue
    check_queue(queue)
    made, now = definition.invocation(*call), manager().database.clock.now()
    at = options.get("at") or (now + timedelta(seconds=options["delay"]) if options.get("delay") else None)
    if at is not None and at.tzinfo is not None:
        at = at.astimezone(UTC).replace(tzinfo=None)
    shown = JobRecord(0, None, None, made.to_compact_json(), "", now, None)
    return Preview(jobviews.call(shown), queue, at)


def _raw(given: Mapping[str, str], errors: dict[str, str]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as one JSON text: an object by name, or an array."""
    try:
        value = parse(given.get("arguments", "").strip() or "[]")
    except (ValueError, RecursionError) as error:
        errors["arguments"] = _("is not JSON: %(why)s", why=str(error))
        return (), {}
    if redaction.MASK in given.get("arguments", ""):
        errors["arguments"] = _("holds a masked secret: write it out")
    if isinstance(value, list):
        return tuple(value), {}
    if isinstance(value, dict):
        return (), value
    errors["arguments"] = _("needs an object or an array")
    return (), {}


def choosable() -> list[JobDefinition]:
    """The functions that people may choose from, by title."""
    return sorted((d for d in jobviews.definitions().values() if not d.is_internal), key=lambda d: d.title.lower())


def definition_of(name: str) -> JobDefinition:
    """A job that is registered; never a path typed by hand."""
    found = jobviews.definitions().get(name)
    if found is None or found.is_internal:
        abort(404)
    return found


def _options(given: dict[str, str], errors: dict[str, str]) -> dict[str, Any]:
    """Queue, priority and time; what is wrong goes to `errors` by the field's name."""
    options: dict[str, Any] = {"triggered_by": g.user.name, "queue": given.get("queue", "").strip() or None}
    if re.fullmatch(r"[0-9a-f]{32}", given.get("once", "")):
        options["key"] = given["once"]
    else:
        errors["form"] = _("Send the form again.")
    if priority := given.get("priority", "").strip():
        if re.fullmatch(r"-?\d{1,6}", priority):
            options["priority"] = int(priority)
        else:
            errors["priority"] = _("needs a whole number")
    try:
        options["tags"] = tags.typed(given.get("tags", ""))
    except InvalidArgument as error:
        errors["tags"] = str(error)
    unique = given.get("unique", "").strip()
    if len(unique) > onekey.LONGEST or not unique.isprintable():
        errors["unique"] = _("has at most %(n)s printable characters", n=onekey.LONGEST)
    delay, at = given.get("delay", "").strip(), given.get("at", "").strip()
    if delay and at:
        errors["at"] = _("Give either a delay or a moment.")
    elif delay:
        seconds = float(delay) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", delay) else -1.0
        if 0 <= seconds <= _LONGEST_DELAY:
            options["delay"] = seconds
        else:
            errors["delay"] = _("needs a number of seconds, at most a year")
    elif at:
        try:
            options["at"] = moment_of(at, given.get("zone", ""))
        except InvalidCron as error:
            errors["zone"] = str(error)
        except (ValueError, OverflowError):
            errors["at"] = _("needs a moment such as 2026-11-01 08:00")
    return options


def moment_of(at: str, zone: str) -> datetime:
    """What a field for moments says, by the clock of a zone (UTC when empty). Raises InvalidCron, ValueError,
    OverflowError."""
    moment, known = datetime.fromisoformat(at.strip()), resolve_zone(zone.strip() or "UTC")
    return (moment if moment.tzinfo else moment.replace(tzinfo=known)).astimezone(UTC)
