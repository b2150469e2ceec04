"""All recurring jobs that match the filter, at once: asked about on a page or over REST, done in the background."""

from __future__ import annotations

import re

import pytest

from taskmanager import TaskManager
from tests.engine.test_recurring_operations import clean, ids, paused
from tests.webui.apiclient import Program
from tests.webui.conftest import Browser
from tests.webui.test_audit import log
from tests.webui.test_operations import key_in

HTML = {"Accept": "text/html"}
API = "/api/v1/operations/recurring"


@pytest.fixture
def some(tm: TaskManager) -> TaskManager:
    """Thirty of one kind and three others, of which one is paused."""
    tm.job(clean)
    for n in range(30):
        tm.recurring(f"customer-{n:02}", clean, cron="0 2 * * *")
    for name in ("other", "third", "paused"):
        tm.recurring(name, clean, cron="0 3 * * *")
    tm.pause("paused")
    return tm


def form(page: str, action: str, **more: str) -> dict[str, str]:
    return {"kind": "recurring", "state": "", "action": action, "q": "", "key": key_in(page)} | more


def question(browser: Browser, action: str, more: str = "") -> str:
    return str(browser.get(f"/hangfire/operations/new?kind=recurring&action={action}{more}").text)


@pytest.mark.each_engine
def test_all_that_match_are_paused_once_however_often_it_is_pressed(some: TaskManager, ann: Browser) -> None:
    page = ann.get("/hangfire/recurring?q=customer").text
    for action in ("trigger", "pause", "resume", "remove"):
        assert f"operations/new?kind=recurring&amp;action={action}&amp;q=customer" in page
    page = question(ann, "pause", "&q=customer")
    assert "30 recurring jobs match" in page
    assert "Pause 30 recurring jobs" in page
    assert page.count('href="/hangfire/recurring/customer-') == 3
    sent = form(page, "pause", q="customer", note="moving house", until="2040-01-01T00:00")
    first, second = (ann.post("/hangfire/operations", sent, **HTML) for _ in range(2))
    assert (first.status_code, first.headers["Location"]) == (303, second.headers["Location"])
    job_id = int(first.headers["Location"].rpartition("/")[2])
    assert paused(some) == {"paused"}
    some.testing.drain()
    assert len(paused(some)) == 31
    page = ann.get(f"/hangfire/operations/{job_id}").text
    assert "<strong>30</strong>" in page
    assert "Recurring jobs · All <code>customer</code>" in page
    assert "moving house" in page
    assert f"#{job_id} Pause" in ann.get("/hangfire/operations").text
    assert "moving house" in ann.get("/hangfire/recurring?state=paused").text
    started = log(some, action="operations.start")
    assert [(r.user, r.outcome) for r in started][-1] == ("ann", "done")
    assert '"count": 30' in (started[-1].after or "")


def test_a_state_is_a_filter_too_and_what_is_passed_by_is_listed(some: TaskManager, ann: Browser) -> None:
    page = question(ann, "resume", "&state=paused")
    assert "1 recurring job matches" in page
    job_id = ann.post("/hangfire/operations", form(page, "resume", state="paused", missed="run")).json["id"]
    some.resume("paused")
    some.testing.drain()
    page = ann.get(f"/hangfire/operations/{job_id}").text
    assert "it was not paused" in page
    assert 'href="/hangfire/recurring/paused"' in page
    page = question(ann, "remove", "&q=th")
    ann.post("/hangfire/operations", form(page, "remove", q="th"))
    some.testing.drain()
    assert {"other", "third"}.isdisjoint(ids(some))
    assert "No recurring job matches" in question(ann, "remove", "&q=third")


