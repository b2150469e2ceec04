"""What people do with recurring jobs, done in a browser; nothing may go wrong in its console meanwhile."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Hands
from tests.webui.browser.conftest import Site
from tests.webui.browser.test_journeys import Windows
from webui import crons


def in_code() -> None: ...


def test_a_definition_of_the_code_is_removed_and_restored_still_paused(site: Site, window: Windows) -> None:
    site.tm.job("0 4 * * *", display_name="From code")(in_code)
    site.tm.register_recurring()
    here = window()
    page = here.open("recurring?q=from+code")
    page.get_by_role("button", name="Pause: From code").click()
    page.get_by_text("1 recurring job is paused.").wait_for()
    page.get_by_role("button", name="Remove: From code").click()
    page.get_by_role("button", name="Yes, do it").click()
    page.get_by_text("1 recurring job was removed.").wait_for()
    page.get_by_role("button", name="Restore all definitions").click()
    assert not page.get_by_text("Deleted jobs can be requeued").is_visible()
    page.get_by_role("button", name="Yes, do it").click()
    page.get_by_text("Brought back, for they were missing: From code (paused).").wait_for()
    assert {r.id: r.paused for r in site.tm.recurring_list()}["From code"]
    assert here.violations() == []
    assert here.complaints == []


def test_a_schedule_is_edited_with_words_and_next_runs_while_typing(site: Site, window: Windows) -> None:
    here = window()
    page = here.open("recurring?q=daily-report")
    page.get_by_role("link", name="Edit: daily-report").click()
    assert "02:00, Monday through Friday" in page.locator("#preview").inner_text()
    page.locator("#f-cron").fill("*/5 8-17 * * 1-5")
    page.locator("#preview").get_by_text("Every 5 minutes, between 08:00 and 17:59, Monday through Friday").wait_for()
    assert page.locator("#preview tbody tr").count() == 10
    assert "Europe/Prague" in page.locator("#preview thead").inner_text()
    page.locator("#f-time_zone").fill("Asia/Tokyo")
    page.locator("#preview thead").get_by_text("Asia/Tokyo").wait_for()
    assert here.violations() == []
    page.locator("#f-cron").fill("99 * * * *")
    page.locator("#preview .field-error").wait_for()
    page.get_by_role("button", name="Save").click()
    page.locator("#error-cron").wait_for()
    assert page.locator("#f-cron").input_value() == "99 * * * *"
    assert here.violations() == []
    here.complaints = [c for c in here.complaints if "422" not in c]  # the browser tells of the answer itself
    page.locator("#f-cron").fill("*/5 8-17 * * 1-5")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    known = {r.id: r for r in site.tm.recurring_list()}["daily-report"]
    assert (known.cron, known.time_zone) == ("*/5 8-17 * * 1-5", "Asia/Tokyo")
    assert here.complaints == []


def test_without_scripts_a_row_of_c_job_is_previewed_and_saved(site: Site, window: Windows) -> None:
    here = window(java_script_enabled=False)
    page = here.open("recurring?q=nightly+totals")
    page.get_by_role("link", name="Edit: c_job:").click()
    page.locator("#f-CronExpression").fill("45 4 * * *")
    page.get_by_role("button", name="Preview").click()
    assert "At 04:45" in page.locator("#preview").inner_text()
    page.get_by_label("EmailOnFailure").check()
    page.get_by_role("button", name="Save").click()
    assert page.get_by_text("Saved.").is_visible()
    assert {r.name: r.cron for r in site.tm.recurring_list()}["Nightly totals"] == "45 4 * * *"


def test_two_people_edit_one_job_and_the_second_is_told(site: Site, window: Windows) -> None:
    here, there = window(phone=True, color_scheme="dark"), window()
    page, other = here.open("recurring/cleanup/edit"), there.open("recurring/cleanup/edit")
    other.locator("#f-queue").fill("others")
    other.get_by_role("button", name="Save").click()
    other.get_by_text("Saved.").wait_for()
    page.locator("#f-queue").fill("mine")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Somebody else has changed this recurring job meanwhile").wait_for()
    assert page.locator("#f-queue").input_value() == "mine"
    assert page.get_by_text("stored now: others").is_visible()
    assert here.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    assert {r.id: r.queue for r in site.tm.recurring_list()}["cleanup"] == "mine"
    assert there.complaints == []


def test_a_failed_job_is_requeued_with_edited_arguments(site: Site, window: Windows) -> None:
    here = window()
    page = here.open(f"jobs/details/{site.ids['failed']}")
    page.get_by_role("link", name="Requeue with edited arguments").click()
    page.locator("#arg-order_id").fill("4711")
    assert "s3cr3t" not in page.content()
    assert here.violations() == []
    page.get_by_role("button", name="Requeue").click()
    page.get_by_text("was created.").wait_for()
    assert page.get_by_role("link", name=f"#{site.ids['failed']}", exact=True).first.is_visible()
    made = int(page.url.rpartition("/")[2])
    assert site.tm.get(made).arguments == '["4711","\\"user8@example.org\\"","\\"s3cr3t\\""]'
    assert here.violations() == []
    assert here.complaints == []


def test_a_triggered_run_appears_on_the_page_of_its_recurring_job(site: Site, window: Windows, tmp_path: Path) -> None:
    here = window()
    page = here.open("recurring")
    assert page.get_by_role("img", name=re.compile("The last 20 results: ")).count() == 2
    page.get_by_role("link", name="yearly", exact=True).click()
    page.get_by_text("It has not run yet").wait_for()
    page.get_by_role("button", name="Trigger now").click()
    page.get_by_text("1 run was started.").wait_for()
    worker = Hands(site.tm, tmp_path)
    while worker.work():
        pass  # there are others in its queue
    worker.close()
    page = here.open("recurring/yearly")
    page.get_by_role("img", name="The last 1 result: 1 succeeded").wait_for()
    page.locator("tbody a").first.click()
    page.get_by_role("link", name="yearly", exact=True).wait_for()
    assert here.complaints == []


def test_a_job_paused_with_a_note_and_resumed_without_what_it_missed_has_not_run(site: Site, window: Windows) -> None:
    here = window()
    site.tm.recurring("quarterly", len, args=("x",), cron="*/15 * * * *")
    page = here.open("recurring/quarterly")
    page.get_by_text("Pause with a note or until a moment").click()
    page.get_by_label("Note").fill("stocktaking")
    page.locator("details").get_by_role("button", name="Pause").click()
    page.get_by_text("1 recurring job is paused.").wait_for()
    assert page.get_by_text("by ann").is_visible()
    assert page.get_by_text("stocktaking").is_visible()
    site.tm.database.clock.shift(timedelta(minutes=16))
    page = here.open("recurring/quarterly")
    page.get_by_text("has gone by meanwhile").wait_for()
    assert here.violations() == []
    page.get_by_role("button", name="Resume, skip what was missed").click()
    page.get_by_text("1 recurring job goes on.").wait_for()
    site.tm.recurring_jobs.fire_due()
    known = site.tm.recurring_jobs.get("quarterly")
    assert (known.last_job_id, known.paused) == (None, False)
    assert known.next_execution is not None
    assert known.next_execution > site.tm.database.clock.now()
    page.get_by_role("link", name="Audit log").last.click()
    page.get_by_text("recurring.pause").first.wait_for()
    assert page.get_by_text("stocktaking").first.is_visible()
    assert here.complaints == []


def test_the_preview_remarks_on_the_clocks_going_back(
    site: Site, window: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crons, "utcnow", lambda: datetime(2026, 10, 23, 12))
    here = window()
    page = here.open("recurring/new")
    page.locator("main li a").first.click()
    page.locator("#f-cron").fill("30 2 * * *")
    page.locator("#f-time_zone").fill("Europe/Prague")
    page.locator("#preview").get_by_text("clocks go back before it").wait_for()
    rows = [row.inner_text() for row in page.locator("#preview tbody tr").all()[:3]]
    assert ["2026-10-24 00:30:00" in rows[0], "2026-10-25 00:30:00" in rows[1], "2026-10-26 01:30:00" in rows[2]] == [
        True, True, True,
    ]  # fmt: skip
    assert "clocks go back" in rows[2]
    assert here.violations() == []
    assert here.complaints == []
