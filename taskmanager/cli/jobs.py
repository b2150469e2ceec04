"""Commands for stored jobs: enqueue one; list, show, requeue, delete them; wait for one."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from taskmanager.app import TaskManager
from taskmanager.cli.choosing import (
    LOOKED_THROUGH,
    Seen,
    check_choice,
    chosen,
    job_option,
    matching,
    queue_option,
    state_option,
    tell_unknown,
)
from taskmanager.cli.common import FAILED, Command, Group, as_json, asked_by, examples, manager, time_of
from taskmanager.cli.texts import arguments_of, call_of, indented, log_line, moment, print_json, progress, show
from taskmanager.cli.waiting import interruptible, wait_and_print
from taskmanager.domain.errors import UnknownJob
from taskmanager.domain.records import JobRecord
from taskmanager.engine.transitions import Applied
from taskmanager.storage import job_log, monitoring
from taskmanager.storage import jobs as job_rows

#: Jobs changed in one transaction.
_BATCH = 200


@click.command(
    cls=Command,
    epilog=examples(
        'enqueue shop.jobs:send_mail a@b.c subject="hello there"',
        "enqueue add 1 b=2 --queue mail --delay 60",
        "enqueue add 1 --at 2030-01-31T09:00+01:00 --json",
        "enqueue add -- -5",
    ),
)
@click.argument("name", metavar="MODULE:FUNC")
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@click.option("--queue", help="Queue, when not the job's own.")
@click.option("--delay", type=click.FloatRange(min=0), metavar="SECONDS", help="Run it so much later.")
@click.option("--at", metavar="TIME", help="Run it at this time: ISO 8601, UTC unless it has an offset.")
@click.option("--priority", type=int, help="Smaller runs first; when not the job's own.")
@as_json
@click.pass_context
def enqueue(
    ctx: click.Context, name: str, arguments: tuple[str, ...], queue: str | None, delay: float | None, at: str | None,
    priority: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Enqueue a job and print its id.

    MODULE:FUNC names a function of a module that can be imported; a job that `discover` finds may also be called by
    its display name, or its function's or class's name, in any case. Each argument is JSON, or else text; key=value
    is a named one. Quote a text that is also JSON: '"5"'. A value that begins with - stands after --.
    """
    if delay is not None and at is not None:
        raise click.UsageError("give --delay or --at, not both")
    options = {
        "queue": queue,
        "delay": delay,
        "at": time_of(at, "--at"),
        "priority": priority,
        "triggered_by": asked_by(),
    }
    module = name.partition(":")[0] if ":" in name else None
    tm = manager(ctx, module=module)
    if module in tm.discovered.errors:
        raise UnknownJob(f"module {module} cannot be imported: {tm.discovered.errors[module]}")
    args, kwargs = arguments_of(arguments)
    job_id = tm.enqueue_definition(tm.definition(name), tuple(args), kwargs, options)
    if as_json:
        print_json({"id": job_id})
    else:
        click.echo(f"job {job_id} enqueued")
    if module in tm.settings.discover and tm.settings.origin("discover") == "argument discover":
        _tell_of_discover(ctx, tm, module)


def _tell_of_discover(ctx: click.Context, tm: TaskManager, module: str | None) -> None:
    if module not in str((ctx.find_root().obj or {}).get("discover", "")).split(","):
        click.echo(f"note: only workers whose setting `discover` names {module} perform it", err=True)


@click.group("jobs", cls=Group)
def jobs_group() -> None:
    """Stored jobs: list, show, requeue, delete, wait."""


