"""Fixtures: the same tests on SQLite, MariaDB, MySQL and PostgreSQL, each a real one.

Which tests run where: all that concerns SQL, locks, claims, COMMITs, connections and what happens when a server goes
away runs on every product, for there products differ. A test whose subject is above that (signals and exit codes of
processes, threads, forks, what a job or a person may say, texts) carries the mark `one_server`: it runs on SQLite and
on one server, the first of --engines. So a way that is taken only where there is a network is still gone, and whoever
asks for one product alone has all tests on it. The mark stands on the test, on a file (`pytestmark`), or on a single
parameter, when its other values try the database.

What differs in nothing, as most of the dashboard, carries `one_engine`: it runs on the first of --engines alone, which
is SQLite; tests/webui/conftest.py gives that to its tests, and says which are left out.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, literal, select, text, union_all
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from taskmanager import TaskManager
from taskmanager.server import lifeline
from taskmanager.server.completer import Completer
from taskmanager.server.lifeline import Lifeline
from taskmanager.server.runners import Runners
from taskmanager.server.schedulers import DelayedScheduler, RecurringScheduler
from taskmanager.server.worker import Worker
from taskmanager.storage import servers as server_rows
from taskmanager.storage.database import Database
from tests import covering
from tests.servers import local
from tests.spreading import spread

# Processes that tests start may keep what they compile: else each of them compiles the whole of taskmanager anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_servers: dict[str, local.Server | str] = {}
_databases: dict[str, Shared] = {}
_empty: list[bytes] = []
_versions: dict[str, str] = {}
_ran: Counter[str] = Counter()
_lacking: dict[str, str] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engines", default=os.environ.get("TASKMANAGER_TEST_ENGINES", ",".join(local.PRODUCTS)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """On each of --engines; what is marked `one_engine` on the first of them, which is SQLite unless one says else."""
    if "engine_name" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--engines").split(",")
        if metafunc.definition.get_closest_marker("one_engine"):
            chosen = chosen[:1]
        metafunc.parametrize("engine_name", chosen, scope="session", indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One server will do for tests that say so. The files whose tests take long come early (tests/spreading.py)."""
    servers = [name for name in config.getoption("--engines").split(",") if name != "sqlite"]
    others = [item for item in items if item.get_closest_marker("one_server") and _engine_of(item) in servers[1:]]
    if others:
        config.hook.pytest_deselected(items=others)
        left_out = set(others)
        items[:] = [item for item in items if item not in left_out]
    slow = {
        item.path
        for item in items
        if item.get_closest_marker("fault") or item.get_closest_marker("slow") or item.path.parent.name == "browser"
    }
    rank = {path: number for number, path in enumerate(spread((item.path for item in items), slow))}
    items.sort(key=lambda item: rank[item.path])


def _engine_of(item: pytest.Item) -> str | None:
    """The product a test runs on, when it asks for one."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("engine_name") if callspec is not None else None


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that runs in this process sets logging up for itself; the next test finds it as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture(scope="session")
def engine_name(request: pytest.FixtureRequest) -> str:
    """The product a test runs on."""
    return str(request.param)


def server_of(product: str) -> local.Server:
    """The server of a product, started once; skips the test when there is none."""
    if product not in _servers:
        try:
            _servers[product] = local.obtain(product)
        except local.Unavailable as reason:
            _servers[product] = str(reason)
    found = _servers[product]
    if isinstance(found, str):
        if product in os.environ.get("TASKMANAGER_TEST_REQUIRE", "").split(","):
            pytest.fail(f"{product} is required: {found}")
        pytest.skip(f"{product}: {found}")
    return found


def new_database(server: local.Server) -> str:
    """Create an empty database on a server; its URL."""
    name = f"tm_{uuid.uuid4().hex[:12]}"
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def own_server(request: pytest.FixtureRequest, product: str, *, durable: bool = True) -> Iterator[local.Server]:
    """A server for one test alone, which may do with it what it likes; skips, with the reason, where there is none."""
    if product not in request.config.getoption("--engines").split(","):
        pytest.skip(f"{product} is not among --engines")
    try:
        server = local.private(product, durable=durable)
    except local.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        yield server
    finally:
        server.destroy()


def drop_database(server: local.Server, url: str) -> None:
    """Remove a database again."""
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    force = " WITH (FORCE)" if server.product == "postgresql" else ""
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {make_url(url).database}{force}"))
    engine.dispose()


@pytest.fixture
def database_url(engine_name: str, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    server = server_of(engine_name)
    url = new_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture
def url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database with empty tables; one database for each product, emptied before each test."""
    if engine_name == "sqlite":
        (tmp_path / "test.db").write_bytes(_empty_file(tmp_path))
        url, version = f"sqlite:///{tmp_path}/test.db", sqlite3.sqlite_version
    else:
        if engine_name not in _databases:
            _databases[engine_name] = Shared(new_database(server_of(engine_name)))
        shared = _databases[engine_name]
        shared.empty()
        url, version = shared.url, shared.version
    request.node.user_properties.append(("engine", f"{engine_name} {version}"))
    return url


