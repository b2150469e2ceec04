"""The example with an administration: its job by a clock of ours, its addresses as the README tells, permissions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from examples.netrock import sign_in
from examples.netrock.refresh_tokens import Clock, RefreshTokens
from taskmanager import TaskManager, config
from tests.examples.readmes import ROOT, command, curls, send, started
from webui import create_app

pytestmark = pytest.mark.timeout(240)

README = ROOT / "examples" / "netrock" / "README.md"
ID = "expired-refresh-token-cleanup"
ADMIN = "/api/v1/admin/jobs"


class Stopped(Clock):
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def netrock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskManager]:
    monkeypatch.setenv("TASKMANAGER_CONFIG", str(README.parent / "taskmanager.toml"))
    tm = TaskManager(config.load({"database_url": f"sqlite:///{tmp_path}/netrock.db", "doorbell": False}))
    tm.database.create_tables()
    assert tm.discover().errors == {}
    tm.register_recurring()
    yield tm
    tm.close()


def client(tm: TaskManager, user: str) -> Any:
    """A program with a user's token."""
    made = create_app(tm).test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {sign_in.token_for(user)}"
    return made


def test_expired_tokens_are_deleted_every_hour_by_the_clock_that_is_injected(netrock: TaskManager) -> None:
    clock = Stopped()
    netrock.provide(Clock, lambda: clock)
    tokens = RefreshTokens(netrock.database.engine, clock)
    for days in (1, 2, 30):
        tokens.issue("ann", timedelta(days=days))
    netrock.testing.move_time(timedelta(hours=1, seconds=1))
    assert netrock.testing.drain() == 1
    assert tokens.count() == 3, "none has expired by the application's clock"
    clock.at += timedelta(days=2)
    netrock.testing.move_time(timedelta(hours=1))
    assert netrock.testing.drain() == 1
    assert tokens.count() == 1
    (run, _) = client(netrock, "eve").get(f"{ADMIN}/{ID}").json["executionHistory"]
    assert run["status"] == "Succeeded"
    assert client(netrock, "eve").get(f"/api/jobs/{ID}/history").json[0]["resultMessage"].startswith("2 expired")


def test_paused_it_does_not_fire_and_resumed_it_does_by_its_own_cron(netrock: TaskManager) -> None:
    ann = client(netrock, "ann")
    assert ann.post(f"{ADMIN}/{ID}/pause").status_code == 204
    netrock.testing.move_time(timedelta(hours=3))
    assert netrock.testing.drain() == 0
    assert ann.post(f"{ADMIN}/{ID}/resume").status_code == 204
    assert ann.get(f"{ADMIN}/{ID}").json["cron"] == "0 * * * *"
    netrock.testing.move_time(timedelta(hours=1, seconds=1))
    assert netrock.testing.drain() == 1


def test_restored_it_runs_when_the_api_removed_it_and_is_paused_when_the_dashboard_did(netrock: TaskManager) -> None:
    ann = client(netrock, "ann")
    ann.post(f"{ADMIN}/{ID}/pause")
    assert ann.delete(f"{ADMIN}/{ID}").status_code == 204
    assert ann.get(ADMIN).json == []
    ann.post(f"{ADMIN}/restore")
    assert [job["isPaused"] for job in ann.get(ADMIN).json] == [False]
    ann.post(f"{ADMIN}/{ID}/pause")
    with_cookie = ann.post("/hangfire/recurring/remove", data={"jobs[]": ID})
    assert with_cookie.status_code == 204
    ann.post(f"{ADMIN}/restore")
    assert [job["isPaused"] for job in ann.get(ADMIN).json] == [True]


def test_permissions_of_the_token_count(netrock: TaskManager) -> None:
    eve, bob = client(netrock, "eve"), client(netrock, "bob")
    assert eve.get(ADMIN).status_code == 200
    for refused in (eve.post(f"{ADMIN}/{ID}/trigger"), eve.post(f"{ADMIN}/restore"), bob.get(ADMIN)):
        assert (refused.status_code, refused.json["code"]) == (403, "Access.Forbidden")
    assert client(netrock, "ann").post(f"{ADMIN}/nobody/trigger").json["code"] == "Jobs.NotFound"


def test_it_runs_and_answers_as_the_readme_tells(tmp_path: Path) -> None:
    typed = re.fullmatch(r"TASKMANAGER_CONFIG=(\S+) taskmanager (up)", command(README))
    assert typed is not None
    environment = {"TASKMANAGER_CONFIG": typed[1], "TASKMANAGER_DATABASE_URL": f"sqlite:///{tmp_path}/netrock.db"}
    with started(["taskmanager", typed[2], "--port", "0"], environment) as process:
        url = process.said(r"taskmanager is at (http://\S+)/hangfire")[1]
        variables = {"API": url, "TOKEN": sign_in.token_for("ann")}
        answers = [send(arguments, variables) for arguments in curls(README)]
    assert [status for status, _ in answers] == [200, 200, 200, 204, 204, 204, 200]
    assert [job["id"] for job in answers[0][1]] == [ID]
    assert [job["id"] for job in answers[-1][1]["restored"]] == [ID]
