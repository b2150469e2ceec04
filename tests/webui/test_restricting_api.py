"""The API of a dashboard of some queues lists and changes what is theirs, and has nothing of other queues."""

from __future__ import annotations

import json
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.rollups import ALL, MINUTE, QUEUE, Figures, floor
from taskmanager.domain.states import Scheduled
from taskmanager.engine.transitions import Change
from taskmanager.storage import rollups, structures
from tests.webui.apiclient import Program
from tests.webui.test_audit import log


def mailing(to: str = "all") -> None: ...


def paying(whom: str = "all") -> None: ...


@pytest.fixture
def program(tm: TaskManager) -> Program:
    """A program before the queue mail; there is payroll as well."""
    tm.settings = tm.settings.with_changes(web_queues="mail")
    tm.job(display_name="Mailing", queue="mail")(mailing)
    tm.job(display_name="Paying", queue="payroll")(paying)
    tm.recurring("mailing", mailing, cron="0 2 * * *")
    tm.recurring("paying", paying, cron="0 1 * * *")
    return Program(tm)


def jobs_of(tm: TaskManager) -> tuple[int, int]:
    """A job of mail, and one of payroll."""
    (mine,), (other,) = tm.enqueue_many(mailing, [("m",)]), tm.enqueue_many(paying, [("p-secret",)])
    return mine, other


@pytest.mark.each_engine
def test_lists_are_of_the_queues(tm: TaskManager, program: Program) -> None:
    mine, other = jobs_of(tm)
    for query in ("", "?state=Enqueued", "?order=oldest", "?q=queue:payroll", "?q=p-secret"):
        answer = program.send("GET", f"/api/v1/jobs{query}")
        found = [one["id"] for one in answer.json.get("items", [])]
        assert other not in found, query
        assert (found == [mine]) is (query in ("", "?state=Enqueued"))
    assert [one["name"] for one in program.get("/api/v1/queues")] == ["mail"]
    assert [one["id"] for one in program.get("/api/v1/queues/mail/jobs")["items"]] == [mine]
    assert [one["id"] for one in program.get("/api/v1/recurring")["items"]] == ["mailing"]
    assert program.get("/api/v1/recurring?q=payroll")["items"] == []
    assert [one["id"] for one in program.get("/api/v1/admin/jobs")] == ["mailing"]
    assert [one["name"] for one in program.get("/api/v1/types")] == ["Mailing"]
    assert [one["jobName"] for one in program.get("/api/jobs")] == ["Mailing"]


@pytest.mark.each_engine
def test_counts_and_history_are_of_the_queues(tm: TaskManager, program: Program) -> None:
    jobs_of(tm)
    minute = floor(tm.database.clock.now(), MINUTE)
    sums = {
        (minute, QUEUE, "mail"): Figures(5, 2),
        (minute, QUEUE, "payroll"): Figures(70, 7),
        (minute, ALL, ""): Figures(75, 9),
    }
    tm.database.run(lambda tx: rollups.add(tx, sums))
    told = program.get("/api/v1/stats")
    assert (told["counts"]["enqueued"], told["counts"]["succeeded"], told["counts"]["recurring"]) == (1, 3, 1)
    assert ("servers" in told["counts"], told["atLeast"]) == (False, [])
    for period in ("hour", "day", "week", "month"):
        trend = program.get(f"/api/v1/stats/history?period={period}")
        assert (sum(trend["succeeded"]), sum(trend["failed"]), trend["deleted"]) == (3, 2, None)
        assert len(trend["moments"]) == len(trend["succeeded"])


