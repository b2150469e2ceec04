"""A worker process for benchmarks: `python -m benchmarks.worker URL [--no-doorbell] [--count]`.

--count: each line on stdin is answered by what was sent so far: statements, round trips, COMMITs.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from benchmarks.wire import Wire, commits, listening
from taskmanager import TaskManager
from taskmanager.server import collector
from taskmanager.server.supervisor import StopSignal


def started(url: str, *options: str, **environment: str) -> subprocess.Popen[str]:
    """A worker in a process of its own. It does not outlive the benchmark, whatever becomes of that: what is measured
    next would share the machine with it."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.worker", url, *options], env=os.environ | environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    atexit.register(worker.terminate)
    return worker


def ended(*workers: subprocess.Popen[str]) -> None:
    """Workers told to end, and waited for."""
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.communicate()
        atexit.unregister(worker.terminate)


def answer(wire: Wire) -> None:
    """Tell how many statements, round trips and COMMITs were sent, as often as somebody asks."""
    for _ in sys.stdin:
        sent = wire.sent()
        print(len(sent), len(wire.trips()), commits(sent), flush=True)


def main() -> None:
    """Work until SIGTERM."""
    signals = StopSignal().install()
    with ExitStack() as stack:
        if "--count" in sys.argv:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            wire = stack.enter_context(listening(folder))
            threading.Thread(target=answer, args=(wire,), daemon=True).start()
        tm = TaskManager(database_url=sys.argv[1], discover="benchmarks.noop", doorbell="--no-doorbell" not in sys.argv)
        tm.discover()
        server = tm.server()
        server.start()
        collector.set_up()  # as `taskmanager worker` does
        signals.stop.wait()
        server.stop()
        tm.close()


if __name__ == "__main__":
    main()
