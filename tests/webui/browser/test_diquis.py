"""Diquis in a browser: a tenant is asked for, and its way is seen, to the toast at its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from examples.diquis import infrastructure
from examples.diquis.web import Account, application
from taskmanager import TaskManager
from tests.webui.browser.conftest import Window, wait_until
from tests.webui.browser.test_notifications import TOASTS
from tests.webui.conftest import HASH
from webui import Page

ACCOUNTS = {"eva": Account(HASH, "Admin"), "petr": Account(HASH, "Admin"), "root": Account(HASH, "SuperAdmin")}


@dataclass
class Diquis:
    """The running example, whose databases are made when they are let."""

    tm: TaskManager
    home: str
    go: threading.Event
    folder: Path
    windows: list[Window]
    open: Callable[[str], Window]

    def status_is(self, here: Window, name: str, number: int, label: str) -> None:
        """Wait until a page shows it."""
        rows = (
            "[...document.querySelectorAll('#tenants tr')].map((row) => row.textContent + row.lastChild.dataset.status)"
        )
        wait_until(here, f"{rows}.includes('{name}{label}{number}')")


@pytest.fixture
def diquis(chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Diquis]:
    """Pages and a worker, as the example's one command starts them."""
    monkeypatch.setenv("DIQUIS_DATA", str(tmp_path))
    go = threading.Event()
    real = infrastructure.SqliteDatabases.create_and_migrate

    def when_let(self: Any, tenant: Any) -> None:
        assert go.wait(120)
        real(self, tenant)

    monkeypatch.setattr(infrastructure.SqliteDatabases, "create_and_migrate", when_let)
    tm = TaskManager(
        database_url=f"sqlite:///{tmp_path}/jobs.db", discover=["examples.diquis.infrastructure"],
        jwt_key="a secret of thirty-two bytes, or so",
    )  # fmt: skip
    tm.database.create_tables()
    tm.discover()
    page = Page(application(tm, ACCOUNTS), "127.0.0.1", 0)
    home = page.url.removesuffix("/hangfire").replace("localhost", "127.0.0.1")
    windows: list[Window] = []

    def open_as(user: str) -> Window:
        context = chromium.new_context(viewport={"width": 800, "height": 700}, locale="en-GB")
        here = Window(context.new_page(), f"{home}/hangfire")
        windows.append(here)
        here.page.goto(f"{home}/")
        here.page.get_by_label("User").fill(user)
        here.page.get_by_label("Password").fill("secret")
        here.page.get_by_role("button", name="Sign in").click()
        here.page.get_by_role("heading", name="Tenants").wait_for()
        return here

    yield Diquis(tm, home, go, tmp_path, windows, open_as)
    go.set()
    for here in windows:
        here.page.context.close()
    page.close()
    tm.close()


def ask_for(here: Window, name: str) -> None:
    here.page.get_by_label("New tenant").fill(name)
    here.page.get_by_role("button", name="Create").click()


def test_a_tenant_is_seen_from_pending_to_active_and_its_admin_alone_is_told(diquis: Diquis) -> None:
    eva, again, petr = diquis.open("eva"), diquis.open("eva"), diquis.open("petr")
    for here in (eva, again, petr):
        wait_until(here, "sessionStorage.getItem('notifications:/hubs/notifications') !== null")
    ask_for(eva, "Praha FC")
    diquis.status_is(eva, "Praha FC", 0, "Pending")
    server = diquis.tm.server()
    server.start()
    try:
        diquis.status_is(eva, "Praha FC", 1, "Provisioning")
        assert eva.page.evaluate(TOASTS) == []
        diquis.go.set()
        diquis.status_is(eva, "Praha FC", 2, "Active")
        for here in (eva, again):
            wait_until(here, f"JSON.stringify({TOASTS}) === JSON.stringify([['Success', 'Tenant Praha FC is ready.']])")
        assert eva.violations() == []
        assert petr.page.evaluate(TOASTS) == []
        ask_for(eva, "Praha FC")
        eva.page.get_by_text("There is a tenant Praha FC already.").wait_for()
    finally:
        server.stop()
    assert [here.complaints for here in (again, petr)] == [[], []]
    assert [c for c in eva.complaints if "422" not in c] == []


def test_a_failure_is_told_with_its_cause_and_stays(diquis: Diquis) -> None:
    (diquis.folder / "tenants" / "acme.db").mkdir(parents=True)
    diquis.go.set()
    here = diquis.open("eva")
    server = diquis.tm.server()
    server.start()
    try:
        ask_for(here, "acme")
        diquis.status_is(here, "acme", 3, "Failed")
        wait_until(
            here,
            f"{TOASTS}.some(([kind, text]) => kind === 'Error' && text.startsWith('Provisioning of acme failed: '))",
        )
        assert here.violations() == []
    finally:
        server.stop()
    assert here.complaints == []


def test_signing_up_needs_no_account_and_no_page(diquis: Diquis) -> None:
    diquis.go.set()
    here = diquis.open("eva")
    here.page.goto(f"{diquis.home}/sign-up")
    assert here.violations() == []
    here.page.get_by_label("Academy").fill("Brno FC")
    here.page.get_by_label("Your mail address").fill("jan@example.com")
    here.page.get_by_role("button", name="Sign up").click()
    here.page.get_by_text("We will write to jan@example.com.").wait_for()
    assert diquis.tm.testing.drain(raise_errors=True) == 1
    assert len(list((diquis.folder / "outbox").glob("*.eml"))) == 1
    assert here.complaints == []
