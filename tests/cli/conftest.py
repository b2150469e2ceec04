"""A working directory with a module of jobs and a database, and the command line in it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from taskmanager import app
from taskmanager.cli import main

JOBS = '''
from taskmanager import JobContext, job

@job(display_name="Adder")
def add(a: int, b: int = 1) -> int:
    """Adds."""
    return a + b

@job("0 2 * * *", display_name="Nightly", retries=0)
def nightly() -> None:
    raise ValueError("night")

def plain(ctx: JobContext, n: int) -> int:
    return n
'''

Cli = Callable[..., Result]


def run(*arguments: str) -> Result:
    """One command, in this process."""
    return CliRunner().invoke(main, list(arguments))


def lines(result: Result) -> Any:
    """What a command printed as JSON."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a module `clijobs`; no settings but it."""
    (tmp_path / "clijobs.py").write_text(JOBS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "_latest", None)
    for name in [n for n in os.environ if n.startswith("TASKMANAGER_") and not n.startswith("TASKMANAGER_TEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TASKMANAGER_DISCOVER", "clijobs")
    yield tmp_path
    sys.modules.pop("clijobs", None)


@pytest.fixture
def cli(place: Path) -> Cli:
    """Commands on an SQLite database with tables."""
    assert run("db", "upgrade").exit_code == 0
    return run


@pytest.fixture
def cli_on(place: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Commands on each product's empty tables."""
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", url)
    return run


def on_terminal(*arguments: str, typed: str = "") -> tuple[int, str]:
    """A command in front of a terminal: exit code, and all that the terminal showed."""
    own, its = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    environment |= {"TERM": "xterm", "COLUMNS": "120"}
    command = [sys.executable, "-m", "taskmanager", *arguments]
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True)
    os.close(its)
    os.write(own, typed.encode())
    seen = b""
    try:
        while chunk := os.read(own, 65536):
            seen += chunk
    except OSError:  # the other end is closed
        pass
    finally:
        code = process.wait(60)
        os.close(own)
    return code, seen.decode()
