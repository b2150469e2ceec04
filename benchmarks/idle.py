"""What an idle worker process costs the server: statements a second, counted by MySQL or MariaDB itself.

python -m benchmarks.idle mysql://test:test@127.0.0.1/bench
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import psutil
from sqlalchemy import text

from taskmanager import TaskManager


def questions(tm: TaskManager) -> int:
    """Statements the server has been sent since it started."""
    with tm.database.engine.connect() as connection:
        return int(connection.execute(text("SHOW GLOBAL STATUS LIKE 'Questions'")).one()[1])


def measure(url: str, seconds: float = 20.0) -> dict[str, Any]:
    """Statements and CPU of one worker process with nothing to do, and its resident memory."""
    tm = TaskManager(database_url=url)
    tm.database.tables.metadata.drop_all(tm.database.engine)
    tm.database.create_tables()
    worker = subprocess.Popen([sys.executable, "-m", "benchmarks.worker", url], stderr=subprocess.DEVNULL)
    time.sleep(4)
    process = psutil.Process(worker.pid)
    before, cpu = questions(tm), sum(process.cpu_times()[:2])
    time.sleep(seconds)
    sent, used = questions(tm) - before - 2, sum(process.cpu_times()[:2]) - cpu
    resident = process.memory_info().rss / 1024**2
    worker.terminate()
    worker.wait()
    tm.close()
    return {
        "statements_per_second": round(sent / seconds, 1), "cpu_percent": round(100 * used / seconds, 2),
        "resident_mb": round(resident, 1),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
