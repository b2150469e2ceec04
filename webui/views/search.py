"""One box for everything: jobs by id, type, argument or error, recurring jobs, queues, servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import redirect, render_template, request, url_for

from taskmanager.domain import times
from taskmanager.domain.arguments import meets
from taskmanager.domain.records import RecurringRecord
from taskmanager.domain.texts import whole
from taskmanager.storage import monitoring_directory, monitoring_lists
from taskmanager.storage import recurring as recurring_rows
from taskmanager.storage.monitoring_directory import Directory
from taskmanager.storage.monitoring_lists import Page, Row
from taskmanager.storage.transaction import Tx
from webui import filtering, jobviews, serverviews, shell
from webui.blueprint import manager, pages, read
from webui.filtering import Parsed
from webui.serverviews import ServerView
from webui.views.recurring import state_of, text_of

#: Of each kind; the lists themselves have the rest.
MOST = 20
_NO_NAMES = Directory(False, (), (), (), frozenset())


@dataclass(frozen=True, slots=True)
class Found:
    """What there is by a text. job_id: the job whose number it is, and then nothing else was looked for."""

    filter: Parsed
    job_id: int | None = None
    page: Page = field(default_factory=lambda: Page((), False, False))
    rows: tuple[Row, ...] = ()
    recurring: tuple[RecurringRecord, ...] = ()
    queues: tuple[str, ...] = ()
    servers: tuple[ServerView, ...] = ()


def look(q: str) -> Found:
    """Look for jobs, recurring jobs, queues and servers by a filter or a part of their names."""
    parsed, number, needle = filtering.asked(q), whole(q.lstrip("#")), q.lower()

    def work(tx: Tx) -> tuple[Directory, Page, list[RecurringRecord]]:
        names = monitoring_directory.look(tx, number)
        if names.has_job:
            return names, Page((), False, False), []
        page = Page((), False, False) if parsed.error else monitoring_lists.page(tx, parsed.wanted, limit=MOST)
        return names, page, recurring_rows.load_these(tx, names.recurring, dict.fromkeys(names.paused, 0.0))

    names, page, recurring = read(work) if q else (_NO_NAMES, Page((), False, False), list[RecurringRecord]())
    if names.has_job:
        return Found(parsed, number)
    recurring += manager().recurring_jobs.rows({}) if q else []
    known = sorted(
        (r for r in recurring if needle in text_of(r)), key=lambda r: (r.id.lower() != needle, r.id.lower())
    )  # fmt: skip
    seen = shell.seen()
    now = seen.snapshot.at if seen is not None else times.utcnow()
    return Found(
        parsed, None, page, tuple(r for r in page.rows if meets(parsed.names, jobviews.arguments_of(r))), tuple(known),
        tuple(name for name in names.queues if needle in name.lower())[:MOST],
        tuple(serverviews.view(s, now) for s in names.servers if needle in s.id.lower())[:MOST],
    )  # fmt: skip


@pages.get("/search")
def search() -> Any:
    """What there is by this text; a job's number alone leads to the job."""
    q = request.args.get("q", "").strip()[:500]
    found = look(q)
    if found.job_id is not None:
        return redirect(url_for("pages.job_details", job_id=found.job_id))
    return render_template(
        "search.html", here="search", q=q, filter=found.filter, error=found.filter.error, rows=found.rows,
        page=found.page, keys=filtering.KEYS, recurring=found.recurring[:MOST],
        more_recurring=len(found.recurring) - MOST, state_of=state_of, queues=found.queues, servers=found.servers,
    )  # fmt: skip
