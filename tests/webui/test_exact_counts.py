"""Counts beyond the cap, counted when somebody asks; and lists that begin with the oldest."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import DatabaseSlow
from taskmanager.storage import monitoring_exact, monitoring_snapshot
from tests.webui.apiclient import Program
from tests.webui.conftest import Browser

ADDRESS = "/hangfire/counts/failed"
PART = {"HX-Request": "true"}


@pytest.fixture
def many(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> int:
    """More failed jobs than pages count."""
    monkeypatch.setattr(monitoring_snapshot, "CAP", 3)
    for job_id in tm.enqueue_many(len, [("x",)] * 5):
        tm.client.fail(job_id, ValueError(), "no")
    return 5


def counted(app: Any, state: str = "Failed") -> str:
    """What came of it, when it is over."""
    for one in threading.enumerate():
        if one.name == "taskmanager-count":
            one.join(60)
    return str(app.config["COUNTING"].known[state].progress)


@pytest.mark.usefixtures("many")
def test_what_is_capped_is_counted_in_the_background_and_kept_with_its_age(app: Any, ann: Browser) -> None:
    page = ann.get("/hangfire/jobs/failed").text
    assert f'href="{ADDRESS}"' in page
    assert not re.search(r"exactly \d", page)
    assert "/counts/" not in ann.get("/hangfire/jobs/failed?q=error:no").text
    assert "being counted" in ann.get(ADDRESS, **PART).text
    assert counted(app) == "done"
    told = ann.get(ADDRESS, **PART).text
    assert re.search(r"exactly 5 <small class=\"muted\"><relative-time", told)
    assert "hx-trigger" not in told, "nothing more is asked"
    assert "exactly 5" in ann.get("/hangfire/jobs/failed").text
    answer = ann.get(ADDRESS)
    assert answer.headers["Location"] == "/hangfire/jobs/failed"


@pytest.mark.usefixtures("many")
def test_what_takes_too_long_is_told(app: Any, ann: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(tx: Any, state: str) -> int:
        raise DatabaseSlow("the database is slow")

    monkeypatch.setattr(monitoring_exact, "count", slow)
    assert ann.get(ADDRESS).headers["Location"] == "/hangfire/jobs/failed"
    assert counted(app) == "slow"
    assert "takes longer than 5 s" in ann.get("/hangfire/jobs/failed").text


def test_many_who_ask_have_it_counted_once(
    tm: TaskManager, app: Any, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, times, go = monitoring_exact.count, [], threading.Event()

    def count(tx: Any, state: str) -> int:
        times.append(state)
        assert go.wait(60)
        return real(tx, state)

    monkeypatch.setattr(monitoring_exact, "count", count)
    for _ in range(5):
        ann.get(ADDRESS, **PART)
    go.set()
    assert counted(app) == "done"
    ann.get(ADDRESS, **PART)
    assert times == ["Failed"]


def test_a_program_has_it_counted_too(tm: TaskManager, many: int) -> None:
    program = Program(tm)
    assert program.get("/api/v1/stats/exact?state=Failed")["progress"] in ("counting", "done")
    assert counted(program.app) == "done"
    assert program.get("/api/v1/stats/exact?state=Failed")["count"] == many


def ids_on(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'<tr id="job-(\d+)"', page)]


@pytest.mark.parametrize("state", ["", "/failed", "/scheduled"])
def test_lists_begin_with_the_oldest_and_go_on_and_back(tm: TaskManager, ann: Browser, state: str) -> None:
    ids = tm.enqueue_many(len, [("x",)] * 45, delay=600) if state == "/scheduled" else []
    ids = ids or tm.enqueue_many(len, [("x",)] * 45)
    for job_id in ids if state == "/failed" else ():
        tm.client.fail(job_id, ValueError(), "no")
    path = f"/hangfire/jobs{state}?sort=old"
    seen, pages, address = [], [], path
    while address:
        page = ann.get(address).text
        seen += ids_on(page)
        pages.append(ids_on(page))
        found = re.search(r'rel="next"[^>]*href="([^"]+)"', page)
        assert 'aria-sort="ascending"' in page
        address, last = (found[1].replace("&amp;", "&") if found else ""), page
    assert seen == sorted(ids)
    assert re.search(r"41–45\b", last)
    back = re.search(r'rel="prev"[^>]*href="([^"]+)"', last)
    assert back is not None
    page = ann.get(back[1].replace("&amp;", "&")).text
    assert ids_on(page) == pages[1]
    assert re.search(r"21–40\b", page)
    first = re.search(r'rel="prev"[^>]*href="([^"]+)"', page)
    assert first is not None
    page = ann.get(first[1].replace("&amp;", "&")).text
    assert (ids_on(page), 'rel="prev"' in page) == (pages[0], False)
    assert ids_on(ann.get(f"/hangfire/jobs{state}?sort=new").text) == sorted(ids, reverse=True)[:20]


def test_a_search_has_one_order(tm: TaskManager, ann: Browser) -> None:
    ids = tm.enqueue_many(len, [("x",)] * 3)
    page = ann.get("/hangfire/jobs?q=arg:x&sort=old").text
    assert ids_on(page) == sorted(ids, reverse=True)
    assert "sort=old" not in page.partition("<thead>")[2].partition("</thead>")[0]


def test_a_program_begins_with_the_oldest_too(tm: TaskManager) -> None:
    program, ids = Program(tm), tm.enqueue_many(len, [("x",)] * 5)
    first = program.get("/api/v1/jobs?order=oldest&limit=2")
    assert ([one["id"] for one in first["items"]], first["previous"]) == (ids[:2], None)
    second = program.get(f"/api/v1/jobs?order=oldest&limit=2&after={first['next']}")
    assert [one["id"] for one in second["items"]] == ids[2:4]
    back = program.get(f"/api/v1/jobs?order=oldest&limit=2&before={second['previous']}")
    assert ([one["id"] for one in back["items"]], back["previous"]) == (ids[:2], None)
    last = program.get(f"/api/v1/jobs?order=oldest&limit=2&after={second['next']}")
    assert ([one["id"] for one in last["items"]], last["next"]) == (ids[4:], None)
    status, _, told = program.refused("GET", "/api/v1/jobs?order=oldest&q=arg:x")
    assert (status, told) == (422, ["order"])
