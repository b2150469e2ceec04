"""How long a start takes: the imports, and from a worker's start to its first job.

python -m benchmarks.startup mysql://test:test@127.0.0.1/bench [5]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks import noop
from benchmarks.fill import fresh
from benchmarks.worker import ended, started


def python(code: str) -> float:
    """Seconds of a new interpreter that runs this."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def first_job(url: str) -> float:
    """Seconds from the start of a worker process until it has ended a job that waited for it."""
    tm = fresh(url)
    job_id = tm.enqueue(noop.noop)
    began = time.perf_counter()
    worker = started(url)
    try:
        tm.wait(job_id, 60)
        return time.perf_counter() - began
    finally:
        ended(worker)
        tm.close()


def measure(url: str, rounds: int = 5) -> dict[str, Any]:
    """Medians, in milliseconds; an empty interpreter's own start is taken off the imports."""
    empty = statistics.median(python("pass") for _ in range(rounds))
    imports = statistics.median(python("import taskmanager") for _ in range(rounds))
    first = statistics.median(first_job(url) for _ in range(rounds))
    return {"import_ms": round(1000 * (imports - empty)), "start_to_first_job_ms": round(1000 * first)}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5)))
