"""The statistics as a stream, where that is set: a quarter of the threads at most, and the other pages poll."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from taskmanager import TaskManager
from tests.webui.conftest import USERS, Browser, signed
from tests.webui.test_notifications import events
from webui import create_app, live, snapshots

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def ann(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Of a process with streams, two of them, in which no second is waited for."""
    monkeypatch.setattr(live, "_REST_SECONDS", 0.01)
    monkeypatch.setattr(snapshots, "_FRESH_SECONDS", 0.0)
    tm.settings = tm.settings.with_changes(live_transport="sse")
    return Browser(create_app(tm, users=USERS))


def listen(browser: Browser, rev: str = "") -> Any:
    answer = browser._client.get(f"/hangfire/stats?rev={rev}", headers=signed() | STREAM)
    answer.events = events(answer.response)
    return answer


@pytest.mark.each_engine
def test_a_stream_tells_what_a_poll_would_as_soon_as_it_changes(tm: TaskManager, ann: Browser) -> None:
    known = ann.get("/hangfire/stats").json
    with listen(ann, known["rev"]) as answer:
        assert answer.mimetype == "text/event-stream"
        assert next(answer.events)["event"] == "ready"
        timer = threading.Timer(0.05, lambda: tm.enqueue(len, "x"))
        timer.start()
        facts = json.loads(next(answer.events)["data"])
        timer.join()
        assert facts["counts"]["enqueued"] == {"text": "1", "value": 1}
        assert facts["topics"]["jobs.enqueued"] != known["topics"]["jobs.enqueued"]
        assert facts["topics"]["jobs.failed"] == known["topics"]["jobs.failed"]
    assert ann.get(f"/hangfire/stats?rev={facts['rev']}").status_code == 204


def test_there_are_few_streams_and_a_poll_says_whether_one_is_free(ann: Browser) -> None:
    first, second = listen(ann), listen(ann)
    third = listen(ann)
    assert (third.status_code, third.headers["Retry-After"]) == (503, "60")
    assert "X-Live-Stream" not in ann.get("/hangfire/stats").headers
    first.close()
    answer = ann.get("/hangfire/stats")
    assert answer.headers["X-Live-Stream"] == "1"
    assert ann.get(f"/hangfire/stats?rev={answer.json['rev']}").headers["X-Live-Stream"] == "1"
    second.close()
    assert ann.app.config["LIVE_STREAMS"]._free == 2


def test_streams_end_with_the_process_and_with_their_time(tm: TaskManager, ann: Browser) -> None:
    with listen(ann) as answer:
        ann.app.config["FEED"].closing.set()
        assert len(list(answer.events)) == 2
    ann.app.config["FEED"].closing.clear()
    tm.settings = tm.settings.with_changes(web_stream_seconds=0.05)
    with listen(ann) as answer:
        assert len(list(answer.events)) == 2


def test_without_the_setting_pages_poll(tm: TaskManager) -> None:
    browser = Browser(create_app(tm, users=USERS))
    assert listen(browser).status_code == 503
    assert "X-Live-Stream" not in browser.get("/hangfire/stats").headers
