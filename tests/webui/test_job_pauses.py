"""Types and tags that are paused, over the API and on the pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import audit
from tests.webui.apiclient import Program, with_three_jobs
from tests.webui.conftest import ROLES, USERS, Browser
from tests.webui.sample import send_invoice
from webui import create_app

pytestmark = pytest.mark.each_engine


@pytest.fixture
def program(tm: TaskManager) -> Program:
    return with_three_jobs(tm)


def test_types_and_tags_are_paused_told_and_resumed_over_the_api(program: Program, hands: Callable[..., Any]) -> None:
    program.post("/api/v1/pauses", {"type": "send mail", "note": "the server is down"}, status=204)
    program.post("/api/v1/pauses", {"tag": "Spring", "until": "2130-01-01T00:00:00Z"}, status=204)
    job_id = program.tm.enqueue("Send mail", "a@b.c")
    hands(queues=("mail", "default")).work()
    tag, kind = program.get("/api/v1/pauses")
    assert (tag["tag"], tag["type"], tag["held"], tag["until"]) == ("spring", None, 0, "2130-01-01T00:00:00Z")
    assert kind["type"].endswith(":send_mail")
    assert (kind["note"], kind["held"], kind["isCapped"]) == ("the server is down", 1, False)
    assert [(q["waiting"], q["held"]) for q in program.get("/api/v1/queues") if q["held"]] == [(0, 1)]
    program.post("/api/v1/pauses/resume", {"type": "Send mail"}, status=204)
    program.post("/api/v1/pauses/resume", {"tag": "SPRING"}, status=204)
    assert program.get("/api/v1/pauses") == []
    hands(queues=("mail", "default")).work()
    assert program.tm.get(job_id).state == "Succeeded"
    kept = [(r.action, r.kind, r.outcome) for r in program.tm.database.read(lambda tx: audit.page(tx, ALL, limit=9)[0])]
    assert kept.count(("types.pause", "type", "done")) == 2
    assert kept.count(("types.pause", "tag", "done")) == 2


ALL = audit.Sought()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "type"),
        ({"type": "Send mail", "tag": "x"}, "tag"),
        ({"type": "nobody_knows"}, "type"),
        ({"tag": "a,b"}, "tag"),
        ({"tag": "x", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"tag": "x", "note": "y" * 501}, "note"),
    ],
)
def test_what_cannot_be_paused_is_refused_with_its_field(program: Program, body: dict[str, Any], field: str) -> None:
    assert program.refused("POST", "/api/v1/pauses", body) == (422, "Request.Invalid", [field])
    assert program.get("/api/v1/pauses") == []


def test_what_is_not_paused_is_not_resumed(program: Program) -> None:
    assert program.refused("POST", "/api/v1/pauses/resume", {"tag": "x"})[:2] == (404, "Pauses.NotFound")


def held_job(tm: TaskManager, hands: Callable[..., Any]) -> int:
    tm.job(tags=["Spring"])(send_invoice)
    job_id = tm.enqueue(send_invoice, 1, "a@b.c", queue="mail")
    tm.pause_jobs(job=send_invoice, by="ann", note="stock <b>taking</b>")
    hands(queues=("mail",)).work()
    return job_id


def test_the_pages_tell_what_is_held_and_why(
    tm: TaskManager, ann: Browser, eve: Browser, hands: Callable[..., Any], statements: Callable[[], list[str]]
) -> None:
    job_id = held_job(tm, hands)
    for queue in ("a", "b", "c"):
        tm.enqueue(len, "x", queue=queue)
    for path, told in (
        ("jobs/enqueued", ("Paused types and tags", "tests.webui.sample:send_invoice", "Held")),
        ("jobs/enqueued/mail", ("paused by type or tag", "/hangfire/jobs/enqueued/held/mail")),
        ("jobs/enqueued/held/mail", (f"#{job_id}", "held", "Held in queue mail")),
        (f"jobs/details/{job_id}", ("Held: jobs of type tests.webui.sample:send_invoice are paused", "by ann")),
    ):
        ann.get("/hangfire/health")
        statements()
        page = ann.get(f"/hangfire/{path}").text
        assert len(ran := statements()) <= 8, (path, ran)
        for text in told:
            assert text in page, (path, text)
    assert "stock &lt;b&gt;taking&lt;/b&gt;" in ann.get(f"/hangfire/jobs/details/{job_id}").text
    assert "/hangfire/pauses/" not in eve.get("/hangfire/queues").text
    assert eve.post("/hangfire/pauses/resume", {"kind": "tag", "name": "x"}).status_code == 403
    assert [job["id"] for job in ann.get("/api/v1/queues/mail/jobs?held=true").json["items"]] == [job_id]


def test_a_list_marks_the_enqueued_jobs_that_are_paused(
    tm: TaskManager, ann: Browser, statements: Callable[[], list[str]]
) -> None:
    tm.job(tags=["Spring"])(send_invoice)
    ids = [tm.enqueue(send_invoice, 1, "a@b.c"), tm.enqueue(len, "x")]
    for pause in ({"job": send_invoice}, {"tag": "spring"}):
        assert ann.get("/hangfire/jobs?q=state:enqueued").text.count("paused by type or tag") == 0
        tm.pause_jobs(**pause)  # type: ignore[arg-type]
        statements()
        page = ann.get("/hangfire/jobs?q=state:enqueued").text
        assert len(ran := statements()) <= 8, ran
        assert page.count("paused by type or tag") == 1
        assert page.index(f"job-{ids[0]}") < page.index("paused by type or tag")
        tm.resume_jobs(**pause)  # type: ignore[arg-type]


def test_types_and_tags_are_paused_and_resumed_on_the_page_of_queues(tm: TaskManager, ann: Browser) -> None:
    tm.job(send_invoice)
    assert '<option value="send_invoice">' in ann.get("/hangfire/queues").text
    sent = {"kind": "type", "name": "send_invoice", "note": "why", "back": "/hangfire/queues"}
    answer = ann.post("/hangfire/pauses/pause", sent, Accept="text/html")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hangfire/queues")
    assert ann.post("/hangfire/pauses/pause", {"kind": "tag", "name": "Spring"}).status_code == 204
    assert [one.pause.value for one in tm.paused_jobs()] == ["tag:spring", "type:tests.webui.sample:send_invoice"]
    page = ann.get("/hangfire/queues", **{"Accept-Language": "cs"}).text
    assert "Pozastavené typy a štítky" in page
    for wrong in ({"kind": "x", "name": "y"}, {"kind": "type", "name": "nobody_knows"}, {"kind": "tag", "name": "a,b"}):
        assert ann.post("/hangfire/pauses/pause", wrong).status_code == 422, wrong
    assert ann.post("/hangfire/pauses/pause", sent | {"until": "2020-01-01T00:00"}).status_code == 422
    for one in tm.paused_jobs():
        assert ann.post("/hangfire/pauses/resume", {"kind": one.pause.kind, "name": one.pause.name}).status_code == 204
    assert tm.paused_jobs() == []
    kept = [(r.action, r.kind, r.outcome) for r in tm.database.read(lambda tx: audit.page(tx, ALL, limit=20)[0])]
    assert ("types.pause", "type", "done") in kept
    assert ("types.pause", "tag", "failed") in kept


def test_a_dashboard_of_some_queues_pauses_no_types(tm: TaskManager) -> None:
    tm.settings = tm.settings.with_changes(web_queues="mail")
    some = Browser(create_app(tm, users=USERS, roles=ROLES))
    page = some.get("/hangfire/queues").text
    assert "pause-jobs" not in page
    found = re.search(r'name="csrf_token" value="([^"]+)"', some.get("/hangfire/settings").text)
    assert found is not None
    some._token = found[1]
    assert some.post("/hangfire/pauses/pause", {"kind": "tag", "name": "x"}).status_code in (403, 404)
    assert tm.paused_jobs() == []
