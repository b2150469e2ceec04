"""Commands for who looks after an installation: config, sql, doctor."""

from __future__ import annotations

import difflib
import sys
from dataclasses import asdict
from pathlib import Path

import click

from taskmanager import appsettings, config
from taskmanager.cli.common import FAILED, Command, Group, as_json, examples, fail, manager, must_exist, settings
from taskmanager.cli.texts import print_json, show
from taskmanager.domain.errors import SchemaError
from taskmanager.storage import doctor as checks
from taskmanager.storage.statements import REGISTRY, render


@click.group("config", cls=Group)
def config_group() -> None:
    """Settings: show, import."""


@config_group.command("show", epilog=examples("config show", "config show threads queues", "config show --json"))
@click.argument("names", nargs=-1, metavar="[SETTING]...")
@as_json
@click.pass_context
def show_config(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Every setting, its value, and where the value came from; passwords are not shown."""
    rows = [{"setting": n, "value": v, "origin": o, "meaning": h} for n, v, o, h in config.describe(settings(ctx))]
    _check_names(names, [row["setting"] for row in rows], "setting")
    show([row for row in rows if not names or row["setting"] in names], json_wanted=as_json)


@config_group.command(
    "import", epilog=examples("config import appsettings.json", "config import appsettings.json --write")
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--write", is_flag=True, help="Write taskmanager.toml; else its text is printed.")
@click.option("--force", is_flag=True, help="Replace a taskmanager.toml that is there.")
def import_config(file: Path, write: bool, force: bool) -> None:
    """Read an appsettings.json of a .NET Hangfire or TARGCC application as settings.

    What becomes no setting is told with the reason. A password of a connection string is written as it is.
    """
    taken = appsettings.read(file.read_text("utf-8-sig"))
    if not taken:
        fail(f"{file} has no key of ConnectionStrings, Hangfire, TargCCJobs or JobScheduling that is read")
    text = appsettings.as_toml(taken)
    target = Path("taskmanager.toml")
    if write and target.exists() and not force:
        fail(f"{target} is there already: look at what `taskmanager config import {file}` prints, or add --force")
    if write:
        target.write_text(text, "utf-8")
    else:
        click.echo(text, nl=False)
    for one in taken:
        if one.note:
            click.echo(f"{one.key}: {one.note}", err=True)


@click.group(cls=Group)
def sql() -> None:
    """The statements that are sent: show."""


@sql.command("show", epilog=examples("sql show", "sql show queues.claimable", "sql show --json"))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@as_json
@click.pass_context
def show_sql(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Every named statement, or those named, as this database gets them."""
    database = manager(ctx, discover=False, new=True).database
    _check_names(names, list(REGISTRY), "statement")
    texts = {
        name: render(build, database.tables, database.product, database.engine.dialect).strip()
        for name, build in sorted(REGISTRY.items())
        if not names or name in names
    }
    if as_json:
        print_json([{"name": name, "sql": text} for name, text in texts.items()])
        return
    for name, text in texts.items():
        click.echo(f"-- {name}\n{text};\n")


def _check_names(names: tuple[str, ...], known: list[str], kind: str) -> None:
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            fail(f"there is no {kind} {name!r}" + (f"; did you mean {close[0]!r}?" if close else ""))


@click.command(cls=Command, epilog=examples("doctor", "doctor --json"))
@as_json
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look for what is wrong with database and servers, and tell the cure of each finding.

    Looked at: whether the database answers, its version, the tables, the procedures of the SQL API, the clock, the
    isolation level, the indexes that the hot statements use, old transactions and the history they keep, servers that
    fell silent, queues that nobody serves, recurring jobs that cannot fire, jobs nobody knows, modules that cannot be
    imported.

    Exit code 1 when a finding is `bad`; `warn` is something to look at.
    """
    tm = manager(ctx, new=True)
    try:
        must_exist(tm)
        findings = tm.examine()
    except SchemaError as error:
        findings = [checks.Finding("bad", "database", str(error), "run `taskmanager db upgrade`")]
    if as_json:
        print_json([asdict(f) for f in findings])
    else:
        for f in findings:
            click.echo(f"{f.level:<5} {f.subject}: {f.text}" + (f"\n      cure: {f.cure}" if f.cure else ""))
    sys.exit(FAILED if any(f.level == "bad" for f in findings) else 0)
