"""What runs until it is told to stop: up, worker, web."""

from __future__ import annotations

import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from taskmanager import logs
from taskmanager.app import TaskManager
from taskmanager.cli.common import Command, Group, examples, settings
from taskmanager.config import Settings
from taskmanager.domain.errors import ConfigurationError, StorageError
from taskmanager.server import collector, streams
from taskmanager.server.server import Server
from taskmanager.server.supervisor import RETIRED, StopSignal, Supervisor, child_command, end_for_sure, end_with_parent
from taskmanager.storage import schema
from taskmanager.storage.database import Database

log = logging.getLogger("taskmanager.server")

SAMPLES = "taskmanager.samples"


@click.command(cls=Command, epilog=examples("up", "--discover shop.jobs up --port 8080 --queues default,mail"))
@click.option("--host", help="Address of the web pages; 127.0.0.1.")
@click.option("--port", type=int, help="Port of the web pages; 8000, 0 takes a free one.")
@click.option("--threads", type=int, help="Jobs performed at a time.")
@click.option("--queues", help="Queues to work on, separated by commas.")
@click.option("--migrate", is_flag=True, help="Upgrade the tables of a server database first.")
@click.pass_context
def up(
    ctx: click.Context, host: str | None, port: int | None, threads: int | None, queues: str | None, migrate: bool
) -> None:
    """Run everything in one process: worker, scheduler and web pages. Ctrl-C ends it in order.

    Without `discover` it shows sample jobs. An embedded database is made and upgraded by itself.
    """
    loaded = settings(ctx, web_host=host, web_port=port, threads=threads, queues=queues)
    samples = not loaded.discover
    if samples:
        loaded = loaded.with_changes(discover=(SAMPLES,))
    logs.configure(loaded.log_level, loaded.log_format)
    signals = StopSignal().install()
    tm = _ready(loaded, signals, migrate=migrate)
    if samples:
        tm.procedure("SP_SampleReport")(lambda: "12 rows reported")
    page = _page(tm)
    server = tm.server()
    server.start()
    if samples:
        _enqueue_samples(tm)
    signals.wait()
    click.echo("stopping; press Ctrl-C again to hurry")
    page.close()
    server.stop(hurry=signals.hurry)
    tm.close()


@click.command(
    cls=Command,
    epilog=examples(
        "--discover shop.jobs worker", "--discover shop.jobs worker --queues critical,default --processes 4 --threads 8"
    ),
)
@click.option("--queues", help="Queues to work on, the most urgent first, separated by commas.")
@click.option("--threads", type=int, help="Jobs each process performs at a time.")
@click.option("--processes", type=int, help="Worker processes.")
@click.option("--server-name", help="Name before the process id; the host's.")
@click.option("--scheduler/--no-scheduler", default=None, help="Whether to run the delayed and recurring schedules.")
@click.option("--migrate", is_flag=True, help="Upgrade the tables of a server database first.")
@click.option("--supervised", is_flag=True, hidden=True)
@click.pass_context
def worker(ctx: click.Context, /, supervised: bool, migrate: bool, **arguments: Any) -> None:
    """Perform jobs until SIGTERM or Ctrl-C, on as many hosts as you like.

    Running jobs then get grace_seconds to end; what waits is given back. Exit code 0.
    """
    loaded = settings(ctx, **arguments)
    if supervised:
        streams.keep()
    logs.configure(loaded.log_level, loaded.log_format)
    signals = StopSignal(hurries=not supervised).install()
    if not supervised:
        tm = _ready(loaded, signals, migrate=migrate, discover=False)
        command = child_command(sys.argv[1:])
        supervisor = Supervisor(
            tm.database, command, loaded.processes, dead_after=loaded.dead_after_seconds, grace=loaded.grace_seconds
        )
        sys.exit(supervisor.run(signals))
    end_with_parent(signals)
    tm = _ready(loaded, signals, migrate=False)
    collector.set_up()
    code = RETIRED if _work(tm, signals) else 0
    end_for_sure(code)
    sys.exit(code)


@click.group(cls=Group, invoke_without_command=True, epilog=examples("web", "web --host 0.0.0.0 --port 8080"))
@click.option("--host", help="Address to listen on; 127.0.0.1.")
@click.option("--port", type=int, help="Port to listen on; 8000, 0 takes a free one.")
@click.pass_context
def web(ctx: click.Context, host: str | None, port: int | None) -> None:
    """Serve the web pages and the API only; or make users and tokens for them."""
    if ctx.invoked_subcommand is not None:
        return
    loaded = settings(ctx, web_host=host, web_port=port)
    logs.configure(loaded.log_level, loaded.log_format)
    signals = StopSignal().install()
    tm = _ready(loaded, signals, migrate=False)
    page = _page(tm)
    signals.wait()
    page.close()
    tm.close()