def test_more_than_a_thousand_ask_for_the_number(
    some: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.bulks.MANY", 20)
    page = question(ann, "trigger", "&q=customer")
    assert "Type 30 to go on" in page
    answer = ann.post("/hangfire/operations", form(page, "trigger", q="customer", number="3"), **HTML)
    assert (answer.status_code, "not typed right" in answer.text) == (422, True)
    sent = form(page, "trigger", q="customer", number="30")
    assert ann.post("/hangfire/operations", sent, **HTML).status_code == 303
    program = Program(some)
    asked = {"action": "pause", "q": "customer"}
    assert program.refused("POST", API, asked)[2] == ["expected"]
    assert program.post(API, asked | {"expected": 30}, 201)["kind"] == "recurring"


@pytest.mark.parametrize("more", ["&state=nonsense", "&note=x"])
def test_what_cannot_be_is_refused(some: TaskManager, ann: Browser, eve: Browser, more: str) -> None:
    assert ann.get(f"/hangfire/operations/new?kind=recurring&action=remove{more}").status_code == 400
    assert ann.get(f"/hangfire/operations/new?kind=recurring&action=explode{more}").status_code == 400
    assert eve.get("/hangfire/operations/new?kind=recurring&action=pause").status_code == 403
    assert (
        eve.post("/hangfire/operations", {"kind": "recurring", "action": "pause", "key": "0" * 32}).status_code == 403
    )
    assert "All matching" not in eve.get("/hangfire/recurring?q=customer").text


def test_a_program_asks_starts_and_starts_again_under_its_key(some: TaskManager) -> None:
    program = Program(some)
    plan = program.get(f"{API}/plan?action=pause&q=customer")
    assert (plan["matching"], plan["expected"], len(plan["samples"])) == (30, None, 3)
    wanted = {"action": "pause", "q": "customer", "note": "moving", "until": "2040-01-01T00:00:00Z"}
    first, second = (program.post(API, wanted, 201, Idempotency_Key="one") for _ in range(2))
    assert first == second
    assert (first["kind"], first["action"], first["state"], first["q"]) == ("recurring", "pause", "", "customer")
    changed = program.refused("POST", API, wanted | {"note": "other"}, Idempotency_Key="one")
    assert changed[:2] == (422, "Idempotency.KeyReused")
    some.testing.drain()
    done = program.get(f"/api/v1/operations/{first['id']}")
    assert (done["changed"], done["skipped"], done["progress"]) == (30, 0, 1.0)
    assert len(paused(some)) == 31
    made = program.post(API, {"action": "resume", "state": "paused", "runMissed": True}, 201)
    some.testing.drain()
    assert (program.get(f"/api/v1/operations/{made['id']}")["changed"], paused(some)) == (31, set())
    assert program.refused("POST", API, {"action": "trigger", "note": "why"})[2] == ["note"]
    assert program.refused("POST", API, {"action": "explode"})[2] == ["action"]
    eyes = Program(some, "eyes")
    assert eyes.send("POST", API, wanted).status_code == 403


def test_a_pause_whose_end_is_over_is_refused_on_the_page_and_by_the_api(some: TaskManager, ann: Browser) -> None:
    page = ann.get("/hangfire/operations/new?kind=recurring&action=pause&q=customer").text
    answer = ann.post("/hangfire/operations", form(page, "pause", q="customer", until="2020-01-01T00:00"), **HTML)
    assert answer.status_code == 400
    assert "until 2020-01-01 00:00:00 (UTC) is over" in answer.text
    program = Program(some)
    for name in ("2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00"):
        status, code, fields = program.refused("POST", API, {"action": "pause", "until": name})
        assert (status, code, fields) == (422, "Request.Invalid", ["until"])
    some.testing.drain()
    assert len(paused(some)) == 1, "only the one that was before"


def test_in_czech(some: TaskManager, ann: Browser) -> None:
    page = ann.get("/hangfire/operations/new?kind=recurring&action=pause&q=customer&lang=cs").text
    assert "Pozastavit 30 pravidelných úloh" in page
    assert not re.search(r"recurring jobs? match|Pause \d", page)
