"""Edits at /api/v1: a job once more, elsewhere or later, a definition as the code says, a row of c_Job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from taskmanager.domain.errors import InvalidFields
from taskmanager.domain.times import to_iso
from taskmanager.engine.client import check_queue, new_key
from taskmanager.engine.legacy import row_of
from taskmanager.engine.legacy_edits import RowEdits
from taskmanager.engine.transitions import GONE, Applied
from taskmanager.storage import jobs as job_rows
from webui import access, callforms, restricting
from webui.api import admin, idempotency, lookschemas, schemas
from webui.api.problems import refuse, refuse_field, told
from webui.api.routing import created, group, operation
from webui.api.work import gone, known_id
from webui.blueprint import manager, read
from webui.views import copies, moves
from webui.views.actions import reason
from webui.views.recurring_edit import to_code

edits = group("edits", "Edits")

_ROW = "/api/v1/recurring/<path:recurringId>/row"


@operation(
    edits, "POST", "/api/v1/jobs/<int:jobId>/copies", needs="jobs.edit", body=lookschemas.NewCopy,
    gives=schemas.Started, status=201, creates=True, about="job", also={409: "the function is not known here"},
)  # fmt: skip
def copy_job(body: Mapping[str, Any], job_id: int) -> Any:
    """Write a job anew with other arguments; the old one stays as it is, and each tells of the other."""
    found = read(lambda tx: job_rows.read_many(tx, [job_id])) if job_id < 1 << 62 else []
    if not found:
        raise gone(job_id)
    if not callforms.may_edit():
        refuse(403, "Access.Forbidden", "the permission args.view is missing")
    job, key = found[0], idempotency.given()
    known = callforms.known_call(job.invocation_data, job.arguments)
    if known is None:
        refuse(409, "Jobs.UnknownType", "this process does not know the function, or it takes other arguments by now")
    definition, call = known
    queue = body["queue"] or job.queue or definition.queue
    restricting.must_show(queue)
    with told(field="arguments"):
        made = callforms.replaced(definition, call, body["arguments"])
    with told(field="queue"):
        check_queue(queue)
    under, kept = (key.key, key.parameters) if key is not None else (new_key(), {})
    with told(code="Jobs.TriggerFailed"):
        new_id = idempotency.once(key, lambda: copies.make(job, definition, (call, made), queue, under, kept))
    return created(
        "api-jobs.get_job", {"jobId": new_id, "message": f"Job {new_id} is made from {job_id}"}, jobId=new_id
    )


@operation(
    edits, "POST", "/api/v1/jobs/<int:jobId>/again", needs="jobs.enqueue", gives=schemas.Started, status=201,
    creates=True, about="job",
)  # fmt: skip
def run_again(job_id: int) -> Any:
    """Write a job once more, with its arguments as they are stored; each tells of the other."""
    key = idempotency.given()
    under, kept = (key.key, key.parameters) if key is not None else (new_key(), {})
    with told(code="Jobs.TriggerFailed"):
        new_id = idempotency.once(key, lambda: moves.copy(job_id, under, kept))
    return created(
        "api-jobs.get_job", {"jobId": new_id, "message": f"Job {new_id} is made from {job_id}"}, jobId=new_id
    )


@operation(
    edits, "POST", "/api/v1/jobs/<int:jobId>/reschedule", needs="jobs.requeue", body=lookschemas.NewTime, about="job",
    also={409: "it is neither Scheduled nor Enqueued nor Failed"},
)  # fmt: skip
def reschedule_job(body: Mapping[str, Any], job_id: int) -> None:
    """Let a job begin later, or at a moment to come; a retry stays one."""
    if (body["delaySeconds"] is None) == (body["at"] is None):
        refuse_field("at", "give either delaySeconds or at")
    at = body["at"] or manager().database.clock.now() + timedelta(seconds=body["delaySeconds"])
    access.about("job", job_id, after={"at": to_iso(at)})
    with told(field="at"):
        _answered(job_id, manager().placing.reschedule(known_id(job_id), at, reason=reason()))


@operation(
    edits, "POST", "/api/v1/jobs/<int:jobId>/move", needs="jobs.requeue", body=lookschemas.NewPlace, about="job",
    also={409: "nothing was changed"},
)  # fmt: skip
def move_job(body: Mapping[str, Any], job_id: int) -> None:
    """Put a job into another queue, whatever became of it."""
    restricting.must_show(body["queue"])
    access.about("job", job_id, after={"queue": body["queue"]})
    with told(field="queue"):
        _answered(job_id, manager().placing.requeue_to(known_id(job_id), body["queue"], reason=reason()))


@operation(
    edits, "POST", "/api/v1/recurring/<path:recurringId>/revert", needs="recurring.edit", about="recurring"
)  # fmt: skip
def revert_recurring(recurring_id: str) -> None:
    """Make a definition again what the code says."""
    record = admin.must(recurring_id)
    if record.procedure is None:
        to_code(record)


@operation(edits, "GET", _ROW, needs="recurring.edit", gives=lookschemas.Row)
def get_row(recurring_id: str) -> Any:
    """The columns of a row of c_Job, with the version that a change of it must name."""
    rows, row_id = _rows(recurring_id)
    found = rows.read(row_id)
    return {"version": found.version, "columns": dict(found.values)}


@operation(
    edits, "PUT", _ROW, needs="recurring.edit", body=lookschemas.SaveRow, gives=lookschemas.Row, about="recurring",
    also={409: "somebody has changed it meanwhile"},
)  # fmt: skip
def put_row(body: Mapping[str, Any], recurring_id: str) -> Any:
    """Change columns of a row of c_Job, which stays in its place; who edits it by SQL meanwhile wins."""
    rows, row_id = _rows(recurring_id)
    was, given = rows.read(row_id).values, body["columns"]
    unknown = next((name for name in given if name not in was), None)
    if unknown is not None:
        refuse_field(f"columns.{unknown}"[:100], f"is no column to edit; these are: {', '.join(was)}")
    other = [name for name, text in given.items() if text != was[name].strip()]
    access.about(
        "recurring", recurring_id, before={n: was[n] for n in other}, after={n: given[n] for n in other}
    )  # fmt: skip
    try:
        rows.edit(row_id, given, version=body["version"])
    except InvalidFields as error:
        faults = [(f"columns.{name}", text) for name, text in error.errors.items()]
        refuse(422, "Request.Invalid", "; ".join(f"{f}: {m}" for f, m in faults), faults=faults)
    return get_row(recurring_id)


def _answered(job_id: int, answer: Applied) -> None:
    if answer.refused == GONE:
        raise gone(job_id)
    if not answer:
        refuse(409, "Jobs.StateChanged", f"nothing was changed: {answer.refused}")


def _rows(recurring_id: str) -> tuple[RowEdits, int]:
    """Where rows are edited, and which one. Raises Refusal."""
    row_id, rows = row_of(recurring_id), manager().row_edits
    if row_id is None or rows is None:
        refuse(404, "Jobs.NotFound", f"there is no row of c_Job {recurring_id!r}")
    return rows, row_id
