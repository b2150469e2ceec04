"""Jobs by name at /api/jobs: run now, run later, run by a schedule, list, trigger, history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskmanager.domain.errors import AmbiguousJob, RecurringJobNotFound, UnknownJob
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine import calls, lookup
from taskmanager.engine.legacy import row_of
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import logged, monitoring_logged
from taskmanager.storage.transaction import Tx
from webui import access, restricting
from webui.api import idempotency, schemas, shapes
from webui.api.problems import refuse_field, told
from webui.api.routing import created, group, operation
from webui.blueprint import manager, read

named = group("named", "Jobs by name")

#: Who is named in c_LoggedJob.TriggeredBy.
BY = "API"


@operation(
    named, "POST", "/api/jobs/fire-and-forget", needs="jobs.enqueue", body=schemas.FireAndForget,
    gives=schemas.Started, status=201, creates=True, also={409: "taskType may be several jobs"},
)  # fmt: skip
def fire_and_forget(body: Mapping[str, Any]) -> Any:
    """Run a job as soon as possible."""
    job_id = enqueue(body, {})
    return created("api-jobs.get_job", {"jobId": job_id, "message": f"Job {job_id} is enqueued"}, jobId=job_id)


@operation(
    named, "POST", "/api/jobs/delayed", needs="jobs.enqueue", body=schemas.Delayed, gives=schemas.Started, status=201,
    creates=True, also={409: "taskType may be several jobs"},
)  # fmt: skip
def delayed(body: Mapping[str, Any]) -> Any:
    """Run a job after so many seconds."""
    seconds = body["delaySeconds"]
    job_id = enqueue(body, {"delay": seconds})
    return created(
        "api-jobs.get_job", {"jobId": job_id, "message": f"Job {job_id} is scheduled in {seconds} s"}, jobId=job_id
    )


@operation(
    named, "POST", "/api/jobs/recurring", needs="recurring.edit", body=schemas.RecurringJob, gives=schemas.Saved,
    creates=True, also={409: "taskType may be several jobs"},
)  # fmt: skip
def save_recurring(body: Mapping[str, Any]) -> Any:
    """Make a recurring job, or change it.

    Sent again under its key it leaves alone what somebody else has changed meanwhile.
    """
    definition, (args, kwargs) = called(body)
    job_id, key = body["jobId"], idempotency.given()
    restricting.must_show(definition.queue)
    restricting.must_have_recurring(job_id)
    access.about("recurring", job_id, after={"cron": body["cronExpression"], "job": definition.title})
    with told(field="cronExpression"):
        idempotency.done_once(
            key,
            lambda: manager().recurring(job_id, definition, cron=body["cronExpression"], args=args, kwargs=kwargs),
        )
    return {"jobId": job_id, "message": f"Recurring job {job_id} is saved"}


@operation(named, "DELETE", "/api/jobs/recurring/<path:jobId>", needs="recurring.remove", about="recurring")
def remove_recurring(job_id: str) -> None:
    """Remove a recurring job, and its pause."""
    remove(job_id)


@operation(named, "GET", "/api/jobs", gives=lambda: schemas.KnownJob(many=True))
def list_jobs() -> Any:
    """All jobs that discovery found, the rows of c_Job, and what rows were turned into."""
    known = [shapes.known_job(d) for d in manager().registry if not d.is_internal and restricting.shows(d.queue)]
    return known + [shapes.known_row(r) for r in scheduled()]


@operation(
    named, "POST", "/api/jobs/<path:jobName>/trigger", needs="jobs.enqueue", gives=schemas.Started, creates=True,
    about="job", also={409: "the name may be several jobs"},
)  # fmt: skip
def trigger_job(job_name: str) -> Any:
    """Run a job now, once, by its name in any case."""
    tm, key = manager(), idempotency.given()
    found = lookup.find(tm.registry, scheduled(), job_name, registered_only=True)
    with told(code="Jobs.TriggerFailed"):
        if isinstance(found, RecurringRecord):
            job_id = trigger(found.id)
        else:
            definition, (args, kwargs) = found, calls.from_json(found, None)
            restricting.must_show(definition.queue)
            access.about("job", definition.title)
            given = _options(key)
            job_id = idempotency.once(key, lambda: tm.enqueue_definition(definition, args, kwargs, given))
    return {"jobId": job_id, "message": f"Job '{job_name}' triggered successfully"}


@operation(
    named, "GET", "/api/jobs/<path:jobName>/history", query=schemas.HistoryQuery,
    gives=lambda: schemas.LoggedRun(many=True),
)  # fmt: skip
def job_history(query: Mapping[str, Any], job_name: str) -> Any:
    """The runs of a job from c_LoggedJob, the newest first; a job that has left the code has its runs still."""
    name, unknown = lookup.logged_name(manager().registry, scheduled(), job_name)

    def work(tx: Tx) -> list[dict[str, Any]]:
        stored = next((n for n in monitoring_logged.names(tx) if n.lower() == name.lower()), name)
        return logged.newest_of(tx, stored, limit=query.get("count") or query["limit"])

    rows = read(work)
    if unknown is not None and not rows:
        raise unknown
    return [shapes.run(row) for row in rows]


def definition_of(name: str) -> JobDefinition:
    """A registered job by the name in field taskType. Raises Refusal, AmbiguousJob."""
    try:
        return lookup.definition(manager().registry, name)
    except AmbiguousJob:
        raise
    except UnknownJob as error:
        refuse_field("taskType", str(error), code="Jobs.UnknownType")


def called(body: Mapping[str, Any], field: str = "payload") -> tuple[JobDefinition, calls.Call]:
    """The job and its arguments, as `taskType` and `payload` say. field: where these were given. Raises Refusal."""
    definition = definition_of(body["taskType"])
    with told(field=field):
        return definition, calls.from_json(definition, body["payload"])


def enqueue(body: Mapping[str, Any], options: Mapping[str, Any], *, field: str = "payload") -> int:
    """Write the job of `taskType` and `payload`; its id. Raises Refusal."""
    definition, (args, kwargs) = called(body, field)
    restricting.must_show(options.get("queue") or definition.queue)
    key = idempotency.given()
    access.about("job", definition.title)
    with told(code="Jobs.TriggerFailed"):
        given = _options(key) | dict(options)
        return idempotency.once(key, lambda: manager().enqueue_definition(definition, args, kwargs, given))


def _options(key: idempotency.Key | None) -> dict[str, Any]:
    options: dict[str, Any] = {"triggered_by": BY}
    return options if key is None else options | {"key": key.key, "parameters": key.parameters}


def scheduled() -> list[RecurringRecord]:
    """The rows of c_Job, when they are served, and what rows were turned into."""
    return [one for one in manager().recurring_jobs.by_name() if restricting.shows(one.queue)]


def trigger(recurring_id: str, arguments: Any = None) -> int:
    """Run a recurring job now; the job's id. arguments: for this run, as JSON values; None for its own.

    Raises Refusal, RecurringJobNotFound.
    """
    key, tm = idempotency.given(), manager()
    under = key.key if key is not None else None
    access.about("recurring", recurring_id, after=None if arguments is None else {"arguments": arguments})
    given: dict[str, Any] = {}
    if arguments is not None:
        record = tm.recurring_jobs.get(recurring_id)
        if record.procedure is not None or row_of(recurring_id) is not None:
            refuse_field("arguments", "a row of c_Job takes none")
        with told(field="arguments"):
            given["args"], given["kwargs"] = calls.from_json(tm.definition(read_invocation(record.job).name), arguments)
    with told(code="Jobs.TriggerFailed"):
        return idempotency.once(key, lambda: tm.trigger(recurring_id, by=BY, key=under, **given))


def remove(recurring_id: str) -> None:
    """Remove a recurring job with its pause. Raises RecurringJobNotFound."""
    access.about("recurring", recurring_id)
    if not manager().remove(recurring_id):
        raise RecurringJobNotFound(f"there is no recurring job {recurring_id!r}")
