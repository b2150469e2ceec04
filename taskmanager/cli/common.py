"""What all commands share: options, the TaskManager from configuration, who asks, errors and their cures."""

from __future__ import annotations

import getpass
import os
import re
import socket
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from taskmanager import config, logs
from taskmanager.app import TaskManager
from taskmanager.config import Settings
from taskmanager.domain.errors import SchemaError, StorageError, TaskManagerError
from taskmanager.engine.audit import Actor
from taskmanager.engine.history import MANUAL
from taskmanager.storage import schema
from taskmanager.storage.database import Database
from taskmanager.storage.dialects import product_of

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
#: For how long a command that somebody waits for tries to reach the database.
PATIENCE_SECONDS = 3.0
#: Exit codes; 2 is click's own, for wrong usage.
FAILED, TIMED_OUT, INTERRUPTED = 1, 3, 130

_GLOBAL = {
    "--database-url": "The database; else TASKMANAGER_DATABASE_URL, else sqlite:///taskmanager.db.",
    "--discover": "Packages with jobs, separated by commas; else TASKMANAGER_DISCOVER.",
}


def examples(*lines: str) -> str:
    """The end of a command's help."""
    return "\n".join(["\b", "Examples:", *(f"  taskmanager {line}" for line in lines)])


def global_options(*, hidden: bool) -> list[click.Parameter]:
    """The options that stand before or after any command."""
    return [
        click.Option([name], help=text, hidden=hidden, expose_value=False, callback=_remember, metavar="TEXT")
        for name, text in _GLOBAL.items()
    ]


