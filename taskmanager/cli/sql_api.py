"""Commands for the procedures by which SQL enqueues: `db sql-api`."""

from __future__ import annotations

import click

from taskmanager.app import TaskManager
from taskmanager.cli.common import Group, examples, manager, settings
from taskmanager.config import Settings
from taskmanager.domain.errors import TaskManagerError
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
    steps = procedures.install(tm.database.engine, options_of(tm.settings), on_step=click.echo)
    click.echo(f"up to date: {len(steps)} changed")


@sql_api.command(epilog=examples("db sql-api show > sql-api.sql", "db sql-api show --offline mysql"))
@click.option("--offline", type=click.Choice(procedures.PRODUCTS), help="For this product, without a connection.")
@click.pass_context
def show(ctx: click.Context, offline: str | None) -> None:
    """Print the procedures as a script for a DBA."""
    if offline is not None:
        click.echo(procedures.script(offline, options_of(settings(ctx))), nl=False)
        return
    database = manager(ctx, discover=False).database
    place = procedures.place_of(database.engine)
    click.echo(procedures.script(database.product.name, options_of(settings(ctx)), place), nl=False)


@sql_api.command(epilog=examples("db sql-api drop"))
@click.pass_context
def drop(ctx: click.Context) -> None:
    """Drop the procedures; jobs and tables stay."""
    database = manager(ctx, discover=False).database
    dropped = procedures.drop(database.engine, database.tables.prefix)
    click.echo(f"dropped: {len(dropped)}")


def refresh(tm: TaskManager) -> None:
    """Bring the procedures, if they were installed, to this version; say so where grants would go, or rights lack."""
    engine, options = tm.database.engine, options_of(tm.settings)
    names = procedures.behind(engine, options)
    if procedures.forgets(engine, names):
        click.echo(f"{procedures.told_of(names)}: {procedures.cure_of(engine, names)}")
    elif names:
        try:
            procedures.install(engine, options, on_step=click.echo)
        except TaskManagerError as error:  # the tables are done, and that counts
            click.echo(f"{procedures.told_of(names)}: {error}")


def options_of(loaded: Settings) -> procedures.Options:
    """What the procedures know of the settings."""
    return procedures.Options(
        prefix=loaded.prefix,
        job_expiration_seconds=loaded.job_expiration_seconds,
        max_payload_bytes=loaded.max_payload_bytes,
    )
