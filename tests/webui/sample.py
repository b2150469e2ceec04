"""A lively installation for tests and screenshots: jobs in every state, retries, logs, queues, servers, schedules."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, insert, select, update

from taskmanager import JobContext, TaskManager
from taskmanager.domain import times
from taskmanager.domain.states import Failed, Processing, Scheduled, Succeeded
from taskmanager.domain.times import to_unix
from taskmanager.engine.audit import Actor
from taskmanager.engine.entering import RETRIES
from taskmanager.engine.transitions import Change
from taskmanager.storage import job_log, jobs, logged, recurring_runs, server_facts, servers, structures
from taskmanager.storage.recurring_runs import RecurringRun
from taskmanager.storage.transaction import Tx

TRACE = """Traceback (most recent call last):
  File "/srv/shop/shop/mails.py", line 41, in send_invoice
    client.send(message, password=PASSWORD)
  File "/usr/lib/python3.11/site-packages/requests/sessions.py", line 589, in request
    resp = self.send(prep, **send_kwargs)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/site-packages/requests/adapters.py", line 507, in send
    raise ConnectTimeout(e, request=request)
TimeoutError: connect to smtp.example.org:25 timed out

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/shop/shop/mails.py", line 44, in send_invoice
    raise MailNotSent(order_id) from error
