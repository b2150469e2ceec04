"""Commands for recurring jobs, queues and servers."""

from __future__ import annotations

import json
from typing import Any

import click

from taskmanager.cli.common import as_json, fail, manager, show
from taskmanager.cli.jobs import arguments_of
from taskmanager.domain import cron as crons
from taskmanager.domain.times import utcnow
from taskmanager.storage import monitoring


@click.group()
def recurring() -> None:
    """Recurring jobs: list, add, remove, trigger, pause, resume, next."""


@recurring.command("list")
@as_json
@click.pass_context
def list_recurring(ctx: click.Context, as_json: bool) -> None:
    """All recurring jobs."""
    tm = manager(ctx, discover=False)
    rows: list[dict[str, Any]] = [
        {
            "id": r.id, "cron": r.cron, "time_zone": r.time_zone, "queue": r.queue, "next": r.next_execution,
            "last": r.last_execution, "last_job": r.last_job_id, "paused": r.paused, "orphaned": r.orphaned,
            "error": r.error,
        }
        for r in tm.recurring_list()
    ]  # fmt: skip
    show(rows, json_wanted=as_json)


@recurring.command()
@click.argument("recurring_id")
@click.argument("cron")
@click.argument("name")
@click.argument("arguments", nargs=-1)
@click.option("--time-zone", default=None, help="IANA name; UTC.")
@click.option("--queue", default=None)
@click.option("--misfire", type=click.Choice(["relaxed", "strict", "ignorable"]), default=None)
@click.pass_context
def add(
    ctx: click.Context, recurring_id: str, cron: str, name: str, arguments: tuple[str, ...], time_zone: str | None,
    queue: str | None, misfire: str | None,
) -> None:  # fmt: skip
    """Add or change RECURRING_ID: run NAME with ARGS at the times of CRON."""
    tm = manager(ctx)
    args, kwargs = arguments_of(arguments)
    tm.recurring(
        recurring_id,
        name,
        cron=cron,
        args=tuple(args),
        kwargs=kwargs,
        time_zone=time_zone,
        queue=queue,
        misfire=misfire,
    )
    click.echo(f"{recurring_id} saved")


@recurring.command()
@click.argument("recurring_id")
@click.pass_context
def remove(ctx: click.Context, recurring_id: str) -> None:
    """Delete a recurring job."""
    if not manager(ctx, discover=False).remove(recurring_id):
        fail(LookupError(f"there is no recurring job {recurring_id!r}"))
    click.echo(f"{recurring_id} removed")


@recurring.command()
@click.argument("recurring_id")
@click.pass_context
def trigger(ctx: click.Context, recurring_id: str) -> None:
    """Run a recurring job now, once."""
    click.echo(f"job {manager(ctx, discover=False).trigger(recurring_id)} enqueued")


@recurring.command()
@click.argument("recurring_id")
@click.pass_context
def pause(ctx: click.Context, recurring_id: str) -> None:
    """Keep it, but do not fire it."""
    manager(ctx, discover=False).pause(recurring_id)
    click.echo(f"{recurring_id} paused")


@recurring.command()
@click.argument("recurring_id")
@click.pass_context
def resume(ctx: click.Context, recurring_id: str) -> None:
    """Fire it again."""
    manager(ctx, discover=False).resume(recurring_id)
    click.echo(f"{recurring_id} resumed")


@recurring.command("next")
@click.argument("cron")
@click.option("--time-zone", default="UTC", show_default=True)
@click.option("--count", default=5, show_default=True)
@as_json
def next_times(cron: str, time_zone: str, count: int, as_json: bool) -> None:
    """When CRON fires next, in UTC."""
    found = [t.isoformat() for t in crons.parse(cron, time_zone).upcoming(count, utcnow())]
    click.echo(json.dumps(found) if as_json else "\n".join(found) or "never")


@click.group()
def queues() -> None:
    """Queues: list, pause, resume."""


@queues.command("list")
@as_json
@click.pass_context
def list_queues(ctx: click.Context, as_json: bool) -> None:
    """Queues with what waits in them."""
    tm = manager(ctx, discover=False)
    found = tm.database.read(monitoring.queue_lengths)
    rows = [{"queue": q.name, "waiting": q.waiting, "fetched": q.fetched, "paused": q.paused} for q in found]
    show(rows, json_wanted=as_json)


@queues.command("pause")
@click.argument("queue")
@click.pass_context
def pause_queue(ctx: click.Context, queue: str) -> None:
    """Claim nothing from a queue, on every server."""
    manager(ctx, discover=False).pause_queue(queue)
    click.echo(f"{queue} paused")


@queues.command("resume")
@click.argument("queue")
@click.pass_context
def resume_queue(ctx: click.Context, queue: str) -> None:
    """Claim from a queue again."""
    manager(ctx, discover=False).resume_queue(queue)
    click.echo(f"{queue} resumed")


@click.command()
@as_json
@click.pass_context
def servers(ctx: click.Context, as_json: bool) -> None:
    """Running servers."""
    tm = manager(ctx, discover=False)
    rows = [
        {
            "server": s.id, "workers": s.data.get("WorkerCount"), "queues": ",".join(s.data.get("Queues") or ()),
            "started": s.data.get("StartedAt"), "heartbeat": s.last_heartbeat,
        }
        for s in tm.database.read(monitoring.servers)
    ]  # fmt: skip
    show(rows, json_wanted=as_json)
