"""Bulk operations in the pages: the question, the number to type, one start a form, progress and stop."""

from __future__ import annotations

import re

from taskmanager import TaskManager
from taskmanager.storage import audit
from taskmanager.storage.audit import Sought
from tests.engine.test_operations import failing, states
from tests.webui.conftest import Browser


def send(to: str, subject: str = "") -> None: ...


def key_in(page: str) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', page)
    assert found is not None
    return found[1]


def form(page: str, **more: str) -> dict[str, str]:
    return {"state": "failed", "action": "requeue", "q": "", "key": key_in(page)} | more


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
    assert (states(tm, ids), states(tm, others)) == ({"Enqueued"}, {"Failed"})
    assert f'href="/hangfire/operations/{job_id}"' in ann.get("/hangfire/operations").text
    rows, _ = tm.database.read(lambda tx: audit.page(tx, Sought(kind="operation"), limit=9))
    assert {r.action for r in rows} == {"operations.start", "operations.end"}
    assert '"filter": "arg:x"' in (rows[-1].after or "")


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
