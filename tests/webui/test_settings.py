"""Settings: what somebody chose holds on all pages; what the installation is, is told without secrets."""

from __future__ import annotations

import re

import pytest

from taskmanager import TaskManager
from tests.webui.conftest import USERS, Browser
from tests.webui.sample import fill
from webui import create_app


def test_choices_hold_on_all_pages_and_are_forgotten_together(tm: TaskManager, ann: Browser) -> None:
    ids = tm.enqueue_many(len, [(f"argument-{n}",) for n in range(25)])
    assert ann.get("/hangfire/jobs").text.count("<tr id=") == 20
    for name, value in (("rows", "50"), ("density", "compact"), ("args", "hidden"), ("theme", "dark")):
        assert ann.post("/hangfire/preferences", {name: value}).status_code == 303
    ann.post("/hangfire/preferences", {"rows": "9999", "density": "x"})
    page = ann.get("/hangfire/jobs").text
    assert page.count("<tr id=") == 25
    assert ('data-density="compact"' in page, 'data-bs-theme="dark"' in page) == (True, True)
    assert "argument-" not in page
    assert "argument-3" in ann.get(f"/hangfire/jobs/details/{ids[3]}").text, "hidden in lists alone"
    chosen = re.findall(r'name="(\w+)" value="(\w+)" aria-pressed="true"', ann.get("/hangfire/settings").text)
    assert {("rows", "50"), ("density", "compact"), ("args", "hidden"), ("theme", "dark")} <= set(chosen)
    assert ann.post("/hangfire/preferences", {"forget": "1"}).status_code == 303
    assert ann.get("/hangfire/jobs").text.count("<tr id=") == 20


@pytest.mark.each_engine
def test_the_installation_is_told_without_secrets_to_who_looks_after_it(
    tm: TaskManager, ann: Browser, eve: Browser
) -> None:
    fill(tm)
    page = ann.get("/hangfire/settings/system").text
    assert "audit_retention_seconds" in page
    assert "is missing" not in page
    assert re.search(r"htmx\.org</td><td>4\.0\.1</td>", page)
    assert tm.database.tables.job.name in page
    for secret in (tm.settings.database_url, str(tm.database.url.password or "://"), *USERS.values()):
        assert secret not in page or secret == "test"
    assert eve.get("/hangfire/settings/system").status_code == 403
    assert "/hangfire/settings/system" not in eve.get("/hangfire/settings").text


def test_numbers_are_spelled_as_in_a_locale_that_is_chosen_and_texts_stay(embedded: TaskManager, sam: Browser) -> None:
    embedded.enqueue_many(len, [(str(n),) for n in range(1234)])
    assert 'data-count="enqueued">1,234<' in sam.get("/hangfire/jobs/enqueued").text
    assert sam.post("/hangfire/preferences", {"locale": "de-CH"}).status_code == 303
    page = sam.get("/hangfire/jobs/enqueued").text
    assert 'data-count="enqueued">1’234<' in page
    assert ('data-locale="de-CH"' in page, 'lang="en"' in page, "Queues" in page) == (True, True, True)
    for wrong in ("klingon", "en-GB-x", "../en", "en_GB.UTF-8"):
        sam.post("/hangfire/preferences", {"locale": wrong})
    assert "is no locale; one is called en-GB" in sam.get("/hangfire/settings").text
    assert 'data-locale="de-CH"' in sam.get("/hangfire/settings").text
    sam.post("/hangfire/preferences", {"locale": ""})
    assert 'data-count="enqueued">1,234<' in sam.get("/hangfire/jobs/enqueued").text


@pytest.mark.each_engine
def test_what_the_doctor_finds_is_told_to_who_asks_and_may(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    page = ann.get("/hangfire/settings/system").text
    assert ("Look deeper" in page, "Findings" in page) == (True, False)
    tm.enqueue(len, "x", queue="nobody")
    assert eve.post("/hangfire/settings/system").status_code == 403
    page = ann.post("/hangfire/settings/system", Accept="text/html").text
    assert "1 job waits in nobody, and no server runs" in page
    assert "taskmanager worker --queues nobody" in page
    assert "hot statements" in page
    told = ann.send("POST", "/api/v1/system/findings").json
    assert {"level": "ok", "subject": "isolation"}.items() <= next(
        o for o in told if o["subject"] == "isolation"
    ).items()
    assert [one["level"] for one in told] == sorted((one["level"] for one in told), key=("bad", "warn", "ok").index)
    tm.pause_queue("nobody")
    assert told == ann.send("POST", "/api/v1/system/findings").json, "kept for a moment"
    assert eve.send("POST", "/api/v1/system/findings").status_code == 403


def test_of_sqlite_the_size_of_the_file_is_told(embedded: TaskManager, sam: Browser) -> None:
    page = sam.get("/hangfire/settings/system").text
    (size,) = re.findall(r"the whole file</td>.*?([\d.]+) MB</td>", page)
    assert float(size) > 0


@pytest.mark.each_engine
def test_an_index_that_is_missing_is_named(tm: TaskManager) -> None:
    browser = Browser(create_app(tm, users=USERS))
    table = tm.database.tables.queue
    (index,) = [one for one in table.indexes if one.name == f"IX_{table.name}_JobId"]
    index.drop(tm.database.engine)
    try:
        page = browser.get("/hangfire/settings/system").text
    finally:
        index.create(tm.database.engine)  # other tests have the same tables
    assert f"Index {index.name} of {table.name} is missing" in page
    assert page.count("is missing") == 1
