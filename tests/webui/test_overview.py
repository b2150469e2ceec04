"""The front page: what it tells at a look, and how little it asks for it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from taskmanager import TaskManager
from taskmanager.domain import times
from taskmanager.domain.rollups import MINUTE, QUEUE, STEPS, TYPE, Figures, floor, step_of
from taskmanager.engine.audit import Actor
from taskmanager.engine.client import new_key
from taskmanager.storage import monitoring_failures, rollups, servers, structures
from taskmanager.storage.monitoring_filters import Wanted
from tests.webui.conftest import Browser
from tests.webui.sample import fill


def test_failures_are_told_by_cause_with_their_number_and_a_way_to_the_group(
    embedded: TaskManager, sam: Browser
) -> None:
    fill(embedded)
    page = sam.get("/hangfire/").text
    panel = page.partition("<h2>Latest failures")[2].partition("</section>")[0]
    group = embedded.database.read(monitoring_failures.groups)[0][0]
    assert f"/jobs/failed/groups/{group.key}" in panel
    assert (panel.count("MailNotSent"), ">9<" in panel) == (1, True)


def test_this_hours_failures_are_set_against_the_hour_before(embedded: TaskManager, sam: Browser) -> None:
    now = embedded.database.read(lambda tx: tx.now())
    for back, count in ((0, 14), (1, 5)):
        key = f"stats:failed:{now.replace(hour=(now.hour - back) % 24):%Y-%m-%d-%H}"
        if back and now.hour == 0:
            pytest.skip("the hour before is of another day")
        embedded.database.run(lambda tx, k=key, n=count: structures.add_counts(tx, {(k, None): n}))
    page = sam.get("/hangfire/").text
    assert re.search(r"5 in the hour before.*failed this hour 14 <span[^>]*>▲ 9", page, re.DOTALL)
    assert 'aria-label="19 in the last 24 hours"' in page
    assert "▲ 9" in sam.get("/hangfire/?period=month").text, "whatever the chart below shows"


def test_who_has_no_job_yet_is_shown_the_first(embedded: TaskManager, sam: Browser) -> None:
    assert "send_mail.enqueue" in sam.get("/hangfire/").text
    embedded.enqueue(len, "x")
    sam.app.config["SNAPSHOTS"]._tried = -1e9
    page = sam.get("/hangfire/").text
    assert "send_mail.enqueue" not in page
    assert re.search(r'oldest waiting job <span data-lasting="\d+">', page)


def test_the_last_hour_is_shown_by_the_minute_and_the_slowest_types_by_p95(tm: TaskManager, ann: Browser) -> None:
    minute = floor(tm.database.clock.now(), MINUTE)
    steps = [0] * STEPS
    steps[step_of(3000)] = 40
    of_type = Figures(40, 3, 120_000, longest=3000, steps=tuple(steps))
    sums = {
        (minute, TYPE, "shop.mails:send_invoice"): of_type,
        (minute, TYPE, "shop.tidy:sweep"): Figures(2, 0, 4, longest=2, steps=(0, 0, 2) + (0,) * 23),
        (minute, QUEUE, "default"): Figures(40, 3, 120_000),
        (minute - timedelta(minutes=7), QUEUE, "mail"): Figures(5, 5),
    }
    tm.database.run(lambda tx: rollups.add(tx, sums))
    page = ann.get("/hangfire/?period=hour").text
    assert 'aria-label="37 succeeded, 8 failed, 0 deleted"' in page
    assert len(re.findall(r"<tr><td>[\d-]+ \d\d:\d\d</td>", page)) == 60
    panel = page.partition("<h2>Slowest types")[2].partition("</section>")[0]
    assert re.search(r"send_invoice.*40 runs.*3 failed.*(?:2\.9|3\.0) s.*sweep.*2 runs.*2 ms", panel, re.DOTALL)


def test_deploys_and_alerts_are_marked_beside_the_history(tm: TaskManager, ann: Browser) -> None:
    now = tm.database.clock.now()
    for version in ("2.4.1", "2.4.1", "<b>"):
        tm.database.run(lambda tx, v=version: servers.note_version(tx, v))  # type: ignore[misc]
    tm.database.run(lambda tx: structures.put(tx, "alerts:messages", {"77": times.to_unix(now)}))
    tm.database.run(lambda tx: structures.put(tx, "deploys", {"old": times.to_unix(now - timedelta(days=9))}))
    for period in ("hour", "day", "week"):
        page = ann.get(f"/hangfire/?period={period}").text
        assert page.count("Deploy of 2.4.1") == 1
        assert "Deploy of &lt;b&gt;" in page
        assert "Deploy of old" not in page
        assert re.search(r'data-marks="\[\d+,\d+,\d+\]"|data-marks=\'\[\d+,\d+,\d+\]\'', page)
        assert '/jobs/details/77">Alert #77' in page
    assert "Deploy of old" in ann.get("/hangfire/?period=month").text


@pytest.mark.each_engine
def test_a_server_that_starts_marks_its_version_once(url: str) -> None:
    for version in ("7.1", "7.1", "7.2"):
        tm = TaskManager(database_url=url, doorbell=False, app_version=version)
        server = tm.server()
        server.start()
        server.stop(grace=2)
        assert "7.1" in tm.database.read(lambda tx: structures.members(tx, servers.DEPLOYS))
        tm.close()


@pytest.mark.each_engine
def test_operations_that_go_on_are_told(tm: TaskManager, ann: Browser) -> None:
    actor = Actor("zoe", "web")
    wanted = Wanted(("Failed",), ())
    number = tm.operations.start("requeue", wanted, "", actor, new_key())
    now = times.to_unix(tm.database.clock.now())
    tm.database.run(lambda tx: structures.put(tx, "bulk-operations", {"no number": now}))
    page = ann.get("/hangfire/").text
    panel = page.partition("<h2>Running operations")[2].partition("</section>")[0]
    assert f"/operations/{number}" in panel
    assert "zoe" in panel
    tm.operations.step(number)
    assert "No operation is going on" in ann.get("/hangfire/").text


def test_panels_are_hidden_by_a_form_and_stay_hidden(tm: TaskManager, ann: Browser) -> None:
    sent = {"panels": "1", "panel": ["history", "queues"], "back": "/hangfire/"}
    answer = ann.post("/hangfire/preferences", sent, Accept="text/html")
    assert answer.status_code == 303
    page = ann.get("/hangfire/").text
    assert ['id="history"' in page, 'id="realtime"' in page] == [True, False]
    assert re.findall(r"<header><h2>([^<]+)</h2>", page) == ["Queues"]
    assert page.count(" checked>") == 2
    ann.post("/hangfire/preferences", {"forget": "1", "back": "/hangfire/"}, Accept="text/html")
    assert 'id="realtime"' in ann.get("/hangfire/").text


@pytest.mark.each_engine
def test_the_api_tells_the_last_hour_by_the_minute_too(tm: TaskManager, ann: Browser) -> None:
    minute = floor(tm.database.clock.now(), MINUTE)
    tm.database.run(lambda tx: rollups.add(tx, {(minute, QUEUE, "mail"): Figures(5, 2)}))
    found = ann.get("/api/v1/stats/history?period=hour", Accept="application/json").json
    at = found["moments"].index(next(one for one in found["moments"] if one.startswith(minute.isoformat()[:16])))
    assert (len(found["moments"]), found["succeeded"][at], found["failed"][at]) == (60, 3, 2)
    assert (sum(found["succeeded"]), sum(found["deleted"])) == (3, 0)
