"""What is remembered about servers, so that their connections can be ended from elsewhere."""

from __future__ import annotations

import pytest

from taskmanager.storage import backends
from taskmanager.storage.backends import Starts


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
