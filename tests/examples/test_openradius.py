"""The example of many workspaces: their jobs never cross, and its addresses are as the README tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from examples.openradius.api import Workspaces, workspace_app
from examples.openradius.jobs import clean_up_data
from examples.openradius.workspaces import WorkspaceJobs
from tests.conftest import drop_database, new_database, server_of
from tests.examples.readmes import ROOT, command, curls, send, started, until

pytestmark = [pytest.mark.one_server, pytest.mark.timeout(240)]

README = ROOT / "examples" / "openradius" / "README.md"


@pytest.fixture
def databases(engine_name: str, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """An empty database for each workspace; their URLs."""
    made: list[str] = []

    def make(workspace: str) -> str:
        if engine_name == "sqlite":
            return f"sqlite:///{tmp_path}/openradius_{workspace}.db"
        made.append(new_database(server_of(engine_name)))
        return made[-1]

    yield make
    for url in made:
        drop_database(server_of(engine_name), url)


@pytest.fixture
def spaces(databases: Callable[[str], str]) -> Iterator[dict[str, WorkspaceJobs]]:
    made = {one: WorkspaceJobs(one, databases(one), f"tm_{one}") for one in ("1", "2")}
    yield made
    for one in made.values():
        one.tm.close()


@pytest.fixture
def api(spaces: dict[str, WorkspaceJobs]) -> Callable[..., Any]:
    """Sends a request to a workspace, with the token of one."""
    client = Client(Workspaces({name: workspace_app(jobs) for name, jobs in spaces.items()}))

    def ask(method: str, path: str, workspace: str = "1", token: str | None = None, **more: str) -> Any:
        headers = {"X-Workspace": workspace, "Authorization": f"Bearer {token or f'tm_{workspace}'}"} | more
        return client.open(path, method=method, headers=headers)

    return ask


def test_jobs_of_a_workspace_run_there_and_nowhere_else(
    spaces: dict[str, WorkspaceJobs], api: Callable[..., Any]
) -> None:
    one, two = spaces["1"].tm, spaces["2"].tm
    job_id = api("POST", "/api/jobs/cleanup").json["jobId"]
    assert one.get(job_id).queue == "workspace_1"
    assert two.testing.drain() == 0
    assert one.testing.drain(["workspace_2", "default"]) == 0, "its queue is its own"
    assert one.testing.drain() == 1
    assert one.get(job_id).result == "workspace 1 is clean"
    other = spaces["2"].enqueue(clean_up_data)
    assert two.testing.drain() == 1
    assert two.get(other).result == "workspace 2 is clean"
    assert api("GET", "/api/jobs/Data cleanup/history", "2").json[0]["resultMessage"] == "workspace 2 is clean"


def test_credentials_of_one_workspace_are_of_no_use_in_another(api: Callable[..., Any]) -> None:
    assert api("POST", "/api/jobs/cleanup", "2", "tm_1").status_code == 401
    assert api("GET", "/api/v1/jobs", "2", "tm_1").status_code == 401
    assert api("GET", "/w/2/hangfire/", "1", "tm_1").status_code == 401
    assert api("GET", "/w/1/hangfire/", "2", "tm_1").status_code == 200
    nowhere = api("GET", "/api/v1/jobs", "3")
    assert (nowhere.status_code, nowhere.json["code"]) == (404, "Workspaces.NotFound")


def test_a_report_is_made_at_once_or_later(spaces: dict[str, WorkspaceJobs], api: Callable[..., Any]) -> None:
    tm = spaces["1"].tm
    for query, state in (("", "Enqueued"), ("?delayMinutes=0", "Enqueued"), ("?delayMinutes=30", "Scheduled")):
        record = tm.get(api("POST", f"/api/jobs/reports/7{query}").json["jobId"])
        assert (record.state, record.queue) == (state, "workspace_1")
    assert tm.testing.drain() == 2
    tm.testing.move_time(30 * 60 + 1)
    assert tm.testing.drain() == 1
    refused = api("POST", "/api/jobs/reports/7?delayMinutes=soon")
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "delayMinutes")
    refused = api("POST", "/api/jobs/reports/7?delayMinute=30")
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "delayMinute")


def test_a_request_that_is_sent_twice_under_one_key_is_done_once(api: Callable[..., Any]) -> None:
    key = {"Idempotency-Key": "k1"}
    for path in ("cleanup", "reports/7?delayMinutes=30", "sync/now"):
        first, again = (api("POST", f"/api/jobs/{path}", **key).json for _ in range(2))
        assert first == again, path
        assert api("POST", f"/api/jobs/{path}").json["jobId"] != first["jobId"]
    reused = api("POST", "/api/jobs/reports/7?delayMinutes=40", **key)
    assert (reused.status_code, reused.json["code"]) == (422, "Idempotency.KeyReused")


def test_the_sync_is_set_up_triggered_and_removed(spaces: dict[str, WorkspaceJobs], api: Callable[..., Any]) -> None:
    tm = spaces["1"].tm
    assert api("POST", "/api/jobs/sync/recurring").status_code == 200
    assert [(r.cron, r.queue) for r in tm.recurring_list()] == [("0 * * * *", "workspace_1")]
    assert spaces["2"].tm.recurring_list() == []
    assert tm.get(api("POST", "/api/jobs/sync/now").json["jobId"]).queue == "workspace_1"
    tm.testing.move_time(3601)
    assert tm.testing.drain() == 2
    assert api("DELETE", "/api/jobs/recurring/external-sync").status_code == 204
    assert tm.recurring_list() == []


def test_it_runs_and_answers_as_the_readme_tells(tmp_path: Path) -> None:
    python, _, module = command(README).split()
    assert (python, module) == ("python", "examples.openradius")
    url = f"sqlite:///{tmp_path}/openradius_{{workspace}}.db"
    with started([module], {"OPENRADIUS_PORT": "0", "OPENRADIUS_DATABASE_URL": url}) as process:
        found = process.said(r"workspace 1: (http://\S+)/w/1/hangfire \S+ \S+ token (\S+)")
        variables = {"API": found[1], "TOKEN": found[2]}
        answers = [send(arguments, variables) for arguments in curls(README)]
        assert [status for status, _ in answers] == [200, 200, 200, 200, 204]
        headers = ["-H", "X-Workspace: 1", "-H", "Authorization: Bearer $TOKEN"]
        address = f"$API/api/v1/jobs/{answers[0][1]['jobId']}"
        until(lambda: send([address, *headers], variables)[1]["result"], "workspace 1 is clean")