def _empty_file(folder: Path) -> bytes:
    """An SQLite database with empty tables: made once, for it takes longer than most tests."""
    if not _empty:
        made = Database(f"sqlite:///{folder}/template.db")
        made.create_tables()
        made.dispose()
        _empty.append((folder / "template.db").read_bytes())
        (folder / "template.db").unlink()
    return _empty[0]


class Shared:
    """A server's database that the tests of this process use one after the other."""

    def __init__(self, url: str) -> None:
        self.url = url
        made = Database(url)
        made.create_tables()
        self.version = ".".join(map(str, made.engine.dialect.server_version_info or ()))
        self._lifelines = lifeline.folder_of(made.identity)
        self._tables = {t.name: t.delete() for t in made.tables.metadata.sorted_tables}
        written = [select(literal(t.name)).where(select(t).exists()) for t in made.tables.metadata.sorted_tables]
        self._written = union_all(*written)
        made.dispose()
        self._engine = create_engine(url, poolclass=NullPool)

    def empty(self) -> None:
        """Delete all rows; most tables have none, and are only asked for. Nobody is left to be buried either."""
        with self._engine.begin() as connection:
            for name in connection.execute(self._written).scalars().all():
                connection.execute(self._tables[name])
        for death in lifeline.deaths(self._lifelines):
            lifeline.forget(death)


@pytest.fixture
def tm(url: str) -> Iterator[TaskManager]:
    """A TaskManager on empty tables."""
    made = TaskManager(database_url=url, doorbell=False)
    yield made
    made.close()


class Hands:
    """A worker ticked by hand: claims, performs in this thread, writes back."""

    def __init__(self, tm: TaskManager, folder: Path, *, guid: str | None = None, **options: Any) -> None:
        self.tm = tm
        self.guid = guid or uuid.uuid4().hex
        self.id = f"test:{os.getpid()}:{self.guid}"
        self.line = Lifeline(self.id, 4, folder)
        self.completer = Completer(tm.database, tm.transitions, self.id, lambda claims: self.worker.finished(claims))
        self.runners = Runners(tm.settings.variables())
        self.worker = Worker(
            tm.database, tm.performer(self.id), self.completer, self.runners, self.line, guid=self.guid,
            queue_names=options.pop("queues", ("default",)), threads=options.pop("threads", 4), prefetch=0,
            **options,
        )  # fmt: skip
        self.delayed = DelayedScheduler(tm.database, tm.transitions)
        self.recurring = RecurringScheduler(tm.recurring_jobs)
        tm.database.run(lambda tx: server_rows.announce(tx, self.id, {"taskmanager": {}}))

    def claim(self) -> list[Any]:
        """Claim what is there."""
        self.worker.tick()
        claims = []
        while not self.worker._inbox.empty():
            claims.append(self.worker._inbox.get())
        return claims

    def work(self) -> int:
        """Claim, perform and write back; how many jobs."""
        claims = self.claim()
        for claim in claims:
            self.worker.perform(claim)
        self.completer.flush()
        return len(claims)

    def close(self) -> None:
        """End in order."""
        self.runners.close()
        self.line.close()


@pytest.fixture
def hands(tm: TaskManager, tmp_path: Path) -> Iterator[Callable[..., Hands]]:
    """Makes workers that are ticked by hand."""
    made: list[Hands] = []

    def make(**options: Any) -> Hands:
        made.append(Hands(tm, tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def history(tm: TaskManager, job_id: int) -> list[str]:
    """The names of the states a job went through."""
    return [state.name for state in tm.get(job_id).history]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test that another database runs for coverage is not traced."""
    with nullcontext() if covering.counts(item) else covering.left_out():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Half an emoji in a captured log line cannot travel from one test process to another."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What tests told of their databases; with several test processes it arrives here, in the first."""
    for name, value in report.user_properties:
        if report.when == "call" and name == "engine":
            product, _, version = str(value).partition(" ")
            _ran[product] += 1
            _versions[product] = version
    if report.skipped and isinstance(report.longrepr, tuple):
        product, _, reason = report.longrepr[2].removeprefix("Skipped: ").partition(": ")
        if product in local.PRODUCTS:
            _lacking[product] = reason


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.section("databases")
    for product in local.PRODUCTS:
        if _ran[product]:
            terminalreporter.line(f"{product}: tested, version {_versions[product]}, {_ran[product]} tests")
        else:
            terminalreporter.line(f"{product}: NOT tested: {_lacking.get(product, 'no test asked for it')}")


def pytest_sessionfinish() -> None:
    for product, server in _servers.items():
        if isinstance(server, local.Server):
            if product in _databases:
                drop_database(server, _databases[product].url)
            server.destroy()
