"""How runs end in the older c_Job: its row, and one of the older c_LoggedJob, in the outcome's transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from taskmanager.domain.states import Deleted, Enqueued, Failed, Scheduled, State, Succeeded
from taskmanager.domain.targcc import items_of
from taskmanager.domain.texts import storable
from taskmanager.domain.wallclock import WallClock, wall_clock
from taskmanager.engine import targcc_rules
from taskmanager.engine.filters import Electing, Lost
from taskmanager.engine.history import plain
from taskmanager.engine.row_mails import MAIL_TO, addresses
from taskmanager.engine.targcc_mail import TargccMails
from taskmanager.storage import legacy, legacy_shape, targcc, targcc_logged, targcc_marks
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.targcc import TargccRow
from taskmanager.storage.targcc_marks import Known
from taskmanager.storage.transaction import Tx

#: Of jobs in these states nothing more comes.
ENDED = ("Succeeded", "Failed", "Deleted")
#: How long the name of the server's zone is believed.
_ZONE_SECONDS = 60.0


class TargccOutcomes:
    """Writes ends. host: who signs; time_zone: the server's zone, where it names none itself."""

    def __init__(self, *, host: str, time_zone: str | None) -> None:
        self.host, self.time_zone = host, time_zone
        self.mails = TargccMails()
        self._zone: tuple[str, float] | None = None
        self._clock: tuple[tuple[str, timedelta], WallClock] | None = None

    @property
    def user(self) -> str:
        """ActivatingUser of what nobody asked for."""
        return f"System on {self.host}"

    def wall_clock(self, tx: Tx) -> WallClock:
        """How the server tells time today."""
        if self._zone is None or time.monotonic() - self._zone[1] > _ZONE_SECONDS:
            self._zone = (targcc.zone(tx), time.monotonic())
        key = (self._zone[0], tx.clock.offset)
        if self._clock is None or self._clock[0] != key:
            self._clock = (key, wall_clock(self.time_zone, *key, tx.now()))
        return self._clock[1]

    def applied(self, context: Electing, state: State, row_id: int) -> None:
        """A run of a row ended, or is to be tried again."""
        run = context.run
        if run is None or (isinstance(state, Enqueued) and not context.traversed):
            return
        failure = next((s for s in [*context.traversed, state] if isinstance(s, Failed)), None)
        text, counts = _told(state, run.message), items_of(state.result if isinstance(state, Succeeded) else None)
        text = failure.exception_message if failure else state.reason if isinstance(state, Deleted) else text
        good = isinstance(state, Succeeded)
        outcome = {
            "job": context.job.id, "id": row_id, "started_at": run.started_at, "ended_at": run.ended_at,
            "seconds": round(run.duration_ms / 1000), "by": run.server.partition(":")[0] or self.host,
            "status": "Failure" if not good else "Warning" if counts[1] else "Success",
            "remarks": storable(text or ""), "counts": counts, "ends": not isinstance(state, (Scheduled, Enqueued)),
            "function": context.definition.name if context.definition is not None else None,
            "duration_ms": run.duration_ms, "name": plain(context.parameters.get("JobName")),
            "mail_to": addresses(context.parameters.get(MAIL_TO)),
        }  # fmt: skip
        context.effects.later(self.write, outcome)

    def in_vain(self, context: Electing, why: str, row_id: int) -> None:
        """A run ended whose job goes on without it: it is told, and the row waits for the job's next run."""
        run, state = context.run, context.candidate.name if context.entered else context.job.state
        if run is None or not run.was_called or state in (None, *ENDED):
            return  # of a job that is over the row itself tells
        seconds = round(run.duration_ms / 1000)
        self._tell_only(context, row_id, why, started_at=run.started_at, seconds=seconds, server=run.server)

    def lost(self, context: Electing, run: Lost, row_id: int) -> None:
        """As `in_vain`, of a run whose process died."""
        if not context.candidate.final:
            why = f"worker lost: {run.server or 'its process'} was gone before the job had ended"
            seconds = max(0, round((context.effects.tx.now() - run.started_at).total_seconds()))
            self._tell_only(context, row_id, why, started_at=run.started_at, seconds=seconds, server=run.server)

    def _tell_only(
        self, context: Electing, row_id: int, remarks: str, *, started_at: datetime, seconds: int, server: str
    ) -> None:
        outcome = {
            "job": context.job.id, "id": row_id, "started_at": started_at, "ended_at": context.effects.tx.now(),
            "seconds": seconds, "by": server.partition(":")[0] or self.host, "status": "Failure",
            "remarks": storable(remarks), "counts": (None, None), "ends": False, "once": True,
        }  # fmt: skip
        context.effects.later(self.write, outcome)

    def write(self, tx: Tx, outcomes: Sequence[dict[str, Any]]) -> None:
        """Write ends; those whose rows somebody else holds are owed: here nobody waits for people."""
        ids = {one["id"] for one in outcomes}
        free = targcc.lock_free_soon(tx, ids)
        rows, known = free or {}, targcc_marks.load(tx, ids)
        held = ids if free is None else legacy.there(tx, ids - rows.keys()) if rows.keys() != ids else set()
        for one in outcomes:
            row = rows.get(one["id"])
            if row is not None:
                known[row.id] = self._write_one(tx, row, known.get(row.id, Known()), one)
            elif one.get("once"):
                pass  # a person holds its row: nobody waits for that, and the row's own end is owed under this job
            elif one["id"] in held:
                targcc_marks.owe(tx, one["job"], one)
            else:
                self.mails.ended_without_row(tx, one)
        targcc_marks.save(tx, {row_id: one for row_id, one in known.items() if row_id in rows})

    def _write_one(self, tx: Tx, row: TargccRow, known: Known, one: Mapping[str, Any]) -> Known:
        """The row is written only if it still waits for this very run: not after a person has taken it out of
        InProcess, nor when its ID is another's."""
        if known.freed == one["job"]:
            return known
        self.mails.ended(tx, row, known, one, self.wall_clock(tx))
        self._log(tx, row, one)
        if not one["ends"] or known.job != one["job"] or not row.in_process:
            return known
        return self.end(tx, row, replace(known, last=one["started_at"]), one)

    def end(self, tx: Tx, row: TargccRow, known: Known, one: Mapping[str, Any]) -> Known:
        """Take a row out of InProcess."""
        after = targcc_rules.ending(row, known, self.wall_clock(tx), tx.now())
        targcc.end(
            tx, row.id, status=one["status"], at=one["ended_at"], by=one["by"], user=self.user,
            next_run=after.next_run,
        )  # fmt: skip
        if after.retire:
            targcc.retire(tx, row.id)
        return after.known

    def free(self, tx: Tx, row: TargccRow, known: Known, reason: str) -> Known:
        """A row is InProcess that nobody runs: it failed. Of an external program's row only the status is ours."""
        now = tx.now()
        began = known.last if known.job is not None else None
        if began is None:
            began = now if row.last_run is None else min(now, self.wall_clock(tx).utc(row.last_run))
        one = {
            "status": "Failure", "started_at": began, "ended_at": now, "seconds": round((now - began).total_seconds()),
            "remarks": reason, "by": self.host, "counts": (None, None), "job": known.job,
        }  # fmt: skip
        self._log(tx, row, one)
        if not row.managed:
            targcc.fail(tx, row.id)
            return known
        if known.job is None:
            known = replace(known, claimed=row.next_run)
        return self.end(tx, row, known, one)

    def settle(self, tx: Tx) -> None:
        """Write the ends that were owed; those that still cannot be written stay."""
        owed = targcc_marks.owed(tx)
        if owed:
            targcc_marks.forget_owed(tx, owed)
            self.write(tx, sorted(owed.values(), key=lambda one: one["ended_at"]))

    def _log(self, tx: Tx, row: TargccRow, one: Mapping[str, Any]) -> None:
        if legacy_shape.of(tx).logged is Shape.TARGCC:
            if one.get("once") and targcc_logged.is_there(tx, row.id, one["started_at"], one["by"]):
                return
            targcc_logged.add(
                tx, row, started_at=one["started_at"], seconds=one["seconds"], status=one["status"],
                remarks=one["remarks"], by=one["by"], counts=tuple(one["counts"]), job_id=one["job"],
            )  # fmt: skip


def _told(state: State, message: str | None) -> str | None:
    """What a run says."""
    if not isinstance(state, Succeeded) or state.result is None:
        return message
    try:
        value = json.loads(state.result)
    except ValueError:
        return message or state.result
    return message or (value if isinstance(value, str) else state.result)
