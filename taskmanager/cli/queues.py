"""Commands for queues and servers."""

from __future__ import annotations

from datetime import timedelta

import click

from taskmanager.cli.choosing import close, known_queues
from taskmanager.cli.common import Command, Group, as_json, asked_by, examples, manager, time_of
from taskmanager.cli.texts import show
from taskmanager.domain import times
from taskmanager.domain.records import ServerRecord
from taskmanager.storage import monitoring


@click.group(cls=Group)
def queues() -> None:
    """Queues: list, pause, resume."""


@queues.command("list", epilog=examples("queues list", "queues list --json"))
@as_json
@click.pass_context
def list_queues(ctx: click.Context, as_json: bool) -> None:
    """Queues with what waits in them, what is claimed, and how many worker processes serve them."""
    tm = manager(ctx, discover=False)
    found, servers = tm.database.read(lambda tx: (monitoring.queue_lengths(tx), monitoring.servers(tx)))
    rows = [
        {
            "queue": q.name, "waiting": q.waiting, "fetched": q.fetched, "held": q.held, "paused": q.paused,
            "servers": sum(q.name in s.queues for s in servers),
        }
        for q in found
    ]  # fmt: skip
    show(rows, json_wanted=as_json, empty="nothing waits, and no queue is paused")


@queues.command(
    "pause", epilog=examples("queues pause mail", "queues pause mail --note 'month end' --until 2030-02-01T06:00Z")
)
@click.argument("queue")
@click.option("--note", help="Why, for who wonders.")
@click.option("--until", metavar="TIME", help="Resume by itself then: ISO 8601, UTC unless it has an offset.")
@click.pass_context
def pause_queue(ctx: click.Context, queue: str, note: str | None, until: str | None) -> None:
    """Claim nothing from a queue, on every server, until it is resumed; what runs goes on."""
    end, tm = time_of(until, "--until"), manager(ctx, discover=False)
    known = known_queues(tm)
    tm.pause_queue(queue, by=asked_by(), note=note, until=end)
    click.echo(f"{queue} paused")
    if queue not in known:
        near = close(queue, known)
        hint = f"; did you mean {near!r}?" if near else ""
        click.echo(f"note: nothing waits in {queue!r}, and no server works on it{hint}", err=True)


@queues.command("resume", epilog=examples("queues resume mail"))
@click.argument("queue")
@click.pass_context
def resume_queue(ctx: click.Context, queue: str) -> None:
    """Claim from a queue again."""
    tm = manager(ctx, discover=False)
    paused = [q.name for q in tm.database.read(monitoring.queue_lengths) if q.paused]
    tm.resume_queue(queue)
    click.echo(f"{queue} resumed")
    if queue not in paused:
        told = f"paused are {', '.join(paused)}" if paused else "no queue is paused"
        click.echo(f"note: {queue!r} was not paused; {told}", err=True)


@click.command(cls=Command, epilog=examples("servers", "servers --json"))
@as_json
@click.pass_context
def servers(ctx: click.Context, as_json: bool) -> None:
    """Worker processes, and whether each still gives signs of life."""
    tm = manager(ctx, discover=False)
    found = tm.database.read(monitoring.servers)
    line = tm.database.clock.now() - timedelta(seconds=tm.settings.dead_after_seconds)

    def state(server: ServerRecord) -> str:
        return "running" if server.last_heartbeat and server.last_heartbeat >= line else "silent"

    rows = [
        {
            "server": s.id, "state": state(s), "workers": s.data.get("WorkerCount"),
            "queues": ",".join(s.queues), "started": times.parse(s.data.get("StartedAt")),
            "heartbeat": s.last_heartbeat,
        }
        for s in found
    ]  # fmt: skip
    show(rows, json_wanted=as_json, empty="no server runs: start one with `taskmanager worker`")
