"""One job with all that belongs to it, and the jobs it is tied to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, func, select

from taskmanager.domain.records import JobRecord, ServerRecord, StateRecord
from taskmanager.domain.texts import wholes
from taskmanager.storage import jobs
from taskmanager.storage import servers as server_rows
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: The parameter in which a running job tells how far it is.
PROGRESS = "Progress"
#: States of a history and runs before them that are read at a time: a job that retried for a year has thousands.
MAX_STATES, MAX_BEFORE = 200, 2_000
#: Chunks of log lines read at a time, and lines of them that a page has, but for the rest of a chunk.
MAX_CHUNKS, MAX_LINES = 400, 1_000
#: Behind every row.
END = (1 << 63) - 1


def bounded(number: int | None) -> int | None:
    """A row's number that a database takes; None for any other."""
    return number if number is not None and 0 < number <= END else None


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Lines that a job wrote, one JSON object a line, with the row's id to go on after."""

    id: int
    attempt: int
    at: datetime
    lines: str


@dataclass(frozen=True, slots=True)
class Details:
    """A job, a part of its history and log, its relatives' states (None: gone), and the servers, when it is performed.

    is_newest: it is shown to its end. older: the state before which it goes on; None at its beginning. runs_before: how
    many runs are older than this part; None where that is not known. has_more_log: there are lines behind these.
    """

    job: JobRecord
    log: tuple[LogChunk, ...]
    relatives: Mapping[int, str | None] = field(default_factory=dict)
    servers: tuple[ServerRecord, ...] = ()
    is_newest: bool = True
    older: int | None = None
    runs_before: int | None = 0
    has_more_log: bool = False

    @property
    def parent(self) -> int | None:
        """The job this one waits or waited for."""
        ids = (s.data.get("ParentId", "") for s in self.job.history if s.name == "Awaiting")
        return next(iter(wholes(str(text) for text in ids)), None)

    @property
    def children(self) -> tuple[int, ...]:
        """The jobs that wait or waited for this one."""
        return _children(self.job.parameters.get("Continuations"))


@statement
def newest_states(t: Tables, p: Product) -> Any:
    """The last rows of a job's history before one of them."""
    s = t.state.c
    return (
        select(s.Id, s.Name, s.Reason, s.CreatedAt, s.Data)
        .where(s.JobId == bindparam("job"), s.Id < bindparam("before"))
        .order_by(s.Id.desc())
        .limit(bindparam("limit"))
    )


@statement
def runs_before(t: Tables, p: Product) -> Any:
    """How many rows of a history stand before one of them, up to a limit, and how many of those are runs."""
    s = t.state.c
    older = select(s.Name).where(s.JobId == bindparam("job"), s.Id < bindparam("before"))
    some = older.order_by(s.Id.desc()).limit(bindparam("limit")).subquery()
    return select(func.count(), func.sum(case((some.c.Name == "Processing", 1), else_=0))).select_from(some)


@statement
def log_after(t: Tables, p: Product) -> Any:
    """Log chunks behind one that was seen."""
    c = t.log.c
    return (
        select(c.Id, c.Attempt, c.CreatedAt, c.Lines)
        .where(c.JobId == bindparam("job"), c.Id > bindparam("after"))
        .order_by(c.Id)
        .limit(bindparam("limit"))
    )


@statement
def neighbours_of(t: Tables, p: Product) -> str:
    """The jobs next to one in the list of its state: by the index of states, whose end is the id."""
    key, mine = p.quote("Id"), f"{p.quote(t.job.name)} WHERE {p.quote('StateName')} = :state AND {p.quote('Id')}"
    return f"SELECT (SELECT MIN({key}) FROM {mine} > :job), (SELECT MAX({key}) FROM {mine} < :job)"


def neighbours(tx: Tx, job_id: int, state: str) -> tuple[int | None, int | None]:
    """The next newer and the next older job of a state; None where there is none."""
    ((newer, older),) = tx.execute(neighbours_of, {"job": job_id, "state": state}).all()
    return (None if newer is None else int(newer)), (None if older is None else int(older))


