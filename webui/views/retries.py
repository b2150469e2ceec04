"""Jobs that failed and will be tried again."""

from __future__ import annotations

from flask import render_template, request

from taskmanager.storage import monitoring_sets
from taskmanager.storage.monitoring_sets import Place
from webui import cursors, shell
from webui.blueprint import pages, read
from webui.views.lists import SIZES, size


@pages.get("/retries")
def retries() -> str:
    """The list, those that failed first before the others."""
    place = cursors.read(request.args.get("after"), 2)
    after = Place(float(place[0]), int(place[1])) if place else None
    found = read(lambda tx: monitoring_sets.page(tx, "retries", limit=size(), after=after))
    rows = [row for row in found.rows if row.state in ("Scheduled", "Enqueued")]
    seen = shell.seen()
    return render_template(
        "retries.html", here="retries", rows=rows, size=size(), sizes_list=SIZES, first=place is None,
        older=cursors.write(found.next.score, found.next.row) if found.next else None,
        now=seen.snapshot.at if seen else None,
    )  # fmt: skip
