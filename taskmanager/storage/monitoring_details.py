"""One job with all that belongs to it, and the jobs it is tied to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

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
#: History beyond this is cut in its middle: a job that retried for a year has thousands of rows.
MAX_STATES = 200
#: Chunks of log lines read at a time.
MAX_CHUNKS = 400


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Lines that a job wrote, one JSON object a line, with the row's id to go on after."""

    id: int
    attempt: int
    at: datetime
    lines: str


@dataclass(frozen=True, slots=True)
class Details:
    """A job, its log, its relatives' states (None: gone), and the servers, when it is being performed."""

    job: JobRecord
    log: tuple[LogChunk, ...]
    relatives: Mapping[int, str | None] = field(default_factory=dict)
    servers: tuple[ServerRecord, ...] = ()
    cut: bool = False

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
    """The last rows of a job's history."""
    s = t.state.c
    return (
        select(s.Id, s.Name, s.Reason, s.CreatedAt, s.Data)
        .where(s.JobId == bindparam("job"))
        .order_by(s.Id.desc())
        .limit(bindparam("limit"))
    )


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


def details(tx: Tx, job_id: int) -> Details | None:
    """A job by its id; None when it does not exist."""
    found = jobs.read_many(tx, [job_id])
    if not found:
        return None
    rows = tx.execute(newest_states, {"job": job_id, "limit": MAX_STATES + 1}).all()
    states = tuple(_state(r) for r in rows[:MAX_STATES])[::-1]
    job = replace(found[0], parameters=jobs.parameters(tx, [job_id]).get(job_id, {}), history=states)
    made = Details(job, tuple(log(tx, job_id)), cut=len(rows) > MAX_STATES)
    ids = [i for i in (made.parent, *made.children) if i is not None]
    if ids:
        known = jobs.current_states(tx, ids)
        made = replace(made, relatives={i: known[i][0] if i in known else None for i in ids})
    if job.state == "Processing" or (job.state == "Deleted" and [s.name for s in states[-2:-1]] == ["Processing"]):
        made = replace(made, servers=tuple(server_rows.all_servers(tx)))
    return made


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
