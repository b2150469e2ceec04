"""Commands for recurring jobs, rows of c_Job among them."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from taskmanager.app import TaskManager
from taskmanager.cli.common import FAILED, Group, as_json, asked_by, examples, manager, time_of
from taskmanager.cli.texts import arguments_of, moment, print_json, show
from taskmanager.domain import cron as crons
from taskmanager.domain.errors import InvalidCron, RecurringJobNotFound, TaskManagerError
from taskmanager.domain.invocation import InvocationUnreadable, read
from taskmanager.domain.records import Pause, RecurringRecord
from taskmanager.domain.times import utcnow
from taskmanager.engine import moving


@click.group(cls=Group)
def recurring() -> None:
    """Recurring jobs: list, add, remove, restore, trigger, pause, resume, next.

    A row of c_Job is one too; its id is c_job:ID. Wherever an id is asked for, JobName or the name of the function
    or class will do, if only one recurring job has it.
    """


def facts(record: RecurringRecord) -> dict[str, Any]:
    """A recurring job for scripts."""
    pause = record.pause or Pause()
    return {
        "id": record.id, "name": record.name or record.id, "job": call_of(record), "cron": record.cron,
        "time_zone": record.time_zone, "queue": record.queue, "next": moment(record.next_execution),
        "last": moment(record.last_execution), "last_job": record.last_job_id, "paused": record.paused,
        "orphaned": record.orphaned, "error": record.error, "paused_by": pause.by, "paused_since": moment(pause.since),
        "paused_until": moment(pause.until), "pause_note": pause.note,
    }  # fmt: skip


def call_of(record: RecurringRecord) -> str:
    """What a recurring job calls: a procedure, or a function."""
    if (procedure := record.procedure or moving.procedure_of(record)) is not None:
        return procedure
    try:
        return read(record.job).name
    except InvocationUnreadable:
        return ""


@recurring.command(
    "list", epilog=examples("recurring list", "recurring list --json", "recurring list --limit 50 --after nightly")
)
@click.option("--limit", "-n", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@click.option("--after", metavar="ID", help="Only those after it: the last id of the page before.")
@as_json
@click.pass_context
def list_recurring(ctx: click.Context, limit: int, after: str | None, as_json: bool) -> None:
    """Recurring jobs by id, after them the rows of c_Job: what they call, when they run next, what is wrong with them.

    Where there are more than --limit, a line of the standard error tells how to go on.
    """
    found, following = manager(ctx, discover=False).recurring_jobs.page(limit, after)
    if following is not None:
        click.echo(f"note: there are more: go on with --after {shlex.quote(following)}", err=True)
    if as_json:
        print_json([facts(record) for record in found])
        return
    rows = [
        {
            "id": r.id if r.name is None else f"{r.id} {r.name}", "job": call_of(r), "cron": r.cron,
            "time_zone": r.time_zone, "next": r.next_execution or "never", "last": r.last_execution, "state": state(r),
        }
        for r in found
    ]  # fmt: skip
    show(rows, json_wanted=False, empty="no recurring jobs")


def state(record: RecurringRecord) -> str:
    """What keeps a recurring job from firing; empty when nothing does."""
    parts = [paused(record)] if record.paused else []
    parts += ["its code is gone"] if record.orphaned else []
    return "; ".join([*parts, *([record.error] if record.error else [])])


def paused(record: RecurringRecord) -> str:
    """A pause in words."""
    pause = record.pause or Pause()
    return (
        "paused"
        + (f" by {pause.by}" if pause.by else "")
        + (f" until {moment(pause.until)}" if pause.until else "")
        + (f" ({pause.note})" if pause.note else "")
    )


@recurring.command(
    epilog=examples(
        'recurring add nightly "0 2 * * *" shop.jobs:report ops@b.c --time-zone Europe/Prague',
        'recurring add every5 "*/5 * * * *" "Clean up" days=30 --misfire ignorable',
    )
)
@click.argument("recurring_id")
@click.argument("cron")
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@click.option("--time-zone", help="IANA name, such as Europe/Prague; UTC.")
@click.option("--queue", help="Queue, when not the job's own.")
@click.option(
    "--misfire", type=click.Choice(["relaxed", "strict", "ignorable"]),
    help="Times missed while nothing ran: one run for all (relaxed), a run for each (strict), none (ignorable).",
)  # fmt: skip
@click.pass_context
def add(
    ctx: click.Context, recurring_id: str, cron: str, name: str, arguments: tuple[str, ...], time_zone: str | None,
    queue: str | None, misfire: str | None,
) -> None:  # fmt: skip
    """Add or change RECURRING_ID: run NAME with ARGS at the times of CRON."""
    tm = manager(ctx, module=name.partition(":")[0] if ":" in name else None)
    args, kwargs = arguments_of(arguments)
    tm.recurring(
        recurring_id, name, cron=cron, args=tuple(args), kwargs=kwargs, time_zone=time_zone, queue=queue,
        misfire=misfire,
    )  # fmt: skip
    click.echo(f"{recurring_id} saved")
    saved = tm.recurring_jobs.get(recurring_id)
    if saved.next_execution is None and not saved.paused:
        click.echo(f"note: it never fires: there is no such time as {cron!r}", err=True)


def found_by(ctx: click.Context, name: str, *, discover: bool = False) -> tuple[TaskManager, RecurringRecord]:
    """The recurring job that people mean. discover: whether the functions are needed, too.

    Raises RecurringJobNotFound, AmbiguousJob.
    """
    tm = manager(ctx, discover=discover)
    return tm, tm.recurring_jobs.find(name)


@recurring.command(epilog=examples("recurring remove nightly", "recurring remove c_job:5"))
@click.argument("recurring_id")
@click.pass_context
def remove(ctx: click.Context, recurring_id: str) -> None:
    """Delete a recurring job; of c_Job the row."""
    tm, record = found_by(ctx, recurring_id)
    tm.remove(record.id)
    click.echo(f"{record.id} removed")
    if record.from_code and not record.orphaned:
        click.echo("note: it stands in code, and comes back when a server starts; pause it instead", err=True)


@recurring.command(epilog=examples("recurring restore", "recurring restore --json"))
@as_json
@click.pass_context
def restore(ctx: click.Context, as_json: bool) -> None:
    """Bring back the definitions of the code that are missing, or are not as the code says.

    What was paused stays paused; what people changed in such a definition is written over.
    """
    done = manager(ctx).restore_recurring()
    if as_json:
        print_json({
            "restored": [
                {"id": r.target, "missing": r.missing, "paused": r.paused, "differed": list(r.differed)}
                for r in done.restored
            ],
            "unchanged": done.unchanged, "problems": dict(done.problems),
        })  # fmt: skip
    else:
        for r in done.restored:
            told = (
                "was missing" if r.missing else f"was another: {', '.join(r.differed)}" if r.differed else "was wrong"
            )
            click.echo(f"{r.target} restored ({told}){', still paused' if r.paused else ''}")
        click.echo(f"{len(done.restored)} restored, {done.unchanged} as the code says")
    for name, text in done.problems.items():
        click.echo(f"error: {name} is not scheduled: {text}", err=True)
    if done.is_empty:
        click.echo("note: the code that is imported here defines no recurring jobs: is `discover` set?", err=True)
    if done.problems:
        sys.exit(FAILED)


@recurring.command(
    epilog=examples(
        "recurring trigger nightly", "recurring trigger nightly day=friday", "recurring trigger c_job:5 --json"
    )
)
@click.argument("recurring_id")
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@as_json
@click.pass_context
def trigger(ctx: click.Context, recurring_id: str, arguments: tuple[str, ...], as_json: bool) -> None:
    """Run a recurring job now, once, paused or not; its schedule goes on as it was.

    With ARGS this run has them instead of the job's own; `key=value` names one.
    """
    tm, record = found_by(ctx, recurring_id, discover=bool(arguments))
    if arguments:
        args, kwargs = arguments_of(arguments)
        job_id = tm.trigger(record.id, by=asked_by(), args=tuple(args), kwargs=kwargs)
    else:
        job_id = tm.trigger(record.id, by=asked_by())
    if as_json:
        print_json({"id": job_id})
    else:
        click.echo(f"job {job_id} enqueued")


@recurring.command(
    epilog=examples(
        "recurring pause nightly --note 'month end'", "recurring pause 'Daily Sales Report' --until 2030-02-01T06:00Z"
    )
)
@click.argument("recurring_id")
@click.option("--note", help="Why, for who wonders.")
@click.option("--until", metavar="TIME", help="Resume by itself then: ISO 8601, UTC unless it has an offset.")
@click.pass_context
def pause(ctx: click.Context, recurring_id: str, note: str | None, until: str | None) -> None:
    """Keep it, but do not fire it; of c_Job IsActive becomes 0."""
    tm, record = found_by(ctx, recurring_id)
    tm.pause(record.id, by=asked_by(), note=note, until=time_of(until, "--until"))
    click.echo(f"{record.id} paused")


@recurring.command(epilog=examples("recurring resume nightly", "recurring resume c_job:5 --run-missed"))
@click.argument("recurring_id")
@click.option(
    "--run-missed/--skip", default=False, help="If anything was missed, run once now; or not, which is the default."
)
@click.pass_context
def resume(ctx: click.Context, recurring_id: str, run_missed: bool) -> None:
    """Fire it again, from its next time on; of c_Job IsActive becomes 1."""
    tm, record = found_by(ctx, recurring_id)
    job_id = tm.resume(record.id, run_missed=run_missed, by=asked_by())
    told = f"; job {job_id} enqueued for what was missed" if job_id is not None else ""
    click.echo(f"{record.id} resumed{told or ('; nothing was missed' if run_missed else '')}")


@recurring.command(
    "next", epilog=examples('recurring next "0 9 * * MON-FRI" --time-zone Europe/Prague', "recurring next nightly")
)
@click.argument("cron", metavar="CRON|ID")
@click.option("--time-zone", help="IANA name; UTC, or the recurring job's own.")
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True)
@as_json
@click.pass_context
def next_times(ctx: click.Context, cron: str, time_zone: str | None, count: int, as_json: bool) -> None:
    """When a cron, or a recurring job, fires next, in UTC."""
    parsed = _cron(ctx, cron, time_zone)
    found = [moment(t) for t in parsed.upcoming(count, utcnow())]
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(str(t) for t in found) or "never")


def _cron(ctx: click.Context, text: str, time_zone: str | None) -> crons.Cron:
    try:
        return crons.parse(text, time_zone or "UTC")
    except InvalidCron as error:
        try:
            _, record = found_by(ctx, text)
        except RecurringJobNotFound as unknown:
            raise InvalidCron(f"{unknown}, and {error}") from None
        except TaskManagerError:
            raise error from None
        own = "UTC" if record.procedure is not None or record.id.startswith("c_job:") else record.time_zone
        return crons.parse(record.cron, time_zone or own, record.days_and)
