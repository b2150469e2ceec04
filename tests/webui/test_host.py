"""A host application says who is signed in with it, and what each may do to what."""

from __future__ import annotations

import re
from typing import Any

from taskmanager import TaskManager
from tests.webui.apiclient import HASHES, TOKENS
from tests.webui.conftest import HTML, USERS, signed
from webui import ROLES, User, create_app

ACCOUNTS = {"ann": "manage", "eve": "view"}


def who(request: Any) -> User | None:
    name = request.headers.get("X-Account", "")
    return User(name, ROLES[ACCOUNTS[name]]) if name in ACCOUNTS else None


def form(client: Any, name: str) -> dict[str, str]:
    """The headers of a form that an account sends from a page."""
    page = client.get("/hangfire/recurring", headers=HTML | {"X-Account": name}).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    return {"X-Account": name, "X-CSRFToken": token[1], "Sec-Fetch-Site": "same-origin"}


def test_who_is_signed_in_with_the_host_gets_in_and_nobody_else(tm: TaskManager) -> None:
    client = create_app(tm, users=USERS, who=who).test_client()
    assert client.get("/hangfire/", headers={"X-Account": "eve"}).status_code == 200
    for headers in ({}, {"X-Account": "mallory"}, signed("ann")):
        answer = client.get("/hangfire/", headers=headers)
        assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (401, False)
    assert client.get("/hangfire/stats", headers={"X-Requested-With": "poll"}).status_code in (401, 403)


def test_a_role_of_the_host_counts_and_forms_keep_their_token(tm: TaskManager) -> None:
    client = create_app(tm, who=who).test_client()
    data = {"queue": "mail"}
    assert client.post("/hangfire/queues/pause", data=data, headers={"X-Account": "ann"}).status_code == 400
    assert client.post("/hangfire/queues/pause", data=data, headers=form(client, "eve")).status_code == 403
    assert client.post("/hangfire/queues/pause", data=data, headers=form(client, "ann")).status_code == 204


def test_the_host_narrows_by_action_and_resource_on_pages_and_api(tm: TaskManager) -> None:
    asked: list[tuple[str, str, str]] = []

    def can(user: User, action: str, resource: str) -> bool:
        asked.append((user.name, action, resource))
        return resource != "queue:payroll"

    tm.settings = tm.settings.with_changes(api_tokens=HASHES)
    client = create_app(tm, who=who, can=can).test_client()
    headers, bearer = form(client, "ann"), {"Authorization": f"Bearer {TOKENS['ci']}"}
    for queue, status in (("mail", 204), ("payroll", 403)):
        assert client.post("/hangfire/queues/pause", data={"queue": queue}, headers=headers).status_code == status
        assert client.post(f"/api/v1/queues/{queue}/pause", headers=bearer).status_code == status
    sent = {"queue": "payroll", "target": "mail"}
    assert client.post("/hangfire/queues/move", data=sent, headers=headers).status_code == 403
    moved = client.post("/api/v1/queues/payroll/move", json={"target": "mail"}, headers=bearer)
    assert moved.status_code == 403
    assert ("ann", "queues.pause", "queue:payroll") in asked
    assert ("ci", "queues.pause", "queue:payroll") in asked


def test_the_host_never_widens_what_a_role_allows(tm: TaskManager) -> None:
    client = create_app(tm, who=who, can=lambda user, action, resource: True).test_client()
    assert client.post("/hangfire/queues/pause", data={"queue": "q"}, headers=form(client, "eve")).status_code == 403


def test_read_only_pages_are_so_for_the_hosts_users_too(tm: TaskManager) -> None:
    tm.settings = tm.settings.with_changes(web_read_only=True)
    client = create_app(tm, who=who).test_client()
    assert client.post("/hangfire/queues/pause", data={"queue": "q"}, headers=form(client, "ann")).status_code == 403
