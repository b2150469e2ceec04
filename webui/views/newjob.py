"""A new job out of a registered function's signature: validated by the codec, and one job however often it is sent."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import ArgumentError, CreationCancelled, InvalidArgument, PayloadTooLarge
from taskmanager.engine.client import new_key
from taskmanager.engine.registry import JobDefinition
from webui import jobforms, jobviews, shell
from webui.access import needs
from webui.blueprint import manager, pages

_LONGEST_DELAY = 366 * 86_400.0


@pages.get("/jobs/new")
@needs("jobs.enqueue")
def new_job() -> Any:
    """The functions to choose from, or the form of one."""
    name = request.args.get("type", "")
    if not name:
        return render_template("new_job.html", here="jobs", state="new", definitions=choosable(), definition=None)
    return _page(definition_of(name), {}, {})


@pages.post("/jobs/new")
@needs("jobs.enqueue")
def new_job_enqueue() -> Any:
    """Write the job that the form says."""
    definition = definition_of(request.form.get("type", ""))
    given, errors = request.form.to_dict(), dict[str, str]()
    form = jobforms.fields(definition, given)
    args, kwargs = jobforms.call(form)
    options = _options(given, errors)
    if not errors and not any(field.error for field in form):
        try:
            job_id = manager().enqueue_definition(definition, args, kwargs, options)
        except (ArgumentError, InvalidArgument, PayloadTooLarge, CreationCancelled) as error:
            errors["form"] = str(error)
        else:
            if not shell.wants_page():
                return {"id": job_id}, 201
            flash(_("Job #%(id)s was created.", id=job_id), "done")
            return redirect(url_for("pages.job_details", job_id=job_id), 303)
    return _page(definition, given, errors, form), 422


def _page(
    definition: JobDefinition, given: dict[str, str], errors: dict[str, str], form: list[jobforms.Field] | None = None
) -> str:
    return render_template(
        "new_job.html", here="jobs", state="new", definition=definition, errors=errors, given=given,
        form=jobforms.fields(definition) if form is None else form,
        once=given["once"] if re.fullmatch(r"[0-9a-f]{32}", given.get("once", "")) else new_key(),
    )  # fmt: skip


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
            options["at"] = datetime.fromisoformat(at)
        except ValueError:
            errors["at"] = _("needs a moment such as 2026-11-01 08:00")
    return options
