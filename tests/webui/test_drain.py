"""Draining a server by its button."""

from __future__ import annotations

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