shop.mails.MailNotSent: order 1042: connect to smtp.example.org:25 timed out
"""


def send_invoice(order_id: int, email: str, api_token: str = "") -> None: ...


def build_report(name: str, options: dict[str, Any]) -> dict[str, Any]:
    return {}


def import_feed(ctx: JobContext, url: str) -> None: ...


def resize_image(path: str, width: int) -> str:
    return path


def fill(tm: TaskManager) -> dict[str, int]:
    """Fill an empty database; the ids of a job in each state."""
    tm.job(display_name="Send invoice", queue="mail")(send_invoice)
    for plain in (build_report, import_feed, resize_image):
        tm.job(plain)
    found: dict[str, int] = {}
    guid = "0123456789abcdef0123456789abcdef"
    server_id = f"web-2:4711:{guid}"
    now = tm.database.read(lambda tx: tx.now())
    data = {
        "WorkerCount": 20, "Queues": ["mail", "default"], "StartedAt": times.to_iso(now - timedelta(hours=7)),
        "taskmanager": {
            "pid": 4711, "scheduler": True, "version": "0.1.0", "memory": 83_886_080, "cpu": 12.5, "done": 4711,
            "ahead": 0.1,
        },
    }  # fmt: skip
    minute = int(to_unix(now)) // 60 * 60
    facts = {
        "Settings": {"threads": ["20", "default"], "queues": ["default,mail", "taskmanager.toml"]},
        "Minutes": [[minute - 60 * n, 30.0 + n % 7, 90e6 + n * 1e5, n % 5] for n in range(50, 0, -1)],
        "Log": ["2026-11-29T10:00:00.000+00:00 WARNING shop.mails the answer took 4.2 s", "x" * 300],
    }
    tm.database.run(lambda tx: servers.announce(tx, server_id, data))
    tm.database.run(lambda tx: server_facts.tell(tx, server_id, facts))

    done = tm.enqueue_many(resize_image, [(f"/img/{n}.png", 640) for n in range(34)])
    rich = tm.enqueue(build_report, "sales", {"year": 2026, "password": "hunter2", "big": 12345678901234567890})
    result = json.dumps({"rows": 1204, "token": "abc", "total": 98123.5})
    ended = [
        Run(job_id, Succeeded(duration_ms=120 + 37 * number, latency_ms=12, result='"/img/small.png"'))
        for number, job_id in enumerate(done)
    ]
    _run(tm, server_id, [*ended, Run(rich, Succeeded(duration_ms=12_400, latency_ms=340, result=result), log=True)])
    found["succeeded"] = rich

    unsent = tm.enqueue_many(send_invoice, [(1000 + n, f"user{n}@example.org", "s3cr3t") for n in range(9)])
    errors = [
        Failed(
            exception_type="shop.mails.MailNotSent",
            exception_message=f"order {1000 + number}: connect to smtp.example.org:25 timed out",
            exception_details=TRACE,
            server_id=server_id,
        )
        for number in range(9)
    ]
    retry = Scheduled(enqueue_at=now, reason="Retry attempt 1 of 2: order 1042: connect to smtp timed out")
    runs = [Run(job_id, error, then=retry, log=True) for job_id, error in zip(unsent, errors, strict=True)]
    _run(tm, server_id, runs)
    tm.client.requeue(unsent)
    _run(tm, server_id, [replace(one, then=None, attempt=2) for one in runs])
    found["failed"] = unsent[-1]
    feeds = tm.enqueue_many(import_feed, [(f"https://feeds.example.org/{n}.xml",) for n in range(3)])
    error = Failed(exception_type="ValueError", exception_message="unexpected token", exception_details=TRACE)
    waits = [
        Scheduled(enqueue_at=now + timedelta(minutes=4 + n), reason="Retry attempt 2 of 10: bad token")
        for n in range(3)
    ]
    _run(tm, server_id, [Run(one, error, then=wait) for one, wait in zip(feeds, waits, strict=True)])
    tm.database.run(lambda tx: structures.put(tx, RETRIES, dict.fromkeys(map(str, feeds), 0)))
    found["retries"] = feeds[-1]
    running = tm.enqueue(import_feed, "https://feeds.example.org/big.xml")
    tm.client.change([Change(running, Processing(server_id=server_id, worker_id="3"), at=now - timedelta(seconds=41))])
    tm.database.run(lambda tx: jobs.set_parameters(tx, {(running, "Progress"): "0.64"}))
    _log(tm, {running: (1, now - timedelta(seconds=30))})
    found["processing"] = running
    lost = tm.enqueue(import_feed, "https://feeds.example.org/lost.xml")
    tm.client.change([Change(lost, Processing(server_id="gone:1:ffff", worker_id="1"))])
    tm.client.delete(tm.enqueue_many(resize_image, [("/img/x.png", 1), ("/img/y.png", 2)]), reason="no longer wanted")
    found["deleted"] = lost
    found["scheduled"] = tm.enqueue(send_invoice, 7, "later@example.org", delay=3600)
    tm.enqueue(build_report, "tomorrow", {}, delay=86_400)
    found["awaiting"] = tm.client.continue_after(
        running, tm._new(tm.definition(resize_image), ("/img/after.png", 10), {}, {}), on_any=False
    )
    found["enqueued"] = tm.enqueue_many(resize_image, [(f"/img/{n}.png", 100) for n in range(7)])[0]
    tm.enqueue_many(send_invoice, [(n, "queue@example.org") for n in range(4)])
    tm.enqueue(build_report, "reports", {}, queue="reports")
    tm.pause_queue("reports")
    _schedules(tm)
    _history(tm, now)
    _runs(tm, now)
    _audited(tm, found["failed"])
    return found


@dataclass(frozen=True)
class Run:
    """How a job ended, and what it became then; log: whether it wrote one."""

    job_id: int
    end: Any
    then: Any = None
    log: bool = False
    attempt: int = 1


def _run(tm: TaskManager, server_id: str, runs: list[Run]) -> None:
    """Let jobs have run some minutes ago: all in three transactions, for this is done before hundreds of tests."""
    now = tm.database.clock.now()
    starts = {one.job_id: now - timedelta(minutes=3 + one.job_id * 7 % 50) / one.attempt for one in runs}
    tm.database.run(lambda tx: _age(tx, {i: start - timedelta(seconds=3) for i, start in starts.items()}))
    tm.client.change([_change(server_id, one, starts[one.job_id]) for one in runs])
    _log(tm, {one.job_id: (one.attempt, starts[one.job_id]) for one in runs if one.log})


def _change(server_id: str, run: Run, start: Any) -> Change:
    before: tuple[Any, ...] = ((Processing(server_id=server_id, worker_id="7"), start),)
    if run.then is not None:
        before += ((run.end, start + timedelta(seconds=1)),)
    parameters = {"RetryCount": str(run.attempt)} if run.then is not None else {}
    elect = run.then is None and not isinstance(run.end, Failed)
    ended = start + timedelta(seconds=5)
    return Change(run.job_id, run.then or run.end, before=before, elect=elect, at=ended, parameters=parameters)


def _age(tx: Tx, starts: dict[int, Any]) -> None:
    """As if the jobs had been enqueued earlier."""
    job, state = tx.tables.job, tx.tables.state
    newest = select(func.max(state.c.Id), state.c.JobId).where(state.c.JobId.in_(starts)).group_by(state.c.JobId)
    states = [{"number": number, "at": starts[job_id]} for number, job_id in tx.connection.execute(newest)]
    jobs_of = [{"number": job_id, "at": at} for job_id, at in starts.items()]
    number: BindParameter[int] = bindparam("number")
    at: BindParameter[datetime] = bindparam("at")
    tx.connection.execute(update(state).where(state.c.Id == number).values(CreatedAt=at), states)
    tx.connection.execute(update(job).where(job.c.Id == number, job.c.CreatedAt > at).values(CreatedAt=at), jobs_of)


def _log(tm: TaskManager, attempts: dict[int, tuple[int, Any]]) -> None:
    """What each job wrote in an attempt, from a moment on."""

    def work(tx: Tx) -> None:
        texts = [("INFO", "connecting to smtp.example.org:25"), ("DEBUG", "EHLO"), ("WARNING", "slow answer, 4.2 s"),
                 ("INFO", "password=hunter2 accepted"), ("ERROR", "timed out")]  # fmt: skip
        rows = []
        for job_id, (attempt, now) in attempts.items():
            lines = [
                json.dumps({"at": (now + timedelta(milliseconds=300 * n)).isoformat(), "level": level, "message": text})
                for n, (level, text) in enumerate(texts)
            ]
            at = tx.bind_moment(now)
            rows.append({"JobId": job_id, "Attempt": attempt, "CreatedAt": at, "Lines": "\n".join(lines)})
        job_log.add(tx, rows)

    if attempts:
        tm.database.run(work)


def _schedules(tm: TaskManager) -> None:
    tm.recurring("daily-report", build_report, args=("daily", {}), cron="0 2 * * 1-5", time_zone="Europe/Prague")
    tm.recurring("cleanup", resize_image, args=("/tmp", 0), cron="*/15 * * * *")
    tm.recurring("yearly", resize_image, args=("/tmp", 0), cron="@yearly")
    tm.recurring("never", resize_image, args=("/tmp", 0), cron="0 0 31 2 *")
    tm.trigger("daily-report")
    tm.pause("cleanup")
    c_job = tm.database.tables.legacy.job
    with tm.database.engine.begin() as connection:
        connection.execute(
            insert(c_job).values(
                JobName="Nightly totals", CronExpression="30 1 * * *", StoredProcName="SP_Totals", IsActive=1
            )
        )
        connection.execute(
            insert(c_job).values(JobName="Old import", CronExpression="99 * * * *", StoredProcName="SP_Old", IsActive=0)
        )


def _history(tm: TaskManager, now: Any) -> None:
    counts = {}
    for back in range(1, 24):
        hour = now - timedelta(hours=back)
        for name, base in (("succeeded", 900), ("failed", 25), ("deleted", 40)):
            value = int(base * (1 + 0.7 * ((back * 7919) % 13) / 13) * (0.4 if back > 12 else 1))
            counts[f"stats:{name}:{hour:%Y-%m-%d-%H}", now + timedelta(hours=25)] = value
    tm.database.run(lambda tx: structures.add_counts(tx, counts))


def _runs(tm: TaskManager, now: Any) -> None:
    """What c_LoggedJob keeps: a nightly procedure, with failures."""
    rows = []
    for back in range(40, 0, -1):
        started, good = now - timedelta(hours=back), back % 9 != 4
        took = 1_500 + 137 * (back * 31 % 17)
        rows.append({
            "JobName": "Nightly totals", "JobId": str(900_000 + back), "JobType": "Recurring", "StartedAt": started,
            "CompletedAt": started + timedelta(milliseconds=took), "DurationMs": took, "Success": int(good),
            "ResultMessage": f"{100 * back} rows, password=hunter2" if good else None,
            "ErrorMessage": None if good else "Table 'shop.orders' doesn't exist",
            "StackTrace": None if good else TRACE, "ServerName": "web-2:4711:ab", "MemoryUsedMB": 48,
            "TriggeredBy": "ann" if back == 7 else "System", "CpuTimeMs": 120,
        })  # fmt: skip
    tm.database.run(lambda tx: logged.add(tx, rows))
    outcomes = {4: "failed", 7: "retried"}
    row = f"c_job:{row_id(tm)}"
    runs = [
        RecurringRun(
            one, 34 - back % 34 if back < 20 else 800_000 + back, now - timedelta(hours=back),
            900 + 137 * (back * 31 % 17), 12 * back, outcomes.get(back % 13, "succeeded"),
        )
        for one, count in (("daily-report", 150), ("cleanup", 4), (row, 40)) for back in range(count, 0, -1)
    ]  # fmt: skip
    tm.database.run(lambda tx: recurring_runs.add(tx, runs))


def row_id(tm: TaskManager) -> int:
    """The ID of the first row of c_Job: a server's numbers go on where other tests ended."""
    with tm.database.engine.connect() as connection:
        return int(connection.execute(select(func.min(tm.database.tables.legacy.job.c.ID))).scalar_one())


def _audited(tm: TaskManager, job_id: int) -> None:
    """What people did lately."""
    ann = Actor("ann", "dashboard", "192.0.2.7")
    facts: tuple[dict[str, Any], dict[str, Any]] = ({"cron": "0 3 * * *"}, {"cron": "0 2 * * 1-5", "api_token": "s"})
    with tm.audit.changing(ann, "recurring.edit") as change:
        change.about("recurring", "daily-report", before=facts[0], after=facts[1])
        tm.resume("daily-report")
    with tm.audit.changing(Actor("deploy", "cli", "build-7"), "queues.pause") as change:
        change.about("queue", "reports")
        tm.pause_queue("reports")
    with tm.audit.changing(ann, "jobs.delete"):
        tm.client.delete([job_id], expected=["Enqueued"])
    tm.audit.denied(Actor("eve", "dashboard", "192.0.2.9"), "jobs.delete", "job", job_id, "lacks the permission")
