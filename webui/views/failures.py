"""Failed jobs grouped by their cause; a whole group is requeued or deleted by a bulk operation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import abort, render_template, request

from taskmanager.storage import monitoring_failures
from taskmanager.storage.monitoring_failures import FailureGroup
from taskmanager.storage.monitoring_sets import Place
from webui import cursors, jobviews, shell
from webui.blueprint import pages, read
from webui.views.lists import SIZES, size

#: How lately a group may have failed last to be shown.
SINCE = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
#: A group that was first seen so lately is new.
_NEW = timedelta(hours=24)


@pages.get("/jobs/failed/groups")
def failure_groups() -> str:
    """The groups, those that failed last first."""
    place = cursors.read(request.args.get("after"), 2)
    after = Place(float(place[0]), int(place[1])) if place else None
    since = request.args.get("since", "")
    groups, following = read(lambda tx: monitoring_failures.groups(tx, after, within=SINCE.get(since)))
    seen = shell.seen()
    return render_template(
        "failures.html", here="jobs", state="failed", groups=groups, title_of=title_of, first=after is None,
        older=cursors.write(following.score, following.row) if following else None, cap=monitoring_failures.CAP,
        since=since if since in SINCE else "", spans=SINCE, new_from=seen and seen.snapshot.at - _NEW,
    )  # fmt: skip


@pages.get("/jobs/failed/groups/<key>")
def failure_group(key: str) -> str:
    """One group and its jobs."""
    place = cursors.read(request.args.get("after"), 2)
    after = Place(float(place[0]), int(place[1])) if place else None

    def work(tx: Any) -> Any:
        found = monitoring_failures.group(tx, key)
        return found, monitoring_failures.jobs_of(tx, key, limit=size(), after=after) if found else ([], None)

    group, (rows, following) = read(work)
    if group is None:
        abort(404)
    return render_template(
        "failure_group.html", here="jobs", state="failed", group=group, title_of=title_of, rows=rows,
        first=after is None, older=cursors.write(following.score, following.row) if following else None,
        size=size(), sizes_list=SIZES, cap=monitoring_failures.CAP,
    )  # fmt: skip


def title_of(group: FailureGroup) -> str:
    """The name of the job whose failures are a group."""
    known = jobviews.definitions().get(group.job)
    return known.title if known is not None else group.job.rpartition(":")[2] or group.job or "?"
