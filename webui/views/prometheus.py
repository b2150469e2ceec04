"""`/metrics/prometheus`: there where the extra `taskmanager[prometheus]` is installed, for a token like any page."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, request

from taskmanager.storage import monitoring_queues
from taskmanager.storage import servers as server_rows
from taskmanager.storage.transaction import Tx
from webui import serverviews, shell
from webui.blueprint import pages, read

try:
    from webui import metrics
except ModuleNotFoundError as missing:  # the extra is not installed
    if missing.name is None or not missing.name.startswith("prometheus_client"):
        raise
    metrics = None  # type: ignore[assignment]

#: Queues that are told of, the first by name: four statements.
_QUEUES = 48


@pages.get("/metrics/prometheus")
def prometheus() -> Any:
    """The counts of everything, at most 7 statements; 404 without the extra, 503 while the database is away."""
    if metrics is None:
        return Response("Install the extra: pip install 'taskmanager[prometheus]'\n", 404, mimetype="text/plain")
    seen = shell.seen()
    if seen is None or seen.stale:
        abort(503)

    def work(tx: Tx) -> Any:
        return monitoring_queues.overview(tx, limit=_QUEUES), server_rows.all_servers(tx), tx.now()

    queues, servers, now = read(work)
    views = [serverviews.view(one, now) for one in servers]
    text, kind = metrics.written(metrics.Gauges(seen, queues, views, now), request.headers.get("Accept", ""))
    return Response(text, content_type=kind)
