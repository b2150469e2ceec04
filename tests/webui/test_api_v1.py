"""/api/v1: all that the pages show and do, with the same filters, cursors and permissions."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from tests.conftest import history
from tests.walks.test_legacy import insert
from tests.webui.apiclient import Program, send_mail, with_three_jobs

pytestmark = pytest.mark.each_engine


@pytest.fixture
def program(tm: TaskManager) -> Program:
    return with_three_jobs(tm)


def pages(program: Program, path: str) -> list[Any]:
    """All items of a list, by its cursors."""
    found, address = [], f"{path}{'&' if '?' in path else '?'}limit=2"
    first = program.get(address)
    while True:
        found += first["items"]
        if first["next"] is None:
            return found
        first = program.get(f"{address}&after={first['next']}")


def fail_some(program: Program, hands: Any, number: int) -> list[int]:
    ids = [program.tm.enqueue("Fails") for _ in range(number)]
    worker = hands()
    while worker.work():
        pass
    return ids


def test_jobs_are_listed_by_the_pages_filter_with_cursors_both_ways(program: Program) -> None:
    ids = [program.tm.enqueue("Send mail", f"{n}@b.c") for n in range(5)]
    program.tm.enqueue("Fails")
    assert [job["id"] for job in pages(program, "/api/v1/jobs?q=type:send_mail")] == ids[::-1]
    first = program.get("/api/v1/jobs?q=type:send_mail&limit=2")
    second = program.get(f"/api/v1/jobs?q=type:send_mail&limit=2&after={first['next']}")
    assert program.get(f"/api/v1/jobs?q=type:send_mail&limit=2&before={second['previous']}")["items"] == first["items"]
    assert program.get("/api/v1/jobs?state=Failed")["items"] == []
    assert len(program.get("/api/v1/jobs?q=arg.to:3@b.c")["items"]) == 1
    for query, field in (("q=nokey:x", "q"), ("after=forged", "after"), ("limit=0", "limit"), ("state=Lost", "state")):
        assert program.refused("GET", f"/api/v1/jobs?{query}") == (422, "Request.Invalid", [field])


def test_a_job_is_told_with_its_history_log_and_masked_secrets(program: Program, hands: Any) -> None:
    job_id = program.tm.enqueue("Fails", "hush")
    hands().work()
    detail = program.get(f"/api/v1/jobs/{job_id}")
    assert (detail["state"], detail["name"]) == ("Failed", "Fails")
    assert [entry["state"] for entry in detail["history"]] == ["Enqueued", "Processing", "Failed"]
    assert detail["history"][0]["at"].endswith("Z")
    text = json.dumps(detail)
    assert "ValueError" in text
    assert "hunter2" not in text
    assert "hush" not in text
    log = program.get(f"/api/v1/jobs/{job_id}/log")
    assert (log["state"], log["after"]) == ("Failed", 0)
    for path in ("/api/v1/jobs/999", f"/api/v1/jobs/{2**70}", "/api/v1/jobs/999/log"):
        assert program.refused("GET", path)[:2] == (404, "Jobs.NotFound")


def test_a_job_is_written_with_its_options_requeued_and_deleted(program: Program) -> None:
    body = {"taskType": "Send mail", "arguments": {"to": "a@b.c"}, "queue": "slow", "priority": 3, "delaySeconds": 60}
    job_id = program.post("/api/v1/jobs", body, 201)["jobId"]
    record = program.tm.get(job_id)
    assert (record.state, record.queue, record.priority) == ("Scheduled", "slow", 3)
    program.post(f"/api/v1/jobs/{job_id}/requeue", status=204)
    assert program.send("DELETE", f"/api/v1/jobs/{job_id}").status_code == 204
    assert history(program.tm, job_id) == ["Scheduled", "Enqueued", "Deleted"]
    assert program.refused("DELETE", f"/api/v1/jobs/{job_id}")[:2] == (409, "Jobs.StateChanged")
    both = body | {"at": "2030-01-01T00:00:00Z"}
    assert program.refused("POST", "/api/v1/jobs", both) == (422, "Request.Invalid", ["at"])
    at = program.post("/api/v1/jobs", both | {"delaySeconds": None}, 201)["jobId"]
    assert program.tm.get(at).current.data["EnqueueAt"].startswith("2030-01-01T00:00:00")  # type: ignore[union-attr]
    assert program.refused("POST", "/api/v1/jobs", body | {"queue": "No Queue"})[0] == 422
    assert program.refused("POST", "/api/v1/jobs/999/requeue")[:2] == (404, "Jobs.NotFound")


def test_many_jobs_are_changed_each_only_from_its_state(program: Program, hands: Any) -> None:
    failed = fail_some(program, hands, 3)
    waiting = program.tm.enqueue("Fails")
    done = program.post("/api/v1/jobs/requeue", {"ids": [*failed, waiting, 999], "state": "Failed"})
    assert (done["changed"], sorted(done["refused"])) == (3, sorted([str(waiting), "999"]))
    assert program.post("/api/v1/jobs/delete", {"ids": failed})["changed"] == 3
    assert program.refused("POST", "/api/v1/jobs/delete", {"ids": []})[2] == ["ids"]


def test_recurring_jobs_are_made_read_changed_and_removed(program: Program) -> None:
    one = "/api/v1/recurring/mails/daily"
    body = {"taskType": "Send mail", "arguments": ["a@b.c"], "cron": "0 3 * * *", "timeZone": "Europe/Prague"}
    made = program.send("PUT", one, body | {"isNew": True}).json
    assert program.refused("PUT", one, body | {"isNew": True})[:2] == (409, "Jobs.Exists")
    assert program.refused("PUT", one, body | {"isNew": True, "version": made["version"]})[2] == ["isNew"]
    assert (made["cron"], made["timeZone"], made["queue"]) == ("0 3 * * *", "Europe/Prague", "mail")
    changed = program.send("PUT", one, body | {"cron": "0 4 * * *", "version": made["version"]})
    assert changed.json["cron"] == "0 4 * * *"
    late = body | {"version": made["version"]}
    assert program.refused("PUT", one, late)[:2] == (409, "Jobs.ChangedMeanwhile")
    assert program.refused("PUT", one, body | {"cron": "no"}) == (422, "Jobs.InvalidCron", ["cron"])
    assert {job["id"] for job in pages(program, "/api/v1/recurring")} == {"Nightly", "mails/daily"}
    assert [job["id"] for job in program.get("/api/v1/recurring?q=mails&state=active")["items"]] == ["mails/daily"]
    assert program.post(f"{one}/trigger")["jobId"] == program.get(one)["lastJobId"]
    program.post(f"{one}/pause", status=204)
    assert program.get(one)["isPaused"]
    program.post(f"{one}/resume", status=204)
    assert program.send("DELETE", one).status_code == 204
    assert program.refused("GET", one)[:2] == (404, "Jobs.NotFound")


@pytest.mark.one_engine
def test_types_tell_their_arguments(program: Program) -> None:
    types = {one["name"]: one for one in program.get("/api/v1/types")}
    assert types["Send mail"]["arguments"] == [
        {"name": "to", "type": "str", "required": False, "default": None},
        {"name": "copies", "type": "int", "required": False, "default": "1"},
    ]


def test_queues_are_seen_paused_and_resumed(program: Program) -> None:
    ids = [program.tm.enqueue("Send mail", "a@b.c") for _ in range(3)]
    program.post("/api/v1/queues/mail/pause", status=204)
    (queue,) = program.get("/api/v1/queues")
    assert (queue["name"], queue["waiting"], queue["paused"]) == ("mail", 3, True)
    assert [job["id"] for job in pages(program, "/api/v1/queues/mail/jobs")] == ids
    program.post("/api/v1/queues/mail/resume", status=204)
    assert not program.get("/api/v1/queues")[0]["paused"]
    for verb in ("pause", "resume"):
        assert program.refused("POST", f"/api/v1/queues/No Queue/{verb}")[0] == 422


def test_servers_are_seen_and_drained(program: Program, hands: Any) -> None:
    from taskmanager.storage import servers

    hands()
    program.tm.database.run(lambda tx: servers.announce(tx, "web:1:guid", {"Queues": ["mail"], "WorkerCount": 4}))
    (server,) = [s for s in program.get("/api/v1/servers") if s["id"] == "web:1:guid"]
    assert (server["workers"], server["queues"], server["stage"]) == (4, ["mail"], "active")
    program.post("/api/v1/servers/web:1:guid/pause", status=204)
    assert [s["isPaused"] for s in program.get("/api/v1/servers") if s["id"] == "web:1:guid"] == [True]
    program.post("/api/v1/servers/web:1:guid/resume", status=204)
    assert program.refused("POST", "/api/v1/servers/nobody/pause")[:2] == (404, "Servers.NotFound")


def test_history_is_paged_filtered_and_told_whole(program: Program, hands: Any) -> None:
    fail_some(program, hands, 3)
    program.tm.enqueue("Send mail", "a@b.c")
    hands(queues=("mail",)).work()
    runs = pages(program, "/api/v1/history")
    assert len(runs) == len({run["id"] for run in runs}) == 4
    assert len(pages(program, "/api/v1/history?job=FAILS&success=false")) == 3
    assert program.get("/api/v1/history?success=true")["items"][0]["jobName"] == "Send mail"
    assert program.get("/api/v1/history?until=2000-01-01")["items"] == []
    whole = program.get(f"/api/v1/history/{runs[-1]['id']}")
    assert "fails" in whole["stackTrace"]
    assert "hunter2" not in json.dumps(whole)
    assert program.refused("GET", "/api/v1/history/999999")[:2] == (404, "Runs.NotFound")
    assert program.refused("GET", "/api/v1/history?since=yesterday")[2] == ["since"]


def test_a_bulk_operation_is_started_once_for_a_key_and_watched(program: Program, hands: Any) -> None:
    fail_some(program, hands, 3)
    body = {"action": "requeue", "state": "Failed", "q": "type:fails"}
    made = program.send("POST", "/api/v1/operations", body, Idempotency_Key="k")
    assert made.status_code == 201
    assert program.post("/api/v1/operations", body, 201, Idempotency_Key="k")["id"] == made.json["id"]
    other = body | {"action": "delete"}
    assert program.refused("POST", "/api/v1/operations", other, Idempotency_Key="k")[1] == "Idempotency.KeyReused"
    hands().work()
    ended = program.get(made.headers["Location"])
    assert (ended["changed"], ended["progress"], ended["user"]) == (3, 1.0, "ci")
    assert [one["id"] for one in program.get("/api/v1/operations")] == [ended["id"]]
    assert program.refused("POST", f"/api/v1/operations/{ended['id']}/stop")[:2] == (409, "Operations.Ended")
    wrong = {"action": "delete", "state": "Succeeded"}
    assert program.refused("POST", "/api/v1/operations", wrong)[2] == ["action"]


@pytest.mark.one_engine
def test_many_jobs_need_their_number_said(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    from webui import bulks

    monkeypatch.setattr(bulks, "MANY", 1)
    ids = [program.tm.enqueue("Fails") for _ in range(2)]
    plan = program.get("/api/v1/operations/plan?action=delete&state=Enqueued")
    assert [job["id"] for job in plan.pop("samples")] == ids[::-1]
    assert plan == {"matching": 2, "orMore": False, "expected": 2}
    body = {"action": "delete", "state": "Enqueued"}
    assert program.refused("POST", "/api/v1/operations", body)[2] == ["expected"]
    assert program.post("/api/v1/operations", body | {"expected": 2}, 201)["state"] == "Enqueued"


def test_an_operation_looks_into_each_job_for_a_named_argument(program: Program) -> None:
    for to in ("ginger", "gingerbread"):
        program.tm.client.fail(program.tm.enqueue("Send mail", to), ValueError(), "no")
    made = program.post("/api/v1/operations", {"action": "requeue", "state": "Failed", "q": "arg.to:ginger"}, 201)
    assert program.tm.operations.step(made["id"]).changed == 1


def test_failures_are_grouped_and_acted_on(program: Program, hands: Any) -> None:
    ids = fail_some(program, hands, 3)
    (group,) = program.get("/api/v1/failures")["items"]
    assert (group["count"], group["exception"]) == (3, "ValueError")
    one = f"/api/v1/failures/{group['key']}"
    assert sorted(job["id"] for job in pages(program, one)) == ids
    begun = program.send("POST", f"{one}/requeue", Idempotency_Key="k")
    assert begun.status_code == 202
    assert program.post(f"{one}/requeue", status=202, Idempotency_Key="k")["id"] == begun.json["id"]
    assert program.get(begun.headers["Location"])["q"] == f"group:{group['key']}"
    assert program.tm.operations.step(begun.json["id"]).changed == 3
    assert program.refused("POST", "/api/v1/failures/nothing/delete")[:2] == (404, "Failures.NotFound")


def test_rules_of_alerts_are_made_changed_and_removed_and_hide_their_webhooks(program: Program) -> None:
    body = {"jobName": "Fails", "emailRecipients": ["a@b.c"], "slackWebhook": "https://hooks.example/secret-path"}
    made = program.post("/api/v1/alerts", body, 201)
    assert (made["slackWebhook"], made["emailRecipients"], made["onFailure"]) == ("hooks.example", ["a@b.c"], True)
    assert program.refused("POST", "/api/v1/alerts", body)[:2] == (409, "Alerts.Exists")
    one = f"/api/v1/alerts/{made['id']}"
    changed = program.send("PUT", one, {"jobName": "Fails", "onSuccess": True, "maxAlertsPerHour": 5}).json
    assert (changed["onSuccess"], changed["maxAlertsPerHour"], changed["slackWebhook"]) == (True, 5, "hooks.example")
    gone = program.send("PUT", one, {"jobName": "Fails", "slackWebhook": ""}).json
    assert gone["slackWebhook"] is None
    assert program.refused("PUT", one, {"jobName": "Fails", "emailRecipients": ["no address"]})[0] == 422
    assert program.send("DELETE", one).status_code == 204
    assert program.refused("GET", one)[:2] == (404, "Alerts.NotFound")


def test_a_rule_is_made_once_under_a_key(program: Program) -> None:
    body = {"jobName": "Fails", "emailRecipients": ["a@b.c"]}
    made = program.post("/api/v1/alerts", body, 201, Idempotency_Key="k")
    assert program.post("/api/v1/alerts", body, 201, Idempotency_Key="k") == made
    other = body | {"onSuccess": True}
    assert program.refused("POST", "/api/v1/alerts", other, Idempotency_Key="k")[1] == "Idempotency.KeyReused"
    assert program.refused("POST", "/api/v1/alerts", body, Idempotency_Key="l")[1] == "Alerts.Exists"
    program.send("DELETE", f"/api/v1/alerts/{made['id']}")
    assert program.refused("POST", "/api/v1/alerts", body, Idempotency_Key="k")[:2] == (409, "Idempotency.Gone")
    assert program.get("/api/v1/alerts") == []


def test_a_rule_that_two_requests_of_one_key_make_at_once_is_made_once(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webui.api.idempotency import Key

    body, asked, is_done = {"jobName": "Fails"}, [0], Key.is_done

    def late(key: Key) -> bool:
        """The other request comes between the look and the change."""
        asked[0] += 1
        if asked[0] == 2:
            monkeypatch.setattr(Key, "is_done", is_done)
            assert program.post("/api/v1/alerts", body, 201, Idempotency_Key="k")["jobName"] == "Fails"
            return False
        return is_done(key)

    monkeypatch.setattr(Key, "is_done", late)
    assert program.post("/api/v1/alerts", body, 201, Idempotency_Key="k")["jobName"] == "Fails"
    assert len(program.get("/api/v1/alerts")) == 1


@pytest.mark.parametrize("address", ["/api/v1/recurring/{}/resume", "/api/v1/admin/jobs/{}/resume"])
@pytest.mark.parametrize("is_row", [True, False])
def test_what_was_missed_is_run_once_under_a_key(program: Program, address: str, is_row: bool) -> None:
    """The answer to the first request was lost; meanwhile somebody has paused it again."""
    tm, one = program.tm, "Nightly"
    if is_row:
        insert(tm, "0 2 * * *", "SP_Report")
        one = tm.recurring_jobs.rows()[0].id
    program.post(f"/api/v1/recurring/{one}/pause", status=204)
    tm.database.clock.shift(timedelta(days=2))
    path, wanted = address.format(one), {"runMissed": True}
    program.post(path, wanted, 204, Idempotency_Key="k")
    program.post(path, wanted, 204, Idempotency_Key="k")
    program.post(f"/api/v1/recurring/{one}/pause", status=204)
    tm.database.clock.shift(timedelta(days=2))
    program.post(path, wanted, 204, Idempotency_Key="k")
    assert program.get(f"/api/v1/recurring/{one}")["isPaused"], "the request was done before"
    assert program.refused("POST", path, {}, Idempotency_Key="k")[1] == "Idempotency.KeyReused"
    q = tm.database.product.quote
    with tm.database.engine.connect() as connection:
        assert connection.execute(text(f"SELECT COUNT(*) FROM {q('HangfireJob')}")).scalar_one() == 1


def test_the_audit_log_is_read_by_filter(program: Program) -> None:
    for verb in ("pause", "resume", "pause"):
        program.post(f"/api/v1/recurring/Nightly/{verb}", status=204)
    rows = pages(program, "/api/v1/audit?kind=recurring&target=Nightly")
    assert [(row["user"], row["door"], row["outcome"]) for row in rows] == [("ci", "api", "done")] * 3
    assert json.loads(rows[0]["after"]) == {"paused": True, "note": None, "until": None}
    assert program.get("/api/v1/audit?outcome=denied")["items"] == []


def test_counts_are_told_and_how_many_jobs_ended_when(program: Program, hands: Any) -> None:
    fail_some(program, hands, 2)
    program.tm.enqueue("Fails")
    stats = program.get("/api/v1/stats")
    assert (stats["counts"]["enqueued"], stats["counts"]["failed"], stats["stale"]) == (1, 2, False)
    for period, length in (("day", 24), ("week", 7), ("month", 30)):
        trend = program.get(f"/api/v1/stats/history?period={period}")
        assert (len(trend["moments"]), len(trend["deleted"]), sum(trend["failed"])) == (length, length, 2)


@pytest.mark.one_engine
def test_who_may_only_look_changes_nothing_and_reads_no_audit(program: Program) -> None:
    eyes = Program(program.tm, "eyes")
    for path in ("jobs", "recurring", "queues", "servers", "history", "operations", "failures", "alerts", "types"):
        eyes.get(f"/api/v1/{path}")
    assert eyes.refused("GET", "/api/v1/audit")[:2] == (403, "Access.Forbidden")


@pytest.mark.one_engine
def test_the_document_is_openapi_31_with_every_operation_named_once(program: Program) -> None:
    document = program.get("/api/v1/openapi.json")
    assert document["openapi"].startswith("3.1")
    operations = [one for path in document["paths"].values() for verb, one in path.items() if verb != "parameters"]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names)) > 50
    described = {path: set(methods) - {"parameters"} for path, methods in document["paths"].items()}
    for method, path in (
        ("post", "/api/jobs/fire-and-forget"), ("post", "/api/jobs/delayed"), ("post", "/api/jobs/recurring"),
        ("delete", "/api/jobs/recurring/{jobId}"), ("get", "/api/jobs"), ("post", "/api/jobs/{jobName}/trigger"),
        ("get", "/api/jobs/{jobName}/history"), ("get", "/api/v1/admin/jobs"), ("get", "/api/v1/admin/jobs/{jobId}"),
        ("post", "/api/v1/admin/jobs/{jobId}/trigger"), ("delete", "/api/v1/admin/jobs/{jobId}"),
        ("post", "/api/v1/admin/jobs/{jobId}/pause"), ("post", "/api/v1/admin/jobs/{jobId}/resume"),
        ("post", "/api/v1/admin/jobs/restore"),
    ):  # fmt: skip
        assert method in described[path], (method, path)
    changing = (
        "requeue",
        "delete",
        "pause",
        "resume",
        "stop",
        "restore",
        "revert",
        "stack",
        "test",
        "postpone",
        "give-up",
        "acknowledge",
        "snooze",
        "wake",
        "reschedule",
        "move",
        "undo",
        "searches/own",
        "searches/shared",
        "system/findings",
        "/pauses",
    )
    for path, methods in document["paths"].items():
        takes = [one["name"] for one in methods.get("post", {}).get("parameters", [])]
        makes_jobs = ("/{jobId}/resume", "/{recurringId}/resume", "/queues/{queue}/move")
        of_jobs = path.startswith("/api/v1/failures") or path.endswith(makes_jobs)
        assert "post" not in methods or ("Idempotency-Key" in takes) != (path.endswith(changing) and not of_jobs), path
    page = program.send("GET", "/api/v1/docs", Accept="text/html").text
    assert all(f'id="{name}"' in page for name in names)
    assert "<script>" not in page
    assert " style=" not in page


def test_no_answer_takes_more_than_eight_statements(
    program: Program, hands: Any, statements: Callable[[], list[str]]
) -> None:
    ids = fail_some(program, hands, 12)
    for number in range(12):
        program.tm.enqueue("Send mail", f"{number}@b.c")
        program.tm.recurring(f"r{number}", send_mail, args=("x",), cron="0 2 * * *")
    (group,) = program.get("/api/v1/failures")["items"]
    run = program.get("/api/v1/history")["items"][0]["id"]
    for path in (
        "/api/jobs", "/api/jobs/Fails/history", "/api/v1/admin/jobs", "/api/v1/admin/jobs/Nightly", "/api/v1/jobs",
        "/api/v1/jobs?q=error:purpose", f"/api/v1/jobs/{ids[0]}", f"/api/v1/jobs/{ids[0]}/log", "/api/v1/retries",
        "/api/v1/recurring", "/api/v1/recurring/r1", "/api/v1/types", "/api/v1/queues", "/api/v1/queues/mail/jobs",
        "/api/v1/pauses", "/api/v1/servers", "/api/v1/history?job=Fails", f"/api/v1/history/{run}", "/api/v1/failures",
        f"/api/v1/failures/{group['key']}", "/api/v1/operations", "/api/v1/alerts", "/api/v1/audit",
        "/api/v1/stats", "/api/v1/stats/history",
    ):  # fmt: skip
        statements()
        program.get(path)
        ran = statements()
        assert len(ran) <= 8, (path, ran)


@pytest.mark.parametrize(
    "name", ["😀", "a\0b", "x" * 3000, "%", "'; DROP TABLE c_Job", "Ünï/..//x", "_%!", "\N{ZERO WIDTH SPACE}"]
)
def test_names_nobody_has_find_nothing_on_any_database(program: Program, name: str) -> None:
    from urllib.parse import quote

    text = quote(name, safe="")
    for path in (
        "queues/{}/jobs", "recurring/{}", "failures/{}", "admin/jobs/{}", "history?job={}", "history?server={}",
        "audit?user={}", "audit?kind=job&target={}", "jobs?q={}", "jobs?q=queue:{}", "jobs?q=error:{}", "jobs?after={}",
        "recurring?q={}",
    ):  # fmt: skip
        assert program.send("GET", f"/api/v1/{path.format(text)}").status_code in (200, 404, 422), path
    for path in (
        "/api/v1/servers/{}/pause", "/api/v1/queues/{}/pause", "/api/v1/queues/{}/resume", "/api/v1/recurring/{}/pause",
        "/api/v1/admin/jobs/{}/trigger", "/api/jobs/{}/trigger", "/api/v1/failures/{}/delete",
    ):  # fmt: skip
        assert program.send("POST", path.format(text)).status_code in (404, 422), path
    assert program.send("DELETE", f"/api/jobs/recurring/{text}").status_code == 404
    assert program.send("GET", f"/api/jobs/{text}/history").status_code == 404
