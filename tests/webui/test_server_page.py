"""The page of one server: its last hour, its jobs by pages, its settings and warnings, for who may see each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.states import Processing
from taskmanager.engine.transitions import Change
from taskmanager.storage import server_facts, servers
from tests.webui.conftest import Browser

ID = "web-1:11:0123456789abcdef0123456789abcdef"
FACTS = {
    "Settings": {"threads": ["120", "argument threads"], "smtp_password": ["*****", "taskmanager.toml"]},
    "Minutes": [[60 * n, 10.0 + n, 100e6, 3.0] for n in range(5)],
    "Log": ["old warning", "token=abc123 <b>new</b>"],
}


def announced(tm: TaskManager) -> None:
    def work(tx: Any) -> None:
        servers.announce(tx, ID, {"WorkerCount": 120, "Queues": ["default"], "taskmanager": {"busy": 119}})
        server_facts.tell(tx, ID, FACTS)

    tm.database.run(work)


def test_the_last_hour_the_settings_and_the_warnings_are_told_to_who_may_see_them(
    tm: TaskManager, ann: Browser, eve: Browser
) -> None:
    announced(tm)
    page = ann.get(f"/hangfire/servers/{ID}").text
    assert page.count('class="bars"') == 3
    assert "12 % in the mean, 14 % at most" in page
    assert "1970-01-01 00:04:00 UTC: 14 %" in page
    assert page.index("&lt;b&gt;new") < page.index("old warning"), "the newest first"
    assert "abc123" not in page
    assert "argument threads" in page
    assert "argument threads" not in eve.get(f"/hangfire/servers/{ID}").text, "system.view is not hers"
    told = ann.get(f"/api/v1/servers/{ID}", Accept="application/json").json
    assert told["minutes"][0] == {"at": 0, "cpuPercent": 10.0, "memoryBytes": 100_000_000, "busyThreads": 3.0}
    assert told["warnings"][0] == "old warning"
    assert {"name": "threads", "value": "120", "origin": "argument threads"} in told["settings"]
    assert eve.get(f"/api/v1/servers/{ID}", Accept="application/json").json["settings"] is None
    assert ann.get("/api/v1/servers/nobody", Accept="application/json").status_code == 404


@pytest.mark.each_engine
def test_all_jobs_that_it_performs_are_reached_by_pages(
    tm: TaskManager, ann: Browser, statements: Callable[[], list[str]]
) -> None:
    announced(tm)
    ids = tm.enqueue_many(len, [(str(n),) for n in range(230)])
    tm.client.change([Change(one, Processing(server_id=ID, worker_id="1")) for one in ids])
    ann.get("/hangfire/servers")  # the first signs a session
    found: list[str] = []
    path = f"/hangfire/servers/{ID}"
    while path:
        statements()
        page = ann.get(path).text
        assert len(statements()) <= 8
        found += re.findall(r'<a href="/hangfire/jobs/details/(\d+)"', page)
        following = re.search(r'<a class="btn-x small" rel="next"[^>]* href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert sorted(map(int, found)) == sorted(ids)
    told = ann.get(f"/api/v1/servers/{ID}", Accept="application/json").json
    assert len(told["running"]) == 100
    assert ann.get(f"/api/v1/servers/{ID}?before={told['next']}", Accept="application/json").json["running"]
