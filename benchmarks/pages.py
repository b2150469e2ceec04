"""What each page, and each answer of the API, costs: statements, rows looked at, milliseconds, bytes; and memory.

python -m benchmarks.pages mysql://test:test@127.0.0.1/bench --fill 1000000
python -m benchmarks.pages mysql://test:test@127.0.0.1/bench --json FILE [--only jobs] [--statements]

Every answer takes a new set of counts, as if jobs had changed since the last one; in use many answers share one for a
second. SQLite tells no rows: there it is steps of its virtual machine.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import logging
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from flask import Flask
from sqlalchemy import text
from werkzeug.routing import AnyConverter, Rule
from werkzeug.security import generate_password_hash

from benchmarks import estate, estate_kinds
from benchmarks.examined import Look, looks
from taskmanager import TaskManager
from taskmanager.engine import operations
from taskmanager.storage import failures
from webui import Page, create_app, cursors, snapshots

_USER, _PASSWORD = "bench", "bench"
#: What is a file, stands elsewhere too, or needs what the URL map does not tell.
_NOT_PAGES = (
    "pages.static", "pages.queues_alias", "pages.prometheus", "pages.operation_new", "api-bulk.plan_operation",
    "api-bulk.plan_recurring_operation", "api-document.openapi",
    "api-looks.search_everything", "api-looks.preview_cron",
    "api-history.compare_runs",
    "pages.job_count", "api-system.count_exactly",  # they count all, in the background, for 5 s at most
)  # fmt: skip
#: What the URL map does not tell: filters, periods, pages far down.
VARIANTS = (
    "?period=hour", "?period=week", "?period=month", "jobs/failed?q=error:nothing", "jobs/failed?q=type:import",
    "jobs?q=report",
    "jobs/succeeded?q=arg:2026", "jobs/succeeded?q=arg.year:2026", "jobs?q=queue:mail", "jobs?q=created:>-2h",
    "jobs?q=tag:common", "jobs?q=tag:rare", "jobs/failed?q=tag:common", "jobs?q=tag:common+type:nothing",
    "jobs?q=-tag:common", "jobs?q=duration:>30s", "jobs/succeeded?q=latency:<1h", "jobs/deleted?q=tag:common,rare",
    "jobs/succeeded?q=recurring:nightly-1", "jobs?q=attempt:>1", "jobs/failed?from=9000&count=100",
    "jobs/failed?count=200", "jobs/failed?sort=old", "jobs/scheduled?sort=old", "jobs?sort=old",
    "jobs/succeeded?after={middle}", "jobs?after={middle}", "jobs/succeeded?before={middle}",
    "history?job=Job+of+history+7", "history?result=failed", "history?server=bench", "history?from=2026-01-01",
    "history?q=nothing", "history?period=all", "history/statistics?period=all", "history/jobs?period=all",
    "history/statistics?server=nothing&period=all", "history/compare?a=1&b=2",
    "search?q=report", "search?q=nothing-at-all", "search?q=12", "audit?user=ann", "audit?user=nobody",
    "recurring?q=nightly&sort=next", "recurring?sort=duration", "recurring?sort=failures&state=active",
    "operations/new?kind=recurring&action=pause&q=nightly",
    "operations/new?state=failed&action=requeue", "operations/new?state=failed&action=delete&q=type:import",
    "jobs/succeeded?q=arg:nothing", "jobs/succeeded?q=recurring:nothing", "jobs?q=queue:nothing",
    "jobs/failed?q=attempt:>1", "history?server=nothing", "jobs/scheduled?count=200",
    "jobs/enqueued/default?count=200", "retries?count=200", "recurring?count=100", "history?count=200",
    "audit?count=200", "jobs/enqueued/default?types=last",
)  # fmt: skip
#: The same of the API.
API_VARIANTS = (
    "/api/v1/jobs?q=error:nothing", "/api/v1/jobs?state=Failed", "/api/v1/jobs?after={middle}",
    "/api/v1/search?q=report", "/api/v1/cron/preview?cron=0+2+*+*+*", "/api/v1/history?job=Job+of+history+7",
    "/api/v1/history/statistics?job=Job+of+history+7", "/api/v1/history?q=nothing", "/api/v1/history/compare?a=1&b=2",
    "/api/v1/operations/plan?state=Failed&action=requeue",
    "/api/v1/operations/recurring/plan?action=pause&q=nightly",
    "/api/v1/audit?user=nobody", "/api/v1/stats/history?period=month", "/api/v1/jobs?limit=200",
    "/api/v1/audit?limit=200", "/api/v1/history?limit=200",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """One page. rows: that its statements looked at; most: by the one that looked at most of them.

    cpu_ms: of the thread that makes the answer, the least of many; p50_ms, p95_ms: until the answer was ready, on a
    machine as busy as it was.
    """

    path: str
    status: int
    statements: int
    rows: int
    most: str
    kilobytes: float = 0.0
    cpu_ms: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0


def addresses(app: Flask, values: Mapping[str, Sequence[Any]], variants: Sequence[str] = VARIANTS) -> list[str]:
    """Every address of GET in the URL map, with these values in their places, and the variants of pages and API."""
    found: list[str] = []
    for rule in app.url_map.iter_rules():
        is_ours = rule.endpoint.startswith(("pages.", "api-")) and rule.endpoint not in _NOT_PAGES
        if is_ours and "GET" in (rule.methods or ()):
            found += _filled(app, rule, values)
    first = {name: listed[0] for name, listed in values.items()}
    more = [f"/hangfire/{one}" for one in variants] + list(API_VARIANTS)
    return sorted(set(found)) + [one.format(**first) for one in more]


def _filled(app: Flask, rule: Rule, values: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """The address of a rule for the first, second … value of its arguments."""
    given: dict[str, list[Any]] = {}
    for name in rule.arguments:
        converter = rule._converters[name]
        given[name] = (
            list(converter.items)
            if isinstance(converter, AnyConverter)
            else list(values.get(f"{rule.endpoint}.{name}", values.get(name, ())))
        )
        if not given[name]:
            raise LookupError(f"samples() knows no {name} for {rule.rule}: add one, so that the page is measured")
    with app.test_request_context():
        for place in range(max(map(len, given.values()), default=1)):
            some = {name: listed[min(place, len(listed) - 1)] for name, listed in given.items()}
            built = rule.build(some)
            assert built is not None
            yield built[1]


def samples(tm: TaskManager, app: Flask) -> dict[str, list[Any]]:
    """Values for the arguments of addresses, out of what stands in the database."""
    t, q = tm.database.tables, tm.database.product.quote

    def work(tx: Any) -> dict[str, list[Any]]:
        def ask(sql: str) -> list[Any]:
            return [row[0] for row in tx.connection.execute(text(sql))]

        states = ("Succeeded", "Failed", "Enqueued", "Scheduled", "Processing", "Deleted", "Awaiting")
        jobs = [
            ask(f"SELECT MAX({q('Id')}) FROM {q(t.job.name)} WHERE {q('StateName')} = '{state}'")[0] for state in states
        ]
        job_ids = [one for one in jobs if one is not None]
        bulk = ask(f"SELECT {q('Value')} FROM {q(t.set.name)} WHERE {q('Key')} = '{operations.ALL}'")
        run_ids = ask(f"SELECT MAX({q('ID')}) FROM {q(t.legacy.logged.name)}")
        alert_ids = ask(f"SELECT MAX({q('ID')}) FROM {q(t.legacy.alert.name)}")
        conditions = ask(f"SELECT {q('Value')} FROM {q(t.set.name)} WHERE {q('Key')} = 'alerts:conditions' LIMIT 1")
        recurring = ["nightly-1", "c_job:1"]
        return {
            "job_id": job_ids, "jobId": job_ids, "pages.operation.job_id": bulk, "api-bulk.get_operation.jobId": bulk,
            "api-admin.get_admin_job.jobId": recurring, "recurring_id": recurring, "recurringId": recurring,
            "api-edits.get_row.recurringId": recurring[1:],
            "pages.recurring_trigger_edited.recurring_id": recurring[:1], "jobName": ["Job of history 7"],
            "server": ask(f"SELECT MIN({q('Id')}) FROM {q(t.server.name)}"),
            "queue": ["default", "mail"], "run_id": run_ids, "runId": run_ids, "alert_id": alert_ids,
            "condition_id": conditions, "conditionId": conditions,
            "alertId": alert_ids, "middle": [max(jobs[0] or 0, 2) // 2],
            "key": ask(f"SELECT {q('Value')} FROM {q(t.set.name)} WHERE {q('Key')} = '{failures.GROUPS}' LIMIT 2"),
        }  # fmt: skip

    found = tm.database.read(work)
    app.test_client().get("/hangfire/health")  # the first answer takes the key that cursors are signed with
    with app.app_context():
        found["middle"] = [cursors.write(one) for one in found["middle"]]
    return found


def counted(tm: TaskManager, app: Flask, path: str) -> tuple[int, list[Look]]:
    """The status of a page and its statements, the counts of everything among them."""
    _count_anew(app)
    with looks() as found:
        answer = app.test_client().get(path, headers=_signed())
        answer.close()
    return answer.status_code, found


def _count_anew(app: Flask) -> None:
    """Let the next answer count, also what nobody has changed."""
    shared = app.config["SNAPSHOTS"]
    shared._tried = shared._counted = shared._narrowed_next = -math.inf


def _signed() -> dict[str, str]:
    code = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
    return {"Authorization": f"Basic {code}", "Accept": "text/html", "Accept-Encoding": "gzip"}


def _app(url: str, **settings: Any) -> tuple[TaskManager, Flask]:
    tm = TaskManager(database_url=url, doorbell=False, **settings)
    for function, _ in estate_kinds.JOBS:
        tm.job(function)
    app = create_app(tm, users={_USER: generate_password_hash(_PASSWORD, method="pbkdf2:sha256:1000")})
    return tm, app


@contextmanager
def _served(url: str) -> Iterator[tuple[str, psutil.Process]]:
    """The dashboard in a process of its own; its address."""
    command = [sys.executable, "-m", "benchmarks.pages", url, "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child.stdout.readline().strip(), psutil.Process(child.pid)
        finally:
            child.terminate()


def _serve(url: str) -> None:
    snapshots._FRESH_SECONDS = snapshots._COUNTED_SECONDS = 0.0
    page = Page(_app(url)[1], "127.0.0.1", 0)
    print(page.url, flush=True)
    sys.stdin.read()
    page.close()


def _times(host: str, path: str, rounds: int) -> tuple[list[float], int]:
    """Milliseconds that the server says it took, and the bytes that went over the wire."""
    taken, size = [], 0
    connection = http.client.HTTPConnection(host)
    for _ in range(rounds):
        connection.request("GET", path, headers=_signed())
        answer = connection.getresponse()
        size = len(answer.read())
        taken.append(float(answer.headers["Server-Timing"].partition("dur=")[2]))
    connection.close()
    return taken, size


def _processor_ms(app: Flask, path: str, rounds: int) -> float:
    """Milliseconds of the processor that an answer takes here, which other processes hardly disturb: the least."""
    client, least = app.test_client(), math.inf
    for _ in range(rounds):
        _count_anew(app)
        before = time.thread_time()
        answer = client.get(path, headers=_signed())
        answer.close()
        least = min(least, time.thread_time() - before)
    return 1000 * least


def measure(url: str, rounds: int = 20, only: str = "", with_statements: bool = False) -> dict[str, Any]:
    """Figures for each page, and the megabytes of the process that served them."""
    tm, app = _app(url)
    paths = [path for path in addresses(app, samples(tm, app)) if only in path]
    counted(tm, app, paths[0])  # the first page asks what the server is
    costs, told = [], {}
    for path in paths:
        status, found = counted(tm, app, path)
        top = max(found, key=lambda look: look.rows, default=Look("", 0))
        costs.append(Cost(path, status, len(found), sum(one.rows for one in found), f"{top.name} {top.rows}"))
        told[path] = [f"{one.name} {one.rows} ({one.ms} ms)" for one in found]
    timed = []
    with _served(url) as (address, process):
        host = urlsplit(address).netloc
        for cost in costs:
            _times(host, cost.path, 1)
            taken, size = _times(host, cost.path, rounds)
            cpu = _processor_ms(app, cost.path, rounds)
            p95 = sorted(taken)[-max(1, rounds // 20)]
            timed.append(
                Cost(**asdict(cost) | {"kilobytes": round(size / 1024, 1), "cpu_ms": round(cpu, 1),
                                       "p50_ms": round(statistics.median(taken), 1), "p95_ms": round(p95, 1)})
            )  # fmt: skip
            print(_line(timed[-1]), flush=True)
            if with_statements:
                print("      " + ", ".join(told[cost.path]))
        megabytes = process.memory_info().rss / 1024**2
    tm.close()
    return {"pages": [asdict(one) for one in timed], "memory_mb": round(megabytes, 1)}


def _line(one: Cost) -> str:
    took = f"{one.cpu_ms:>6.1f} {one.p50_ms:>7.1f} {one.p95_ms:>7.1f} ms"
    return f"{one.status} {one.statements:>3} {one.rows:>8} {took} {one.kilobytes:>6.1f} KB  {one.path}  ({one.most})"


def main() -> None:
    """Fill or measure, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--fill", type=int, help="make new tables with so many jobs first")
    parser.add_argument("--rounds", type=int, default=20, help="how often each page is asked for")
    parser.add_argument("--only", default="", help="a part of the addresses that are measured")
    parser.add_argument("--statements", action="store_true", help="tell the rows of each statement")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    logging.getLogger("waitress").setLevel(logging.ERROR)
    if given.serve:
        _serve(given.url)
        return
    if given.fill:
        estate.make(given.url, given.fill).close()
    found = measure(given.url, given.rounds, given.only, given.statements)
    print(f"memory of the web process: {found['memory_mb']} MB")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
