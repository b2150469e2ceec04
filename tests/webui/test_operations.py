"""Bulk operations in the pages: the question, the number to type, one start a form, progress and stop."""

from __future__ import annotations

import html
import re

import pytest

from taskmanager import TaskManager
from taskmanager.storage import audit
from taskmanager.storage.audit import Sought
from tests.engine.test_operations import failing, start, states
from tests.webui.apiclient import Program
from tests.webui.conftest import Browser
from webui import views


def send(to: str, subject: str = "") -> None: ...


def key_in(page: str) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', page)
    assert found is not None
    return found[1]


def form(page: str, **more: str) -> dict[str, str]:
    return {"state": "failed", "action": "requeue", "q": "", "key": key_in(page)} | more


@pytest.mark.each_engine
def test_all_matching_jobs_are_requeued_once_however_often_it_is_pressed(tm: TaskManager, ann: Browser) -> None:
    ids, others = failing(tm, 30), failing(tm, 3, "other")
    assert "operations/new?state=failed&amp;action=requeue&amp;q=arg:x" in ann.get("/hangfire/jobs/failed?q=arg:x").text
    page = ann.get("/hangfire/operations/new?state=failed&action=requeue&q=arg:x").text
    assert "30 jobs match" in page
    sent = form(page, q="arg:x")
    first, second = (ann.post("/hangfire/operations", sent, Accept="text/html") for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    job_id = int(first.headers["Location"].rpartition("/")[2])
    assert "It waits for a server." in ann.get(f"/hangfire/operations/{job_id}").text
    tm.operations.step(job_id)
    tm.operations.step(job_id)
    page = ann.get(f"/hangfire/operations/{job_id}").text
    assert "finished" in page
    assert "<strong>30</strong>" in page
    assert re.search(r"<dd>[\d,.]+ a second</dd>", page), "and it is over: nothing is left"
    assert (states(tm, ids), states(tm, others)) == ({"Enqueued"}, {"Failed"})
    assert f'href="/hangfire/operations/{job_id}"' in ann.get("/hangfire/operations").text
    rows, _ = tm.database.read(lambda tx: audit.page(tx, Sought(kind="operation"), limit=9))
    assert {r.action for r in rows} == {"operations.start", "operations.end"}
    assert '"filter": "arg:x"' in (rows[-1].after or "")


@pytest.mark.each_engine
def test_a_named_argument_is_looked_at_in_each_job(tm: TaskManager, ann: Browser) -> None:
    wanted = [tm.enqueue(send, "ginger", "hello"), tm.enqueue(send, to="ginger", subject="second")]
    others = [tm.enqueue(send, "somebody", "ginger"), tm.enqueue(send, "gingerbread")]
    for job_id in [*wanted, *others]:
        tm.client.fail(job_id, ValueError(), "no")
    page = ann.get("/hangfire/operations/new?state=failed&action=requeue&q=arg.to:ginger").text
    assert "That is the most it can be" in page
    job_id = ann.post("/hangfire/operations", form(page, q="arg.to:ginger")).json["id"]
    assert tm.operations.step(job_id).changed == 2
    assert (states(tm, wanted), states(tm, others)) == ({"Enqueued"}, {"Failed"})


def test_more_than_a_thousand_ask_for_the_number(tm: TaskManager, ann: Browser) -> None:
    tm.enqueue_many(len, [("x",)] * 1001, delay=3600)
    page = ann.get("/hangfire/operations/new?state=scheduled&action=delete").text
    assert "Type 1001 to go on" in page
    sent = form(page, state="scheduled", action="delete")
    answer = ann.post("/hangfire/operations", sent | {"number": "100"}, Accept="text/html")
    assert answer.status_code == 422
    assert "not typed right" in answer.text
    assert ann.post("/hangfire/operations", sent | {"number": "1,001"}, Accept="text/html").status_code == 303


@pytest.mark.each_engine
def test_what_waits_in_a_queue_is_deleted_from_its_page(tm: TaskManager, ann: Browser) -> None:
    ids = tm.enqueue_many(send, [("x",)] * 5, queue="mail") + tm.enqueue_many(send, [("x",)])
    address = re.search(r'href="(/hangfire/operations/new[^"]+)"', ann.get("/hangfire/jobs/enqueued/mail").text)
    assert address is not None
    page = ann.get(html.unescape(address[1])).text
    assert "5 jobs match" in page
    assert 'href="/hangfire/jobs?q=state:enqueued+queue:%22mail%22"' in page, "cancelled, one is where one was"
    job_id = ann.post("/hangfire/operations", form(page, state="enqueued", action="delete", q='queue:"mail"')).json[
        "id"
    ]
    tm.operations.step(job_id)
    assert (states(tm, ids[:5]), states(tm, ids[5:])) == ({"Deleted"}, {"Enqueued"})
    assert "/hangfire/jobs?q=state:enqueued" in ann.get(f"/hangfire/operations/{job_id}").text


def test_older_operations_are_on_further_pages(
    tm: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(views.operations, "_PAGE", 2)
    newest = [start(tm) for _ in range(3)][::-1]
    first = ann.get("/hangfire/operations").text
    assert [f"operations/{i}" in first for i in newest] == [True, True, False]
    assert f'href="/hangfire/operations?before={newest[1]}"' in first
    older = ann.get(f"/hangfire/operations?before={newest[1]}").text
    assert [f"operations/{i}" in older for i in newest] == [False, False, True]
    assert 'rel="next"' not in older
    found = ann.get(f"/api/v1/operations?limit=1&before={newest[0]}").json
    assert [one["id"] for one in found] == newest[1:2]


def test_stop(tm: TaskManager, ann: Browser) -> None:
    tm.operations.part = 4
    failing(tm, 9)
    page = ann.get("/hangfire/operations/new?state=failed&action=delete").text
    made = ann.post("/hangfire/operations", form(page, action="delete"))
    job_id = made.json["id"]
    tm.operations.step(job_id)
    assert ann.post(f"/hangfire/operations/{job_id}/stop").status_code == 204
    tm.operations.step(job_id)
    page = ann.get(f"/hangfire/operations/{job_id}").text
    assert "Stopped by" in page
    assert 'operations/new?state=failed&amp;action=delete"' in page, "what is left may be done later"
    assert 'href="/hangfire/jobs/failed"' in page
    assert "/stop" not in page
    assert ann.post(f"/hangfire/operations/{job_id}/stop").status_code == 422


def test_what_cannot_be_asked_is_refused(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    failing(tm, 2)
    for query in ("state=succeeded&action=delete", "state=nope&action=requeue", "state=failed&action=explode",
                  "state=failed&action=delete&q=nokey:1",
                  "state=failed&action=delete&q=state:deleted"):  # fmt: skip
        assert ann.get(f"/hangfire/operations/new?{query}").status_code == 400, query
    page = ann.get("/hangfire/operations/new?state=failed&action=requeue").text
    assert ann.post("/hangfire/operations", form(page, key="x")).status_code == 400
    assert eve.get("/hangfire/operations/new?state=failed&action=requeue").status_code == 403
    assert eve.post("/hangfire/operations", form(page)).status_code == 403
    assert eve.get("/hangfire/operations").status_code == 200
    assert ann.get("/hangfire/operations/1").status_code == 404
    assert "operations/new" not in eve.get("/hangfire/jobs/failed?q=arg:x").text


def test_those_that_run_those_that_ended_and_those_of_somebody_are_listed_apart(tm: TaskManager, ann: Browser) -> None:
    failing(tm, 2)
    made = []
    for _ in range(2):
        page = ann.get("/hangfire/operations/new?state=failed&action=requeue").text
        made.append(ann.post("/hangfire/operations", form(page)).json["id"])
    while not tm.operations.step(made[0]).ended:
        pass

    def listed(query: str) -> list[int]:
        page = ann.get(f"/hangfire/operations?{query}").text
        return [int(one) for one in re.findall(r'job-name"><a href="/hangfire/operations/(\d+)"', page)]

    assert listed("") == made[::-1]
    assert (listed("state=running"), listed("state=done")) == (made[1:], made[:1])
    assert (listed("actor=ANN"), listed("actor=eve"), listed("state=done&actor=ann")) == (made[::-1], [], made[:1])
    assert "No bulk operation matches" in ann.get("/hangfire/operations?actor=eve").text
    program = Program(tm)
    assert [one["id"] for one in program.get("/api/v1/operations?progress=running")] == made[1:]
    assert program.get("/api/v1/operations?user=eve") == []


@pytest.mark.each_engine
def test_the_starts_of_requeued_jobs_are_spread_over_minutes(tm: TaskManager, ann: Browser) -> None:
    ids = failing(tm, 4)
    page = ann.get("/hangfire/operations/new?state=failed&action=requeue").text
    assert 'name="spread"' in page
    assert 'name="spread"' not in ann.get("/hangfire/operations/new?state=failed&action=delete").text
    answer = ann.post("/hangfire/operations", form(page, spread="10"), Accept="text/html")
    job_id = int(answer.headers["Location"].rpartition("/")[2])
    tm.operations.step(job_id)
    assert states(tm, ids) <= {"Scheduled", "Enqueued"}
    assert tm.get(ids[0]).state == "Scheduled"
    assert "<dt>Spread over</dt><dd>10 m" in ann.get(f"/hangfire/operations/{job_id}").text
    for wrong in ("x", "-1", "99999"):
        assert ann.post("/hangfire/operations", form(page, spread=wrong)).status_code == 400


def test_a_program_spreads_them_too(tm: TaskManager) -> None:
    program = Program(tm)
    failing(tm, 2)
    asked = {"action": "requeue", "state": "Failed", "q": "", "spreadSeconds": 600}
    assert program.post("/api/v1/operations", asked, status=201)["spreadSeconds"] == 600
    status, _, told = program.refused("POST", "/api/v1/operations", asked | {"action": "delete"})
    assert (status, told) == (422, ["spreadSeconds"])
