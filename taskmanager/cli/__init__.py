"""The command line: click commands, one file a group. It parses and prints; the work is done elsewhere."""

from __future__ import annotations

from typing import Any

import click

from taskmanager import __version__
from taskmanager.cli import admin, jobs, recurring, run
from taskmanager.cli.common import fail
from taskmanager.domain.errors import TaskManagerError


class Group(click.Group):
    """Turns our own errors into one clear line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TaskManagerError as error:
            fail(error)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--database-url", help="The database; else TASKMANAGER_DATABASE_URL, else sqlite:///taskmanager.db.")
@click.option("--discover", help="Packages with jobs, separated by commas.")
@click.version_option(__version__, prog_name="taskmanager")
@click.pass_context
def main(ctx: click.Context, database_url: str | None, discover: str | None) -> None:
    """Durable jobs on the database you already run.

    Start with `taskmanager up`: worker, scheduler and web pages in one process, on an embedded database.
    """
    ctx.obj = {"database_url": database_url, "discover": discover}


for command in (
    run.up, run.worker, run.web, jobs.enqueue, jobs.jobs_group, jobs.job_group, jobs.generate, recurring.recurring,
    recurring.queues, recurring.servers, admin.db, admin.config_group, admin.sql, admin.doctor,
):  # fmt: skip
    main.add_command(command)
