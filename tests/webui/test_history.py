"""The history page: what has run, however long ago, and one run with its whole stack trace."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from taskmanager import TaskManager
from tests.webui.conftest import Browser
from tests.webui.sample import TRACE, fill
from webui import exports
from webui.users import ROLES


def shown(page: str) -> list[str]:
    """The ids of the runs that a page lists."""
    return re.findall(r'<tr id="run-(\d+)"', page)


def test_runs_are_listed_newest_first_and_paged_to_the_end(tm: TaskManager, ann: Browser) -> None:
    fill(tm)
    path: str | None = "/hangfire/history?count=20&job=nightly+TOTALS"
    found: list[str] = []
    while path:
        page = ann.get(path).text
        found += shown(page)
        older = re.search(r'rel="next"[^>]*href="([^"]+)"', page)
        path = html.unescape(older[1]) if older else None
    assert len(found) == len(set(found)) == 40
    assert found == sorted(found, key=int, reverse=True)


@pytest.mark.each_engine
def test_the_filters_of_the_form_narrow_the_list_and_say_how_many_match(tm: TaskManager, ann: Browser) -> None:
    fill(tm)
    assert "5 match" in ann.get("/hangfire/history?job=Nightly+totals&result=failed").text
    assert len(shown(ann.get("/hangfire/history?trigger=ANN").text)) == 1
    assert "No run matches" in ann.get("/hangfire/history?server=nowhere").text
    assert "No run matches" in ann.get("/hangfire/history?to=2001-01-01").text
    page = ann.get("/hangfire/history?job=nightly").text
    assert "No job of this name has run" in page
    assert "job=Nightly+totals" in page
    assert "A day is written as" in ann.get("/hangfire/history?from=tomorrow").text


def test_a_name_has_its_statistics(tm: TaskManager, ann: Browser) -> None:
    fill(tm)
    page = ann.get("/hangfire/history?job=Nightly+totals").text
    assert "87.5 %" in page
    assert page.count("<rect") == 40
    assert "half within 2.6 s, 95 % within 3.7 s" in page


def test_one_run_shows_its_trace_and_leads_to_its_job_while_that_is_there(
    tm: TaskManager, ann: Browser, eve: Browser, monkeypatch: Any
) -> None:
    ids = fill(tm)
    run_id = shown(ann.get("/hangfire/history?result=failed").text)[0]
    page = ann.get(f"/hangfire/history/{run_id}").text
    assert "shop.mails.MailNotSent" in page
    assert "frames of libraries" in page
    assert "PASSWORD" not in page, "secrets are masked here too"
    assert "doesn&#39;t exist" in page
    assert "expired" in page
    job = tm.database.tables.legacy.logged
    with tm.database.engine.begin() as connection:
        connection.execute(job.update().where(job.c.ID.in_([int(run_id)])).values(JobId=str(ids["failed"])))
    assert f"jobs/details/{ids['failed']}" in ann.get(f"/hangfire/history/{run_id}").text
    assert ann.get("/hangfire/history/999999").status_code == 404
    monkeypatch.setitem(ROLES, "view", frozenset({"jobs.view"}))  # type: ignore[misc]
    seen = eve.get(f"/hangfire/history/{run_id}")
    assert seen.status_code == 200
    assert "MailNotSent" not in seen.text
    assert "doesn&#39;t exist" not in eve.get("/hangfire/history?result=failed").text
    assert TRACE.splitlines()[0] not in seen.text


def test_hostile_texts_of_a_run_are_shown_as_text(tm: TaskManager, ann: Browser) -> None:
    fill(tm)
    nasty = "<script>alert(1)</script>\"'>%0a"
    job = tm.database.tables.legacy.logged
    with tm.database.engine.begin() as connection:
        connection.execute(
            job.update().values(
                JobName=nasty, JobId=nasty, JobType=nasty[:50], ErrorMessage=nasty, StackTrace=nasty,
                ServerName=nasty, TriggeredBy=nasty, ResultMessage=nasty,
            )
        )  # fmt: skip
    run_id = shown(ann.get("/hangfire/history").text)[0]
    for path in ("history", f"history/{run_id}", "history?job=%3Cscript%3E&server=%3Cscript%3E&trigger=%22%3E"):
        page = ann.get(f"/hangfire/{path}")
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    for path in ("history?after=x&before=y&count=-5&from=99999-01-01", "history/0", f"history/{10**30}"):
        assert ann.get(f"/hangfire/{path}").status_code in (200, 404)


@pytest.mark.each_engine
def test_the_history_and_the_audit_log_are_exported_as_their_filters_find_them(
    tm: TaskManager, ann: Browser, eve: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tm)
    monkeypatch.setattr(exports, "_BATCH", 7)
    runs = ann.get("/hangfire/history?job=nightly+totals&export=json").json
    assert len(runs) == 40
    assert [run["id"] for run in runs] == sorted((run["id"] for run in runs), reverse=True)
    assert {run["job"] for run in runs} == {"Nightly totals"}
    assert not any("hunter2" in str(run["told"]) for run in runs)
    failed = ann.get("/hangfire/history?job=Nightly+totals&result=failed&export=csv&count=20")
    assert failed.headers["Content-Disposition"] == 'attachment; filename="history.csv"'
    lines = failed.text.splitlines()
    assert (lines[0][:12], len(lines) - 1) == ("id,job,type,", sum(not run["succeeded"] for run in runs))
    assert ann.get("/hangfire/history?job=nobody&export=json").json == []
    assert ann.get("/hangfire/history?from=x&export=json").status_code == 422
    changes = ann.get("/hangfire/audit?user=ann&export=json").json
    assert {one["user"] for one in changes} == {"ann"}
    assert "queues.pause" in ann.get("/hangfire/audit?export=csv").text
    assert eve.get("/hangfire/history?export=csv").status_code == 403
    assert eve.get("/hangfire/audit?export=csv").status_code == 403
