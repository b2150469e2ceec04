"""The job behind every c_Job row: run its stored procedure, once.

Before CALL a durable mark is written: a run that is lost after it is Failed, and not run again by itself.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.errors import JobCancelled
from taskmanager.domain.records import Claim
from taskmanager.domain.states import Deleted
from taskmanager.engine.context import JobContext
from taskmanager.engine.filters import Chain, Electing, Filter, Lost
from taskmanager.engine.history import LoggedJobs, cancelled_message
from taskmanager.engine.legacy import LegacyOutcome
from taskmanager.engine.legacy_schedule import SENT
from taskmanager.engine.performer import checked
from taskmanager.storage import backends, cells, jobs, procedures, queues
from taskmanager.storage.backends import Backend, Starts
from taskmanager.storage.database import Database
from taskmanager.storage.procedures import Line, ProcedureFailed
from taskmanager.storage.shared_transaction import SharedTransaction
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.procedures")

#: At the end of a result that was cut.
_MARKER = " …[truncated]"


class WorkerLost(Exception):
    """The process that ran a procedure was gone before it could tell how the procedure ended."""

    def __init__(self, message: str, sent: Sent) -> None:
        super().__init__(message)
        self.sent = sent


class Procedures:
    """Python functions that stand in for stored procedures on SQLite, by name. rerun_lost: run lost ones again.

    max_bytes: of a result that LastResult keeps, in UTF-8, with the marker at their end.
    marks: runs that begin at the same time share a transaction for their marks.
    """

    def __init__(self, database: Database) -> None:
        self.functions: dict[str, Callable[[], Any]] = {}
        self.rerun_lost, self.max_bytes = False, 64 * 1024
        self.marks = SharedTransaction(database, _mark_together)
        self.starts = Starts()


@dataclass(frozen=True, slots=True)
class Sent:
    """The mark: which claim's run it is, since when, on which server process, and on which connection."""

    queue_id: int
    at: datetime
    server: str
    backend: Backend | None

    @classmethod
    def read(cls, text: str | None) -> Sent | None:
        """The mark in a job's parameter; None when there is none."""
        try:
            facts = json.loads(text or "null")
            at = times.parse(facts["at"]) if facts else None
            if at is None:
                return None
            backend = Backend(*facts["connection"]) if facts["connection"] else None
            return cls(int(facts["queue"]), at, str(facts["server"]), backend)
        except (ValueError, TypeError, KeyError):
            return None

    def text(self) -> str:
        """The mark as it is stored."""
        one = self.backend
        connection = None if one is None else [one.number, one.server, one.since]
        facts = {"queue": self.queue_id, "at": times.to_iso(self.at), "server": self.server, "connection": connection}
        return json.dumps(facts)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Whose mark is to be written."""

    claim: Claim
    server: str
    backend: Backend | None


def run_procedure(
    database: Database, known: Procedures, row_id: int, name: str | None = None, *, ctx: JobContext
) -> str | None:
    """Run the stored procedure of row `row_id` of c_Job; its first cell is the result."""
    ctx.max_result_bytes = 8 * known.max_bytes  # as JSON; what is kept of it is cut here
    ctx.was_called = False
    _settle_earlier(database, known, ctx)
    parts = procedures.checked_name(name)
    if database.is_embedded:
        function = procedures.stand_in(known.functions, parts)
        _mark(database, known, ctx, None)
        value = checked(function())
        return None if value is None else cut(cells.printed(value), known.max_bytes)
    ctx.measured = (None, None)  # what it costs, it costs the database's server
    line = Line(database, known.starts)
    try:
        backend = line.open()
        ctx.cancellation.on_cancel(line.hang_up)
        _mark(database, known, ctx, backend)
        result = line.call(parts)
        return None if result is None else cut(result, known.max_bytes)
    except ProcedureFailed as error:
        if ctx.cancellation.is_cancelled and line.backend is not None:
            raise _given_up(database, ctx, line.backend) from error
        if line.is_lost and line.backend is not None:
            backends.end(database, line.backend)  # a network that broke leaves it running
        raise
    finally:
        line.drop()


def _mark(database: Database, known: Procedures, ctx: JobContext, backend: Backend | None) -> None:
    """Write the mark, if the claim is still ours. Raises JobCancelled: then nothing was sent."""
    ctx.raise_if_cancelled()
    mark = _Mark(ctx.claim, ctx.server, backend)

    def alone(tx: Tx) -> bool:
        held = queues.owned(tx, [mark.claim])
        _write_marks(tx, [mark] if held else [])
        return bool(held)

    if not known.marks.do(mark, lambda: database.run(alone)):
        raise JobCancelled("the claim was given up before the procedure was called")
    ctx.raise_if_cancelled()
    ctx.is_repeatable, ctx.was_called = False, True


def _mark_together(tx: Tx, marks: Sequence[_Mark]) -> list[bool]:
    """Write those whose claims are still ours; a job that somebody has locked is left to its own thread."""
    free = jobs.lock(tx, [mark.claim.job_id for mark in marks], skip_locked=True)
    held = queues.owned(tx, [mark.claim for mark in marks if mark.claim.job_id in free], skip_locked=True)
    _write_marks(tx, [mark for mark in marks if mark.claim.queue_id in held])
    return [mark.claim.queue_id in held for mark in marks]


def _write_marks(tx: Tx, marks: Sequence[_Mark]) -> None:
    sent = {m.claim.job_id: Sent(m.claim.queue_id, tx.now(), m.server, m.backend) for m in marks}
    jobs.set_parameters(tx, {(job_id, SENT): one.text() for job_id, one in sent.items()})


def _settle_earlier(database: Database, known: Procedures, ctx: JobContext) -> None:
    """End what an earlier run of this job left on the server. Raises WorkerLost when it was this very run."""
    sent = Sent.read(ctx.parameters.get(SENT))
    if sent is None:
        return
    gone = sent.backend is None or backends.end(database, sent.backend)
    if sent.queue_id != ctx.claim.queue_id or known.rerun_lost:
        return  # it ended, or somebody requeued it
    rest = "it" if gone else "its connection could not be killed; it"
    raise WorkerLost(
        f"worker lost: {sent.server or 'its process'} was gone before the procedure had ended; {rest} is not run "
        "again by itself", sent,
    )  # fmt: skip


def _given_up(database: Database, ctx: JobContext, backend: Backend) -> Exception:
    """What a run raises whose token was tripped: its connection is killed on the server, too."""
    stopping = ctx.cancellation.is_stopping
    gone = backends.end(database, backend, wait=0.2 if stopping else 2.0)
    killed = "its connection was killed" if gone else "its connection could not be killed"
    log.warning("the procedure of job %d was given up (%s); %s", ctx.job_id, ctx.cancellation.reason, killed)
    if stopping:
        return ProcedureFailed(f"the server stopped before the procedure had ended; {killed}")
    return JobCancelled(f"{ctx.cancellation.reason}; {killed}")


def cut(text: str, longest: int) -> str:
    """Bound a text to so many bytes of UTF-8, saying so."""
    whole = text.encode("utf-8", "replace")
    if len(whole) <= longest:
        return text
    return whole[: max(0, longest - len(_MARKER.encode()))].decode("utf-8", "ignore") + _MARKER


class ProcedureRuns(Filter):
    """Tells of runs that ended otherwise than by their own word: the lost with their start, the cancelled at all."""

    order = 5

    def __init__(self, chain: Chain, known: Procedures) -> None:
        self._chain, self._known = chain, known

    def is_told(self, lost: Lost) -> bool:
        """Whether a lost run is told of by who takes its job over, which then fails as this very run."""
        sent = Sent.read(lost.record.parameters.get(SENT))
        taken = sent is not None and lost.claim is not None and sent.queue_id == lost.claim.queue_id
        return taken and not self._known.rerun_lost

    def elect(self, context: Electing) -> None:
        lost = context.error
        if isinstance(lost, WorkerLost) and context.run is not None:
            context.run.started_at = lost.sent.at
            context.run.duration_ms = max(0, round((context.run.ended_at - lost.sent.at).total_seconds() * 1000))
            context.run.server = lost.sent.server
            context.run.cpu_ms = context.run.memory_mb = None  # ours are of who waited for it
            context.effects.parameter(context.job.id, SENT, None)

    def refused(self, context: Electing, why: str) -> None:
        """Who was taken for dead, and was not: the mark is gone with the row that tells of the run."""
        definition, is_there = context.definition, context.job.state is not None
        if context.run is not None and definition is not None and definition.target is run_procedure and is_there:
            context.run.was_called = context.run.was_called and bool(context.parameters.get(SENT))

    def cancelled(self, context: Electing) -> None:
        if context.run is None or not context.parameters.get(SENT):
            return
        context.run.message = cancelled_message(context.error)
        context.effects.parameter(context.job.id, SENT, None)
        for one in self._chain.applied:
            if isinstance(one, (LoggedJobs, LegacyOutcome)):
                one.applied(context, Deleted(reason=context.run.message))
