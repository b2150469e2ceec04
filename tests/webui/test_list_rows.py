"""Rows of a list: the columns one chose, what is fetched when a row is opened, and how long jobs usually take."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from taskmanager import TaskManager
from taskmanager.domain.rollups import STEPS, TYPE, Figures, floor, step_of
from taskmanager.domain.states import Processing
from taskmanager.engine.transitions import Change
from taskmanager.storage import rollups
from tests.webui.conftest import Browser


def heads(page: str) -> list[str]:
    """The columns of the list on a page, but for the first and the menu."""
    row = page.partition("<thead>")[2].partition("</thead>")[0]
    found = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', row)
    return [re.sub("<[^>]+>| [▾▴]", "", one) for one in found[1:-1]]


def failed(tm: TaskManager) -> int:
    job_id = tm.enqueue(len, "some argument")
    tm.client.fail(job_id, ValueError(), "no such address")
    return job_id


@pytest.mark.parametrize("state", ["all", "scheduled", "processing", "succeeded", "failed", "deleted", "awaiting"])
def test_every_list_has_the_columns_that_the_address_names(tm: TaskManager, ann: Browser, state: str) -> None:
    tm.enqueue(len, "x", delay=600)
    failed(tm)
    tm.delete(failed(tm))
    path = "/hangfire/jobs" + ("" if state == "all" else f"/{state}")
    page = ann.get(path)
    assert page.status_code == 200
    offered = re.findall(r'name="cols" value="(\w+)"( checked)?', page.text)
    assert {"queue", "created", "expires", "recurring"} <= {name for name, _ in offered}
    assert ("created", "") in offered
    if heads(page.text):
        assert heads(ann.get(f"{path}?cols=created,queue,nonsense").text) == ["Queue", "Created"]
        assert heads(ann.get(f"{path}?cols={','.join(name for name, _ in offered)}").text)
        assert heads(ann.get(f"{path}?cols=-").text) == []


def test_chosen_columns_are_kept_for_their_list_until_they_are_forgotten(tm: TaskManager, ann: Browser) -> None:
    failed(tm)
    usual = heads(ann.get("/hangfire/jobs/failed").text)
    answer = ann.get("/hangfire/jobs/failed?count=50&keep=1&cols=-&cols=error&cols=created")
    assert answer.headers["Location"] == "/hangfire/jobs/failed?count=50"
    assert heads(ann.get("/hangfire/jobs/failed").text) == ["Error", "Created"]
    assert heads(ann.get("/hangfire/jobs").text) == ["State", "Queue", "Since"]
    ann.get("/hangfire/jobs/failed?keep=1&cols=-")
    assert heads(ann.get("/hangfire/jobs/failed").text) == []
    ann.post("/hangfire/preferences", {"forget": "1"})
    assert heads(ann.get("/hangfire/jobs/failed").text) == usual == ["Error", "Attempts", "Queue", "Since"]


def test_a_rows_menu_has_arguments_error_and_buttons(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    job_id = failed(tm)
    address = f"/hangfire/jobs/details/{job_id}/glance"
    assert f'hx-get="{address}"' in ann.get("/hangfire/jobs/failed").text
    url = {"HX-Current-URL": "http://localhost/hangfire/jobs/failed?count=50"}
    told = ann.get(address, **url).text
    assert "some argument" in re.sub("<[^>]+>", "", told)
    assert "no such address" in told
    assert re.findall(r'action="/hangfire/([^"]+)"', told) == [
        f"jobs/actions/requeue/{job_id}", f"jobs/actions/delete/{job_id}",
    ]  # fmt: skip
    assert 'name="back" value="/hangfire/jobs/failed?count=50"' in told
    assert "<form" not in eve.get(address).text
    assert ann.get("/hangfire/jobs/details/999999/glance").status_code == 404
    sent = {"state": "failed", "back": "/hangfire/jobs/failed?count=50"}
    answer = ann.post(f"/hangfire/jobs/actions/requeue/{job_id}", sent, Accept="text/html")
    assert (answer.headers["Location"], tm.get(job_id).state) == (sent["back"], "Enqueued")
    ann.post(f"/hangfire/jobs/actions/delete/{job_id}", sent, Accept="text/html")
    assert tm.get(job_id).state == "Enqueued", "it is not in the state any more in which it was shown"


@pytest.mark.each_engine
def test_a_running_job_is_told_beside_what_its_kind_usually_takes(tm: TaskManager, ann: Browser) -> None:
    known, unknown = tm.enqueue(len, "x"), tm.enqueue(abs, 1)
    began = tm.database.clock.now() - timedelta(seconds=90)
    running = Processing(server_id="s", worker_id="w")
    tm.client.change([Change(i, running, at=began) for i in (known, unknown)])
    page = ann.get("/hangfire/jobs/processing").text
    assert "p95" not in page
    steps = [0] * STEPS
    steps[step_of(8_000)] = 20
    minute = floor(tm.database.clock.now(), 60)
    sums = {(minute, TYPE, "builtins:len"): Figures(count=20, longest=8_000, steps=tuple(steps))}
    tm.database.run(lambda tx: rollups.add(tx, sums))
    page = ann.get("/hangfire/jobs/processing").text
    rows = {i: page.partition(f'id="job-{i}"')[2].partition("</tr>")[0] for i in (known, unknown)}
    assert re.search(r'class="warn-text"[^>]*>\s*<svg.*?p95 [78]\.\d s', rows[known], re.DOTALL)
    assert "p95" not in rows[unknown]
