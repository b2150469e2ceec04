"""Worker processes: who lives, and what they perform."""

from __future__ import annotations

from typing import Any

from flask import render_template

from taskmanager.storage import monitoring_lists
from taskmanager.storage import servers as server_rows
from taskmanager.storage.monitoring_lists import Wanted
from taskmanager.storage.transaction import Tx
from webui import serverviews, shell
from webui.blueprint import pages, read

#: Running jobs that are told of; beyond it the list of running jobs is the place to look.
_RUNNING = 100


@pages.get("/servers")
def servers() -> str:
    """All of them."""

    def work(tx: Tx) -> Any:
        running = monitoring_lists.newest(tx, Wanted(("Processing",)), limit=_RUNNING)
        return server_rows.all_servers(tx), running, tx.now()

    found, running, now = read(work)
    views = [serverviews.view(s, now, running) for s in found]
    known = {v.id for v in views}
    lost = [r for r in running if r.data.get("ServerId") and r.data["ServerId"] not in known]
    seen = shell.seen()
    return render_template(
        "servers.html", here="servers", servers=views, now=now, lost=lost, seen_at=seen.snapshot.at if seen else now
    )
