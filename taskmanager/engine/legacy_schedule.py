"""A due row of c_Job becomes a job like any other, and what people edit is noticed; their word is final."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from taskmanager.domain.errors import StorageError
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.states import Awaiting, Deleted, Enqueued, State
from taskmanager.domain.wallclock import WallClock, wall_clock
from taskmanager.engine import legacy_rules, row_mails
from taskmanager.engine.client import Client, NewJob, new_key
from taskmanager.engine.history import TRIGGERED_BY
from taskmanager.engine.legacy_rules import Decision
from taskmanager.engine.row_mails import Mailed, nobody
from taskmanager.engine.transitions import Change
from taskmanager.storage import jobs, legacy, legacy_marks, recurring, recurring_runs
from taskmanager.storage.legacy import Glance, LegacyJob, LegacyRow
from taskmanager.storage.legacy_marks import Known
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.legacy")

PREFIX = "c_job:"
#: The parameter that tells a row from another one that has got its ID.
MARK = "RowMark"
#: The parameter of a run whose procedure was, or may have been, called: it ends, whatever becomes of its row.
SENT = "ProcedureSent"
_TYPE, _METHOD = "taskmanager.tasks.procedures", "run_procedure"
#: Rows dealt with in one transaction: the first of many start while the others are still being written.
_BATCH = 100
_LONGEST_REST_SECONDS = 1.0
#: A row that was locked for so long is held by a person; a scheduler lets go within milliseconds.
_HELD_SECONDS = 3.0
_OVER = frozenset({"Succeeded", "Failed", "Deleted"})


class LegacySchedule:
    """Plans and fires the rows of c_Job. Any number of processes may look; each row is dealt with by who locks it.

    time_zone: the zone of the crons; the database server's own when None.
    """

    def __init__(self, client: Client, *, time_zone: str | None = None) -> None:
        self.client = client
        self.database = client.database
        self.time_zone = time_zone
        #: Told of rows that begin, and of the moments they were planned for; it may say that they were missed.
        self.fired: Callable[[Tx, Sequence[tuple[LegacyRow, datetime]]], None] = lambda tx, fired: None
        #: Who is mailed of rows that begin.
        self.mailed: Mailed = nobody
        self._resolved: tuple[tuple[str, timedelta], WallClock] | None = None
        self._settled: tuple[object, ...] | None = None
        self._held: dict[int, float] = {}
        self._refused: dict[int, str] = {}

    def look(self, stretch: float = 1.0) -> tuple[int, float]:
        """Plan the rows that people have edited, and fire those that are due: how many; and after how many seconds
        to look again.

        stretch: how many times as long it may rest as it would alone, for others look, too.
        """
        glance = self.database.read(legacy.glance, patience=5)
        now, clock = self.database.clock.now(), self.wall_clock(glance)
        seen = (glance.digest, clock.schedule)
        fired = 0
        if glance.owes:
            self.database.run(legacy_marks.settle, patience=5)
            self.database.run(self._release, patience=5)
        if seen != self._settled:
            fired, idle = self._deal(clock, None)
            # What was done changes the digest; an edit may then change it back before the next look.
            self._settled = seen if idle else None
        elif glance.earliest is not None and glance.earliest <= clock.latest(now):
            fired, _ = self._deal(clock, clock.latest(now))
        # What has just been planned is not in the glance yet.
        longest = _LONGEST_REST_SECONDS * (stretch if seen == self._settled else 1.0)
        return fired, 0.05 if fired else self._rest(glance, clock, longest)

    def _rest(self, glance: Glance, clock: WallClock, longest: float) -> float:
        """Until the next look, or the next run when that comes first, so that runs begin with their second."""
        now = self.database.clock.now()
        if glance.earliest is None or glance.earliest - clock.local(now) > timedelta(seconds=1 + longest):
            return longest
        ahead = (clock.utc(glance.earliest) - now).total_seconds()
        return ahead + 0.002 if 0 < ahead < longest else longest

    def wall_clock(self, glance: Glance) -> WallClock:
        """How the server tells time today."""
        return self.wall_clock_of(glance.zone)

    def wall_clock_of(self, zone: str) -> WallClock:
        """The same of a server that names its zone so."""
        clock = self.database.clock
        key = (zone, clock.offset)
        if self._resolved is None or self._resolved[0] != key:
            self._resolved = (key, wall_clock(self.time_zone, *key, clock.now()))
        return self._resolved[1]

    @property
    def last_clock(self) -> WallClock | None:
        """How the server told time when it was looked at last; None when nobody has looked here."""
        return self._resolved[1] if self._resolved is not None else None

    # -- rows that want something -----------------------------------------------------------------------------

    def _deal(self, clock: WallClock, until: datetime | None) -> tuple[int, bool]:
        """Do what rows want: those due until a time of the wall clock, or all. How many were fired; whether there was
        nothing to do."""
        wanting, gone, overruled = self.database.read(lambda tx: self._wanting(tx, clock, until), patience=5)
        fired, left = 0, set[int]()
        for start in range(0, len(wanting), _BATCH):
            count, missed = self._act(clock, wanting[start : start + _BATCH])
            fired, left = fired + count, left | missed
        if gone:
            self.database.run(lambda tx: self._forget(tx, gone), patience=5)
        if overruled:
            self.database.run(lambda tx: self._forget_pauses(tx, overruled), patience=5)
        self._tell_held(left)
        return fired, not (wanting or gone or overruled)

    def _wanting(
        self, tx: Tx, clock: WallClock, until: datetime | None
    ) -> tuple[list[int], dict[int, Known], frozenset[int]]:
        """Rows that want something, what is remembered about rows that are gone, and rows whose pause is remembered
        though a person has made them active."""
        rows = legacy.rows(tx) if until is None else legacy.rows_until(tx, until)
        known = legacy_marks.load(tx, None if until is None else [row.id for row in rows])
        gone = known.keys() - {row.id for row in rows}
        paused = recurring.paused_rows(tx, PREFIX) if until is None else frozenset()
        overruled = frozenset(paused - {row.id for row in rows if not row.active})
        return [row.id for row, _ in self._decided(tx, clock, rows, known)], {i: known[i] for i in gone}, overruled

    def _forget_pauses(self, tx: Tx, overruled: frozenset[int]) -> None:
        """The operator's word counts, and who and until when was another's. A row that is held is looked at again."""
        free = {row.id for row in legacy.lock_free(tx, overruled) if row.active}
        for row_id in sorted(free | overruled - legacy.there(tx, overruled)):
            recurring.set_paused(tx, f"{PREFIX}{row_id}", None)

    def _act(self, clock: WallClock, ids: Sequence[int]) -> tuple[int, set[int]]:
        """Lock rows and do what they want. Those that cannot be written (a trigger refuses it) hold up no other."""
        try:
            fired, missed = self.database.run(lambda tx: self._act_in(tx, clock, ids), patience=5)
        except StorageError as error:
            if len(ids) > 1:
                each = [self._act(clock, [i]) for i in ids]
                return sum(f for f, _ in each), set[int]().union(*(m for _, m in each))
            if self._refused.get(ids[0]) != str(error):
                log.error("row %d of c_Job cannot be written, and waits: %s", ids[0], error)
            self._refused[ids[0]] = str(error)
            return 0, set()
        for row_id in set(ids) - missed:
            self._refused.pop(row_id, None)
        return fired, missed

    def _act_in(self, tx: Tx, clock: WallClock, ids: Sequence[int]) -> tuple[int, set[int]]:
        rows = legacy.lock_free(tx, ids)
        missed = set(ids) - {row.id for row in rows}
        decided = self._decided(tx, clock, rows, legacy_marks.load(tx, [row.id for row in rows]))
        legacy.plan(tx, {row.id: decision.known.wall for row, decision in decided if decision.plan})
        for row, decision in decided:
            if decision.note is not None:
                log.warning("row %d of c_Job, %r, is not scheduled: %s", row.id, row.name, decision.note)
                legacy.note(tx, row.id, decision.note)
        self._take_back(tx, [job for _, decision in decided for job in decision.take_back])
        firing = [(row, d) for row, d in decided if d.fire is not None]
        to = self.mailed([row.id for row, _ in firing])
        why = "Triggered by its row in c_Job"
        made = self.create(tx, [new_run(row, d.known.mark, why, d.fire, mail_to=to.get(row.id)) for row, d in firing])
        runs = {row.id: {job: d.fire or ""} for (row, d), job in zip(firing, made, strict=True) if job is not None}
        self.fired(tx, [(row, d.slot) for row, d in firing if d.slot is not None and row.id in runs])
        known = {row.id: replace(d.known, runs=runs.get(row.id, d.known.runs)) for row, d in decided}
        legacy_marks.save(tx, known)
        return len(firing), missed & legacy.there(tx, missed) if missed else missed

    def _decided(
        self, tx: Tx, clock: WallClock, rows: Sequence[LegacyRow], known: dict[int, Known]
    ) -> list[tuple[LegacyRow, Decision]]:
        now = tx.now()
        due = [known[row.id] for row in rows if row.id in known and legacy_rules.is_due(row, known[row.id], now, clock)]
        running = unfinished(tx, [job for one in due for job in one.runs])
        found = []
        for row in rows:
            decision = legacy_rules.decide(
                row, known.get(row.id), now, clock, unfinished=running, mark=uuid.uuid4().hex
            )
            if decision is not None:
                found.append((row, decision))
        return found

    def _forget(self, tx: Tx, gone: dict[int, Known]) -> None:
        """Rows that were deleted: nothing of theirs begins any more, and who gets their ID is another."""
        legacy_marks.forget(tx, gone)
        for row_id in gone:
            recurring_runs.forget(tx, f"{PREFIX}{row_id}")
        self._take_back(tx, [job for one in gone.values() for job in one.runs])

    def _release(self, tx: Tx) -> None:
        """Let triggered runs begin that waited for another run of their row; one of each row."""
        waiting = legacy_marks.waiting(tx)
        rows = {row.id for row in legacy.lock_free(tx, waiting.values())}
        gone = set(waiting.values()) - rows - legacy.there(tx, waiting.values())
        known = legacy_marks.load(tx, rows)
        states = jobs.current_states(tx, [*waiting, *(job for one in known.values() for job in one.runs)])
        busy = {j for j, (state, _) in states.items() if state not in _OVER and j not in waiting}
        for job, row in waiting.items():
            is_free = row in rows and not (row in known and busy & known[row].runs.keys())
            if is_free or row in gone or states.get(job, (None,))[0] != "Awaiting":
                change = Change(job, Enqueued(queue="", reason="The run before it has ended"), frozenset({"Awaiting"}))
                if any(self.client.transitions.apply(tx, [change])):
                    rows.discard(row)
                legacy_marks.waits_no_more(tx, job)

    def _take_back(self, tx: Tx, job_ids: Sequence[int]) -> None:
        reason = Deleted(reason="Its row in c_Job was deleted or made inactive before it began")
        begun = {j for j, known in jobs.parameters(tx, job_ids).items() if known.get(SENT)} if job_ids else set()
        changes = [Change(j, reason, frozenset({"Enqueued"})) for j in job_ids if j not in begun]
        if changes:
            self.client.transitions.apply(tx, changes)

    def create(self, tx: Tx, new: Sequence[NewJob]) -> list[int | None]:
        """Write jobs; None for one that a filter does not let be created. Keys may be new at each try: a row whose
        time was dealt with is not due any more."""
        if self.client.filters.creating:
            return [next(iter(self.client.create_in(tx, [one], new_key())), None) for one in new]
        return list(self.client.create_in(tx, new, new_key())) if new else []

    def _tell_held(self, left: set[int]) -> None:
        now = time.monotonic()
        self._held = {i: self._held.get(i, now) for i in left}
        for row_id, since in self._held.items():
            if now - since >= _HELD_SECONDS:
                log.warning(
                    "row %d of c_Job is locked by somebody's open transaction; it waits, the others go on", row_id
                )
                self._held[row_id] = float("inf")


def unfinished(tx: Tx, job_ids: Iterable[int]) -> set[int]:
    ids = list(job_ids)
    return {j for j, (state, _) in jobs.current_states(tx, ids).items() if state not in _OVER} if ids else set()


def new_run(
    row: LegacyRow | LegacyJob, mark: str, reason: str, by: str | None, *, after: int | None = None,
    mail_to: Iterable[str] | None = None,
) -> NewJob:  # fmt: skip
    """The job that runs a row. after: a run of the same row that has not ended, and that it waits for."""
    parameters = {
        "RecurringJobId": json.dumps(f"{PREFIX}{row.id}"), "JobName": json.dumps(row.name or f"{PREFIX}{row.id}"),
        MARK: mark, TRIGGERED_BY: json.dumps(by),
    } | row_mails.parameter(mail_to)  # fmt: skip
    begins: State = Enqueued(reason=reason)
    if after is not None:
        begins = Awaiting(parent_id=after, only_on_success=False, reason=reason)
    return NewJob(call_of(row), begins, "default", parameters=parameters)


def call_of(row: LegacyRow | LegacyJob) -> Invocation:
    return Invocation(_TYPE, _METHOD, (), (None, None, json.dumps(row.id), json.dumps(row.procedure)))
