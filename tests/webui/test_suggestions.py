"""What a filter may go on with while it is typed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import event

from taskmanager import TaskManager
from tests.webui.conftest import HASH, Browser
from webui import ROLES, create_app


def ship(order_id: int, note: str = "") -> None: ...


def offered(ann: Browser, q: str) -> list[str]:
    found: list[str] = ann.get(f"/hangfire/search/suggestions?q={quote(q)}").json
    return found


@pytest.fixture(autouse=True)
def names(tm: TaskManager) -> None:
    tm.job(search=["order_id"])(ship)
    tm.enqueue(ship, 1, queue="mail", tags=["VIP", "spring sale"])
    tm.recurring("nightly:1", ship, args=(1,), cron="0 2 * * *")


def test_keys_come_first_and_then_their_values(ann: Browser) -> None:
    assert {"state:", "tag:", "duration:"} <= set(offered(ann, ""))
    assert offered(ann, "st") == ["state:"]
    assert offered(ann, "queue:mail -t") == ["queue:mail -type:", "queue:mail -tag:"]
    assert offered(ann, "state:fa") == ["state:failed"]
    assert offered(ann, "state:failed,su") == ["state:failed,succeeded"]
    assert offered(ann, "queue:m") == ["queue:mail"]
    assert offered(ann, "tag:") == ['tag:"spring sale"', "tag:vip"]
    assert offered(ann, 'a tag:"sp') == ['a tag:"spring sale"']
    assert offered(ann, "recurring:NIGHT") == ["recurring:nightly:1"]
    assert offered(ann, "type:sh") == ["type:ship"]
    assert offered(ann, "arg.o") == ["arg.order_id:"]
    for text in ("nokey:", '"free te', "tag:vip", "x" * 600, "a,b", "error:"):
        assert offered(ann, text) == [], text


@pytest.mark.each_engine
def test_names_are_read_once_a_minute(tm: TaskManager, ann: Browser) -> None:
    offered(ann, "queue:")
    sent: list[str] = []

    @event.listens_for(tm.database.engine, "before_cursor_execute")
    def heard(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    tm.enqueue(ship, 1, queue="other")
    sent.clear()
    assert offered(ann, "queue:o") == []
    assert not [one for one in sent if tm.database.tables.queue.name in one]


def test_who_may_not_see_arguments_is_offered_none(tm: TaskManager, monkeypatch: Any) -> None:
    monkeypatch.setitem(ROLES, "view", frozenset({"jobs.view"}))
    eve = Browser(create_app(tm, users={"eve": HASH}, roles={"eve": "view"}), "eve")
    assert offered(eve, "arg") == []
    assert offered(eve, "e") == []
    assert offered(eve, "tag:v") == ["tag:vip"]