@jobs_group.command(
    "list", epilog=examples("jobs list", "jobs list --state failed --job send_mail --json", "jobs list --before 1200")
)
@state_option
@job_option
@queue_option
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True)
@click.option("--before", type=int, metavar="ID", help="Only older ones: the last id of the page before.")
@as_json
@click.pass_context
def list_jobs(
    ctx: click.Context, state: str | None, job_name: str | None, queue: str | None, limit: int, before: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """The newest jobs, of all states or one. With --job or --queue they are looked for among the newest 100,000."""
    tm = manager(ctx, discover=job_name is not None)
    if job_name is None and queue is None:
        found = tm.database.read(lambda tx: monitoring.jobs_in(tx, state, limit=limit, before_id=before))
    else:
        seen = Seen()
        found_ids = matching(tm, state, job_name, queue, before, seen=seen, most=LOOKED_THROUGH)
        ids = list(itertools.islice(found_ids, limit))
        if seen.before is not None:
            looked = f"{LOOKED_THROUGH:,} jobs were looked through"
            click.echo(f"note: {looked}, and there are more: go on with --before {seen.before}", err=True)
        elif not ids and before is None:
            tell_unknown(tm, state, job_name, queue, seen)
        records = {r.id: r for r in tm.database.read(lambda tx: job_rows.read_many(tx, ids))}
        found = [records[i] for i in ids if i in records]
    if as_json:
        print_json([_facts(record) for record in found])
        return
    rows = [
        {"id": j.id, "state": j.state, "job": call_of(j, 80), "queue": j.queue, "created": j.created_at} for j in found
    ]
    show(rows, json_wanted=False, empty=f"no jobs{f' in state {state}' if state else ''}")


def _facts(record: JobRecord) -> dict[str, Any]:
    return {
        "id": record.id, "state": record.state, "job": call_of(record), "queue": record.queue,
        "priority": record.priority, "created": moment(record.created_at), "expires": moment(record.expire_at),
    }  # fmt: skip


@jobs_group.command("show", epilog=examples("jobs show 12", "jobs show 12 --json"))
@click.argument("job_id", type=int)
@as_json
@click.pass_context
def show_job(ctx: click.Context, job_id: int, as_json: bool) -> None:
    """One job: its call, result, history with stack traces, and log."""
    tm = manager(ctx, discover=False)
    record = tm.get(job_id)
    log = tm.database.read(lambda tx: job_log.of(tx, job_id))
    if as_json:
        history = [
            {"state": s.name, "reason": s.reason, "at": moment(s.created_at), "data": dict(s.data)}
            for s in record.history
        ]
        lines = [{"attempt": attempt, "at": moment(at), "lines": text} for attempt, at, text in log]
        facts = {"parameters": dict(record.parameters), "result": record.result, "history": history, "log": lines}
        print_json(_facts(record) | facts)
        return
    click.echo(f"job {record.id}: {call_of(record)}  [{record.state}]  queue {record.queue}")
    for name, value in record.parameters.items():
        click.echo(f"  {name} = {value}")
    for state in record.history:
        click.echo(f"  {state.created_at:%Y-%m-%d %H:%M:%S.%f}Z  {state.name:<11} {state.reason or ''}".rstrip())
        for key, value in state.data.items():
            click.echo(f"      {key}: {indented(str(value))}")
    for attempt, at, text in log:
        for line in text.splitlines():
            click.echo(f"  attempt {attempt}  {log_line(line, at)}")


@jobs_group.command(
    epilog=examples(
        "jobs requeue 12 13", "jobs requeue --state failed --job send_mail", "jobs requeue --state deleted --queue mail"
    )
)
@click.argument("job_ids", type=int, nargs=-1, metavar="[ID]...")
@state_option
@job_option
@queue_option
@click.pass_context
def requeue(
    ctx: click.Context, job_ids: tuple[int, ...], state: str | None, job_name: str | None, queue: str | None
) -> None:
    """Put jobs back into their queues: those named by id, or all of a state, job and queue.

    Exit code 1 when a job that was named could not be requeued.
    """
    check_choice(job_ids, state, job_name, queue)
    tm = manager(ctx, discover=job_name is not None)
    reason = "Requeued from the command line"
    expected = None if job_ids else {state or ""}
    ids = job_ids or chosen(tm, state, job_name, queue)
    _change(ids, "requeued", bool(job_ids), lambda some: tm.client.requeue(some, reason=reason, expected=expected))


@jobs_group.command(epilog=examples("jobs delete 12 13", "jobs delete --state scheduled --job send_mail --yes"))
@click.argument("job_ids", type=int, nargs=-1, metavar="[ID]...")
@state_option
@job_option
@queue_option
@click.option("--yes", is_flag=True, help="Do not ask. Without a terminal nothing is asked anyway.")
@click.pass_context
def delete(
    ctx: click.Context, job_ids: tuple[int, ...], state: str | None, job_name: str | None, queue: str | None, yes: bool
) -> None:
    """Delete jobs: those named by id, or all of a state, job and queue. One that runs is cancelled.

    Exit code 1 when a job that was named could not be deleted.
    """
    check_choice(job_ids, state, job_name, queue)
    tm = manager(ctx, discover=job_name is not None)
    ids = job_ids or chosen(tm, state, job_name, queue)
    if ids and not yes and sys.stdin.isatty():
        click.confirm(f"delete {len(ids)} {'job' if len(ids) == 1 else 'jobs'}?", abort=True)
    reason = "Deleted from the command line"
    expected = None if job_ids else {state or ""}
    _change(ids, "deleted", bool(job_ids), lambda some: tm.client.delete(some, reason=reason, expected=expected))


def _change(ids: Sequence[int], done: str, named: bool, apply: Callable[[Sequence[int]], list[Applied]]) -> None:
    """Change jobs in batches, and say how many were; what was named and is refused is an error."""
    ids = sorted(set(ids))
    refused: list[Applied] = []
    with progress(done, len(ids)) as advance:
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            refused += [answer for answer in apply(batch) if not answer]
            advance(len(batch))
    click.echo(f"{len(ids) - len(refused)} of {len(ids)} {done}")
    for answer in refused[:10] if named else ():
        click.echo(f"job {answer.job_id}: {answer.refused}", err=True)
    if named and len(refused) > 10:
        click.echo(f"and {len(refused) - 10} more", err=True)
    if named and refused:
        sys.exit(FAILED)


@jobs_group.command(epilog=examples("jobs wait 12", "jobs wait 12 --timeout 60"))
@click.argument("job_id", type=int)
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="How long to wait; for ever.")
@click.pass_context
def wait(ctx: click.Context, job_id: int, timeout: float | None) -> None:
    """Wait for a job's end and print what it returned, as JSON.

    Exit code 0: it succeeded; 1: it failed, was deleted, or is not there; 2: wrong usage; 3: still going on after
    --timeout.
    """
    with interruptible() as check:
        wait_and_print(manager(ctx, discover=False), job_id, timeout, check)
