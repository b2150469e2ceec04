"""Many jobs at once, at /api/v1: bulk operations, and groups of failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskmanager.engine import operations as engine
from taskmanager.engine.client import new_key
from taskmanager.engine.failures import Acted
from taskmanager.storage import monitoring_failures, monitoring_lists
from taskmanager.storage.monitoring_failures import FailureGroup
from taskmanager.storage.monitoring_sets import Place
from webui import access, cursors
from webui.api import idempotency, shapes, workschemas
from webui.api.problems import refuse, refuse_field
from webui.api.routing import created, group, operation
from webui.api.work import filter_of, place, row
from webui.blueprint import manager, read
from webui.filtering import Parsed
from webui.views.actions import reason
from webui.views.lists import ACTIONS

bulk = group("bulk", "Many jobs at once")

#: More than this, and the number has to be said.
_MANY = 1000


@operation(bulk, "GET", "/api/v1/operations", gives=lambda: workschemas.Operation(many=True))
def list_operations() -> Any:
    """Bulk operations that are still kept, the newest first."""
    return [_operation(job_id, one) for job_id, one in read(engine.newest)]


@operation(bulk, "GET", "/api/v1/operations/<int:jobId>", gives=workschemas.Operation)
def get_operation(job_id: int) -> Any:
    """How far one is."""
    return _operation(job_id, _must(job_id))


@operation(
    bulk, "POST", "/api/v1/operations", needs="operations.start", body=workschemas.NewOperation,
    gives=workschemas.Operation, status=201, creates=True,
)  # fmt: skip
def start_operation(body: Mapping[str, Any]) -> Any:
    """Requeue or delete all jobs of a state that match a filter, in the background."""
    action, state = body["action"], body["state"]
    if action not in ["requeue" if a == "enqueue" else a for a in ACTIONS[state.lower()]]:
        refuse_field("action", f"cannot be done with jobs in state {state}")
    if not access.may(f"jobs.{action}"):
        refuse(403, "Access.Forbidden", f"the permission jobs.{action} is missing")
    parsed = filter_of(body["q"], (state,))
    if parsed.names or parsed.wanted.states != (state,):
        refuse_field("q", "a filter by arg.NAME or of another state serves no bulk operation")
    key = idempotency.given()
    made = key.find() if key is not None else None
    if made is None:
        made = _start(body, parsed, key)
    one = _must(made)
    if (one.action, one.state, one.text) != (action, state, parsed.text):
        idempotency.refuse_reuse()
    return created("api-bulk.get_operation", _operation(made, one), jobId=made)


@operation(
    bulk, "POST", "/api/v1/operations/<int:jobId>/stop", needs="operations.stop", about="operation",
    also={409: "it has ended"},
)  # fmt: skip
def stop_operation(job_id: int) -> None:
    """End it after the part under way."""
    _must(job_id)
    access.about("operation", job_id)
    if not manager().operations.stop(job_id, access.actor("api").user):
        refuse(409, "Operations.Ended", f"the operation {job_id} has ended")


@operation(bulk, "GET", "/api/v1/failures", query=workschemas.PlaceQuery, gives=workschemas.FailurePage)
def list_failures(query: Mapping[str, Any]) -> Any:
    """Failed jobs grouped by their cause, those that failed last first."""
    found, following = read(lambda tx: monitoring_failures.groups(tx, _after(query)))
    return {"items": [_group(one) for one in found], "next": _next(following)}


@operation(
    bulk, "GET", "/api/v1/failures/<key>", query=workschemas.Cursor, gives=workschemas.FailureJobs
)  # fmt: skip
def get_failure(query: Mapping[str, Any], key: str) -> Any:
    """A group and its jobs."""
    found = _must_group(key)
    rows, following = read(
        lambda tx: monitoring_failures.jobs_of(tx, key, limit=query["limit"], after=_after(query))
    )  # fmt: skip
    return {"group": _group(found), "items": [row(one) for one in rows], "next": _next(following)}


@operation(
    bulk, "POST", "/api/v1/failures/<key>/requeue", needs="jobs.requeue", gives=workschemas.Acted, about="failures"
)
def requeue_failure(key: str) -> Any:
    """Put the jobs of a group back into their queues."""
    _must_group(key)
    return _acted(manager().failure_groups.requeue(key, reason=reason()))


@operation(
    bulk, "POST", "/api/v1/failures/<key>/delete", needs="jobs.delete", gives=workschemas.Acted, about="failures"
)
def delete_failure(key: str) -> Any:
    """Delete the jobs of a group."""
    _must_group(key)
    return _acted(manager().failure_groups.delete(key, reason=reason()))


def _start(body: Mapping[str, Any], parsed: Parsed, key: idempotency.Key | None) -> int:
    action, state, most = body["action"], body["state"], monitoring_lists.CAP
    count = read(lambda tx: monitoring_lists.count(tx, parsed.wanted))
    if count > _MANY and body["expected"] != min(count, most):
        refuse_field("expected", f"must be {min(count, most)}, the number of jobs that match (at most {most})")
    facts = {"action": action, "state": state, "filter": parsed.text}
    access.about("operation", f"{action} {state}", after=facts)
    under = key.key if key is not None else new_key()
    return manager().operations.start(action, parsed.wanted, parsed.text, access.actor("api"), under)


def _must(job_id: int) -> engine.Operation:
    found = read(lambda tx: engine.load(tx, job_id)) if job_id < 1 << 62 else None
    if found is None:
        refuse(404, "Operations.NotFound", f"there is no bulk operation {job_id}")
    return found


def _operation(job_id: int, one: engine.Operation) -> dict[str, Any]:
    return {
        "id": job_id, "action": one.action, "state": one.state, "q": one.text, "user": one.user,
        "startedAt": one.started, "endedAt": one.ended, "stoppedBy": one.stopped_by, "changed": one.changed,
        "skipped": one.skipped, "progress": one.share,
    }  # fmt: skip


def _must_group(key: str) -> FailureGroup:
    found = read(lambda tx: monitoring_failures.group(tx, key)) if len(key) <= 100 else None
    if found is None:
        refuse(404, "Failures.NotFound", f"there is no group of failed jobs {key[:100]!r}")
    return found


def _group(one: FailureGroup) -> dict[str, Any]:
    return {
        "key": one.key, "job": one.job, "exception": one.exception, "message": shapes.text(one.message),
        "frame": one.frame, "first": one.first, "last": one.last, "count": one.count, "today": one.today,
    }  # fmt: skip


def _acted(done: Acted) -> dict[str, Any]:
    return {"changed": done.changed, "more": done.more}


def _after(query: Mapping[str, Any]) -> Place | None:
    at = place(query["after"], 2, "after")
    return Place(float(at[0]), int(at[1])) if at else None


def _next(following: Place | None) -> str | None:
    return cursors.write(following.score, following.row) if following else None
