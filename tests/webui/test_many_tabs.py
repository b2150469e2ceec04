"""A hundred open tabs: what they ask for again and again is read once a second for all of them."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import StorageError
from taskmanager.storage import monitoring_snapshot
from tests.hand_clock import HandClock
from tests.webui.conftest import Browser, signed
from webui import Page, feed, snapshots

TABS = 100


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """Time for what all tabs share."""
    return HandClock.of(monkeypatch, snapshots, feed)


class Tab:
    """What an open page of the dashboard asks for by itself: the counts, and what its user is told."""

    def __init__(self, app: Any, name: str) -> None:
        self._client, self._signed = app.test_client(), signed(name) | {"X-Requested-With": "poll"}
        self._revision, self._after = "", ""

    def tick(self) -> int:
        """One tick; the status of the counts."""
        answer = self._client.get(f"/hangfire/stats?rev={self._revision}", headers=self._signed)
        if answer.status_code == 200:
            self._revision = answer.json["rev"]
        news = self._client.get(f"/hangfire/notifications?after={self._after}", headers=self._signed)
        assert news.status_code == 200
        self._after = news.json["cursor"]
        return int(answer.status_code)


def test_a_hundred_tabs_cost_one_set_of_statistics_queries_a_second(
    tm: TaskManager, app: Any, clock: HandClock, statements: Callable[[], list[str]]
) -> None:
    tabs = [Tab(app, ("ann", "eve")[number % 2]) for number in range(TABS)]
    for tab in tabs:
        tab.tick()
    for _ in range(5):
        clock.now += 1.0
        tm.enqueue(len, "x")
        statements()
        assert [tab.tick() for tab in tabs] == [200] * TABS, "there is news for each"
        assert sorted(statements()) == ["counts", "marks_of"]
        clock.now += 0.9
        assert [tab.tick() for tab in tabs] == [204] * TABS
        assert statements() == []


def test_hangfires_own_poll_and_whole_pages_share_the_same_figures(
    app: Any, ann: Browser, clock: HandClock, statements: Callable[[], list[str]]
) -> None:
    clock.now += 1.0
    ann.get("/hangfire/")
    statements()
    for _ in range(10):
        answer = ann._client.post("/hangfire/stats", data={"metrics[]": "failed:count"}, headers=signed())
        assert answer.json["failed:count"]["intValue"] == 0
    assert statements() == []
    for path in ("", "jobs/failed", "recurring", "servers", "queues"):
        ann.get(f"/hangfire/{path}")
    assert "counts" not in statements()


def test_more_pages_than_a_hundred_keep_their_connections(app: Any) -> None:
    page = Page(app, "127.0.0.1", 0)
    port = int(page.url.rsplit(":", 1)[1].partition("/")[0])
    open_tabs = [http.client.HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(TABS + 30)]
    try:
        for _ in range(2):
            for tab in open_tabs:
                tab.request("GET", "/hangfire/stats", headers=signed())
                answer = tab.getresponse()
                assert (answer.status, answer.read()[:1]) == (200, b"{")
    finally:
        for tab in open_tabs:
            tab.close()
        page.close()


def test_those_who_ask_at_once_wait_for_one_answer(tm: TaskManager, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, taken, go = monitoring_snapshot.take, [], threading.Event()

    def take(tx: Any, before: Any) -> Any:
        taken.append(threading.get_ident())
        assert go.wait(60)
        return real(tx, before)

    monkeypatch.setattr(monitoring_snapshot, "take", take)
    shared: snapshots.Snapshots = app.config["SNAPSHOTS"]
    monkeypatch.setattr(snapshots, "_FRESH_SECONDS", 3600.0)
    seen: list[Any] = []
    asking = [threading.Thread(target=lambda: seen.append(shared.get())) for _ in range(20)]
    for one in asking:
        one.start()
    go.set()
    for one in asking:
        one.join(60)
    assert (len(seen), len(taken)) == (20, 1)
    assert len({one.revision for one in seen}) == 1


def test_an_outage_is_waited_for_once_a_second_and_not_by_each_tab(
    tm: TaskManager, app: Any, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tabs = [Tab(app, "ann") for _ in range(10)]
    for tab in tabs:
        tab.tick()
    tries = []

    def read(*_: Any, **__: Any) -> Any:
        tries.append(clock.now)
        raise StorageError("away")

    monkeypatch.setattr(tm.database, "read", read)
    for _ in range(3):
        clock.now += 1.0
        assert [tab.tick() for tab in tabs] == [200] * 10, "what was seen last, marked as old"
    assert len(tries) == 2 * 3, "one for the counts and one for what users are told, each second"
    monkeypatch.undo()
