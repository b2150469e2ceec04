"""Jobs that are paused by their type or by a tag: since when, until when, by whom. The set `paused-jobs` decides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taskmanager.domain.paused import PausedJobs, kind_and_name, paused_of
from taskmanager.domain.records import Pause
from taskmanager.storage import structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.holding import PAUSED_JOBS
from taskmanager.storage.pauses import Pauses, pause_in
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Hashes that tell of a pause; behind it a digest, as a type's name is longer than a key.
PAUSE = "job-pause:"
#: What is to be done: held rows that no pause holds any more go back. A set of one member, and a hash that tells how
#: far that has come: Queue, Priority, Id.
BACK, ROUND = "held-jobs-back", "round"
#: What a row of `known_rows` is.
MEMBER, FACT = 2, 3


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


@dataclass(frozen=True, slots=True)
class HeldBy:
    """A pause, and how many jobs it holds. is_capped: there are more than were counted."""

    pause: JobPause
    held: int
    is_capped: bool


@statement
def known_rows(t: Tables, p: Product) -> str:
    """What is paused, and what is known of it: a member, or a key and field; which of both; the field's value."""
    q = p.quote
    # Behind a prefix that all have alike, hexadecimal digits are in this order whatever the collation.
    return (
        f"SELECT {q('Value')}, {MEMBER}, NULL, NULL FROM {q(t.set.name)} WHERE {q('Key')} = '{PAUSED_JOBS}' UNION ALL "
        f"SELECT {q('Key')}, {FACT}, {q('Field')}, {q('Value')} FROM {q(t.hash.name)} "
        f"WHERE {q('Key')} >= '{PAUSE}0' AND {q('Key')} < '{PAUSE}g'"
    )


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
    return of_rows(tx.execute(known_rows))


def of_rows(rows: Iterable[Sequence[Any]]) -> list[JobPause]:
    """The pauses that rows of `known_rows` tell of; others say nothing."""
    values, told = list[str](), dict[str, dict[str, str]]()
    for name, what, field, value in rows:
        if what == MEMBER:
            values.append(str(name))
        elif what == FACT:
            told.setdefault(str(name), {})[str(field)] = value or ""
    values.sort()
    return [JobPause(*kind_and_name(value), pause_in(told.get(_hash_of(value), {}))) for value in values]
