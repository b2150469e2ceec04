"""Many jobs at once, at /api/v1: bulk operations, and groups of failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskmanager.engine import operations as engine
from taskmanager.engine.operation import Operation
from taskmanager.engine.recurring_operations import Wish
from taskmanager.storage import monitoring_failures, monitoring_lists
from taskmanager.storage.monitoring_failures import FailureGroup
from taskmanager.storage.monitoring_sets import Place
from webui import access, bulks, cursors
from webui.api import bulkschemas, idempotency, shapes, workschemas
from webui.api.problems import refuse, refuse_field
from webui.api.routing import created, group, operation
from webui.api.work import place, row
from webui.blueprint import manager, read
from webui.bulks import NotPossible
from webui.views.failures import SINCE, choosing

bulk = group("bulk", "Many jobs at once")


@operation(
    bulk, "GET", "/api/v1/operations", query=bulkschemas.OperationsQuery,
    gives=lambda: bulkschemas.Operation(many=True),
)  # fmt: skip
def list_operations(query: Mapping[str, Any]) -> Any:
    """Bulk operations, the newest first; 200 are kept."""
    found = read(
        lambda tx: engine.newest(
            tx, query["limit"], query["before"], state=query["progress"] or "", actor=query["user"]
        )
    )
    return [_operation(job_id, one) for job_id, one in found]


@operation(bulk, "GET", "/api/v1/operations/<int:jobId>", gives=bulkschemas.Operation)
def get_operation(job_id: int) -> Any:
    """How far one is."""
    return _operation(job_id, _must(job_id))


@operation(
    bulk, "POST", "/api/v1/operations", needs="operations.start", body=bulkschemas.NewOperation,
    gives=bulkschemas.Operation, status=201, creates=True,
)  # fmt: skip
def start_operation(body: Mapping[str, Any]) -> Any:
    """Requeue or delete all jobs of a state that match a filter, in the background."""
    made, one = _started(body["state"], body["action"], body["q"], body["expected"], body["spreadSeconds"])
    return created("api-bulk.get_operation", _operation(made, one), jobId=made)


@operation(
    bulk, "GET", "/api/v1/operations/plan", needs="operations.start", query=bulkschemas.PlannedOperation,
    gives=bulkschemas.Plan,
)  # fmt: skip
def plan_operation(query: Mapping[str, Any]) -> Any:
    """Which jobs an operation would change, before it is started: how many, and three of them."""
    asked = bulks.ask(_plan(query["state"], query["action"], query["q"]))
    return {
        "matching": asked.number, "orMore": asked.count > asked.number,
        "expected": asked.number if asked.is_many else None, "samples": [row(one) for one in asked.samples],
    }  # fmt: skip


@operation(
    bulk, "GET", "/api/v1/operations/recurring/plan", needs="operations.start",
    query=bulkschemas.PlannedRecurringOperation, gives=bulkschemas.RecurringPlan,
)  # fmt: skip
def plan_recurring_operation(query: Mapping[str, Any]) -> Any:
    """Which recurring jobs an operation would change: how many, and three of them."""
    asked = bulks.ask_recurring(_recurring_plan(query))
    return {
        "matching": asked.number, "expected": asked.number if asked.is_many else None, "samples": asked.samples,
    }  # fmt: skip


@operation(
    bulk, "POST", "/api/v1/operations/recurring", needs="operations.start", body=bulkschemas.NewRecurringOperation,
    gives=bulkschemas.Operation, status=201, creates=True,
)  # fmt: skip
def start_recurring_operation(body: Mapping[str, Any]) -> Any:
    """Trigger, pause, resume or remove all recurring jobs that match now, in the background."""
    plan, key = _recurring_plan(body), idempotency.given()
    made = key.find() if key is not None else None
    if made is None:
        asked = bulks.ask_recurring(plan)
        if asked.is_many and body["expected"] != asked.number:
            refuse_field("expected", f"must be {asked.number}, the number of recurring jobs that match")
        try:
            made = bulks.start_recurring(asked, key.key if key is not None else None, door="api")
        except NotPossible as error:
            refuse_field(error.field, str(error))
    one = _must(made)
    if (one.kind, one.action, one.state, one.text, one.options) != (
        "recurring", plan.wish.action, plan.state, plan.q, plan.wish.options(),
    ):  # fmt: skip
        idempotency.refuse_reuse()
    return created("api-bulk.get_operation", _operation(made, one), jobId=made)


@operation(
    bulk, "POST", "/api/v1/queues/<queue>/move", needs="operations.start", body=bulkschemas.MoveQueue,
    gives=bulkschemas.Operation, status=201, creates=True, about="queue",
)  # fmt: skip
def move_queue(body: Mapping[str, Any], queue: str) -> Any:
    """Move all jobs that wait in a queue to another one, in the background."""
    key = idempotency.given()
    made = key.find() if key is not None else None
    if made is None:
        try:
            made = bulks.move(queue, body["target"], key.key if key is not None else None, door="api")
        except NotPossible as error:
            if error.permission:
                refuse(403, "Access.Forbidden", f"the permission {error.permission} is missing")
            refuse_field(error.field, str(error))
    one = _must(made)
    if (one.action, one.options.get("queue")) != ("move", body["target"]):
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


@operation(bulk, "GET", "/api/v1/failures", query=bulkschemas.FailuresQuery, gives=bulkschemas.FailurePage)
def list_failures(query: Mapping[str, Any]) -> Any:
    """Failed jobs grouped by their cause, those that failed last first."""

    def work(tx: Any) -> Any:
        deploy = monitoring_failures.newest_deploy(tx) if query["newSinceDeploy"] else None
        chosen = choosing(query["q"].strip(), deploy[1] if deploy else None)
        return monitoring_failures.groups(tx, _after(query), within=SINCE.get(query["since"]), chosen=chosen)

    found, following = read(work)
    return {"items": [_group(one) for one in found], "next": _next(following)}


@operation(
    bulk, "GET", "/api/v1/failures/<key>", query=workschemas.Cursor, gives=bulkschemas.FailureJobs
)  # fmt: skip
def get_failure(query: Mapping[str, Any], key: str) -> Any:
    """A group and its jobs."""
    found = _must_group(key)
    rows, following = read(
        lambda tx: monitoring_failures.jobs_of(tx, key, limit=query["limit"], after=_after(query))
    )  # fmt: skip
    return {"group": _group(found), "items": [row(one) for one in rows], "next": _next(following)}


@operation(
    bulk, "POST", "/api/v1/failures/<key>/requeue", needs="operations.start", body=bulkschemas.WholeGroup,
    gives=bulkschemas.Operation, status=202, creates=True, about="failures",
)  # fmt: skip
def requeue_failure(body: Mapping[str, Any], key: str) -> Any:
    """Put the jobs of a group back into their queues, by a bulk operation."""
    return _whole_group(body, key, "requeue")


@operation(
    bulk, "POST", "/api/v1/failures/<key>/delete", needs="operations.start", body=bulkschemas.WholeGroup,
    gives=bulkschemas.Operation, status=202, creates=True, about="failures",
)  # fmt: skip
def delete_failure(body: Mapping[str, Any], key: str) -> Any:
    """Delete the jobs of a group, by a bulk operation."""
    return _whole_group(body, key, "delete")


def _whole_group(body: Mapping[str, Any], key: str, action: str) -> Any:
    group = _must_group(key)
    made, one = _started("Failed", action, f"group:{group.key}", body["expected"])
    return created("api-bulk.get_operation", _operation(made, one), 202, jobId=made)


def _started(state: str, action: str, q: str, expected: int | None, spread: int = 0) -> tuple[int, Operation]:
    """The operation that a request starts, or has started before under its key."""
    plan, key = _plan(state, action, q, spread), idempotency.given()
    made = key.find() if key is not None else None
    if made is None:
        asked = bulks.ask(plan)
        if asked.is_many and expected != asked.number:
            most = monitoring_lists.CAP
            refuse_field("expected", f"must be {asked.number}, the number of jobs that match (at most {most})")
        made = bulks.start(plan, key.key if key is not None else None, door="api")
    one = _must(made)
    if (one.action, one.state, one.text, one.spread) != (action, state, plan.filter.text, spread):
        idempotency.refuse_reuse()
    return made, one


def _plan(state: str, action: str, q: str, spread: int = 0) -> bulks.Plan:
    try:
        return bulks.plan(state.lower(), action, q, spread)
    except NotPossible as error:
        if error.permission:
            refuse(403, "Access.Forbidden", f"the permission {error.permission} is missing")
        told = {
            "action": f"cannot be done with jobs in state {state}",
            "q": "a filter of another state serves no bulk operation",
            "spreadSeconds": "only what is requeued is spread",
        }
        refuse_field(error.field, str(error) or told[error.field])


def _recurring_plan(given: Mapping[str, Any]) -> bulks.RecurringPlan:
    wish = Wish(
        action=given["action"], note=(given.get("note") or "").strip(), until=given.get("until"),
        run_missed=given.get("runMissed", False),
    )  # fmt: skip
    try:
        return bulks.plan_recurring(wish, given["state"] or "", given["q"])
    except NotPossible as error:
        if error.permission:
            refuse(403, "Access.Forbidden", f"the permission {error.permission} is missing")
        refuse_field(error.field, str(error))


def _must(job_id: int) -> Operation:
    found = read(lambda tx: engine.load(tx, job_id)) if job_id < 1 << 62 else None
    if found is None:
        refuse(404, "Operations.NotFound", f"there is no bulk operation {job_id}")
    return found


def _operation(job_id: int, one: Operation) -> dict[str, Any]:
    return {
        "id": job_id, "kind": one.kind, "action": one.action, "state": one.state, "q": one.text, "user": one.user,
        "startedAt": one.started, "endedAt": one.ended, "stoppedBy": one.stopped_by, "changed": one.changed,
        "skipped": one.skipped, "errors": one.errors, "progress": one.share, "spreadSeconds": one.spread,
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
        "hours": list(one.hours),
    }  # fmt: skip


def _after(query: Mapping[str, Any]) -> Place | None:
    at = place(query["after"], 2, "after")
    return Place(float(at[0]), int(at[1])) if at else None


def _next(following: Place | None) -> str | None:
    return cursors.write(following.score, following.row) if following else None
