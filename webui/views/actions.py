"""Buttons on jobs: requeue, enqueue now, delete; one job or many, at Hangfire's addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from taskmanager.domain.texts import wholes
from taskmanager.engine import undoing
from taskmanager.engine.transitions import GONE, Applied
from webui import access, shell
from webui.access import needs
from webui.blueprint import manager, pages

#: Jobs that are changed in one transaction: few enough that no lock is held long.
_BATCH = 200


@pages.post("/jobs/<any(enqueued, processing, failed, succeeded, deleted):state>/requeue")
@needs("jobs.requeue")
def jobs_requeue(state: str) -> Any:
    """Put jobs back into their queues, each only if it is still in the state it was shown in."""
    return _many(state, "requeue")


@pages.post("/jobs/<any(scheduled, awaiting):state>/enqueue")
@needs("jobs.requeue")
def jobs_enqueue(state: str) -> Any:
    """Put jobs that wait for something into their queues now."""
    return _many(state, "requeue")


@pages.post("/jobs/<any(enqueued, processing, scheduled, failed, awaiting):state>/delete")
@needs("jobs.delete")
def jobs_delete(state: str) -> Any:
    """Delete jobs, each only if it is still in the state it was shown in."""
    return _many(state, "delete")


@pages.post("/jobs/actions/requeue/<int:job_id>")
@needs("jobs.requeue")
def job_requeue(job_id: int) -> Any:
    """Put one job back into its queue."""
    return _one(job_id, "requeue")


@pages.post("/jobs/actions/delete/<int:job_id>")
@needs("jobs.delete")
def job_delete(job_id: int) -> Any:
    """Delete one job; one that runs is asked to end."""
    return _one(job_id, "delete")


def reason() -> str:
    """Hangfire's words, and who it was."""
    return f"Triggered via Dashboard UI by {g.user.name}"


def _many(state: str, action: str) -> Any:
    ids = chosen()
    tm, name = manager(), shell.STATES[state][0]
    verb = tm.client.requeue if action == "requeue" else tm.client.delete
    answers: list[Applied] = []
    for start in range(0, len(ids), _BATCH):
        answers += verb(ids[start : start + _BATCH], reason=reason(), expected=[name])
    if not shell.wants_page():
        return "", 204
    changed = sum(map(bool, answers))
    if changed and action == "requeue":
        tell(ngettext("%(num)d job was enqueued.", "%(num)d jobs were enqueued.", changed), answers)
    elif changed:
        tell(ngettext("%(num)d job was deleted.", "%(num)d jobs were deleted.", changed), answers)
    return back_with_left(len(answers) - changed)


def back_with_left(left: int) -> Any:
    """Back to where the buttons are, and how many jobs were left as they are."""
    if left:
        flash(
            ngettext(
                "%(num)d job was left: its state had changed.", "%(num)d jobs were left: their state had changed.", left
            ),
            "warn",
        )
    return redirect(back(), 303)


def _one(job_id: int, action: str) -> Any:
    client, was = manager().client, request.form.get("state")
    verb = client.requeue if action == "requeue" else client.delete
    done = verb([job_id], reason=reason(), expected=[shell.STATES[was][0]] if was in shell.STATES else None)[0]
    if done.refused == GONE:
        abort(404)
    if not shell.wants_page():
        return ("", 204) if done else ("", 422)
    if not done:
        flash(_("Nothing was changed: the job is in that state already."), "warn")
    elif action == "requeue":
        tell(_("The job was enqueued."), [done])
    else:
        tell(_("The job was deleted."), [done])
    return redirect(back() if "back" in request.form else url_for("pages.job_details", job_id=job_id), 303)


def tell(text: str, answers: Sequence[Applied]) -> None:
    """Say what was done, with a way back where there may be one: its form stands in the notice."""
    ids = [one.job_id for one in answers if one.state is not None and one.left in undoing.WAYS.get(one.state.name, ())]
    can = 0 < len(ids) <= undoing.MOST and access.may("jobs.requeue")
    flash({"text": text, "undo": ids if can else []}, "done")  # type: ignore[arg-type]


@pages.post("/jobs/actions/undo")
@needs("jobs.requeue")
def jobs_undo() -> Any:
    """Take a deletion or a requeue back: each job that nothing has come of is in the state before again."""
    ids = chosen()[: undoing.MOST]
    answers = manager().undoing.undo(ids, reason=f"Taken back via Dashboard UI by {g.user.name}")
    if not shell.wants_page():
        return "", 204
    changed = sum(map(bool, answers))
    if changed:
        flash(ngettext("%(num)d job is as it was before.", "%(num)d jobs are as they were before.", changed), "done")
    return back_with_left(len(answers) - changed)


def chosen() -> list[int]:
    """The ids of field `jobs[]`. Answers 422 when there are none."""
    texts = request.form.getlist("jobs[]") or request.form.getlist("jobs")
    ids = wholes(texts)
    if not ids:
        if shell.wants_page():
            flash(_("Choose at least one job first."), "warn")
            abort(redirect(back(), 303))
        abort(422, _("No job was chosen."))
    return ids


def back() -> str:
    """The page the form stood on; only ever one of ours."""
    to = request.form.get("back", "")
    home = url_for("pages.overview")
    inside = to.startswith(home) and "//" not in to.partition("?")[0] and "\\" not in to and to.isprintable()
    return to if inside else home
