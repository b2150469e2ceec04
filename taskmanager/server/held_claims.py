"""The claims a worker process holds, and the ways one of them goes back without an outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from queue import SimpleQueue

from taskmanager.domain import invocation as invocations
from taskmanager.domain.errors import StorageError
from taskmanager.domain.records import Claim
from taskmanager.domain.states import STARTABLE, Enqueued, State
from taskmanager.domain.texts import whole
from taskmanager.domain.times import to_unix
from taskmanager.engine.filters import Run
from taskmanager.engine.performer import Performer, UnknownJobType
from taskmanager.engine.transitions import ROW_DELETED, Change
from taskmanager.server.completer import Completer
from taskmanager.server.telling import Running
from taskmanager.storage import jobs, queues
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.worker")

#: A COMMIT whose answer was lost may be carried out late; so rows of such claims are looked for again for a while.
_DOUBT_SECONDS = 15.0
DOUBT_PAUSE = 0.5
#: How long what a thread could not perform is left to others.
_STRANDED_SECONDS = 5.0
UNKNOWN_SINCE = "UnknownSince"


class HeldClaims:
    """What this process has claimed and nobody has given back or ended yet.

    Threads lay a claim aside by `unknown.put` and `stranded.put`; `put_back` gives those back, in the claiming thread.
    unknown_seconds: how long a job of an unknown type waits for a server that knows it.
    """

    def __init__(
        self, database: Database, performer: Performer, completer: Completer, *, guid: str, unknown_seconds: float
    ) -> None:
        self.database, self.performer, self.completer, self.guid = database, performer, completer, guid
        self._unknown_seconds = unknown_seconds
        #: By the ids of their queue rows.
        self.by_row: dict[int, Claim] = {}
        self.unknown: SimpleQueue[Claim] = SimpleQueue()
        self.stranded: SimpleQueue[Claim] = SimpleQueue()
        #: Queue rows that were put back, and until when they are not claimed here again.
        self.skipped: dict[int, float] = {}
        #: Tries to claim of which nobody knows how they ended.
        self.unanswered = 0
        self._doubt_until, self._strays_at = 0.0, 0.0

    def keep(self, claims: Sequence[Claim]) -> None:
        """Claims whose COMMIT has succeeded."""
        for claim in claims:
            self.by_row[claim.queue_id] = claim

    def forget(self, claims: Sequence[Claim]) -> None:
        """Claims that are done with."""
        for claim in claims:
            self.by_row.pop(claim.queue_id, None)

    def release(self, claims: Sequence[Claim], *, patience: float = 5) -> None:
        """Give claims back, so that any worker may take them. patience: seconds an outage may last."""
        if claims:
            self.database.run(lambda tx: queues.release(tx, claims), patience=patience)
            self.forget(claims)

    def skips(self) -> list[int]:
        """Queue rows that are left to others for now."""
        if not self.skipped:
            return []
        now = time.monotonic()
        self.skipped = {queue_id: until for queue_id, until in self.skipped.items() if until > now}
        return list(self.skipped)

    # -- laid aside -------------------------------------------------------------------------------------------

    def put_back(self) -> None:
        """Give back what threads have laid aside."""
        self._put_back_unknown()
        self._put_back_stranded()
        if self.unanswered:
            self._put_back_strays()

    def _put_back_unknown(self) -> None:
        """Give rows of unknown types back for servers that know them; after a while one of us fails them."""
        while not self.unknown.empty():
            claim = self.unknown.get()
            now = to_unix(self.performer.now())
            since = _since(claim, now)
            waited = now - since
            if waited >= self._unknown_seconds:
                name = invocations.read(claim.invocation_data, claim.arguments).name
                message = (
                    f"no server has known this job's type for {waited:.0f} s; register it, or delete the job: {name}"
                )
                self.completer.add(self.performer.failed(claim, UnknownJobType(message)))
                continue
            try:
                self._leave_to_others(claim, since)
            except Exception:
                self.unknown.put(claim)
                raise
            self.skipped[claim.queue_id] = time.monotonic() + max(0.5, min(15.0, self._unknown_seconds - waited))

    def _leave_to_others(self, claim: Claim, since: float) -> None:
        log.warning(
            "job %d is of a type this server does not know; left for others: %s",
            claim.job_id,
            claim.invocation_data[:120],
            extra=self.performer.about(claim),
        )

        def work(tx: Tx) -> None:
            if claim.parameters.get(UNKNOWN_SINCE) != f"{since:.0f}":
                jobs.set_parameters(tx, {(claim.job_id, UNKNOWN_SINCE): f"{since:.0f}"})
            queues.release(tx, [claim])

        self.database.run(work)
        self.forget([claim])

    def _put_back_stranded(self) -> None:
        """Give back what a thread could not perform, and leave it to others for a while."""
        while not self.stranded.empty():
            claim = self.stranded.get()
            try:
                self.release([claim])
            except Exception:
                self.stranded.put(claim)
                raise
            self.skipped[claim.queue_id] = time.monotonic() + _STRANDED_SECONDS

    def _put_back_strays(self) -> None:
        """Rows that carry our tokens but that we do not hold: the COMMIT of a claim whose answer was lost."""
        now = time.monotonic()
        if now < self._strays_at:
            return

        def work(tx: Tx) -> int:
            held = queues.held(tx, self.guid)
            return queues.release(tx, [Claim(i, 0, "", token) for i, _, token in held if i not in self.by_row])

        given_back = self.database.run(work, patience=5)
        if given_back:
            log.warning("gave %d claims back whose COMMIT had been in doubt", given_back)
        self._strays_at = now + DOUBT_PAUSE
        self._doubt_until = self._doubt_until or now + _DOUBT_SECONDS
        if now >= self._doubt_until:
            self.unanswered, self._doubt_until = 0, 0.0

    # -- stopping ---------------------------------------------------------------------------------------------

    def give_back_waiting(self, waiting: Sequence[Claim]) -> None:
        """Give back what no thread has begun; what the database does not take now is stranded."""
        try:
            self.release(waiting, patience=1)
        except Exception:
            for claim in waiting:
                self.stranded.put(claim)
            raise

    def give_back_running(self) -> int:
        """Give back jobs that did not end in time; they will run again elsewhere.

        One that must not be repeated goes back just so, with the mark it wrote: who claims it fails it. One whose
        queue row was deleted ends here: nobody else would end it.
        """
        left = list(self.by_row.values())
        recorded = [r for r in self.completer.running.values() if r.recorded and r.claim.queue_id in self.by_row]
        repeatable = [r for r in recorded if r.context.is_repeatable]
        changes = [self._given_back(running) for running in repeatable]
        changes += [self._over(r) for r in self._without_row([r for r in recorded if not r.context.is_repeatable])]
        if changes:
            self._apply(changes)
        back = {r.claim.queue_id for r in repeatable}
        self.release([c for c in left if c.queue_id not in back])
        return len(left)

    def _without_row(self, running: Sequence[Running]) -> list[Running]:
        if not running:
            return []
        owned = self.database.run(lambda tx: queues.owned(tx, [r.claim for r in running]), patience=5)
        return [r for r in running if r.claim.queue_id not in owned]

    def _given_back(self, running: Running) -> Change:
        state = Enqueued(queue="", reason="The server stopped before the job ended")
        return self._ended_by_us(running, state, elect=False)

    def _over(self, running: Running) -> Change:
        return self._ended_by_us(running, ROW_DELETED, elect=True)

    def _ended_by_us(self, running: Running, state: State, *, elect: bool) -> Change:
        """The end of a run that goes on in its thread until the process ends."""
        now = self.performer.now()
        ms = max(0, round((now - running.started_at).total_seconds() * 1000))
        run = Run(running.context.attempt, running.started_at, now, ms, server=self.performer.server)
        return Change(
            running.claim.job_id, state, STARTABLE, running.claim, definition=running.definition, run=run, elect=elect
        )

    def _apply(self, changes: Sequence[Change]) -> None:
        """Write the changes; a job whose filters raise ends without them, and keeps no other from going back."""
        door = self.completer.transitions
        try:
            self.database.run(lambda tx: door.apply(tx, changes), patience=5)
        except StorageError:
            raise
        except Exception:
            if len(changes) > 1:
                for change in changes:
                    self._apply([change])
                return
            (change,) = changes
            log.exception("job %d, whose queue row was deleted, is ended without filters", change.job_id)
            plain = replace(change, to=ROW_DELETED, elect=False)
            self.database.run(lambda tx: door.apply(tx, [plain]), patience=5)


def _since(claim: Claim, now: float) -> float:
    """Since when nobody knows a job's type, in unix seconds: from now on when that is unreadable, or yet to come."""
    since = whole(claim.parameters.get(UNKNOWN_SINCE))
    return now if since is None or since > now + 1 else float(since)
