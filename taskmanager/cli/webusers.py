"""What goes with the web pages and the API: `web user add` and `web token add` make lines of configuration, and
`web openapi` prints the API's document."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from taskmanager.cli.common import Command, Group, examples, fail, manager, settings

role_option = click.option(
    "--role", type=click.Choice(["view", "manage"]), default="view", show_default=True, help="What it may."
)
write_option = click.option("--write", is_flag=True, help="Write taskmanager.toml; else the lines are printed.")


@click.group(cls=Group)
def user() -> None:
    """People who sign in with a password: add."""


@user.command("add", epilog=examples("web user add ann --role manage", "web user add eve --write"))
@click.argument("name")
@role_option
@write_option
@click.pass_context
def add_user(ctx: click.Context, name: str, role: str, write: bool) -> None:
    """Hash a password for web_users.

    It is asked for on a terminal; else it is the first line of the input.
    """
    _check_name(name)
    from werkzeug.security import generate_password_hash  # the core runs without the web's libraries

    password = _password()
    if not password:
        fail("the password is empty")
    _put(ctx, {"web_users": {name: generate_password_hash(password)}, "web_roles": {name: role}}, write=write)


@click.group(cls=Group)
def token() -> None:
    """Bearer tokens for programs: add."""


@token.command("add", epilog=examples("web token add ci --role manage", "web token add grafana --write"))
@click.argument("name")
@role_option
@write_option
@click.pass_context
def add_token(ctx: click.Context, name: str, role: str, write: bool) -> None:
    """Make an API token and print it, this once; the configuration gets its hash only."""
    _check_name(name)
    made = f"tm_{secrets.token_urlsafe(32)}"
    _put(ctx, {"api_tokens": {name: f"{role}:sha256:{hashlib.sha256(made.encode()).hexdigest()}"}}, write=write)
    click.echo(f"token of {name}, shown this once (send it as `Authorization: Bearer …`):", err=True)
    click.echo(made)


@click.command(cls=Command, epilog=examples("web openapi", "web openapi > openapi.json"))
@click.pass_context
def openapi(ctx: click.Context) -> None:
    """Print the API's document, OpenAPI 3.1, for programs that make clients of it."""
    from webui import create_app  # the core runs without Flask
    from webui.api.spec import document_of

    click.echo(json.dumps(document_of(create_app(manager(ctx, discover=False, new=True))).get(), indent=2))


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[^\s:,\"'\\=]{1,100}", name) or not name.isprintable():
        fail(f"{name!r} is no name: 1 to 100 characters without blanks, colons, commas, quotes, = and \\")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _put(ctx: click.Context, sections: dict[str, dict[str, str]], *, write: bool) -> None:
    """Print what taskmanager.toml is to say, or write it there."""
    path = Path(os.environ.get("TASKMANAGER_CONFIG", "taskmanager.toml"))
    lines = "\n\n".join(f"[{s}]\n{_line(*entry)}" for s, new in sections.items() for entry in new.items())
    if not write:
        click.echo(f"put this into {path.name}:\n", err=True)
        click.echo(f"{lines}\n")
        return
    old = path.read_text("utf-8") if path.exists() else ""
    new = old
    for section, entries in sections.items():
        for name, value in entries.items():
            new = _with(new, section, name, value)
    if not _says(new, old, sections):
        fail(f"{path} is not written in a way that can be added to: put this there by hand\n\n{lines}")
    path.write_text(new, "utf-8")
    click.echo(f"{path} is written: {', '.join(sections)}", err=True)
    for section in sections:
        origin = settings(ctx).origin(section)
        if origin != path.name:
            click.echo(f"note: {section} counts as {origin} says, not as {path.name} does", err=True)


def _line(name: str, value: str) -> str:
    return f"{json.dumps(name, ensure_ascii=False)} = {json.dumps(value)}"


def _with(text: str, section: str, name: str, value: str) -> str:
    """The file's text with one entry more, or another value of it; all else stays as it is, comments too."""
    header = re.search(rf"^\[{section}\][ \t]*(#.*)?$", text, re.MULTILINE)
    if header is None:
        before = "" if not text else text.rstrip("\n") + "\n\n"
        return f"{before}[{section}]\n{_line(name, value)}\n"
    end = re.search(r"^\[", text[header.end() :], re.MULTILINE)
    stop = header.end() + end.start() if end else len(text)
    key = re.escape(name)
    body = re.sub(rf"^[ \t]*(\"{key}\"|'{key}'|{key})[ \t]*=.*\n?", "", text[header.end() : stop], flags=re.MULTILINE)
    return f"{text[: header.end()]}\n{_line(name, value)}{body}{text[stop:]}"


def _says(new: str, old: str, sections: dict[str, dict[str, str]]) -> bool:
    """Whether the new text says what the old one did and the new entries, and nothing else."""
    try:
        expected: dict[str, Any] = tomllib.loads(old)
        found = tomllib.loads(new)
    except tomllib.TOMLDecodeError:
        return False
    for section, entries in sections.items():
        was = expected.get(section, {})
        if not isinstance(was, dict):
            return False
        expected[section] = was | entries
    return found == expected
