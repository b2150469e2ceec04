"""The first pages, through Flask's test client, on a real SQLite database."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.security import generate_password_hash

from taskmanager import TaskManager
from webui import create_app, serve

SIGNED = {"Authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}
USERS = {"ann": generate_password_hash("secret", method="pbkdf2:sha256:1000")}


def hurt(text: str) -> None:
    raise ValueError(f"hurt by {text}")


@pytest.fixture
def tm(tmp_path: Path) -> Iterator[TaskManager]:
    made = TaskManager(database_url=f"sqlite:///{tmp_path}/web.db")
    made.database.create_tables()
    yield made
    made.close()


@pytest.fixture
def client(tm: TaskManager) -> Any:
    return create_app(tm, users=USERS).test_client()


def failed_job(tm: TaskManager, text: str) -> int:
    job_id = tm.enqueue(hurt, text)
    tm.client.fail(job_id, ValueError(), f"hurt by {text}")
    return job_id


@pytest.mark.parametrize(
    "path", ["/", "/hangfire/", "/hangfire/jobs/failed", "/hangfire/recurring", "/static/taskmanager.css"]
)
def test_nothing_is_shown_without_signing_in(client: Any, path: str) -> None:
    assert client.get(path).status_code == 401
    wrong = {"Authorization": "Basic " + base64.b64encode(b"ann:guess").decode()}
    assert client.get(path, headers=wrong).status_code == 401


def test_closed_by_default_and_says_how_to_open(tm: TaskManager) -> None:
    answer = create_app(tm).test_client().get("/hangfire/")
    assert answer.status_code == 401
    assert "web_users" in answer.text


@pytest.mark.parametrize("path", ["", "jobs/enqueued", "jobs/failed", "jobs/awaiting", "recurring", "servers"])
def test_every_page_answers_with_strict_headers(client: Any, tm: TaskManager, path: str) -> None:
    failed_job(tm, "x")
    tm.recurring("r", hurt, args=("x",), cron="0 2 * * *")
    answer = client.get(f"/hangfire/{path}", headers=SIGNED)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text
    assert " style=" not in answer.text


def test_a_failed_job_shows_its_stack_and_can_be_requeued(client: Any, tm: TaskManager) -> None:
    job_id = failed_job(tm, "<script>alert(1)</script>")
    page = client.get(f"/hangfire/jobs/details/{job_id}", headers=SIGNED)
    assert "hurt by &lt;script&gt;" in page.text
    assert "<script>alert" not in page.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    where = f"/hangfire/jobs/actions/requeue/{job_id}"
    assert client.post(where, headers=SIGNED).status_code == 400, "no token, no change"
    assert tm.get(job_id).state == "Failed"
    assert client.post(where, headers=SIGNED, data={"csrf_token": token[1]}).status_code == 303
    assert tm.get(job_id).state == "Enqueued"


def test_lists_go_on_to_older_jobs(client: Any, tm: TaskManager) -> None:
    ids = tm.enqueue_many(hurt, [(f"n{i}",) for i in range(25)])
    first = client.get("/hangfire/jobs/enqueued", headers=SIGNED).text
    older = re.search(r'href="([^"]+before=\d+)"', first)
    assert older is not None
    assert f"#{ids[0]}<" in client.get(older[1], headers=SIGNED).text


@pytest.mark.parametrize("path", ["jobs/details/999", "jobs/nonsense", "nowhere", "jobs/details/-1", "jobs/details/x"])
def test_what_is_not_there_is_a_clear_404(client: Any, path: str) -> None:
    answer = client.get(f"/hangfire/{path}", headers=SIGNED)
    assert answer.status_code == 404
    assert "nothing at this address" in answer.text


def test_a_foreign_or_broken_job_does_not_break_a_page(client: Any, tm: TaskManager) -> None:
    job_id = tm.enqueue(hurt, "x")
    table = tm.database.tables.job
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().values(InvocationData="{broken"))
    assert "unreadable" in client.get("/hangfire/jobs/enqueued", headers=SIGNED).text
    assert client.get(f"/hangfire/jobs/details/{job_id}", headers=SIGNED).status_code == 200


def test_the_server_takes_a_free_port_and_closes(tm: TaskManager) -> None:
    page = serve(tm, host="127.0.0.1", port=0, users=USERS)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/hangfire", page.url)
    page.close()
