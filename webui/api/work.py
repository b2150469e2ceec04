"""Jobs at /api/v1/jobs: lists by the pages' filter language, one job, its log; write, requeue, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskmanager.domain import tags
from taskmanager.domain.arguments import meets
from taskmanager.domain.errors import JobNotFound
from taskmanager.engine.client import MADE_FROM, MADE_INTO
from taskmanager.engine.transitions import Applied
from taskmanager.storage import monitoring_details, monitoring_lists
from taskmanager.storage.monitoring_details import Details
from taskmanager.storage.monitoring_lists import Page, Row
from taskmanager.storage.monitoring_sets import Place
from webui import access, cursors, filtering, joblogs, jobviews, panels, redaction, restricting
from webui.api import byname, schemas, shapes, workschemas
from webui.api.problems import refuse, refuse_field, told
from webui.api.routing import created, group, operation
from webui.blueprint import manager, read
from webui.progress import remaining, share_of
from webui.views.actions import reason
from webui.views.details import ids_of, parameters_of, remarks_of
from webui.views.retries import listed

jobs = group("jobs", "Jobs")

_BATCH = 200
_MAX_ID = 1 << 62


@operation(jobs, "GET", "/api/v1/jobs", query=workschemas.JobsQuery, gives=workschemas.JobPage)
def list_all_jobs(query: Mapping[str, Any]) -> Any:
    """Jobs by a filter, the newest first."""
    parsed = filter_of(query["q"], (query["state"],) if query["state"] else ())
    below, above = place(query["after"], 1, "after"), place(query["before"], 1, "before")
    if query["order"] == "oldest":
        return _oldest(parsed, below, above, query["limit"])

    def work(tx: Any) -> Any:
        before, after = int(below[0]) if below else None, int(above[0]) if above else None
        return monitoring_lists.page(tx, parsed.wanted, limit=query["limit"], before=before, after=after)

    page = read(work)
    rows = [r for r in page.rows if not parsed.names or meets(parsed.names, jobviews.arguments_of(r))]
    return {
        "items": [row(r) for r in rows], "searchedDownTo": page.floor,
        "searched": page.looked if page.floor is not None else None,
        "next": _down(page),
        "previous": _up(page),
    }  # fmt: skip


def _down(page: Page) -> str | None:
    """A cursor for what comes below a page: where a search ended for want of time, for what it has not looked at."""
    if page.has_older and page.rows:
        return cursors.write(page.rows[-1].id)
    return None if page.floor is None else cursors.write(page.floor)


def _up(page: Page) -> str | None:
    """A cursor for what comes above a page."""
    if page.ceiling is not None:
        return cursors.write(page.ceiling)
    return cursors.write(page.rows[0].id) if page.has_newer and page.rows else None


def _oldest(parsed: filtering.Parsed, beyond: list[Any] | None, back: list[Any] | None, limit: int) -> dict[str, Any]:
    """The same from the oldest on."""
    if not parsed.wanted.is_indexed:
        refuse_field("order", "only lists that an index serves begin with the oldest")
    edge = {"before": int(back[0])} if back else {"after": int(beyond[0]) if beyond else 0}
    page = read(lambda tx: monitoring_lists.page(tx, parsed.wanted, limit=limit, **edge))
    rows = page.rows[::-1]
    has_before = page.has_older if back else bool(beyond)
    return {
        "items": [row(r) for r in rows], "searchedDownTo": None, "searched": None,
        "next": cursors.write(rows[-1].id) if page.has_newer and rows else None,
        "previous": cursors.write(rows[0].id) if has_before and rows else None,
    }  # fmt: skip


@operation(jobs, "GET", "/api/v1/retries", query=workschemas.RetriesQuery, gives=workschemas.RetryPage)
def list_retries(query: Mapping[str, Any]) -> Any:
    """Jobs that failed and will be tried again, those that come next first; by a text, among 1,000 at a time."""
    at = place(query["after"], 2, "after")
    after = Place(float(at[0]), int(at[1])) if at else None
    found = read(lambda tx: listed(tx, query["q"].strip(), after, query["limit"]))
    following = cursors.write(found.next.score, found.next.row) if found.next else None
    said = {i: jobviews.error_of(data) for i, data in found.errors.items()}
    items = [row(r) | dict(zip(("error", "message"), said.get(r.id, (None, None)), strict=True)) for r in found.rows]
    return {"items": items, "next": following}


@operation(
    jobs, "POST", "/api/v1/retries/postpone", needs="jobs.requeue", body=workschemas.Postponed,
    gives=workschemas.Changed,
)  # fmt: skip
def postpone_retries(body: Mapping[str, Any]) -> Any:
    """Let the next try of jobs that failed begin so many seconds from now."""
    return _told([a for part in _parts(body) for a in manager().retries.postpone(part, body["seconds"])])


@operation(
    jobs, "POST", "/api/v1/retries/give-up", needs="jobs.requeue", body=workschemas.GivenUp, gives=workschemas.Changed
)
def give_up_retries(body: Mapping[str, Any]) -> Any:
    """Move jobs that wait for their next try to Failed."""
    return _told([a for part in _parts(body) for a in manager().retries.give_up(part, access.actor("api").user)])


@operation(
    jobs, "POST", "/api/v1/jobs", needs="jobs.enqueue", body=workschemas.NewJob, gives=schemas.Started, status=201,
    creates=True, also={409: "taskType may be several jobs"},
)  # fmt: skip
def create_job(body: Mapping[str, Any]) -> Any:
    """Write a job: run now, after a delay, or at a moment."""
    if body["delaySeconds"] is not None and body["at"] is not None:
        refuse_field("at", "give either delaySeconds or at")
    options = {"queue": body["queue"], "priority": body["priority"], "delay": body["delaySeconds"], "at": body["at"]}
    with told(field="tags"):
        options["tags"] = tags.check(body["tags"])
    job_id = byname.enqueue({**body, "payload": body["arguments"]}, options, field="arguments")
    return created("api-jobs.get_job", {"jobId": job_id, "message": f"Job {job_id} is written"}, jobId=job_id)


@operation(jobs, "GET", "/api/v1/jobs/<int:jobId>", query=workschemas.HistoryQuery, gives=workschemas.JobDetail)
def get_job(query: Mapping[str, Any], job_id: int) -> Any:
    """One job with its history, of which the newest 200 states, or those before one."""
    found = must(job_id, query["statesBefore"])
    job, shown = found.job, access.may("args.view")
    left = remaining(job, manager().database.clock.now())
    return {
        "id": job.id, "state": job.state, "name": jobviews.full_title(job), "type": jobviews.full_name(job),
        "queue": job.queue, "priority": job.priority, "createdAt": job.created_at, "expireAt": job.expire_at,
        "tags": list(tags.of_parameter(job.parameters.get(tags.PARAMETER))),
        "arguments": [{"name": a.name, "value": a.text} for a in jobviews.arguments(job)] if shown else None,
        "result": redaction.values(job.result) if shown else None, "parent": found.parent,
        "children": list(found.children), "parameters": dict(parameters_of(found)),
        "madeFrom": ids_of(job, MADE_FROM), "madeInto": ids_of(job, MADE_INTO), "remarks": remarks_of(found),
        "progress": share_of(job.parameters.get("Progress")), "remainingSeconds": None if left is None else left / 1000,
        "statesNext": found.older,
        "history": [
            {
                "state": s.name, "reason": shapes.text(s.reason), "at": s.created_at,
                "data": {k: _secret(k, v) for k, v in s.data.items()} if shown else {},
            }
            for s in job.history
        ],
    }  # fmt: skip


@operation(
    jobs, "GET", "/api/v1/jobs/<int:jobId>/panels", needs="args.view", gives=lambda: workschemas.Panel(many=True)
)
def list_job_panels(job_id: int) -> Any:
    """What the host application shows of a job."""
    made = panels.of(must(job_id).job)
    return [{"title": p.title, "text": p.text, "rows": dict(p.rows), "error": p.fault or None} for p in made]


@operation(
    jobs, "GET", "/api/v1/jobs/<int:jobId>/log", needs="args.view", query=workschemas.LogQuery, gives=workschemas.Log
)
def get_job_log(query: Mapping[str, Any], job_id: int) -> Any:
    """What a job has logged, how far it is, and its state."""
    if job_id >= _MAX_ID:
        raise gone(job_id)
    found = read(lambda tx: monitoring_details.live(tx, job_id, after=query["after"]))
    if found.state is None:
        raise gone(job_id)
    after = found.log[-1].id if found.log else query["after"]
    progress = share_of(found.progress)
    return {"lines": joblogs.log_lines(found.log), "after": after, "state": found.state, "progress": progress}


@operation(
    jobs, "POST", "/api/v1/jobs/<int:jobId>/stack", needs="jobs.manage", gives=workschemas.Stack, about="job"
)  # fmt: skip
def get_job_stack(job_id: int) -> Any:
    """Where a running job stands now; its worker is asked."""
    if not access.may("args.view"):
        refuse(403, "Access.Forbidden", "the permission args.view is missing")
    found = must(job_id)
    return {"stack": redaction.text(manager().live_stack(found.job.id)) or None}


@operation(
    jobs, "POST", "/api/v1/jobs/<int:jobId>/requeue", needs="jobs.requeue", about="job",
    also={409: "nothing was changed"},
)  # fmt: skip
def requeue_job(job_id: int) -> None:
    """Put a job back into its queue, whatever became of it."""
    _changed(manager().requeue(known_id(job_id), reason=reason()))


@operation(
    jobs, "DELETE", "/api/v1/jobs/<int:jobId>", needs="jobs.delete", about="job", also={409: "it is deleted already"}
)
def delete_job(job_id: int) -> None:
    """Delete a job; one that runs is asked to end."""
    _changed(manager().delete(known_id(job_id), reason=reason()))


@operation(
    jobs, "POST", "/api/v1/jobs/requeue", needs="jobs.requeue", body=workschemas.JobIds, gives=workschemas.Changed
)
def requeue_jobs(body: Mapping[str, Any]) -> Any:
    """Put jobs back into their queues, each only if it is still in the state."""
    return _many(body, "requeue")


@operation(jobs, "POST", "/api/v1/jobs/delete", needs="jobs.delete", body=workschemas.JobIds, gives=workschemas.Changed)
def delete_jobs(body: Mapping[str, Any]) -> Any:
    """Delete jobs, each only if it is still in the state."""
    return _many(body, "delete")


@operation(jobs, "POST", "/api/v1/jobs/undo", needs="jobs.requeue", body=workschemas.Undone, gives=workschemas.Changed)
def undo_jobs(body: Mapping[str, Any]) -> Any:
    """Put deleted or requeued jobs back into the state before, where nothing has come of it yet."""
    return _told(manager().undoing.undo(_own(body), reason=reason()))


def row(one: Row) -> dict[str, Any]:
    """A job of a list."""
    return {
        "id": one.id, "state": one.state, "name": jobviews.title(one), "arguments": jobviews.subtitle(one),
        "queue": one.queue, "reason": shapes.text(one.reason), "since": one.since, "createdAt": one.created_at,
        "expireAt": one.expire_at, "tags": list(tags.of_parameter(one.parameters.get(tags.PARAMETER))),
    }  # fmt: skip


def filter_of(q: str, states: tuple[str, ...]) -> filtering.Parsed:
    """A filter in the pages' language. Raises Refusal."""
    parsed = filtering.asked(q, states)
    if parsed.hidden:
        refuse(403, "Access.Forbidden", "the permission args.view is missing, to look into arguments and messages")
    if parsed.error:
        refuse_field("q", parsed.error)
    return parsed


