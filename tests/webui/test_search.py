"""The one box: exact things first, jobs in bounds, and nothing that may not be seen."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select, update

from taskmanager import TaskManager
from taskmanager.domain.states import Succeeded
from taskmanager.engine.transitions import Change
from taskmanager.storage import monitoring_filters, monitoring_reach, servers, structures
from tests.webui.apiclient import Program
from tests.webui.conftest import HASH, Browser
from webui import ROLES, create_app

pytestmark = pytest.mark.each_engine


def send(to: str, subject: str = "") -> None: ...


@pytest.mark.one_engine
def test_a_number_leads_to_its_job_if_there_is_one(tm: TaskManager, ann: Browser) -> None:
    job_id = tm.enqueue(send, "a")
    for q in (str(job_id), f"%23{job_id}"):
        assert ann.get(f"/hangfire/search?q={q}").headers["Location"] == f"/hangfire/jobs/details/{job_id}"
    answer = ann.get("/hangfire/search?q=99999999")
    assert answer.status_code == 200
    assert "Nothing found" in answer.text


def test_jobs_recurring_jobs_queues_and_servers_are_found_by_one_word(tm: TaskManager, ann: Browser) -> None:
    by_argument = tm.enqueue(send, "ginger@example.org")
    by_queue = tm.enqueue(send, "other", queue="ginger-mail")
    failed = tm.enqueue(send, "third")
    tm.client.fail(failed, ValueError(), "no ginger left")
    tm.recurring("ginger-nightly", send, args=("x",), cron="0 2 * * *")
    data = {"Queues": ["default"], "WorkerCount": 1}
    tm.database.run(lambda tx: servers.announce(tx, "ginger-host:1:abcd", data))
    page = ann.get("/hangfire/search?q=ginger").text
    main = page.partition("<main")[2]
    for wanted in (f"#{by_argument} ", f"#{failed} ", "ginger</mark>-nightly", "ginger-mail", "ginger-host:1"):
        assert wanted in main, wanted
    assert "All jobs were searched." in main
    assert f"#{by_queue} " in ann.get("/hangfire/search?q=queue:ginger-mail").text


def test_a_search_without_index_is_bounded_and_says_so(
    tm: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tm.enqueue(send, "needle")
    tm.client.fail(old, ValueError(), "needle")
    tm.enqueue_many(send, [("hay",)] * 12)
    monkeypatch.setattr(monitoring_filters, "SCANNED", 20)
    monkeypatch.setattr(monitoring_reach, "FIRST_FEW", 10)
    monkeypatch.setattr(monitoring_reach, "BUDGET", 0.0)
    for q in ("needle", "error:needle"):
        page = ann.get(f"/hangfire/search?q={q}").text
        assert f"#{old} " not in page, q
        assert "Searched the newest 10 jobs." in page, q
        assert "Search older ones" in page, q
    page = ann.get("/hangfire/search?q=arg:needle").text
    assert f"#{old} " in page, "arguments stand in their row, and more of them are looked at in the first window"
    assert "All jobs were searched." in page


@pytest.mark.one_engine
def test_text_is_escaped_and_wrong_filters_are_told(ann: Browser) -> None:
    page = ann.get("/hangfire/search?q=<script>alert(1)</script>").text
    assert "<script>alert" not in page
    assert "knows no key" in ann.get("/hangfire/search?q=nokey:x").text


@pytest.mark.one_engine
def test_who_may_not_see_arguments_does_not_search_them(tm: TaskManager, monkeypatch: Any) -> None:
    tm.enqueue(send, "needle")
    monkeypatch.setitem(ROLES, "view", frozenset({"jobs.view"}))
    app = create_app(tm, users={"eve": HASH}, roles={"eve": "view"})
    page = Browser(app, "eve").get("/hangfire/search?q=needle").text
    assert "may not look into arguments" in page
    assert "needle</" not in page.partition("<main")[2]


def test_digits_of_other_scripts_are_words_and_no_error(tm: TaskManager, ann: Browser) -> None:
    job_id = tm.enqueue(send, "a")
    tm.database.run(lambda tx: structures.put(tx, "retries", {"²": 1.0, "9" * 24: 2.0, str(job_id): 3.0}))
    for q in ("²", "٣", "9" * 24, "id:²", "attempt:²", "attempt:>²"):
        for page in ("search", "jobs"):
            assert ann.get(f"/hangfire/{page}?q={quote(q)}").status_code == 200, (page, q)
    assert f"#{job_id}" in ann.get("/hangfire/retries").text


def _ran(tm: TaskManager, job_id: int, data: str) -> None:
    t = tm.database.tables
    with tm.database.engine.begin() as connection:
        newest = select(t.job.c.StateId).where(t.job.c.Id == job_id).scalar_subquery()
        connection.execute(update(t.state).where(t.state.c.Id == newest).values(Data=data))


def test_jobs_are_found_by_how_long_they_ran_and_waited(tm: TaskManager, ann: Browser) -> None:
    datas = (
        '{"PerformanceDuration": "29999", "Latency": "100"}', '{"Latency":"400000","PerformanceDuration":"30000"}',
        '{"Result": "\\"PerformanceDuration\\": \\"99999\\"", "PerformanceDuration": 45000, "Latency": 7}',
        '{"PerformanceDuration": "soon"', "",
    )  # fmt: skip
    ids = tm.enqueue_many(send, [("a",)] * len(datas))
    tm.client.change([Change(one, Succeeded(result=None, latency_ms=1, duration_ms=1)) for one in ids])
    for job_id, data in zip(ids, datas, strict=True):
        _ran(tm, job_id, data)
    for q, wanted in {
        "duration:>30s": {1, 2}, "duration:<30s": {0}, "duration:20s..30000ms": {0, 1}, "latency:>5m": {1},
        "latency:<1s": {0, 2}, "-duration:>0.5m": {0, 3, 4}, "duration:>1h": set[int](),
    }.items():  # fmt: skip
        page = ann.get(f"/hangfire/jobs/succeeded?q={quote(q)}").text.partition("<main")[2]
        found = {n for n, one in enumerate(ids) if f"#{one} " in page}
        assert found - {3} == wanted - {3}, q  # what is no number is one on some products, and none on others
    assert "needs a span of time" in ann.get("/hangfire/jobs?q=duration:>soon").text
    assert "needs &gt;, &lt; or a range" in ann.get("/hangfire/jobs?q=latency:5m").text


@pytest.mark.one_engine
def test_a_search_that_used_up_its_time_goes_on_where_it_stopped(
    tm: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_reach, "FIRST", 5)
    monkeypatch.setattr(monitoring_reach, "BUDGET", 0.0)
    ids = [tm.enqueue(send, "x", queue="mail" if n % 6 == 0 else "default") for n in range(24)]
    address, found, told = "/hangfire/jobs?q=queue:mail", list[int](), list[str]()
    while address:
        page = ann.get(address).text.partition("<main")[2]
        found += [one for one in ids[::-1] if f"#{one} " in page]
        told += re.findall(r"Searched the (?:newest|next) \d+ jobs", page)
        link = re.search(r'href="([^"]*)">Search older ones', page)
        address = html.unescape(link[1]) if link else ""
    assert found == ids[::6][::-1]
    assert told == ["Searched the newest 5 jobs", *["Searched the next 5 jobs"] * 3]
    rows = json.loads(ann.get("/hangfire/jobs?q=queue:mail&export=json").text)
    assert [row["id"] for row in rows] == found, "a file takes its time"
    some = Program(tm).get("/api/v1/jobs?q=queue:mail")
    pages, listed = [some], [one["id"] for one in some["items"]]
    while pages[-1]["next"]:
        pages.append(Program(tm).get(f"/api/v1/jobs?q=queue:mail&after={pages[-1]['next']}"))
        listed += [one["id"] for one in pages[-1]["items"]]
    assert listed == found
    assert (some["searchedDownTo"], some["searched"], some["items"]) == (ids[-5], 5, [])
    assert Program(tm).get("/api/v1/search?q=queue:mail")["searched"] == 5


@pytest.mark.one_engine
def test_how_many_there_are_is_counted_on_the_first_page_and_told_on_the_next(tm: TaskManager, ann: Browser) -> None:
    tm.enqueue_many(send, [("x",)] * 45)
    page = ann.get("/hangfire/jobs?q=type:send&count=20").text
    for place in ("1–20", "21–40", "41–45"):
        assert f"{place} of 45" in page, place
        link = re.search(r'rel="next"[^>]* href="([^"]*)"', page)
        page = ann.get(html.unescape(link[1])).text if link else ""
