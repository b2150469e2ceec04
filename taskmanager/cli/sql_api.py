"""Commands for the procedures by which SQL enqueues: `db sql-api`."""

from __future__ import annotations

import click

from taskmanager.cli.common import Group, examples, manager, settings
from taskmanager.config import Settings
from taskmanager.storage import sql_api as procedures


@click.group("sql-api", cls=Group)
def sql_api() -> None:
    """The procedures by which SQL enqueues, requeues, deletes and triggers jobs: install, show, drop."""


@sql_api.command(epilog=examples("db sql-api install"))
@click.pass_context
def install(ctx: click.Context) -> None:
    """Create the procedures, or replace those that differ; once done it does nothing.

    They run with the rights of the user who installs them: install them as the workers' user.
    """
    tm = manager(ctx, discover=False)
    steps = procedures.install(tm.database.engine, _options(tm.settings), on_step=click.echo)
    click.echo(f"up to date: {len(steps)} changed")


@sql_api.command(epilog=examples("db sql-api show > sql-api.sql", "db sql-api show --offline mysql"))
@click.option("--offline", type=click.Choice(procedures.PRODUCTS), help="For this product, without a connection.")
@click.pass_context
def show(ctx: click.Context, offline: str | None) -> None:
    """Print the procedures as a script for a DBA."""
    if offline is not None:
        click.echo(procedures.script(offline, _options(settings(ctx))), nl=False)
        return
    engine = manager(ctx, discover=False).database.engine
    options = _options(settings(ctx))
    click.echo(procedures.script(engine.dialect.name, options, procedures.place_of(engine)), nl=False)


@sql_api.command(epilog=examples("db sql-api drop"))
@click.pass_context
def drop(ctx: click.Context) -> None:
    """Drop the procedures; jobs and tables stay."""
    database = manager(ctx, discover=False).database
    dropped = procedures.drop(database.engine, database.tables.prefix)
    click.echo(f"dropped: {len(dropped)}")


def _options(loaded: Settings) -> procedures.Options:
    return procedures.Options(
        prefix=loaded.prefix,
        job_expiration_seconds=loaded.job_expiration_seconds,
        max_payload_bytes=loaded.max_payload_bytes,
    )
