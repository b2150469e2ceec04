"""What a list has of a job on demand: arguments, the last error, and what may be done with it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import abort, render_template, request

from taskmanager.storage import monitoring_details
from webui import jobviews
from webui.blueprint import pages, read
from webui.bulks import ACTIONS


@pages.get("/jobs/details/<int:job_id>/glance")
def job_glance(job_id: int) -> str:
    """A part of a page for a row's menu."""
    number = monitoring_details.bounded(job_id)
    found = None if number is None else read(lambda tx: monitoring_details.details(tx, number))
    if found is None:
        abort(404)
    state = (found.job.state or "").lower()
    failed = next((one for one in reversed(found.job.history) if "ExceptionType" in one.data), None)
    return render_template(
        "job_glance.html", job=found.job, state=state, actions=ACTIONS.get(state, ()),
        back=_back(), error=jobviews.error_of(failed.data) if failed is not None else None, failed=failed,
    )  # fmt: skip


def _back() -> str:
    """The list that asked, as htmx tells it."""
    asked = urlsplit(request.headers.get("HX-Current-URL", ""))
    return asked.path + (f"?{asked.query}" if asked.query else "")
