"""What is remembered about servers, so that their connections can be ended from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import backends
from taskmanager.storage.backends import Starts
from taskmanager.storage.engines import make_raw_engine


def test_when_a_server_began_is_remembered_for_the_connections_after() -> None:
    starts = Starts()
    assert starts.get("a:3306", 300) is None
    starts.set("a:3306", 300, "1000")
    assert starts.get("a:3306", 301) == "1000"
    assert starts.get("a:3306", 299) == "1000", "threads ask in another order than they were let in"
    assert starts.get("b:3306", 301) is None


def test_a_server_that_may_have_begun_anew_is_asked_again() -> None:
    starts = Starts()
    starts.set("a:3306", 300, "1000")
    assert starts.get("a:3306", 7) is None, "it counts from the beginning"
    starts.forget()
    assert starts.get("a:3306", 301) is None
    starts.set("a:3306", 12, "2000")
    assert starts.get("a:3306", 13) is None, "so soon after its start numbers tell nothing"


def test_after_some_seconds_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = Starts()
    starts.set("a:3306", 300, "1000")
    monkeypatch.setattr(backends, "_KNOWN_SECONDS", -1.0)
    assert starts.get("a:3306", 301) is None


def test_a_connection_is_ended_though_the_network_breaks_while_that_is_asked(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite has no connections to end from elsewhere")
    made, asked = make_raw_engine, list[str]()

    def breaks_twice(url: Any) -> Any:
        asked.append(url.host)
        return made(url.set(port=1) if len(asked) <= 2 else url)

    monkeypatch.setattr(backends, "make_raw_engine", breaks_twice)
    with tm.database.looking.connect() as connection:
        backend = backends.of(connection, tm.database.product)
        assert backends.end(tm.database, backend)
        connection.invalidate()
    assert (len(asked), caplog.messages) == (3, [])


def test_a_server_that_stays_away_is_told_once(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite has no connections to end from elsewhere")
    made = make_raw_engine
    monkeypatch.setattr(backends, "make_raw_engine", lambda url: made(url.set(port=1)))
    assert not backends.end(tm.database, backends.Backend(1, "x:1", "1"), wait=0.2)
    (said,) = caplog.messages
    assert said.startswith("connection 1 cannot be killed now: ")
