"""Buttons: at Hangfire's addresses, through the engine's one door, only from the state that was shown."""

from __future__ import annotations

import re

import pytest

from taskmanager import TaskManager
from taskmanager.storage import audit
from taskmanager.storage import recurring as recurring_rows
from taskmanager.storage.audit import Sought
from tests.webui.apiclient import Program
from tests.webui.conftest import Browser

pytestmark = pytest.mark.each_engine


def failed(tm: TaskManager, n: int = 1) -> list[int]:
    ids = tm.enqueue_many(len, [("x",)] * n)
    for job_id in ids:
        tm.client.fail(job_id, ValueError(), "no")
    return ids


def test_chosen_jobs_are_requeued_only_from_the_state_they_were_shown_in(tm: TaskManager, ann: Browser) -> None:
    one, two, moved = failed(tm, 3)
    tm.delete(moved)
    answer = ann.post("/hangfire/jobs/failed/requeue", {"jobs[]": [one, two, moved]})
    assert (answer.status_code, answer.data) == (204, b"")
    assert [tm.get(i).state for i in (one, two, moved)] == ["Enqueued", "Enqueued", "Deleted"]
    assert tm.get(one).history[-1].reason == "Triggered via Dashboard UI by ann"


@pytest.mark.parametrize(
    ("start", "path", "end"),
    [
        ("failed", "jobs/failed/delete", "Deleted"), ("failed", "jobs/failed/requeue", "Enqueued"),
        ("scheduled", "jobs/scheduled/enqueue", "Enqueued"), ("scheduled", "jobs/scheduled/delete", "Deleted"),
        ("enqueued", "jobs/enqueued/delete", "Deleted"), ("enqueued", "jobs/enqueued/requeue", "Enqueued"),
        ("deleted", "jobs/deleted/requeue", "Enqueued"), ("awaiting", "jobs/awaiting/enqueue", "Enqueued"),
        ("awaiting", "jobs/awaiting/delete", "Deleted"), ("failed", "jobs/actions/requeue/ID", "Enqueued"),
        ("failed", "jobs/actions/delete/ID", "Deleted"),
    ],
)  # fmt: skip
def test_hangfires_addresses_do_what_they_say(tm: TaskManager, ann: Browser, start: str, path: str, end: str) -> None:
    if start == "failed":
        job_id = failed(tm)[0]
    elif start == "awaiting":
        new = tm._new(tm.definition(len), ("x",), {}, {})
        job_id = tm.client.continue_after(tm.enqueue(len, "p"), new, on_any=False)
    else:
        job_id = tm.enqueue(len, "x", **({"delay": 600} if start == "scheduled" else {}))
    if start == "deleted":
        tm.delete(job_id)
    answer = ann.post(f"/hangfire/{path.replace('ID', str(job_id))}", {"jobs[]": job_id})
    assert answer.status_code == 204
    assert tm.get(job_id).state == end


@pytest.mark.one_engine
def test_no_jobs_are_422_and_an_unknown_job_is_404(ann: Browser) -> None:
    assert ann.post("/hangfire/jobs/failed/requeue").status_code == 422
    assert ann.post("/hangfire/jobs/failed/requeue", {"jobs[]": "x"}).status_code == 422
    assert ann.post("/hangfire/recurring/trigger").status_code == 422
    assert ann.post("/hangfire/jobs/actions/delete/999").status_code == 404
    assert ann.post("/hangfire/jobs/succeeded/delete", {"jobs[]": 1}).status_code in (404, 405)


def test_a_browser_is_led_back_and_told_what_happened(tm: TaskManager, ann: Browser) -> None:
    (one,) = failed(tm)
    form = {"jobs[]": [one, 99999], "back": "/hangfire/jobs/failed?count=50"}
    answer = ann.post("/hangfire/jobs/failed/delete", form, Accept="text/html")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hangfire/jobs/failed?count=50")
    page = ann.get("/hangfire/jobs/failed?count=50").text
    assert "1 job was deleted." in page
    assert "1 job was left" in page
    nothing = ann.post("/hangfire/jobs/failed/delete", {"back": "/hangfire/jobs/failed"}, Accept="text/html")
    assert nothing.status_code in (302, 303, 307, 308)


