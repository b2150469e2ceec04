"""c_Job as this database has it: whichever shape it is of, or none that is known, the rest of the product runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from taskmanager.domain.errors import RecurringJobNotFound, StorageError
from taskmanager.domain.records import Pause, RecurringRecord
from taskmanager.domain.states import State
from taskmanager.domain.wallclock import WallClock
from taskmanager.engine import row_glances
from taskmanager.engine.client import Client
from taskmanager.engine.filters import Electing, Lost
from taskmanager.engine.history import uncounted
from taskmanager.engine.legacy import LegacyJobs, LegacyOutcome, row_of
from taskmanager.engine.legacy_schedule import PREFIX
from taskmanager.engine.registry import Registry
from taskmanager.engine.targcc import TargccJobs
from taskmanager.storage import legacy_shape, recurring, targcc
from taskmanager.storage.legacy_shape import RECHECK_SECONDS, Recognised, Shape
from taskmanager.storage.monitoring_recurring import Glance
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.legacy")


class ServedJobs(LegacyJobs):
    """The verbs of the shape that is found when they are first asked for. host: who signs rows of the older shape."""

    def __init__(
        self, client: Client, registry: Registry, *, host: str, runners: Iterable[str] = (),
        time_zone: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(client, time_zone=time_zone)
        self.targcc = TargccJobs(client, registry, host=host, runners=runners, time_zone=time_zone)
        self._told: tuple[str, ...] = ()

    def shapes(self) -> Recognised:
        """The shapes of the tables; what is wrong with them goes to the log, once."""
        found = legacy_shape.known(self.database.prepared) or self.database.read(legacy_shape.of)
        if found.faults != self._told:
            for fault in found.faults:
                log.error("%s", fault)
            self._told = found.faults
        return found

    def look(self, stretch: float = 1.0) -> float:
        """The scheduler's look; after how many seconds the next one is wanted.

        stretch: how many times as long it may rest as it would alone, for others look, too.
        """
        return self._look(stretch)[1]

    def fire_due(self) -> int:
        return self._look()[0]

    def _look(self, stretch: float = 1.0) -> tuple[int, float]:
        shape = self.shapes().job
        if shape is Shape.UNKNOWN:
            return 0, RECHECK_SECONDS
        try:
            return (self.targcc if shape is Shape.TARGCC else self.schedule).look(stretch)
        except StorageError:
            legacy_shape.forget(self.database.prepared)
            raise

    def wall_clock(self) -> WallClock | None:
        shape = self.shapes().job
        if shape is Shape.UNKNOWN:
            return None
        return self.database.read(self.targcc.outcomes.wall_clock) if shape is Shape.TARGCC else super().wall_clock()

    def all(self, pauses: Mapping[str, Pause] | None = None) -> list[RecurringRecord]:
        shape = self.shapes().job
        if shape is Shape.UNKNOWN:
            return []
        found = self.targcc.all() if shape is Shape.TARGCC else super().all()
        if pauses is not None:
            return [replace(r, pause=pauses.get(r.id)) if r.paused else r for r in found]
        if not any(record.paused for record in found):
            return found
        return self.database.read(lambda tx: recurring.with_pauses(tx, found))

    def glances_in(self, tx: Tx, *, moments: bool = False, texts: bool = False) -> list[Glance]:
        shape = legacy_shape.of(tx).job
        if shape is Shape.UNKNOWN:
            return []
        if shape is Shape.TARGCC:
            return row_glances.of_older_rows(tx, self.targcc, texts=texts)
        return super().glances_in(tx, moments=moments, texts=texts)

    def some_in(self, tx: Tx, ids: Iterable[int]) -> list[RecurringRecord]:
        shape = legacy_shape.of(tx).job
        if shape is Shape.UNKNOWN:
            return []
        return self.targcc.some_in(tx, ids) if shape is Shape.TARGCC else super().some_in(tx, ids)

    def switch_in(self, tx: Tx, row_id: int, active: bool, pause: Pause | None = None) -> None:
        (self.targcc.switch_in if self._is_targcc(tx, row_id) else super().switch_in)(tx, row_id, active, pause)

    def is_paused_in(self, tx: Tx, row_id: int) -> bool:
        return (self.targcc.is_paused_in if self._is_targcc(tx, row_id) else super().is_paused_in)(tx, row_id)

    def lock_free_in(self, tx: Tx, row_id: int) -> bool:
        found = legacy_shape.of(tx).job
        if found is Shape.UNKNOWN:
            return False
        return bool(targcc.lock_free(tx, [row_id])) if found is Shape.TARGCC else super().lock_free_in(tx, row_id)

    def has_missed(self, tx: Tx, row_id: int) -> bool:
        return (self.targcc.has_missed if self._is_targcc(tx, row_id) else super().has_missed)(tx, row_id)

    def trigger_in(self, tx: Tx, row_id: int, by: str, key: str) -> int:
        return (self.targcc.trigger_in if self._is_targcc(tx, row_id) else super().trigger_in)(tx, row_id, by, key)

    def remove_in(self, tx: Tx, row_id: int) -> bool:
        return (self.targcc.remove_in if self._is_targcc(tx, row_id) else super().remove_in)(tx, row_id)

    def is_targcc(self, row_id: int) -> bool:
        """Whether c_Job is of the older shape. Raises RecurringJobNotFound for a table that is not served."""
        return _is_older(self.shapes(), row_id)

    def _is_targcc(self, tx: Tx, row_id: int) -> bool:
        return _is_older(legacy_shape.of(tx), row_id)


def _is_older(found: Recognised, row_id: int) -> bool:
    if found.job is Shape.UNKNOWN:
        raise RecurringJobNotFound(f"{PREFIX}{row_id} is not served: {'; '.join(found.faults)}")
    return found.job is Shape.TARGCC


class ServedOutcome(LegacyOutcome):
    """Tells the end of a run to its row, as the table's shape wants it."""

    def __init__(self, served: ServedJobs, is_told: Callable[[Lost], bool]) -> None:
        self._served, self._is_told = served, is_told

    def applied(self, context: Electing, state: State) -> None:
        row_id = row_of(context.parameters.get("RecurringJobId"))
        if row_id is None:
            return
        shape = legacy_shape.of(context.effects.tx).job
        if shape is Shape.TARGCC:
            self._served.targcc.outcomes.applied(context, state, row_id)
        elif shape is Shape.SPECIFICATION:
            super().applied(context, state)

    def refused(self, context: Electing, why: str) -> None:
        row_id = self._older_row(context, context.parameters)
        if row_id is not None:
            self._served.targcc.outcomes.in_vain(context, uncounted(context, why), row_id)

    def lost(self, context: Electing, run: Lost) -> None:
        row_id = self._older_row(context, run.record.parameters)
        if row_id is not None and not self._is_told(run):
            self._served.targcc.outcomes.lost(context, run, row_id)

    def _older_row(self, context: Electing, parameters: Mapping[str, str]) -> int | None:
        """The row of the older c_Job that a run is of. Of one of the specification's the next run tells."""
        row_id = row_of(parameters.get("RecurringJobId"))
        return row_id if row_id is not None and legacy_shape.of(context.effects.tx).job is Shape.TARGCC else None
