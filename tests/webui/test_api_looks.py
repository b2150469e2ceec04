"""Search, schedules in words, how runs went, copies, rows of c_Job: over the API as on the pages."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import alert_limits, recurring_runs
from taskmanager.storage.recurring_runs import RecurringRun
from tests.webui.apiclient import Program


def send(order_id: int, api_token: str = "", copies: int = 1) -> int:
    return order_id


def nightly() -> None: ...


@pytest.fixture
def program(tm: TaskManager) -> Program:
    tm.job(display_name="Send", queue="mail", retries=0)(send)
    tm.job("0 2 * * *", display_name="Nightly report")(nightly)
    tm.register_recurring()
    return Program(tm)


def test_everything_is_found_by_one_text_and_a_job_by_its_number(program: Program, statements: Any) -> None:
    job_id = program.tm.enqueue("Send", 7, queue="reports")
    program.tm.trigger("Nightly report")
    program.get("/api/v1/stats")
    statements()
    found = program.get("/api/v1/search?q=report")
    assert len(ran := statements()) <= 8, ran
    assert [one["id"] for one in found["recurring"]] == ["Nightly report"]
    assert (found["queues"], found["jobId"]) == (["reports"], None)
    assert program.get(f"/api/v1/search?q=%23{job_id}")["jobId"] == job_id
    assert [one["id"] for one in program.get("/api/v1/search?q=arg.order_id:7")["jobs"]] == [job_id]
    assert "knows no key" in program.get("/api/v1/search?q=nokey:x")["filterError"]
    assert program.refused("GET", "/api/v1/search")[2] == ["q"]


def test_a_schedule_is_told_in_words_with_its_next_runs_or_refused_at_its_field(program: Program) -> None:
    found = program.get("/api/v1/cron/preview?cron=30 6 * * *&timeZone=Europe/Prague")
    assert "06:30" in found["words"]
    assert len(found["runs"]) == 10
    assert {run["local"][11:] for run in found["runs"]} == {"06:30:00"}
    asked = program.refused("GET", "/api/v1/cron/preview?cron=99 * * * *&timeZone=Mars")
    assert asked == (422, "Jobs.InvalidCron", ["cron", "timeZone"])


@pytest.mark.each_engine
def test_the_last_runs_are_told_of_a_recurring_job_and_of_each_of_its_jobs(program: Program) -> None:
    job_id, at = program.tm.trigger("Nightly report"), datetime(2026, 11, 1, 2)
    runs = [
        RecurringRun("Nightly report", job_id, at, ms, 5, "failed" if ms > 300 else "succeeded")
        for ms in (100, 200, 300, 400)
    ]
    program.tm.database.run(lambda tx: recurring_runs.add(tx, runs))
    found = program.get("/api/v1/recurring/Nightly report/runs?limit=3")
    assert [run["durationMs"] for run in found["runs"]] == [200, 300, 400]
    found = program.get(f"/api/v1/jobs/{job_id}/runs")
    assert (found["p50Ms"], found["p95Ms"], found["succeededPercent"]) == (200, 400, 75.0)
    assert found["runs"][-1] == {
        "jobId": job_id, "startedAt": "2026-11-01T02:00:00Z", "durationMs": 400, "waitedMs": 5, "outcome": "failed",
    }  # fmt: skip
    assert program.refused("GET", "/api/v1/recurring/nobody/runs")[:2] == (404, "Jobs.NotFound")


def test_the_history_of_a_name_is_summed_up(program: Program, hands: Any) -> None:
    for number in range(3):
        program.tm.enqueue("Send", number)
    hands(queues=("mail",)).work()
    found = program.get("/api/v1/history/statistics?job=SEND")
    assert (found["jobName"], found["runs"], found["succeeded"]) == ("Send", 3, 3)
    assert program.refused("GET", "/api/v1/history/statistics?job=nobody")[:2] == (404, "Runs.NotFound")


@pytest.mark.each_engine
def test_a_job_is_written_anew_with_other_arguments_and_keeps_its_secrets(program: Program) -> None:
    job_id = program.tm.enqueue("Send", 41, "s3cr3t")
    one, body = f"/api/v1/jobs/{job_id}/copies", {"arguments": {"order_id": 42}, "queue": "slow"}
    made = program.post(one, body, 201, Idempotency_Key="k")["jobId"]
    assert program.post(one, body, 201, Idempotency_Key="k")["jobId"] == made
    assert [json.loads(item) for item in json.loads(program.tm.get(made).arguments)] == [42, "s3cr3t"]
    assert program.tm.get(made).queue == "slow"
    detail = program.get(f"/api/v1/jobs/{made}")
    assert (detail["madeFrom"], program.get(f"/api/v1/jobs/{job_id}")["madeInto"]) == ([job_id], [made])
    (row,) = [r for r in program.get("/api/v1/audit?action=jobs.edit")["items"] if r["outcome"] == "done"]
    assert (row["target"], row["door"]) == (str(job_id), "api")
    assert "s3cr3t" not in json.dumps(row)
    for wrong in ({"order_id": "x"}, {"nobody": 1}, {"api_token": "••••"}):
        refused = program.refused("POST", one, {"arguments": wrong})
        assert refused == (422, "Jobs.InvalidArguments", ["arguments"]), wrong
    assert program.refused("POST", one, {"queue": "No Queue"})[2] == ["queue"]
    assert program.refused("POST", "/api/v1/jobs/999/copies", {})[:2] == (404, "Jobs.NotFound")
    table = program.tm.database.tables.job
    with program.tm.database.engine.begin() as connection:
        connection.execute(table.update().values(InvocationData='{"Type": "gone", "Method": "away"}'))
    assert program.refused("POST", one, {})[:2] == (409, "Jobs.UnknownType")


@pytest.mark.each_engine
def test_a_definition_of_the_code_is_reverted(program: Program) -> None:
    one = "/api/v1/recurring/Nightly report"
    changed = {"taskType": "Nightly report", "cron": "0 5 * * *", "version": program.get(one)["version"]}
    assert program.send("PUT", one, changed).json["cron"] == "0 5 * * *"
    program.post(f"{one}/revert", status=204)
    assert program.get(one)["cron"] == "0 2 * * *"
    program.post(f"{one}/revert", status=204)


@pytest.mark.each_engine
def test_a_row_of_c_job_is_edited_in_place(program: Program) -> None:
    with program.tm.database.engine.begin() as connection:
        table = program.tm.database.tables.legacy.job
        connection.execute(table.insert().values(JobName="sync", CronExpression="0 1 * * *", StoredProcName="sync_all"))
    (row_id,) = [job["id"] for job in program.get("/api/v1/recurring")["items"] if job["id"].startswith("c_job:")]
    one = f"/api/v1/recurring/{row_id}/row"
    seen = program.get(one)
    body = {"version": seen["version"], "columns": {"CronExpression": "0 4 * * *"}}
    changed = program.send("PUT", one, body).json
    assert changed["columns"] == seen["columns"] | {"CronExpression": "0 4 * * *"}
    assert program.refused("PUT", one, body | {"columns": {"IsActive": ""}})[:2] == (409, "Jobs.ChangedMeanwhile")
    body["version"] = changed["version"]
    assert program.refused("PUT", one, body | {"columns": {"CronExpression": "no"}})[2] == ["columns.CronExpression"]
    assert program.refused("PUT", one, body | {"columns": {"ID": "7"}})[2] == ["columns.ID"]
    assert program.refused("GET", "/api/v1/recurring/Nightly report/row")[:2] == (404, "Jobs.NotFound")


@pytest.mark.each_engine
def test_alerts_are_told_with_what_was_sent_and_who_is_told_elsewhere(program: Program) -> None:
    table = program.tm.database.tables.legacy.job
    with program.tm.database.engine.begin() as connection:
        connection.execute(table.insert().values(JobName="sync", StoredProcName="sync_all", EmailOnFailure=1))
    job_id = program.tm.enqueue("Send", 1)
    program.tm.database.run(lambda tx: alert_limits.remember(tx, job_id))
    assert [one["id"] for one in program.get("/api/v1/alerts/messages")] == [job_id]
    (other,) = program.get("/api/v1/alerts/elsewhere")
    assert (other["job"], other["source"]) == ("sync", "EmailOnFailure")
    made = program.post("/api/v1/alerts", {"jobName": "Send", "maxAlertsPerHour": 0}, 201)
    program.tm.database.run(lambda tx: alert_limits.reserve(tx, "Send", job_id, 0))
    (rule,) = program.get("/api/v1/alerts")
    assert (rule["sentInLastHour"], rule["heldBack"], rule["isFailing"]) == (0, 1, False)
    assert program.get(f"/api/v1/alerts/{made['id']}") == rule


def test_rules_about_the_installation_and_active_alerts_are_those_of_the_pages(
    tm: TaskManager, program: Program
) -> None:
    body = {"name": "Nobody works", "kind": "no_server", "seconds": 1, "slackWebhook": "https://hooks.example/SECRET"}
    made = program.post("/api/v1/alerts/conditions", body, 201, Idempotency_Key="k")
    assert program.post("/api/v1/alerts/conditions", body, 201, Idempotency_Key="k") == made
    assert program.refused("POST", "/api/v1/alerts/conditions", body)[:2] == (409, "Alerts.Exists")
    assert (made["slackWebhook"], made["isTrue"]) == ("hooks.example", False)
    one = f"/api/v1/alerts/conditions/{made['id']}"
    assert program.get(one) == made == program.get("/api/v1/alerts/conditions")[0]
    assert program.refused("POST", "/api/v1/alerts/conditions", {"name": "x", "kind": "weather"})[0] == 422
    tm.conditions.judge()
    tm.testing.move_time(20)
    tm.conditions.judge()
    (alert,) = program.get("/api/v1/alerts/active")
    assert (alert["jobName"], alert["acknowledgedBy"]) == ("condition: Nobody works", None)
    at = f"/api/v1/alerts/active/{alert['key']}"
    program.send("POST", f"{at}/acknowledge", {"note": "on it"})
    assert program.refused("POST", f"{at}/snooze", {"until": "2020-01-01T00:00:00Z"})[0] == 422
    program.send("POST", f"{at}/snooze", {"until": "2099-01-01T00:00:00Z"})
    (alert,) = program.get("/api/v1/alerts/active")
    assert (alert["acknowledgedNote"], alert["snoozedUntil"]) == ("on it", "2099-01-01T00:00:00Z")
    program.send("POST", f"{at}/wake")
    assert program.get("/api/v1/alerts/active")[0]["snoozedUntil"] is None
    hours = {"begins": "22:00", "ends": "06:00", "zone": "Europe/Prague", "drops": False}
    assert program.refused("PUT", one, body | {"quietHours": hours | {"ends": "22:00"}})[0] == 422
    program.send("PUT", one, body | {"seconds": 600, "quietHours": hours})
    assert program.get(one)["quietHours"] == hours
    rule = program.post("/api/v1/alerts", {"jobName": "Send", "quietHours": hours}, 201)
    assert rule["quietHours"] == hours
    assert program.get(one)["seconds"] == 600
    assert program.get("/api/v1/alerts/active") == [], "how it stands begins anew"
    assert program.refused("POST", f"{at}/wake")[:2] == (404, "Alerts.NotActive")
    program.send("DELETE", one)
    assert program.refused("GET", one)[:2] == (404, "Alerts.NotFound")


def test_many_rules_about_the_installation_cost_no_more_than_one(program: Program, statements: Any) -> None:
    def asked() -> tuple[int, int]:
        statements()
        return len(program.get("/api/v1/alerts/conditions")), len(statements())

    body = {"kind": "no_server", "quietHours": {"begins": "22:00", "ends": "06:00"}}
    program.post("/api/v1/alerts/conditions", {"name": "first", **body}, 201)
    one = asked()
    for n in range(8):
        program.post("/api/v1/alerts/conditions", {"name": f"rule {n}", **body}, 201)
    assert asked() == (9, one[1])
    assert {rule["quietHours"]["begins"] for rule in program.get("/api/v1/alerts/conditions")} == {"22:00"}
