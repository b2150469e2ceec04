"""All figures for one database, as a table, with the machine and the server's settings beside them.

python -m benchmarks mysql://test:test@127.0.0.1/bench [--json FILE] [--only drain,enqueue] [--repeat 5]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks import drain, enqueue, idle, latency, legacy, load, memory, past, recurring, scale, startup
from benchmarks.summary import summary
from taskmanager import TaskManager

_TARGETS = {
    "enqueue": "one by one ≥ 0.5 (SQLite 0.4), many ≥ 0.8 (SQLite 0.7) of the bare driver",
    "drain, 1 process": "≥ 0.7 of the bare driver; SQLite 0.6",
    "drain, 2 processes": "≥ 0.8 of the bare driver",
    "drain, 4 processes": "told",
    "history table": "drain with c_LoggedJob ≥ 0.85 of without",
    "latency with the doorbell": "p50 ≤ 4 ms, p99 ≤ 15 ms; SQLite 10 and 40",
    "latency by polling": "p50 ≤ 60 ms, p99 ≤ 250 ms",
    "idle": "≤ 5 statements/s, ≤ 0.5 % of a core, ≤ 80 MB; 20 processes ≤ 5 % of a core on the server",
    "legacy": "1,000 rows ≤ 1 % of a core, 500 forced start in ≤ 5 s, a row of history ≤ 50 ms at its worst",
    "latency under load": "at 1, 20 and 200 jobs/s; told at each",
    "load": "statements ≤ 0.2 and COMMITs ≤ 0.05 a job where jobs take nothing",
    "start-up": "told",
    "recurring": "told",
    "past": "beside finished jobs ≥ 0.9, while they expire ≥ 0.8",
    "scale": "claim at 10,000,000 ≤ 1.3 times that at 10,000",
    "memory": "no growth",
}


def figures(url: str, jobs: int = 100_000) -> dict[str, Callable[[], Any]]:
    """What is measured, by name. jobs: over so many memory is looked at."""
    embedded = url.startswith("sqlite")
    found: dict[str, Callable[[], Any]] = {
        "enqueue": lambda: enqueue.measure(url),
        "drain, 1 process": lambda: drain.measure(url, 20_000),
        "history table": lambda: drain.compare_history(url, 20_000),
        "idle": lambda: [idle.measure(url, processes=n) for n in (1, 20)],
        "latency with the doorbell": lambda: latency.measure(url, 60, doorbell=True),
        "latency by polling": lambda: latency.measure(url, 60, doorbell=False, deep=True),
        "latency under load": lambda: [
            latency.measure(url, max(60, 10 * rate), per_second=rate) for rate in (1, 20, 200)
        ],
        "load": lambda: list(load.measure(url, 3000)),
        "start-up": lambda: startup.measure(url),
        "recurring": lambda: recurring.measure(url),
        "past": lambda: past.measure(url, 1_000_000, 20_000),
        "scale": lambda: scale.measure(url, [1_000, 1_000_000]),
        "memory": lambda: memory.measure(url, jobs),
    }
    if not embedded:
        found["drain, 2 processes"] = lambda: drain.measure(url, 20_000, processes=2)
        found["drain, 4 processes"] = lambda: drain.measure(url, 20_000, processes=4)
    if "mysql" in url or "mariadb" in url:
        found["legacy"] = lambda: legacy.measure(url)
    return found


def surroundings(url: str) -> dict[str, Any]:
    """The machine, and the settings of the server that durability and speed hang on."""
    tm = TaskManager(database_url=url, doorbell=False)
    asked = {
        "mysql": "SELECT @@version, @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@innodb_buffer_pool_size",
        "mariadb": "SELECT @@version, @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@innodb_buffer_pool_size",
        "postgresql": "SELECT version(), current_setting('synchronous_commit'), current_setting('fsync')",
        "sqlite": "SELECT sqlite_version(), synchronous FROM pragma_synchronous",
    }
    with tm.database.engine.connect() as connection:
        server = [str(v) for v in connection.execute(text(asked[tm.database.product.name])).one()]
    tm.close()
    return {
        "server": server, "python": platform.python_version(), "cores": os.cpu_count(), "system": platform.platform()
    }  # fmt: skip


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--only", help="names of figures, or their beginnings, separated by commas")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument(
        "--repeat", type=int, default=1, help="times each is measured; the median and the range are told"
    )
    parser.add_argument("--jobs", type=int, default=100_000, help="over so many jobs memory is looked at")
    given = parser.parse_args()
    wanted = [name.strip() for name in (given.only or "").split(",")]
    kept: dict[str, Any] = {"surroundings": surroundings(given.url)}
    print(json.dumps(kept["surroundings"]))
    for name, measure in figures(given.url, given.jobs).items():
        if any(name.startswith(start) for start in wanted):
            kept[name] = summary([measure() for _ in range(given.repeat)])
            load = os.getloadavg()[1] if hasattr(os, "getloadavg") else None
            print(f"{name} (wanted: {_TARGETS[name]}; load {load})\n    {json.dumps(kept[name])}")
            sys.stdout.flush()
    if given.json:
        given.json.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
