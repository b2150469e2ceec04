"""What Prometheus is told: by its own client's parser, with a token, at a bounded cost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import servers
from tests.webui.conftest import USERS, Browser
from webui import create_app
from webui.views import prometheus

PATH = "/hangfire/metrics/prometheus"


def told(text: str) -> dict[tuple[str, str], float]:
    """Values by name and the value of their one label."""
    parser = pytest.importorskip("prometheus_client.parser")
    return {
        (one.name, next(iter(one.labels.values()), "")): one.value
        for family in parser.text_string_to_metric_families(text)
        for one in family.samples
    }


@pytest.fixture
def scraped(tm: TaskManager) -> Any:
    """An application whose users are a scraper's token and people."""
    pytest.importorskip("prometheus_client")
    hashed = hashlib.sha256(b"tm_scraper").hexdigest()
    tm.settings = tm.settings.with_changes(api_tokens={"scraper": f"view:sha256:{hashed}"})
    return create_app(tm, users=USERS)


@pytest.mark.each_engine
def test_states_queues_and_servers_are_told_as_the_clients_parser_reads_them(
    scraped: Any, tm: TaskManager, statements: Callable[[], list[str]]
) -> None:
    jobs = [tm.enqueue(print, n, queue=name) for n, name in enumerate(["default", "default", "mail"])]
    tm.delete(jobs[0])
    tm.pause_queue("mail")
    tm.database.run(lambda tx: servers.announce(tx, "host:1:abc", {"WorkerCount": 7, "Queues": ["default"]}))
    client = scraped.test_client()
    statements()
    answer = client.get(PATH, headers={"Authorization": "Bearer tm_scraper"})
    assert len(statements()) <= 8
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    found = told(answer.text)
    assert found["taskmanager_jobs", "enqueued"] == 2
    assert found["taskmanager_jobs", "failed"] == found["taskmanager_retries", ""] == 0
    assert (found["taskmanager_queue_length", "default"], found["taskmanager_queue_length", "mail"]) == (1, 1)
    assert (found["taskmanager_queue_paused", "default"], found["taskmanager_queue_paused", "mail"]) == (0, 1)
    assert found["taskmanager_queue_latency_seconds", "mail"] >= 0
    assert (found["taskmanager_servers", "active"], found["taskmanager_servers", "dead"]) == (1, 0)
    assert found["taskmanager_threads", ""] == 7


def test_a_scraper_that_wants_open_metrics_gets_them(scraped: Any) -> None:
    wanted = {"Authorization": "Bearer tm_scraper", "Accept": "application/openmetrics-text; version=1.0.0"}
    answer = scraped.test_client().get(PATH, headers=wanted)
    assert answer.content_type.startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_nobody_is_told_anything_without_signing_in(scraped: Any) -> None:
    client = scraped.test_client()
    assert client.get(PATH).status_code == 401
    assert client.get(PATH, headers={"Authorization": "Bearer tm_wrong"}).status_code == 401


def test_without_the_extra_the_cure_is_told(sam: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "metrics", None)
    answer = sam.get(PATH)
    assert answer.status_code == 404
    assert "taskmanager[prometheus]" in answer.text
