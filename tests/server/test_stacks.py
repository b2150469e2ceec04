"""Where a running job stands is told within two seconds, through the database."""

from __future__ import annotations

import threading
import time

import pytest

from taskmanager import TaskManager
from tests.webui.conftest import ROLES, USERS, Browser
from webui import create_app

GO = threading.Event()


def hold_here(n: int) -> int:
    password = "hunter2"
    GO.wait(20)  # password=hunter2
    return n + len(password)


@pytest.mark.one_server
def test_the_stack_of_a_running_job_is_told_soon_and_masked_on_the_page(url: str) -> None:
    GO.clear()
    tm = TaskManager(database_url=url)
    server = tm.server()
    server.start()
    try:
        job_id = tm.enqueue(hold_here, 1)
        ends = time.monotonic() + 10
        while tm.get(job_id).state != "Processing":
            assert time.monotonic() < ends
            time.sleep(0.05)
        began = time.monotonic()
        found = tm.live_stack(job_id)
        assert time.monotonic() - began < 2.5
        assert found is not None
        assert "in hold_here" in found
        app = create_app(tm, users=USERS, roles=ROLES)
        page = Browser(app).post(f"/hangfire/servers/stack/{job_id}", Accept="text/html")
        assert page.status_code == 200
        assert "hold_here" in page.text
        assert "hunter2" not in page.text
        assert Browser(app, "eve").post(f"/hangfire/servers/stack/{job_id}").status_code == 403
        assert tm.live_stack(999_999, seconds=0.3) is None
    finally:
        GO.set()
        server.stop(grace=2)
        tm.close()
