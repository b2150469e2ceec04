"""Why a queue is paused: since when, until when, by whom. The set `paused-queues` alone decides what is claimed."""

from __future__ import annotations

from datetime import datetime

from taskmanager.domain.records import Pause
from taskmanager.storage.pauses import Pauses
from taskmanager.storage.queues import PAUSED
from taskmanager.storage.transaction import Tx

#: Hashes that tell of a pause: Since, Until, By, Note.
PAUSE = "queue-pause:"
_PAUSES = Pauses(PAUSED, lambda queue: PAUSE + queue)


def pause(tx: Tx, queue: str, wanted: Pause) -> None:
    """Pause a queue. Paused again, it has been paused since the first time, and has the new note and end."""
    _PAUSES.pause(tx, queue, wanted)


def resume(tx: Tx, queue: str) -> bool:
    """Forget that a queue is paused; whether it was."""
    return _PAUSES.resume(tx, queue)


def end_due(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Resume the queues whose pause has ended, and tell which."""
    return [name for name in _PAUSES.over(tx, now, limit) if resume(tx, name)]
