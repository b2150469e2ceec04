"""Whether the cost of a claim, an enqueue and a write-back grows with what waits and with what has been.

python -m benchmarks.scale mysql://test:test@127.0.0.1/bench 1000 10000 100000 1000000
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import noop
from benchmarks.fill import analyze, fill, fresh
from taskmanager import TaskManager
from taskmanager.domain.states import STARTABLE, Succeeded
from taskmanager.engine.transitions import Change
from taskmanager.storage import queues

_BATCH = 20
_ROUNDS = 60
#: Jobs that all claims of one measurement take.
ROWS = _BATCH * _ROUNDS


def claim_and_write_back(tm: TaskManager) -> tuple[float, float]:
    """Median milliseconds of a claim of 20 jobs, and of writing their outcomes."""
    claims_ms, writes_ms = [], []
    for number in range(_ROUNDS):
        started = time.perf_counter()
        claims = tm.database.run(lambda tx, n=number: queues.claim(tx, "default", _BATCH, f"bench.{n}"))  # type: ignore[misc]
        claims_ms.append((time.perf_counter() - started) * 1000)
        changes = [Change(c.job_id, Succeeded(duration_ms=0, latency_ms=0, result=None), STARTABLE, c) for c in claims]
        started = time.perf_counter()
        tm.database.run(lambda tx, c=changes: tm.transitions.apply(tx, c))  # type: ignore[misc]
        writes_ms.append((time.perf_counter() - started) * 1000)
    return statistics.median(claims_ms), statistics.median(writes_ms)


def median_ms(action: Callable[[], Any], rounds: int = _ROUNDS) -> float:
    """The median time of an action."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def measure(url: str, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """One row of figures for each number of waiting jobs."""
    rows = []
    for size in sizes:
        tm = fresh(url)
        fill(tm, size + ROWS)
        analyze(tm)
        time.sleep(min(15.0, size / 50_000))  # the server writes out what was filled in
        claim, write = claim_and_write_back(tm)
        enqueue = median_ms(lambda tm=tm: tm.enqueue(noop.noop))  # type: ignore[misc]
        rows.append(
            {"waiting": size, "claim_20_ms": round(claim, 2), "write_back_20_ms": round(write, 2),
             "enqueue_ms": round(enqueue, 2)}
        )  # fmt: skip
        tm.close()
    return rows


if __name__ == "__main__":
    for row in measure(sys.argv[1], [int(n) for n in sys.argv[2:]] or [1_000, 10_000, 100_000, 1_000_000]):
        print(json.dumps(row), flush=True)
