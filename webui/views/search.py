"""One box for everything: jobs by id, type, argument or error, recurring jobs, queues, servers."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain import times
from taskmanager.storage import jobs, monitoring_lists, monitoring_queues
from taskmanager.storage import servers as server_rows
from taskmanager.storage.monitoring_lists import Page
from taskmanager.storage.transaction import Tx
from webui import access, filtering, jobviews, serverviews, shell
from webui.blueprint import manager, pages, read
from webui.views.recurring import state_of, text_of

#: Of each kind; the lists themselves have the rest.
_MOST = 20


@pages.get("/search")
def search() -> Any:
    """What there is by this text; a job's number alone leads to the job."""
    q = request.args.get("q", "").strip()[:500]
    number = q.lstrip("#")
    if number.isdigit() and len(number) < 19 and read(lambda tx: jobs.current_states(tx, [int(number)])):
        return redirect(url_for("pages.job_details", job_id=int(number)))
    seen = shell.seen()
    now = seen.snapshot.at if seen is not None else times.utcnow()
    parsed = filtering.parse(q, now=now)
    error = parsed.error
    if not access.may("args.view") and any(t.kind in ("arg", "text", "error") for t in parsed.wanted.terms):
        error = _("Your account may not look into arguments and messages.")

    def work(tx: Tx) -> Any:
        page = monitoring_lists.page(tx, parsed.wanted, limit=_MOST) if q and not error else Page((), False, False)
        return page, monitoring_queues.names_of(tx), server_rows.all_servers(tx)

    page, queues, servers = read(work) if q else (Page((), False, False), [], [])
    rows = [r for r in page.rows if filtering.meets(parsed.names, jobviews.arguments_of(r))]
    needle = q.lower()
    recurring = [r for r in manager().recurring_list() if needle in text_of(r)] if q else []
    recurring.sort(key=lambda r: (r.id.lower() != needle, r.id.lower()))
    found_servers = [serverviews.view(s, now) for s in servers if needle in s.id.lower()]
    return render_template(
        "search.html", here="search", q=q, filter=parsed, error=error, rows=rows, page=page, keys=filtering.KEYS,
        recurring=recurring[:_MOST], more_recurring=len(recurring) - _MOST, state_of=state_of,
        queues=[name for name in queues if needle in name.lower()][:_MOST], servers=found_servers[:_MOST],
    )  # fmt: skip