def test_recurring_jobs_are_triggered_paused_resumed_and_removed(tm: TaskManager, ann: Browser) -> None:
    for name in ("a", "b/ž c"):
        tm.recurring(name, len, args=("x",), cron="0 2 * * *")
    both = {"jobs[]": ["a", "b/ž c"]}
    assert ann.post("/hangfire/recurring/trigger", both).status_code == 204
    assert tm.database.read(lambda tx: recurring_rows.load(tx, "a")).last_job_id  # type: ignore[union-attr]
    assert ann.post("/hangfire/recurring/pause", both).status_code == 204
    assert [r.paused for r in tm.recurring_list()] == [True, True]
    assert ann.post("/hangfire/recurring/resume", {"jobs[]": "a"}).status_code == 204
    assert [r.paused for r in tm.recurring_list()] == [False, True]
    assert ann.post("/hangfire/recurring/remove", {"jobs[]": ["b/ž c", "gone"]}).status_code == 204
    assert [r.id for r in tm.recurring_list()] == ["a"]


def test_queues_are_paused_and_resumed(tm: TaskManager, ann: Browser) -> None:
    tm.enqueue(len, "x", queue="mail")
    assert ann.post("/hangfire/queues/pause", {"queue": "mail"}).status_code == 204
    assert "paused" in ann.get("/hangfire/jobs/enqueued").text
    assert ann.post("/hangfire/queues/resume", {"queue": "mail"}).status_code == 204
    assert ann.post("/hangfire/queues/pause", {"queue": "a b"}).status_code == 422


def test_what_was_done_by_a_button_is_undone_by_the_next(tm: TaskManager, ann: Browser) -> None:
    one, two = failed(tm, 2)
    page = {"Accept": "text/html"}
    ann.post("/hangfire/jobs/failed/delete", {"jobs[]": [one, two], "back": "/hangfire/jobs/failed"}, **page)
    tm.requeue(two)
    notice = ann.get("/hangfire/jobs/failed").text.partition("2 jobs were deleted.")[2].partition("</form>")[0]
    assert 'action="/hangfire/jobs/actions/undo"' in notice
    assert re.findall(r'name="jobs\[\]" value="(\d+)"', notice) == [str(one), str(two)]
    ann.post("/hangfire/jobs/actions/undo", {"jobs[]": [one], "back": "/hangfire/jobs/failed"}, **page)
    told = ann.get("/hangfire/jobs/failed").text
    assert "1 job is as it was before." in told
    assert (tm.get(one).state, tm.get(one).history[-1].reason) == ("Failed", "Taken back via Dashboard UI by ann")
    rows, _ = tm.database.read(lambda tx: audit.page(tx, Sought(kind="job"), limit=9))
    assert (rows[0].action, rows[0].target) == ("jobs.requeue", str(one))
    ann.post("/hangfire/jobs/actions/undo", {"jobs[]": [one], "back": "/hangfire/jobs/failed"}, **page)
    assert "1 job was left: its state had changed." in ann.get("/hangfire/jobs/failed").text


def test_no_way_back_is_offered_where_there_is_none(tm: TaskManager, ann: Browser) -> None:
    done = tm.enqueue(len, "x")
    tm.testing.drain()
    ann.post(
        "/hangfire/jobs/succeeded/requeue", {"jobs[]": [done], "back": "/hangfire/jobs/succeeded"}, Accept="text/html"
    )
    page = ann.get("/hangfire/jobs/succeeded").text
    assert "1 job was enqueued." in page
    assert "actions/undo" not in page


def test_a_program_takes_back_as_well(tm: TaskManager) -> None:
    one, two = failed(tm, 2)
    tm.delete(one)
    answer = Program(tm).post("/api/v1/jobs/undo", {"ids": [one, two]})
    assert (answer["changed"], list(answer["refused"])) == (1, [str(two)])
    assert tm.get(one).state == "Failed"
