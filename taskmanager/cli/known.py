"""Commands for jobs by name: those that discovery finds, and the rows of c_Job."""

from __future__ import annotations

import csv
import shlex
import sys
from collections.abc import Sequence
from typing import Any

import click

from taskmanager.app import TaskManager
from taskmanager.cli.common import Group, as_json, asked_by, examples, manager, must_exist
from taskmanager.cli.recurring import call_of
from taskmanager.cli.texts import arguments_of, moment, print_json, show, wall
from taskmanager.cli.waiting import interruptible, wait_and_print
from taskmanager.domain.errors import ArgumentError, RecurringJobNotFound, StorageError, UnknownJob
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine import lookup
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import logged

_SHOWN = ("JobName", "JobId", "StartedAt", "DurationMs", "Success", "TriggeredBy", "ErrorMessage", "ResultMessage")
#: As much of a text as is shown in a column; JSON has the whole.
_LONGEST = 120


@click.group("job", cls=Group)
def job_group() -> None:
    """Jobs by name: list, info, run, history, enable, disable, stats.

    NAME is the display name, the name of the function or class, or module:function, in any case; JobName or c_job:ID
    for a row of c_Job.
    """


@job_group.command("list", epilog=examples("job list", "job list --format csv", "job list --json"))
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@as_json
@click.pass_context
def list_known(ctx: click.Context, form: str, as_json: bool) -> None:
    """All jobs that discovery finds, the rows of c_Job, and what rows were turned into, with type and cron."""
    tm = manager(ctx, new=True)
    schedules = _schedules(tm, [d.title for d in tm.registry if d.cron])
    own = {r.id: r for r in schedules if r.procedure is None}
    rows = [_row(d, own.get(d.title)) for d in tm.registry if not d.is_internal]
    rows += [_legacy_row(r) for r in lookup.are_by_name(schedules)]
    if as_json or form == "json":
        print_json(rows)
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, list(_row_names()), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        click.echo(f"Found {len(rows)} {'job' if len(rows) == 1 else 'jobs'}:")
        for number, row in enumerate(rows, 1):
            marks = [row["id"]] if str(row["id"]).startswith("c_job:") else []
            marks += ["disabled"] if row["enabled"] is False else []
            click.echo(
                f"  {number}. {row['name']} ({row['type']})"
                + (f" - {row['cron']}" if row["cron"] else "")
                + (f" [{', '.join(marks)}]" if marks else "")
            )


def _row_names() -> Sequence[str]:
    return ("name", "type", "cron", "queue", "retries", "id", "enabled")


def _row(d: JobDefinition, schedule: RecurringRecord | None) -> dict[str, Any]:
    enabled = None if schedule is None else not schedule.paused
    values = (d.title, str(d.job_type), d.cron, d.queue, d.retry.attempts, d.name, enabled)
    return dict(zip(_row_names(), values, strict=True))


def _legacy_row(r: RecurringRecord) -> dict[str, Any]:
    values = (r.name or r.id, "Recurring", r.cron or None, r.queue, 0, r.id, not r.paused)
    return dict(zip(_row_names(), values, strict=True))


def _schedules(tm: TaskManager, titles: Sequence[str] = ()) -> list[RecurringRecord]:
    """What the database knows of recurring jobs by name; discovered ones are told also while it does not answer.

    titles: of discovered ones that are wanted.
    """
    try:
        must_exist(tm)
        return tm.recurring_jobs.by_name(titles)
    except StorageError as error:
        click.echo(f"note: the database is not asked which are disabled, nor for c_Job: {error}", err=True)
        return []


def _find(tm: TaskManager, name: str) -> JobDefinition | RecurringRecord:
    """The job that people mean, found by discovery or in c_Job. Raises UnknownJob, AmbiguousJob."""
    return lookup.find(tm.registry, _schedules(tm), name)