def _remember(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    ctx.find_root().ensure_object(dict)
    if value is not None:
        ctx.find_root().obj[parameter.name] = value


#: Commands that change something, and what the audit log calls it.
_AUDITED = {
    "enqueue": "jobs.enqueue", "jobs requeue": "jobs.requeue", "jobs delete": "jobs.delete",
    "recurring add": "recurring.edit", "recurring remove": "recurring.remove",
    "recurring trigger": "recurring.trigger", "recurring pause": "recurring.pause",
    "recurring resume": "recurring.pause", "recurring restore": "recurring.restore",
    "queues pause": "queues.pause", "queues resume": "queues.pause",
    "jobs pause": "types.pause", "jobs resume": "types.pause",
}  # fmt: skip


class NoDatabase(SchemaError):
    """The file of an SQLite database is not there; it is not made by looking for it."""


class Command(click.Command):
    """Takes the global options too, and tells how a negative number is given."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params = [*self.params, *global_options(hidden=True)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if re.match(r"-[\d.]", error.option_name):
                value = error.option_name
                raise click.UsageError(
                    f"{value} looks like an option: a value that begins with - stands after --, as in "
                    f"`{ctx.command_path} … -- {value}`",
                    ctx,
                ) from None
            raise


class Group(click.Group):
    """Turns our own errors into one clear line and exit code 1, and Ctrl-C into exit code 130."""

    command_class = Command
    group_class = type

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except KeyboardInterrupt:
            _interrupted()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click's, but a command is told in its whole first sentence, over as many lines as that takes."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, c.get_short_help_str(1000)) for name, c in commands if c is not None and not c.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TaskManagerError as error:
            fail(_cured(error, ctx))
        except KeyboardInterrupt:
            _interrupted()
        except click.Abort as abort:
            if isinstance(abort.__context__, KeyboardInterrupt):  # at a question
                _interrupted()
            raise


def _interrupted() -> NoReturn:
    click.echo("interrupted", err=True)
    sys.exit(INTERRUPTED)


# -- the TaskManager of a command -----------------------------------------------------------------------------


def settings(ctx: click.Context, **arguments: Any) -> Settings:
    """Settings with the command line's own as the strongest."""
    given = dict(ctx.find_root().obj or {}) | arguments
    return config.load({name: value for name, value in given.items() if value is not None and name != "manager"})


def manager(ctx: click.Context, *, discover: bool = True, new: bool = False, module: str | None = None) -> TaskManager:
    """The TaskManager of a command that ends soon: it has little patience with a database that does not answer.

    new: the database may be made by this command, or is not asked. module: imported besides those of `discover`.
    """
    loaded = settings(ctx)
    if module is not None and not any(module == p or module.startswith(f"{p}.") for p in loaded.discover):
        loaded = loaded.with_changes(discover=(*loaded.discover, module))
    logs.configure("CRITICAL", loaded.log_format)  # what goes wrong is told in one line, by `fail` or here
    database = Database(loaded.database_url, prefix=loaded.prefix, patience_seconds=PATIENCE_SECONDS)
    tm = TaskManager(loaded, database=database)
    ctx.find_root().ensure_object(dict)["manager"] = tm
    ctx.find_root().call_on_close(tm.close)
    _keep_in_audit(ctx, tm)
    if not new:
        must_exist(tm)
    if discover and loaded.discover:
        for name, error in tm.discover().errors.items():
            if name != module:
                click.echo(f"warning: module {name} cannot be imported: {error}", err=True)
    return tm


def _keep_in_audit(ctx: click.Context, tm: TaskManager) -> None:
    """Let what a changing command does be written to the audit log, under the name of who runs it."""
    words = ctx.command_path.split()[1:]
    action = _AUDITED.get(" ".join(words))
    if action is None:
        return
    user = system_user()
    if user is None:
        return
    change = ctx.find_root().with_resource(tm.audit.changing(Actor(user, "cli", socket.gethostname()), action))
    if action == "types.pause":
        change.about("tag" if ctx.params["tag"] else "type", ctx.params["tag"] or ctx.params["job"] or "")
        return
    named = ctx.params.get("recurring_id") or ctx.params.get("queue") or ctx.params.get("name")
    if action == "recurring.restore":
        change.about("recurring", "*")
    if named and action != "jobs.delete":
        change.about("job" if words[0] == "enqueue" else words[0].removesuffix("s"), named)


def system_user() -> str | None:
    """Who runs this command; None for a number without a name, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # the last on Windows
        return None


def asked_by() -> str:
    """TriggeredBy of a run that is asked for here."""
    return system_user() or MANUAL


def must_exist(tm: TaskManager) -> None:
    """Raise NoDatabase where opening an SQLite file would make an empty one."""
    name = tm.database.url.database or ""
    if tm.database.is_embedded and not name.startswith("file:") and not Path(name).exists():
        raise NoDatabase(f"there is no database {name} yet: run `taskmanager db upgrade`, or {_named_by(tm)}")


def _cured(error: TaskManagerError, ctx: click.Context) -> str:
    """The error's text with what to do about it, where the database is not as it should be."""
    tm = (ctx.find_root().obj or {}).get("manager")
    if tm is None or type(error) not in (StorageError, SchemaError):
        return str(error)
    engine, prefix = tm.database.engine, tm.database.tables.prefix
    try:
        lacking = schema.missing(engine, prefix)
        if lacking and schema.is_empty(engine, prefix):
            return f"the database has no tables yet: run `taskmanager db upgrade`, or {_named_by(tm)}"
    except TaskManagerError as failure:
        cause = failure.__cause__
        is_down = cause is not None and product_of(engine.dialect).is_unreachable(cause)
        return f"{error}; {'start the server, or ' if is_down else ''}{_named_by(tm)}"
    if isinstance(error, SchemaError):
        return str(error)
    cure = "run `taskmanager db upgrade` (`taskmanager db check` lists what is missing)"
    return f"{error}; {cure}" if lacking else str(error)


def _named_by(tm: TaskManager) -> str:
    origin = tm.settings.origin("database_url")
    return f"name another by --database-url (this one is {config.shown(tm.settings, 'database_url')}, {origin})"


def here_on_path() -> None:
    """Let modules of the working directory be found, as `python -m taskmanager` does."""
    here = os.getcwd()
    if not {"", here} & set(sys.path):
        sys.path.insert(0, here)


def time_of(text: str | None, option: str) -> datetime | None:
    """A moment that is typed. Raises BadParameter of the option."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time such as 2030-01-31T09:00+01:00", param_hint=option) from None


def fail(error: BaseException | str) -> NoReturn:
    """Say what went wrong, and end with exit code 1."""
    click.echo(f"error: {error}", err=True)
    sys.exit(FAILED)
