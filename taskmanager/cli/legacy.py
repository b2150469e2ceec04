"""Moving over: what c_Job holds, its rows as recurring jobs of Python's own, and the way back."""

from __future__ import annotations

from typing import Any

import click

from taskmanager.app import TaskManager
from taskmanager.cli.common import Group, as_json, examples, fail, manager
from taskmanager.cli.texts import show
from taskmanager.domain.wallclock import WallClock
from taskmanager.domain.zones import resolve_zone
from taskmanager.engine import legacy_check, moving, targcc_check
from taskmanager.engine.legacy_served import ServedJobs
from taskmanager.engine.targcc_check import OlderFinding
from taskmanager.storage import alerts, legacy, legacy_shape, routines, schema, targcc
from taskmanager.storage.legacy import LegacyJob
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.transaction import Tx

#: As long as a text can be.
_WHOLE = 2**30


@click.group("legacy", cls=Group)
def legacy_group() -> None:
    """Rows of c_Job: look at them before moving, take them over, go back.

    They are served as they are: moving is a choice, row by row or all at once.
    """


@legacy_group.command("check", epilog=examples("legacy check", "legacy check --json"))
@as_json
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """What is there, what keeps a row from running, and what differs from the old TaskManager.

    It only reads, and needs no tables but c_Job. Ends with exit code 1 when a row, or the history's table, has a
    problem.
    """
    tm, remarks = manager(ctx), list[str]()
    has_ours = not schema.is_empty(tm.database.engine, tm.database.tables.prefix)
    if not has_ours:
        remarks.append("no table of ours is here yet: `taskmanager db upgrade` adds them, and leaves c_Job as it is")
    if isinstance(tm.legacy_jobs, ServedJobs) and tm.database.read(legacy_shape.of).job is Shape.TARGCC:
        served = tm.legacy_jobs.targcc
        older = tm.database.read(
            lambda tx: targcc_check.check(tx, served, routines.parameters_of(tx), has_marks=has_ours)
        )
        told = [_seen_older(one) for one in older]
    else:
        rows, clock = _rows(tm)
        known = tm.database.read(routines.parameters_of)
        mails = _mails(tm) if has_ours else {}
        found = legacy_check.check(rows, known, clock, tm.database.clock.now(), mails)
        told = [_seen(one, clock) for one in found]
        if not clock.knows_rules:
            remarks.append(f"the server names no zone, only {clock.schedule}: set legacy_time_zone for daylight saving")
    told += _tables(tm, has_ours=has_ours)
    show(told, json_wanted=as_json)
    for remark in remarks if not as_json else ():
        click.echo(remark)
    if any(one["problems"] for one in told):
        ctx.exit(1)


@legacy_group.command("import", epilog=examples("legacy import", "legacy import 3 7 --yes"))
@click.argument("ids", nargs=-1, type=int)
@click.option("--yes", is_flag=True, help="Do it; without it only what would be done is told.")
@click.option("--retire", is_flag=True, help="Delete the rows afterwards; else they are kept, inactive.")
@click.option("--time-zone", help="Zone of the crons; the database server's.")
@as_json
@click.pass_context
def take_over(
    ctx: click.Context, ids: tuple[int, ...], yes: bool, retire: bool, time_zone: str | None, as_json: bool
) -> None:
    """Turn active rows (all, or those of these IDs) into recurring jobs that Python owns.

    They call the same procedures at the same times. A row that was taken over is inactive, so that nothing runs
    twice; running this again finds nothing left to do.
    """
    tm = manager(ctx)
    rows, clock = _rows(tm)
    if time_zone is not None:
        resolve_zone(time_zone)
    for missing in sorted(set(ids) - {row.id for row in rows}):
        fail(f"c_Job has no row with ID {missing}")
    moves = moving.plan(rows, time_zone or clock.schedule, known=tm.recurring_list(), ids=ids or None)
    mailing = dict(tm.database.read(alerts.all_mailing))
    notes = {row_id: "EmailOnFailure: a rule in c_JobAlert will tell" for row_id in mailing}
    if yes:
        notes = {m.row.id: _move(tm, m, retire=retire) or "" for m in moves if m.definition is not None}
    now = tm.database.clock.now()
    told = [
        _told(move, notes.get(move.row.id, ""), moving.left_behind(move.row, clock, now), done=yes) for move in moves
    ]
    show(told, json_wanted=as_json)
    if not yes and not as_json and any(move.definition for move in moves):
        click.echo("nothing was changed; add --yes to do it")


