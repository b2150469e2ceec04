"""Hostile names, arguments, logs, errors and queues: shown as text on every page, and never as markup."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from taskmanager import TaskManager
from taskmanager.domain.alerts import AlertRule, key_of
from taskmanager.domain.states import Failed, Processing
from taskmanager.engine.audit import Actor
from taskmanager.engine.client import new_key
from taskmanager.engine.conditions import condition_of
from taskmanager.engine.entering import RETRIES
from taskmanager.engine.transitions import Change
from taskmanager.storage import alert_marks, failures, job_log, jobs, logged, server_facts, servers, structures
from taskmanager.storage.monitoring_filters import Wanted
from tests.webui.conftest import Browser
from tests.webui.everywhere import pages_of

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
            server_facts.tell(tx, evil, {"Settings": {evil: [evil, evil]}, "Log": [evil], "Minutes": [[0, 1, 2, 3]]})
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


def poison_rest(tm: TaskManager) -> dict[str, list[Any]]:
    """The same of histories, rules, pauses, the audit log and bulk operations; values for the pages of all of them."""
    now, table = tm.database.clock.now(), tm.database.tables
    texts = ("ResultMessage", "ErrorMessage", "StackTrace")
    same = {"JobId": "1", "JobType": "Manual", "DurationMs": 5, "MemoryUsedMB": 1, "CpuTimeMs": 1}
    same |= dict.fromkeys(("StartedAt", "CompletedAt"), now)
    names, texts = ("JobName", "ServerName", "TriggeredBy"), ("ResultMessage", "ErrorMessage", "StackTrace")
    runs = [
        {"Success": n % 2} | same | dict.fromkeys(names, evil[:90]) | dict.fromkeys(texts, evil)
        for n, evil in enumerate(ALL)
    ]
    tm.database.run(lambda tx: logged.add(tx, runs))
    for evil in (one for one in ALL if "\u0007" not in one):
        tm.alert_rules.save(None, evil[:90], AlertRule(to=("ops@example.org",)))
        tm.conditions.save(condition_of({"title": evil[:80], "kind": "latency", "queue": evil[:50]}))
        tm.database.run(lambda tx, e=evil: alert_marks.failed(tx, e, tx.now(), 1, is_told=True))  # type: ignore[misc]
        tm.active_alerts.acknowledge(key_of(evil).rpartition(":")[2], by=evil, note=evil)
        tm.pause(evil[:70], by=evil, note=evil)
        with tm.audit.changing(Actor(evil, "dashboard", evil[:60]), evil[:50]) as change:
            change.about("queue", evil, before={evil: evil}, after={evil: evil}, note=evil)
            tm.pause_queue("default", by=evil, note=evil)
    evil = ALL[0]
    bulk = tm.operations.start("requeue", Wanted(("Failed",)), evil, Actor(evil, "dashboard", evil), new_key())
    with tm.database.engine.connect() as connection:
        rules = connection.execute(select(table.legacy.alert.c.ID)).scalars().all()
        ran = connection.execute(select(table.legacy.logged.c.ID)).scalars().all()
        groups = connection.execute(select(table.set.c.Value).where(table.set.c.Key == failures.GROUPS)).scalars().all()
    return {
        "queue": [evil[:50] for evil in ALL], "server": ALL,
        "recurring_id": [evil[:70] for evil in ALL], "key": [*groups, evil],
        "alert_id": list(rules),
        "condition_id": [one.id for one, _ in tm.conditions.all()],
        "run_id": list(ran), "pages.operation.job_id": [bulk],
    }  # fmt: skip


def test_hostile_texts_are_shown_as_text_on_every_page(tm: TaskManager, app: Any, ann: Browser) -> None:
    ids = poison(tm)
    values = {"job_id": ids} | poison_rest(tm)
    hostile = quote('<script>alert(1)</script>"><img src=x onerror=alert(1)>', safe="")
    paths = pages_of(app, values)
    fields = (
        "q state sort period lang job server trigger result from to user action kind target outcome type after count"
    )
    asked = "&".join(f"{name}={hostile}" for name in (*fields.split(), "count", "endpoint", "_external", "_method"))
    paths += [f"{path}?{asked}" for path in paths]
    paths += [f"/hangfire/search?q={quote(evil, safe='')}" for evil in ALL]
    shown = 0
    for path in paths:
        answer = ann.get(path)
        assert answer.status_code < 500, path
        text = answer.json["html"] if answer.is_json and "html" in answer.json else answer.text
        assert "<script>alert" not in text, path
        assert "<img" not in text, path
        assert not re.search(r'(href|src|action)="\s*javascript:', text), path
        assert ">49<" not in text, path
        shown += "&lt;script&gt;alert" in text
    assert shown > 40, "or nothing hostile was on these pages at all"


@pytest.mark.each_engine
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


@pytest.mark.each_engine
def test_arguments_of_megabytes_leave_the_pages_light(tm: TaskManager, ann: Browser) -> None:
    job_id = tm.enqueue(len, "y" * 3_000_000)
    assert len(ann.get("/hangfire/jobs").data) < 60_000
    assert len(ann.get(f"/hangfire/jobs/details/{job_id}").data) < 200_000
