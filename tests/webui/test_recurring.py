"""Recurring jobs on their pages: definitions of the code brought back."""

from __future__ import annotations

from taskmanager import TaskManager
from tests.webui.conftest import Browser
from tests.webui.test_audit import log

HTML = {"Accept": "text/html"}


def totals(day: str = "today", api_token: str = "") -> None: ...


def clean() -> None: ...


def in_code(tm: TaskManager) -> None:
    """Two recurring jobs in code."""
    tm.job("0 2 * * *", display_name="Totals", time_zone="Europe/Prague")(totals)
    tm.job("*/15 * * * *", display_name="Clean")(clean)
    tm.register_recurring()


def test_a_job_removed_on_the_page_is_restored_there_still_paused(tm: TaskManager, ann: Browser) -> None:
    in_code(tm)
    tm.pause("Totals")
    ann.post("/hangfire/recurring/remove", {"jobs[]": ["Totals", "Clean"]})
    assert tm.recurring_list() == []
    answer = ann.post("/hangfire/recurring/restore", {"back": "/hangfire/recurring"}, **HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hangfire/recurring")
    assert "Brought back, for they were missing: Clean, Totals (paused)." in ann.get("/hangfire/recurring").text
    assert {r.id: r.paused for r in tm.recurring_list()} == {"Totals": True, "Clean": False}
    found = [(r.target, r.user, r.door, r.outcome) for r in log(tm, action="recurring.restore")]
    assert found == [("Totals", "ann", "dashboard", "done"), ("Clean", "ann", "dashboard", "done")]


def test_a_program_is_told_what_restoring_did(tm: TaskManager, ann: Browser) -> None:
    in_code(tm)
    tm.recurring("Totals", totals, cron="1 1 * * *")
    answer = ann.post("/hangfire/recurring/restore", Accept="application/json").get_json()
    assert answer == {
        "restored": [{"id": "Totals", "missing": False, "paused": False, "differed": ["cron"]}],
        "unchanged": 1, "problems": {},
    }  # fmt: skip
    assert ann.post("/hangfire/recurring/restore", Accept="application/json").get_json()["unchanged"] == 2


def test_nothing_to_restore_and_nothing_known_are_told_apart(tm: TaskManager, ann: Browser) -> None:
    form = {"back": "/hangfire/recurring"}
    ann.post("/hangfire/recurring/restore", form, **HTML)
    assert "imports no code that defines recurring jobs" in ann.get("/hangfire/recurring").text
    in_code(tm)
    ann.post("/hangfire/recurring/restore", form, **HTML)
    assert "Nothing was to be restored" in ann.get("/hangfire/recurring").text


def test_who_may_only_look_sees_no_button_and_restores_nothing(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    in_code(tm)
    tm.remove("Totals")
    assert "Restore all definitions" in ann.get("/hangfire/recurring").text
    assert "Restore all definitions" not in eve.get("/hangfire/recurring").text
    assert eve.post("/hangfire/recurring/restore").status_code == 403
    assert [r.id for r in tm.recurring_list()] == ["Clean"]
