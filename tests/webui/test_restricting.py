"""A dashboard of some queues shows and changes what is theirs, and refuses all else."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import JobNotFound
from taskmanager.storage import audit
from tests.webui.conftest import HTML, ROLES, USERS, Browser
from tests.webui.test_searches import _logged
from webui import create_app, restricting


def greet(name: str) -> None: ...


@pytest.fixture
def some(tm: TaskManager) -> Browser:
    """Ann, before a dashboard of the queue mail."""
    tm.settings = tm.settings.with_changes(web_queues="mail")
    made = create_app(tm, users=USERS, roles=ROLES)
    made.config["PROPAGATE_EXCEPTIONS"] = made.testing = True

    class There(Browser):
        def token(self) -> str:
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/hangfire/settings").text)
            assert found is not None
            return found[1]

    return There(made)


def shown(page: str) -> set[int]:
    return {int(number) for number in re.findall(r'<tr id="job-(\d+)"', page)}


@pytest.mark.each_engine
def test_lists_jobs_and_queues_are_those_of_the_queue(
    tm: TaskManager, some: Browser, statements: Callable[[], list[str]]
) -> None:
    mine = tm.enqueue_many(len, [("a",), ("b",)], queue="mail")
    others = tm.enqueue_many(len, [("c",), ("d",)], queue="payroll")
    tm.delete(mine[1])
    tm.delete(others[1])
    some.get("/hangfire/settings")
    for path, wanted in (
        ("jobs", mine),
        ("jobs/deleted", mine[1:]),
        ("jobs?q=queue:payroll", []),
        ("jobs?q=nokey:x", mine),
    ):
        statements()
        page = some.get(f"/hangfire/{path}")
        assert (page.status_code, shown(page.text)) == (200, set(wanted)), path
        assert len(statements()) <= 8
        assert "payroll" not in page.text.replace("queue:payroll", ""), path
    exported = some.get("/hangfire/jobs?export=json").text
    assert (f'"id": {mine[0]}' in exported or f'"id":{mine[0]}' in exported, "payroll" in exported) == (True, False)
    page = some.get("/hangfire/queues").text
    assert ("/queues/mail" in page or "enqueued/mail" in page, "payroll" in page) == (True, False)
    assert some.get("/hangfire/queues/mail").status_code == 200
    for path in ("queues/payroll", "jobs/enqueued/payroll", "jobs/enqueued/fetched/payroll"):
        assert some.get(f"/hangfire/{path}").status_code == 404
    statements()
    assert some.get(f"/hangfire/jobs/details/{mine[0]}").status_code == 200
    assert len(statements()) <= 9, "those of the page, and whose job it is"
    for path in (f"{others[0]}", f"{others[0]}.json", f"{others[0]}/log"):
        assert some.get(f"/hangfire/jobs/details/{path}").status_code == 404
    assert "Only queues: mail" in page


@pytest.mark.each_engine
def test_jobs_are_counted_exactly_in_the_queue_alone(tm: TaskManager, some: Browser) -> None:
    tm.enqueue_many(len, [("a",), ("b",)], queue="mail")
    tm.enqueue_many(len, [("c",), ("d",), ("e",)], queue="payroll")
    for path, number in (("all", 2), ("all?q=queue:payroll", 0), ("all?q=type:len", 2), ("enqueued", 2)):
        some.get(f"/hangfire/counts/{path}")
        for one in threading.enumerate():
            if one.name == "taskmanager-count":
                one.join(60)
        assert f"exactly {number} " in some.get(f"/hangfire/counts/{path}", **{"HX-Request": "true"}).text, path


@pytest.mark.each_engine
def test_changes_are_made_in_the_queue_alone_and_others_are_refused_and_audited(tm: TaskManager, some: Browser) -> None:
    mine = tm.enqueue_many(len, [("a",), ("b",)], queue="mail")
    (other,) = tm.enqueue_many(len, [("c",)], queue="payroll")
    assert some.post("/hangfire/jobs/enqueued/delete", {"jobs[]": [mine[0], other]}).status_code == 404
    assert some.post(f"/hangfire/jobs/actions/delete/{other}").status_code == 404
    assert [tm.get(one).state for one in (mine[0], other)] == ["Enqueued", "Enqueued"]
    assert some.post("/hangfire/jobs/enqueued/delete", {"jobs[]": [mine[0], 10**9]}).status_code == 204
    assert some.post(f"/hangfire/jobs/actions/delete/{mine[1]}").status_code == 204
    assert [tm.get(one).state for one in mine] == ["Deleted", "Deleted"]
    assert some.post("/hangfire/queues/pause", {"queue": "payroll"}).status_code == 404
    assert some.post("/hangfire/queues/pause", {"queue": "mail"}).status_code == 204
    assert set(tm.database.read(lambda tx: [r.target for r in _denied(tx)])) >= {"payroll", str(other)}
    with pytest.raises(JobNotFound):
        tm.get(10**9)


def test_the_buttons_and_menus_of_its_lists_work(tm: TaskManager, some: Browser) -> None:
    (mine,) = tm.enqueue_many(len, [("a",)], queue="mail")
    (other,) = tm.enqueue_many(len, [("b",)], queue="payroll")
    assert some.get(f"/hangfire/jobs/details/{mine}/glance").status_code == 200
    assert some.get(f"/hangfire/jobs/details/{other}/glance").status_code == 404
    some.post(f"/hangfire/jobs/actions/delete/{mine}", **HTML)
    assert "/hangfire/jobs/actions/undo" in some.get("/hangfire/jobs").text
    tm.delete(other)
    assert some.post("/hangfire/jobs/actions/undo", {"jobs[]": [mine, other]}).status_code == 404
    assert some.post("/hangfire/jobs/actions/undo", {"jobs[]": [mine]}).status_code == 204
    assert [tm.get(one).state for one in (mine, other)] == ["Enqueued", "Deleted"]
    assert "/hangfire/jobs/failed/groups" not in some.get("/hangfire/jobs/failed").text


def test_the_page_of_a_job_tells_nothing_of_jobs_of_other_queues(tm: TaskManager, some: Browser) -> None:
    first = tm.enqueue(len, "a", queue="payroll")
    mine = tm.job(greet).options(queue="mail").continue_after(first, "b")
    _logged(tm, "greet", 3)
    page = some.get(f"/hangfire/jobs/details/{mine}").text.partition("<main")[2]
    assert f"#{first}</a>" in page, "it stands in the job's own state"
    assert "s-enqueued" not in page
    assert "h-runs" not in page


def test_every_other_page_and_operation_of_the_api_is_refused(tm: TaskManager, some: Browser) -> None:
    checked = 0
    for rule in some.app.url_map.iter_rules():
        view = some.app.view_functions[rule.endpoint]
        if restricting.has(rule.endpoint) or getattr(view, "is_public", False) or rule.endpoint == "pages.static":
            continue
        path = _filled(rule.rule)
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = some.send(method, path)
            assert answer.status_code == 403, (method, path, answer.status_code)
            checked += 1
    assert checked > 80
    named = restricting.PAGES | restricting.API
    assert named <= {rule.endpoint for rule in some.app.url_map.iter_rules()}, "each name is one of a page"
    page = some.get("/hangfire/servers").text
    assert "This dashboard shows only jobs of these queues: mail." in page
    assert "/hangfire/alerts" not in page, "no way leads there"


def _filled(rule: str) -> str:
    """An address of a rule: the first of several words, 1 for a number, x for a name."""
    rule = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule)
    return re.sub(r"<[^>]+>", "x", re.sub(r"<int:\w+>", "1", rule))


def _denied(tx: Any) -> Any:
    rows, _more = audit.page(tx, audit.Sought(), limit=50)
    return [row for row in rows if row.outcome == "denied"]
