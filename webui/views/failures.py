"""Failed jobs grouped by their cause; a whole group is requeued or deleted, a bounded number at a time."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from taskmanager.storage import monitoring_failures
from taskmanager.storage.monitoring_failures import FailureGroup
from taskmanager.storage.monitoring_sets import Place
from webui import cursors, jobviews, shell
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.views.actions import reason
from webui.views.lists import SIZES, size


@pages.get("/jobs/failed/groups")
def failure_groups() -> str:
    """The groups, those that failed last first."""
    place = cursors.read(request.args.get("after"), 2)
    after = Place(float(place[0]), int(place[1])) if place else None
    groups, following = read(lambda tx: monitoring_failures.groups(tx, after))
    return render_template(
        "failures.html", here="jobs", state="failed", groups=groups, title_of=_title, first=after is None,
        older=cursors.write(following.score, following.row) if following else None, cap=monitoring_failures.CAP,
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
        "failure_group.html", here="jobs", state="failed", group=group, title_of=_title, rows=rows,
        first=after is None, older=cursors.write(following.score, following.row) if following else None,
        size=size(), sizes_list=SIZES, cap=monitoring_failures.CAP,
    )  # fmt: skip


@pages.post("/jobs/failed/groups/<key>/requeue")
@needs("jobs.requeue")
def failure_group_requeue(key: str) -> Any:
    """Put the jobs of a group back into their queues."""
    return _act(key, "requeue")


@pages.post("/jobs/failed/groups/<key>/delete")
@needs("jobs.delete")
def failure_group_delete(key: str) -> Any:
    """Delete the jobs of a group."""
    return _act(key, "delete")


def _act(key: str, action: str) -> Any:
    if read(lambda tx: monitoring_failures.group(tx, key)) is None:
        abort(404)
    groups = manager().failure_groups
    done = (groups.requeue if action == "requeue" else groups.delete)(key, reason=reason())
    if not shell.wants_page():
        return "", 204
    if action == "requeue":
        flash(ngettext("%(num)d job was enqueued.", "%(num)d jobs were enqueued.", done.changed), "done")
    else:
        flash(ngettext("%(num)d job was deleted.", "%(num)d jobs were deleted.", done.changed), "done")
    if done.more:
        flash(_("The group has more jobs: so many are changed at once. Press again to go on."), "warn")
    target = url_for("pages.failure_group", key=key) if done.more else url_for("pages.failure_groups")
    return redirect(target, 303)


def _title(group: FailureGroup) -> str:
    known = jobviews.definitions().get(group.job)
    return known.title if known is not None else group.job.rpartition(":")[2] or group.job or "?"
