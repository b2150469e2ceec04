"""The hub of notifications: each user hears his own, by stream or poll, and all pages together cost one look."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import StorageError
from taskmanager.storage import audit
from tests.hand_clock import HandClock
from tests.webui.conftest import ROLES, USERS, Browser, signed
from webui import Page, create_app, feed, hub

PATH = "/hubs/notifications"
STREAM = {"Accept": "text/event-stream"}
SECRET = "a secret of thirty-two bytes, or so"
JSON = {"Accept": "application/json"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """Time for the feed alone."""
    return HandClock.of(monkeypatch, feed)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second is waited for."""
    monkeypatch.setattr(feed, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(hub, "_REST_SECONDS", 0.01)


def poll(browser: Browser, query: str = "", **headers: str) -> Any:
    answer = browser._client.get(PATH + query, headers=signed(browser.name) | JSON | headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def listen(browser: Browser, query: str = "", **headers: str) -> Any:
    """An open stream: its answer, with the events in `answer.events`."""
    answer = browser._client.get(PATH + query, headers=signed(browser.name) | STREAM | headers)
    answer.events = events(answer.response)
    return answer


def events(chunks: Any) -> Iterator[dict[str, str]]:
    for chunk in chunks:
        text = chunk.decode() if isinstance(chunk, bytes) else chunk
        yield dict(line.partition(": ")[::2] for line in text.strip().splitlines())


def told(event: dict[str, str]) -> tuple[str, str]:
    facts = json.loads(event["data"])
    return facts["type"], facts["message"]


@pytest.mark.each_engine
@pytest.mark.usefixtures("quick")
def test_a_poll_tells_each_user_his_own_from_where_he_was(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    tm.notify("ann", "Info", "before")
    start = poll(ann)
    assert start["notifications"] == [], "who comes for the first time hears what is told from now on"
    first = tm.notify("ann", "Success", "Tenant ready")
    last = tm.notify("ann", "Error", "<b>no</b>")
    tm.notify("eve", "Info", "hers")
    news = poll(ann, f"?after={start['cursor']}")
    assert [(one["id"], one["type"], one["message"]) for one in news["notifications"]] == [
        (first, "Success", "Tenant ready"), (last, "Error", "<b>no</b>"),
    ]  # fmt: skip
    assert news["notifications"][0]["at"].endswith("Z")
    assert news["cursor"] == last
    assert news["stream"] is True
    assert poll(ann, f"?after={last}")["notifications"] == []
    assert [one["message"] for one in poll(eve, "?after=0")["notifications"]] == ["hers"]


@pytest.mark.each_engine
@pytest.mark.usefixtures("quick")
def test_a_stream_tells_as_it_happens(tm: TaskManager, ann: Browser) -> None:
    with listen(ann) as answer:
        assert answer.mimetype == "text/event-stream"
        assert "no-store" in answer.headers["Cache-Control"]
        assert next(answer.events)["event"] == "Ready"
        tm.notify("eve", "Info", "hers")
        number = tm.notify("ann", "Success", "Tenant\nready")
        event = next(answer.events)
        assert (event["event"], event["id"], told(event)) == (
            "ReceiveNotification", str(number), ("Success", "Tenant\nready"),
        )  # fmt: skip


@pytest.mark.each_engine
@pytest.mark.usefixtures("quick")
def test_who_reconnects_hears_what_he_missed(tm: TaskManager, ann: Browser) -> None:
    first = tm.notify("ann", "Info", "1")
    tm.notify("ann", "Info", "2")
    with listen(ann, **{"Last-Event-ID": str(first)}) as answer:
        assert next(answer.events)["event"] == "Ready"
        assert told(next(answer.events)) == ("Info", "2")
    with listen(ann, "?after=0", **{"Last-Event-ID": str(first)}) as answer:
        next(answer.events)
        assert told(next(answer.events)) == ("Info", "2"), "a browser that reconnects by itself keeps the address"
    with listen(ann, "?after=0") as answer:
        next(answer.events)
        assert [told(next(answer.events))[1] for _ in range(2)] == ["1", "2"]


@pytest.mark.usefixtures("quick")
def test_a_silent_stream_shows_that_it_lives_and_ends_in_its_time(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_HEARTBEAT_SECONDS", 0.05)
    tm.settings = tm.settings.with_changes(web_stream_seconds=1.0)
    app = create_app(tm, users=USERS)
    with listen(Browser(app)) as answer:
        seen = list(answer.response)
    assert b":\n\n" in seen[1:]
    assert app.config["STREAMS"]._free == 2


def test_streams_are_bounded_and_given_back(tm: TaskManager, app: Any, ann: Browser, eve: Browser) -> None:
    one, other = listen(ann), listen(eve)
    refused = listen(Browser(app))
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "60"
    assert poll(ann)["stream"] is False
    one.close()
    assert poll(ann)["stream"] is True
    again = listen(ann)
    assert again.status_code == 200
    for each in (other, again):
        each.close()
    assert app.config["STREAMS"]._free == 2


def test_streams_can_be_switched_off(tm: TaskManager) -> None:
    tm.settings = tm.settings.with_changes(web_streams=0)
    browser = Browser(create_app(tm, users=USERS))
    assert listen(browser).status_code == 503
    assert poll(browser)["stream"] is False


def test_nobody_hears_anything_without_signing_in(app: Any) -> None:
    for headers in (STREAM, JSON | {"X-Requested-With": "poll"}):
        answer = app.test_client().get(PATH, headers=headers)
        assert answer.status_code in (401, 403)
        assert "WWW-Authenticate" not in answer.headers, "a browser would ask for a password in the middle of nothing"
    assert app.test_client().get(PATH, headers=JSON).status_code == 401
    assert app.test_client().post(PATH).status_code in (401, 405)
    assert app.config["STREAMS"]._free == 2


@pytest.mark.usefixtures("quick")
def test_a_jwt_in_the_address_opens_the_hub_and_nothing_else(tm: TaskManager, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    tm.settings = tm.settings.with_changes(jwt_key=SECRET, jwt_roles={"admin": "manage"})
    app = create_app(tm)
    client = app.test_client()
    for roles in ([], ["admin"]):
        token = jwt.encode({"sub": "ann", "exp": time.time() + 600, "roles": roles}, SECRET)
        with client.get(PATH, query_string={"access_token": token}, headers=STREAM) as answer:
            assert answer.status_code == 200, "to hear what is his own needs no role"
            assert next(events(answer.response))["event"] == "Ready"
        assert client.get(PATH, headers={"Authorization": f"Bearer {token}"} | JSON).status_code == 200
        for path in ("/hangfire/", "/hangfire/notifications", "/hangfire/stats", "/hangfire/jobs/failed", "/"):
            assert client.get(path, query_string={"access_token": token}).status_code in (401, 503), path
        assert "access_token" not in caplog.text
        assert token not in caplog.text
    number = tm.notify("ann", "Success", "Tenant ready")
    seen = client.get(PATH, query_string={"access_token": token, "after": 0}, headers=JSON).json["notifications"]
    assert [one["id"] for one in seen] == [number]


@pytest.mark.parametrize("changes", [{"exp": 1}, {"sub": ""}], ids=["expired", "nobody"])
def test_a_token_that_lets_nobody_in_is_kept_nowhere(
    tm: TaskManager, caplog: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    tm.settings = tm.settings.with_changes(jwt_key=SECRET)
    client = create_app(tm, users=USERS).test_client()
    token = jwt.encode({"sub": "ann", "exp": time.time() + 600} | changes, SECRET)
    answer = client.get(PATH, query_string={"access_token": token}, headers=STREAM | signed())
    assert answer.status_code in (401, 403), "a token that was shown is not made good by a password"
    assert token not in answer.text + caplog.text
    rows, _ = tm.database.read(lambda tx: audit.page(tx, audit.Sought(), limit=10))
    assert [(row.action, row.outcome) for row in rows] == [("sign-in", "denied")]
    assert token not in repr(rows)


@pytest.mark.parametrize("wrong", ["-1", "1.5", "abc", "9" * 19, "9" * 30, "٣", "1;DROP"])
def test_a_wrong_place_to_go_on_from_is_named(ann: Browser, wrong: str) -> None:
    answer = ann._client.get(PATH, query_string={"after": wrong}, headers=signed() | JSON)
    assert answer.status_code == 400
    assert "after is the id of a notification" in answer.json["detail"]


def test_a_hundred_pages_cost_one_look_a_second(
    tm: TaskManager, app: Any, clock: HandClock, statements: Callable[[], list[str]]
) -> None:
    pages = [Browser(app, name) for _ in range(50) for name in ("ann", "eve")]
    cursors = [poll(page)["cursor"] for page in pages]
    statements()
    for second in range(1, 11):
        clock.now += 1.0
        last = tm.notify("ann", "Info", str(second))
        statements()
        for number, page in enumerate(pages):
            news = poll(page, f"?after={cursors[number]}")
            cursors[number] = news["cursor"]
            expected = [str(second)] if page.name == "ann" else []
            assert [one["message"] for one in news["notifications"]] == expected
        assert statements() == ["marks_of", "notifications_after"], "for all hundred together"
        clock.now += 1.0
        for number, page in enumerate(pages):
            poll(page, f"?after={cursors[number]}")
        assert statements() == ["marks_of"], "without news it is one"
    assert cursors[0] == last


def test_who_has_left_is_not_read_for(
    tm: TaskManager, ann: Browser, eve: Browser, clock: HandClock, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll(ann)
    poll(eve)
    clock.now += 149
    poll(eve)
    assert set(app.config["FEED"]._boxes) == {"ann", "eve"}
    clock.now += 149
    poll(eve)
    assert set(app.config["FEED"]._boxes) == {"eve"}
    monkeypatch.setattr(feed, "_MOST_USERS", 1)
    tm.notify("ann", "Info", "x")
    assert len(poll(ann, "?after=0")["notifications"]) == 1
    assert set(app.config["FEED"]._boxes) == {"ann"}


@pytest.mark.usefixtures("quick")
def test_an_outage_ends_no_stream(tm: TaskManager, app: Any, ann: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    real, is_away = tm.notifications.news, False

    def news(*args: Any, **options: Any) -> Any:
        if is_away:
            raise StorageError("away")
        return real(*args, **options)

    monkeypatch.setattr(tm.notifications, "news", news)
    with listen(ann) as answer:
        next(answer.events)
        known = tm.notify("ann", "Info", "before")
        assert told(next(answer.events)) == ("Info", "before")
        is_away = True
        assert [one["id"] for one in poll(ann, "?after=0")["notifications"]] == [known], "a poll tells what is known"
        app.config["FEED"]._boxes.clear()
        refused = ann._client.get(PATH, headers=signed() | JSON)
        assert refused.status_code == 503
        timer = threading.Timer(0.2, lambda: tm.notify("ann", "Success", "after") and back())

        def back() -> None:
            nonlocal is_away
            is_away = False

        timer.start()
        assert told(next(answer.events)) == ("Success", "after")
        timer.join()


class Wire:
    """A connection to a real server."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.answer: http.client.HTTPResponse | None = None

    def get(self, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        self._connection.request("GET", path, headers=signed() | headers)
        self.answer = self._connection.getresponse()
        return self.answer

    def listen(self) -> http.client.HTTPResponse:
        """A stream, of which the first event was read."""
        answer = self.get(PATH, STREAM)
        assert answer.status == 200
        assert [answer.readline() for _ in range(4)][1] == b"event: Ready\n"
        return answer

    def close(self) -> None:
        """Leave, whatever is still coming."""
        self._connection.close()
        if self.answer is not None:
            self.answer.close()


class Served:
    """The pages behind waitress."""

    def __init__(self, tm: TaskManager) -> None:
        self.app = create_app(tm, users=USERS, roles=ROLES)
        self.page = Page(self.app, "127.0.0.1", 0)
        self._port = int(self.page.url.rsplit(":", 1)[1].partition("/")[0])
        self._wires: list[Wire] = []

    def wire(self) -> Wire:
        self._wires.append(Wire(self._port))
        return self._wires[-1]

    def close(self) -> None:
        for wire in self._wires:
            wire.close()
        self.page.close()


@pytest.fixture
def served(tm: TaskManager) -> Iterator[Served]:
    """A running web server."""
    made = Served(tm)
    yield made
    made.close()


def wait_for(what: Callable[[], bool]) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + 30
    while not what():
        assert time.monotonic() < ends, "it never came to be"
        time.sleep(0.02)


def test_a_real_server_streams_and_its_pages_go_on(tm: TaskManager, served: Served) -> None:
    first, second = served.wire(), served.wire()
    streams = [first.listen(), second.listen()]
    assert [served.wire().get(PATH, STREAM).status for _ in range(6)] == [503] * 6, "of eight, two are had"
    assert served.wire().get("/hangfire/", {"Accept": "text/html"}).status == 200
    number = tm.notify("ann", "Success", "Tenant ready")
    for stream in streams:
        assert stream.readline() == f"id: {number}\n".encode()
    polled = json.loads(served.wire().get(f"{PATH}?after={number - 1}", JSON).read())
    assert [one["id"] for one in polled["notifications"]] == [number], "who got no stream polls"
    assert not polled["stream"]
    first.close()
    wait_for(lambda: bool(served.app.config["STREAMS"].is_free))
    served.wire().listen()


def test_open_streams_do_not_hold_up_the_end(served: Served) -> None:
    served.wire().listen()
    served.page.close()
    wait_for(lambda: served.app.config["STREAMS"]._free == 2)
