"""A worker process for benchmarks: `python -m benchmarks.worker URL [--no-doorbell]`."""

from __future__ import annotations

import sys

from taskmanager import TaskManager
from taskmanager.server.supervisor import StopSignal


def main() -> None:
    """Work until SIGTERM."""
    signals = StopSignal().install()
    tm = TaskManager(database_url=sys.argv[1], discover="benchmarks", doorbell="--no-doorbell" not in sys.argv)
    tm.discover()
    server = tm.server()
    server.start()
    signals.stop.wait()
    server.stop()
    tm.close()


if __name__ == "__main__":
    main()
