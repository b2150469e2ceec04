"""A dashboard of some queues (setting `web_queues`): what it shows, and that it refuses all else.

Closed by default: a page or an operation of the API that is not named here is refused, for nobody has made sure that it
tells nothing of other queues. A job belongs to the queue of its row; one that has none there (of another program) is
hidden. A recurring job belongs to the queue that its runs are put into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flask import abort, request

from taskmanager.domain.texts import wholes
from taskmanager.engine.legacy import row_of
from taskmanager.storage import monitoring_narrowed, monitoring_queues
from taskmanager.storage.monitoring_filters import Term, Wanted
from webui.blueprint import manager, read
from webui.users import User

#: The pages that a restricted dashboard has.
PAGES = frozenset(
    f"pages.{name}"
    for name in (
        "overview", "all_jobs", "job_list", "job_count", "job_details", "job_log", "job_json", "job_stack",
        "job_glance", "queues", "queues_alias", "queue", "queue_alias", "queue_fetched", "queue_held", "queue_action",
        "jobs_requeue", "jobs_enqueue", "jobs_delete", "jobs_undo", "job_requeue", "job_delete", "retries",
        "retries_postpone", "retries_give_up", "recurring", "recurring_job", "recurring_new", "recurring_create",
        "recurring_edit", "recurring_revert", "recurring_trigger", "recurring_trigger_edited", "recurring_pause",
        "recurring_resume", "recurring_remove", "cron_preview", "stats", "stats_as_hangfire", "preferences",
        "personal_settings", "notifications_of_pages",
    )
)  # fmt: skip
#: The operations of the API that it has. What a body names is looked at by their own code.
API = frozenset(
    f"api-{group}.{name}"
    for group, names in {
        "jobs": (
            "list_all_jobs", "list_retries", "postpone_retries", "give_up_retries", "create_job", "get_job",
            "list_job_panels", "get_job_log", "get_job_stack", "requeue_job", "delete_job", "requeue_jobs",
            "delete_jobs", "undo_jobs",
        ),
        "named": ("fire_and_forget", "delayed", "save_recurring", "remove_recurring", "list_jobs", "trigger_job"),
        "recurring": (
            "list_recurring", "get_recurring", "put_recurring", "delete_recurring", "trigger_recurring",
            "pause_recurring", "resume_recurring", "list_types",
        ),
        "admin": (
            "list_admin_jobs", "get_admin_job", "trigger_admin_job", "remove_admin_job", "pause_admin_job",
            "resume_admin_job",
        ),
        "edits": ("copy_job", "run_again", "reschedule_job", "move_job", "revert_recurring", "get_row", "put_row"),
        "looks": ("preview_cron", "list_recurring_runs"),
        "system": (
            "get_stats", "count_exactly", "get_trend", "list_queues", "list_queue_jobs", "get_queue_figures",
            "pause_queue", "resume_queue",
        ),
        "document": ("openapi", "docs"),
    }.items()
    for name in names
)  # fmt: skip
_SHOWN = PAGES | API | {"root"}
#: What is left of what a role allows; buttons for the rest are not shown.
_ACTIONS = frozenset(
    {
        "jobs.view", "args.view", "jobs.manage", "jobs.requeue", "jobs.delete", "queues.pause", "history.export",
        "recurring.trigger", "recurring.pause", "recurring.remove", "recurring.edit",
    }
)  # fmt: skip
#: And by the API besides: its operations look at the queue of what they write.
_BY_API = frozenset({"jobs.enqueue", "jobs.edit"})
#: Forms that tell at the field what is wrong with a queue.
_FORMS = frozenset({"pages.recurring_edit", "pages.recurring_create"})
#: How many jobs are looked up at once.
_BATCH = 500
_OF_JOB, _OF_RECURRING, _OF_QUEUE = (
    f"a {what} that this dashboard does not show" for what in ("job of a queue", "recurring job of a queue", "queue")
)


def queues() -> tuple[str, ...]:
    """The queues that are shown; none when all are."""
    return manager().settings.web_queues


def shows(queue: str | None) -> bool:
    """Whether a queue is shown."""
    return not queues() or queue in queues()


def has(endpoint: str | None) -> bool:
    """Whether a restricted dashboard has a page or an operation."""
    return endpoint in _SHOWN


def narrowed(user: User) -> User:
    """A user with the actions that a restricted dashboard has."""
    if not queues():
        return user
    return replace(user, actions=user.actions & (_ACTIONS | _BY_API if _is_api() else _ACTIONS))


def wanted(asked: Wanted) -> Wanted:
    """The same jobs, of these queues only."""
    return replace(asked, terms=(*asked.terms, Term("queue", queues()))) if queues() else asked


def refusal() -> str:
    """Why a restricted dashboard does not do what is asked for; empty when it does."""
    shown, given = queues(), request.view_args or {}
    if not shown:
        return ""
    if not has(request.endpoint):
        return f"this dashboard shows only queues: {', '.join(shown)}"
    names = [str(given["queue"])] if "queue" in given else []
    names += request.form.getlist("queue") if request.endpoint not in _FORMS else []
    if not all(map(shows, names)):
        return _OF_QUEUE
    if _has_other_recurring(_recurring_ids(given)):
        return _OF_RECURRING
    return _OF_JOB if _has_other_jobs(_job_ids(given)) else ""


def must_show(queue: str | None) -> None:
    """Answer 404 for a queue that is not shown."""
    if not shows(queue):
        abort(404, _OF_QUEUE)


def must_have_jobs(ids: Iterable[int]) -> None:
    """The same for jobs of other queues."""
    if _has_other_jobs(ids):
        abort(404, _OF_JOB)


def must_have_recurring(recurring_id: str) -> None:
    """The same for a recurring job, which may not be there yet."""
    if _has_other_recurring([recurring_id]):
        abort(404, _OF_RECURRING)


def _is_api() -> bool:
    return (request.blueprint or "").startswith("api-")


def _job_ids(given: Mapping[str, Any]) -> set[int]:
    """The jobs that an address and a form name."""
    found = {given[name] for name in ("job_id", "jobId") if isinstance(given.get(name), int)}
    if not _is_of_recurring():
        found |= set(wholes(_chosen()))
    return found


def _recurring_ids(given: Mapping[str, Any]) -> list[str]:
    """The recurring jobs that they name; for administrators these are jobs, too."""
    found = [given[name] for name in ("recurring_id", "recurringId", "jobId") if isinstance(given.get(name), str)]
    return found + request.form.getlist("recurring_id") + (_chosen() if _is_of_recurring() else [])


def _is_of_recurring() -> bool:
    return (request.endpoint or "").startswith("pages.recurring")


def _chosen() -> list[str]:
    return [*request.form.getlist("jobs[]"), *request.form.getlist("jobs")]


def _has_other_jobs(ids: Iterable[int]) -> bool:
    shown = queues()
    known = sorted({one for one in ids if one < 1 << 62}) if shown else []
    return any(
        read(lambda tx, some=known[n : n + _BATCH]: monitoring_queues.is_elsewhere(tx, some, shown))  # type: ignore[misc]
        for n in range(0, len(known), _BATCH)
    )


def _has_other_recurring(ids: Iterable[str]) -> bool:
    known = {one: row_of(one) for one in ids} if queues() else {}

    def work(tx: Any) -> list[str]:
        found = monitoring_narrowed.queues_of_recurring(tx, [one for one, row in known.items() if row is None])
        rows = manager().recurring_jobs.some_rows(tx, [row for row in known.values() if row is not None])
        return [*found.values(), *(one.queue for one in rows)]

    return bool(known) and not all(map(shows, read(work)))
