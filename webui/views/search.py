"""One box for everything: jobs by id, type, argument or error, recurring jobs, queues, servers."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from taskmanager.domain import times
from taskmanager.domain.arguments import meets
from taskmanager.domain.records import RecurringRecord
from taskmanager.domain.texts import whole
from taskmanager.storage import monitoring_directory, monitoring_lists
from taskmanager.storage import recurring as recurring_rows
from taskmanager.storage.monitoring_directory import Directory
from taskmanager.storage.monitoring_lists import Page
from taskmanager.storage.transaction import Tx
from webui import filtering, jobviews, serverviews, shell
from webui.blueprint import manager, pages, read
from webui.views.recurring import state_of, text_of

#: Of each kind; the lists themselves have the rest.
_MOST = 20
_NOTHING: tuple[Directory, Page, list[RecurringRecord]] = (
    Directory(False, (), (), (), frozenset()), Page((), False, False), []
)  # fmt: skip


@pages.get("/search")
def search() -> Any:
    """What there is by this text; a job's number alone leads to the job."""
    q = request.args.get("q", "").strip()[:500]
    job_id = whole(q.lstrip("#"))
    seen = shell.seen()
    now = seen.snapshot.at if seen is not None else times.utcnow()
    parsed = filtering.asked(q)
    error = parsed.error

    def work(tx: Tx) -> tuple[Directory, Page, list[RecurringRecord]]:
        names = monitoring_directory.look(tx, job_id)
        if names.has_job:
            return names, Page((), False, False), []
        page = Page((), False, False) if error else monitoring_lists.page(tx, parsed.wanted, limit=_MOST)
        return names, page, recurring_rows.load_these(tx, names.recurring, names.paused)

    names, page, recurring = read(work) if q else _NOTHING
    if names.has_job:
        return redirect(url_for("pages.job_details", job_id=job_id))
    rows = [r for r in page.rows if meets(parsed.names, jobviews.arguments_of(r))]
    needle = q.lower()
    recurring += manager().recurring_jobs.rows() if q else []
    recurring = [r for r in recurring if needle in text_of(r)]
    recurring.sort(key=lambda r: (r.id.lower() != needle, r.id.lower()))
    found_servers = [serverviews.view(s, now) for s in names.servers if needle in s.id.lower()]
    return render_template(
        "search.html", here="search", q=q, filter=parsed, error=error, rows=rows, page=page, keys=filtering.KEYS,
        recurring=recurring[:_MOST], more_recurring=len(recurring) - _MOST, state_of=state_of,
        queues=[name for name in names.queues if needle in name.lower()][:_MOST], servers=found_servers[:_MOST],
    )  # fmt: skip
