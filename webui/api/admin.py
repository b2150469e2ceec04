"""Recurring jobs at /api/v1/admin/jobs: list, look, trigger, pause, resume, remove, restore."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from taskmanager.domain.errors import RecurringJobNotFound
from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine.legacy import row_of
from taskmanager.storage import logged
from webui import access, jobviews, recurrings, redaction, restricting
from webui.api import byname, idempotency, schemas, shapes
from webui.api.problems import told
from webui.api.routing import group, operation
from webui.blueprint import manager, read

admin = group("admin", "Recurring jobs for administrators")

_HISTORY = 20


@operation(
    admin, "GET", "/api/v1/admin/jobs", query=schemas.AdminJobsQuery, gives=lambda: schemas.AdminJob(many=True)
)  # fmt: skip
def list_admin_jobs(query: Mapping[str, Any]) -> Any:
    """Recurring jobs by id, and after them the rows of c_Job.

    Where there are more than `limit`, header `Link` has the address of the next page, with rel="next".
    """
    page = recurrings.page_by_id if restricting.queues() else manager().recurring_jobs.page
    found, following = page(query["limit"], query["after"])
    states = shapes.last_states(found)
    body = [shapes.recurring(record, states) for record in found]
    if following is None:
        return body
    address = url_for("api-admin.list_admin_jobs", limit=query["limit"], after=following)
    return body, 200, {"Link": f'<{address}>; rel="next"'}


@operation(admin, "GET", "/api/v1/admin/jobs/<path:jobId>", gives=schemas.AdminJobDetail)
def get_admin_job(job_id: str) -> Any:
    """One recurring job with its latest runs."""
    record = must(job_id)
    name = logged_name(record)
    # Those of its name may be of any queue; a dashboard of some queues has none of them.
    runs = [] if restricting.queues() else read(lambda tx: logged.newest_of(tx, name, limit=_HISTORY))
    history = [
        {
            "jobId": row["JobId"], "status": "Succeeded" if row["Success"] else "Failed",
            "startedAt": row["StartedAt"], "durationMs": row["DurationMs"], "error": shapes.text(row["ErrorMessage"]),
        }
        for row in runs
    ]  # fmt: skip
    return shapes.recurring(record, shapes.last_states([record])) | {"executionHistory": history}


@operation(
    admin, "POST", "/api/v1/admin/jobs/<path:jobId>/trigger", needs="recurring.trigger", body=schemas.TriggerJob,
    gives=schemas.Started,
    creates=True, about="recurring",
)  # fmt: skip
def trigger_admin_job(body: Mapping[str, Any], job_id: str) -> Any:
    """Run it now, once, paused or not."""
    return {"jobId": byname.trigger(job_id, body["arguments"]), "message": f"Job '{job_id}' triggered successfully"}


@operation(admin, "DELETE", "/api/v1/admin/jobs/<path:jobId>", needs="recurring.remove", about="recurring")
def remove_admin_job(job_id: str) -> None:
    """Remove it, and its pause: restored, it runs."""
    byname.remove(job_id)


@operation(
    admin,
    "POST",
    "/api/v1/admin/jobs/<path:jobId>/pause",
    needs="recurring.pause",
    body=schemas.PauseJob,
    about="recurring",
)
def pause_admin_job(body: Mapping[str, Any], job_id: str) -> None:
    """Stop firing it, for ever or until a moment; its cron is kept. Paused again, it has the new note and end."""
    pause(job_id, body)


@operation(
    admin,
    "POST",
    "/api/v1/admin/jobs/<path:jobId>/resume",
    needs="recurring.pause",
    body=schemas.ResumeJob,
    about="recurring",
    creates=True,
)
def resume_admin_job(body: Mapping[str, Any], job_id: str) -> None:
    """Fire it again, by its own cron. What was due during the pause is skipped, unless it is asked for."""
    resume(job_id, body)


@operation(admin, "POST", "/api/v1/admin/jobs/restore", needs="recurring.restore", gives=schemas.Restoration)
def restore_admin_jobs() -> Any:
    """Bring back the recurring jobs of the code that are missing, or are not as the code says.

    A job that was paused and then removed in the dashboard comes back paused; one removed here comes back running.
    """
    access.about("recurring", "*")
    done = manager().restore_recurring()
    return {
        "restored": [
            {"id": r.target, "missing": r.missing, "isPaused": r.paused, "differed": list(r.differed)}
            for r in done.restored
        ],
        "unchanged": done.unchanged,
        "problems": {name: redaction.text(text) for name, text in done.problems.items()},
    }


def must(recurring_id: str) -> RecurringRecord:
    """A recurring job. Raises RecurringJobNotFound."""
    found = read(lambda tx: manager().recurring_jobs.load_in(tx, recurring_id))
    if found is None:
        raise RecurringJobNotFound(f"there is no recurring job {recurring_id!r}")
    return found


def pause(recurring_id: str, body: Mapping[str, Any]) -> None:
    """Pause. Raises RecurringJobNotFound, Refusal."""
    was, note, until = must(recurring_id), body["note"], body["until"]
    after = {"paused": True, "note": note, "until": until and f"{until.isoformat()}Z"}
    access.about("recurring", recurring_id, before={"paused": was.paused}, after=after)
    with told(field="until" if until is not None else "note"):
        manager().pause(recurring_id, by=access.actor("api").user, note=note, until=until)


def resume(recurring_id: str, body: Mapping[str, Any]) -> None:
    """Resume. Raises RecurringJobNotFound, Refusal."""
    was = must(recurring_id).paused
    after = {"paused": False, "run_missed": body["runMissed"]}
    access.about("recurring", recurring_id, before={"paused": was}, after=after)
    key = idempotency.given()
    under = key.key if key is not None else None
    with told(code="Jobs.TriggerFailed"):
        idempotency.done_once(
            key, lambda: manager().resume(recurring_id, run_missed=body["runMissed"], by=byname.BY, key=under)
        )  # fmt: skip


def logged_name(record: RecurringRecord) -> str:
    """The name under which its runs are kept: of a function's all, of a row of c_Job its own."""
    if row_of(record.id) is not None:
        return record.name or record.id
    try:
        definition = jobviews.definitions().get(read_invocation(record.job).name)
    except InvocationUnreadable:
        return record.id
    return definition.title if definition is not None else record.id
