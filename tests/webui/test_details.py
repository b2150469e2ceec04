"""What the page of a job says that is not as it looks, and what pages keep from who may not see messages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.states import Processing, Scheduled
from taskmanager.engine.transitions import Change
from taskmanager.storage import job_log, jobs, servers
from tests.webui.apiclient import Program
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


@pytest.mark.each_engine
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


def with_many_states(tm: TaskManager, runs: int) -> int:
    """A job that has run so often, each time with a line in its log, and has succeeded at last."""
    job_id = tm.enqueue(len, "x")

    def work(tx: Any) -> None:
        now = tx.now()
        for number in range(1, runs + 1):
            tm.transitions.apply(tx, [Change(job_id, Processing(server_id=SERVER, worker_id="1"), elect=False)])
            tm.transitions.apply(tx, [Change(job_id, Scheduled(enqueue_at=now, reason=f"again {number}"), elect=False)])
            line = json.dumps({"level": "INFO", "message": f"line of run {number}"})
            job_log.add(tx, [{"JobId": job_id, "Attempt": number, "CreatedAt": tx.bind_moment(now), "Lines": line}])

    tm.database.run(work)
    return job_id


def test_a_history_above_200_states_is_read_on_page_by_page(
    embedded: TaskManager, sam: Browser, statements: Callable[[], list[str]]
) -> None:
    job_id = with_many_states(embedded, 130)
    path = f"/hangfire/jobs/details/{job_id}"
    sam.get(path)
    statements()
    newest = sam.get(path).text
    assert len(statements()) <= 8
    assert newest.count('id="state-') == 200
    assert ('id="attempt-130"' in newest, 'id="attempt-31"' in newest, 'id="attempt-30"' in newest) == (
        True,
        True,
        False,
    )
    assert "Lines of runs that are not on this page" in newest
    assert "line of run 7<" in newest
    found = re.search(r'href="([^"]+states_before=\d+)#h-states"', newest)
    assert found is not None
    older = sam.get(found[1]).text
    assert older.count('id="state-') == 61
    assert ('id="attempt-30"' in older, 'id="attempt-1"' in older, ">Older states" in older) == (True, True, False)
    assert "The newest states" in older
    assert "again 130" not in older
    told = Program(embedded)
    first = told.get(f"/api/v1/jobs/{job_id}")
    rest = told.get(f"/api/v1/jobs/{job_id}?statesBefore={first['statesNext']}")
    assert (len(first["history"]), len(rest["history"]), rest["statesNext"]) == (200, 61, None)


def test_a_long_log_is_read_on_also_when_the_job_has_ended(embedded: TaskManager, sam: Browser) -> None:
    job_id = running(embedded)

    def work(tx: Any) -> None:
        for chunk in range(450):
            lines = "\n".join(json.dumps({"level": "INFO", "message": f"line {chunk}.{n}"}) for n in range(4))
            job_log.add(tx, [{"JobId": job_id, "Attempt": 1, "CreatedAt": tx.bind_moment(tx.now()), "Lines": lines}])

    embedded.database.run(work)
    embedded.client.fail(job_id, ValueError(), "no")
    page = sam.get(f"/hangfire/jobs/details/{job_id}").text
    assert ("line 249.3<" in page, "line 250.0<" in page) == (True, False), "a thousand lines"
    found = re.search(r'href="([^"]+log_after=\d+)#log"', page)
    assert found is not None
    further = sam.get(found[1]).text
    assert ("line 249.3<" in further, "line 250.0<" in further, "line 449.3<" in further) == (False, True, True)
    assert "Further lines of the log" not in further
    assert "The log from its beginning" in further
    text = sam.get(f"/hangfire/jobs/details/{job_id}/log?form=text").text
    assert (text.count("\n"), "line 449.3" in text) == (1800, True)


def test_a_running_job_tells_about_how_long_it_goes_on(embedded: TaskManager, sam: Browser) -> None:
    job_id = running(embedded)
    embedded.database.run(lambda tx: jobs.set_parameters(tx, {(job_id, "Progress"): "0.25"}))
    later(embedded, "state", "CreatedAt", timedelta(minutes=10))
    assert re.search(r"25 % · about 30 m( \d+ s)? to go", sam.get(f"/hangfire/jobs/details/{job_id}").text)
    start = embedded.get(job_id).history[-1].created_at.isoformat() + "Z"
    news = sam.get(f"/hangfire/jobs/details/{job_id}/log?start={start}").json
    assert "about 30 m" in news["text"]
    told = Program(embedded).get(f"/api/v1/jobs/{job_id}")
    assert (told["progress"], 1790 < told["remainingSeconds"] < 1900) == (0.25, True)
    later(embedded, "state", "CreatedAt", timedelta(0))
    assert "25 %</small>" in sam.get(f"/hangfire/jobs/details/{job_id}").text
