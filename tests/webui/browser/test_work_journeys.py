"""What people do with history, causes of failures, new jobs, servers, alerts and the audit log, by mouse and finger."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from taskmanager.storage import alert_marks
from tests.webui.browser.conftest import Site, Window, wait_until

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
Windows = Callable[..., Window]


def fits(window: Window) -> bool:
    """Whether the page is no wider than its window."""
    width, inner = window.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return bool(width <= inner)


def test_on_a_phone_the_history_leads_to_a_run_and_its_stack_trace(site: Site, window: Windows) -> None:
    here = window(phone=True, has_touch=True)
    page = here.open("history?job=Nightly+totals&result=failed")
    page.locator("main tbody tr a").first.tap()
    page.wait_for_url("**/history/*")
    assert "MailNotSent" in page.locator("main").inner_text()
    assert fits(here)
    assert here.violations() == []
    assert here.complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_whole_group_of_failures_is_requeued_in_the_background(site: Site, window: Windows, scripts: bool) -> None:
    here = window(java_script_enabled=scripts)
    page = here.open("jobs/failed")
    page.get_by_role("link", name="Grouped by cause").click()
    page.get_by_role("link", name="shop.mails.MailNotSent", exact=True).click()
    page.get_by_role("link", name="Requeue all 9…").click()
    page.get_by_role("button", name="Requeue 9 jobs").click()
    page.get_by_text("It waits for a server.").wait_for()
    job_id = int(page.url.rpartition("/")[2])
    while not site.tm.operations.step(job_id).ended:
        pass
    page.get_by_text("finished").wait_for() if scripts else page.reload()
    assert page.locator("dd strong").first.inner_text() == "9"
    assert site.tm.get(site.ids["failed"]).state == "Enqueued"
    if scripts:
        assert here.violations() == []
    assert here.complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_new_job_is_refused_at_its_field_and_then_made(site: Site, window: Windows, scripts: bool) -> None:
    here = window(java_script_enabled=scripts)
    page = here.open("jobs")
    page.get_by_role("link", name="New job").click()
    page.get_by_role("link", name="Send invoice").click()
    page.get_by_label("order_id").fill("forty-two")
    page.get_by_label("email").fill("ann@example.org")
    page.get_by_role("button", name="Create the job").click()
    page.get_by_text("Nothing was enqueued: look at the marked fields.").wait_for()
    assert page.get_by_label("email").input_value() == "ann@example.org"
    assert page.locator("[aria-invalid=true]").count() == 1
    if scripts:
        assert here.violations() == []
    page.get_by_label("order_id").fill("42")
    page.get_by_role("button", name="Create the job").click()
    page.wait_for_url("**/jobs/details/*")
    made = site.tm.get(int(page.url.rpartition("/")[2]))
    assert (made.state, made.queue) == ("Enqueued", "mail")
    assert here.complaints == []
    assert len(here.refused) == 1, "the form that was refused, once"


def test_a_server_is_drained_and_resumed(site: Site, window: Windows) -> None:
    here = window()
    page = here.open("servers")
    page.get_by_role("button", name="Drain").click()
    page.get_by_text("The server takes no more jobs; what it runs, it ends.").wait_for()
    page.get_by_text("takes no jobs").wait_for()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Drain").wait_for()
    page = here.open("audit?action=servers.drain")
    assert page.locator("main tbody tr").count() == 2
    assert here.violations() == []
    assert here.complaints == []


def test_where_a_running_job_stands_is_told_or_honestly_not(
    site: Site, window: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = window()
    page = here.open("servers")
    told = 'File "/srv/shop/feeds.py", line 7, in import_feed\n    read(url)'
    monkeypatch.setattr(site.tm, "live_stack", lambda job_id, **options: told)
    page.get_by_role("button", name="Live stack").click()
    page.get_by_text("feeds.py").first.wait_for()
    assert here.violations() == []
    monkeypatch.setattr(site.tm, "live_stack", lambda job_id, **options: None)
    page.get_by_role("button", name="Ask again").click()
    page.get_by_text("feeds.py").first.wait_for(state="detached")
    assert here.violations() == []
    assert here.complaints == []


def test_an_alert_is_acknowledged_by_a_key_and_snoozed_with_a_note(site: Site, window: Windows) -> None:
    for name in ("Nightly", "Daily"):
        site.tm.database.run(lambda tx, n=name: alert_marks.failed(tx, n, tx.now(), 1, is_told=True))  # type: ignore[misc]
    here = window()
    page = here.open("alerts")
    assert page.locator("[data-count=alerts]").inner_text() == "2"
    page.keyboard.press("a")
    page.get_by_text("Acknowledged.").wait_for()
    page.wait_for_load_state("load")
    assert page.locator("#alerts").get_by_text("by ann").count() == 1
    row = page.locator("#alerts li[data-row]").first
    row.get_by_text("Snooze…").click()
    row.get_by_label("Note").fill("it is known")
    row.get_by_label("Until (UTC)").fill("2099-01-01T08:00:00")
    row.get_by_role("button", name="Snooze", exact=True).click()
    page.get_by_text("Nothing is sent of it until then.").wait_for()
    assert page.locator("#alerts").get_by_text("it is known").count() == 1
    wait_until(here, "document.querySelector('[data-count=alerts]').textContent === '1'")
    assert here.complaints == []


def test_a_rule_for_alerts_is_refused_saved_and_removed(site: Site, window: Windows) -> None:
    here = window()
    page = here.open("alerts")
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Job name").fill("Nightly totals")
    page.get_by_label("Mail to").fill("not an address")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").first.wait_for()
    assert page.get_by_label("Job name").input_value() == "Nightly totals"
    page.get_by_label("Mail to").fill("ops@example.org")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The rule is saved.").wait_for()
    assert here.violations() == []
    page.get_by_role("button", name="Remove: Nightly totals").click()
    page.get_by_role("button", name="Yes, do it").click()
    page.get_by_text("The rule is removed.").wait_for()
    page.get_by_text("No rules yet").wait_for()
    assert here.complaints == []


def test_in_czech_and_dark_the_audit_log_is_searched_on_a_phone(site: Site, window: Windows) -> None:
    here = window(phone=True, color_scheme="dark", locale="cs-CZ")
    page = here.open("audit")
    before = page.locator("main tbody tr").count()
    page.get_by_label("Uživatel").fill("deploy")
    page.get_by_label("Uživatel").press("Enter")
    page.wait_for_url("**user=deploy**")
    assert 0 < page.locator("main tbody tr").count() < before
    assert page.locator("h1").inner_text() == "Záznam zásahů"
    assert fits(here)
    assert here.violations() == []
    assert here.complaints == []
