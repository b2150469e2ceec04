"""What the page of a job says that is not as it looks, and what pages keep from who may not see messages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.states import Processing
from taskmanager.engine.transitions import Change
from taskmanager.storage import servers
from tests.webui.conftest import HASH, Browser
from tests.webui.sample import fill
from tests.webui.test_pages import pages_of
from webui import ROLES, create_app

SERVER = "web-1:1:guid"


def running(tm: TaskManager) -> int:
    job_id = tm.enqueue(len, "x")
    tm.client.change([Change(job_id, Processing(server_id=SERVER, worker_id="1"))])
    return job_id


def later(tm: TaskManager, table: str, column: str, by: timedelta) -> None:
    """Let what stands there have happened so much earlier."""
    found = getattr(tm.database.tables, table)

    def work(tx: Any) -> None:
        tx.connection.execute(found.update().values({column: tx.now() - by}))

    tm.database.run(work)


def test_a_running_job_warns_when_its_server_is_gone_or_has_not_been_heard_of(tm: TaskManager, ann: Browser) -> None:
    job_id = running(tm)
    assert "The server that performs this job is gone." in ann.get(f"/hangfire/jobs/details/{job_id}").text
    tm.database.run(lambda tx: servers.announce(tx, SERVER, {}))
    page = ann.get(f"/hangfire/jobs/details/{job_id}").text
    assert "is gone" not in page
    assert "not been heard of" not in page
    later(tm, "server", "LastHeartbeat", timedelta(seconds=90))
    assert "has not been heard of for over a minute" in ann.get(f"/hangfire/jobs/details/{job_id}").text


def test_a_cancelled_run_is_said_to_be_ending_and_then_honestly_not_to_react(tm: TaskManager, ann: Browser) -> None:
    job_id = running(tm)
    tm.database.run(lambda tx: servers.announce(tx, SERVER, {}))
    ann.post(f"/hangfire/jobs/actions/delete/{job_id}")
    assert "has not ended yet" in ann.get(f"/hangfire/jobs/details/{job_id}").text
    later(tm, "state", "CreatedAt", timedelta(minutes=2))
    page = ann.get(f"/hangfire/jobs/details/{job_id}").text
    assert "did not react: it goes on until it ends by itself" in page


def test_who_may_not_see_arguments_finds_none_and_no_message_on_any_page(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ROLES, "view", frozenset({"jobs.view"}))
    eve, ids = Browser(create_app(tm, users={"eve": HASH}, roles={"eve": "view"}), "eve"), fill(tm)
    jobs = [f"jobs/details/{one}" for one in ids.values()]
    listed = [*pages_of(tm), *jobs, f"jobs/details/{ids['failed']}?form=json"]
    told, leaks = ("smtp", "unexpected token", "example.org", "order 1042"), dict[str, list[str]]()
    for path in listed:
        answer = eve.get(f"/hangfire/{path}")
        page = answer.text.replace("error:smtp", "")
        assert answer.status_code in (200, 403), path
        if found := [text for text in told if text in page]:
            leaks[path] = found
    assert leaks == {}
    refused = eve.get("/hangfire/jobs/failed?q=error:smtp").text
    assert "may not look into arguments and messages" in refused


def test_a_job_leads_to_its_neighbours_tells_its_figures_and_where_its_parts_are(
    embedded: TaskManager, sam: Browser
) -> None:
    ids = fill(embedded)
    before = ids["failed"] - 1
    page = sam.get(f"/hangfire/jobs/details/{before}").text
    for rel, job_id in (("prev", ids["failed"]), ("next", before - 1)):
        assert f'rel="{rel}"' in page
        assert f'href="/hangfire/jobs/details/{job_id}"' in page
    assert 'rel="prev"' not in sam.get(f"/hangfire/jobs/details/{ids['failed']}").text, "it is the newest"
    assert re.search(r"<dt>Waited</dt><dd>3.0 s</dd>\s*<dt>Ran</dt><dd>5.0 s</dd>", page)
    for part in ("arguments", "error", "log"):
        assert (page.count(f'href="#{part}"'), page.count(f' id="{part}"')) == (1, 1), part
    assert sam.get(f"/hangfire/jobs/details/{before}.json").json["id"] == before
    assert "This job wrote no log" in sam.get("/hangfire/jobs/details/1").text
    named = embedded.enqueue_definition(embedded.definition(len), ("x",), {}, {"triggered_by": "ann"})
    assert "by ann" in sam.get(f"/hangfire/jobs/details/{named}").text
    running = sam.get(f"/hangfire/jobs/details/{ids['processing']}").text
    assert f"/servers/stack/{ids['processing']}" in running
    assert "data-lasting=" in running
