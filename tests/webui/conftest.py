"""The pages of an installation, signed in as who may do all, who may look, and nobody.

Which engine a test runs on. What is asked of a database, and what comes of it, is proven on each engine by
tests/storage and tests/engine; here it is how pages look, and who may press what, which does not differ. So a test of
the dashboard runs on the first of `--engines`, which is SQLite, unless it (or its file, by `pytestmark`) is marked
`each_engine`. Marked are:

- the walks of all pages (test_pages, test_costs, test_access), of all buttons (test_actions, and one of each kind of
  change in the other files) and of the API (test_api_v1), so that each statement runs on each engine that the
  dashboard can cause: a walk that leaves one out is to be made longer;
- what counts the rows that statements look at, or needs a plan of the database;
- what a product's own order, letters, numbers or moments could change: searches, filters, sums, exact counts;
- what others change meanwhile, and a database that is slow or away (test_topics, test_outage).

In a file that is marked, a test that asks a database for nothing else than others is marked `one_engine`. Who adds a
page or an action adds it to a walk; who adds a statement marks a test that runs it. `--engines=mysql` runs all tests of
the dashboard on MySQL.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.security import generate_password_hash

from taskmanager import TaskManager
from taskmanager.storage.transaction import Tx
from webui import access, create_app

HASH = generate_password_hash("secret", method="pbkdf2:sha256:1000")
USERS = {"ann": HASH, "eve": HASH}
ROLES = {"eve": "view"}
HTML = {"Accept": "text/html"}


def signed(name: str = "ann", password: str = "secret") -> dict[str, str]:
    """The header of somebody who signs in."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


class Browser:
    """A test client that signs in, and sends forms with their token as a browser does."""

    def __init__(self, app: Any, name: str = "ann") -> None:
        self.app, self.name = app, name
        self._client = app.test_client()
        self._token = ""

    def get(self, path: str, **headers: str) -> Any:
        """A page."""
        answer = self._client.get(path, headers=signed(self.name) | HTML | headers)
        assert answer.data is not None
        answer.close()
        return answer

    def token(self) -> str:
        """A token of this browser's session, from the first page it was asked for."""
        if not self._token:
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/hangfire/recurring").text)
            assert found is not None
            self._token = found[1]
        return self._token

    def post(self, path: str, data: Any = None, *, token: str | None = None, **headers: str) -> Any:
        """A form, from the same site, with a token."""
        return self.send("POST", path, data, token=token, **headers)

    def send(self, method: str, path: str, data: Any = None, *, token: str | None = None, **headers: str) -> Any:
        """The same by any method."""
        sent = {"X-CSRFToken": self.token() if token is None else token, "Sec-Fetch-Site": "same-origin"}
        return self._client.open(path, method=method, data=data or {}, headers=signed(self.name) | sent | headers)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is not marked `each_engine` needs one."""
    if metafunc.definition.get_closest_marker("each_engine") is None:
        metafunc.definition.add_marker("one_engine")


@pytest.fixture(autouse=True)
def time_to_read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database of a busy machine is not for that a slow one. Tests of slow ones keep the bound that pages have."""
    if request.path.name != "test_outage.py":
        monkeypatch.setattr(access, "READING_SECONDS", 60.0)


@pytest.fixture
def app(tm: TaskManager) -> Any:
    """The pages."""
    made = create_app(tm, users=USERS, roles=ROLES)
    made.config["PROPAGATE_EXCEPTIONS"] = made.testing = True
    return made


@pytest.fixture
def ann(app: Any) -> Browser:
    """She may do all."""
    return Browser(app)


@pytest.fixture
def eve(app: Any) -> Browser:
    """She may look."""
    return Browser(app, "eve")


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[TaskManager]:
    """On one product, where products do not differ."""
    made = TaskManager(database_url=f"sqlite:///{tmp_path}/web.db", doorbell=False)
    made.database.create_tables()
    yield made
    made.close()


@pytest.fixture
def sam(embedded: TaskManager) -> Browser:
    """Who may do all there."""
    made = create_app(embedded, users=USERS, roles=ROLES)
    made.config["PROPAGATE_EXCEPTIONS"] = made.testing = True
    return Browser(made)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The names of the statements that ran since the last time this was asked."""
    ran: list[str] = []
    real = Tx.execute

    def execute(self: Tx, build: Any, parameters: Any = None) -> Any:
        ran.append(build.__name__)
        return real(self, build, parameters)

    monkeypatch.setattr(Tx, "execute", execute)

    def take() -> list[str]:
        seen, ran[:] = list(ran), []
        return seen

    return take
