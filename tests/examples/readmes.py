"""What the READMEs of examples tell to type, done: the process they start, and their requests by curl."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
_FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: A process on a busy machine may take so long to start, or to end.
_PATIENCE = 60.0


@dataclass
class Process:
    """A process that was started, and what it has printed so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def said(self, pattern: str) -> re.Match[str]:
        """Wait until it has printed this."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            found = re.search(pattern, "\n".join(self.lines))
            if found is not None:
                return found
            assert self.process.poll() is None, "\n".join(self.lines)
            time.sleep(0.05)
        raise AssertionError(f"{pattern!r} was not printed:\n" + "\n".join(self.lines))


@contextmanager
def started(arguments: list[str], environment: Mapping[str, str]) -> Iterator[Process]:
    """A Python module as a process of its own, ended by Ctrl-C, in order."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TASKMANAGER_")}
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=kept | {"PYTHONUNBUFFERED": "1"} | dict(environment),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    made = Process(process)
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: made.lines.extend(line.rstrip() for line in process.stdout), daemon=True)
    reader.start()
    try:
        yield made
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5.0)
        process.stdout.close()
    assert process.returncode == 0, "\n".join(made.lines)


def command(readme: Path) -> str:
    """The first command of a README: the one that runs the example."""
    return _FENCE.findall(readme.read_text("utf-8"))[0].strip()


def curls(readme: Path) -> list[list[str]]:
    """The requests of a README, as arguments of curl."""
    text = "\n".join(_FENCE.findall(readme.read_text("utf-8"))).replace("\\\n", " ")
    return [shlex.split(line)[1:] for line in text.splitlines() if line.startswith("curl ")]


def send(arguments: list[str], variables: Mapping[str, str]) -> tuple[int, Any]:
    """What curl would get: status and JSON."""
    method, data, headers, url = None, None, {}, ""
    rest = iter(arguments)
    for one in rest:
        if one == "-X":
            method = next(rest)
        elif one == "-d":
            data = next(rest).encode()
        elif one == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = _filled(value, variables)
        else:
            url = _filled(one, variables)
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def until(look: Callable[[], Any], wanted: Any) -> None:
    """Wait until a look shows what is wanted."""
    deadline = time.monotonic() + _PATIENCE
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, f"{seen!r} is not {wanted!r}"
        time.sleep(0.1)


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda m: variables[m[1]], text)
