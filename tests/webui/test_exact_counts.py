"""Counts beyond the cap, counted when somebody asks; and lists that begin with the oldest."""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import urlencode

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import DatabaseSlow, StorageError
from taskmanager.storage import monitoring_exact, monitoring_filters, monitoring_lists, monitoring_snapshot
from taskmanager.storage.monitoring_filters import Wanted
from tests.webui.apiclient import Program
from tests.webui.conftest import Browser

pytestmark = pytest.mark.each_engine

ADDRESS = "/hangfire/counts/failed"
PART = {"HX-Request": "true"}


@pytest.fixture
def many(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> int:
    """More failed jobs than pages count."""
    monkeypatch.setattr(monitoring_snapshot, "CAP", 3)
    for job_id in tm.enqueue_many(len, [("x",)] * 5):
        tm.client.fail(job_id, ValueError(), "no")
    return 5


def all_counted() -> None:
    """When nothing is being counted any more."""
    for one in threading.enumerate():
        if one.name == "taskmanager-count":
            one.join(60)


def counted(app: Any, key: str = "Failed") -> str:
    """What came of it, when it is over."""
    all_counted()
    return str(app.config["COUNTING"].known[key].progress)


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
    def slow(tx: Any, wanted: Any) -> int:
        raise DatabaseSlow("the database is slow")

    monkeypatch.setattr(monitoring_exact, "count", slow)
    assert ann.get(ADDRESS).headers["Location"] == "/hangfire/jobs/failed"
    assert counted(app) == "slow"
    assert "takes longer than 5 s" in ann.get("/hangfire/jobs/failed").text


@pytest.mark.one_engine
def test_many_who_ask_have_it_counted_once(
    tm: TaskManager, app: Any, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, times, go = monitoring_exact.count, [], threading.Event()

    def count(tx: Any, wanted: Wanted) -> int:
        times.append(wanted.states)
        assert go.wait(60)
        return real(tx, wanted)

    monkeypatch.setattr(monitoring_exact, "count", count)
    for _ in range(5):
        ann.get(ADDRESS, **PART)
    go.set()
    assert counted(app) == "done"
    ann.get(ADDRESS, **PART)
    assert times == [("Failed",)]


def test_a_program_has_it_counted_too(tm: TaskManager, many: int) -> None:
    program = Program(tm)
    assert program.get("/api/v1/stats/exact?state=Failed")["progress"] in ("counting", "done")
    assert counted(program.app) == "done"
    assert program.get("/api/v1/stats/exact?state=Failed")["count"] == many


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of a filter count three jobs, and look for them among the newest four."""
    monkeypatch.setattr(monitoring_lists, "CAP", 3)
    monkeypatch.setattr(monitoring_filters, "SCANNED", 4)


@pytest.mark.usefixtures("many", "short")
def test_jobs_of_a_filter_are_counted_also_those_that_its_list_does_not_look_at(
    tm: TaskManager, app: Any, ann: Browser
) -> None:
    tm.enqueue_many(len, [("x",)] * 2, queue="mail")
    gone = tm.enqueue(len, "y", queue="mail")
    tm.delete(gone)
    address = "/hangfire/counts/failed?q=type:len"
    page = ann.get("/hangfire/jobs/failed?q=type:len").text
    assert f'href="{address}"' in page
    assert "exactly " not in page
    assert "being counted" in ann.get(address, **PART).text
    assert counted(app, "Failed type:len") == "done"
    told = ann.get(address, **PART).text
    assert ("exactly 5 " in told, "hx-trigger" in told) == (True, False)
    assert "exactly 5 " in ann.get("/hangfire/jobs/failed?q=type:len").text
    assert "exactly " not in ann.get("/hangfire/jobs/failed?q=type:le").text, "another filter has another number"
    for state, q, number in (
        ("all", "type:len", 8),
        ("all", "", 8),
        ("all", "queue:mail", 3),
        ("all", "state:failed,deleted", 6),
        ("deleted", "queue:mail created:>-1d", 1),
        ("failed", "error:ValueError", 5),
        ("failed", "-error:ValueError", 0),
        ("failed", "attempt:1", 0),
        ("all", "arg:x", 7),
        ("all", f"id:{gone},{gone + 1000}", 1),
        ("all", "tag:none", 0),
    ):
        asked = f"/hangfire/counts/{state}?{urlencode({'q': q})}"
        there = ann.get(asked).headers["Location"]
        assert there.startswith("/hangfire/jobs" if state == "all" else f"/hangfire/jobs/{state}"), there
        all_counted()
        assert f"exactly {number} " in ann.get(asked, **PART).text, (state, q)


@pytest.mark.usefixtures("many", "short")
def test_a_count_of_a_filter_is_told_without_javascript_to_who_may_look_and_by_a_program(
    tm: TaskManager, eve: Browser
) -> None:
    answer = eve.get("/hangfire/counts/failed?q=queue:default")
    assert answer.headers["Location"] == "/hangfire/jobs/failed?q=queue:default"
    assert "Reload the page in a moment" in eve.get(answer.headers["Location"]).text
    program = Program(tm)
    assert program.get("/api/v1/stats/exact?q=queue:default")["state"] is None
    assert counted(program.app, "queue:default") == "done"
    assert program.get("/api/v1/stats/exact?q=queue:default")["count"] == 5
    assert program.refused("GET", "/api/v1/stats/exact?q=nokey:x")[0] == 422
    assert program.refused("GET", "/api/v1/stats/exact?q=arg.a:x")[0] == 422


@pytest.mark.usefixtures("many", "short")
def test_what_the_database_cannot_count_or_fails_to_is_told(
    app: Any, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ann.get("/hangfire/counts/failed?q=nokey:x").status_code == 422
    assert ann.get("/hangfire/counts/failed?q=arg.a:x").status_code == 422
    assert "/counts/" not in ann.get("/hangfire/jobs/failed?q=arg.a:x").text

    def away(tx: Any, wanted: Any) -> int:
        raise StorageError("the database is away")

    monkeypatch.setattr(monitoring_exact, "count", away)
    ann.get("/hangfire/counts/failed?q=type:len")
    assert counted(app, "Failed type:len") == "away"
    assert "could not be counted" in ann.get("/hangfire/jobs/failed?q=type:len").text


@pytest.mark.one_engine
def test_only_some_lists_wait_to_be_counted_and_few_are_remembered(
    tm: TaskManager, app: Any, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def count(tx: Any, wanted: Wanted) -> int:
        assert go.wait(60)
        return 1

    monkeypatch.setattr(monitoring_exact, "count", count)
    told = [ann.get(f"/hangfire/counts/all?q=queue:q{n}", **PART).text for n in range(8)]
    go.set()
    all_counted()
    assert ["being counted …" in one for one in told] == [True] * 6 + [False] * 2
    assert "Other lists are being counted" in told[7]
    known = app.config["COUNTING"].known
    for n in range(110):
        ann.get(f"/hangfire/counts/all?q=queue:r{n}", **PART)
        counted(app, f"queue:r{n}")
    assert len(known) == 100
    assert "queue:r109" in known


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


@pytest.mark.one_engine
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
