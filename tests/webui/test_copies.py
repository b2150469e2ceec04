"""A job requeued with edited arguments: a new job, each tells of the other, and the log tells what was changed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import JobContext, TaskManager
from taskmanager.domain.errors import JobNotFound
from taskmanager.domain.states import Enqueued
from taskmanager.engine.client import NewJob, new_key
from tests.webui.conftest import Browser
from tests.webui.test_audit import log
from tests.webui.test_recurring_edit import form_of

HTML = {"Accept": "text/html"}


def send(ctx: JobContext, order_id: int, options: dict[str, Any] | None = None, api_token: str = "") -> int:
    return order_id


@pytest.fixture
def failed(tm: TaskManager) -> int:
    tm.job(queue="mail")(send)
    job_id = tm.enqueue(send, 41, {"password": "hunter2", "copies": 2}, "s3cr3t")
    tm.client.fail(job_id, ValueError(), "no such order")
    return job_id


def form(ann: Browser, job_id: int, **typed: str) -> dict[str, str]:
    shown = form_of(ann.get(f"/hangfire/jobs/details/{job_id}/edit").text)
    return shown | {k.replace("__", "-"): v for k, v in typed.items()}


def arguments(tm: TaskManager, job_id: int) -> list[Any]:
    return [a and json.loads(a) for a in json.loads(tm.get(job_id).arguments)]


def test_a_new_job_is_made_and_each_tells_of_the_other(tm: TaskManager, ann: Browser, failed: int) -> None:
    page = ann.get(f"/hangfire/jobs/details/{failed}").text
    assert "Requeue with edited arguments" in page
    sent = form(ann, failed, arg__order_id="42")
    assert "hunter2" not in str(sent)
    assert "s3cr3t" not in str(sent)
    answer = ann.post(f"/hangfire/jobs/details/{failed}/edit", sent, **HTML)
    assert answer.status_code == 303
    made = int(answer.headers["Location"].rpartition("/")[2])
    assert arguments(tm, made) == [None, 42, {"password": "hunter2", "copies": 2}, "s3cr3t"]
    record = tm.get(made)
    assert (record.state, record.queue, tm.get(failed).state) == ("Enqueued", "mail", "Failed")
    assert record.history[0].reason == f"Requeued from #{failed} with edited arguments by ann"
    assert (record.parameters["MadeFrom"], tm.get(failed).parameters["MadeInto"]) == (str(failed), str(made))
    assert f'href="/hangfire/jobs/details/{failed}">#{failed}</a>' in ann.get(f"/hangfire/jobs/details/{made}").text
    assert f'href="/hangfire/jobs/details/{made}">#{made}</a>' in ann.get(f"/hangfire/jobs/details/{failed}").text
    (row,) = log(tm, action="jobs.edit")
    assert (row.kind, row.target, row.user, row.outcome) == ("job", str(failed), "ann", "done")
    before, after = json.loads(row.before or ""), json.loads(row.after or "")
    assert (before["arguments"]["order_id"], after["arguments"]["order_id"], after["jobs"]) == (41, 42, [made])
    assert "hunter2" not in (row.before or "") + (row.after or "")
    assert "s3cr3t" not in (row.before or "") + (row.after or "")


@pytest.mark.each_engine
def test_sent_twice_it_is_one_job(tm: TaskManager, ann: Browser, failed: int) -> None:
    sent = form(ann, failed, arg__order_id="43")
    first, second = (
        ann.post(f"/hangfire/jobs/details/{failed}/edit", sent, Accept="application/json").get_json() for _ in range(2)
    )
    assert first == second
    assert tm.get(failed).parameters["MadeInto"] == str(first["id"])


@pytest.mark.parametrize(
    ("typed", "told"),
    [({"arg__order_id": "many"}, "whole number"), ({"arg__order_id": ""}, "filled in"), ({"queue": "No!"}, "queue"),
     ({"arg__options": "{"}, "not JSON"), ({"once": "x"}, "Send the form again")],
)  # fmt: skip
def test_what_is_wrong_is_told_and_nothing_is_enqueued(
    tm: TaskManager, ann: Browser, failed: int, typed: dict[str, str], told: str
) -> None:
    answer = ann.post(f"/hangfire/jobs/details/{failed}/edit", form(ann, failed, **typed), **HTML)
    assert answer.status_code == 422
    assert told in answer.text
    assert "MadeInto" not in tm.get(failed).parameters


def test_who_may_not_and_what_cannot_be_edited(tm: TaskManager, ann: Browser, eve: Browser, failed: int) -> None:
    path = f"/hangfire/jobs/details/{failed}/edit"
    assert (eve.get(path).status_code, eve.post(path, {}).status_code) == (403, 403)
    assert "edited arguments" not in eve.get(f"/hangfire/jobs/details/{failed}").text
    assert ann.get("/hangfire/jobs/details/999/edit").status_code == 404
    unknown = tm.enqueue(len, "x")
    tm.registry._by_name.pop("builtins:len")
    assert ann.get(f"/hangfire/jobs/details/{unknown}/edit", **HTML).status_code == 303
    assert f"/{unknown}/edit" not in ann.get(f"/hangfire/jobs/details/{unknown}").text


def test_the_verb_makes_one_job_under_one_key_and_refuses_what_is_gone(tm: TaskManager, failed: int) -> None:
    call = tm.definition(send).invocation((7,), {})
    key = new_key()
    made = {tm.client.create_from(failed, NewJob(call, Enqueued(queue="mail"), "mail"), key=key) for _ in range(2)}
    assert len(made) == 1
    other = tm.client.create_from(failed, NewJob(call, Enqueued(queue="mail"), "mail"), key=new_key())
    assert tm.get(failed).parameters["MadeInto"] == f"{made.pop()},{other}"
    with pytest.raises(JobNotFound):
        tm.client.create_from(10**9, NewJob(call, Enqueued(queue="mail"), "mail"), key=new_key())


@pytest.mark.each_engine
def test_the_chart_of_a_job_shows_the_runs_of_its_kind_and_marks_its_own(
    tm: TaskManager, ann: Browser, hands: Any
) -> None:
    tm.job(send)
    jobs = [tm.enqueue(send, n) for n in range(3)]
    tm.recurring("r", send, args=(1,), cron="0 2 * * *")
    runs = [tm.trigger("r") for _ in range(2)]
    worker = hands()
    while worker.work():
        pass
    tm.database.clock.shift(timedelta(seconds=1))
    page = ann.get(f"/hangfire/jobs/details/{jobs[1]}").text
    assert "Durations of the last 5 runs" in page
    assert page.count('class="mark"') == 1
    assert "this job is underlined" in page
    page = ann.get(f"/hangfire/jobs/details/{runs[0]}").text
    assert "Durations of the last 2 runs" in page
    assert f'aria-label="#{runs[1]} ' in page
