"""What a batch of state changes writes, collected first and written set-wise, a statement a kind of row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from taskmanager.domain.states import State, short
from taskmanager.domain.texts import storable
from taskmanager.storage import job_log, jobs, queues, structures
from taskmanager.storage.transaction import Tx


class Effects:
    """A list of rows for each table; `write` puts them into the transaction in one fixed order."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        #: One moment for the whole batch, in whole seconds: what expires together is written by one statement.
        self.now = tx.now().replace(microsecond=0)
        self._at: datetime | None = None
        self._bound_at: Any = None
        self._moments: dict[timedelta, datetime] = {}
        self._last: tuple[State, datetime, str] | None = None
        self._states: list[dict[str, Any]] = []
        self._enter: dict[tuple[str, datetime | None], list[int]] = defaultdict(list)
        self._routes: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._push: list[tuple[int, str, int]] = []
        self._drop_queue_rows: list[int] = []
        self._acknowledge: list[int] = []
        self._put: dict[str, dict[str, float]] = defaultdict(dict)
        self._remove: dict[str, list[str]] = defaultdict(list)
        self._counts: dict[tuple[str, datetime | None], int] = defaultdict(int)
        self._parameters: dict[tuple[int, str], str | None] = {}
        self._logs: list[dict[str, Any]] = []
        self._later: dict[Callable[[Tx, list[Any]], None], list[Any]] = {}
        self.queues: set[str] = set()

    def history(self, job_id: int, state: State, at: datetime) -> None:
        """Append a row to a job's history."""
        self._states.append(
            {
                "JobId": job_id,
                "Name": state.name,
                "Reason": short(storable(state.reason)) if state.reason else None,
                "CreatedAt": self._bound(at),
                "Data": self._json_of(state, at),
            }
        )

    def _bound(self, at: datetime) -> Any:
        """A moment as the driver takes it; of many jobs that are enqueued at once it is the same."""
        if self._at is not at:
            self._at, self._bound_at = at, self.tx.bind_moment(at)
        return self._bound_at

    def _json_of(self, state: State, at: datetime) -> str:
        """The state's data as text; of a batch that enters the same state at the same moment, written once."""
        last = self._last
        if last is None or last[1] is not at or (last[0] is not state and last[0] != state):
            last = self._last = (state, at, state.json(at))
        return last[2]

    def after(self, span: timedelta) -> datetime:
        """The moment so long after the batch's: one object for all jobs."""
        found = self._moments.get(span)
        if found is None:
            found = self._moments[span] = self.now + span
        return found

    def enter(self, job_id: int, name: str, expire_at: datetime | None) -> None:
        """Make the newest history row the job's state."""
        self._enter[name, expire_at].append(job_id)

    def route(self, job_id: int, queue: str, priority: int) -> None:
        """Remember on the job where it belongs."""
        self._routes[queue, priority].append(job_id)

    def push(self, job_id: int, queue: str, priority: int) -> None:
        """Put the job into a queue."""
        self._push.append((job_id, queue, priority))
        self.queues.add(queue)

    def drop_queue_rows(self, job_id: int) -> None:
        """Take the job out of whatever queue it is in; who held it is fenced off."""
        self._drop_queue_rows.append(job_id)

    def acknowledge(self, queue_id: int) -> None:
        """Delete one queue row: its claim has done its work."""
        self._acknowledge.append(queue_id)

    def put(self, key: str, value: str, score: float) -> None:
        """Add a member to a set."""
        self._put[key][value] = score

    def remove(self, key: str, *values: str) -> None:
        """Take members out of a set."""
        self._remove[key].extend(values)

    def count(self, key: str, by: int = 1, expire_at: datetime | None = None) -> None:
        """Count something."""
        self._counts[key, expire_at] += by

    def parameter(self, job_id: int, name: str, value: str | None) -> None:
        """Write a parameter of a job."""
        self._parameters[job_id, name] = value

    def log(self, job_id: int, attempt: int, lines: str, at: datetime) -> None:
        """Keep lines that a job wrote."""
        row = {"JobId": job_id, "Attempt": attempt, "CreatedAt": self.tx.bind_moment(at), "Lines": lines}
        self._logs.append(row)

    def later(self, writer: Callable[[Tx, list[Any]], None], row: Any) -> None:
        """Collect a row for a writer of a filter's own, called once with all of them."""
        self._later.setdefault(writer, []).append(row)

    def write(self) -> None:
        """Write all that was collected."""
        tx = self.tx
        state_id = jobs.add_states(tx, self._states)
        for (name, expire_at), ids in self._enter.items():
            jobs.enter(tx, ids, name, expire_at, state_id=state_id)
        for (queue, priority), ids in self._routes.items():
            jobs.set_route(tx, ids, queue, priority)
        queues.acknowledge(tx, self._acknowledge)
        queues.remove_jobs(tx, self._drop_queue_rows)
        queues.push(tx, self._push)
        for key, values in self._remove.items():
            structures.remove(tx, key, values)
        for key, scores in self._put.items():
            structures.put(tx, key, scores)
        jobs.set_parameters(tx, self._parameters)
        structures.add_counts(tx, self._counts)
        job_log.add(tx, self._logs)
        for writer, rows in self._later.items():
            writer(tx, rows)