@legacy_group.command("export", epilog=examples("legacy export > c_Job.sql"))
@click.pass_context
def export(ctx: click.Context) -> None:
    """Print INSERT statements for all rows of c_Job, and for jobs that were imported: a backup, and a way back.

    Rows keep their IDs, by which c_JobAlertRecipient knows them.
    """
    tm = manager(ctx)
    rows, clock = _rows(tm, length=_WHOLE)
    mailing = dict(tm.database.read(alerts.all_mailing))
    product = tm.database.product
    count_on = product.count_on("c_Job", "ID") if rows else ""
    now = tm.database.clock.now()
    for values in moving.inserts(rows, tm.recurring_list(), mailing.keys(), clock, now):
        if count_on and "ID" not in values:
            click.echo(f"{count_on};")
            count_on = ""
        names = ", ".join(product.quote(name) for name in values)
        given = ", ".join(product.literal(value) for value in values.values())
        click.echo(f"INSERT INTO {product.quote('c_Job')} ({names}) VALUES ({given});")
    if count_on:
        click.echo(f"{count_on};")


def _tables(tm: TaskManager, *, has_ours: bool) -> list[dict[str, Any]]:
    """What is to be known of whole tables, as rows without an ID."""
    return [
        {"id": None, "name": one.table, "problems": "; ".join(one.problems), "notes": "; ".join(one.notes)}
        for one in legacy_check.tables(tm.database.read(legacy_shape.of), has_ours=has_ours)
    ]


def _mails(tm: TaskManager) -> dict[int, str]:
    """Of rows with EmailOnFailure: who is mailed, or why nobody is."""
    s, found = tm.settings, tm.database.read(lambda tx: alerts.mailed(tx, dict(alerts.all_mailing(tx))))
    why = "alerts_enabled is off" if not s.alerts_enabled else "smtp_host is not set" if s.smtp_host is None else None
    nobody = "c_JobAlertRecipient names nobody, and alert_recipients is empty"
    told = {}
    for row_id, to in found.items():
        mailed = ", ".join(to or s.alert_recipients)
        told[row_id] = f"EmailOnFailure: {f'nobody is mailed: {why or nobody}' if why or not mailed else mailed}"
    return told


def _rows(tm: TaskManager, *, length: int = 200) -> tuple[list[LegacyJob], WallClock]:
    """The rows, and the wall clock by which they are written. length: characters of LastResult."""
    jobs = tm.legacy_jobs
    if jobs is None:
        fail("c_Job is not served here: setting `legacy` is off")
    found = tm.database.read(legacy_shape.of)
    if found.job is not Shape.SPECIFICATION:
        fail("; ".join(found.faults) or "c_Job is of the older TARGCC shape: its rows are served, and not taken over")

    def work(tx: Tx) -> tuple[list[LegacyJob], WallClock]:
        return legacy.load_all(tx, length=length), jobs.schedule.wall_clock_of(targcc.zone(tx))

    return tm.database.read(work)


def _move(tm: TaskManager, move: moving.Move, *, retire: bool) -> str | None:
    """Take a row over; what to know of it."""
    assert move.definition is not None
    assert tm.legacy_jobs is not None
    tm.recurring_jobs.add_or_update(move.definition)
    note = tm.alert_rules.follow(move.row.id, move.definition.id)
    if retire:
        tm.legacy_jobs.remove(move.row.id)
    else:
        tm.legacy_jobs.switch(move.row.id, False)
    return note


def _seen(one: legacy_check.Finding, clock: WallClock) -> dict[str, Any]:
    runs = ", ".join(clock.local(run).isoformat(" ") for run in one.next_runs)
    return {
        "id": one.row.id, "name": one.row.name, "cron": one.row.cron, "procedure": one.row.procedure,
        "active": one.row.active, "next_runs": runs, "problems": "; ".join(one.problems),
        "notes": "; ".join(one.notes),
    }  # fmt: skip


def _seen_older(one: OlderFinding) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.id, "name": row.code, "runner": row.runner, "when": str(row.rule), "active": row.active,
        "next_run": None if one.next_run is None else one.next_run.isoformat(" "),
        "problems": "; ".join(one.problems), "notes": "; ".join(one.notes),
    }  # fmt: skip


def _told(move: moving.Move, *notes: str, done: bool) -> dict[str, Any]:
    made = move.definition
    what = f"{'became' if done else 'would become'} recurring job {made.id!r}" if made else f"stays: {move.reason}"
    return {
        "id": move.row.id, "name": move.row.name, "procedure": move.row.procedure,
        "time_zone": made.time_zone if made else "", "what": what,
        "notes": "; ".join(filter(None, notes)) if made else "",
    }  # fmt: skip
