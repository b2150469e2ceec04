"""How commands print and are spoken to: columns or JSON, moments, progress, a job's arguments and its call."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click

from taskmanager.domain.invocation import InvocationUnreadable, read


def show(rows: Sequence[dict[str, Any]], *, json_wanted: bool, empty: str = "nothing") -> None:
    """Print rows as JSON, or as columns. Moments are UTC."""
    if json_wanted:
        print_json(rows)
        return
    if not rows:
        click.echo(empty)
        return
    columns = list(rows[0])
    cells = [[_cell(row.get(c)) for c in columns] for row in rows]
    widths = [max(len(c), *(len(row[i]) for row in cells)) for i, c in enumerate(columns)]
    click.echo("  ".join(c.ljust(w) for c, w in zip(columns, widths, strict=True)).rstrip())
    for row in cells:
        click.echo("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def print_json(value: Any) -> None:
    """Print a value as one line of JSON; moments are UTC and end in Z.

    Letters stand as they are where all of them can be written, for people read it, too; else as `\\u…`.
    """
    text = json.dumps(value, default=_plain, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        text = json.dumps(value, default=_plain)
    click.echo(text)


def moment(value: datetime | None) -> str | None:
    """A moment in UTC for scripts."""
    return None if value is None else f"{value.isoformat()}Z"


def wall(value: Any) -> Any:
    """A moment of the database server's wall clock, which is no UTC; other values as they are."""
    return value.isoformat(" ") if isinstance(value, datetime) else value


def _plain(value: Any) -> Any:
    return moment(value) if isinstance(value, datetime) else str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value.isoformat(' ', 'seconds')}Z" if isinstance(value, datetime) else str(value)
    return " ".join(text.split()) if "\n" in text else text


def indented(text: str) -> str:
    """A text of several lines, such as a stack trace, set below and to the right of its name."""
    lines = text.rstrip().splitlines()
    return text.rstrip() if len(lines) < 2 else "".join(f"\n          {line}" for line in lines)


def log_line(packed: str, written: datetime) -> str:
    """A line of a job's log, as it is kept. written: when, for lines that do not tell their moment."""
    try:
        line = json.loads(packed)
    except ValueError:
        return packed
    fields = line.get("fields") or {}
    extra = "".join(f"  {name}={value}" for name, value in fields.items())
    at = str(line.get("at") or written.isoformat(timespec="milliseconds")).replace("T", " ")
    return f"{at}Z  {line.get('level', ''):<7}  {indented(str(line.get('message', '')))}{extra}"


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, and nothing elsewhere; call what it gives with how many more are done."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.advance(task, done)


def arguments_of(texts: tuple[str, ...]) -> tuple[list[Any], dict[str, Any]]:
    """A job's arguments as they are typed: JSON where it can be read so, else text; `key=value` is named."""
    args, kwargs = [], {}
    for text in texts:
        key, sign, value = text.partition("=")
        if sign and key.isidentifier():
            kwargs[key] = _value(value)
        else:
            args.append(_value(text))
    return args, kwargs


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def call_of(record: Any, length: int | None = None) -> str:
    """A stored job's call for people: `module:function(1, "a")`."""
    try:
        found = read(record.invocation_data, record.arguments)
    except InvocationUnreadable as error:
        return f"(unreadable: {error})"
    text = f"{found.name}({', '.join('null' if a is None else str(a) for a in found.arguments)})"
    return text if length is None or len(text) <= length else f"{text[: length - 1]}…"
