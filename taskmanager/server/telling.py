"""What running jobs say while they run: their lines and progress, written in a small transaction of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from taskmanager.domain.records import Claim
from taskmanager.engine.context import PROGRESS, JobContext
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import job_log, jobs, queues
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx

#: About how many characters of lines, and how many jobs, are written at a time.
_MOST_CHARACTERS = 512 * 1024
_MOST_JOBS = 200


@dataclass(slots=True)
class Running:
    """A job in the hands of a thread."""

    claim: Claim
    context: JobContext
    worker_id: str
    started_at: datetime
    started: float
    timeout: float | None
    recorded: bool = False
    fenced: bool = False
    #: Its Processing is not tried before this moment: the job was locked.
    record_at: float = 0.0
    #: The thread it runs in.
    thread: int = field(default_factory=threading.get_ident)
    #: What it said that is not in the database yet.
    lines: str | None = None
    share: float | None = None
    definition: JobDefinition | None = None


class Teller:
    """Writes what was said. It locks neither a job nor its claim: nobody waits for it, and it waits for nobody."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def tell(self, running: Sequence[Running]) -> None:
        """Write what these runs have said.

        What is not written, because the database does not take it, the claim was given up or there is much of it,
        stays with the run: to the next time, or to its outcome.
        """
        size, speaking = 0, list[Running]()
        for one in running:
            one.lines = joined(one.lines, one.context.take_lines())
            one.share = _newer(one.context.take_progress(), one.share)
            if (one.lines or one.share is not None) and size < _MOST_CHARACTERS and len(speaking) < _MOST_JOBS:
                speaking.append(one)
                size += len(one.lines or "")
        if speaking:
            self._write(speaking)

    def _write(self, speaking: Sequence[Running]) -> None:
        tries = 0

        def work(tx: Tx) -> set[int]:
            nonlocal tries
            tries += 1
            held = queues.still_held(tx, [one.claim for one in speaking])
            mine = [one for one in speaking if one.claim.queue_id in held]
            # A COMMIT whose answer was lost may have been carried out: then the lines stand there already.
            fresh = [one for one in mine if tries == 1 or job_log.newest(tx, one.claim.job_id) != one.lines]
            at = tx.bind_moment(tx.now())
            rows = [
                {"JobId": one.claim.job_id, "Attempt": one.context.attempt, "CreatedAt": at, "Lines": one.lines}
                for one in fresh
                if one.lines
            ]
            job_log.add(tx, rows)
            shares = {(one.claim.job_id, PROGRESS): f"{one.share:.4f}" for one in mine if one.share is not None}
            jobs.set_parameters(tx, shares)
            return held

        held = self.database.run(work)
        for one in speaking:
            if one.claim.queue_id in held:
                one.lines = one.share = None


def joined(one: str | None, other: str | None) -> str | None:
    """Lines and those that follow them."""
    if not one or not other:
        return one or other or None
    return f"{one}\n{other}"


def _newer(now: float | None, before: float | None) -> float | None:
    return before if now is None else now
