"""A job put to another time or queue from its page, or run again as a copy; by the API too."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.states import Processing
from taskmanager.engine.client import new_key
from taskmanager.engine.transitions import Change
from taskmanager.storage import retry_rows
from tests.engine.test_operations import failing, start
from tests.webui.apiclient import Program
from tests.webui.conftest import Browser
from tests.webui.test_audit import log
from tests.webui.test_copies import HTML, arguments, send
from tests.webui.test_retries import soon

JSON = {"Accept": "application/json"}


@pytest.fixture
def failed(tm: TaskManager) -> int:
    tm.job(queue="mail", priority=7)(send)
    job_id = tm.enqueue(send, 41, {"password": "hunter2", "copies": 2}, "s3cr3t")
    tm.client.fail(job_id, ValueError(), "no such order")
    return job_id


def moved(tm: TaskManager, job_id: int) -> tuple[str | None, str]:
    record = tm.get(job_id)
    return record.state, (record.current.data if record.current else {}).get("EnqueueAt", "")


def test_a_failed_job_is_put_to_a_time_by_the_clock_of_a_zone(tm: TaskManager, ann: Browser, failed: int) -> None:
    page = ann.get(f"/hangfire/jobs/details/{failed}").text
    assert f'action="/hangfire/jobs/actions/reschedule/{failed}"' in page
    sent = {"at": "2090-07-01T08:00", "zone": "Europe/Prague"}
    assert ann.post(f"/hangfire/jobs/actions/reschedule/{failed}", sent, **HTML).status_code == 303
    assert moved(tm, failed) == ("Scheduled", "2090-07-01T06:00:00.0000000Z")
    (row,) = log(tm, action="jobs.requeue")
    assert (row.kind, row.target, row.outcome) == ("job", str(failed), "done")
    assert json.loads(row.after or "")["at"].startswith("2090-07-01T06:00")
    again = {"at": "2090-07-02T08:00", "zone": ""}
    assert ann.post(f"/hangfire/jobs/actions/reschedule/{failed}", again, **JSON).status_code == 204
    assert moved(tm, failed) == ("Scheduled", "2090-07-02T08:00:00.0000000Z")


@pytest.mark.parametrize(
    ("sent", "told"),
    [({"at": "soon"}, "needs a moment"), ({"at": "2090-01-01T00:00", "zone": "Mars/Base"}, "Mars/Base"),
     ({"at": "2001-01-01T00:00"}, "has passed")],
)  # fmt: skip
def test_a_time_that_is_none_or_has_passed_is_refused(
    tm: TaskManager, ann: Browser, failed: int, sent: dict[str, str], told: str
) -> None:
    answer = ann.post(f"/hangfire/jobs/actions/reschedule/{failed}", sent, **JSON)
    assert answer.status_code == 422
    ann.post(f"/hangfire/jobs/actions/reschedule/{failed}", sent, **HTML)
    assert told in ann.get(f"/hangfire/jobs/details/{failed}").text
    assert tm.get(failed).state == "Failed"


@pytest.mark.each_engine
def test_what_runs_or_has_ended_is_put_to_no_other_time(tm: TaskManager, ann: Browser, failed: int) -> None:
    running = tm.enqueue(send, 1)
    tm.client.change([Change(running, Processing(server_id="web-1:1:guid", worker_id="1"))])
    sent = {"at": "2090-07-01T08:00"}
    assert "actions/reschedule" not in ann.get(f"/hangfire/jobs/details/{running}").text
    assert ann.post(f"/hangfire/jobs/actions/reschedule/{running}", sent, **JSON).status_code == 422
    tm.delete(failed)
    assert ann.post(f"/hangfire/jobs/actions/reschedule/{failed}", sent, **HTML).status_code == 303
    assert (tm.get(running).state, tm.get(failed).state) == ("Processing", "Deleted")
    assert "the job is Deleted" in ann.get(f"/hangfire/jobs/details/{failed}").text


def test_a_retry_that_is_put_to_another_time_stays_a_retry(tm: TaskManager, ann: Browser, hands: Any) -> None:
    tm.job(retries=3, delays=[60])(soon)
    job_id = tm.enqueue(soon, "a")
    hands().work()
    told = (tm.get(job_id).history[-1].reason or "")[:30]
    assert (
        ann.post(f"/hangfire/jobs/actions/reschedule/{job_id}", {"at": "2090-07-01T08:00"}, **JSON).status_code == 204
    )
    assert moved(tm, job_id)[0] == "Scheduled"
    assert tm.database.read(lambda tx: retry_rows.waiting(tx, "retries", [job_id])) == {job_id}
    assert (tm.get(job_id).history[-1].reason or "").startswith(told)


@pytest.mark.each_engine
def test_a_job_is_put_into_another_queue_and_keeps_its_priority(tm: TaskManager, ann: Browser, failed: int) -> None:
    path = f"/hangfire/jobs/actions/move/{failed}"
    assert ann.post(path, {"to": "No!"}, **JSON).status_code == 422
    assert ann.post(path, {"to": "slow"}, **HTML).status_code == 303
    record = tm.get(failed)
    assert (record.state, record.queue, record.priority) == ("Enqueued", "slow", 7)
    (row,) = log(tm, action="jobs.requeue", outcome="done")
    assert json.loads(row.after or "")["queue"] == "slow"
    assert ann.post("/hangfire/jobs/actions/move/999999", {"to": "slow"}, **JSON).status_code == 404


@pytest.mark.each_engine
def test_a_copy_has_the_arguments_as_they_are_stored_secrets_too(tm: TaskManager, ann: Browser, failed: int) -> None:
    page = ann.get(f"/hangfire/jobs/details/{failed}").text
    once = re.search(r'name="once" value="([0-9a-f]{32})"', page)
    assert once is not None
    path, sent = f"/hangfire/jobs/actions/copy/{failed}", {"once": once[1]}
    answers = [ann.post(path, sent, **JSON).get_json() for _ in range(2)]
    assert answers[0] == answers[1], "pressed twice it is one job"
    made = tm.get(answers[0]["id"])
    assert arguments(tm, made.id) == [None, 41, {"password": "hunter2", "copies": 2}, "s3cr3t"]
    assert (made.state, made.queue, made.priority, tm.get(failed).state) == ("Enqueued", "mail", 7, "Failed")
    assert (made.parameters["MadeFrom"], tm.get(failed).parameters["MadeInto"]) == (str(failed), str(made.id))
    assert made.history[0].reason == f"Copied from #{failed} by ann"
    row = log(tm, action="jobs.enqueue", outcome="done")[-1]
    assert (row.target, json.loads(row.after or "")["jobs"]) == (str(failed), [made.id])
    assert "s3cr3t" not in (row.before or "") + (row.after or "")
    assert ann.post(path, {"once": "x"}, **JSON).status_code == 422


def test_what_the_package_enqueues_itself_is_not_copied(tm: TaskManager, ann: Browser) -> None:
    failing(tm, 2)
    own = start(tm)
    assert "actions/copy" not in ann.get(f"/hangfire/jobs/details/{own}").text
    answer = ann.post(f"/hangfire/jobs/actions/copy/{own}", {"once": new_key()}, **JSON)
    assert (answer.status_code, tm.get(own).parameters.get("MadeInto")) == (422, None)


def test_who_may_only_look_moves_and_copies_nothing(tm: TaskManager, eve: Browser, failed: int) -> None:
    assert 'id="place"' not in eve.get(f"/hangfire/jobs/details/{failed}").text
    for verb, sent in (
        ("reschedule", {"at": "2090-07-01T08:00"}),
        ("move", {"to": "slow"}),
        ("copy", {"once": new_key()}),
    ):
        assert eve.post(f"/hangfire/jobs/actions/{verb}/{failed}", sent).status_code == 403
    assert tm.get(failed).state == "Failed"


@pytest.mark.each_engine
def test_a_program_does_the_same(tm: TaskManager, failed: int) -> None:
    api, path = Program(tm), f"/api/v1/jobs/{failed}"
    at = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    api.post(f"{path}/reschedule", {"at": at}, 204)
    assert moved(tm, failed)[0] == "Scheduled"
    api.post(f"{path}/reschedule", {"delaySeconds": 60}, 204)
    api.post(f"{path}/reschedule", {}, 422)
    api.post(f"{path}/reschedule", {"at": "2001-01-01T00:00:00Z"}, 422)
    api.post(f"{path}/move", {"queue": "slow"}, 204)
    api.post(f"{path}/move", {"queue": "No!"}, 422)
    assert tm.get(failed).queue == "slow"
    made = [api.post(f"{path}/again", status=201, Idempotency_Key="one")["jobId"] for _ in range(2)]
    assert made[0] == made[1]
    tm.delete(failed)
    api.post(f"{path}/reschedule", {"delaySeconds": 60}, 409)
    api.post("/api/v1/jobs/999999/again", status=404)
    api.post("/api/v1/jobs/999999/move", {"queue": "slow"}, 404)
