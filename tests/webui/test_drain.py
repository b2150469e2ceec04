"""Servers: drained by a button, taken away when dead, filtered; and what each tells of itself."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import servers
from tests.webui.conftest import Browser
from tests.webui.sample import fill


def test_a_server_is_drained_and_resumed_by_who_may(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    fill(tm)
    (server,) = tm.database.read(servers.all_servers)
    assert "Drain" in ann.get("/hangfire/servers").text
    assert "Drain" not in eve.get("/hangfire/servers").text
    assert eve.post("/hangfire/servers/pause", {"server": server.id}).status_code == 403
    assert ann.post("/hangfire/servers/pause", {"server": "nobody"}).status_code == 404
    assert ann.post("/hangfire/servers/pause", {"server": server.id}).status_code == 204
    assert tm.database.read(servers.quiet_ones) == {server.id}
    page = ann.get("/hangfire/servers").text
    assert "takes no jobs" in page
    assert "Resume" in page
    ann.post("/hangfire/servers/resume", {"server": server.id}, Accept="text/html")
    assert "takes jobs again" in ann.get("/hangfire/servers").text
    assert tm.database.read(servers.quiet_ones) == set()


def test_a_server_is_asked_to_stop_after_its_jobs_by_who_may_and_it_is_audited(
    tm: TaskManager, ann: Browser, eve: Browser
) -> None:
    fill(tm)
    (server,) = tm.database.read(servers.all_servers)
    assert "Stop after its jobs" in ann.get("/hangfire/servers").text
    assert "Stop after its jobs" not in eve.get("/hangfire/servers").text
    assert eve.post("/hangfire/servers/stop", {"server": server.id}).status_code == 403
    assert ann.post("/hangfire/servers/stop", {"server": "nobody"}).status_code == 404
    assert tm.database.read(servers.asked) == {}
    assert ann.post("/hangfire/servers/stop", {"server": server.id}).status_code == 204
    assert tm.database.read(servers.asked) == {server.id: True}
    page = ann.get("/hangfire/servers").text
    assert "stops after its jobs" in page
    assert "/hangfire/servers/resume" not in page
    assert ann.post("/hangfire/servers/resume", {"server": server.id}).status_code == 409
    tm.database.run(lambda tx: servers.set_quiet(tx, server.id, False))
    assert ann.send("POST", f"/api/v1/servers/{server.id}/stop").status_code == 204
    assert ann.send("POST", "/api/v1/servers/nobody/stop").status_code == 404
    assert ann.send("POST", f"/api/v1/servers/{server.id}/resume").status_code == 422
    (told,) = ann.get("/api/v1/servers", Accept="application/json").json
    assert (told["isPaused"], told["isStopping"]) == (True, True)
    written = ann.get("/api/v1/audit?action=servers.drain", Accept="application/json").json["items"]
    assert sum(row["outcome"] == "done" and "stops" in str(row["after"]) for row in written) == 2
    assert any(row["outcome"] == "denied" for row in written)


@pytest.mark.each_engine
def test_a_dead_server_is_taken_away_and_its_jobs_are_given_back(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    now = tm.database.clock.now()
    job_id = tm.enqueue(len, "x")
    living, dead = (f"web-{n}:1:{n:032x}" for n in (1, 2))
    data = {"WorkerCount": 3, "Queues": ["default"], "taskmanager": {"version": "0.0.9", "done": 5}}
    tm.database.run(lambda tx: [servers.announce(tx, one, data) for one in (living, dead)])
    table, queue = tm.database.tables.server, tm.database.tables.queue
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().where(table.c.Id == dead).values(LastHeartbeat=now - timedelta(minutes=5)))
        connection.execute(queue.update().values(FetchedAt=now, FetchToken=f"{2:032x}.1"))
    page = ann.get("/hangfire/servers").text
    assert "presumed dead" in page
    assert page.count("/hangfire/servers/remove") == 1
    assert eve.post("/hangfire/servers/remove", {"server": dead}).status_code == 403
    assert ann.post("/hangfire/servers/remove", {"server": living}).status_code == 409
    assert ann.post("/hangfire/servers/remove", {"server": "nobody"}).status_code == 404
    assert ann.post("/hangfire/servers/remove", {"server": dead}).status_code == 204
    assert [one.id for one in tm.database.read(servers.all_servers)] == [living]
    with tm.database.engine.connect() as connection:
        assert connection.execute(queue.select()).one().FetchToken is None
    assert tm.get(job_id).state == "Enqueued"
    assert ann.send("DELETE", f"/api/v1/servers/{living}").status_code == 422
    assert ann.get(f"/hangfire/servers/{dead}").status_code == 404


@pytest.mark.each_engine
def test_servers_are_filtered_and_each_tells_what_it_takes_and_does(tm: TaskManager, ann: Browser) -> None:
    own = {"version": "1.2.3", "memory": 90 << 20, "cpu": 12.5, "done": 4711, "ahead": -75.0, "scheduler": True}
    data = {"WorkerCount": 3, "Queues": ["default", "mail"], "StartedAt": "2026-11-01T00:00:00Z"}
    hostile = {"version": "1.2.2", "memory": "x", "cpu": True, "done": float("inf"), "ahead": None}

    def work(tx: Any) -> None:
        servers.announce(tx, "web-1:11:aa", data | {"taskmanager": own})
        servers.announce(tx, "web/2:12:bb", data | {"taskmanager": hostile})

    tm.database.run(work)
    page = ann.get("/hangfire/servers").text
    assert "Servers run several versions: 1.2.2, 1.2.3." in page
    assert ("web-1" in page, "web/2" in page) == (True, True)
    assert "web/2:" not in ann.get("/hangfire/servers?q=web-1").text
    assert "No server matches" in ann.get("/hangfire/servers?state=dead").text
    one = re.sub(r"<[^>]+>", "", ann.get("/hangfire/servers/web-1:11:aa").text)
    for text in ("12.5 % · 90 MB", "4,711", "1.2.3", "1 m 15 s away from the database", "others run 1.2.2"):
        assert text in one, text
    with ann.app.test_request_context():
        path = ann.app.url_for("pages.server", server="web/2:12:bb")
    assert "– · –" in ann.get(path).text
