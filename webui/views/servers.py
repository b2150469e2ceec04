"""Worker processes: who lives, and what they perform."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.storage import monitoring_lists
from taskmanager.storage import servers as server_rows
from taskmanager.storage.monitoring_filters import Wanted
from taskmanager.storage.transaction import Tx
from webui import access, serverviews, shell
from webui.access import needs
from webui.blueprint import manager, pages, read

#: Running jobs that are told of; beyond it the list of running jobs is the place to look.
_RUNNING = 100


@pages.get("/servers")
def servers() -> str:
    """All of them."""

    def work(tx: Tx) -> Any:
        running = monitoring_lists.newest(tx, Wanted(("Processing",)), limit=_RUNNING)
        return server_rows.all_servers(tx), running, tx.now(), server_rows.quiet_ones(tx)

    found, running, now, quiet = read(work)
    views = [serverviews.view(s, now, running, quiet) for s in found]
    known = {v.id for v in views}
    lost = [r for r in running if r.data.get("ServerId") and r.data["ServerId"] not in known]
    seen = shell.seen()
    return render_template(
        "servers.html", here="servers", servers=views, now=now, lost=lost, seen_at=seen.snapshot.at if seen else now
    )


@pages.post("/servers/<any(pause, resume):action>")
@needs("servers.drain")
def server_action(action: str) -> Any:
    """Let a server take no more jobs, or take them again."""
    if not manager().quiet_server(request.form.get("server", ""), quiet=action == "pause"):
        abort(404)
    if not shell.wants_page():
        return "", 204
    text = _("The server takes no more jobs; what it runs, it ends.") if action == "pause" else None
    flash(text or _("The server takes jobs again."), "done")
    return redirect(url_for("pages.servers"), 303)


@pages.post("/servers/stack/<int:job_id>")
@needs("jobs.manage")
def job_stack(job_id: int) -> Any:
    """Where a running job stands now: asked through the database, so it changes something for a moment."""
    if not access.may("args.view"):
        abort(403, "args.view")
    found = manager().live_stack(job_id) if job_id < 1 << 62 else None
    return render_template("stack.html", here="servers", job_id=job_id, trace=found)
