"""Bulk operations on recurring jobs: what somebody saw in a filtered list is paused, resumed, run or removed.

Which they are is written down when the operation starts, in parts, and each part is taken out in the transaction that
does it: a recurring job that comes later, or matches only later, is not meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.errors import CreationCancelled, InvalidArgument, InvalidCron, RecurringJobNotFound
from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.domain.records import Pause
from taskmanager.engine.audit import Actor
from taskmanager.engine.client import new_key
from taskmanager.engine.legacy import row_of
from taskmanager.engine.recurring import RecurringJobs
from taskmanager.engine.recurring_verbs import check_note
from taskmanager.storage import operation_parts, recurring
from taskmanager.storage.database import DuplicateKey
from taskmanager.storage.transaction import Tx

ACTIONS = ("trigger", "pause", "resume", "remove")
#: Recurring jobs of one transaction: few enough that no scheduler waits long for them.
PART = 50
#: How long the parts of an operation that nobody carries on are kept.
_KEPT = timedelta(days=30)
_REFUSALS = (RecurringJobNotFound, InvalidArgument, InvalidCron, InvocationUnreadable, CreationCancelled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be done. note, until: of a pause; run_missed: what was due during a pause runs once."""

    action: str
    note: str = ""
    until: datetime | None = None
    run_missed: bool = False

    def check(self) -> None:
        """Raises InvalidArgument for what no recurring job could be given."""
        if (self.note or self.until) and self.action != "pause":
            raise InvalidArgument("a note and an end are of a pause")
        if self.run_missed and self.action != "resume":
            raise InvalidArgument("what was missed is run by who resumes")
        check_note(self.note)

    def told(self) -> dict[str, Any]:
        """What it makes of a recurring job, for the audit log."""
        until = times.to_iso(self.until) if self.until else ""
        paused = {"paused": True, "note": self.note, "until": until}
        resumed = {"paused": False, "run_missed": self.run_missed or None}
        made = paused if self.action == "pause" else resumed if self.action == "resume" else {}
        return {name: value for name, value in made.items() if value not in ("", None)}

    def options(self) -> dict[str, Any]:
        """As it is kept with the operation."""
        found = {"note": self.note, "until": times.to_iso(self.until) if self.until else "",
                 "run_missed": self.run_missed}  # fmt: skip
        return {name: value for name, value in found.items() if value}

    @classmethod
    def of(cls, action: str, options: Mapping[str, Any]) -> Wish:
        """As it was kept."""
        return cls(
            action=action, note=options.get("note", ""), until=times.parse(options.get("until")),
            run_missed=options.get("run_missed", False),
        )  # fmt: skip


def write(tx: Tx, job_id: int, ids: Sequence[str]) -> None:
    """Write down which recurring jobs an operation means."""
    parts = [sorted(ids[at : at + PART]) for at in range(0, len(ids), PART)]
    operation_parts.write(tx, job_id, [json.dumps(part) for part in parts], tx.now() + _KEPT)


def parts_of(ids: Sequence[str]) -> int:
    """In how many parts it is done."""
    return -(-len(ids) // PART)


def take_part(tx: Tx, job_id: int, number: int) -> list[str]:
    """The recurring jobs of a part, which is taken out."""
    ids: list[str] = json.loads(operation_parts.take(tx, job_id, number) or "[]")
    return ids


def do_part(
    tx: Tx, jobs: RecurringJobs, job_id: int, number: int, wish: Wish, actor: Actor
) -> list[tuple[str, str | None]]:
    """Do a part and take it out: of each recurring job None, or why it was passed by."""
    verb, ids = _VERBS[wish.action], take_part(tx, job_id, number)
    return [(one, _done(tx, jobs, one, wish, actor, verb)) for one in ids]


Verb = Callable[[Tx, RecurringJobs, str, Wish, str], "str | None"]


def _done(tx: Tx, jobs: RecurringJobs, recurring_id: str, wish: Wish, actor: Actor, verb: Verb) -> str | None:
    """Do one, or leave no trace of it; why it was passed by."""
    try:
        with tx.part():
            return verb(tx, jobs, recurring_id, wish, actor.user)
    except _REFUSALS as error:
        return str(error)
    except DuplicateKey:  # a row of c_Job that others refer to
        return "the database refuses it: other rows refer to it"


def _trigger(tx: Tx, jobs: RecurringJobs, recurring_id: str, wish: Wish, user: str) -> str | None:
    jobs.trigger_in(tx, recurring_id, user, new_key())
    return None


def _pause(tx: Tx, jobs: RecurringJobs, recurring_id: str, wish: Wish, user: str) -> str | None:
    if _is_paused(tx, jobs, recurring_id):
        return "it was paused already"
    jobs.pause_in(tx, recurring_id, Pause(until=wish.until, by=user, note=wish.note or None))
    return None


def _resume(tx: Tx, jobs: RecurringJobs, recurring_id: str, wish: Wish, user: str) -> str | None:
    if not _is_paused(tx, jobs, recurring_id):
        return "it was not paused"
    jobs.resume_in(tx, recurring_id, wish.run_missed, user, new_key())
    return None


def _remove(tx: Tx, jobs: RecurringJobs, recurring_id: str, wish: Wish, user: str) -> str | None:
    return None if jobs.remove_in(tx, recurring_id, keep_pause=True) else "it was gone already"


def _is_paused(tx: Tx, jobs: RecurringJobs, recurring_id: str) -> bool:
    row = row_of(recurring_id)
    if row is not None and jobs.legacy is not None:
        return jobs.legacy.is_paused_in(tx, row)
    known = recurring.load(tx, recurring_id, lock=True)
    if known is None:
        raise RecurringJobNotFound(f"there is no recurring job {recurring_id!r}")
    return known.paused


_VERBS: dict[str, Verb] = {"trigger": _trigger, "pause": _pause, "resume": _resume, "remove": _remove}
