"""The Diquis example: tenants from Pending to Active or Failed, told on a page or by mail, with one command."""

from __future__ import annotations

import ast
import email
import http.cookiejar
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from examples.diquis.application import NotPossible, TenantService
from examples.diquis.domain import ProvisioningStatus
from examples.diquis.infrastructure import SqliteTenants, TaskManagerJobs
from taskmanager import TaskManager

pytestmark = pytest.mark.one_server

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "examples" / "diquis"
README = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def diquis(tm: TaskManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TenantService:
    """The application on a TaskManager that knows its job."""
    monkeypatch.setenv("DIQUIS_DATA", str(tmp_path))
    tm.settings = tm.settings.with_changes(discover=["examples.diquis.infrastructure"])
    assert tm.discover().errors == {}
    return TenantService(SqliteTenants(tmp_path / "diquis.db"), TaskManagerJobs(tm))


def told(tm: TaskManager, user: str = "eva") -> list[tuple[str, str]]:
    return [(one.type, one.message) for one in tm.notifications.after(user)]


def mails(folder: Path) -> list[tuple[str, str]]:
    found = [email.message_from_bytes(file.read_bytes()) for file in (folder / "outbox").glob("*.eml")]
    return [(str(mail["To"]), str(mail["Subject"])) for mail in found]


def statuses(diquis: TenantService) -> list[tuple[str, int]]:
    return [(tenant.name, tenant.status) for tenant in diquis.tenants.all()]


def test_the_numbers_of_the_statuses_are_kept() -> None:
    assert {one.name: one.value for one in ProvisioningStatus} == {
        "PENDING": 0, "PROVISIONING": 1, "ACTIVE": 2, "FAILED": 3,
    }  # fmt: skip


def test_domain_and_application_know_no_job_library() -> None:
    for name in ("domain.py", "application.py"):
        tree = ast.parse((FOLDER / name).read_text("utf-8"))
        modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        modules |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
        assert not {m for m in modules if m.split(".")[0] in ("taskmanager", "webui", "flask", "sqlite3")}, name


def test_an_admin_who_asks_is_told_on_his_page(tm: TaskManager, diquis: TenantService, tmp_path: Path) -> None:
    tenant, job = diquis.ask_for("Praha FC", admin_user_id="eva")
    assert statuses(diquis) == [("Praha FC", 0)]
    assert tm.testing.drain(raise_errors=True) == 1
    assert tm.get(int(job)).state == "Succeeded"
    assert statuses(diquis) == [("Praha FC", 2)]
    assert told(tm) == [("Success", "Tenant Praha FC is ready.")]
    assert (tmp_path / "tenants" / f"{tenant.slug}.db").is_file()
    assert mails(tmp_path) == []


def test_who_signs_up_gets_a_mail(tm: TaskManager, diquis: TenantService, tmp_path: Path) -> None:
    diquis.ask_for("Brno FC", email="jan@example.com")
    tm.testing.drain(raise_errors=True)
    assert statuses(diquis) == [("Brno FC", 2)]
    assert mails(tmp_path) == [("jan@example.com", "Brno FC is ready")]
    assert told(tm) == []


def test_a_failure_is_told_seen_and_made_good_by_a_requeue(
    tm: TaskManager, diquis: TenantService, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "tenants" / "acme.db"
    in_the_way.mkdir(parents=True)
    _, job = diquis.ask_for("acme", admin_user_id="eva")
    tm.testing.drain()
    assert statuses(diquis) == [("acme", 3)]
    ((kind, message),) = told(tm)
    assert kind == "Error"
    assert message.startswith("Provisioning of acme failed: ")
    assert tm.get(int(job)).state == "Scheduled", "the job raised, and is tried again"
    tm.testing.move_time(60)
    tm.testing.drain()
    assert tm.get(int(job)).state == "Failed"
    assert [kind for kind, _ in told(tm)] == ["Error", "Error"]
    assert [file.name for file in (tmp_path / "tenants").iterdir()] == ["acme.db"], "no half of a database is left"
    in_the_way.rmdir()
    tm.requeue(int(job))
    tm.testing.drain(raise_errors=True)
    assert statuses(diquis) == [("acme", 2)]
    assert told(tm)[-1] == ("Success", "Tenant acme is ready.")


def test_a_tenant_that_is_gone_ends_the_job_in_peace(tm: TaskManager, diquis: TenantService, tmp_path: Path) -> None:
    _, job = diquis.ask_for("gone", admin_user_id="eva")
    (tmp_path / "diquis.db").unlink()
    tm.testing.drain(raise_errors=True)
    assert tm.get(int(job)).state == "Succeeded"
    assert told(tm) == []


@pytest.mark.parametrize(
    ("name", "mail", "why"),
    [
        ("x", "a@b.c", "2 to 40"),
        ("../etc", "a@b.c", "2 to 40"),
        ("fine", "nobody", "address"),
        ("twice", "a@b.c", "already"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(diquis: TenantService, name: str, mail: str, why: str) -> None:
    diquis.ask_for("twice", email="a@b.c")
    with pytest.raises(NotPossible, match=why):
        diquis.ask_for(name, email=mail)
    assert len(statuses(diquis)) == 1


class Client:
    """A browser without a window."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def ask(self, path: str, form: Any = None, **headers: str) -> tuple[int, str]:
        """Status and text."""
        is_json = isinstance(form, dict) and headers.get("Content-Type") == "application/json"
        data = None if form is None else (json.dumps(form) if is_json else urllib.parse.urlencode(form)).encode()
        try:
            with self._opener.open(urllib.request.Request(self.home + path, data, headers), timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@pytest.mark.skipif(sys.platform == "win32", reason="ends it by a signal")
def test_one_command_runs_all_of_it(tmp_path: Path) -> None:
    command = next(line for line in README.splitlines() if line.startswith("python -m examples.diquis"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TASKMANAGER_")} | {"PYTHONPATH": str(ROOT)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *shlex.split(command)[1:], "--port", "0"], cwd=tmp_path, env=environment,
            stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        said = process.stdout.readline() + process.stdout.readline()
        found = re.search(r"Diquis is at (\S+)/ .*eva with (\S+), as root .* with (\S+)", said, re.DOTALL)
        assert found, (tmp_path / "log").read_text()
        _walk(Client(found[1]), found[2], lambda: (tmp_path / "log").read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "")


def _walk(client: Client, password: str, log: Callable[[], str]) -> None:
    assert client.ask("/api/tenants")[0] == 401
    assert client.ask("/sign-in", {"user": "eva", "password": "guess"})[0] == 401
    assert client.ask("/sign-in", {"user": "eva", "password": password})[0] == 200
    assert client.ask("/hangfire/")[0] == 401, "the dashboard is for SuperAdmin"
    asked = client.ask("/api/tenants", {"name": "Praha FC"}, **{"Content-Type": "application/json"})
    assert asked[0] == 202
    ends = time.monotonic() + 60
    while '"status":2' not in (shown := client.ask("/api/tenants")[1]).replace(" ", ""):
        assert time.monotonic() < ends, shown + log()
        time.sleep(0.1)
    token = json.loads(client.ask("/api/token")[1])["token"]
    while "Tenant Praha FC is ready." not in (
        shown := client.ask(f"/hubs/notifications?after=0&access_token={token}")[1]
    ):
        assert time.monotonic() < ends, shown + log()
        time.sleep(0.1)