def details(tx: Tx, job_id: int, *, before: int | None = None, log_after: int = 0) -> Details | None:
    """A job by its id; None when it does not exist.

    before: only what was before this row of its history. log_after: only lines behind this chunk of its log.
    """
    found = jobs.read_many(tx, [job_id])
    if not found:
        return None
    given = {"job": job_id, "before": END if before is None else before, "limit": MAX_STATES + 1}
    rows = tx.execute(newest_states, given).all()
    states = tuple(_state(r) for r in rows[:MAX_STATES])[::-1]
    job = replace(found[0], parameters=jobs.parameters(tx, [job_id]).get(job_id, {}), history=states)
    lines, more = log_page(tx, job_id, after=log_after)
    made = Details(job, tuple(lines), is_newest=before is None, has_more_log=more)
    if len(rows) > MAX_STATES:
        made = replace(made, older=states[0].id, runs_before=_runs_before(tx, job_id, states[0].id))
    ids = [i for i in (made.parent, *made.children) if i is not None]
    if ids:
        known = jobs.current_states(tx, ids)
        made = replace(made, relatives={i: known[i][0] if i in known else None for i in ids})
    if made.is_newest and _is_or_was_performed(job):
        made = replace(made, servers=tuple(server_rows.all_servers(tx)))
    return made


def _is_or_was_performed(job: JobRecord) -> bool:
    """Whether it runs, or was deleted while it ran."""
    return job.state == "Processing" or (
        job.state == "Deleted" and [s.name for s in job.history[-2:-1]] == ["Processing"]
    )


def _runs_before(tx: Tx, job_id: int, before: int) -> int | None:
    ((count, runs),) = tx.execute(runs_before, {"job": job_id, "before": before, "limit": MAX_BEFORE}).all()
    return None if int(count) >= MAX_BEFORE else int(runs or 0)


@dataclass(frozen=True, slots=True)
class Live:
    """What is new of a job that runs: its state, progress, and lines behind those that were seen."""

    state: str | None
    progress: str | None
    log: tuple[LogChunk, ...]


def live(tx: Tx, job_id: int, *, after: int) -> Live:
    """What a page asks of a running job each second: two look-ups by primary key, one by the index of its lines."""
    state = jobs.current_states(tx, [job_id]).get(job_id, (None, None))[0]
    progress = jobs.parameter(tx, job_id, PROGRESS)
    return Live(state, progress, tuple(log(tx, job_id, after=after)))


def log(tx: Tx, job_id: int, *, after: int = 0) -> list[LogChunk]:
    """What a job has logged since a chunk that was seen."""
    rows = tx.execute(log_after, {"job": job_id, "after": after, "limit": MAX_CHUNKS})
    return [LogChunk(int(r[0]), int(r[1]), as_moment(r[2]), r[3] or "") for r in rows]


def log_page(tx: Tx, job_id: int, *, after: int = 0) -> tuple[list[LogChunk], bool]:
    """The same for a page, and whether there is more behind it."""
    found = log(tx, job_id, after=after)
    lines = 0
    for place, chunk in enumerate(found, 1):
        lines += chunk.lines.count("\n") + 1
        if lines >= MAX_LINES:
            return found[:place], place < len(found) or len(found) == MAX_CHUNKS
    return found, len(found) == MAX_CHUNKS


def _children(text: str | None) -> tuple[int, ...]:
    try:
        listed = json.loads(text or "[]")
    except ValueError:
        return ()
    if not isinstance(listed, list):
        return ()
    ids = (str(one.get("JobId", one.get("jobId", ""))) for one in listed if isinstance(one, dict))
    return tuple(wholes(ids))[:50]


def _state(row: Any) -> StateRecord:
    try:
        data = json.loads(row[4]) if row[4] else {}
    except (ValueError, RecursionError):
        data = {"Unreadable": row[4]}
    texts = (
        {str(k): v if isinstance(v, str) else json.dumps(v) for k, v in data.items()} if isinstance(data, dict) else {}
    )
    return StateRecord(int(row[0]), str(row[1]), row[2], as_moment(row[3]), texts)
