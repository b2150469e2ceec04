"""Failed jobs grouped by their cause; a whole group is requeued or deleted by a bulk operation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import abort, render_template, request
from flask_babel import gettext as _
from markupsafe import Markup

from taskmanager.storage import monitoring_failures
from taskmanager.storage.monitoring_failures import FailureGroup
from taskmanager.storage.monitoring_sets import Place
from taskmanager.storage.transaction import Tx
from webui import access, cursors, formats, jobviews, redaction, shell
from webui.blueprint import pages, read
from webui.views.lists import SIZES, size

#: How lately a group may have failed last to be shown.
SINCE = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
#: A group that was first seen so lately is new.
_NEW = timedelta(hours=24)


@pages.get("/jobs/failed/groups")
def failure_groups() -> str:
    """The groups, those that failed last first; by a text, or those that are new since the newest deploy."""
    place = cursors.read(request.args.get("after"), 2)
    after = Place(float(place[0]), int(place[1])) if place else None
    since, q = request.args.get("since", ""), request.args.get("q", "").strip()[:200]
    is_new = request.args.get("new") == "deploy"

    def work(tx: Tx) -> Any:
        deploy = monitoring_failures.newest_deploy(tx)
        chosen = choosing(q, deploy[1] if deploy and is_new else None)
        return deploy, monitoring_failures.groups(tx, after, within=SINCE.get(since), chosen=chosen)

    deploy, (groups, following) = read(work)
    seen = shell.seen()
    return render_template(
        "failures.html", here="jobs", state="failed", groups=groups, title_of=title_of, first=after is None,
        older=cursors.write(following.score, following.row) if following else None, cap=monitoring_failures.CAP,
        since=since if since in SINCE else "", spans=SINCE, new_from=seen and seen.snapshot.at - _NEW, q=q,
        is_new=is_new, deploy=deploy, looked=monitoring_failures.LOOKED, spark=spark,
        is_cut=following is not None and len(groups) < monitoring_failures.AT_ONCE and bool(q or is_new),
    )  # fmt: skip


def choosing(q: str, since: datetime | None) -> Callable[[FailureGroup], bool] | None:
    """Which groups are wanted: those in which a text stands, and that were first seen since a moment; None for all."""
    if not q and since is None:
        return None
    wanted = q.lower()

    def is_chosen(group: FailureGroup) -> bool:
        told = [title_of(group), group.job, group.exception]
        if access.may("args.view"):
            told += [redaction.text(group.message), redaction.text(group.sample), group.frame]
        is_late = since is None or (group.first is not None and group.first >= since)
        return is_late and wanted in " ".join(told).lower()

    return is_chosen


def spark(group: FailureGroup) -> Markup:
    """The failures of each of the last 24 hours as small bars."""
    most = max(group.hours, default=0)
    if not most:
        return Markup()
    bars = [
        f'<rect class="s-failed" x="{4 * place}" y="{20 - tall}" width="3" height="{tall}"/>'
        for place, count in enumerate(group.hours)
        if count and (tall := round(4 + 16 * count / most))
    ]
    told = _("Failures by the hour of the last 24 hours; the most in one: %(most)s", most=formats.number(most))
    drawn = Markup('<div><svg class="spark small" viewBox="0 0 96 20" preserveAspectRatio="none" role="img"')
    return drawn + Markup(
        ' aria-label="{}"><title>{}</title><rect class="s-deleted" y="19" width="96" height="1"/>{}</svg></div>'
    ).format(told, told, Markup("".join(bars)))


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
