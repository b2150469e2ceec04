"""Commands that pause and resume jobs by their type or by a tag."""

from __future__ import annotations

import click

from taskmanager.cli.common import as_json, asked_by, examples, manager, time_of
from taskmanager.cli.jobs import jobs_group
from taskmanager.cli.texts import show

__all__ = ["jobs_group"]

_job = click.option("--type", "job", metavar="NAME", help="All jobs of this function, by any of its names.")
_tag = click.option("--tag", metavar="TAG", help="All jobs with this tag.")


@jobs_group.command(
    "pause",
    epilog=examples(
        "jobs pause --type send_mail", "jobs pause --tag spring --note 'month end' --until 2030-02-01T06:00Z"
    ),
)
@_job
@_tag
@click.option("--note", help="Why, for who wonders.")
@click.option("--until", metavar="TIME", help="Resume by itself then: ISO 8601, UTC unless it has an offset.")
@click.pass_context
def pause_jobs(ctx: click.Context, job: str | None, tag: str | None, note: str | None, until: str | None) -> None:
    """Run no job of a type, or with a tag, on any server, until it is resumed; what runs goes on."""
    end, tm = time_of(until, "--until"), manager(ctx)
    value = tm.job_pausing.value(job, tag)
    tm.job_pausing.pause(value, by=asked_by(), note=note, until=end)
    click.echo(f"{value} paused")


@jobs_group.command("resume", epilog=examples("jobs resume --type send_mail", "jobs resume --tag spring"))
@_job
@_tag
@click.pass_context
def resume_jobs(ctx: click.Context, job: str | None, tag: str | None) -> None:
    """Run the jobs of a type, or with a tag, again, in their old order."""
    tm = manager(ctx)
    was = tm.resume_jobs(job=job, tag=tag)
    named = f"type:{job}" if tag is None else f"tag:{tag}"
    click.echo(f"{named} resumed")
    if not was:
        paused = ", ".join(one.pause.value for one in tm.paused_jobs())
        told = f"paused are {paused}" if paused else "no type and no tag is paused"
        click.echo(f"note: {named!r} was not paused; {told}", err=True)


@jobs_group.command("pauses", epilog=examples("jobs pauses", "jobs pauses --json"))
@as_json
@click.pass_context
def list_pauses(ctx: click.Context, as_json: bool) -> None:
    """The types and tags that are paused, since when and why, and how many jobs are held."""
    found = manager(ctx, discover=False).paused_jobs()
    rows = [
        {
            "paused": one.pause.value, "held": one.held if as_json or not one.is_capped else f"{one.held}+",
            "since": one.pause.pause.since, "until": one.pause.pause.until, "by": one.pause.pause.by,
            "note": one.pause.pause.note,
        }
        for one in found
    ]  # fmt: skip
    show(rows, json_wanted=as_json, empty="no type and no tag is paused")
