"""One box for everything: jobs by id, type, argument or error, recurring jobs, queues, servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import current_app, g, jsonify, redirect, render_template, request, url_for

from taskmanager.domain import times
from taskmanager.domain.arguments import meets
from taskmanager.domain.records import RecurringRecord
from taskmanager.domain.texts import whole
from taskmanager.storage import monitoring_directory, monitoring_lists, monitoring_traces
from taskmanager.storage.monitoring_directory import Directory
from taskmanager.storage.monitoring_lists import Page, Row
from taskmanager.storage.monitoring_recurring import Glance
from taskmanager.storage.monitoring_traces import Traces
from taskmanager.storage.transaction import Tx
from webui import access, auditrows, filtering, jobviews, recurrings, serverviews, shell, suggesting
from webui.blueprint import manager, pages, read
from webui.filtering import Parsed
from webui.recurring_marks import state as state_of
from webui.serverviews import ServerView

#: Of each kind; the lists themselves have the rest.
MOST = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What there is by a text. job_id: the job whose number it is, and then nothing else was looked for."""

    filter: Parsed
    job_id: int | None = None
    page: Page = field(default_factory=lambda: Page((), False, False))
    rows: tuple[Row, ...] = ()
    recurring: tuple[RecurringRecord, ...] = ()
    matching_recurring: int = 0
    queues: tuple[str, ...] = ()
    servers: tuple[ServerView, ...] = ()
    traces: Traces = field(default_factory=Traces)


def look(q: str) -> Found:
    """Look for jobs, recurring jobs, queues and servers by a filter or a part of their names."""
    parsed, number, needle = filtering.asked(q), whole(q.lstrip("#")), q.lower()

    def work(tx: Tx) -> tuple[Directory, Page, list[Glance], list[RecurringRecord], Traces]:
        names = monitoring_directory.look(tx, number)
        if names.has_job:
            return names, Page((), False, False), [], [], Traces()
        rows = manager().recurring_jobs.row_glances(tx, texts=True)
        known = [one for one in (*names.recurring, *rows) if needle in recurrings.text_of(one)]
        known.sort(key=lambda one: (one.id.lower() != needle, one.id.lower()))
        # With what recurring jobs take the page has eight statements.
        page = Page((), False, False) if parsed.error else monitoring_lists.page(
            tx, parsed.wanted, limit=MOST, statements=2 if known else 3
        )  # fmt: skip
        found = recurrings.whole_in(tx, known[:MOST], names.paused)
        traces = monitoring_traces.look(tx, _run_names(q), q, with_changes=access.may("audit.view"))
        return names, page, known, [record for record, _ in found], traces

    if not q:
        return Found(parsed)
    names, page, known, shown, traces = read(work)
    if names.has_job:
        return Found(parsed, number)
    seen = shell.seen()
    now = seen.snapshot.at if seen is not None else times.utcnow()
    return Found(
        parsed, None, page, tuple(r for r in page.rows if meets(parsed.names, jobviews.arguments_of(r))),
        tuple(shown), len(known),
        tuple(name for name in names.queues if needle in name.lower())[:MOST],
        tuple(serverviews.view(s, now) for s in names.servers if needle in s.id.lower())[:MOST], traces,
    )  # fmt: skip


def _run_names(q: str) -> list[str]:
    """Names under which jobs may have run: the text itself, and functions known here that have it in their names."""
    titles = {one.title for one in jobviews.definitions().values() if q.lower() in one.title.lower()}
    return list(dict.fromkeys([q, *sorted(titles, key=lambda one: (len(one), one))]))[: monitoring_traces.NAMES]


@pages.get("/search/suggestions")
def search_suggestions() -> Any:
    """What the text of a filter may go on with, as whole texts."""
    known = current_app.extensions.setdefault("taskmanager-names", suggesting.Known())
    return jsonify(suggesting.suggestions(request.args.get("q", "")[:500], known.get))


@pages.get("/search")
def search() -> Any:
    """What there is by this text; a job's number alone leads to the job."""
    q = request.args.get("q", "").strip()[:500]
    found = look(q)
    if found.job_id is not None:
        return redirect(url_for("pages.job_details", job_id=found.job_id))
    return render_template(
        "search.html", here="search", q=q, filter=found.filter, error=found.filter.error, rows=found.rows,
        page=found.page, keys=filtering.KEYS, recurring=found.recurring,
        runs=found.traces.runs, changes=found.traces.changes, address_of=auditrows.address_of,
        outcomes=auditrows.OUTCOMES,
        saved=[] if q else read(lambda tx: manager().searches.known_to(tx, g.user.name)),
        more_recurring=found.matching_recurring - MOST, state_of=state_of, queues=found.queues, servers=found.servers,
    )  # fmt: skip