@pytest.mark.each_engine
def test_a_job_of_another_queue_is_not_there(tm: TaskManager, program: Program) -> None:
    mine, other = jobs_of(tm)
    for path in ("", "/log", "/panels"):
        assert program.get(f"/api/v1/jobs/{mine}{path}") is not None
        assert program.refused("GET", f"/api/v1/jobs/{other}{path}")[0] == 404
    assert program.refused("POST", f"/api/v1/jobs/{other}/stack")[0] == 404
    for method, path, body in (
        ("POST", f"{other}/requeue", None), ("DELETE", f"{other}", None), ("POST", f"{other}/again", None),
        ("POST", f"{other}/copies", {"arguments": {}}), ("POST", f"{other}/reschedule", {"delaySeconds": 60}),
        ("POST", f"{other}/move", {"queue": "mail"}), ("POST", f"{mine}/move", {"queue": "payroll"}),
        ("POST", f"{mine}/copies", {"arguments": {}, "queue": "payroll"}),
        ("POST", "requeue", {"ids": [mine, other]}), ("POST", "delete", {"ids": [other]}),
        ("POST", "undo", {"ids": [other]}),
    ):  # fmt: skip
        assert program.refused(method, f"/api/v1/jobs/{path}", body)[0] == 404, path
    for path, change in (("postpone", {"ids": [other], "seconds": 5}), ("give-up", {"ids": [other]})):
        assert program.refused("POST", f"/api/v1/retries/{path}", change)[0] == 404
    assert [tm.get(one).state for one in (mine, other)] == ["Enqueued", "Enqueued"]
    assert [tm.get(one).queue for one in (mine, other)] == ["mail", "payroll"]
    assert str(other) in {row.target for row in log(tm, outcome="denied")}
    assert program.post("/api/v1/jobs/delete", {"ids": [mine]})["changed"] == 1
    assert program.post("/api/v1/jobs/undo", {"ids": [mine]})["changed"] == 1
    program.post(f"/api/v1/jobs/{mine}/reschedule", {"delaySeconds": 60}, 204)
    again = program.post(f"/api/v1/jobs/{mine}/again", None, 201)["jobId"]
    assert tm.get(again).queue == "mail"


def test_jobs_are_written_into_the_queues_alone(tm: TaskManager, program: Program) -> None:
    mail, pay = f"{__name__}:mailing", f"{__name__}:paying"
    made = program.post("/api/v1/jobs", {"taskType": mail}, 201)["jobId"]
    assert tm.get(made).queue == "mail"
    assert tm.get(program.post("/api/v1/jobs", {"taskType": pay, "queue": "mail"}, 201)["jobId"]).queue == "mail"
    program.post("/api/jobs/fire-and-forget", {"taskType": mail}, 201)
    program.post("/api/jobs/Mailing/trigger", None, 200)
    for path, body in (
        ("v1/jobs", {"taskType": pay}), ("v1/jobs", {"taskType": mail, "queue": "payroll"}),
        ("jobs/fire-and-forget", {"taskType": pay}), ("jobs/delayed", {"taskType": pay, "delaySeconds": 5}),
        ("jobs/Paying/trigger", None),
        ("jobs/recurring", {"jobId": "new", "taskType": pay, "cronExpression": "0 2 * * *"}),
        ("jobs/recurring", {"jobId": "paying", "taskType": mail, "cronExpression": "0 2 * * *"}),
    ):  # fmt: skip
        assert program.refused("POST", f"/api/{path}", body)[0] == 404, (path, body)
    assert {one.id: one.queue for one in tm.recurring_list()} == {"mailing": "mail", "paying": "payroll"}
    program.post("/api/jobs/recurring", {"jobId": "new", "taskType": mail, "cronExpression": "0 2 * * *"})
    assert tm.recurring_jobs.get("new").queue == "mail"


