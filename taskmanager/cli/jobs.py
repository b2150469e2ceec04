"""Commands for jobs: enqueue one, list and change stored ones, look at the known ones and their history."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import click

from taskmanager.cli.common import as_json, fail, manager, show
from taskmanager.domain.errors import JobFailed, WaitTimeout
from taskmanager.domain.invocation import InvocationUnreadable, read
from taskmanager.domain.states import ALL_NAMES
from taskmanager.storage import jobs as job_rows
from taskmanager.storage import logged, monitoring


@click.command()
@click.argument("name")
@click.argument("arguments", nargs=-1)
@click.option("--queue", help="Queue, when not the job's own.")
@click.option("--delay", type=float, help="Seconds to wait.")
@as_json
@click.pass_context
def enqueue(
    ctx: click.Context, name: str, arguments: tuple[str, ...], queue: str | None, delay: float | None, as_json: bool
) -> None:
    """Enqueue MODULE:FUNC (or a display name) with ARGS. Each argument is JSON, or plain text; key=value is named."""
    tm = manager(ctx)
    args, kwargs = arguments_of(arguments)
    definition = tm.definition(name)
    job_id = tm.enqueue_definition(definition, tuple(args), kwargs, {"queue": queue, "delay": delay})
    tm.close()
    click.echo(json.dumps({"id": job_id}) if as_json else f"job {job_id} enqueued")


@click.group("jobs")
def jobs_group() -> None:
    """Stored jobs: list, show, requeue, delete, wait."""


@jobs_group.command("list")
@click.option("--state", type=click.Choice(ALL_NAMES, case_sensitive=False), default="Failed", show_default=True)
@click.option("--limit", default=20, show_default=True)
@as_json
@click.pass_context
def list_jobs(ctx: click.Context, state: str, limit: int, as_json: bool) -> None:
    """The newest jobs of a state."""
    tm = manager(ctx, discover=False)
    found = tm.database.read(lambda tx: monitoring.jobs_in(tx, state, limit=limit))
    rows = [{"id": j.id, "state": j.state, "job": _call(j), "queue": j.queue, "created": j.created_at} for j in found]
    show(rows, json_wanted=as_json)


@jobs_group.command("show")
@click.argument("job_id", type=int)
@as_json
@click.pass_context
def show_job(ctx: click.Context, job_id: int, as_json: bool) -> None:
    """One job with its history."""
    tm = manager(ctx, discover=False)
    record = tm.get(job_id)
    log = tm.database.read(lambda tx: job_rows.log_of(tx, job_id))
    if as_json:
        history = [
            {"state": s.name, "reason": s.reason, "at": s.created_at.isoformat(), "data": dict(s.data)}
            for s in record.history
        ]
        facts = {"id": record.id, "state": record.state, "job": _call(record), "queue": record.queue}
        click.echo(json.dumps(facts | {"parameters": dict(record.parameters), "history": history}))
        return
    click.echo(f"job {record.id}: {_call(record)}  [{record.state}]  queue {record.queue}")
    for state in record.history:
        click.echo(f"  {state.created_at:%Y-%m-%d %H:%M:%S.%f}  {state.name:<11} {state.reason or ''}")
        for key, value in state.data.items():
            click.echo(f"      {key}: {value}")
    for _, _, lines in log:
        click.echo(lines)


@jobs_group.command()
@click.argument("job_ids", type=int, nargs=-1, required=True)
@click.pass_context
def requeue(ctx: click.Context, job_ids: tuple[int, ...]) -> None:
    """Put jobs back into their queues."""
    tm = manager(ctx, discover=False)
    done = [tm.requeue(i, reason="Requeued from the command line") for i in job_ids]
    click.echo(f"{sum(done)} of {len(done)} requeued")


@jobs_group.command()
@click.argument("job_ids", type=int, nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def delete(ctx: click.Context, job_ids: tuple[int, ...], yes: bool) -> None:
    """Delete jobs; one that runs is cancelled."""
    if not yes and sys.stdin.isatty():
        click.confirm(f"delete {len(job_ids)} jobs?", abort=True)
    tm = manager(ctx, discover=False)
    done = [tm.delete(i, reason="Deleted from the command line") for i in job_ids]
    click.echo(f"{sum(done)} of {len(done)} deleted")


@jobs_group.command()
@click.argument("job_id", type=int)
@click.option("--timeout", type=float, help="Seconds; for ever.")
@click.pass_context
def wait(ctx: click.Context, job_id: int, timeout: float | None) -> None:
    """Wait for a job and print its result. Exit code 0 succeeded, 2 failed, 3 still going on."""
    tm = manager(ctx, discover=False)
    try:
        click.echo(json.dumps(tm.wait(job_id, timeout)))
    except JobFailed as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except WaitTimeout as error:
        click.echo(str(error), err=True)
        sys.exit(3)


@click.group("job")
def job_group() -> None:
    """Known jobs, by name: list, info, run, history, enable, disable, stats."""


@job_group.command("list")
@as_json
@click.pass_context
def list_known(ctx: click.Context, as_json: bool) -> None:
    """All jobs that discovery finds."""
    tm = manager(ctx)
    rows = [
        {"name": d.title, "type": str(d.job_type), "cron": d.cron, "queue": d.queue, "retries": d.retry.attempts}
        for d in tm.registry
    ]
    if as_json:
        show(rows, json_wanted=True)
        return
    click.echo(f"Found {len(rows)} jobs:")
    for number, row in enumerate(rows, 1):
        click.echo(f"  {number}. {row['name']} ({row['type']})" + (f" - {row['cron']}" if row["cron"] else ""))


@job_group.command()
@click.argument("name")
@as_json
@click.pass_context
def info(ctx: click.Context, name: str, as_json: bool) -> None:
    """All that is known of one job."""
    tm = manager(ctx)
    d = tm.registry.find(name)
    facts = {
        "name": d.title, "function": d.name, "type": str(d.job_type), "description": d.description, "cron": d.cron,
        "time_zone": d.time_zone, "queue": d.queue, "priority": d.priority, "retries": d.retry.attempts,
        "timeout": d.timeout, "arguments": ", ".join(p.name for p in d.signature.parameters if not p.injected),
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(facts))
        return
    for key, value in facts.items():
        click.echo(f"{key:<12} {'' if value is None else value}")


@job_group.command()
@click.argument("name")
@click.argument("arguments", nargs=-1)
@click.option("--wait", "-w", "wait_for", is_flag=True, help="Wait for its end.")
@click.pass_context
def run(ctx: click.Context, name: str, arguments: tuple[str, ...], wait_for: bool) -> None:
    """Run a job now."""
    tm = manager(ctx)
    args, kwargs = arguments_of(arguments)
    job_id = tm.enqueue_definition(tm.registry.find(name), tuple(args), kwargs, {"triggered_by": "Manual"})
    s = tm.settings
    click.echo(f"Job started: {job_id}")
    click.echo(f"Dashboard: http://{s.web_host}:{s.web_port}/hangfire/jobs/details/{job_id}")
    if wait_for:
        click.echo(json.dumps(tm.wait(job_id)))


@job_group.command()
@click.argument("name", required=False)
@click.option("--limit", "-n", default=10, show_default=True)
@click.option("--failed", "-f", is_flag=True, help="Failed runs only.")
@as_json
@click.pass_context
def history(ctx: click.Context, name: str | None, limit: int, failed: bool, as_json: bool) -> None:
    """Runs of a job, newest first, from c_LoggedJob."""
    tm = manager(ctx)
    known = {key.lower(): d.title for d in tm.registry for key in (d.name, d.method, d.title)}
    title = known.get(name.lower(), name) if name else None
    found = tm.database.read(lambda tx: logged.history(tx, name=title, limit=limit, failed_only=failed))
    names = ("JobName", "JobId", "StartedAt", "DurationMs", "Success", "ErrorMessage")
    show(found if as_json else [{n: row[n] for n in names} for row in found], json_wanted=as_json)


@job_group.command()
@click.option("--days", "-d", default=7.0, show_default=True)
@as_json
@click.pass_context
def stats(ctx: click.Context, days: float, as_json: bool) -> None:
    """Counts and durations by job."""
    tm = manager(ctx, discover=False)
    show(tm.database.read(lambda tx: logged.statistics(tx, days=days)), json_wanted=as_json)


@job_group.command()
@click.argument("name")
@click.pass_context
def enable(ctx: click.Context, name: str) -> None:
    """Fire a recurring job again."""
    manager(ctx, discover=False).resume(name)
    click.echo(f"{name} enabled")


@job_group.command()
@click.argument("name")
@click.pass_context
def disable(ctx: click.Context, name: str) -> None:
    """Stop firing a recurring job, keeping it."""
    manager(ctx, discover=False).pause(name)
    click.echo(f"{name} disabled")


@click.group()
def generate() -> None:
    """Write source files."""


@generate.command("job")
@click.argument("name")
@click.option("--cron", help="Recurring, at these times.")
@click.option("--manual", is_flag=True, help="Only ever triggered by people.")
@click.option("--fire-and-forget", is_flag=True, help="Enqueued by code (the default).")
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), default=Path("jobs"), show_default=True)
def generate_job(name: str, cron: str | None, manual: bool, fire_and_forget: bool, directory: Path) -> None:
    """Write one file with a job class, and say which."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)
    if not words:
        fail(ValueError(f"{name!r} has no letters to make a name of"))
    path = directory / ("_".join(w.lower() for w in words) + ".py")
    if path.exists():
        fail(FileExistsError(f"{path} exists already"))
    options = f'"{cron}", ' if cron else 'job_type="Manual", ' if manual else ""
    class_name = "".join(w[0].upper() + w[1:] for w in words)
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text(_TEMPLATE.format(options=options, title=" ".join(words), name=class_name), encoding="utf-8")
    click.echo(f"wrote {path}")


_TEMPLATE = '''from taskmanager import Job, JobContext, JobResult, job


@job({options}display_name="{title}")
class {name}(Job):
    """Say here what the job does; people read it in the dashboard."""

    async def execute(self, ctx: JobContext) -> JobResult:
        ctx.log.info("working")
        return JobResult.ok()
'''


def arguments_of(texts: tuple[str, ...]) -> tuple[list[Any], dict[str, Any]]:
    args, kwargs = [], {}
    for text in texts:
        key, sign, value = text.partition("=")
        if sign and key.isidentifier():
            kwargs[key] = _value(value)
        else:
            args.append(_value(text))
    return args, kwargs


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _call(record: Any) -> str:
    try:
        found = read(record.invocation_data, record.arguments)
    except InvocationUnreadable as error:
        return f"(unreadable: {error})"
    return f"{found.name}({', '.join(str(a) for a in found.arguments)})"[:80]
