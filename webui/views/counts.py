"""Counting all jobs of a state where there are more than pages count."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import StorageError
from webui import shell
from webui.blueprint import pages
from webui.counting import Counting


@pages.get("/counts/<any(enqueued, scheduled, processing, failed, awaiting):state>")
def job_count(state: str) -> Any:
    """Begin to count, or tell what came of it: a part of the list's page, or a notice on it."""
    seen = shell.seen()
    if seen is None or seen.stale:
        raise StorageError("there is nothing to count in")
    counting: Counting = current_app.config["COUNTING"]
    found = counting.ask(shell.STATES[state][0])
    if request.headers.get("HX-Request"):
        return render_template("exact_count.html", state=state, exact=found)
    if found.progress == "counting":
        flash(_("The jobs are being counted. Reload the page in a moment."), "info")
    return redirect(url_for("pages.queues") if state == "enqueued" else url_for("pages.job_list", state=state))
