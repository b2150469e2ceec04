"""The search's other sections, and searches that are kept under a name."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from taskmanager import TaskManager
from taskmanager.engine import searches
from taskmanager.storage import structures
from tests.webui.apiclient import Program
from tests.webui.conftest import HASH, Browser
from webui import ROLES, create_app


def ship(order_id: int) -> None: ...


def _logged(tm: TaskManager, name: str, number: int) -> None:
    t = tm.database.tables.legacy.logged
    now = tm.database.read(lambda tx: tx.clock.to_local(tx.now()))
    rows = [
        {
            "JobName": name, "JobType": "Manual", "StartedAt": now, "DurationMs": 70 + n, "Success": n != 1,
            "CreatedAt": now,
        }
        for n in range(number)
    ]  # fmt: skip
    with tm.database.engine.begin() as connection:
        connection.execute(insert(t), rows)


def main(ann: Browser, q: str) -> str:
    return ann.get(f"/hangfire/search?q={q}").text.partition("<main")[2]


@pytest.mark.each_engine
def test_runs_and_changes_of_that_name_are_in_the_answer(tm: TaskManager, ann: Browser, monkeypatch: Any) -> None:
    tm.job(display_name="Ship the orders")(ship)
    _logged(tm, "Ship the orders", 8)
    _logged(tm, "other", 2)
    tm.recurring("nightly", ship, args=(1,), cron="0 2 * * *")
    assert ann.post("/hangfire/recurring/pause", {"jobs[]": "nightly"}).status_code < 400
    page = main(ann, "orders")
    assert page.count("/hangfire/history/") == 5
    assert "Ship the <mark>orders</mark>" in page
    assert "recurring.pause" in main(ann, "nightly")
    assert "recurring.pause" in main(ann, "ann")
    monkeypatch.setitem(ROLES, "look", ROLES["view"])
    eve = Browser(create_app(tm, users={"eve": HASH}, roles={"eve": "look"}), "eve")
    assert "recurring.pause" not in main(eve, "nightly")
    assert main(eve, "orders").count("/hangfire/history/") == 5
    assert "/hangfire/history/" not in main(ann, "nothing at all")


@pytest.mark.each_engine
def test_searches_are_saved_for_oneself_and_for_all(tm: TaskManager, monkeypatch: Any) -> None:
    app = create_app(tm, users={"ann": HASH, "eve": HASH}, roles={"eve": "view"})
    ann, eve = Browser(app, "ann"), Browser(app, "eve")
    ann.post("/hangfire/search/own", {"name": "Mine", "q": "tag:vip"})
    ann.post("/hangfire/search/shared", {"name": "<All>", "q": 'error:"a b"'})
    page = ann.get("/hangfire/search").text
    assert "Mine" in page
    assert "&lt;All&gt;" in page
    assert "q=tag:vip" in page
    seen = eve.get("/hangfire/search").text.partition("<main")[2]
    assert "Mine" not in seen
    assert "&lt;All&gt;" in seen
    assert "/search/shared/remove" not in seen
    assert eve.post("/hangfire/search/shared/remove", {"name": "<All>"}).status_code == 403
    eve.post("/hangfire/search/own/remove", {"name": "Mine"})
    assert "Mine" in ann.get("/hangfire/search").text
    ann.post("/hangfire/search/own/remove", {"name": "Mine"})
    assert ">Mine</a>" not in ann.get("/hangfire/search").text
    audit = ann.get("/hangfire/audit?kind=search").text
    assert "&lt;All&gt;" in audit
    assert "Mine" not in audit
    told = ann.post("/hangfire/search/own", {"name": "x" * 61, "q": "a"}, Accept="text/html")
    assert told.status_code == 303
    monkeypatch.setattr(searches, "MOST", 1)
    ann.post("/hangfire/search/own", {"name": "One", "q": "a"})
    ann.post("/hangfire/search/own", {"name": "Two", "q": "a"})
    ann.post("/hangfire/search/own", {"name": "One", "q": "b"})
    assert [(s.name, s.q) for s in tm.database.read(lambda tx: tm.searches.known_to(tx, "ann"))] == [
        ("<All>", 'error:"a b"'), ("One", "b"),
    ]  # fmt: skip


def test_programs_save_searches_too(tm: TaskManager) -> None:
    program = Program(tm)
    program.post("/api/v1/searches/own", {"name": "a/b", "q": "state:failed"}, 204)
    program.post("/api/v1/searches/shared", {"name": "of all", "q": "x"}, 204)
    assert program.get("/api/v1/searches") == [
        {"name": "a/b", "q": "state:failed", "by": "ci", "shared": False},
        {"name": "of all", "q": "x", "by": "ci", "shared": True},
    ]
    assert program.send("DELETE", "/api/v1/searches/own/a/b").status_code == 204
    assert program.send("DELETE", "/api/v1/searches/own/a/b").status_code == 404
    assert program.send("DELETE", "/api/v1/searches/shared/of all").status_code == 204
    assert program.get("/api/v1/searches") == []


def test_the_api_tells_runs_and_changes(tm: TaskManager) -> None:
    _logged(tm, "ship", 2)
    program = Program(tm)
    program.post("/api/v1/searches/shared", {"name": "ship", "q": "x"}, 204)
    found = program.get("/api/v1/search?q=ship")
    assert {run["succeeded"] for run in found["runs"]} == {True, False}
    assert [(one["kind"], one["user"]) for one in found["changes"]] == [("search", "ci")]


@pytest.mark.parametrize("text", ["no json", "[]", '{"q": 1}'])
def test_what_another_hand_wrote_is_listed_all_the_same(tm: TaskManager, ann: Browser, text: str) -> None:
    tm.searches.save("ann", "mine", "a", shared=True)
    tm.database.run(lambda tx: structures.set_fields(tx, searches.SHARED, {"odd": text}))
    assert ">odd</a>" in ann.get("/hangfire/search").text
