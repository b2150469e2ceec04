"""Panels that a host application adds to the page of a job."""

from __future__ import annotations

import logging

import pytest
from markupsafe import Markup

from taskmanager import ConfigurationError, TaskManager
from taskmanager.domain.records import JobRecord
from tests.webui.apiclient import Program
from tests.webui.conftest import ROLES, USERS, Browser
from webui import Panel, create_app
from webui.panels import MakesPanel
from webui.users import VIEW, User


def order(job: JobRecord) -> Panel:
    return Panel("Order <7>", {"Number": job.id, "api_token": "hunter2", "Note": "<b>bold</b>"})


def plain(job: JobRecord) -> Panel | None:
    return Panel("Plain", "first\n<i>second</i>")


def marked(job: JobRecord) -> Panel | None:
    return Panel("Marked", Markup('<a href="/orders/7">the order</a>'))


def nothing(job: JobRecord) -> Panel | None:
    return None


def broken(job: JobRecord) -> Panel | None:
    raise RuntimeError("password=hunter2")


def browser(tm: TaskManager, *panels: MakesPanel, name: str = "ann") -> Browser:
    app = create_app(tm, users=USERS, roles=ROLES, panels=panels)
    app.config["PROPAGATE_EXCEPTIONS"] = app.testing = True
    return Browser(app, name)


def test_panels_show_text_tables_and_markup_and_mask_secrets(embedded: TaskManager) -> None:
    job_id = embedded.enqueue(len, "x")
    page = browser(embedded, order, plain, marked, nothing).get(f"/hangfire/jobs/details/{job_id}").text
    assert page.count("card-x panel") == 3
    assert "Order &lt;7&gt;" in page
    assert f"<dt>Number</dt><dd>{job_id}</dd>" in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "&lt;i&gt;second&lt;/i&gt;" in page
    assert '<a href="/orders/7">the order</a>' in page
    assert "hunter2" not in page


def test_a_panel_that_fails_says_so_and_the_page_stands(
    embedded: TaskManager, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = embedded.enqueue(len, "x")
    with caplog.at_level(logging.ERROR, "taskmanager.web"):
        answer = browser(embedded, broken, plain).get(f"/hangfire/jobs/details/{job_id}")
    assert answer.status_code == 200
    assert "This panel failed: RuntimeError" in answer.text
    assert "hunter2" not in answer.text
    assert "first\n" in answer.text
    assert "the panel broken of job" in caplog.text


def test_panels_of_the_setting_are_imported_and_a_wrong_one_is_told_at_the_start(embedded: TaskManager) -> None:
    job_id = embedded.enqueue(len, "x")
    embedded.settings = embedded.settings.with_changes(web_panels=(f"{__name__}:plain", f"{__name__}:broken"))
    assert browser(embedded, marked).get(f"/hangfire/jobs/details/{job_id}").text.count("card-x panel") == 3
    told = Program(embedded).get(f"/api/v1/jobs/{job_id}/panels")
    assert [(one["title"], one["error"]) for one in told] == [("Plain", None), ("broken", "RuntimeError")]
    for wrong in ("no_such_module:x", f"{__name__}:no_such", f"{__name__}:USERS"):
        embedded.settings = embedded.settings.with_changes(web_panels=(wrong,))
        with pytest.raises(ConfigurationError, match="web_panels names"):
            create_app(embedded, users=USERS)


def test_who_may_see_no_arguments_sees_no_panel(embedded: TaskManager) -> None:
    job_id = embedded.enqueue(len, "x")
    app = create_app(embedded, who=lambda request: User("eve", VIEW - {"args.view"}), panels=[order])
    answer = app.test_client().get(f"/hangfire/jobs/details/{job_id}")
    assert (answer.status_code, "card-x panel" in answer.text) == (200, False)
