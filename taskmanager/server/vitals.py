"""What this process takes of its machine."""

from __future__ import annotations

import os

import psutil


class Vitals:
    """Memory, and processor time since it was asked the last time. A fork of the process asks for itself."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first answer is of no span

    def resident_bytes(self) -> int:
        """Memory this process holds."""
        return int(self._own().memory_info().rss)

    def told(self) -> dict[str, float]:
        """memory: bytes; cpu: percent of one core since the last time this was asked."""
        return {"memory": self.resident_bytes(), "cpu": round(self._own().cpu_percent(), 1)}

    def _own(self) -> psutil.Process:
        if self._process.pid != os.getpid():
            self._process = psutil.Process()
        return self._process
