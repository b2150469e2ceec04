"""What people do with recurring jobs, done in a browser; nothing may go wrong in its console meanwhile."""

from __future__ import annotations

from tests.webui.browser.conftest import Site
from tests.webui.browser.test_journeys import Windows


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
