"""The task service, run and used as its README tells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.examples.readmes import ROOT, command, curls, send, started, until

pytestmark = pytest.mark.timeout(240)

README = ROOT / "examples" / "task_service" / "README.md"


def test_it_runs_and_answers_as_the_readme_tells(tmp_path: Path) -> None:
    typed = re.fullmatch(r"TASKMANAGER_CONFIG=(\S+) taskmanager (up)", command(README))
    assert typed is not None
    environment = {"TASKMANAGER_CONFIG": typed[1], "TASKMANAGER_DATABASE_URL": f"sqlite:///{tmp_path}/service.db"}
    token = re.search(r"TOKEN=(\S+)", README.read_text("utf-8"))
    assert token is not None
    with started(["taskmanager", typed[2], "--port", "0"], environment) as process:
        url = process.said(r"taskmanager is at (http://\S+)/hangfire")[1]
        variables = {"API": url, "TOKEN": token[1]}
        answers = [send(arguments, variables) for arguments in curls(README)]
        assert [status for status, _ in answers] == [201, 201, 200, 204]

        def job(job_id: int) -> Any:
            return send(["-H", "Authorization: Bearer $TOKEN", f"$API/api/v1/jobs/{job_id}"], variables)[1]

        until(lambda: job(answers[0][1]["jobId"])["state"], "Succeeded")
        assert job(answers[0][1]["jobId"])["result"] == "sent 'hello' to a@b.c"
        until(lambda: job(answers[1][1]["jobId"])["state"], "Succeeded")
        assert [s["state"] for s in job(answers[1][1]["jobId"])["history"]][:2] == ["Scheduled", "Enqueued"]
        assert answers[2][1]["jobId"] == "nightly-clean-up"
        assert send(["$API/api/jobs", "-H", "Authorization: Bearer tm_wrong"], variables)[0] == 401


def test_the_dashboard_takes_the_password_of_the_readme() -> None:
    import tomllib

    from werkzeug.security import check_password_hash

    settings = tomllib.loads((README.parent / "taskmanager.toml").read_text("utf-8"))
    password = re.search(r"password `(\S+)`", README.read_text("utf-8"))
    assert password is not None
    assert check_password_hash(settings["web_users"]["admin"], password[1])
