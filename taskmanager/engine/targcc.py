"""The rows of the older c_Job, served in place: planned, fired, freed; and as recurring jobs to who asks for them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from taskmanager.domain.errors import (
    CreationCancelled,
    InvalidArgument,
    RecurringJobNotFound,
    StorageError,
)
from taskmanager.domain.records import Pause, RecurringRecord
from taskmanager.domain.states import Deleted
from taskmanager.engine import targcc_rules
from taskmanager.engine.client import Client, NewJob, new_key
from taskmanager.engine.legacy_schedule import PREFIX
from taskmanager.engine.registry import Registry
from taskmanager.engine.targcc_calls import RowCalls, is_procedure
from taskmanager.engine.targcc_mail import Late
from taskmanager.engine.targcc_outcomes import TargccOutcomes
from taskmanager.engine.targcc_rules import Act, Decision, Facts
from taskmanager.engine.transitions import Change
from taskmanager.storage import jobs, legacy, recurring, recurring_runs, targcc, targcc_glance, targcc_marks
from taskmanager.storage.targcc import TargccRow
from taskmanager.storage.targcc_marks import Known
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.legacy")

_BATCH = 100
_REST_SECONDS = 0.75
#: Rows that nobody has touched are looked at again after so long, whatever the digest says.
_SETTLED_SECONDS = 15.0
_UNFINISHED = frozenset({"Enqueued", "Scheduled", "Processing", "Awaiting"})


@dataclass(frozen=True, slots=True)
class _Wanting:
    ids: tuple[int, ...]
    late: Mapping[int, Late]
    gone: frozenset[int]
    #: Rows whose pause is remembered though a person has made them active.
    overruled: frozenset[int]
    owes: bool
    #: Seconds until the next row is due.
    ahead: float
    #: Nothing runs, and nothing is wanted: so it stays until a row is written or becomes due.
    settled: bool


class TargccJobs:
    """The verbs, and the scheduler's look. runners: whose rows are served (lkpJobRunner); all when empty."""

    def __init__(
        self, client: Client, registry: Registry, *, host: str, runners: Iterable[str] = (),
        time_zone: str | None = None,
    ) -> None:  # fmt: skip
        self.client, self.host, self.database = client, host, client.database
        self.calls = RowCalls(registry, runners)
        self.outcomes = TargccOutcomes(host=host, time_zone=time_zone)
        self.mails = self.outcomes.mails
        self._told: dict[int, str] = {}
        self._settled: object = None
        self._settled_until = datetime.min

    # -- the scheduler ------------------------------------------------------------------------------------------

    def look(self, stretch: float = 1.0) -> tuple[int, float]:
        """Plan, fire and free what wants it: how many were fired; and after how many seconds to look again.

        stretch: how many times as long it may rest as it would alone, for others look, too.
        """
        seen = (self.database.read(targcc_glance.digest, patience=5), self.database.clock.offset)
        left = (self._settled_until - self.database.clock.now()).total_seconds()
        if seen == self._settled and left > 0:
            return 0, min(_REST_SECONDS * stretch, left + 0.002)
        wanting = self.database.read(self._wanting, patience=5)
        self._settled = seen if wanting.settled else None
        ahead = max(0.0, min(_SETTLED_SECONDS, wanting.ahead))
        self._settled_until = self.database.clock.now() + timedelta(seconds=ahead)
        if wanting.owes:
            self.database.run(self.outcomes.settle, patience=5)
        fired = sum(self._act(wanting.ids[at : at + _BATCH], wanting.late) for at in range(0, len(wanting.ids), _BATCH))
        if wanting.gone:
            self.database.run(lambda tx: self._forget(tx, wanting.gone), patience=5)
        if wanting.overruled:
            self.database.run(lambda tx: self._forget_pauses(tx, wanting.overruled), patience=5)
        return fired, 0.05 if wanting.ids else min(_REST_SECONDS * stretch, max(0.01, wanting.ahead + 0.002))

    def _wanting(self, tx: Tx) -> _Wanting:
        rows = targcc.rows(tx)
        known = targcc_marks.load(tx)
        facts = self._facts(tx, known.values())
        served = [row for row in rows if self._note(row, self.calls.passed_by(row))]
        late = self.mails.late(served, known, facts)
        ids = tuple(r.id for r in served if r.id in late or targcc_rules.decide(r, known.get(r.id), facts) is not None)
        ahead = min(
            (
                (targcc_rules.due_at(row.next_run, known.get(row.id), facts.clock) - facts.now).total_seconds()
                for row in served
                if row.active and row.managed and not row.in_process and row.next_run is not None
            ),
            default=_SETTLED_SECONDS,
        )
        gone = frozenset(known.keys() - {row.id for row in rows})
        runs = any(row.in_process for row in served) or any(one.job is not None for one in known.values())
        overruled = frozenset(recurring.paused_rows(tx, PREFIX) - {row.id for row in rows if not row.active})
        settled = not (ids or gone or overruled or facts.owed or runs)
        return _Wanting(ids, late, gone, overruled, bool(facts.owed), ahead, settled)

    def _act(self, ids: Sequence[int], late: Mapping[int, Late]) -> int:
        """Do what rows want. Those that cannot be written (a trigger refuses it) hold up no other."""
        try:
            return self.database.run(lambda tx: self._act_in(tx, ids, late), patience=5)
        except StorageError as error:
            if len(ids) > 1:
                return sum(self._act([i], late) for i in ids)
            self._tell(ids[0], f"it cannot be written, and waits: {error}", logging.ERROR)
            return 0

    def _act_in(self, tx: Tx, ids: Sequence[int], late: Mapping[int, Late]) -> int:
        rows = targcc.lock_free(tx, ids)
        known = targcc_marks.load(tx, rows)
        facts = self._facts(tx, known.values())
        for row in rows.values():
            if row.id in late and not row.warned and row.active:
                self.mails.missed(tx, row, late[row.id])
        decided = [(row, targcc_rules.decide(row, known.get(row.id), facts)) for row in rows.values()]
        firing = [row.id for row, decision in decided if decision is not None and decision.act is Act.FIRE]
        to, after = self.mails.mailed(firing) if firing else {}, dict[int, Known]()
        for row, decision in decided:
            if decision is None:
                continue
            if decision.take_back is not None:
                self._cancel(tx, [decision.take_back])
            after[row.id] = self._carry_out(tx, row, decision, facts, to.get(row.id))
        targcc_marks.save(tx, after)
        return len(firing)

    def _carry_out(
        self, tx: Tx, row: TargccRow, decision: Decision, facts: Facts, mail_to: Iterable[str] | None
    ) -> Known:
        known = decision.known
        if decision.act is Act.FREE:
            log.warning("row %d of c_Job, %r, is InProcess no more: %s", row.id, row.code, decision.text)
            if known.job is None or facts.states.get(known.job) != "Failed":  # else its job's end was told
                self.mails.freed(tx, row, decision.text or "")
            return self.outcomes.free(tx, row, known, decision.text or "")
        if decision.act is Act.FIRE:
            why = "Triggered by its row in c_Job"
            return self._fire(tx, row, known, self.calls.new(row, decision.by, why, mail_to), new_key())[1]
        if decision.act is Act.STOP:
            targcc.stop(tx, row.id, self.outcomes.user)
        if decision.act is Act.PLAN and row.next_run != known.wall:
            targcc.plan(tx, row.id, known.wall)
        if decision.text is not None:
            log.warning("row %d of c_Job, %r, is not scheduled: %s", row.id, row.code, decision.text)
        return known

    def _fire(self, tx: Tx, row: TargccRow, known: Known, new: NewJob, key: str) -> tuple[int | None, Known]:
        """Create the job and claim the row; when a filter does not let it be created, this time is left out."""
        job_id = next(iter(self.client.create_in(tx, [new], key)), None)
        if job_id is None:
            known = targcc_rules.plan(row, known, self.outcomes.wall_clock(tx), tx.now())
            targcc.plan(tx, row.id, known.wall)
            return None, known
        now = tx.now()
        who = f"{row.runner} @ {self.host}" if row.runner else self.host
        targcc.claim(tx, row.id, now, who)
        return job_id, replace(known, job=job_id, claimed=row.next_run, last=now)

    def _facts(self, tx: Tx, known: Iterable[Known]) -> Facts:
        running = [one.job for one in known if one.job is not None]
        states = {j: state for j, (state, _) in jobs.current_states(tx, running).items()} if running else {}
        begun: dict[int, datetime] = {}
        for job_id in (j for j, state in states.items() if state == "Processing"):
            record = jobs.read(tx, job_id)
            if record is not None and record.current is not None:
                begun[job_id] = record.current.created_at
        # Read last: an outcome that is owed was committed with its job's final state.
        owed = targcc_marks.owed(tx).keys()
        return Facts(tx.now(), self.outcomes.wall_clock(tx), states, begun, owed)

    def _forget(self, tx: Tx, gone: frozenset[int]) -> None:
        """Rows that were deleted: what runs ends and is kept nowhere; what waits does not begin."""
        gone -= legacy.there(tx, gone)
        known = targcc_marks.load(tx, gone)
        waiting = [one.job for one in known.values() if one.job is not None]
        self._cancel(tx, waiting, frozenset({"Enqueued", "Scheduled"}))
        targcc_marks.forget(tx, gone)
        for row_id in gone:
            recurring_runs.forget(tx, f"{PREFIX}{row_id}")

    def _forget_pauses(self, tx: Tx, overruled: frozenset[int]) -> None:
        """The operator's word counts, and who and until when was another's. A row that is held is looked at again."""
        free = {row.id for row in targcc.lock_free(tx, overruled).values() if row.active}
        for row_id in sorted(free | overruled - legacy.there(tx, overruled)):
            recurring.set_paused(tx, f"{PREFIX}{row_id}", None)

    def _cancel(self, tx: Tx, job_ids: Sequence[int], expected: frozenset[str] = _UNFINISHED) -> None:
        reason = Deleted(reason="Its row in c_Job was deleted, or taken out of InProcess")
        if job_ids:
            self.client.transitions.apply(tx, [Change(j, reason, expected) for j in job_ids])

    # -- what is told of rows -----------------------------------------------------------------------------------

    def _note(self, row: TargccRow, reason: str | None) -> bool:
        """Tell once why a row is left alone; whether it is served."""
        if reason is None:
            self._told.pop(row.id, None)
        else:
            self._tell(row.id, f"it is left alone: {reason}", logging.INFO)
        return reason is None

    def _tell(self, row_id: int, text: str, level: int) -> None:
        if self._told.get(row_id) != text:
            log.log(level, "row %d of c_Job: %s", row_id, text)
        self._told[row_id] = text

    # -- what people ask ------------------------------------------------------------------------------------------

    def all(self) -> list[RecurringRecord]:
        """The rows as recurring jobs, by ID; their moments in UTC."""

        def work(tx: Tx) -> list[RecurringRecord]:
            known = targcc_marks.load(tx)
            return [self._record(tx, row, known.get(row.id, Known())) for row in targcc.rows(tx)]

        return self.database.read(work)

    def some_in(self, tx: Tx, ids: Iterable[int]) -> list[RecurringRecord]:
        """Those of these rows that there are, without what is known of their pauses."""
        rows = targcc.some(tx, ids)
        known = targcc_marks.load(tx, [row.id for row in rows])
        return [self._record(tx, row, known.get(row.id, Known())) for row in rows]

    def cron_of(self, row: TargccRow) -> str:
        """When a row runs, in words."""
        return f"{row.rule}" if row.managed else f"{row.rule}, by an external program"

    def fault_of(self, row: TargccRow, known: Known) -> str | None:
        """Why a row does not run; None for one that does."""
        return self.calls.passed_by(row) or known.fault

    def _record(self, tx: Tx, row: TargccRow, known: Known) -> RecurringRecord:
        clock = self.outcomes.wall_clock(tx)
        following, last = (None if m is None else clock.utc(m) for m in (row.next_run, row.last_run))
        return RecurringRecord(
            id=f"{PREFIX}{row.id}", cron=self.cron_of(row), time_zone="server", queue="default",
            job=self.calls.new(row, targcc_rules.SYSTEM, "").invocation.to_compact_json(), misfire=0, created_at=None,
            next_execution=following, last_execution=last, last_job_id=known.job,
            error=self.fault_of(row, known), paused=not row.active, name=row.code or None,
            procedure=row.code if is_procedure(row.code) else None,
        )  # fmt: skip

    def switch_in(self, tx: Tx, row_id: int, active: bool, pause: Pause | None = None) -> None:
        """Write Active; what a row missed while it was not is not made up for. pause: what is to be known of it
        meanwhile. Raises RecurringJobNotFound."""
        row = _must(targcc.lock(tx, row_id), row_id)
        if row.active != active:
            targcc.switch(tx, row_id, active, self.outcomes.user)
        if active and not row.active and row.managed and not row.in_process:
            known = targcc_marks.load(tx, [row_id]).get(row_id, Known(row.code))
            known = targcc_rules.resume(row, known, self.outcomes.wall_clock(tx), tx.now())
            targcc.plan(tx, row_id, known.wall)
            targcc_marks.save(tx, {row_id: known})
        recurring.set_paused(tx, f"{PREFIX}{row_id}", None if active else pause or Pause())

    def has_missed(self, tx: Tx, row_id: int) -> bool:
        """Whether a row that is paused would have run since. Raises RecurringJobNotFound, and InvalidArgument for a
        row that an external program runs: here nobody could run it."""
        row = _must(next(iter(targcc.some(tx, [row_id])), None), row_id)
        if not row.managed:
            raise InvalidArgument(
                f"{PREFIX}{row_id} is not managed (IsManaged): an external program runs it, and what it missed; resume "
                "it without that"
            )
        pause = recurring.pause_of(tx, f"{PREFIX}{row_id}")
        known = targcc_marks.load(tx, [row_id]).get(row_id, Known(row.code))
        since = pause.since if pause is not None else None
        return targcc_rules.has_missed(row, known, since, self.outcomes.wall_clock(tx), tx.now())

    def is_paused_in(self, tx: Tx, row_id: int) -> bool:
        """Whether a row does not fire; it is locked. Raises RecurringJobNotFound."""
        return not _must(targcc.lock(tx, row_id), row_id).active

    def trigger_in(self, tx: Tx, row_id: int, by: str, key: str) -> int:
        """Run a row now, once, active or not; its schedule goes on as it was. Raises RecurringJobNotFound,
        InvalidArgument for a row that an external program runs, CreationCancelled for one that is running."""
        row = _must(targcc.lock(tx, row_id), row_id)
        if not row.managed:
            raise InvalidArgument(f"{PREFIX}{row_id} is not managed (IsManaged): an external program runs it")
        known = targcc_marks.load(tx, [row_id]).get(row_id, Known(row.code))
        if row.in_process:
            raise CreationCancelled(f"{PREFIX}{row_id} is running")
        to = self.mails.mailed([row_id]).get(row_id)
        job_id, known = self._fire(
            tx, row, known, self.calls.new(row, by, "Triggered using recurring job manager", to), key
        )
        if job_id is None:
            raise CreationCancelled(f"a filter does not let {PREFIX}{row_id} be created")
        targcc.ask(tx, row_id, by)
        targcc_marks.save(tx, {row_id: known})
        return job_id

    def remove_in(self, tx: Tx, row_id: int) -> bool:
        """Delete a row; whether there was one. The database refuses it for a row with history."""
        recurring.set_paused(tx, f"{PREFIX}{row_id}", None)
        return legacy.remove(tx, row_id)


def _must(row: TargccRow | None, row_id: int) -> TargccRow:
    if row is None:
        raise RecurringJobNotFound(f"there is no recurring job '{PREFIX}{row_id}': c_Job has no row with this ID")
    return row
