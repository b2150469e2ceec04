"""Reads what the tables tell of a run, and finds by name what must not be in it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

from taskmanager.domain.times import parse
from taskmanager.storage.database import Database

#: Which state may follow which in a job's history.
LEGAL: dict[str | None, frozenset[str]] = {
    None: frozenset({"Enqueued", "Scheduled", "Awaiting"}),
    "Awaiting": frozenset({"Enqueued", "Deleted"}),
    "Scheduled": frozenset({"Enqueued"}),
    "Enqueued": frozenset({"Processing"}),
    "Processing": frozenset({"Succeeded", "Failed", "Enqueued", "Processing"}),
    "Failed": frozenset({"Scheduled", "Enqueued"}),
    "Succeeded": frozenset(),
    "Deleted": frozenset(),
}
FINAL = frozenset({"Succeeded", "Failed", "Deleted"})
#: Clocks of processes are readings of the database's, each a round trip old.
_TOLERANCE = timedelta(seconds=0.5)


class Violation(NamedTuple):
    """Something that must not be: its name, of which job or recurring job, and what was found."""

    name: str
    of: object
    what: object = None


@dataclass
class Step:
    """A row of State."""

    id: int
    name: str
    at: datetime
    data: dict[str, str] = field(default_factory=dict)


@dataclass
class Job:
    """A row of Job with its parameters and history."""

    id: int
    state: str | None
    state_id: int | None
    steps: list[Step] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Its history by name."""
        return [step.name for step in self.steps]

    def first(self, *names: str) -> Step | None:
        """The first step into one of these states."""
        return next((step for step in self.steps if step.name in names), None)


@dataclass
class Tables:
    """All that is looked at."""

    jobs: dict[int, Job] = field(default_factory=dict)
    queued: list[int] = field(default_factory=list)
    waiting: dict[str, set[int]] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Expected:
    """What was asked for. `ids`: all that enqueues returned; `failures`: how often a job raises; `children`: by parent;
    `slots`: the first and the last unix second in which each recurring job was due."""

    ids: list[int] = field(default_factory=list)
    failures: dict[int, int] = field(default_factory=dict)
    fails: set[int] = field(default_factory=set)
    children: dict[int, int] = field(default_factory=dict)
    slots: dict[str, tuple[int, int]] = field(default_factory=dict)


def read(database: Database) -> Tables:
    """The tables as they are."""
    t = database.tables
    found = Tables(waiting=defaultdict(set))
    counters: Counter[str] = Counter()
    with database.engine.connect() as connection:
        for row in connection.execute(select(t.job.c.Id, t.job.c.StateName, t.job.c.StateId)):
            found.jobs[row[0]] = Job(*row)
        s = t.state.c
        for step in connection.execute(select(s.JobId, s.Id, s.Name, s.CreatedAt, s.Data).order_by(s.Id)):
            entered = Step(step.Id, step.Name, step.CreatedAt, json.loads(step.Data or "{}"))
            found.jobs.setdefault(step.JobId, Job(step.JobId, None, None)).steps.append(entered)
        p = t.parameter.c
        for job_id, name, value in connection.execute(select(p.JobId, p.Name, p.Value)):
            if job_id in found.jobs:
                found.jobs[job_id].parameters[name] = value
        found.queued = [row[0] for row in connection.execute(select(t.queue.c.JobId))]
        keys = ("schedule", "retries", "awaiting")
        for key, value in connection.execute(select(t.set.c.Key, t.set.c.Value).where(t.set.c.Key.in_(keys))):
            found.waiting[key].add(int(value.rpartition(":")[2]))
        # In one statement: between two, rows may be rolled up, and would be seen twice.
        counted, total = t.counter.c, t.aggregated.c
        both = select(counted.Key, counted.Value).union_all(select(total.Key, total.Value))
        for key, value in connection.execute(both):
            counters[key] += value
    found.counters = counters
    return found


def violations(tables: Tables, expected: Expected) -> list[Violation]:
    """All that must not be; empty when the run was as it should be."""
    return [
        *_of_enqueues(tables, expected),
        *(v for job in tables.jobs.values() for v in _of_job(job)),
        *_of_tries(tables, expected),
        *_of_continuations(tables, expected),
        *_of_slots(tables, expected),
        *_of_the_rest(tables),
    ]