def test_a_recurring_job_of_another_queue_is_not_there(tm: TaskManager, program: Program) -> None:
    version = program.get("/api/v1/recurring/mailing")["version"]
    whole: dict[str, Any] = {"taskType": f"{__name__}:mailing", "cron": "0 4 * * *", "timeZone": "UTC"}
    for method, path, body in (
        ("GET", "v1/recurring/paying", None), ("GET", "v1/recurring/paying/runs", None),
        ("GET", "v1/admin/jobs/paying", None), ("DELETE", "v1/recurring/paying", None),
        ("DELETE", "v1/admin/jobs/paying", None), ("DELETE", "jobs/recurring/paying", None),
        ("POST", "v1/recurring/paying/revert", None), ("PUT", "v1/recurring/paying", whole | {"queue": "mail"}),
        ("PUT", "v1/recurring/mailing", whole | {"queue": "payroll", "version": version}),
        ("PUT", "v1/recurring/new", whole | {"taskType": f"{__name__}:paying"}),
        *(("POST", f"v1/{kind}/paying/{verb}", {}) for kind in ("recurring", "admin/jobs")
          for verb in ("trigger", "pause", "resume")),
    ):  # fmt: skip
        assert program.refused(method, f"/api/{path}", body)[0] == 404, (method, path)
    found = {one.id: (one.cron, one.queue, one.paused) for one in tm.recurring_list()}
    assert found == {"mailing": ("0 2 * * *", "mail", False), "paying": ("0 1 * * *", "payroll", False)}
    program.post("/api/v1/recurring/mailing/pause", {}, 204)
    job_id = program.post("/api/v1/admin/jobs/mailing/trigger", {})["jobId"]
    assert (tm.get(job_id).queue, tm.recurring_jobs.get("mailing").paused) == ("mail", True)
    version = program.get("/api/v1/recurring/mailing")["version"]
    answer = program.send("PUT", "/api/v1/recurring/mailing", whole | {"queue": "mail", "version": version})
    assert (answer.status_code, tm.recurring_jobs.get("mailing").cron) == (200, "0 4 * * *")


def test_recurring_jobs_for_administrators_come_by_pages(tm: TaskManager, program: Program) -> None:
    for number in range(5):
        tm.recurring(f"more-{number}", mailing, cron="0 2 * * *")
        tm.recurring(f"more-{number}-paid", paying, cron="0 2 * * *")
    seen, path = [], "/api/v1/admin/jobs?limit=4"
    while path:
        answer = program.send("GET", path)
        seen += [[one["id"] for one in answer.json]]
        path = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]
    assert seen == [["mailing", "more-0", "more-1", "more-2"], ["more-3", "more-4"]]


@pytest.mark.each_engine
def test_retries_are_of_the_queues(tm: TaskManager, program: Program) -> None:
    mine, other = jobs_of(tm)
    now = tm.database.clock.now()
    waits = Scheduled(enqueue_at=now, reason="Retry attempt 1 of 2: no")
    tm.client.change([Change(one, waits) for one in (mine, other)])
    tm.database.run(lambda tx: structures.put(tx, "retries", {str(mine): 0, str(other): 0}))
    assert [one["id"] for one in program.get("/api/v1/retries")["items"]] == [mine]
    assert program.get("/api/v1/stats")["counts"]["retries"] == 1
    assert program.post("/api/v1/retries/give-up", {"ids": [mine]})["changed"] == 1


def test_queues_that_are_not_shown_are_left_alone(tm: TaskManager, program: Program) -> None:
    for verb in ("pause", "resume"):
        assert program.refused("POST", f"/api/v1/queues/payroll/{verb}", {} if verb == "pause" else None)[0] == 404
        assert program.send("POST", f"/api/v1/queues/mail/{verb}", {} if verb == "pause" else None).status_code == 204
    for path in ("jobs", "figures"):
        assert program.refused("GET", f"/api/v1/queues/payroll/{path}")[0] == 404
    refused = ("operations", "failures", "history", "audit", "alerts", "servers", "search?q=x", "jobs/1/runs")
    for path in refused:  # runs of the name of a job are of any queue
        assert program.refused("GET", f"/api/v1/{path}")[:2] == (403, "Access.Forbidden"), path
    assert program.refused("POST", "/api/v1/admin/jobs/restore")[0] == 403
    assert "paths" in json.loads(program.send("GET", "/api/v1/openapi.json").text)


def test_a_token_that_may_only_look_gets_no_more_than_that(tm: TaskManager, program: Program) -> None:
    mine, _ = jobs_of(tm)
    answer = program.send("POST", f"/api/v1/jobs/{mine}/requeue", token="tm_view")
    assert answer.status_code == 403
    assert program.send("POST", "/api/v1/jobs", {"taskType": "x"}, token="tm_view").status_code == 403