@job_group.command(epilog=examples("job info send_mail", 'job info "Daily Sales Report" --json'))
@click.argument("name")
@as_json
@click.pass_context
def info(ctx: click.Context, name: str, as_json: bool) -> None:
    """All that is known of one job: its options, arguments and schedule, and how to run it."""
    tm = manager(ctx, new=True)
    d = _find(tm, name)
    facts = _about_row(d) if isinstance(d, RecurringRecord) else _about(tm, d)
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        click.echo(f"{key:<12} {'' if value is None else value}".rstrip())


def _about(tm: TaskManager, d: JobDefinition) -> dict[str, Any]:
    given = [p for p in d.signature.parameters if not p.injected]
    shown = " ".join(p.name.upper() if p.is_required else f"[{p.name.upper()}]" for p in given)
    facts = {
        "name": d.title, "function": d.name, "type": str(d.job_type), "description": d.description, "cron": d.cron,
        "time_zone": d.time_zone, "queue": d.queue, "priority": d.priority, "retries": d.retry.attempts,
        "timeout": d.timeout, "arguments": ", ".join(p.name for p in given),
        "run": f"taskmanager job run {_quoted(d.title)} {shown}".rstrip(),
    }  # fmt: skip
    schedule = next((r for r in _schedules(tm, [d.title]) if r.id == d.title), None) if d.cron else None
    return facts | (_timing(schedule) if schedule else {})


def _about_row(r: RecurringRecord) -> dict[str, Any]:
    facts = {
        "name": r.name or r.id, "id": r.id, "type": "Recurring", "procedure": call_of(r), "cron": r.cron,
        "time_zone": r.time_zone, "queue": r.queue, "run": f"taskmanager job run {_quoted(r.id)}",
    }  # fmt: skip
    return facts | _timing(r)


def _timing(r: RecurringRecord) -> dict[str, Any]:
    return {
        "enabled": not r.paused, "next": moment(r.next_execution), "last": moment(r.last_execution), "error": r.error,
    }  # fmt: skip


def _quoted(name: str) -> str:
    """A name as a shell takes it for one word; in double quotes where these do, for Windows has no others."""
    quoted = shlex.quote(name)
    return quoted if quoted == name or set(name) & set('"$`\\!%') else f'"{name}"'


