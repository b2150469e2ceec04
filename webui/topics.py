"""What the regions of pages are about, and a revision of each: it changes when something of it may have changed."""

from __future__ import annotations

import zlib
from typing import Any

from taskmanager.storage.monitoring_snapshot import Snapshot

_STATES = ("enqueued", "scheduled", "processing", "succeeded", "failed", "deleted", "awaiting")
#: What pages mark their regions with. `jobs`: jobs of any state.
TOPICS = (
    *(f"jobs.{state}" for state in _STATES),
    "jobs", "retries", "recurring", "queues", "servers", "alerts", "audit", "operations", "history",
)  # fmt: skip


def revisions(snapshot: Snapshot, rows: int = 0) -> dict[str, str]:
    """A revision for each topic. rows: a digest of the rows of `c_Job`.

    In doubt one changes: where more jobs are than are counted, and where it is not known whose jobs have changed.
    """
    found = {topic: _digest(_of(topic, snapshot, rows)) for topic in TOPICS}
    found["queues"] = _digest((found["jobs.enqueued"], found["jobs.processing"], found["queues"]))
    return found


def _of(topic: str, at: Snapshot, rows: int) -> tuple[Any, ...]:
    counts, marks = at.counts, at.marks
    by_hand = marks.get("audit"), marks.get("flags")
    area, _, state = topic.partition(".")
    if state:
        # Who leaves is seen by the count; beyond the cap it is not.
        return counts[state], at.entered.get(f"{state}"), at.revision if at.is_capped(state) else 0
    if area == "retries":
        return counts["retries"], counts["scheduled"], at.entered.get("scheduled"), at.revision if _is_many(at) else 0
    if area == "recurring":  # its lists tell the states of jobs, too
        return counts["recurring"], marks.get("due"), marks.get("list"), rows, at.revision, *by_hand
    if area == "queues":
        return counts["queues"], *by_hand
    if area == "servers":
        return counts["servers"], marks.get("silent"), *by_hand
    if area == "audit":
        return (marks.get("audit"),)
    # alerts, operations, history: what they show is written with jobs that end, or by hand
    alerts = counts.get("alerts") if area == "alerts" else None
    return at.revision, tuple(counts[name] for name in _STATES), rows, marks.get("list"), alerts, *by_hand


def _is_many(at: Snapshot) -> bool:
    return at.is_capped("retries") or at.is_capped("scheduled")


def _digest(value: object) -> str:
    return f"{zlib.crc32(repr(value).encode()):x}"
