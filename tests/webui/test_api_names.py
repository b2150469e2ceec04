"""/api/jobs and /api/v1/admin/jobs: addresses, names and answers as their specifications have them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.engine import moving
from taskmanager.storage import legacy
from tests.conftest import history
from tests.walks.test_legacy import insert
from tests.webui.apiclient import TOKENS, Program, nightly, with_three_jobs
from tests.webui.conftest import USERS, signed
from webui import create_app


def helper() -> None: ...


@pytest.fixture
def program(tm: TaskManager) -> Program:
    return with_three_jobs(tm)


MAIL = {"taskType": "send mail", "payload": '{"to": "a@b.c", "copies": 2}'}


def test_a_fire_and_forget_job_runs_with_its_payload(program: Program, hands: Any) -> None:
    answer = program.send("POST", "/api/jobs/fire-and-forget", MAIL)
    assert (answer.status_code, answer.mimetype) == (201, "application/json")
    job_id = answer.json["jobId"]
    assert hands(queues=("mail",)).work() == 1
    record = program.tm.get(job_id)
    assert record.result == "2 to a@b.c"
    assert record.parameters["TriggeredBy"] == '"API"'
    assert program.get(answer.headers["Location"])["state"] == "Succeeded"


@pytest.mark.each_engine
def test_what_a_row_of_c_job_was_turned_into_is_run_by_its_name_and_not_the_row_that_was_kept(program: Program) -> None:
    tm = program.tm
    with tm.database.engine.begin() as connection:
        row = {"JobName": "sync", "CronExpression": "0 1 * * *", "StoredProcName": "sync_all", "IsActive": 1}
        connection.execute(tm.database.tables.legacy.job.insert().values(**row))
    (move,) = moving.plan(tm.database.read(legacy.load_all), "UTC")
    tm.recurring_jobs.add_or_update(move.definition)
    tm.legacy_jobs.switch(move.row.id, False)
    known = [(job["jobName"], job["jobType"]) for job in program.get("/api/jobs") if job["jobType"] == "sync_all"]
    assert known == [("sync", "sync_all")] * 2
    job_id = program.post("/api/jobs/SYNC/trigger")["jobId"]
    assert tm.get(job_id).parameters["RecurringJobId"] == '"sync"'


@pytest.mark.parametrize("payload", ['["a@b.c", 2]', ["a@b.c", 2], {"to": "a@b.c", "copies": 2}])
def test_a_payload_may_be_text_or_json_by_name_or_by_position(program: Program, hands: Any, payload: Any) -> None:
    job_id = program.post("/api/jobs/fire-and-forget", MAIL | {"payload": payload}, 201)["jobId"]
    hands(queues=("mail",)).work()
    assert program.tm.get(job_id).result == "2 to a@b.c"


def test_a_delayed_job_waits_for_so_many_seconds(program: Program) -> None:
    job_id = program.post("/api/jobs/delayed", MAIL | {"delaySeconds": 3600}, 201)["jobId"]
    record = program.tm.get(job_id)
    assert record.state == "Scheduled"
    assert record.current is not None
    due = record.current.data["EnqueueAt"]
    assert due > record.current.data["ScheduledAt"]
    assert program.refused("POST", "/api/jobs/delayed", MAIL) == (422, "Request.Invalid", ["delaySeconds"])
    assert program.refused("POST", "/api/jobs/delayed", MAIL | {"delaySeconds": -1})[2] == ["delaySeconds"]


@pytest.mark.each_engine
def test_a_recurring_job_is_made_changed_and_removed(program: Program) -> None:
    body = MAIL | {"jobId": "mails/daily", "cronExpression": "0 3 * * *"}
    for cron in ("0 3 * * *", "0 4 * * *"):
        program.post("/api/jobs/recurring", body | {"cronExpression": cron})
        record = program.tm.recurring_jobs.find("mails/daily")
        assert (record.cron, record.queue) == (cron, "mail")
    assert program.refused("POST", "/api/jobs/recurring", body | {"cronExpression": "61 * * * *"}) == (
        422, "Jobs.InvalidCron", ["cronExpression"],
    )  # fmt: skip
    assert program.send("DELETE", "/api/jobs/recurring/mails/daily").status_code == 204
    assert program.refused("DELETE", "/api/jobs/recurring/mails/daily")[:2] == (404, "Jobs.NotFound")


def test_all_jobs_are_listed_with_what_is_known_of_them(program: Program) -> None:
    listed = {job["jobName"]: job for job in program.get("/api/jobs")}
    assert set(listed) == {"Send mail", "Fails", "Nightly"}
    assert listed["Nightly"] == {
        "jobType": f"{nightly.__module__}:nightly", "jobName": "Nightly", "description": "", "type": "Recurring",
        "cronExpression": "0 2 * * *", "queue": "default", "retryAttempts": 3,
    }  # fmt: skip
    assert listed["Send mail"]["description"] == "Sends a mail."


def test_a_job_is_triggered_by_its_name_in_any_case(program: Program, hands: Any) -> None:
    for name in ("Nightly", "nightly", "NIGHTLY", f"{nightly.__module__}:nightly"):
        answer = program.post(f"/api/jobs/{name}/trigger")
        assert answer["message"] == f"Job '{name}' triggered successfully"
        hands().work()
        assert program.tm.get(answer["jobId"]).result == "done"
    assert program.refused("POST", "/api/jobs/nobody/trigger")[:2] == (404, "Jobs.NotFound")
    assert program.refused("POST", "/api/jobs/Send mail/trigger")[:2] == (422, "Jobs.TriggerFailed")


@pytest.mark.each_engine
def test_the_history_of_a_name_is_its_newest_runs_with_secrets_masked(program: Program, hands: Any) -> None:
    for _ in range(3):
        program.post("/api/jobs/fails/trigger")
        hands().work()
    runs = program.get("/api/jobs/FAILS/history")
    assert [run["success"] for run in runs] == [False] * 3
    assert [run["id"] for run in runs] == sorted((run["id"] for run in runs), reverse=True)
    assert runs[0]["triggeredBy"] == "API"
    assert "on purpose" in runs[0]["errorMessage"]
    assert "hunter2" not in str(runs)
    for query in ("limit=2", "count=2"):
        assert len(program.get(f"/api/jobs/Fails/history?{query}")) == 2
    assert program.refused("GET", "/api/jobs/Fails/history?limit=0")[2] == ["limit"]
    assert program.get("/api/jobs/Nightly/history") == []
    assert program.refused("GET", "/api/jobs/nobody/history")[:2] == (404, "Jobs.NotFound")


def test_recurring_jobs_are_administered(program: Program, hands: Any) -> None:
    admin = "/api/v1/admin/jobs"
    assert [(job["id"], job["isPaused"], job["cron"]) for job in program.get(admin)] == [
        ("Nightly", False, "0 2 * * *")
    ]
    job_id = program.post(f"{admin}/Nightly/trigger")["jobId"]
    hands().work()
    detail = program.get(f"{admin}/Nightly")
    assert (detail["lastJobId"], detail["lastStatus"]) == (job_id, "Succeeded")
    assert [(run["jobId"], run["status"]) for run in detail["executionHistory"]] == [(str(job_id), "Succeeded")]
    program.post(f"{admin}/Nightly/pause", status=204)
    assert program.get(f"{admin}/Nightly")["isPaused"]
    assert program.post(f"{admin}/Nightly/trigger")["jobId"] > job_id, "a paused one may be run by hand"
    program.post(f"{admin}/Nightly/resume", status=204)
    resumed = program.get(f"{admin}/Nightly")
    assert (resumed["isPaused"], resumed["cron"]) == (False, "0 2 * * *")
    for verb in ("trigger", "pause", "resume"):
        assert program.refused("POST", f"{admin}/nobody/{verb}")[:2] == (404, "Jobs.NotFound")
    assert program.refused("GET", f"{admin}/nobody")[:2] == (404, "Jobs.NotFound")


@pytest.mark.each_engine
def test_the_list_of_recurring_jobs_comes_in_pages_rows_of_c_job_after_the_others(program: Program) -> None:
    admin, tm = "/api/v1/admin/jobs", program.tm
    for number in range(4):
        tm.recurring(f"r{number}", nightly, cron="0 2 * * *")
        insert(tm, "0 2 * * *", "SP_Report", f"Report {number}")
    tm.pause("r1", note="month end")
    whole = program.get(admin)
    assert [job["id"] for job in whole[:5]] == ["Nightly", "r0", "r1", "r2", "r3"]
    assert [job["name"] for job in whole[5:]] == [f"Report {number}" for number in range(4)]
    assert whole[2]["pauseNote"] == "month end"
    for limit in (1, 2, 5, 9):
        found, address = [], f"{admin}?limit={limit}"
        while address:
            page = program.send("GET", address)
            found += page.json
            assert len(page.json) <= limit
            address = page.headers.get("Link", "").partition('>; rel="next"')[0].removeprefix("<")
        assert found == whole
    assert program.refused("GET", f"{admin}?limit=0&page=2")[2] == ["limit", "page"]


def test_removed_by_the_api_a_job_is_restored_running_removed_in_the_dashboard_paused(program: Program) -> None:
    admin, tm = "/api/v1/admin/jobs", program.tm
    program.post(f"{admin}/Nightly/pause", status=204)
    assert program.send("DELETE", f"{admin}/Nightly").status_code == 204
    done = program.post(f"{admin}/restore")
    assert [(one["id"], one["missing"], one["isPaused"]) for one in done["restored"]] == [("Nightly", True, False)]
    program.post(f"{admin}/Nightly/pause", status=204)
    tm.remove("Nightly", keep_pause=True)
    program.post(f"{admin}/restore")
    assert program.get(f"{admin}/Nightly")["isPaused"]


def test_task_types_are_registered_jobs_and_nothing_else(program: Program) -> None:
    known = len(program.tm.registry)
    for name in ("os:system", f"{__name__}:helper", "tests.webui.test_api_names:helper", "Stored procedure", "x\x00"):
        assert program.refused("POST", "/api/jobs/fire-and-forget", {"taskType": name, "payload": "[]"})[0] == 422
        assert program.refused("POST", f"/api/jobs/{name}/trigger")[0] == 404
    assert len(program.tm.registry) == known


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ({}, "Request.Invalid", ["taskType"]),
        (MAIL | {"taskTyp": "x"}, "Request.Invalid", ["taskTyp"]),
        (MAIL | {"taskType": 7}, "Request.Invalid", ["taskType"]),
        (MAIL | {"taskType": ""}, "Request.Invalid", ["taskType"]),
        (MAIL | {"payload": "{"}, "Request.Invalid", ["payload"]),
        (MAIL | {"payload": "[" * 100_000}, "Request.Invalid", ["payload"]),
        (MAIL | {"payload": {"nobody": 1}}, "Jobs.InvalidArguments", ["payload"]),
        (MAIL | {"payload": {"to": "a", "copies": "many"}}, "Jobs.InvalidArguments", ["payload"]),
        (MAIL | {"payload": None}, "Jobs.InvalidArguments", ["payload"]),
    ],
    ids=str,
)
def test_a_body_that_is_wrong_is_refused_with_the_fields_name(
    program: Program, body: Any, code: str, fields: list[str]
) -> None:
    assert program.refused("POST", "/api/jobs/fire-and-forget", body) == (422, code, fields)
    assert program.get("/api/v1/jobs")["items"] == []


def test_bodies_that_are_no_json_objects_are_refused(program: Program) -> None:
    client = program.app.test_client()
    for data, kind, status in (
        (b"{", "application/json", 400), (b"[1]", "application/json", 400), (b"\xff", "application/json", 400),
        (b'{"a":NaN}', "application/json", 400), (b"[" * 100_000, "application/json", 400),
        (b"taskType=x", "application/x-www-form-urlencoded", 415), (b"{}", "text/plain", 415),
        (b" " * 3_000_000, "application/json", 413),
    ):  # fmt: skip
        headers = {"Authorization": f"Bearer {TOKENS['ci']}"}
        answer = client.post("/api/jobs/fire-and-forget", data=data, content_type=kind, headers=headers)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), data[:20]


def test_a_key_makes_one_job_of_a_request_sent_twice_and_refuses_another_body(program: Program) -> None:
    key = {"Idempotency_Key": "order 7"}
    first = program.post("/api/jobs/fire-and-forget", MAIL, 201, **key)
    again = program.post("/api/jobs/fire-and-forget", dict(reversed(MAIL.items())), 201, **key)
    assert again == first
    other = MAIL | {"payload": '["x@y.z"]'}
    assert program.refused("POST", "/api/jobs/fire-and-forget", other, **key)[:2] == (422, "Idempotency.KeyReused")
    elsewhere = program.post("/api/jobs/delayed", MAIL | {"delaySeconds": 1}, 201, **key)
    assert elsewhere["jobId"] != first["jobId"], "a key counts for its path"
    assert len(program.get("/api/v1/jobs")["items"]) == 2
    for key_text in ("", "x" * 201):
        assert program.refused("POST", "/api/jobs/fire-and-forget", MAIL, Idempotency_Key=key_text)[0] == 400


@pytest.mark.each_engine
@pytest.mark.parametrize("path", ["/api/jobs/Nightly/trigger", "/api/v1/admin/jobs/Nightly/trigger"])
def test_a_trigger_sent_twice_under_a_key_is_one_run(program: Program, path: str) -> None:
    first = program.post(path, Idempotency_Key="k")
    assert program.post(path, Idempotency_Key="k") == first
    assert program.post(path)["jobId"] != first["jobId"]
    assert history(program.tm, first["jobId"]) == ["Enqueued"]


def test_a_recurring_job_sent_again_under_its_key_leaves_what_somebody_changed_since(program: Program) -> None:
    body = {"jobId": "mails", "cronExpression": "0 3 * * *", "taskType": "Send mail", "payload": '["a@b.c"]'}
    first = program.post("/api/jobs/recurring", body, Idempotency_Key="k")
    one = {"taskType": "Send mail", "arguments": ["a@b.c"], "cron": "0 9 * * *"}
    assert program.send("PUT", "/api/v1/recurring/mails", one).status_code == 200
    assert program.post("/api/jobs/recurring", body, Idempotency_Key="k") == first
    assert program.get("/api/v1/recurring/mails")["cron"] == "0 9 * * *"
    other = body | {"cronExpression": "0 4 * * *"}
    assert program.refused("POST", "/api/jobs/recurring", other, Idempotency_Key="k")[1] == "Idempotency.KeyReused"
    program.post("/api/jobs/recurring", body)
    assert program.get("/api/v1/recurring/mails")["cron"] == "0 3 * * *"


def test_a_request_sent_again_stands_in_the_audit_log_as_having_changed_nothing(program: Program) -> None:
    for _ in range(2):
        program.post("/api/jobs/fire-and-forget", MAIL, 201, Idempotency_Key="k")
        program.post("/api/v1/admin/jobs/Nightly/trigger", Idempotency_Key="k")
    rows = program.get("/api/v1/audit")["items"]
    assert [row["outcome"] for row in rows] == ["unchanged", "unchanged", "done", "done"]


def test_a_password_alone_changes_nothing_over_the_api_and_the_answer_says_what_does(tm: TaskManager) -> None:
    app = create_app(tm, users=USERS)
    answer = app.test_client().post("/api/v1/queues/mail/pause", headers=signed())
    assert (answer.status_code, answer.json["code"]) == (400, "Access.FormTokenNeeded")
    assert app.test_client().get("/api/v1/queues", headers=signed()).status_code == 200


def test_keys_of_two_users_are_two_keys(program: Program) -> None:
    import jwt

    secret = "a shared secret that is long enough for this"
    program.tm.settings = program.tm.settings.with_changes(jwt_key=secret)
    other = Program(program.tm)
    token = jwt.encode({"sub": "ann", "exp": 2**33, "roles": ["jobs.manage"]}, secret)
    first = program.post("/api/jobs/Nightly/trigger", Idempotency_Key="k")
    answer = other.send("POST", "/api/jobs/Nightly/trigger", token=token, Idempotency_Key="k")
    assert answer.status_code == 200
    assert answer.json != first


@pytest.mark.each_engine
def test_what_the_api_changes_is_in_the_audit_log_and_what_it_denies(program: Program) -> None:
    program.post("/api/jobs/fire-and-forget", MAIL, 201)
    program.post("/api/v1/admin/jobs/Nightly/pause", status=204)
    eyes = Program(program.tm, "eyes")
    assert eyes.refused("POST", "/api/v1/admin/jobs/Nightly/resume")[:2] == (403, "Access.Forbidden")
    assert eyes.get("/api/jobs")
    table = program.tm.database.tables.audit
    with program.tm.database.engine.connect() as connection:
        rows = connection.execute(table.select().order_by(table.c.Id)).mappings().all()
    told = [(r["UserName"], r["Door"], r["Action"], r["TargetKind"], r["TargetId"], r["Outcome"]) for r in rows]
    assert told == [
        ("ci", "api", "jobs.enqueue", "job", "Send mail", "done"),
        ("ci", "api", "recurring.pause", "recurring", "Nightly", "done"),
        ("eyes", "api", "recurring.pause", "recurring", "Nightly", "denied"),
    ]


def test_without_a_token_everything_is_refused_as_a_problem(program: Program) -> None:
    answer = program.app.test_client().get("/api/jobs")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.json["code"] == "Access.NotConfigured"
    wrong = program.send("GET", "/api/jobs", token="tm_wrong")
    assert (wrong.status_code, wrong.json["code"]) == (401, "Access.Unauthorized")
    assert wrong.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_database_that_is_away_is_told_as_a_problem(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    from taskmanager.domain.errors import StorageError

    def away(*args: Any, **more: Any) -> Any:
        raise StorageError("gone")

    monkeypatch.setattr(program.tm.database, "run", away)
    monkeypatch.setattr(program.tm.database, "read", away)
    answer = program.send("POST", "/api/jobs/fire-and-forget", MAIL)
    assert (answer.status_code, answer.json["code"]) == (503, "Storage.Unavailable")
    assert answer.headers["Retry-After"]


def test_a_pause_over_rest_has_a_note_and_an_end_and_a_run_other_arguments(program: Program) -> None:
    tm, one = program.tm, "/api/v1/admin/jobs/Nightly"
    program.post(f"{one}/pause", {"note": "month end", "until": "2099-02-01T06:00:00+01:00"}, status=204)
    paused = program.get(one)
    assert (paused["isPaused"], paused["pauseNote"], paused["pausedUntil"]) == (
        True, "month end", "2099-02-01T05:00:00Z",
    )  # fmt: skip
    assert paused["pausedBy"]
    assert program.refused("POST", f"{one}/pause", {"until": "2020-01-01T00:00:00Z"})[0] == 422
    assert program.refused("POST", f"{one}/pause", {"because": "x"})[0] == 422
    assert program.refused("POST", f"{one}/trigger", {"arguments": {"nobody": 1}})[0] == 422
    tm.database.clock.shift(timedelta(days=2))
    before = tm.recurring_jobs.get("Nightly").last_job_id
    program.post(f"{one}/resume", {"runMissed": True}, status=204)
    assert tm.recurring_jobs.get("Nightly").last_job_id != before
    assert program.get(one)["pausedBy"] is None
