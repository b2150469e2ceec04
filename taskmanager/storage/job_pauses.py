"""Jobs that are paused by their type or by a tag: since when, until when, by whom. The set `paused-jobs` decides."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from taskmanager.domain.paused import PausedJobs, kind_and_name, paused_of
from taskmanager.domain.records import Pause
from taskmanager.storage import structures
from taskmanager.storage.holding import PAUSED_JOBS
from taskmanager.storage.pauses import Pauses, pause_in
from taskmanager.storage.transaction import Tx

#: Hashes that tell of a pause; behind it a digest, as a type's name is longer than a key.
PAUSE = "job-pause:"
#: What is to be done: held rows that no pause holds any more go back. A set of one member, and a hash that tells how
#: far that has come: Queue, Priority, Id.
BACK, ROUND = "held-jobs-back", "round"


def _hash_of(value: str) -> str:
    return PAUSE + hashlib.sha256(value.encode()).hexdigest()[:32]


_PAUSES = Pauses(PAUSED_JOBS, _hash_of)


@dataclass(frozen=True, slots=True)
class JobPause:
    """One pause. kind: `type` or `tag`; name: of the function, or the tag in small letters."""

    kind: str
    name: str
    pause: Pause

    @property
    def value(self) -> str:
        """As it is stored."""
        return f"{self.kind}:{self.name}"


def pause(tx: Tx, value: str, wanted: Pause) -> None:
    """Pause a type or a tag. Paused again, it has been paused since the first time, and has the new note and end."""
    _PAUSES.pause(tx, value, wanted)


def resume(tx: Tx, value: str) -> bool:
    """Forget that a type or a tag is paused; whether it was. What is held goes back from now on, bit by bit."""
    was = _PAUSES.resume(tx, value)
    if was:
        begin_round(tx)
    return was


def end_due(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Resume the types and tags whose pause has ended, and tell which."""
    return [value for value in _PAUSES.over(tx, now, limit) if resume(tx, value)]


def begin_round(tx: Tx) -> None:
    """Let all held rows be looked at, from the first on; who looks at some at this moment is waited for."""
    structures.put(tx, BACK, {ROUND: 0})
    structures.remove_hash(tx, BACK)


def paused(tx: Tx) -> PausedJobs:
    """What is paused."""
    return paused_of(structures.members(tx, PAUSED_JOBS))


def known(tx: Tx) -> list[JobPause]:
    """All pauses with what is known of them, by kind and name."""
    values = sorted(structures.members(tx, PAUSED_JOBS))
    told = structures.fields_of(tx, [_hash_of(value) for value in values])
    return [JobPause(*kind_and_name(value), pause_in(told.get(_hash_of(value), {}))) for value in values]