def _work(tm: TaskManager, signals: StopSignal) -> bool:
    """Serve, and start anew under a new id when others gave this server up; recycle when it has done enough.

    Returns whether somebody asked the server to stop for good.
    """
    retires = False
    while not signals.stop.is_set() and not retires:
        server = tm.server()
        with _until_told(tm, signals):
            server.start()
        is_spent = False
        while not signals.stop.wait(0.2) and not (server.given_up.is_set() or server.retired.is_set()):
            if not server.told_to_stop.is_set() and _is_spent(tm.settings, server):
                is_spent = True  # and has its successor from now on
                server.drain(signals.stop)
                signals.stop.set()
        server.stop(hurry=signals.hurry)
        retires = server.told_to_stop.is_set() and not is_spent
    tm.close()
    return retires


def _is_spent(loaded: Settings, server: Server) -> bool:
    """Whether the process has done so much that another is to take its place."""
    if loaded.max_jobs is not None and server.jobs_done >= loaded.max_jobs:
        log.info("this process has done %d jobs; another takes its place", server.jobs_done)
        return True
    if loaded.max_memory is not None and server.jobs_done and server.resident_bytes() >= loaded.max_memory:
        log.info("this process holds %d bytes; another takes its place", server.resident_bytes())
        return True
    return False


@contextmanager
def _until_told(tm: TaskManager, signals: StopSignal) -> Iterator[None]:
    """What waits for a database that is down ends when we are told to stop, and the process with it, in order."""

    def give_up() -> None:
        tm.database.patience_ends = 0.0

    signals.when_told = give_up
    try:
        if signals.stop.is_set():
            give_up()
        yield
    except StorageError as error:
        if not signals.stop.is_set():
            raise
        log.warning("told to stop while waiting for the database: %s", error)
        sys.exit(0)
    finally:
        signals.when_told = lambda: None


def _ready(loaded: Settings, signals: StopSignal, *, migrate: bool, discover: bool = True) -> TaskManager:
    """A TaskManager on a database whose tables are as they should be. Raises SchemaError that tells the cure."""
    # A TaskManager that the user's own modules make, and isolated jobs, are to work on the same database.
    os.environ.update(loaded.variables())
    tm = TaskManager(loaded)
    with _until_told(tm, signals):
        tm.database.through_outage(lambda: _have_tables(tm.database, loaded, migrate=migrate))
        if discover:
            tm.discover()
            if loaded.scheduler:
                tm.register_recurring()
    return tm


def _have_tables(database: Database, loaded: Settings, *, migrate: bool) -> None:
    engine, prefix = database.engine, database.tables.prefix
    embedded = database.is_embedded and loaded.migrate == "auto"
    if embedded or migrate or schema.is_empty(engine, prefix):
        schema.upgrade(engine, prefix)
    schema.check(engine, prefix)


def _page(tm: TaskManager) -> Any:
    """Start the web server and say where it is."""
    from webui import serve  # the core runs without Flask; only this command needs it

    users = dict(tm.settings.web_users)
    password = None
    if not users:
        from werkzeug.security import generate_password_hash

        password = secrets.token_urlsafe(9)
        users = {"admin": generate_password_hash(password)}
    host, port = tm.settings.web_host, tm.settings.web_port
    try:
        page = serve(tm, host=host, port=port, users=users)
    except OSError as error:
        raise ConfigurationError(
            f"the web pages cannot listen on {host}:{port} ({error.strerror}): choose another --port, 0 for a free one"
        ) from error
    click.echo(f"taskmanager is at {page.url}")
    if password is not None:
        click.echo(f"sign in as admin with password {password} (made for this run; set web_users for your own)")
    return page


def _enqueue_samples(tm: TaskManager) -> None:
    tm.enqueue("Say hello", "taskmanager")
    tm.enqueue("Count slowly", 20)
    tm.enqueue("Fail twice, then work")
    tm.enqueue("Fail for good")
    tm.enqueue("Daily Sales Report")
    tm.enqueue("Say hello", "a bit later", delay=5)
    click.echo(
        "a legacy row runs too: INSERT INTO c_Job (JobName, CronExpression, StoredProcName, IsActive) "
        "VALUES ('Report', '* * * * *', 'SP_SampleReport', 1)"
    )
