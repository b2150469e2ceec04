"""What each page of the URL map asks of the database does not grow with it: few statements, and bounded rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from benchmarks import estate, fill, pages
from taskmanager import TaskManager
from taskmanager.storage import (
    monitoring_failures,
    monitoring_filters,
    monitoring_lists,
    monitoring_logged,
    monitoring_logged_searches,
    monitoring_logged_statistics,
    monitoring_narrowed,
    monitoring_queues,
    monitoring_waits,
    windows,
)
from taskmanager.storage import monitoring_snapshot as snapshot
from tests.conftest import drop_database, new_database, server_of
from webui import access
from webui.views import retries

pytestmark = [pytest.mark.each_engine, pytest.mark.slow]
MOST_STATEMENTS = 8
FEW, MANY = 5_000, 20_000
#: A page of the smaller database may be a few rows short, by which the larger one's looks longer: rows, or steps.
SHORT = {"sqlite": 1_500}
#: On a server they read its catalogue, which grows with the databases that other tests make beside these.
OF_CATALOGUE = ("/hangfire/settings/system", "/api/v1/system")
#: Bounded by 10,000 and 200 jobs; here there are fewer.
VARIANTS = [v for v in pages.VARIANTS if "from=9000" not in v and not v.endswith(("count=100", "count=200"))]


@pytest.fixture
def low_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds so low that both sizes go beyond them: what still grows has none. Rows are counted, and no seconds."""
    monkeypatch.setattr(access, "READING_SECONDS", 100.0)
    for module in (
        snapshot,
        monitoring_queues,
        monitoring_waits,
        monitoring_lists,
        monitoring_logged,
        monitoring_failures,
    ):
        monkeypatch.setattr(module, "CAP", 4)
    monkeypatch.setattr(snapshot, "BLOCK", 4)
    monkeypatch.setattr(monitoring_narrowed, "CAP", 4)
    monkeypatch.setattr(monitoring_narrowed, "LOOKED", 20)
    for module in (monitoring_filters, monitoring_logged_searches):
        monkeypatch.setattr(module, "SCANNED", 100)
    for module in (monitoring_logged_searches, monitoring_logged_statistics):
        monkeypatch.setattr(module, "FIRST", 20)
        monkeypatch.setattr(module, "FIRST_OF_NAME", 10)
    monkeypatch.setattr(windows, "clock", lambda: 0.0)  # there is always time for a second window
    monkeypatch.setattr(monitoring_filters, "READ", 100)
    monkeypatch.setattr(monitoring_logged_statistics, "MEASURED", 10)
    monkeypatch.setattr(monitoring_logged_statistics, "MOST", 100)
    monkeypatch.setattr(monitoring_logged_statistics, "OF_NAME", 10)
    monkeypatch.setattr(monitoring_queues, "SORTED", 100)
    monkeypatch.setattr(monitoring_queues, "LAST", 100)
    monkeypatch.setattr(retries, "SEARCHED", 10)


@pytest.fixture
def databases(engine_name: str, tmp_path: Path) -> Iterator[list[str]]:
    """Two empty ones."""
    if engine_name == "sqlite":
        yield [f"sqlite:///{tmp_path}/{size}.db" for size in (FEW, MANY)]
        return
    server = server_of(engine_name)
    urls = [new_database(server) for _ in (FEW, MANY)]
    for url in urls if engine_name == "postgresql" else ():
        _keep_to_indexes(url)
    yield urls
    for url in urls:
        drop_database(server, url)


def _keep_to_indexes(url: str) -> None:
    """PostgreSQL reads a table of so few rows as a whole; here it reads by index, as it does at size."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {engine.url.database} SET enable_seqscan = off"))
    engine.dispose()


def costs(url: str, count: int) -> list[tuple[str, int, str]]:
    """Every page, how many rows its statements look at, and each of them; then those of a dashboard of one queue."""
    tm, app = pages._app(url)
    tm.database.create_tables()
    estate.build(tm, count, recurring=10, audit=500)
    fill.analyze(tm)
    found = walked(tm, app, (200, 204, 302, 303))
    tm.close()
    tm, app = pages._app(url, web_queues="mail")
    of_one = walked(tm, app, (200, 204, 302, 303, 403, 404))
    tm.close()
    # Behind the middle of the smaller database are fewer jobs than a search looks at.
    return found + [(f"{path} of mail", rows, looks) for path, rows, looks in of_one if "?after=" not in path]


def walked(tm: TaskManager, app: Flask, statuses: tuple[int, ...]) -> list[tuple[str, int, str]]:
    """Every page, how many rows its statements look at, and each of them."""
    samples, found = pages.samples(tm, app), []
    for path in (one for one in pages.addresses(app, samples, VARIANTS) if "limit=200" not in one):
        status, looks = pages.counted(tm, app, path)
        assert status in statuses, (path, status)
        assert len(looks) <= MOST_STATEMENTS, (path, looks)
        found.append((path, sum(look.rows for look in looks), ", ".join(f"{one.name} {one.rows}" for one in looks)))
    return found


@pytest.mark.timeout(480)
@pytest.mark.usefixtures("low_bounds")
def test_no_page_looks_at_more_rows_because_there_are_more(engine_name: str, databases: list[str]) -> None:
    short = SHORT.get(engine_name, 180)
    few, many = (costs(url, size) for url, size in zip(databases, (FEW, MANY), strict=True))
    grown = [
        f"{path}: {more} rows of {MANY} jobs, {rows} of {FEW}: {looks}; before: {before}"
        for (_, rows, before), (path, more, looks) in zip(few, many, strict=True)
        if more > 1.25 * rows + short and (engine_name == "sqlite" or not path.startswith(OF_CATALOGUE))
    ]
    assert not grown, "\n".join(grown)
