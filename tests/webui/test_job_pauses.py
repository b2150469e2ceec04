"""Types and tags that are paused, over the API and on the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import audit
from tests.webui.apiclient import Program, with_three_jobs

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