def place(text: str | None, length: int, field: str) -> list[Any] | None:
    """Where a page begins. Raises Refusal for a cursor that is none of ours."""
    found = cursors.read(text, length)
    if text and found is None:
        refuse_field(field, "is no cursor of this list; begin without one")
    return found


def _many(body: Mapping[str, Any], action: str) -> Any:
    ids, answers = _own(body), list[Applied]()
    verb = manager().client.requeue if action == "requeue" else manager().client.delete
    expected = [body["state"]] if body["state"] else None
    for start in range(0, len(ids), _BATCH):
        answers += verb(ids[start : start + _BATCH], reason=reason(), expected=expected)
    return _told(answers)


def _parts(body: Mapping[str, Any]) -> list[list[int]]:
    ids = _own(body)
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]


def _own(body: Mapping[str, Any]) -> list[int]:
    """The jobs that a body names."""
    ids = sorted(set(body["ids"]))
    restricting.must_have_jobs(ids)
    return ids


def _told(answers: list[Applied]) -> dict[str, Any]:
    return {
        "changed": sum(map(bool, answers)),
        "refused": {str(a.job_id): a.refused or "nothing was changed" for a in answers if not a},
    }


def must(job_id: int, before: int | None = None) -> Details:
    """A job with its history, before one of its states. Raises JobNotFound."""
    found = read(lambda tx: monitoring_details.details(tx, job_id, before=before)) if job_id < _MAX_ID else None
    if found is None:
        raise gone(job_id)
    return found


def known_id(job_id: int) -> int:
    """A number that a job may have. Raises JobNotFound."""
    if job_id >= _MAX_ID:
        raise gone(job_id)
    access.about("job", job_id)
    return job_id


def gone(job_id: int) -> JobNotFound:
    """The error of a job that is not there."""
    return JobNotFound(f"there is no job {job_id}: it never existed, or it has expired")


def _changed(done: bool) -> None:
    if not done:
        refuse(409, "Jobs.StateChanged", "nothing was changed: the job is in that state already")


def _secret(name: str, value: str) -> str:
    return redaction.MASK if redaction.is_secret(name) else redaction.text(value)
