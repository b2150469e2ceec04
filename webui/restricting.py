"""A dashboard of some queues (setting `web_queues`): what it shows, and that it refuses all else.

Closed by default: a page that is not named here, the API among them, is refused, for nobody has made sure that it tells
nothing of other queues. A job belongs to the queue of its row; one that has none there (of another program) is hidden.
"""

from __future__ import annotations

from dataclasses import replace

from flask import abort, redirect, request, url_for

from taskmanager.domain.texts import wholes
from taskmanager.storage import monitoring_queues
from taskmanager.storage.monitoring_filters import Term, Wanted
from webui.blueprint import manager, read
from webui.users import User

#: What a restricted dashboard has.
PAGES = frozenset(
    f"pages.{name}"
    for name in (
        "all_jobs", "job_list", "job_count", "job_details", "job_log", "job_json", "job_stack", "queues",
        "queues_alias", "queue", "queue_alias", "queue_fetched", "queue_action", "jobs_requeue", "jobs_enqueue",
        "jobs_delete", "jobs_undo", "job_requeue", "job_delete", "job_glance", "stats", "preferences",
        "personal_settings", "notifications_of_pages",
    )
)  # fmt: skip
#: What is left of what a role allows; buttons for the rest are not shown.
_ACTIONS = frozenset(
    {"jobs.view", "args.view", "jobs.manage", "jobs.requeue", "jobs.delete", "queues.pause", "history.export"}
)
#: How many jobs are looked up at once.
_BATCH = 500


def queues() -> tuple[str, ...]:
    """The queues that are shown; none when all are."""
    return manager().settings.web_queues


def narrowed(user: User) -> User:
    """A user with the actions that a restricted dashboard has."""
    return replace(user, actions=user.actions & _ACTIONS) if queues() else user


def wanted(asked: Wanted) -> Wanted:
    """The same jobs, of these queues only."""
    return replace(asked, terms=(*asked.terms, Term("queue", queues()))) if queues() else asked


def refusal() -> str:
    """Why a restricted dashboard does not do what is asked for; empty when it does. The front page leads to queues."""
    shown, given = queues(), request.view_args or {}
    if not shown:
        return ""
    if request.endpoint in ("pages.overview", "root"):
        abort(redirect(url_for("pages.queues")))
    if request.endpoint not in PAGES:
        return f"this dashboard shows only queues: {', '.join(shown)}"
    names = [str(given["queue"])] if "queue" in given else []
    names += request.form.getlist("queue")
    if any(name not in shown for name in names):
        return "a queue that this dashboard does not show"
    ids = {given["job_id"]} if "job_id" in given else set()
    ids |= set(wholes([*request.form.getlist("jobs[]"), *request.form.getlist("jobs")]))
    return "a job of a queue that this dashboard does not show" if _has_others(sorted(ids), shown) else ""


def _has_others(ids: list[int], shown: tuple[str, ...]) -> bool:
    known = [one for one in ids if one < 1 << 62]
    return any(
        read(lambda tx, some=known[n : n + _BATCH]: monitoring_queues.is_elsewhere(tx, some, shown))  # type: ignore[misc]
        for n in range(0, len(known), _BATCH)
    )
