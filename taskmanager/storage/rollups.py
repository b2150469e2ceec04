"""Rows of MetricRollup: added to by minute, hour and day at once, and expired bucket by bucket."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from taskmanager.domain import times
from taskmanager.domain.rollups import ALL, KEPT, LONGEST_KEY, QUEUE, STEPS, Figures, floor
from taskmanager.storage import structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment, insert_each

#: A set with one member, whose score is the minute (unix seconds) whose samples are somebody's.
SAMPLED = "metric-rollup"
_STEPS = tuple(f"D{step}" for step in range(STEPS))
_SUMS = ("Count", "Failed", "DurationMs", "WaitMs", "Waits", *_STEPS)
#: Old buckets that one transaction deletes; each has a row for each type and queue.
_BUCKETS = 20

#: Figures by the minute they are of, their kind and key.
Sums = Mapping[tuple[datetime, str, str], Figures]


@statement
def upsert_figures(t: Tables, p: Product) -> str:
    """Add to what stands."""
    highest = "CASE WHEN {new} > {old} THEN {new} ELSE {old} END"
    changes = {name: "{old} + {new}" for name in _SUMS} | {"LongestMs": highest}
    return p.upsert(t.rollup, ("Span", "Kind", "Key", "Bucket"), changes)


@statement
def oldest_bucket(t: Tables, p: Product) -> Any:
    c = t.rollup.c
    past = (c.Span == bindparam("span"), c.Bucket < bindparam("until"))
    return select(c.Bucket).where(*past).order_by(c.Bucket).limit(1)


@statement
def delete_bucket(t: Tables, p: Product) -> Any:
    c = t.rollup.c
    return delete(t.rollup).where(c.Span == bindparam("span"), c.Bucket == bindparam("bucket"))


def add(tx: Tx, sums: Sums) -> None:
    """Add figures of minutes to their minutes, hours and days, so that the sums of all three are always the same.

    Rows are written in the order of their key: those who write at the same time wait for each other, and lock nobody
    out. A COMMIT whose answer was lost, and which is done again, may count them twice.
    """
    rows: dict[tuple[int, str, str, datetime], Figures] = defaultdict(Figures)
    for (minute, kind, key), figures in sums.items():
        for span in KEPT:
            rows[span, kind, key[:LONGEST_KEY], floor(minute, span)] += figures
            if kind == QUEUE:
                rows[span, ALL, "", floor(minute, span)] += figures
    insert_each(tx, upsert_figures, [_row(tx, place, rows[place]) for place in sorted(rows)])


def begin_minute(tx: Tx) -> datetime | None:
    """The minute, when its samples are this server's to take: the first that asks in it takes them."""
    minute = floor(tx.now(), 60)
    last, now = structures.lock_one(tx, SAMPLED, "sampled"), times.to_unix(minute)
    if last is not None and 0 <= now - last < 60:
        return None
    structures.put(tx, SAMPLED, {"sampled": now})
    return minute


def expire(tx: Tx) -> bool:
    """Delete some buckets that are kept no longer; whether there may be more."""
    left = _BUCKETS
    for span, kept in KEPT.items():
        until = tx.now() - kept
        while left and (found := tx.execute(oldest_bucket, {"span": span, "until": until}).first()):
            tx.execute(delete_bucket, {"span": span, "bucket": as_moment(found[0])})
            left -= 1
    return not left


def _row(tx: Tx, place: tuple[int, str, str, datetime], one: Figures) -> dict[str, Any]:
    span, kind, key, bucket = place
    row = {"Span": span, "Kind": kind, "Key": key, "Bucket": tx.bind_moment(bucket)}
    row |= {"Count": one.count, "Failed": one.failed, "DurationMs": one.ms, "WaitMs": one.waited, "Waits": one.waits}
    return row | {"LongestMs": one.longest} | dict(zip(_STEPS, one.steps, strict=True))
