"""Failed jobs by their cause, and what is done with a whole group."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain import times
from taskmanager.storage import failures, monitoring_failures, servers, structures
from tests.webui.apiclient import Program
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


@pytest.mark.each_engine
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


def test_each_cause_tells_how_many_failed_lately_and_each_number_leads_to_them(
    embedded: TaskManager, sam: Browser
) -> None:
    ids = [embedded.enqueue(len, "x") for _ in range(4)]
    for job_id in ids:
        embedded.client.fail(job_id, ValueError(), "no such order")
    (group,), _ = embedded.database.read(monitoring_failures.groups)
    ago = {ids[0]: timedelta(hours=3), ids[1]: timedelta(days=3), ids[2]: timedelta(days=30)}
    t, now = embedded.database.tables, embedded.database.read(lambda tx: tx.now())
    with embedded.database.engine.begin() as connection:
        for job_id, back in ago.items():
            member = (t.set.c.Key == failures.MEMBERS + group.key, t.set.c.Value == str(job_id))
            connection.execute(t.set.update().where(*member).values(Score=times.to_unix(now - back)))
            connection.execute(t.state.update().where(t.state.c.JobId == job_id).values(CreatedAt=now - back))
    page = sam.get("/hangfire/jobs/failed/groups").text
    row = page[page.index(f'id="group-{group.key}"') :]
    shown = re.findall(r'class="num">(?:<strong>)?<a href="([^"]+)">(\d)</a>', row)
    assert [count for _, count in shown] == ["1", "2", "3", "4"]
    assert ">new</span>" in row
    for address, count in shown:
        found = re.findall(r'<tr id="job-(\d+)"', sam.get(html.unescape(address)).text)
        assert len(found) == int(count), address
    assert f"action=requeue&amp;q=group:{group.key}" in row
    hour = re.findall(r'<tr id="group-', sam.get("/hangfire/jobs/failed/groups?since=1h").text)
    assert len(hour) == 1
    with embedded.database.engine.begin() as connection:
        connection.execute(t.set.update().where(t.set.c.Key == failures.GROUPS).values(Score=0))
    assert "No failures in this period" in sam.get("/hangfire/jobs/failed/groups?since=7d").text


def test_a_range_of_dates_is_not_turned_round(sam: Browser) -> None:
    assert "cannot be negated" in sam.get("/hangfire/jobs?q=-failed:2026-11-01..2026-11-02").text
    assert "cannot be negated" not in sam.get("/hangfire/jobs?q=-created:>-2h").text


def causes(tm: TaskManager, count: int) -> None:
    """Causes with one failed job each, the last of them the newest; each was first seen an hour before the next."""

    def work(tx: Any) -> None:
        now = tx.now()
        for n in range(count):
            first = times.to_iso(now - timedelta(hours=count - n))
            about = {"Job": f"shop.mails:send{n}", "Exception": "ValueError", "Message": f"order of kind {n}."}
            structures.set_fields(tx, f"{failures.ABOUT}k{n:03}", about | {"FirstSeen": first})
            structures.put(tx, failures.GROUPS, {f"k{n:03}": times.to_unix(now) - count + n})
            structures.put(tx, f"{failures.MEMBERS}k{n:03}", {str(n + 1): times.to_unix(now) - count + n})

    tm.database.run(work)


def shown(page: str) -> list[str]:
    return re.findall(r'<tr id="group-(\w+)"', page)


def test_causes_are_found_by_a_text_also_behind_those_that_are_looked_at_at_once(
    embedded: TaskManager, sam: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    causes(embedded, 30)
    assert shown(sam.get("/hangfire/jobs/failed/groups?q=KIND+7.").text) == ["k007"]
    assert shown(sam.get("/hangfire/jobs/failed/groups?q=send29").text) == ["k029"]
    page = sam.get("/hangfire/jobs/failed/groups?q=valueerror").text
    assert (len(shown(page)), "were looked at" in page) == (20, False)
    assert shown(sam.get(html.unescape(further(page))).text) == [f"k{n:03}" for n in range(9, -1, -1)]
    assert "No cause matches" in sam.get("/hangfire/jobs/failed/groups?q=nobody").text
    monkeypatch.setattr(monitoring_failures, "LOOKED", 25)
    page = sam.get("/hangfire/jobs/failed/groups?q=send3").text
    assert (shown(page), "25 causes were looked at" in page) == ([], True)
    assert shown(sam.get(html.unescape(further(page))).text) == ["k003"]
    told = Program(embedded).get("/api/v1/failures?q=send3")
    assert (told["items"], told["next"] is None) == ([], False)


def further(page: str) -> str:
    found = re.search(r'rel="next" data-hotkey="]" href="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_what_is_new_since_the_newest_deploy_is_shown_alone(embedded: TaskManager, sam: Browser) -> None:
    causes(embedded, 6)
    assert "New since the deploy" not in sam.get("/hangfire/jobs/failed/groups").text
    page = sam.get("/hangfire/jobs/failed/groups?new=deploy").text
    assert (len(shown(page)), "No deploy is known yet" in page) == (6, True)
    now = times.to_unix(embedded.database.read(lambda tx: tx.now()))
    ago = {"shop 1": now - 9 * 86_400, "shop 2": now - 3.5 * 3600}
    embedded.database.run(lambda tx: structures.put(tx, servers.DEPLOYS, ago))
    assert "New since the deploy" in sam.get("/hangfire/jobs/failed/groups").text
    page = sam.get("/hangfire/jobs/failed/groups?new=deploy").text
    assert shown(page) == ["k005", "k004", "k003"]
    assert "a worker of shop 2 started for the first time" in page
    told = Program(embedded).get("/api/v1/failures?newSinceDeploy=true")["items"]
    assert [one["key"] for one in told] == ["k005", "k004", "k003"]


def test_each_cause_draws_its_last_24_hours(embedded: TaskManager, sam: Browser) -> None:
    causes(embedded, 2)
    now = times.to_unix(embedded.database.read(lambda tx: tx.now()))
    ago = {"7": 0.5, "8": 0.6, "9": 5.5, "10": 23.5, "11": 30.0, "12": 9 * 24.0, "13": -1.0}
    scores = {member: now - hours * 3600 for member, hours in ago.items()}
    embedded.database.run(lambda tx: structures.put(tx, f"{failures.MEMBERS}k000", scores))
    (_, group), _ = embedded.database.read(monitoring_failures.groups)
    assert (group.count, group.hour, group.today, group.week) == (8, 4, 6, 7)
    assert {n: count for n, count in enumerate(group.hours) if count} == {0: 1, 18: 1, 23: 4}
    assert len(group.hours) == 24
    page = sam.get("/hangfire/jobs/failed/groups").text
    row = page[page.index('id="group-k000"') :]
    assert row[: row.index("</svg>")].count('<rect class="s-failed"') == 3
    assert "the most in one: 4" in row
    told = Program(embedded).get("/api/v1/failures")["items"][1]
    assert (sum(told["hours"]), told["count"]) == (6, 8)


def test_a_page_of_causes_reads_eleven_thousand_rows_at_most() -> None:
    found = monitoring_failures
    of_hashes = 6 * max(found.AT_ONCE, found.LOOKED)
    assert found.AT_ONCE * (found.CAP + 1) + found.LOOKED + 1 + of_hashes <= 11_000
