"""Failed jobs by their cause, and what is done with a whole group."""

from __future__ import annotations

import re
from typing import Any

from taskmanager import TaskManager
from tests.webui.conftest import Browser
from tests.webui.sample import fill


def test_groups_lead_to_their_jobs_and_are_requeued(tm: TaskManager, ann: Browser) -> None:
    ids = fill(tm)
    page = ann.get("/hangfire/jobs/failed/groups").text
    (key,) = re.findall(r'<tr id="group-(\w+)"', page)
    assert "shop.mails.MailNotSent" in page
    assert "order #: connect to smtp.example.org:# timed out" in page
    assert "Send invoice" in page
    group = ann.get(f"/hangfire/jobs/failed/groups/{key}").text
    assert f'id="job-{ids["failed"]}"' in group
    assert "Requeue all 9" in group
    answer = ann.post(f"/hangfire/jobs/failed/groups/{key}/requeue", Accept="text/html")
    assert answer.status_code == 303
    page = ann.get("/hangfire/jobs/failed/groups").text
    assert "9 jobs were enqueued." in page
    assert "grouped by job, error" in page
    assert tm.get(ids["failed"]).state == "Enqueued"
    reasons = [s.reason for s in tm.get(ids["failed"]).history]
    assert reasons[-1] == "Triggered via Dashboard UI by ann"


def test_a_group_is_deleted_and_an_unknown_one_is_a_404(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    ids = fill(tm)
    (key,) = re.findall(r'<tr id="group-(\w+)"', ann.get("/hangfire/jobs/failed/groups").text)
    assert (
        '<form method="post" action="/hangfire/jobs/failed/groups'
        not in eve.get(f"/hangfire/jobs/failed/groups/{key}").text
    )
    assert eve.post(f"/hangfire/jobs/failed/groups/{key}/delete").status_code == 403
    assert ann.post(f"/hangfire/jobs/failed/groups/{key}/delete").status_code == 204
    assert tm.get(ids["failed"]).state == "Deleted"
    assert ann.get("/hangfire/jobs/failed/groups/nothing").status_code == 404
    assert ann.post("/hangfire/jobs/failed/groups/nothing/delete").status_code == 404


def test_hostile_texts_of_a_group_are_shown_as_text(tm: TaskManager, ann: Browser) -> None:
    evil: Any = "<script>alert(1)</script>"
    tm.client.fail(tm.enqueue(len, "x"), type(evil, (Exception,), {})(), evil)
    page = ann.get("/hangfire/jobs/failed/groups").text
    (key,) = re.findall(r'<tr id="group-(\w+)"', page)
    for text in (page, ann.get(f"/hangfire/jobs/failed/groups/{key}").text):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text
