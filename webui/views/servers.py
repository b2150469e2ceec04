"""Worker processes: who lives, what they perform and what they take of their machines; one of them with its jobs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import InvalidArgument
from taskmanager.storage import monitoring_lists, server_facts
from taskmanager.storage import servers as server_rows
from taskmanager.storage.monitoring_filters import Term, Wanted
from taskmanager.storage.monitoring_lists import Page
from taskmanager.storage.server_facts import Facts
from taskmanager.storage.transaction import Tx
from webui import access, cursors, servercharts, serverviews, shell
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.serverviews import STAGES, ServerView
from webui.views.actions import back

#: Running jobs of a page of one server, and of all in the list of servers.
_RUNNING = 100
#: Of each server in the list; its own page has the others.
_OF_EACH = 20


@pages.get("/servers")
def servers() -> str:
    """All of them, or those of a stage or of whose name a part is asked for."""
    q, stage = request.args.get("q", "").strip()[:100], request.args.get("state", "")
    stage = stage if stage in STAGES else ""
    views, now, running = _look()
    known = {v.id for v in views}
    lost = [r for r in running if r.data.get("ServerId") and r.data["ServerId"] not in known]
    seen = shell.seen()
    shown = [v for v in views if q.lower() in v.id.lower() and stage in ("", v.stage)]
    return render_template(
        "servers.html", here="servers", servers=shown, all=views, now=now, lost=lost, q=q, stage=stage, most=_OF_EACH,
        counts=Counter(v.stage for v in views), versions=_versions(views), seen_at=seen.snapshot.at if seen else now,
    )  # fmt: skip


@pages.get("/servers/<name:server>")
def server(server: str) -> str:
    """One of them: its last hour, the jobs it performs now by pages, its settings, its last warnings."""
    place = cursors.read(request.args.get("before"), 1)
    look = look_at(server, before=int(place[0]) if place else None)
    if look is None:
        abort(404)
    rows = look.page.rows
    return render_template(
        "server.html", here="servers", one=look.view, now=look.now, versions=_versions(look.others), facts=look.facts,
        charts=servercharts.charts(look.facts.minutes, look.view.workers), first=place is None,
        older=cursors.write(rows[-1].id) if look.page.has_older and rows else None, shown_of=_RUNNING,
    )  # fmt: skip


@pages.post("/servers/<any(pause, resume, stop, remove):action>")
@needs("servers.drain")
def server_action(action: str) -> Any:
    """Let a server take no more jobs, take them again, or stop after its jobs; take away one that is dead."""
    name = request.form.get("server", "")
    if action == "remove":
        return _remove(name)
    after = {"stops": True} if action == "stop" else {"paused": action == "pause"}
    access.about("server", name, after=after)
    tm = manager()
    try:
        known = tm.stop_server(name) if action == "stop" else tm.quiet_server(name, quiet=action == "pause")
    except InvalidArgument as error:
        return _refused(error)
    if not known:
        abort(404)
    if not shell.wants_page():
        return "", 204
    flash({
        "pause": _("The server takes no more jobs; what it runs, it ends."),
        "resume": _("The server takes jobs again."),
        "stop": _("The server stops when the jobs it runs have ended."),
    }[action], "done")  # fmt: skip
    return redirect(back() if request.form.get("back") else url_for("pages.servers"), 303)


@pages.post("/servers/stack/<int:job_id>")
@needs("jobs.manage")
def job_stack(job_id: int) -> Any:
    """Where a running job stands now: asked through the database, so it changes something for a moment."""
    if not access.may("args.view"):
        abort(403, "args.view")
    found = manager().live_stack(job_id) if job_id < 1 << 62 else None
    return render_template("stack.html", here="servers", job_id=job_id, trace=found)


def _remove(name: str) -> Any:
    try:
        if not manager().remove_server(name):
            abort(404)
    except InvalidArgument as error:
        return _refused(error)
    if not shell.wants_page():
        return "", 204
    flash(_("The server is taken away; what it had in hand is given back."), "done")
    return redirect(url_for("pages.servers"), 303)


def _refused(error: InvalidArgument) -> Any:
    if not shell.wants_page():
        abort(409, str(error))
    flash(str(error), "warn")
    return redirect(url_for("pages.servers"), 303)


@dataclass(frozen=True, slots=True)
class Look:
    """A server, all servers, what it tells of itself, and a page of the jobs it performs."""

    view: ServerView
    others: list[ServerView]
    facts: Facts
    page: Page
    now: datetime


def look_at(server: str, *, before: int | None = None) -> Look | None:
    """Look at one server; None when there is none of that id. before: only jobs with a lower id."""
    wanted = Wanted(("Processing",), (Term("server", (server,)),))

    def work(tx: Tx) -> Any:
        known = server_rows.all_servers(tx)
        if all(one.id != server for one in known):
            return None
        page = monitoring_lists.page(tx, wanted, limit=_RUNNING, before=before, statements=2)
        return known, page, server_facts.of(tx, server), tx.now(), server_rows.asked(tx)

    found = read(work)
    if found is None:
        return None
    known, page, facts, now, asked = found
    views = [serverviews.view(one, now, page.rows, asked) for one in known]
    return Look(next(v for v in views if v.id == server), views, facts, page, now)


def _look() -> tuple[list[ServerView], Any, list[Any]]:
    def work(tx: Tx) -> Any:
        running = monitoring_lists.newest(tx, Wanted(("Processing",)), limit=_RUNNING)
        return server_rows.all_servers(tx), running, tx.now(), server_rows.asked(tx)

    found, running, now, asked = read(work)
    return [serverviews.view(s, now, running, asked) for s in found], now, running


def _versions(views: list[ServerView]) -> list[str]:
    """The versions that run, when they are several: during a deployment, or after half of one."""
    found = sorted({v.version for v in views if v.version and v.stage != "dead"})
    return found if len(found) > 1 else []
