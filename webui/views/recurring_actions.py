"""What is done to recurring jobs on their pages: run now, pause, resume, remove; one, or those that were chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from taskmanager.domain.errors import CreationCancelled, InvalidArgument, InvalidCron, RecurringJobNotFound
from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.engine.client import new_key
from webui import access, callforms, redaction, shell
from webui.access import needs
from webui.blueprint import manager, pages
from webui.views.actions import back
from webui.views.recurring_job import known

#: Of one form.
_MOST = 1000


@pages.post("/recurring/trigger")
@needs("recurring.trigger")
def recurring_trigger() -> Any:
    """Run them now, once."""
    tm = manager()
    return _each(
        lambda i: bool(tm.trigger(i, by=g.user.name)),
        lambda n: ngettext("%(num)d run was started.", "%(num)d runs were started.", n),
    )


@pages.route("/recurring/<name:recurring_id>/trigger", methods=["GET", "POST"])
@needs("recurring.trigger")
def recurring_trigger_edited(recurring_id: str) -> Any:
    """Run one now with other arguments; the definition keeps its own."""
    record = known(recurring_id)
    call = callforms.known_call(record.job) if record.procedure is None and callforms.may_edit() else None
    if call is None:
        abort(404)
    once = request.form.get("once", "")
    form, made, problem = callforms.fields(*call), None, ""
    if request.method == "POST":
        form, made, problem = callforms.changed(*call, request.form)
        if made is not None and not re.fullmatch(r"[0-9a-f]{32}", once):
            made, problem = None, _("Send the form again.")
    if made is not None:
        named = callforms.named(call[0], made)
        access.about("recurring", recurring_id, after={"arguments": named})
        try:
            job_id = manager().recurring_jobs.trigger(recurring_id, by=g.user.name, key=once, invocation=made)
        except RecurringJobNotFound:
            abort(404)
        except (InvalidArgument, CreationCancelled) as error:
            problem = str(error)
        else:
            if not shell.wants_page():
                return {"id": job_id}, 201
            flash(_("Job #%(id)s was created.", id=job_id), "done")
            return redirect(url_for("pages.job_details", job_id=job_id), 303)
    page = render_template(
        "recurring_trigger.html", here="recurring", record=record, form=form, problem=problem,
        once=once if re.fullmatch(r"[0-9a-f]{32}", once) else new_key(),
    )  # fmt: skip
    return page, 422 if request.method == "POST" else 200


@pages.post("/recurring/pause")
@needs("recurring.pause")
def recurring_pause() -> Any:
    """Stop firing them, for ever or until a moment."""
    tm, note, until = manager(), request.form.get("note", "").strip() or None, pause_end(request.form.get("until", ""))
    told = {"paused": True, "note": note, "until": until and until.isoformat()}

    def pause(recurring_id: str) -> bool:
        tm.pause(recurring_id, by=g.user.name, note=note, until=until)
        return True

    return _each(
        pause,
        lambda n: ngettext("%(num)d recurring job is paused.", "%(num)d recurring jobs are paused.", n),
        after={name: value for name, value in told.items() if value},
    )


@pages.post("/recurring/resume")
@needs("recurring.pause")
def recurring_resume() -> Any:
    """Fire them again; what was missed is run once, or skipped."""
    tm, run = manager(), request.form.get("missed") == "run"
    once, made = request.form.get("once", ""), list[int]()
    key = once if re.fullmatch(r"[0-9a-f]{32}", once) and len(_chosen()) == 1 else None

    def resume(recurring_id: str) -> bool:
        job_id = tm.resume(recurring_id, run_missed=run, by=g.user.name, key=key)
        made.extend([] if job_id is None else [job_id])
        return True

    def told(n: int) -> str:
        text = ngettext("%(num)d recurring job goes on.", "%(num)d recurring jobs go on.", n)
        if made:
            text += " " + ngettext("%(num)d run was started.", "%(num)d runs were started.", len(made))
        return str(text)

    return _each(resume, told, after={"paused": False} | ({"run_missed": True} if run else {}))


@pages.post("/recurring/remove")
@needs("recurring.remove")
def recurring_remove() -> Any:
    """Delete them. A pause is kept, for whom the code brings back."""
    tm = manager()
    return _each(
        lambda i: tm.remove(i, keep_pause=True),
        lambda n: ngettext("%(num)d recurring job was removed.", "%(num)d recurring jobs were removed.", n),
    )


def pause_end(text: str) -> datetime | None:
    """The end of a pause, as a browser's field for moments sends it, in UTC. Answers 422 for what is none."""
    text = text.strip()
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        wrong = _("needs a moment such as 2026-11-01 08:00")
        if not shell.wants_page():
            abort(422, f"until: {wrong}")
        flash(f"{_('Until (UTC)')}: {wrong}", "warn")
        abort(redirect(back(), 303))


def _chosen() -> list[str]:
    return list(dict.fromkeys(request.form.getlist("jobs[]") or request.form.getlist("jobs")))


def _each(
    verb: Callable[[str], bool], told: Callable[[int], str], *, after: Mapping[str, Any] | None = None
) -> Any:  # fmt: skip
    ids = _chosen()
    if not ids:
        if shell.wants_page():
            flash(_("Choose at least one recurring job first."), "warn")
            abort(redirect(back(), 303))
        abort(422, _("No recurring job was chosen."))
    done, wrong, refused = 0, list[str](), ""
    for one in ids[:_MOST]:
        access.about("recurring", one, after=after)
        try:
            done += verb(one)
        except RecurringJobNotFound:
            wrong.append(_("There is no recurring job %(id)s any more.", id=one[:100]))
        except (InvalidCron, InvalidArgument, InvocationUnreadable, CreationCancelled) as error:
            wrong.append(f"{one[:100]}: {redaction.text(str(error))}")
            refused = refused or (wrong[-1] if isinstance(error, InvalidArgument) else "")
    if not shell.wants_page():
        if refused:
            abort(422, refused)
        return "", 204
    if done:
        flash(told(done), "done")
    for text in wrong[:5]:
        flash(text, "warn")
    return redirect(back(), 303)
