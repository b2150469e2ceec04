"""Settings: what somebody chose holds on all pages; what the installation is, is told without secrets."""

from __future__ import annotations

import re

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
