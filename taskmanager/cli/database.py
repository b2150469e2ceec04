"""Commands for the tables."""

from __future__ import annotations

import click

from taskmanager.cli.common import Group, examples, manager, settings
from taskmanager.cli.sql_api import options_of, refresh, sql_api
from taskmanager.storage import ddl, schema
from taskmanager.storage import sql_api as procedures


@click.group(cls=Group)
def db() -> None:
    """The tables: upgrade, current, check, sql; and the procedures: sql-api."""


@db.command(
    epilog=examples(
        "db upgrade", "db upgrade --sql > upgrade.sql", "db upgrade --sql --offline mysql",
        "--database-url mysql://user:password@localhost/shop db upgrade",
    )
)  # fmt: skip
@click.option("--sql", "as_sql", is_flag=True, help="Print the statements for a DBA instead of running them.")
@click.option(
    "--offline", type=click.Choice(schema.PRODUCTS), help="With --sql: for an empty database of this product, unseen."
)
@click.pass_context
def upgrade(ctx: click.Context, as_sql: bool, offline: str | None) -> None:
    """Bring the tables to the newest revision, telling each step; once done it does nothing.

    A database of Hangfire.MySqlStorage 2.x is widened in place. The procedures of `db sql-api install`, where they are
    installed, are replaced as well; where grants would be lost by that (MySQL), it is said what to do.
    """
    if offline is not None and not as_sql:
        raise click.UsageError("--offline prints statements: give it together with --sql")
    if offline is not None:
        click.echo(schema.offline_sql(offline, settings(ctx).prefix))
        return
    tm = manager(ctx, discover=False, new=True)
    database = tm.database
    if as_sql:
        click.echo(schema.pending_sql(database.engine, database.tables.prefix) or "-- up to date")
        if names := procedures.behind(database.engine, options_of(tm.settings)):
            click.echo(f"-- {procedures.told_of(names)}: `taskmanager db sql-api show`")
        return
    schema.upgrade(database.engine, database.tables.prefix, on_step=click.echo)
    refresh(tm)
    click.echo(f"up to date: revision {schema.head()}")


@db.command(epilog=examples("db current"))
@click.pass_context
def current(ctx: click.Context) -> None:
    """The revision the database is at, and the newest; and procedures of another version than this."""
    tm = manager(ctx, discover=False)
    engine = tm.database.engine
    at = schema.current(engine, tm.database.tables.prefix)
    click.echo(f"{at or 'none'} (newest: {schema.head()})")
    if names := procedures.behind(engine, options_of(tm.settings)):
        click.echo(f"{procedures.told_of(names)}: {procedures.cure_of(engine, names)}")


@db.command(epilog=examples("db check"))
@click.pass_context
def check(ctx: click.Context) -> None:
    """Exit code 1, and what is missing, when the tables are not as they should be."""
    database = manager(ctx, discover=False).database
    schema.check(database.engine, database.tables.prefix)
    click.echo("up to date")


@db.command("sql", epilog=examples("db sql > schema.sql"))
@click.pass_context
def db_sql(ctx: click.Context) -> None:
    """All CREATE statements for this kind of database."""
    database = manager(ctx, discover=False, new=True).database
    click.echo(ddl.schema_sql(database.product.name, database.tables.prefix))


db.add_command(sql_api)
