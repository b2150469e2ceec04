"""Processor time of a thread for runs that follow each other: the system is asked far less often than twice a run."""

from __future__ import annotations

import threading
import time

#: For so long a reading is good for the runs that begin meanwhile: half a millisecond, for whole ones are told.
_GOOD_SECONDS = 0.0005


class _Reading(threading.local):
    """What this thread had used when it was asked last, and when that was."""

    used, at = 0.0, float("-inf")


_reading = _Reading()


def begun(now: float) -> float:
    """What the thread has used before a run that begins now, by `time.perf_counter`; it may be a moment old."""
    reading = _reading
    if now - reading.at > _GOOD_SECONDS:
        reading.used, reading.at = time.thread_time(), now
    return reading.used


def used_ms(before: float, duration_ms: int) -> int:
    """Milliseconds used since `begun`: no more than the run took."""
    return min(duration_ms, round((time.thread_time() - before) * 1000)) if duration_ms else 0
