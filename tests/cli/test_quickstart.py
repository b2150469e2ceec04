"""The quickstart does what it says, typed line by line by a newcomer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent.parent / "docs" / "quickstart.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("TASKMANAGER_")}
ENVIRONMENT["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{ENVIRONMENT['PATH']}"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def block(words: str, page: Path = PAGE) -> str:
    """The one fenced block of a page that has these words in it."""
    (found,) = [m[2] for m in FENCE.finditer(page.read_text("utf-8")) if words in m[2]]
    return found


def typed(code: str, place: Path) -> str:
    """What a shell shows of these lines; the first command that fails ends them."""
    return subprocess.run(
        ["sh", "-ec", code], cwd=place, env=ENVIRONMENT, capture_output=True, text=True, check=True, timeout=120
    ).stdout  # fmt: skip


def test_jobs_of_ones_own_run_as_the_quickstart_says(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "jobs.py").write_text(block("# shop/jobs.py"), encoding="utf-8")
    first, other = block("export TASKMANAGER_DISCOVER"), block("recurring list")
    code = first.replace("taskmanager worker", "exec taskmanager worker")
    running = subprocess.Popen(["sh", "-ec", code], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    try:
        exported = first.splitlines()[0] + "\n"
        deadline = time.monotonic() + 90
        while not (tmp_path / "taskmanager.db").exists():
            time.sleep(0.1)
        while "shop.jobs:send_mail" not in typed(exported + other.splitlines()[0], tmp_path):
            assert time.monotonic() < deadline
        shown = typed(exported + other, tmp_path)
        assert '"12 orders"' in shown
        assert "Europe/Prague" in shown
    finally:
        running.send_signal(signal.SIGINT)
        output, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert "job 1 enqueued" in output
    assert "to a@b.c hi" in output


def test_what_the_quickstart_asks_of_the_samples_is_answered(tmp_path: Path) -> None:
    lines = block("--discover taskmanager.samples").splitlines()
    assert lines.pop(0) == ". .venv/bin/activate"
    typed("taskmanager db upgrade", tmp_path)
    shown = typed("\n".join(line.replace("--wait", "") for line in lines), tmp_path)
    assert "Say hello" in shown
    assert "Job started: 1" in shown


def test_the_job_of_the_readme_runs_on_the_worker_of_the_readme(tmp_path: Path) -> None:
    readme, url = PAGE.parent.parent / "README.md", "mysql://user:password@localhost/shop"

    def told(words: str) -> str:
        return block(words, readme).replace(url, f"sqlite:///{tmp_path}/shop.db")

    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "jobs.py").write_text(told("# shop/jobs.py"), encoding="utf-8")
    (tmp_path / "program.py").write_text(told("# anywhere in your program"), encoding="utf-8")
    exported, upgrade, worker = told("taskmanager worker").splitlines()
    typed(f"{exported}\n{upgrade}\n{sys.executable} program.py", tmp_path)
    command = ["sh", "-ec", f"{exported}\nexec {worker}"]
    running = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    try:
        done = typed(f"{exported}\ntaskmanager jobs wait 1 --timeout 90\ntaskmanager recurring list", tmp_path)
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(timeout=60)
    assert running.returncode == 0
    assert done.splitlines()[0] == "null"
    assert "nightly" in done
    assert "Asia/Jerusalem" in done
