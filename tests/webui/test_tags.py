"""Tags and declared search keys in the dashboard, in files and in the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import monitoring_filters
from tests.webui.apiclient import Program
from tests.webui.conftest import HASH, Browser
from webui import ROLES, create_app


@pytest.fixture
def ship(tm: TaskManager) -> Any:
    """A job with a tag and a declared key."""

    @tm.job(tags=["shop"], search=["order_id"])
    def ship(order_id: int) -> None: ...

    return ship


def main(ann: Browser, address: str) -> str:
    return ann.get(f"/hangfire/{address}").text.partition("<main")[2]


@pytest.mark.each_engine
def test_jobs_are_found_by_tag_however_many_came_after(
    tm: TaskManager, ann: Browser, ship: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ship.options(tags=["VIP", "a&b c"]).enqueue(42)
    tm.enqueue_many(ship, [(n,) for n in range(30)])
    monkeypatch.setattr(monitoring_filters, "SCANNED", 10)
    for address in ("jobs?q=tag:vip", 'jobs?q=tag:"A%26B c"', "jobs/enqueued?q=tag:vip", "search?q=tag:vip"):
        if "enqueued" not in address:
            page = main(ann, address)
            assert f"#{old} " in page, address
            assert "Found by the index of tags and declared search keys." in page
            assert "Searched the newest" not in page
    assert f"#{old} " not in main(ann, "jobs?q=type:ship")
    assert f"#{old} " not in main(ann, "jobs?q=-tag:vip")
    page = main(ann, "jobs?q=tag:shop type:ship")
    assert "Searched the newest 10 jobs." in page


@pytest.mark.each_engine
def test_a_declared_argument_is_found_by_its_index_and_the_page_says_so(
    tm: TaskManager, ann: Browser, ship: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ship.enqueue(42)
    tm.enqueue_many(ship, [(n,) for n in range(1000, 1030)])
    monkeypatch.setattr(monitoring_filters, "SCANNED", 10)
    page = main(ann, "jobs?q=arg.order_id:42")
    assert f"#{old} " in page
    assert "look for arg:42" in page
    assert f"#{old} " not in main(ann, "jobs?q=arg.other:42")


def test_tags_are_shown_and_lead_to_the_jobs_that_have_them(tm: TaskManager, ann: Browser, ship: Any) -> None:
    job_id = ship.options(tags=["<b>"]).enqueue(1)
    for address in ("jobs", f"jobs/details/{job_id}", "jobs/enqueued/default"):
        page = main(ann, address)
        assert ">shop</a>" in page, address
        assert "&lt;b&gt;</a>" in page
        assert "q=tag:%22shop%22" in page


def test_tags_stand_in_files_and_in_the_api(tm: TaskManager, ann: Browser, ship: Any) -> None:
    body = {"taskType": "ship", "arguments": [1], "tags": ["vip"]}
    program = Program(tm)
    job_id = program.post("/api/v1/jobs", body, 201)["jobId"]
    assert program.get(f"/api/v1/jobs/{job_id}")["tags"] == ["shop", "vip"]
    assert program.get("/api/v1/jobs?q=tag:vip")["items"][0]["tags"] == ["shop", "vip"]
    assert json.loads(ann.get("/hangfire/jobs?export=json&q=tag:vip").text)[0]["tags"] == "shop, vip"
    assert '"shop, vip"' in ann.get("/hangfire/jobs?export=csv").text
    assert program.refused("POST", "/api/v1/jobs", body | {"tags": ["a,b"]})[::2] == (422, ["tags"])


def test_a_declared_key_asks_for_the_right_to_see_arguments(tm: TaskManager, ship: Any, monkeypatch: Any) -> None:
    job_id = ship.enqueue(42)
    monkeypatch.setitem(ROLES, "view", frozenset({"jobs.view"}))
    eve = Browser(create_app(tm, users={"eve": HASH}, roles={"eve": "view"}), "eve")
    assert "may not look into arguments" in eve.get("/hangfire/jobs?q=arg.order_id:42").text
    assert f"#{job_id} " in eve.get("/hangfire/jobs?q=tag:shop").text
