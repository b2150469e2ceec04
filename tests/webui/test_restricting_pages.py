"""The overview, the counts and the recurring jobs of a dashboard of some queues are of these queues alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import insert

from taskmanager import TaskManager
from taskmanager.domain.rollups import ALL, MINUTE, QUEUE, STEPS, TYPE, Figures, floor
from taskmanager.storage import monitoring_front_of_queues, monitoring_lists, monitoring_narrowed, rollups, servers
from taskmanager.storage.monitoring_filters import Wanted
from tests.webui.conftest import ROLES, USERS, Browser
from tests.webui.sample import fill
from tests.webui.test_audit import log
from webui import create_app, restricting


def mailing(to: str = "all", secret: str = "") -> None: ...


def paying(whom: str = "all") -> None: ...


def before(tm: TaskManager, queues: str) -> Browser:
    """Ann, before a dashboard of some queues."""
    tm.settings = tm.settings.with_changes(web_queues=queues)
    made = create_app(tm, users=USERS, roles=ROLES)
    made.config["PROPAGATE_EXCEPTIONS"] = made.testing = True
    return Browser(made)


def two_recurring(tm: TaskManager) -> None:
    """One of the queue mail, and one of the queue payroll."""
    tm.job(display_name="Mailing", queue="mail")(mailing)
    tm.job(display_name="Paying", queue="payroll")(paying)
    tm.recurring("mailing", mailing, cron="0 2 * * *")
    tm.recurring("paying-payroll", paying, cron="0 1 * * *")


def counts(browser: Browser) -> dict[str, Any]:
    """What the poll of a page is told now."""
    seen = browser.app.config["SNAPSHOTS"]
    seen._tried = seen._narrowed_next = -1e9
    return {name: one["text"] for name, one in browser.get("/hangfire/stats").json["counts"].items()}


@pytest.mark.each_engine
def test_counts_of_menu_and_shell_are_of_the_queues(tm: TaskManager) -> None:
    two_recurring(tm)
    mails = tm.enqueue_many(mailing, [("a",), ("b",), ("c",), ("d",)], queue="mail")
    pays = tm.enqueue_many(paying, [("x",), ("y",)], queue="payroll")
    tm.enqueue(mailing, "later", delay=900)
    tm.enqueue(paying, "later", delay=900)
    for one in (mails[0], *pays):
        tm.client.fail(one, ValueError("no"), "no")
    tm.delete(mails[1])
    minute = floor(tm.database.clock.now(), MINUTE)
    sums = {(minute, QUEUE, "mail"): Figures(7, 2), (minute, QUEUE, "payroll"): Figures(90, 1)}
    tm.database.run(lambda tx: rollups.add(tx, sums))
    some = before(tm, "mail")
    told = counts(some)
    assert {name: told[name] for name in ("enqueued", "scheduled", "failed", "deleted", "succeeded")} == {
        "enqueued": "2", "scheduled": "1", "failed": "1", "deleted": "1", "succeeded": "5",
    }  # fmt: skip
    assert (told["recurring"], told["queues"], told["servers"], told["alerts"]) == ("1", "1", "–", "–")
    page = some.get("/hangfire/jobs/failed").text
    menu = dict(re.findall(r'data-count="(\w+)"[^>]*>([^<]+)<', page))
    assert {name: menu[name] for name in ("failed", "recurring", "queues")} == dict.fromkeys(
        ("failed", "recurring", "queues"), "1"
    )
    assert some.get("/hangfire/stats").json["ended"] == {}
    asked = some.post("/hangfire/stats", {"metrics[]": ["failed:count", "servers:count"]}).json
    assert (asked["failed:count"]["intValue"], asked["servers:count"]) == (1, None)
    both = counts(before(tm, "mail,payroll"))
    assert (both["failed"], both["recurring"], both["succeeded"], both["queues"]) == ("3", "2", "94", "2")
    assert counts(before(tm, "other"))["failed"] == "0"


def test_a_count_that_stops_says_so(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring_narrowed, "LOOKED", 3)
    monitoring_narrowed._counts.cache_clear()
    mails = tm.enqueue_many(len, [("a",), ("b",)], queue="mail")
    pays = tm.enqueue_many(len, [("c",), ("d",)], queue="payroll")
    for one in (*mails, *pays):
        tm.client.fail(one, ValueError("no"), "no")
    some = before(tm, "mail")
    told = counts(some)
    monitoring_narrowed._counts.cache_clear()
    assert told["failed"] in ("1+", "2+"), "of the newest three, and there is a fourth"
    assert "+" not in told["deleted"]


def test_counting_waits_longer_the_longer_it_takes(embedded: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    some = before(embedded, "mail")
    seen = some.app.config["SNAPSHOTS"]
    asked = list[int]()
    real = monitoring_narrowed.take

    def counted(*given: Any, **named: Any) -> Any:
        asked.append(1)
        return real(*given, **named)

    monkeypatch.setattr(monitoring_narrowed, "take", counted)
    counts(some)
    seen._narrowed_next = float("inf")
    embedded.enqueue(len, "x", queue="mail")
    seen._tried = -1e9
    assert some.get("/hangfire/stats").json["counts"]["enqueued"]["text"] == "0", "as they were"
    assert (len(asked), counts(some)["enqueued"], len(asked)) == (1, "1", 2)


@pytest.mark.each_engine
def test_the_overview_is_of_the_queues(tm: TaskManager, statements: Callable[[], list[str]]) -> None:
    two_recurring(tm)
    (mine,) = tm.enqueue_many(mailing, [("me@example.org",)], queue="mail")
    (other,) = tm.enqueue_many(paying, [("you@example.org",)], queue="payroll")
    for one in (mine, other):
        tm.client.fail(one, ValueError("on purpose"), "no")
    tm.enqueue_many(mailing, [("n",)] * 3, queue="mail")
    tm.enqueue_many(paying, [("n",)] * 5, queue="payroll")
    now = floor(tm.database.clock.now(), MINUTE)
    steps = (0,) * STEPS
    sums = {
        (now, QUEUE, "mail"): Figures(40, 3, 120_000, steps=steps),
        (now, QUEUE, "payroll"): Figures(500, 90, 1, steps=steps),
        (now, ALL, ""): Figures(540, 93, 1, steps=steps),
        (now, TYPE, "shop:payroll"): Figures(500, 90, 1, steps=steps),
    }
    tm.database.run(lambda tx: rollups.add(tx, sums))
    data = {"WorkerCount": 20, "StartedAt": "2026-01-01T00:00:00Z"}
    tm.database.run(lambda tx: servers.announce(tx, "a:1:aa", data | {"Queues": ["mail"]}))
    tm.database.run(lambda tx: servers.announce(tx, "b:1:bb", data | {"Queues": ["payroll"], "WorkerCount": 700}))
    some = before(tm, "mail")
    for period in ("hour", "day", "week", "month"):
        page = some.get(f"/hangfire/?period={period}").text
        assert 'aria-label="37 succeeded, 3 failed"' in page, period
        assert "payroll" not in page
        assert "you@example.org" not in page
    assert "1 server<" in re.sub(r"\s+<", "<", page)
    assert "of 20 threads busy" in page
    failures = page.partition("<h2>Latest failures")[2].partition("</section>")[0]
    assert (f"jobs/details/{mine}" in failures, f"jobs/details/{other}" in failures) == (True, False)
    assert "ValueError" in failures
    coming = page.partition("<h2>Next runs")[2].partition("</section>")[0]
    assert re.findall(r'class="job-name"[^>]*>([^<]+)<', coming) == ["mailing"]
    assert "Slowest types" not in page.partition('id="panels"')[2].replace("the slowest types", "")
    assert "Not shown, for it is not known of each queue" in page
    assert 'id="realtime"' not in page
    statements()
    seen = some.app.config["SNAPSHOTS"]
    seen._tried = seen._narrowed_next = -1e9
    assert some.get("/hangfire/").status_code == 200
    assert len(statements()) <= 8


@pytest.mark.each_engine
def test_the_trend_of_queues_begins_where_its_period_does(tm: TaskManager) -> None:
    now = floor(tm.database.clock.now(), MINUTE)
    sums = {(now - timedelta(days=back), QUEUE, "mail"): Figures(1, 0) for back in (0, 3, 20)}
    tm.database.run(lambda tx: rollups.add(tx, sums))

    def trend(period: str) -> Any:
        return tm.database.read(lambda tx: monitoring_front_of_queues.trend(tx, ("mail", "x"), period))

    found = {period: sum(trend(period).series["succeeded"]) for period in ("hour", "day", "week", "month")}
    assert found == {"hour": 1, "day": 1, "week": 2, "month": 3}
    assert [len(trend(period).moments) for period in found] == [60, 24, 7, 30]


@pytest.mark.each_engine
def test_recurring_jobs_of_other_queues_are_neither_listed_nor_changed(tm: TaskManager) -> None:
    two_recurring(tm)
    some = before(tm, "mail")
    for query in ("", "?q=ing", "?sort=next", "?sort=last", "?sort=failures"):
        page = some.get(f"/hangfire/recurring{query}").text
        assert ("mailing" in page, "payroll" in page) == (True, False), query
    assert re.search(r"<h1>Recurring jobs</h1><span[^>]*>1<", page)
    for path in ("", "/edit", "/trigger"):
        assert some.get(f"/hangfire/recurring/paying-payroll{path}").status_code == 404
        assert some.get(f"/hangfire/recurring/mailing{path}").status_code == 200
    for verb in ("trigger", "pause", "resume", "remove"):
        for ids in (["paying-payroll"], ["mailing", "paying-payroll"]):
            assert some.post(f"/hangfire/recurring/{verb}", {"jobs[]": ids}).status_code == 404
    assert some.post("/hangfire/recurring/revert", {"recurring_id": "paying-payroll"}).status_code == 404
    assert some.post("/hangfire/recurring/restore").status_code == 403
    assert {one.id: one.paused for one in tm.recurring_list()} == {"mailing": False, "paying-payroll": False}
    assert tm.database.read(lambda tx: monitoring_lists.newest(tx, Wanted(), limit=9)) == [], "nothing was triggered"
    assert some.post("/hangfire/recurring/pause", {"jobs[]": ["mailing", "gone"]}).status_code == 204
    assert some.post("/hangfire/recurring/trigger", {"jobs[]": ["mailing"]}).status_code == 204
    assert tm.recurring_jobs.get("mailing").paused
    assert "paying-payroll" in {row.target for row in log(tm, outcome="denied")}


def test_no_recurring_job_is_moved_into_another_queue_or_made_there(tm: TaskManager) -> None:
    two_recurring(tm)
    some = before(tm, "mail")
    form = some.get("/hangfire/recurring/mailing/edit").text
    found = re.search(r'name="version" value="([^"]+)"', form)
    assert found is not None
    answer = some.post(
        "/hangfire/recurring/mailing/edit", {"version": found[1], "queue": "payroll", "cron": "0 3 * * *"}
    )
    assert (answer.status_code, "is none of the queues of this dashboard" in answer.text) == (422, True)
    assert tm.recurring_jobs.get("mailing").queue == "mail"
    answer = some.post("/hangfire/recurring/mailing/edit", {"version": found[1], "queue": "mail", "cron": "0 3 * * *"})
    assert (answer.status_code, tm.recurring_jobs.get("mailing").cron) == (204, "0 3 * * *")
    made = {"cron": "0 3 * * *", "time_zone": "UTC", "misfire": "relaxed"}
    name = f"{__name__}:paying"
    answer = some.post("/hangfire/recurring/new", made | {"type": name, "id": "mine"})
    assert (answer.status_code, "is none of the queues of this dashboard" in answer.text) == (422, True)
    assert some.post("/hangfire/recurring/new", made | {"type": name, "id": "mine", "queue": "mail"}).status_code == 201
    assert tm.recurring_jobs.get("mine").queue == "mail"


def test_what_the_code_puts_elsewhere_is_not_brought_back(tm: TaskManager) -> None:
    tm.job("0 2 * * *", display_name="Paying", queue="payroll")(paying)
    tm.register_recurring()
    edited = before(tm, "mail,payroll")
    found = re.search(r'name="version" value="([^"]+)"', edited.get("/hangfire/recurring/Paying/edit").text)
    assert found is not None
    fields = {"version": found[1], "queue": "mail", "cron": "0 2 * * *"}
    assert edited.post("/hangfire/recurring/Paying/edit", fields).status_code == 204
    some = before(tm, "mail")
    assert some.get("/hangfire/recurring/Paying").status_code == 200
    assert some.post("/hangfire/recurring/revert", {"recurring_id": "Paying"}).status_code == 404
    assert tm.recurring_jobs.get("Paying").queue == "mail"


def test_rows_of_c_job_belong_to_the_usual_queue(tm: TaskManager) -> None:
    row = {"JobName": "Nightly totals", "CronExpression": "30 1 * * *", "StoredProcName": "SP_T", "IsActive": 0}
    with tm.database.engine.begin() as connection:
        connection.execute(insert(tm.database.tables.legacy.job).values(**row))
    usual, other = before(tm, "default"), before(tm, "default")
    (known,) = tm.recurring_list()
    assert "Nightly totals" in usual.get("/hangfire/recurring").text
    assert (usual.get(f"/hangfire/recurring/{known.id}").status_code, counts(usual)["recurring"]) == (200, "1")
    other = before(tm, "mail")
    assert "Nightly totals" not in other.get("/hangfire/recurring").text
    assert (other.get(f"/hangfire/recurring/{known.id}").status_code, counts(other)["recurring"]) == (404, "0")
    assert other.get(f"/hangfire/recurring/{known.id}/edit").status_code == 404


@pytest.mark.each_engine
def test_retries_are_of_the_queues(tm: TaskManager) -> None:
    found = fill(tm)
    some = before(tm, "mail")
    page = some.get("/hangfire/retries").text
    assert f"/jobs/details/{found['retries']}" not in page
    assert some.post("/hangfire/retries/give-up", {"jobs[]": [found["retries"]]}).status_code == 404
    own = before(tm, "default")
    assert f"/jobs/details/{found['retries']}" in own.get("/hangfire/retries").text
    assert counts(own)["retries"] == "3"
    assert own.post("/hangfire/retries/give-up", {"jobs[]": [found["retries"]]}).status_code == 204


@pytest.mark.each_engine
def test_no_link_of_its_pages_leads_to_what_is_refused(tm: TaskManager) -> None:
    found = fill(tm)
    some = before(tm, "mail,default")
    adapter = some.app.url_map.bind("localhost")
    paths, seen, wrong = ["/hangfire/"], set[str](), set[tuple[str, str]]()
    paths += [f"/hangfire/jobs/details/{one}" for one in found.values()]
    while paths:
        path = paths.pop()
        if path in seen or len(seen) > 60:
            continue
        seen.add(path)
        page = some.get(path)
        for link in re.findall(r'(?:href|action|formaction|hx-get)="(/hangfire[^"#]*)"', page.text):
            parts = urlsplit(link)
            kinds = [rule.endpoint for rule in _rules(adapter, parts.path)]
            if not any(one == "pages.static" or restricting.has(one) for one in kinds):
                wrong.add((re.sub(r"\d+", "1", path), re.sub(r"\d+", "1", link)))
            if re.fullmatch(
                r"/hangfire/(jobs(/\w+)?|recurring(/[\w%:-]+(/edit)?)?|queues/\w+|retries|settings)", parts.path
            ):
                paths.append(parts.path)
    assert (len(seen) > 20, wrong) == (True, set())


def _rules(adapter: Any, path: str) -> list[Any]:
    found = []
    for method in ("GET", "POST"):
        try:
            found.append(adapter.match(path, method=method, return_rule=True)[0])
        except Exception:
            continue
    return found
