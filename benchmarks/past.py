"""Whether what has been slows what comes: a drain beside finished jobs, beside their expiry, and after an old snapshot.

python -m benchmarks.past mysql://test:test@127.0.0.1/bench [--finished 1000000] [--jobs 20000]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, select, text

from benchmarks import drain, scale
from benchmarks.fill import analyze, fill, fresh
from benchmarks.processes import catch_up
from taskmanager import TaskManager
from taskmanager.server.marks import Marks
from taskmanager.storage import claiming

#: Ids that one transaction finishes.
_STEP = 100_000


def finish(tm: TaskManager, *, kept: timedelta) -> None:
    """All jobs that are queued have Succeeded, as a server would have left them, and expire after so long."""
    q, tables = tm.database.product.quote, tm.database.tables
    job, state, queue = q(tables.job.name), q(tables.state.name), q(tables.queue.name)
    moment: Any = tm.database.clock.now() + kept
    if tm.database.is_embedded:
        moment = moment.isoformat(" ", "microseconds")
    between = f"BETWEEN :low AND :low + {_STEP - 1}"
    with tm.database.engine.connect() as connection:
        last = connection.execute(select(func.max(tables.job.c.Id))).scalar_one()
    for low in range(1, int(last) + 1, _STEP):
        with tm.database.engine.begin() as connection:
            for name in ("Processing", "Succeeded"):
                connection.execute(
                    text(
                        f"INSERT INTO {state} ({q('JobId')}, {q('Name')}, {q('CreatedAt')}, {q('Data')}) "
                        f"SELECT {q('JobId')}, '{name}', {q('CreatedAt')}, {q('Data')} FROM {state} "
                        f"WHERE {q('Name')} = 'Enqueued' AND {q('JobId')} {between}"
                    ),
                    {"low": low},
                )
            connection.execute(
                text(
                    f"UPDATE {job} SET {q('StateName')} = 'Succeeded', {q('ExpireAt')} = :moment "
                    f"WHERE {q('Id')} {between}"
                ),
                {"low": low, "moment": moment},
            )
            connection.execute(text(f"DELETE FROM {queue} WHERE {q('JobId')} {between}"), {"low": low})


def per_second(url: str, jobs: int, finished: int, kept: timedelta) -> tuple[float, int]:
    """Jobs a second of one worker process beside so many finished jobs, and how many of those went meanwhile."""
    tm = fresh(url)
    if finished:
        fill(tm, finished)
        finish(tm, kept=kept)
    fill(tm, jobs)
    analyze(tm)
    catch_up(url)
    taken = drain.engine(tm, 1, history=False)
    with tm.database.engine.connect() as connection:
        left = connection.execute(select(func.count()).select_from(tm.database.tables.job)).scalar_one()
    tm.close()
    return jobs / taken, finished + jobs - int(left)


@contextmanager
def snapshot(tm: TaskManager) -> Iterator[None]:
    """Somebody's long transaction, which sees the tables as they are now: a dump, or a forgotten prompt."""
    with tm.database.engine.connect().execution_options(
        isolation_level="SERIALIZABLE" if tm.database.is_embedded else "REPEATABLE READ"
    ) as connection:
        connection.execute(select(tm.database.tables.job.c.Id).limit(1)).all()
        yield
        connection.rollback()


def claims(url: str, jobs: int, *, old: bool) -> dict[str, float]:
    """Milliseconds of a claim of 20 after so many rows were claimed and deleted: as a worker claims, on average, and
    from the front of the queue."""
    tm = fresh(url)
    fill(tm, jobs)
    with snapshot(tm) if old else _nothing():
        drain.engine(tm, 1, history=False)
        fill(tm, 2 * scale.ROWS)
        front, write = scale.claim_and_write_back(tm)
        claim = _as_a_worker(tm, scale.ROWS // 20)
    tm.close()
    return {"claim_20_ms": round(claim, 2), "from_the_front_ms": round(front, 2), "write_back_20_ms": round(write, 2)}


def _as_a_worker(tm: TaskManager, rounds: int) -> float:
    marks, started = Marks(), time.perf_counter()
    for number in range(rounds):
        after, front = marks.of("default")
        token = f"worker.{number}"
        claim = partial(claiming.take_next, queue="default", limit=20, token=token, after=after, front=front)
        marks.claimed("default", tm.database.run(claim))
    return (time.perf_counter() - started) * 1000 / rounds


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def measure(url: str, finished: int, jobs: int) -> dict[str, Any]:
    """Rates and their ratios to empty tables; claims with and without an old snapshot."""
    empty, _ = per_second(url, jobs, 0, timedelta(0))
    beside, _ = per_second(url, jobs, finished, timedelta(days=1))
    expiring, gone = per_second(url, jobs, finished, timedelta(minutes=-1))
    found: dict[str, Any] = {
        "finished": finished, "jobs": jobs, "empty_per_second": round(empty),
        "beside_finished": round(beside / empty, 2),
        "while_they_expire": round(expiring / empty, 2), "expired_meanwhile": gone,
    }  # fmt: skip
    if not url.startswith("sqlite"):
        found["no_snapshot"], found["old_snapshot"] = (claims(url, jobs, old=old) for old in (False, True))
    return found


def main() -> None:
    """One line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=20_000)
    given = parser.parse_args()
    print(json.dumps(measure(given.url, given.finished, given.jobs)))


if __name__ == "__main__":
    main()