def _of_enqueues(tables: Tables, expected: Expected) -> Iterator[Violation]:
    for job_id, times in Counter(expected.ids).items():
        if times > 1:
            yield Violation("one id for two enqueues", job_id)
        if job_id not in tables.jobs:
            yield Violation("lost", job_id)
    fired = {job.id for job in tables.jobs.values() if "RecurringJobId" in job.parameters}
    for job_id in tables.jobs.keys() - set(expected.ids) - fired:
        yield Violation("written twice", job_id, "no enqueue returned it")


def _of_job(job: Job) -> Iterator[Violation]:
    if job.state not in FINAL:
        yield Violation("unfinished", job.id, job.names)
    if sum(name in ("Succeeded", "Deleted") for name in job.names) > 1:
        yield Violation("finished twice", job.id, job.names)
    if not job.steps or (job.steps[-1].name, job.steps[-1].id) != (job.state, job.state_id):
        yield Violation("state and history differ", job.id, (job.state, job.names))
    before: Step | None = None
    for step in job.steps:
        if step.name not in LEGAL[before.name if before else None]:
            yield Violation("illegal step", job.id, job.names)
        if before is not None:
            yield from _of_step(job, before, step)
        before = step


def _of_step(job: Job, before: Step, step: Step) -> Iterator[Violation]:
    # Only who was given up is followed by another, and one that was given up comes back under another id.
    again = (before.name, step.name) == ("Processing", "Processing")
    if again and before.data.get("ServerId") == step.data.get("ServerId"):
        yield Violation("begun twice under one claim", job.id, step.data)
    if step.at < before.at - _TOLERANCE:
        yield Violation("time runs backwards", job.id, (before.at, step.at))
    due = parse(before.data.get("EnqueueAt")) if before.name == "Scheduled" else None
    if due is not None and step.at < due - _TOLERANCE:
        yield Violation("too early", job.id, (due, step.at))


def _of_tries(tables: Tables, expected: Expected) -> Iterator[Violation]:
    for job_id in expected.ids:
        job = tables.jobs.get(job_id)
        if job is None or job.state not in FINAL:
            continue
        failed = job.names.count("Failed")
        if failed != expected.failures.get(job_id, 0):
            yield Violation("tried too often or too seldom", job_id, job.names)
        if (job.state == "Failed") != (job_id in expected.fails):
            yield Violation("ended otherwise", job_id, job.names)


def _of_continuations(tables: Tables, expected: Expected) -> Iterator[Violation]:
    for parent_id, child_id in expected.children.items():
        parent, child = tables.jobs.get(parent_id), tables.jobs.get(child_id)
        begun = child.first("Enqueued") if child is not None else None
        if begun is None:
            continue
        over = parent.first("Succeeded", "Deleted") if parent is not None else None
        if over is None or over.at > begun.at + _TOLERANCE or (parent_id < child_id and over.id > begun.id):
            yield Violation("before its parent", child_id, parent_id)


def _of_slots(tables: Tables, expected: Expected) -> Iterator[Violation]:
    fired: dict[str, Counter[int]] = defaultdict(Counter)
    for job in tables.jobs.values():
        if "RecurringJobId" in job.parameters:
            fired[json.loads(job.parameters["RecurringJobId"])][int(job.parameters["Time"])] += 1
    for recurring_id, slots in fired.items():
        for slot, times in slots.items():
            if times > 1:
                yield Violation("slot fired twice", recurring_id, slot)
    for recurring_id, (first, last) in expected.slots.items():
        for slot in range(first, last + 1):
            if slot not in fired[recurring_id]:
                yield Violation("slot missed", recurring_id, slot)


def _of_the_rest(tables: Tables) -> Iterator[Violation]:
    for job_id in tables.queued:
        yield Violation("left in a queue", job_id)
    for key, members in tables.waiting.items():
        for job_id in sorted(members):
            yield Violation("left in a set", job_id, key)
    for name in ("Succeeded", "Deleted"):
        there = sum(job.state == name for job in tables.jobs.values())
        counted = tables.counters.get(f"stats:{name.lower()}", 0)
        if there != counted:
            yield Violation("miscounted", name, (there, counted))