@job_group.command(
    epilog=examples(
        "job run send_mail a@b.c subject=hi", "job run add 20 b=3 --wait --timeout 9", "job run c_job:5 --json"
    )
)
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@click.option("--wait", "-w", "wait_for", is_flag=True, help="Wait for its end, and print what it returned.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="With --wait: how long; for ever.")
@as_json
@click.pass_context
def run(
    ctx: click.Context, name: str, arguments: tuple[str, ...], wait_for: bool, timeout: float | None, as_json: bool
) -> None:
    """Run a job now, once; prints its id and its page.

    Arguments are as those of `enqueue`; a row of c_Job takes none. Exit codes with --wait are those of `jobs wait`.
    With --json and --wait the result is a second line.
    """
    if timeout is not None and not wait_for:
        raise click.UsageError("--timeout goes with --wait")
    tm = manager(ctx, module=name.partition(":")[0] if ":" in name and not name.startswith("c_job:") else None)
    found = _find(tm, name)
    args, kwargs = arguments_of(arguments)
    if isinstance(found, JobDefinition):
        job_id = tm.enqueue_definition(found, tuple(args), kwargs, {"triggered_by": asked_by()})
    elif arguments:
        raise ArgumentError(f"{found.id} calls a procedure, which is called without arguments")
    else:
        job_id = tm.trigger(found.id, by=asked_by())
    page = f"{_dashboard(tm)}/jobs/details/{job_id}"
    if as_json:
        print_json({"id": job_id, "dashboard": page})
    else:
        click.echo(f"Job started: {job_id}")
        click.echo(f"Dashboard: {page}")
    if wait_for:
        with interruptible() as check:
            wait_and_print(tm, job_id, timeout, check)


def _dashboard(tm: TaskManager) -> str:
    host = tm.settings.web_host
    shown = "localhost" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{tm.settings.web_port}/hangfire"


@job_group.command(epilog=examples("job history", 'job history "Daily Sales Report" -n 50 --failed --json'))
@click.argument("name", required=False)
@click.option("--limit", "-n", type=click.IntRange(1, 100_000), default=10, show_default=True)
@click.option("--failed", "-f", is_flag=True, help="Failed runs only.")
@as_json
@click.pass_context
def history(ctx: click.Context, name: str | None, limit: int, failed: bool, as_json: bool) -> None:
    """Runs of a job, or of all, newest first, from c_LoggedJob; times are the database server's wall clock."""
    tm = manager(ctx)
    title, unknown = lookup.logged_name(tm.registry, _schedules(tm), name) if name else (None, None)
    found = tm.database.read(lambda tx: logged.history(tx, name=title, limit=limit, failed_only=failed))
    if unknown is not None and not (found or tm.database.read(lambda tx: logged.history(tx, name=title, limit=1))):
        raise unknown
    rows = [{n: wall(value) for n, value in row.items()} for row in found]
    shown = rows if as_json else [{n: _cut(row[n]) for n in _SHOWN} for row in rows]
    show(shown, json_wanted=as_json, empty="no runs")


def _cut(value: Any) -> Any:
    return f"{value[: _LONGEST - 1]}…" if isinstance(value, str) and len(value) > _LONGEST else value


@job_group.command(epilog=examples("job stats", "job stats --days 1 --json"))
@click.option("--days", "-d", type=click.FloatRange(min=0, max=36500), default=7.0, show_default=True)
@as_json
@click.pass_context
def stats(ctx: click.Context, days: float, as_json: bool) -> None:
    """Counts and durations of runs, by job, over the last days."""
    tm = manager(ctx, discover=False)
    rows = tm.database.read(lambda tx: logged.statistics(tx, days=days))
    show([{n: wall(v) for n, v in row.items()} for row in rows], json_wanted=as_json, empty="no runs")


@job_group.command(epilog=examples("job enable nightly", "job enable c_job:5"))
@click.argument("name")
@click.pass_context
def enable(ctx: click.Context, name: str) -> None:
    """Fire a recurring job again: the same as `recurring resume`, and as IsActive = 1 in c_Job."""
    tm, record = _recurring(ctx, name)
    tm.resume(record.id)
    click.echo(f"{record.id} enabled")


@job_group.command(epilog=examples("job disable nightly", 'job disable "Daily Sales Report"'))
@click.argument("name")
@click.pass_context
def disable(ctx: click.Context, name: str) -> None:
    """Stop firing a recurring job, keeping it: the same as `recurring pause`, and as IsActive = 0 in c_Job."""
    tm, record = _recurring(ctx, name)
    tm.pause(record.id)
    click.echo(f"{record.id} disabled")


def _recurring(ctx: click.Context, name: str) -> tuple[TaskManager, RecurringRecord]:
    """The recurring job of a name. Raises RecurringJobNotFound that says why a known job is none."""
    tm = manager(ctx)
    try:
        return tm, tm.recurring_jobs.find(name)
    except RecurringJobNotFound:
        try:
            known = tm.registry.find(name)
        except UnknownJob:
            known = None
        if known is None:
            raise
        if known.cron is None:
            raise RecurringJobNotFound(f"{known.title!r} is not recurring: it has no cron") from None
        return tm, tm.recurring_jobs.find(_registered(tm, known))


def _registered(tm: TaskManager, known: JobDefinition) -> str:
    try:
        return tm.recurring_jobs.get(known.title).id
    except RecurringJobNotFound:
        raise RecurringJobNotFound(
            f"{known.title!r} is not in the database yet: the first server that is started writes its schedule"
        ) from None
