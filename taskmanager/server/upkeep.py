"""The house is kept: signs of life, burying the dead, cancelling, expiring, rolling counters up."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime

from taskmanager.domain.errors import StorageError
from taskmanager.domain.records import ServerRecord
from taskmanager.domain.texts import storable
from taskmanager.engine import expiring
from taskmanager.engine.transitions import Transitions
from taskmanager.server.completer import Completer
from taskmanager.server.lifeline import Lifeline
from taskmanager.server.old_history import OldHistory
from taskmanager.server.process import Process
from taskmanager.server.telling import Running
from taskmanager.server.undertaker import Undertaker
from taskmanager.storage import audit, expiry, jobs, queues, server_facts, servers, stacks
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.upkeep")

_BATCH = 1000
#: For a question that the pulse, which may look seldom, has not seen.
_ASKED_SECONDS = 15.0


class Heartbeat(Process):
    """Says that this server lives, and what `tell` tells of it; now and then what `more` has to tell, too. Found gone,
    it says so by `given_up`: the server must start anew.
    """

    name = "heartbeat"

    def __init__(
        self, database: Database, server_id: str, line: Lifeline, given_up: Callable[[], None], *, seconds: float,
        tell: Callable[[], Mapping[str, object]], more: Callable[[], Mapping[str, object]] = dict,
    ) -> None:  # fmt: skip
        super().__init__()
        self.database, self.server_id, self.line = database, server_id, line
        self._given_up, self._seconds, self._tell, self._more = given_up, seconds, tell, more

    def tick(self) -> float:
        self.line.touch()
        told = self._tell()
        if not self.database.run_single(lambda tx: servers.heartbeat(tx, self.server_id, told), patience=self._seconds):
            log.error("server %s was given up by others: its claims are theirs; it starts anew", self.server_id)
            self._given_up()
        elif facts := self._more():
            self._tell_more(facts)
        return self._seconds

    def _tell_more(self, facts: Mapping[str, object]) -> None:
        try:
            self.database.run(lambda tx: server_facts.tell(tx, self.server_id, facts), patience=1.0)
        except StorageError as error:  # the sign of life is what counts
            log.warning("what this server tells of itself cannot be written now: %s", error)


class Watchdog(Process):
    """Buries servers that are silent, and at once those of this machine whose process is gone.

    dead_after: seconds of silence. heard: is told each time what servers there are.
    """

    name = "watchdog"

    def __init__(
        self, database: Database, server_id: str, *, dead_after: float,
        heard: Callable[[list[ServerRecord]], None] = lambda known: None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.database, self.server_id = database, server_id
        self._dead_after, self._tell_heard = dead_after, heard
        self._heard: dict[str, tuple[datetime | None, float]] = {}
        self._reaching_since = time.monotonic()
        self._next_remote = 0.0
        self._orphans: dict[str, float] = {}
        self._undertaker = Undertaker(database)

    def tick(self) -> float:
        try:
            self._undertaker.work()
            if time.monotonic() >= self._next_remote:
                self._next_remote = time.monotonic() + self._dead_after / 6
                self._bury_silent()
        except Exception:
            # Silence counts only over time in which we could have heard: after an outage nobody is dead yet.
            self._reaching_since = time.monotonic()
            raise
        return 0.5

    def _bury_silent(self) -> None:
        known = self.database.read(servers.all_servers, patience=1)
        self._tell_heard(known)
        self._listen(known)
        if time.monotonic() - self._reaching_since < self._dead_after:
            return
        for server in known:
            ours = "taskmanager" in server.data and server.id != self.server_id
            beat, since = self._heard[server.id]
            if ours and beat is not None and time.monotonic() - since >= self._dead_after:
                self.database.run(lambda tx, s=server.id, b=beat: self._bury_if_silent(tx, s, b))  # type: ignore[misc]
        self._release_orphans({servers.guid_of(s.id) for s in known})

    def _listen(self, known: list[ServerRecord]) -> None:
        """Remember since when each heartbeat has not changed, by our monotonic clock: all others may jump."""
        now, heard = time.monotonic(), self._heard
        self._heard = {}
        for server in known:
            beat, since = heard.get(server.id, (None, now))
            self._heard[server.id] = (server.last_heartbeat, since if beat == server.last_heartbeat else now)

    def _bury_if_silent(self, tx: Tx, server_id: str, beat: datetime) -> None:
        buried = servers.bury(tx, server_id, started=None, unchanged=beat)
        if buried is not None:
            log.warning("server %s has been silent: %d claims given back", server_id, buried[0])

    def _release_orphans(self, living: set[str]) -> None:
        """Claims of servers that have no row at all, once they were seen so for the whole time."""
        held = self.database.read(queues.fetched)
        now = time.monotonic()
        tokens = {token for _, _, token in held if "." in token and token.partition(".")[0] not in living}
        self._orphans = {token: self._orphans.get(token, now) for token in tokens}
        over = {t for t, since in self._orphans.items() if now - since >= self._dead_after}
        for guid in sorted({token.partition(".")[0] for token in over}):
            rows = [queue_id for queue_id, _, token in held if token.startswith(guid + ".")]
            self.database.run(lambda tx, g=guid, r=rows: servers.give_up(tx, g, r))  # type: ignore[misc]
            log.warning("%d claims of the unknown server %s given back", len(rows), guid)


class Cancellation(Process):
    """Trips the tokens of running jobs that were deleted, requeued or fenced off in any way, or overran."""

    name = "cancellation"

    def __init__(self, database: Database, completer: Completer) -> None:
        super().__init__()
        self.database, self.completer = database, completer

    def tick(self) -> float:
        running = [r for r in list(self.completer.running.values()) if not r.context.cancellation.is_cancelled]
        now = time.monotonic()
        for one in running:
            if one.timeout is not None and now - one.started > one.timeout:
                one.context.timed_out = True
                one.context.cancellation.cancel(f"the job ran longer than its timeout of {one.timeout:g} s")
        self._trip([r for r in running if r.recorded])
        return 0.1 if any(r.timeout is not None for r in running) else 1.0

    def _trip(self, running: list[Running]) -> None:
        """Of those whose Processing is written, the ones that are in it no more, or whose claim is gone."""
        if not running:
            return
        held, states = self.database.read(
            lambda tx: (  # in this order: who deletes a job takes its claim, and is named by its state
                queues.still_held(tx, [r.claim for r in running]),
                jobs.current_states(tx, [r.claim.job_id for r in running]),
            ),
            patience=1,
        )
        for one in running:
            claim, state = one.claim, states.get(one.claim.job_id)
            if self.completer.running.get(claim.queue_id) is not one:  # it has ended meanwhile
                continue
            if state != (claim.state, claim.state_id):
                where = state[0] if state else "nowhere: it is gone"
                one.context.cancellation.cancel(f"the job was moved to {where}")
            elif claim.queue_id not in held:
                one.context.cancellation.cancel("the claim is gone from its queue: somebody deleted or gave it up")


class Expirer(Process):
    """Deletes what has expired, batch by batch, with a pause between; expired Failed jobs go by the one door.

    audit_kept, history_kept: of the audit log and of c_LoggedJob, in seconds; of the latter for ever when None.
    """

    name = "expirer"

    def __init__(
        self, database: Database, transitions: Transitions, audit_kept: float, history_kept: float | None = None
    ) -> None:
        super().__init__()
        self.database, self.transitions = database, transitions
        self.audit_kept = audit_kept
        self._history = None if history_kept is None else OldHistory(database, history_kept)

    def tick(self) -> float:
        more = self.database.run(lambda tx: expiring.expire_jobs(tx, self.transitions, _BATCH))
        gone = max(_BATCH if more else 0, self.database.run(lambda tx: expiry.expire_structures(tx, _BATCH)))
        gone = max(gone, self.database.run(lambda tx: audit.expire(tx, self.audit_kept, _BATCH)))
        rest = 0.2 if gone >= _BATCH else 60.0
        return rest if self._history is None else min(rest, self._history.tick())


class CounterRoller(Process):
    """Folds counter rows into their totals."""

    name = "counter-roller"

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    def tick(self) -> float:
        return 0.2 if self.database.run(lambda tx: expiry.roll_up(tx, _BATCH)) >= _BATCH else 30.0


class StackTeller(Process):
    """Tells where running jobs of this process stand, when somebody asks: then the pulse wakes it."""

    name = "stack-teller"

    def __init__(self, database: Database, completer: Completer) -> None:
        super().__init__()
        self.database, self.completer = database, completer

    def tick(self) -> float:
        if running := {r.claim.job_id: r.thread for r in list(self.completer.running.values()) if r.recorded}:
            asked = self.database.read(stacks.wanted, patience=1) & running.keys()
            frames = sys._current_frames()
            texts = {i: "".join(traceback.format_stack(frames[running[i]])) for i in asked if running[i] in frames}
            if texts:
                self.database.run(lambda tx: stacks.answer(tx, {i: storable(t) for i, t in texts.items()}), patience=1)
        return _ASKED_SECONDS
