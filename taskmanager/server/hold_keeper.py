"""Gives held rows back whose pause is over. Any server does so; one at a time, batch by batch."""

from __future__ import annotations

import logging

from taskmanager.server.process import Process
from taskmanager.storage import holds, job_pauses, structures
from taskmanager.storage.database import Database
from taskmanager.storage.holding import PAUSED_JOBS
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.upkeep")

#: How often it looks whether rows are to go back: one statement. Who resumes gives the first ones back himself.
_LOOK_SECONDS = 5.0
#: While somebody else is at it.
_OTHERS_SECONDS = 1.0


class HoldKeeper(Process):
    """Gives rows back as long as there are any to be looked at; where a pause went by SQL, it begins by itself."""

    name = "hold-keeper"

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self._paused: set[str] | None = None

    def tick(self) -> float:
        found = self.database.read(lambda tx: structures.members_of(tx, [PAUSED_JOBS, job_pauses.BACK]), patience=1)
        paused, is_asked = set(found[PAUSED_JOBS]), bool(found[job_pauses.BACK])
        is_gone = not paused if self._paused is None else bool(self._paused - paused)
        if is_gone and not is_asked:
            is_asked = self.database.run(_ask)
        self._paused = paused
        if not is_asked:
            return _LOOK_SECONDS
        given = self.database.run(holds.give_back)
        if given is None:
            return _OTHERS_SECONDS
        if given.rows:
            log.info("%d jobs wait in their queues again: the pause of their type or tag is over", given.rows)
        return _LOOK_SECONDS if given.is_over else 0.0


def _ask(tx: Tx) -> bool:
    """Let all held rows be looked at, where there are any."""
    is_any = bool(holds.queues_of(tx))
    if is_any:
        job_pauses.begin_round(tx)
    return is_any
