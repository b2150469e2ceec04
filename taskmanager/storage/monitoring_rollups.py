"""Figures of runs and queues as charts read them: along the key, never from the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from taskmanager.domain.rollups import LENGTH, MINUTE, QUEUE, STEPS, Figures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment


@statement
def figures_of_key(t: Tables, p: Product) -> Any:
    """Buckets of one type or queue, by the primary key."""
    c = t.rollup.c
    steps = [c[f"D{step}"] for step in range(STEPS)]
    return (
        select(c.Kind, c.Bucket, c.Count, c.Failed, c.DurationMs, c.WaitMs, c.Waits, c.LongestMs, *steps)
        .where(
            c.Span == bindparam("span"), c.Kind.in_(bindparam("kinds", expanding=True)), c.Key == bindparam("key"),
            c.Bucket >= bindparam("since"),
        )
    )  # fmt: skip


def of_key(tx: Tx, span: int, kinds: Sequence[str], key: str, since: datetime) -> dict[str, dict[datetime, Figures]]:
    """Figures by kind and by the moment (naive UTC) at which their bucket begins."""
    found: dict[str, dict[datetime, Figures]] = {kind: {} for kind in kinds}
    for kind, bucket, *numbers in tx.execute(
        figures_of_key, {"span": span, "kinds": list(kinds), "key": key, "since": since}
    ):
        first = [int(number) for number in numbers[:6]]
        found[str(kind)][as_moment(bucket)] = Figures(
            first[0], first[1], first[2], first[3], first[4], first[5], tuple(int(n) for n in numbers[6:])
        )
    return found


@statement
def minutes_of_queues(t: Tables, p: Product) -> Any:
    """Runs and lengths of some queues by the minute, by the primary key."""
    c = t.rollup.c
    return (
        select(c.Key, c.Kind, c.Bucket, c.Count, c.DurationMs)
        .where(
            c.Span == MINUTE, c.Kind.in_((QUEUE, LENGTH)), c.Key.in_(bindparam("keys", expanding=True)),
            c.Bucket >= bindparam("since"),
        )
    )  # fmt: skip


def of_queues(tx: Tx, names: Sequence[str], since: datetime) -> dict[tuple[str, str], dict[datetime, tuple[int, int]]]:
    """By queue and kind: count and sum of each minute. No names, no statement."""
    found: dict[tuple[str, str], dict[datetime, tuple[int, int]]] = {}
    if names:
        for key, kind, bucket, count, ms in tx.execute(minutes_of_queues, {"keys": list(names), "since": since}):
            found.setdefault((str(key), str(kind)), {})[as_moment(bucket)] = (int(count), int(ms))
    return found
