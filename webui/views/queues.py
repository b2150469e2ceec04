"""Queues: what waits, since when, and what is next; pause and resume."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import InvalidArgument
from taskmanager.storage import monitoring_queues
from taskmanager.storage import servers as server_rows
from taskmanager.storage.transaction import Tx
from webui import cursors, shell
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.views.lists import SIZES, size


@pages.get("/jobs/enqueued")
@pages.get("/queues", endpoint="queues_alias")
def queues() -> str:
    """All queues."""

    def work(tx: Tx) -> Any:
        return monitoring_queues.overview(tx, with_next=True), server_rows.all_servers(tx)

    found, servers = read(work)
    listened = {q for s in servers for q in s.queues}
    seen = shell.seen()
    return render_template(
        "queues.html", here="queues", queues=found, listened=listened, servers=servers,
        now=seen.snapshot.at if seen else None,
    )  # fmt: skip


@pages.get("/jobs/enqueued/<path:queue>")
def queue(queue: str) -> str:
    """Jobs that wait in a queue, in their order."""
    return _jobs(queue, fetched=False)


@pages.get("/jobs/enqueued/fetched/<path:queue>")
def queue_fetched(queue: str) -> str:
    """Jobs of a queue that servers have in hand."""
    return _jobs(queue, fetched=True)


@pages.post("/queues/<any(pause, resume):action>")
@needs("queues.pause")
def queue_action(action: str) -> Any:
    """Pause or resume a queue, on every server."""
    name = request.form.get("queue", "")
    try:
        if action == "pause":
            manager().pause_queue(name)
        else:
            manager().resume_queue(name)
    except InvalidArgument as error:
        abort(422, str(error))
    if not shell.wants_page():
        return "", 204
    told = _("Queue %(name)s is paused.", name=name) if action == "pause" else _("Queue %(name)s goes on.", name=name)
    flash(told, "done")
    return redirect(url_for("pages.queues"), 303)


def _jobs(name: str, *, fetched: bool) -> str:
    place = cursors.read(request.args.get("after"), 1)
    after = int(place[0]) if place else 0
    rows, more = read(lambda tx: monitoring_queues.page(tx, name, limit=size(), after=after, fetched=fetched))
    return render_template(
        "queue.html", here="queues", queue=name, fetched=fetched, rows=rows, size=size(), sizes_list=SIZES,
        older=cursors.write(more) if more else None, first=after == 0, state="enqueued",
    )  # fmt: skip
