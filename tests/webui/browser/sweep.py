"""Every page in every look: nothing that axe finds, a quiet console, no page wider than its window, no text cut."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from taskmanager.domain.alerts import AlertRule, key_of
from taskmanager.engine.conditions import condition_of
from taskmanager.storage import alert_marks, alert_messages, monitoring_failures
from tests.webui.browser.conftest import RULES, RULES_OF_COLOURS, RULES_OF_WIDTH, Site, Window

#: Lists of jobs, and what is done to them.
OF_JOBS = (
    "", "jobs", "jobs/failed", "jobs/scheduled", "jobs/processing", "jobs/succeeded", "jobs/deleted", "jobs/awaiting",
    "jobs/enqueued", "jobs/enqueued/mail", "queues/reports", "jobs/enqueued/fetched/mail", "retries",
    "jobs/failed?q=error:smtp", "jobs/failed?q=nokey:x", "jobs/failed?q=nothing", "jobs/failed/groups",
    "jobs/failed/groups?q=smtp&new=deploy", "operations", "?period=hour",
    "operations/new?state=failed&action=requeue&q=error:smtp",
    "jobs/new", "jobs/new?type=tests.webui.sample:send_invoice",
)  # fmt: skip
#: All the others; one job of each state is added to them.
OF_OTHERS = (
    "recurring", "recurring?sort=failures", "operations/new?kind=recurring&action=pause",
    "recurring/daily-report", "recurring/c_job:1", "recurring/never", "recurring/daily-report/edit",
    "recurring/c_job:1/edit", "servers", "servers/web-2:4711:0123456789abcdef0123456789abcdef",
    "history", "history?job=Nightly+totals", "history/1", "history?job=nobody", "history?q=shop&compare=1",
    "history/jobs?period=all", "history/statistics?period=all", "history/compare?a=1&b=5",
    "alerts", "alerts/rules/new", "alerts/conditions/new", "alerts?tab=sent",
    "search", "search?q=report", "search?q=zzzz", "audit", "audit?user=nobody",
    "settings", "settings/system",
    "../api/v1/docs",
)  # fmt: skip
_DESK, _PHONE, _NARROWEST = (1440, 900), (390, 844), (320, 640)


def paths_of_jobs(site: Site) -> list[str]:
    """The first half of the pages."""
    group = site.tm.database.read(monitoring_failures.groups)[0][0]
    return [*OF_JOBS, f"jobs/failed/groups/{group.key}"]


def paths_of_others(site: Site) -> list[str]:
    """The second half."""
    return [*OF_OTHERS, *(f"jobs/details/{job_id}" for job_id in site.ids.values())]


def alarm(site: Site) -> None:
    """Rules for alerts, those that are active, acknowledged and snoozed, and messages."""
    rule = AlertRule(to=("ops@example.org",), max_per_hour=3)
    site.tm.alert_rules.save(None, "Nightly totals", rule)
    site.tm.conditions.save(condition_of({"title": "Mail is slow", "kind": "latency", "queue": "mail"}))
    now, job_id = site.tm.database.clock.now(), site.ids["succeeded"]
    for name in ("Nightly totals", "condition: Mail is slow"):
        site.tm.database.run(lambda tx, n=name: alert_marks.failed(tx, n, now, 1, is_told=True))  # type: ignore[misc]
    key = key_of("Nightly totals").rpartition(":")[2]
    site.tm.active_alerts.acknowledge(key, by="ann", note="the printer is out of paper")
    site.tm.active_alerts.snooze(key, by="bob", until=now + timedelta(hours=3))
    told = "email to ops@example.org, dev@example.org"
    for outcome in ("sent", "failed", "held"):
        site.tm.database.run(lambda tx, o=outcome: alert_messages.add(tx, job_id, "failure", "Nightly", o, told))  # type: ignore[misc]


def in_english(window: Any, paths: Iterable[str]) -> None:
    """Light and dark on a desk, light on a phone. Each page is loaded once: it follows the window and the system.

    What is named, and how, hangs on neither: that is looked at once, and on a phone with all its names in Czech.
    """
    here = window(color_scheme="light")
    for path in paths:
        page = here.open(path)
        _look(here, path, "light")
        page.emulate_media(color_scheme="dark")
        _look(here, path, "dark", RULES_OF_COLOURS)
        page.emulate_media(color_scheme="light")
        here.resize(_PHONE)
        _look(here, path, "phone", RULES_OF_WIDTH)
        assert (found := here.misplaced()) == [], (path, found)
        here.resize(_DESK)


def in_czech(window: Any, paths: Iterable[str]) -> None:
    """Dark on a phone; and at the width to which WCAG wants pages to reflow nothing is cut either."""
    here = window(phone=True, color_scheme="dark", locale="cs-CZ")
    for path in paths:
        here.open(path)
        _look(here, path, "czech-phone-dark")
        assert (found := here.misplaced()) == [], (path, found)
        here.resize(_NARROWEST)
        _fits(here, path)
        assert here.misplaced() == [], (path, _NARROWEST)
        here.resize(_PHONE)


def right_to_left(window: Any, paths: Iterable[str]) -> None:
    """Mirrored, on a desk and on a phone: nothing is cut, covered, or wider than its window."""
    here = window()
    for path in paths:
        page = here.open(path)
        assert page.evaluate("getComputedStyle(document.body).direction") == "rtl", path
        for size, look in ((_DESK, "rtl"), (_PHONE, "rtl-phone")):
            here.resize(size)
            here.picture(look)
            _fits(here, path)
            assert here.misplaced() == [], (path, size)


def _look(here: Window, path: str, look: str, rules: str = RULES) -> None:
    here.picture(look)
    found = here.violations(rules=rules)
    assert found == [], (path, look, found)
    _fits(here, path)
    assert here.complaints == [], (path, look)


def _fits(here: Window, path: str) -> None:
    width, inner = here.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= inner, path
