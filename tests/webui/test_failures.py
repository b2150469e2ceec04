"""Failed jobs by their cause, and what is done with a whole group."""

from __future__ import annotations

import re
from typing import Any

from taskmanager import TaskManager
from taskmanager.storage import monitoring_failures
from tests.webui.conftest import Browser
from tests.webui.sample import fill
from tests.webui.test_operations import form


def test_groups_lead_to_their_jobs_and_are_requeued(tm: TaskManager, ann: Browser) -> None:
    ids = fill(tm)
    page = ann.get("/hangfire/jobs/failed/groups").text
    (key,) = re.findall(r'<tr id="group-(\w+)"', page)
    assert "shop.mails.MailNotSent" in page
    assert "order #: connect to smtp.example.org:# timed out" in page
    assert "Send invoice" in page
    group = ann.get(f"/hangfire/jobs/failed/groups/{key}").text
    assert f'id="job-{ids["failed"]}"' in group
    assert f"operations/new?state=failed&amp;action=requeue&amp;q=group:{key}" in group


def test_a_whole_group_is_changed_in_the_background_and_no_other(tm: TaskManager, ann: Browser) -> None:
    ids = fill(tm)
    other = tm.enqueue(len, "x")
    tm.client.fail(other, ValueError(), "of another group")
    group = next(g for g in tm.database.read(monitoring_failures.groups)[0] if g.exception != "ValueError")
    page = ann.get(f"/hangfire/operations/new?state=failed&action=delete&q=group:{group.key}").text
    assert "9 jobs match" in page
    made = ann.post("/hangfire/operations", form(page, action="delete", q=f"group:{group.key}"))
    assert tm.operations.step(made.json["id"]).changed == 9
    assert (tm.get(ids["failed"]).state, tm.get(other).state) == ("Deleted", "Failed")
    assert tm.get(ids["failed"]).history[-1].reason == f"Bulk operation #{made.json['id']} by ann"


def test_who_may_only_look_has_nothing_to_press_and_an_unknown_group_is_a_404(
    tm: TaskManager, ann: Browser, eve: Browser
) -> None:
    fill(tm)
    (key,) = re.findall(r'<tr id="group-(\w+)"', ann.get("/hangfire/jobs/failed/groups").text)
    assert "operations/new" not in eve.get(f"/hangfire/jobs/failed/groups/{key}").text
    assert ann.get("/hangfire/jobs/failed/groups/nothing").status_code == 404


def test_hostile_texts_of_a_group_are_shown_as_text(tm: TaskManager, ann: Browser) -> None:
    evil: Any = "<script>alert(1)</script>"
    tm.client.fail(tm.enqueue(len, "x"), type(evil, (Exception,), {})(), evil)
    page = ann.get("/hangfire/jobs/failed/groups").text
    (key,) = re.findall(r'<tr id="group-(\w+)"', page)
    for text in (page, ann.get(f"/hangfire/jobs/failed/groups/{key}").text):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text
