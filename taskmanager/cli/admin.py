"""Commands for who runs the database: db, config, sql, doctor."""

from __future__ import annotations

import json
import sys

import click

from taskmanager import config
from taskmanager.cli.common import as_json, manager, settings, show
from taskmanager.storage import ddl, schema
from taskmanager.storage import doctor as checks
from taskmanager.storage.statements import REGISTRY, render


@click.group()
def db() -> None:
    """The tables: upgrade, current, check, sql."""


@db.command()
@click.option("--sql", "as_sql", is_flag=True, help="Print the statements for a DBA instead of running them.")
@click.option(
    "--offline", type=click.Choice(schema.PRODUCTS), help="With --sql: for an empty database of this product, unseen."
)
@click.pass_context
def upgrade(ctx: click.Context, as_sql: bool, offline: str | None) -> None:
    """Bring the tables to the newest revision; a database of Hangfire.MySqlStorage 2.x is widened in place."""
    loaded = settings(ctx)
    if offline is not None and not as_sql:
        raise click.UsageError("--offline prints statements: give it together with --sql")
    if offline is not None:
        click.echo(schema.offline_sql(offline, loaded.prefix))
        return
    database = manager(ctx, discover=False).database
    if as_sql:
        click.echo(schema.pending_sql(database.engine, database.tables.prefix) or "-- up to date")
        return
    steps = schema.upgrade(database.engine, database.tables.prefix)
    click.echo("\n".join(steps) or "up to date")


@db.command()
@click.pass_context
def current(ctx: click.Context) -> None:
    """The revision the database is at, and the newest."""
    database = manager(ctx, discover=False).database
    at = schema.current(database.engine, database.tables.prefix)
    click.echo(f"{at or 'none'} (newest: {schema.head()})")


@db.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Exit code 1, and what is missing, when the tables are not as they should be."""
    database = manager(ctx, discover=False).database
    schema.check(database.engine, database.tables.prefix)
    click.echo("up to date")


@db.command("sql")
@click.pass_context
def db_sql(ctx: click.Context) -> None:
    """All CREATE statements for this kind of database."""
    database = manager(ctx, discover=False).database
    click.echo(ddl.schema_sql(database.product.name, database.tables.prefix))


@click.group("config")
def config_group() -> None:
    """Settings."""


@config_group.command("show")
@as_json
@click.pass_context
def show_config(ctx: click.Context, as_json: bool) -> None:
    """Every setting, its value, and where the value came from."""
    rows = [{"setting": n, "value": v, "origin": o, "meaning": h} for n, v, o, h in config.describe(settings(ctx))]
    show(rows, json_wanted=as_json)


@click.group()
def sql() -> None:
    """The statements that are sent."""


@sql.command("show")
@click.pass_context
def show_sql(ctx: click.Context) -> None:
    """Every named statement as this database gets it."""
    database = manager(ctx, discover=False).database
    for name, build in sorted(REGISTRY.items()):
        text = render(build, database.tables, database.product, database.engine.dialect)
        click.echo(f"-- {name}\n{text.strip()};\n")


@click.command()
@as_json
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look for what is wrong with database and servers; exit code 1 when something is."""
    tm = manager(ctx)
    findings = checks.examine(tm.database, known=[d.name for d in tm.registry])
    if as_json:
        click.echo(
            json.dumps([{"level": f.level, "subject": f.subject, "text": f.text, "cure": f.cure} for f in findings])
        )
    else:
        for f in findings:
            click.echo(f"{f.level:<5} {f.subject}: {f.text}" + (f"\n      cure: {f.cure}" if f.cure else ""))
    sys.exit(1 if any(f.level == "bad" for f in findings) else 0)
