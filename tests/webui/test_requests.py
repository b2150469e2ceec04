"""Each request has a number: answers and error pages tell it, and the audit log keeps it with what was changed."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.engine.audit import Actor
from taskmanager.storage import audit as rows
from taskmanager.storage.audit import Sought
from tests.webui.conftest import Browser

OURS = re.compile(r"[0-9a-f]{32}")


def log(tm: TaskManager) -> list[rows.Row]:
    return tm.database.read(lambda tx: rows.page(tx, Sought(), limit=100))[0]


def test_a_request_has_the_number_it_came_with_or_one_of_ours(sam: Browser) -> None:
    assert sam.get("/hangfire/queues", **{"X-Request-Id": "proxy-17/a"}).headers["X-Request-Id"] == "proxy-17/a"
    for given in ("", "x" * 65, 'a"b', "<script>", "a b"):
        told = sam.get("/hangfire/queues", **{"X-Request-Id": given}).headers["X-Request-Id"]
        assert OURS.fullmatch(told), given
    one, two = (sam.get("/hangfire/queues").headers["X-Request-Id"] for _ in range(2))
    assert one != two


def test_an_error_page_tells_its_request(sam: Browser, monkeypatch: Any) -> None:
    answer = sam.get("/hangfire/nowhere", **{"X-Request-Id": "r-1"})
    assert (answer.status_code, "r-1" in answer.text) == (404, True)
    refused = sam.get("/api/v1/nowhere", **{"X-Request-Id": "r-2"})
    assert refused.headers["X-Request-Id"] == "r-2"
    sam.app.config["PROPAGATE_EXCEPTIONS"] = sam.app.testing = False
    monkeypatch.setattr("webui.views.servers.server_rows.all_servers", lambda tx: 1 // 0)
    broken = sam.get("/hangfire/servers", **{"X-Request-Id": "r-3"})
    assert broken.status_code == 500
    assert "under number r-3" in broken.text


@pytest.mark.each_engine
def test_a_row_of_the_audit_log_tells_its_request(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    ann.post("/hangfire/queues/pause", {"queue": "mail"}, **{"X-Request-Id": "r-4"})
    eve.post("/hangfire/queues/pause", {"queue": "mail"}, **{"X-Request-Id": "r-5"})
    denied, done = log(tm)
    assert (done.request, done.outcome, done.after) == ("r-4", "done", '{"paused": true}')
    assert (denied.request, denied.outcome, denied.after) == ("r-5", "denied", None)
    page = ann.get("/hangfire/audit").text
    assert "<code>r-4</code>" in page
    assert "<code>r-5</code>" in page
    assert "X-Request-Id" not in page
    told = ann.get("/api/v1/audit").json["items"]
    assert [one["requestId"] for one in told] == ["r-5", "r-4"]
    assert ann.get("/hangfire/audit?export=csv").text.splitlines()[1].endswith(",r-5")


@pytest.mark.parametrize("after", [None, "{}", '{"state": "Enqueued"}', '{"text": "cut off…', "no JSON"])
def test_what_a_thing_became_is_read_as_it_was_written(tm: TaskManager, after: str | None) -> None:
    row = rows.Row("ann", None, "api", "jobs.delete", "job", "1", "done", after=after, request="r-6")
    tm.database.run(lambda tx: rows.add(tx, [row]))
    (found,) = log(tm)
    assert found.after == (None if after == "{}" else after)
    assert found.request == (None if after == "no JSON" else "r-6")


def test_the_command_line_has_no_requests(tm: TaskManager) -> None:
    tm.audit.denied(Actor("ann", "cli"), "jobs.delete", "job", 1, "no")
    (found,) = log(tm)
    assert (found.request, found.after) == (None, None)


def test_an_open_log_is_told_of_what_changes_no_job(sam: Browser) -> None:
    page = sam.get("/hangfire/audit").text
    assert re.search(r'id="rows"[^>]*data-live-region', page)
    known = re.search(r"data-topics='([^']*)'", page)
    assert known is not None
    sam.post("/hangfire/queues/pause", {"queue": "mail"})
    sam.app.config["SNAPSHOTS"]._tried = float("-inf")
    assert sam.get("/hangfire/stats?rev=x").json["topics"]["audit"] != json.loads(html.unescape(known[1]))["audit"]


def test_changes_are_a_section_of_the_page_of_each_thing(embedded: TaskManager, sam: Browser) -> None:
    job_id = embedded.enqueue(len, "x", queue="mail")
    embedded.recurring("nightly", len, args=("x",), cron="0 2 * * *")
    shown = {
        f"jobs/details/{job_id}": ("job", job_id), "queues/mail": ("queue", "mail"),
        "recurring/nightly": ("recurring", "nightly"),
    }  # fmt: skip
    for path, (kind, target) in shown.items():
        page = sam.get(f"/hangfire/{path}").text
        address = f"/hangfire/audit?kind={kind}&amp;target={target}"
        assert f'hx-get="{address}"' in page, path
        link = f"/hangfire/{path}?changes=1#h-changes" if kind == "recurring" else address
        assert f'<a href="{link}">Who changed what, before and after</a>' in page, path
