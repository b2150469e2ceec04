"""What a drain at full load costs its database: statements and COMMITs for each job, counted at the driver."""

from __future__ import annotations

from pathlib import Path

from benchmarks.fill import fill
from benchmarks.wire import commits, listening
from taskmanager import TaskManager
from tests.conftest import Hands

_JOBS, _BATCH = 600, 100
_MOST_STATEMENTS, _MOST_COMMITS = 0.2, 0.05


def test_a_job_at_full_load_costs_a_fifth_of_a_statement_and_a_twentieth_of_a_commit(
    url: str, engine_name: str, tmp_path: Path
) -> None:
    """Claims and outcomes by the hundred, as a worker process takes them when jobs are short and many."""
    with listening(tmp_path) as wire:
        tm = TaskManager(database_url=url, doorbell=False, discover="benchmarks.noop")
        tm.discover()
        fill(tm, _JOBS + 2 * _BATCH)
        hands = Hands(tm, tmp_path)
        try:
            hands.worker._prefetch = _BATCH
            warm = hands.work()  # what is prepared, and what is asked once only
            before = len(wire.trips())
            done = 0
            while done < _JOBS:
                done += hands.work()
            sent = wire.trips()[before:]
        finally:
            hands.close()
            tm.close()
    assert warm >= _BATCH
    told = "\n".join(sql[:120] for sql in sent[: len(sent) * _BATCH // done])
    # SQLite's trace tells each row of a statement with many, and there is no server to wait for.
    assert engine_name == "sqlite" or 0 < len(sent) / done <= _MOST_STATEMENTS, told
    assert 0 < commits(sent) / done <= _MOST_COMMITS, told
