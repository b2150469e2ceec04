"""Counting all jobs of a state, or of a filter, where there are more than pages count."""

from __future__ import annotations

from typing import Any

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import StorageError
from webui import filtering, shell
from webui.blueprint import pages
from webui.counting import Counting


@pages.get("/counts/<any(all, enqueued, scheduled, processing, succeeded, failed, deleted, awaiting):state>")
def job_count(state: str) -> Any:
    """Begin to count, or tell what came of it: a part of the list's page, or a notice on it."""
    seen = shell.seen()
    if seen is None or seen.stale:
        raise StorageError("there is nothing to count in")
    states = (shell.STATES[state][0],) if state in shell.STATES else ()
    parsed = filtering.asked(request.args.get("q", ""), states)
    if not parsed.is_countable:
        abort(422, parsed.error or _("Jobs are not counted by named arguments."))
    counting: Counting = current_app.config["COUNTING"]
    found = counting.ask(parsed.key, parsed.wanted)
    if request.headers.get("HX-Request"):
        return render_template("exact_count.html", state=state, filter=parsed, exact=found)
    if found.progress == "counting":
        flash(_("The jobs are being counted. Reload the page in a moment."), "info")
    elif found.progress == "busy":
        flash(_("Other lists are being counted. Ask again in a moment."), "warn")
    if state == "enqueued":
        return redirect(url_for("pages.queues"))
    if state == "all":
        return redirect(url_for("pages.all_jobs", q=parsed.text or None))
    return redirect(url_for("pages.job_list", state=state, q=parsed.text or None))
