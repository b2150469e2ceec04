"""What all commands share: the TaskManager from configuration, tables on the terminal, JSON, errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn

import click

from taskmanager import logs
from taskmanager.app import TaskManager
from taskmanager.config import Settings, load

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def settings(ctx: click.Context, **arguments: Any) -> Settings:
    """Settings with the command line's own as the strongest."""
    given = dict(ctx.find_root().obj or {}) | arguments
    return load({name: value for name, value in given.items() if value is not None})


def manager(ctx: click.Context, *, discover: bool = True, **arguments: Any) -> TaskManager:
    """The TaskManager of this command."""
    loaded = settings(ctx, **arguments)
    logs.configure(loaded.log_level if arguments.get("verbose") else "WARNING", loaded.log_format)
    tm = TaskManager(loaded)
    if discover and loaded.discover:
        tm.discover()
    return tm


def show(rows: Sequence[dict[str, Any]], *, json_wanted: bool) -> None:
    """Print rows as JSON, or as columns."""
    if json_wanted:
        click.echo(json.dumps([{k: _plain(v) for k, v in row.items()} for row in rows]))
        return
    if not rows:
        click.echo("nothing")
        return
    columns = list(rows[0])
    cells = [[_cell(row.get(c)) for c in columns] for row in rows]
    widths = [max(len(c), *(len(row[i]) for row in cells)) for i, c in enumerate(columns)]
    click.echo("  ".join(c.ljust(w) for c, w in zip(columns, widths, strict=True)).rstrip())
    for row in cells:
        click.echo("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def fail(error: BaseException) -> NoReturn:
    """Say what went wrong in one line, and end with exit code 1."""
    click.echo(f"error: {error}", err=True)
    sys.exit(1)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, bool, dict, list, type(None))) else str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat(" ", "seconds") if isinstance(value, datetime) else str(value)
