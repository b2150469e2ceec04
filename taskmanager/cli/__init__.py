"""The command line: click commands, one file a group. It parses and prints; the work is done elsewhere."""

from __future__ import annotations

import click

from taskmanager import __version__
from taskmanager.cli import (
    admin,
    alerts,
    database,
    generate,
    jobs,
    known,
    legacy,
    pausing,
    queues,
    recurring,
    run,
    webusers,
)
from taskmanager.cli.common import Group, examples, global_options, here_on_path


@click.group(
    cls=Group,
    params=global_options(hidden=False),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "up",
        "--discover shop.jobs worker --queues default,mail",
        "enqueue shop.jobs:send_mail a@b.c subject=hi",
        "jobs list --state failed",
        "doctor",
    ),
)
@click.version_option(__version__, prog_name="taskmanager")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Durable jobs on the database you already run.

    Start with `taskmanager up`: worker, scheduler and web pages in one process, on an embedded database.

    Settings come from these options, TASKMANAGER_* in the environment, taskmanager.toml and [tool.taskmanager] in
    pyproject.toml; `taskmanager config show` tells each value and where it came from.

    Exit codes: 0 done; 1 an error, told in one line; 2 wrong usage; 3 waited in vain; 130 Ctrl-C.
    """
    ctx.ensure_object(dict)
    here_on_path()


run.web.add_command(webusers.user)
run.web.add_command(webusers.token)
run.web.add_command(webusers.openapi)

for command in (
    run.up, run.worker, run.web, jobs.enqueue, pausing.jobs_group, known.job_group, recurring.recurring, queues.queues,
    queues.servers, generate.generate, database.db, legacy.legacy_group,
    admin.config_group, admin.sql, admin.doctor, alerts.alerts,
):  # fmt: skip
    main.add_command(command)
