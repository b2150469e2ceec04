"""A job once more with other arguments: the old one stays as it is, and each tells of the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import CreationCancelled, InvalidArgument, JobNotFound
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.records import JobRecord
from taskmanager.domain.states import Enqueued
from taskmanager.engine.client import NewJob, check_queue, new_key
from taskmanager.engine.history import TRIGGERED_BY
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import jobs
from webui import access, callforms, formats, redaction, shell
from webui.access import needs
from webui.blueprint import manager, pages, read


@pages.route("/jobs/details/<int:job_id>/edit", methods=["GET", "POST"])
@needs("jobs.edit")
def job_edit(job_id: int) -> Any:
    """The form of a job's arguments; a new job with what comes back."""
    found = read(lambda tx: jobs.read_many(tx, [job_id])) if job_id < 1 << 62 else []
    if not found or not callforms.may_edit():
        abort(404 if not found else 403, "args.view" if found else None)
    job = found[0]
    known = callforms.known_call(job.invocation_data, job.arguments)
    if known is None:
        flash(_("This process does not know the function, or it takes other arguments by now."), "warn")
        return redirect(url_for("pages.job_details", job_id=job_id), 303)
    definition, call = known
    queue, problem = job.queue or definition.queue, ""
    if request.method == "GET":
        return _page(job, definition, callforms.fields(definition, call), queue, "")
    form, made, problem = callforms.changed(definition, call, request.form)
    queue = request.form.get("queue", "").strip() or queue
    try:
        check_queue(queue)
        once = request.form.get("once", "")
        if not re.fullmatch(r"[0-9a-f]{32}", once):
            raise InvalidArgument(_("Send the form again."))
        if made is not None:
            return _created(make(job, definition, (call, made), queue, once))
    except (InvalidArgument, CreationCancelled) as error:
        problem = str(error)
    except JobNotFound:
        abort(404)
    return _page(job, definition, form, queue, problem), 422


def make(
    job: JobRecord, definition: JobDefinition, calls: tuple[Invocation, Invocation], queue: str, key: str,
    parameters: Mapping[str, str] | None = None,
) -> int:  # fmt: skip
    """Write the new job; its id. calls: the old one and the new one. parameters: more of the new job's, as JSON.

    Raises JobNotFound, CreationCancelled.
    """
    call, made = calls
    access.about(
        "job", job.id, before={"arguments": callforms.named(definition, call), "queue": job.queue or definition.queue},
        after={"arguments": callforms.named(definition, made), "queue": queue},
    )  # fmt: skip
    reason = f"Requeued from #{job.id} with edited arguments by {g.user.name}"
    known = {TRIGGERED_BY: formats.json_attribute(g.user.name)} | dict(parameters or {})
    state = Enqueued(queue=queue, priority=job.priority, reason=reason)
    return manager().client.create_from(job.id, NewJob(made, state, queue, job.priority, definition, known), key=key)


def _created(created: int) -> Any:
    if not shell.wants_page():
        return {"id": created}, 201
    flash(_("Job #%(id)s was created.", id=created), "done")
    return redirect(url_for("pages.job_details", job_id=created), 303)


def _page(job: JobRecord, definition: JobDefinition, form: list[Any], queue: str, problem: str) -> str:
    once = request.form.get("once", "")
    return render_template(
        "job_edit.html", here="jobs", state="", job=job, definition=definition, form=form, queue=queue,
        problem=redaction.text(problem), once=once if re.fullmatch(r"[0-9a-f]{32}", once) else new_key(),
    )  # fmt: skip
