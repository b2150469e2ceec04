"""Puts jobs of paused types and tags aside by the hundred, where a claim has met them."""

from __future__ import annotations

from collections.abc import Sequence

from taskmanager.storage import holds
from taskmanager.storage.claiming import Mark, Taken
from taskmanager.storage.database import Database

#: So many batches of a queue in a row; then other queues have their turn.
SWEEPS = 4


class Sweeper:
    """What the fetcher does about a queue in whose front paused jobs stand."""

    def __init__(self, database: Database) -> None:
        self.database = database
        #: Whether the last claim met as many rows as it asked for, and some of them are held: there may be more behind.
        self.is_amid = False
        self._has_met = False

    def has_met(self) -> bool:
        """Whether any row was held since the last call."""
        met, self._has_met = self._has_met, False
        return met

    def met(self, taken: Taken) -> None:
        """What a claim came to."""
        self.is_amid = taken.held > 0 and taken.last is not None
        self._has_met = self._has_met or taken.held > 0

    def sweep(self, queue: str, skip: Sequence[int], after: Mark | None) -> Mark | None:
        """Hold what is paused among the first rows of a queue; the place where the next claim may start."""
        swept = self.database.run(lambda tx: holds.sweep(tx, queue, skip=skip, after=after), patience=5)
        self._has_met = self._has_met or swept.held > 0
        return swept.mark
