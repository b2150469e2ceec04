"""What a worker process remembers of itself for its page: the last hour by the minute, and its last warnings."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from statistics import fmean

from taskmanager import logs
from taskmanager.domain import masking

#: Minutes, lines and characters of a line that are kept.
_MINUTES, _LINES, _LONGEST = 60, 50, 1_000


class Recollection(logging.Handler):
    """Takes samples, and warnings of all loggers of this process. secrets: words of names whose values are masked."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__(logging.WARNING)
        self.addFilter(logs.JobFilter())
        self.setFormatter(logs.TextFormatter())
        self._secrets = tuple(secrets)
        self._minutes: deque[list[float]] = deque(maxlen=_MINUTES)
        self._samples: list[tuple[float, float, float]] = []
        self._minute = 0
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._came = self._told = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        try:
            line = masking.text(self.format(record), self._secrets)
        except Exception:  # whoever logs must not fail by it
            return
        self._lines.append(line if len(line) <= _LONGEST else line[:_LONGEST] + " …")
        self._came += 1

    def sample(self, now: int, *, cpu: float, memory: float, busy: int) -> dict[str, object]:
        """How things stand now (unix seconds). Returns what is to be told: once a minute, else nothing."""
        minute, told = now // 60, dict[str, object]()
        if self._samples and minute != self._minute:
            means = (round(fmean(part), 2) for part in zip(*self._samples, strict=True))
            self._minutes.append([self._minute * 60, *means])
            self._samples.clear()
            told["Minutes"] = list(self._minutes)
            if self._came != self._told:
                self._told = self._came
                told["Log"] = list(self._lines)
        self._minute = minute
        self._samples.append((cpu, memory, busy))
        return told
