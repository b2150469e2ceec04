"""Bulk operations: a whole filtered set of jobs or of recurring jobs changed, by an ordinary job of ours.

Where an operation stands is a parameter of its job, written in the transaction of each part: whoever goes on after a
worker's death, or beside a worker that was given up, goes on from there, and no job is counted twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.arguments import NamedArgument, meets
from taskmanager.domain.errors import InvalidArgument, JobCancelled, JobNotFound, JobTimeout, StorageError
from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.domain.records import JobRecord
from taskmanager.domain.states import Enqueued
from taskmanager.domain.texts import wholes
from taskmanager.engine import operation_targets, recurring_operations
from taskmanager.engine.audit import Actor, Audit
from taskmanager.engine.client import Client, NewJob, check_queue
from taskmanager.engine.operation import Operation, packed
from taskmanager.engine.recurring import RecurringJobs
from taskmanager.engine.recurring_operations import Wish
from taskmanager.engine.recurring_verbs import check_end
from taskmanager.engine.registry import JobDefinition, Registry
from taskmanager.engine.transitions import Change
from taskmanager.storage import (
    jobs,
    monitoring_lists,
    monitoring_overview,
    monitoring_walk,
    operation_parts,
    structures,
)
from taskmanager.storage import servers as server_rows
from taskmanager.storage.monitoring_filters import Wanted
from taskmanager.storage.transaction import Tx

#: The parameter that tells where an operation stands, the one that asks it to end, and the set of all operations.
STATE, STOP, ALL = monitoring_overview.STATE, "OperationStop", monitoring_overview.BULK
#: Before other jobs of its queue: what it does may put a million of them there.
_PRIORITY = -1000
#: Jobs of one transaction. Their locks are held for about half a second, measured on two cores that had much else to
#: do; jobs of other ids are not waited for. SQLite has one writer at a time, and nobody is to wait long for it.
_PART, _PART_EMBEDDED = 1_000, 100
_KEPT = 200
#: How often a part that failed is tried again before its jobs are done one by one.
TRIES = 3
_LONGEST_REASON = 300
#: Jobs are counted up to here before the first part; where there are more, the progress is measured by ids.
_COUNTED = 200_000
ACTIONS = ("requeue", "delete", "move")
#: Over how long requeued jobs are spread at most, in seconds: a week.
MOST_SPREAD = 7 * 86_400


class Operations:
    """Starts operations, carries them on and stops them. definition: of the job that carries them on."""

    def __init__(
        self, client: Client, audit: Audit, registry: Registry, recurring_jobs: RecurringJobs,
        definition: JobDefinition, default_queue: str,
    ) -> None:  # fmt: skip
        self.client, self.audit, self.registry, self.definition = client, audit, registry, definition
        self.recurring_jobs, self.default_queue = recurring_jobs, default_queue
        self.part = _PART_EMBEDDED if client.database.is_embedded else _PART

    def start(
        self, action: str, wanted: Wanted, text: str, actor: Actor, key: str, *,
        names: Sequence[NamedArgument] = (), spread: float = 0.0, target: str = "",
    ) -> int:  # fmt: skip
        """Write the operation; its job's id. key: of the form; the same key twice is the same operation.

        text: the filter as people wrote it. names: conditions on arguments by their names; a job of a function that
        the worker does not know has no names, and is left alone. spread: seconds from now over which requeued jobs
        begin, evenly: they are Scheduled meanwhile. target: the queue that waiting jobs are moved to. Raises
        InvalidArgument.
        """
        if action == "move":
            check_queue(target)
        if action not in ACTIONS or len(wanted.states) != 1:
            raise InvalidArgument("a bulk operation requeues, deletes or moves jobs of one state")
        if not 0 <= spread <= MOST_SPREAD or (spread and action != "requeue"):
            raise InvalidArgument(f"requeued jobs are spread over at most {MOST_SPREAD} seconds")

        def work(tx: Tx) -> list[int]:
            lower, highest = monitoring_walk.span(tx, wanted.states[0])
            made = Operation(
                action, wanted.states[0], text, [packed(t) for t in wanted.terms], actor.user, actor.door,
                actor.address, lower, highest + 1, highest + 1, times.to_iso(tx.now()),
                names=[[one.name, list(one.values), one.negated] for one in names], spread=spread,
                options={"queue": target} if action == "move" else {},
            )  # fmt: skip
            return [self._create(tx, made, key)]

        return self.client.run_once(key, work)[0]

    def start_recurring(
        self, wish: Wish, ids: Sequence[str], *, state: str, text: str, actor: Actor, key: str
    ) -> int:  # fmt: skip
        """Write the operation that does something to these recurring jobs; its job's id.

        state, text: the filter that they matched, for people. key: as of `start`. Raises InvalidArgument, also for a
        pause whose end is over.
        """
        if wish.action not in recurring_operations.ACTIONS:
            raise InvalidArgument("a bulk operation triggers, pauses, resumes or removes recurring jobs")

        def work(tx: Tx) -> list[int]:
            check_end(wish.until, tx.now())
            parts = recurring_operations.parts_of(ids)
            made = Operation(
                wish.action, state, text, [], actor.user, actor.door, actor.address, 0, parts, parts or None,
                times.to_iso(tx.now()), kind="recurring", options=wish.options(),
            )  # fmt: skip
            job_id = self._create(tx, made, key)
            recurring_operations.write(tx, job_id, ids)
            return [job_id]

        return self.client.run_once(key, work, asked_before=True)[0]

    def _create(self, tx: Tx, made: Operation, key: str) -> int:
        queue = _queue(tx, self.default_queue)
        new = NewJob(
            self.definition.invocation((), {}), Enqueued(queue=queue, priority=_PRIORITY), queue, _PRIORITY,
            self.definition, {STATE: _written(made)},
        )  # fmt: skip
        job_id = self.client.create_in(tx, [new], key)[0]
        forget(tx)
        structures.put(tx, ALL, {str(job_id): times.to_unix(tx.now())})
        return job_id

    def measure(self, job_id: int) -> None:
        """Count the jobs before the first part, where they are not too many; in no transaction, for it takes long."""
        found = self.client.database.read(lambda tx: load(tx, job_id))
        if found is None or found.kind != "jobs" or found.below != found.upper or found.names:
            return
        wanted = found.wanted
        total = self.client.database.read(lambda tx: monitoring_lists.total(tx, wanted, _COUNTED))
        if total is None:
            return

        def work(tx: Tx) -> None:
            text = jobs.locked_parameter(tx, job_id, STATE)
            if text is not None:
                now = Operation(**json.loads(text))
                now.total = total
                jobs.set_parameters(tx, {(job_id, STATE): _written(now)})

        self.client.database.run(work)

    def step(self, job_id: int) -> Operation:
        """Do the next part in one transaction.

        A part that fails leaves no trace but `tries`, and is tried by the next steps again. When it has failed three
        times more, its jobs are done one by one, and those that fail by themselves are counted as errors. Raises
        JobNotFound when the operation's job is gone, StorageError while the database cannot be used,
        InvalidArgument for what only a newer release can do.
        """
        database = self.client.database
        try:
            return database.run(lambda tx: self._step(tx, job_id))
        except (JobNotFound, JobCancelled, JobTimeout):
            raise
        except Exception as error:
            if isinstance(error, StorageError) and not database.is_refusal(error):
                raise
            why = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        return database.run(lambda tx: self._step_failed(tx, job_id, why))

    def _step(self, tx: Tx, job_id: int) -> Operation:
        now = _locked(tx, job_id)
        if now.ended:
            return now
        stop = jobs.parameters(tx, [job_id]).get(job_id, {}).get(STOP)
        if stop is not None:
            now.stopped_by = stop
            if now.kind == "recurring":
                operation_parts.drop(tx, job_id)
        elif now.kind == "recurring":
            self._change_recurring(tx, job_id, now)
        elif now.below is not None:
            ids, below = self._portion(tx, now)
            now.top = ids[0] + 1 if ids and now.below == now.upper else now.top
            self._change(tx, job_id, now, self._named(tx, now, ids))
            now.below = below
        if now.below is None or now.stopped_by:
            now.ended = times.to_iso(tx.now())
            self.audit.note(tx, now.actor, "operations.end", "operation", job_id, after=result(now))
        now.tries, now.failure = 0, ""
        jobs.set_parameters(tx, {(job_id, STATE): _written(now)})
        return now

    def _step_failed(self, tx: Tx, job_id: int, why: str) -> Operation:
        """Remember it; what failed too often is done one by one, or passed by."""
        now = _locked(tx, job_id)
        if now.ended:
            return now
        now.tries, now.failure = now.tries + 1, why
        if now.is_careful or now.tries > TRIES:
            now.tries = 0
            if now.kind == "recurring":
                now.fail(recurring_operations.take_part(tx, job_id, now.upper - (now.below or 0)))
                now.below = (now.below or 1) - 1 or None
            else:
                ids, below = self._portion(tx, now)
                if len(ids) > 1:
                    now.careful_to = ids[-1]
                else:
                    now.fail(ids)
                    now.below = below
        jobs.set_parameters(tx, {(job_id, STATE): _written(now)})
        return now

    def _portion(self, tx: Tx, now: Operation) -> tuple[list[int], int | None]:
        assert now.below is not None
        limit = 1 if now.is_careful else self.part
        return monitoring_walk.portion(tx, now.wanted, below=now.below, limit=limit)

    def stop(self, job_id: int, by: str) -> bool:
        """Ask an operation to end after the part under way; whether it was still going on."""

        def work(tx: Tx) -> bool:
            text = jobs.locked_parameter(tx, job_id, STATE)
            if text is None or json.loads(text)["ended"]:
                return False
            jobs.set_parameters(tx, {(job_id, STOP): by})
            return True

        return self.client.database.run(work)

    def _named(self, tx: Tx, now: Operation, ids: Sequence[int]) -> Sequence[int]:
        """Those whose arguments are as wanted."""
        wanted = [NamedArgument(name, tuple(values), negated) for name, values, negated in now.names]
        if not wanted or not ids:
            return ids
        return [one.id for one in jobs.read_many(tx, ids) if meets(wanted, self._arguments(one))]

    def _arguments(self, record: JobRecord) -> list[tuple[str | None, Any]]:
        try:
            found = read_invocation(record.invocation_data, record.arguments)
        except InvocationUnreadable:
            return []
        known = self.registry.get(found.name)
        names = [parameter.name for parameter in known.signature.parameters] if known is not None else []
        return [(n, _loaded(str(v))) for n, v in zip(names, found.arguments, strict=False) if v is not None]

    def _change(self, tx: Tx, job_id: int, now: Operation, ids: Sequence[int]) -> None:
        targets = operation_targets.of(tx, job_id, now, ids)
        changes = [Change(i, targets[i], frozenset({now.state})) for i in sorted(targets)]
        for answer in self.client.transitions.apply(tx, changes) if changes else ():
            if answer:
                now.changed += 1
            else:
                now.skip(answer.job_id, answer.refused)

    def _change_recurring(self, tx: Tx, job_id: int, now: Operation) -> None:
        if now.below is None:
            return
        wish, number = Wish.of(now.action, now.options), now.upper - now.below
        for recurring_id, why in recurring_operations.do_part(
            tx, self.recurring_jobs, job_id, number, wish, now.actor
        ):  # fmt: skip
            if why is None:
                now.changed += 1
                note = f"bulk operation #{job_id}"
                self.audit.note(
                    tx, now.actor, f"recurring.{now.action}", "recurring", recurring_id, after=wish.told(), note=note
                )
            else:
                now.skip(recurring_id, why[:_LONGEST_REASON])
        now.below = now.below - 1 or None


def _locked(tx: Tx, job_id: int) -> Operation:
    text = jobs.locked_parameter(tx, job_id, STATE)
    if text is None:
        raise JobNotFound(f"there is no bulk operation {job_id}")
    now = Operation(**json.loads(text))
    if now.action not in (recurring_operations.ACTIONS if now.kind == "recurring" else ACTIONS):
        raise InvalidArgument(f"bulk operation {job_id}: {now.action!r} is known to a newer release only")
    return now


def load(tx: Tx, job_id: int) -> Operation | None:
    """An operation; None when the job is none, or gone."""
    text = jobs.parameters(tx, [job_id]).get(job_id, {}).get(STATE)
    return None if text is None else Operation(**json.loads(text))


def newest(
    tx: Tx, limit: int = 50, before: int | None = None, *, state: str = "", actor: str = ""
) -> list[tuple[int, Operation]]:
    """The newest operations that are still kept, or the newest before one.

    state: `running` or `done`, both when empty. actor: who started them, in any case.
    """
    known = wholes(structures.members(tx, ALL))
    ids = sorted((i for i in known if before is None or i < before), reverse=True)
    some = ids if state or actor else ids[:limit]
    found = jobs.parameters(tx, some) if some else {}
    all_of_them = [(i, Operation(**json.loads(found[i][STATE]))) for i in some if STATE in found.get(i, {})]
    wanted, is_done = actor.strip().lower(), {"running": False, "done": True}.get(state)
    return [
        (i, one)
        for i, one in all_of_them
        if (is_done is None or bool(one.ended) == is_done) and (not wanted or one.user.lower() == wanted)
    ][:limit]


def forget(tx: Tx) -> int:
    """Take all but the newest out of the list of operations; their jobs expire like any other."""
    ids = sorted(wholes(structures.members(tx, ALL)), reverse=True)
    return structures.remove(tx, ALL, [str(i) for i in ids[_KEPT:]]) if ids[_KEPT:] else 0


def result(now: Operation) -> dict[str, Any]:
    """What came of it."""
    return {
        "kind": now.kind, "action": now.action, "state": now.state, "filter": now.text, "changed": now.changed,
        "skipped": now.skipped, "errors": now.errors, "stopped_by": now.stopped_by,
    } | ({"spread": now.spread} if now.spread else {})  # fmt: skip


def _queue(tx: Tx, default: str) -> str:
    """A queue that a server of ours works on: `default` when one does, else the first of the newest server."""
    found = [s.queues for s in server_rows.all_servers(tx) if "taskmanager" in s.data]
    listed = [queues for queues in found if queues]
    return default if not listed or any(default in queues for queues in listed) else str(listed[-1][0])


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _written(operation: Operation) -> str:
    return json.dumps(asdict(operation))
