"""Types and tags of jobs are paused and resumed by the pages."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.paused import TAG, TYPE, kind_and_name
from webui import access, shell
from webui.access import needs
from webui.blueprint import manager, pages
from webui.views.actions import back
from webui.views.recurring_actions import pause_end


@pages.post("/pauses/<any(pause, resume):action>")
@needs("types.pause")
def pause_action(action: str) -> Any:
    """Pause or resume a type or a tag, on every server; for ever or until a moment."""
    kind, name = request.form.get("kind", ""), request.form.get("name", "").strip()
    if kind not in (TYPE, TAG) or not name:
        abort(422, _("Name a type or a tag."))
    try:
        told = _pause(kind, name) if action == "pause" else _resume(kind, name)
    except InvalidArgument as error:
        if not shell.wants_page():
            abort(422, str(error))
        flash(str(error), "warn")
        return redirect(back(), 303)
    if not shell.wants_page():
        return "", 204
    flash(told, "done")
    return redirect(back() if request.form.get("back") else url_for("pages.queues"), 303)


def _pause(kind: str, name: str) -> str:
    note, until = request.form.get("note", "").strip() or None, pause_end(request.form.get("until", ""))
    access.about(kind, name)
    pausing = manager().job_pausing
    value = pausing.value(*_named(kind, name))
    after = {"paused": True, "note": note, "until": until and until.isoformat()}
    access.about(*kind_and_name(value), after={key: one for key, one in after.items() if one})
    pausing.pause(value, by=g.user.name, note=note, until=until)
    return str(_("Jobs of type %(name)s are paused.", name=name) if kind == TYPE else
               _("Jobs with tag %(name)s are paused.", name=name))  # fmt: skip


def _resume(kind: str, name: str) -> str:
    access.about(kind, name, after={"paused": False})
    job, tag = _named(kind, name)
    manager().resume_jobs(job=job, tag=tag)
    return str(_("Jobs of type %(name)s go on.", name=name) if kind == TYPE else
               _("Jobs with tag %(name)s go on.", name=name))  # fmt: skip


def _named(kind: str, name: str) -> tuple[str | None, str | None]:
    return (name, None) if kind == TYPE else (None, name)
