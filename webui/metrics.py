"""The counts of everything as Prometheus reads them: from the one snapshot of all pages, and one look at queues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, cast

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry

import taskmanager
from taskmanager.storage.monitoring_queues import QueueView
from taskmanager.storage.monitoring_snapshot import CAP
from webui.serverviews import STAGES, ServerView
from webui.snapshots import Seen

_STATES = ("enqueued", "scheduled", "processing", "succeeded", "failed", "deleted", "awaiting")
_ENDED = ("succeeded", "failed", "deleted")


class Gauges:
    """What was seen at one moment. now: by the database's clock; queues and servers as they were then."""

    def __init__(self, seen: Seen, queues: Iterable[QueueView], servers: Iterable[ServerView], now: datetime) -> None:
        self._seen, self._queues, self._servers, self._now = seen, list(queues), list(servers), now

    def collect(self) -> Iterator[Metric]:
        counts = self._seen.snapshot.counts
        yield _labelled("info", "The version that answers", "version", {taskmanager.__version__: 1})
        yield _labelled(
            "jobs", f"Jobs in each state; {CAP + 1} is more than {CAP}, of succeeded and deleted all that ever were",
            "state", {name: counts[name] for name in _STATES},
        )  # fmt: skip
        ended = {name: counts[f"ended_{name}"] for name in _ENDED}
        yield _labelled("jobs_ended", "Jobs that ended since yesterday began (UTC)", "outcome", ended)
        yield GaugeMetricFamily("taskmanager_retries", "Jobs that wait to be tried again", counts["retries"])
        yield GaugeMetricFamily("taskmanager_recurring_jobs", "Recurring jobs and rows of c_Job", counts["recurring"])
        yield GaugeMetricFamily("taskmanager_snapshot_age_seconds", "Age of these counts", self._seen.age)
        yield from self._of_queues()
        stages = Counter(one.stage for one in self._servers)
        yield _labelled("servers", "Servers by their last heartbeat", "stage", {name: stages[name] for name in STAGES})
        threads = sum(one.workers for one in self._servers if one.stage == "active")
        yield GaugeMetricFamily("taskmanager_threads", "Threads of the active servers", threads)

    def _of_queues(self) -> Iterator[Metric]:
        each = self._queues
        length = f"Jobs that wait in a queue; {CAP + 1} is more than {CAP}"
        yield _labelled("queue_length", length, "queue", {one.name: one.waiting for one in each})
        yield _labelled("queue_in_hand", "Jobs that workers hold", "queue", {one.name: one.fetched for one in each})
        yield _labelled("queue_paused", "1 of a queue that is paused", "queue", {o.name: int(o.paused) for o in each})
        held = "Jobs put aside, as they are paused by type or tag"
        yield _labelled("queue_held", held, "queue", {one.name: one.held for one in each})
        latency = {one.name: self._waited(one) for one in each}
        yield _labelled("queue_latency_seconds", "How long the job that waits longest has waited", "queue", latency)

    def _waited(self, one: QueueView) -> float:
        return 0.0 if one.waiting_since is None else max(0.0, (self._now - one.waiting_since).total_seconds())


def written(gauges: Gauges, accept: str) -> tuple[bytes, str]:
    """The text and its type: OpenMetrics for who accepts it, else Prometheus' own. accept: the header of that name."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(cast(Any, gauges))  # whatever has `collect` is a collector
    encode, content_type = choose_encoder(accept)
    return bytes(encode(registry)), str(content_type)


def _labelled(name: str, text: str, label: str, values: dict[str, int] | dict[str, float]) -> GaugeMetricFamily:
    made = GaugeMetricFamily(f"taskmanager_{name}", text, labels=[label])
    for key, value in values.items():
        made.add_metric([key], value)
    return made
