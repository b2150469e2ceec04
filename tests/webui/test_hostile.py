"""Hostile names, arguments, logs, errors and queues: shown as text on every page, and never as markup."""

from __future__ import annotations

import json
import re
from typing import Any

from taskmanager import TaskManager
from taskmanager.domain.states import Failed, Processing
from taskmanager.engine.entering import RETRIES
from taskmanager.engine.transitions import Change
from taskmanager.storage import job_log, jobs, servers, structures
from tests.webui.conftest import Browser

EVIL = "<script>alert(1)</script>"
ALL = [EVIL, '"><img src=x onerror=alert(1)>', "'; DROP TABLE x; --", "{{7*7}}", "‮ž\u0007", "javascript:alert(1)"]


def poison(tm: TaskManager) -> list[int]:
    """An installation in which everything that users can write is hostile."""
    ids = []
    table = tm.database.tables
    for evil in ALL:
        job_id = tm.enqueue(len, evil)
        error = Failed(
            exception_type=evil, exception_message=evil, exception_details=f"Traceback:\n{evil}", reason=evil
        )
        tm.client.change([Change(job_id, error, elect=False)])
        data = json.dumps({"Type": evil, "Method": evil, "ParameterTypes": "[]", "Arguments": None})
        with tm.database.engine.begin() as connection:
            connection.execute(
                table.job.update().where(table.job.c.Id == job_id).values(InvocationData=data, Queue=evil[:50])
            )
        line = json.dumps({"at": evil, "level": evil, "message": evil, "fields": {evil: evil}})

        def work(tx: Any, job_id: int = job_id, evil: str = evil, line: str = line) -> None:
            row = {"JobId": job_id, "Attempt": 1, "CreatedAt": tx.bind_moment(tx.now()), "Lines": f"{line}\n{evil}"}
            job_log.add(tx, [row])
            quoted = json.dumps(evil)
            values = {"JobName": quoted, "RecurringJobId": quoted, "Progress": "NaN", "Continuations": evil}
            values[evil[:40]] = evil
            jobs.set_parameters(tx, {(job_id, name): value for name, value in values.items()})
            servers.announce(tx, evil, {"Queues": [evil], "WorkerCount": evil, "StartedAt": evil})
            structures.put(tx, RETRIES, {str(job_id): 0, evil: 0})

        tm.database.run(work)
        waiting = tm.enqueue(len, evil)
        with tm.database.engine.begin() as connection:
            of = table.queue.c.JobId == waiting
            connection.execute(table.queue.update().where(of).values(Queue=evil[:50]))
        running = tm.enqueue(len, evil)
        tm.client.change([Change(running, Processing(server_id=evil, worker_id=evil))])
        tm.recurring(evil[:70], len, args=(evil,), cron="* * * * *")
        with tm.database.engine.begin() as connection:
            connection.execute(
                table.legacy.job.insert().values(JobName=evil, CronExpression=evil[:50], StoredProcName=evil)
            )
        ids += [job_id, waiting, running]
    return ids


def test_hostile_texts_are_shown_as_text_on_every_page(tm: TaskManager, ann: Browser) -> None:
    ids = poison(tm)
    paths = ["", "jobs", "jobs/failed", "jobs/processing", "jobs/enqueued", "recurring", "retries", "servers"]
    paths += [f"jobs/details/{i}" for i in ids] + [f"jobs/details/{ids[0]}/log"]
    paths += [
        "jobs?q=%3Cscript%3Ealert(1)%3C/script%3E",
        'recurring?q="><img src=x onerror=alert(1)>&sort=<x>&state=<y>',
    ]
    paths += ["jobs/enqueued/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "jobs/failed?q=%22%3E%3Cimg", "?period=<b>&lang=<b>"]
    for path in paths:
        answer = ann.get(f"/hangfire/{path}")
        assert answer.status_code == 200, path
        text = answer.json["html"] if answer.is_json else answer.text
        assert "<script>alert" not in text, path
        assert "<img" not in text, path
        assert not re.search(r'(href|src|action)="\s*javascript:', text), path
        assert ">49<" not in text


def test_queue_names_of_any_letters_lead_to_their_page(tm: TaskManager, ann: Browser) -> None:
    for name in ("a/b c#ž", "100%", "?x=1", "fetched", "delete"):
        job_id = tm.enqueue(len, "x")
        table = tm.database.tables.queue
        with tm.database.engine.begin() as connection:
            connection.execute(table.update().where(table.c.JobId == job_id).values(Queue=name))
        with ann.app.test_request_context():
            path = ann.app.url_for("pages.queue", queue=name)
        assert f"#{job_id} " in ann.get(path).text, name


def test_tricks_with_headers_paths_and_sizes_are_plain_errors(ann: Browser) -> None:
    assert ann.get("/hangfire/jobs", Host="evil.example").status_code == 200
    for path in ("../../etc/passwd", "static/../__init__.py", "static/%2e%2e/views/lists.py", "jobs/enqueued/../../x"):
        assert ann.get(f"/hangfire/{path}").status_code in (200, 404), path
    assert ann.get("/hangfire/static/..%2f__init__.py").status_code == 404
    big = ann.post("/hangfire/jobs/failed/requeue", {"jobs[]": "1" * (3 * 1024 * 1024)})
    assert big.status_code == 413
    assert ann.get("/hangfire/jobs?q=" + "x:" * 4000).status_code == 200
    assert ann.get("/hangfire/jobs?count=999999&after=" + "A" * 5000).status_code == 200


def test_arguments_of_megabytes_leave_the_pages_light(tm: TaskManager, ann: Browser) -> None:
    job_id = tm.enqueue(len, "y" * 3_000_000)
    assert len(ann.get("/hangfire/jobs").data) < 60_000
    assert len(ann.get(f"/hangfire/jobs/details/{job_id}").data) < 200_000
