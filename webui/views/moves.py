"""Buttons of a job's page: to another moment, into another queue, once more as a copy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

from flask import abort, flash, g, redirect, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import CreationCancelled, InvalidArgument, InvalidCron, JobNotFound
from taskmanager.domain.times import to_iso, to_utc
from taskmanager.engine.history import TRIGGERED_BY
from taskmanager.engine.transitions import GONE, Applied
from webui import access, formats, redaction, shell
from webui.access import needs
from webui.blueprint import manager, pages
from webui.views.actions import reason
from webui.views.newjob import moment_of

_MAX_ID = 1 << 62


@pages.post("/jobs/actions/reschedule/<int:job_id>")
@needs("jobs.requeue")
def job_reschedule(job_id: int) -> Any:
    """Let a job begin at the moment that is typed, by the clock of a zone."""
    try:
        at = to_utc(moment_of(request.form.get("at", ""), request.form.get("zone", "")))
    except InvalidCron as error:
        _refuse(job_id, str(error))
    except (ValueError, OverflowError):
        _refuse(job_id, _("needs a moment such as 2026-11-01 08:00"))
    access.about("job", job_id, after={"at": to_iso(at)})
    return _moved(
        job_id, lambda: manager().placing.reschedule(job_id, at, reason=reason()), _("The job was rescheduled.")
    )


@pages.post("/jobs/actions/move/<int:job_id>")
@needs("jobs.requeue")
def job_move(job_id: int) -> Any:
    """Put a job into the queue that is typed."""
    queue = request.form.get("to", "").strip()
    access.about("job", job_id, after={"queue": queue})
    return _moved(
        job_id, lambda: manager().placing.requeue_to(job_id, queue, reason=reason()), _("The job was enqueued.")
    )


@pages.post("/jobs/actions/copy/<int:job_id>")
@needs("jobs.enqueue")
def job_copy(job_id: int) -> Any:
    """Write the job once more, with the arguments as they are stored."""
    once = request.form.get("once", "")
    if not re.fullmatch(r"[0-9a-f]{32}", once):
        _refuse(job_id, _("Send the form again."))
    try:
        made = copy(job_id, once)
    except JobNotFound:
        abort(404)
    except (InvalidArgument, CreationCancelled) as error:
        _refuse(job_id, str(error))
    if not shell.wants_page():
        return {"id": made}, 201
    flash(_("Job #%(id)s was created.", id=made), "done")
    return redirect(url_for("pages.job_details", job_id=made), 303)


def copy(job_id: int, key: str, parameters: dict[str, str] | None = None) -> int:
    """Write a job once more; its id. Raises JobNotFound, InvalidArgument, CreationCancelled."""
    if job_id >= _MAX_ID:
        raise JobNotFound(f"there is no job {job_id}")
    known = {TRIGGERED_BY: formats.json_attribute(g.user.name)} | (parameters or {})
    return manager().placing.copy(
        job_id, key=key, reason=f"Copied from #{job_id} by {g.user.name}", parameters=known
    )  # fmt: skip


def _moved(job_id: int, verb: Callable[[], Applied], told: str) -> Any:
    if job_id >= _MAX_ID:
        abort(404)
    try:
        answer = verb()
    except InvalidArgument as error:
        _refuse(job_id, str(error))
    if answer.refused == GONE:
        abort(404)
    if not shell.wants_page():
        return ("", 204) if answer else ("", 422)
    if answer:
        flash(told, "done")
    else:
        flash(_("Nothing was changed: %(why)s.", why=answer.refused or ""), "warn")
    return redirect(url_for("pages.job_details", job_id=job_id), 303)


def _refuse(job_id: int, text: str) -> NoReturn:
    if not shell.wants_page():
        abort(422, redaction.text(text))
    flash(redaction.text(text), "warn")
    abort(redirect(url_for("pages.job_details", job_id=job_id), 303))
