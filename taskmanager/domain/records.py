"""Rows as values: what storage hands to the rooms above it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class StateRecord:
    """One row of a job's history."""

    id: int
    name: str
    reason: str | None
    created_at: datetime
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One job as stored, with its parameters and, where asked for, its history (oldest first)."""

    id: int
    state: str | None
    state_id: int | None
    invocation_data: str
    arguments: str
    created_at: datetime
    expire_at: datetime | None
    queue: str | None = None
    priority: int = 0
    parameters: Mapping[str, str] = field(default_factory=dict)
    history: tuple[StateRecord, ...] = ()

    @property
    def current(self) -> StateRecord | None:
        """The row of the state the job is in, when the history was loaded."""
        return next((s for s in reversed(self.history) if s.id == self.state_id), None)

    @property
    def result(self) -> Any:
        """What a succeeded job returned (parsed JSON); None when it returned nothing or has not succeeded."""
        state = self.current
        if state is None or state.name != "Succeeded" or "Result" not in state.data:
            return None
        try:
            return json.loads(state.data["Result"])
        except ValueError:
            return state.data["Result"]


@dataclass(slots=True)
class Claim:
    """A job this process holds: its queue row, and the job as it was read when it was claimed."""

    queue_id: int
    job_id: int
    queue: str
    token: str
    state: str | None = None
    state_id: int | None = None
    invocation_data: str = ""
    arguments: str = ""
    created_at: datetime | None = None
    priority: int = 0
    parameters: dict[str, str] = field(default_factory=dict)
    #: Whether the job's Processing is of this very claim; else it is of a run whose process is gone.
    begun: bool = False


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """One running worker process, as it announced itself."""

    id: str
    data: Mapping[str, Any]
    last_heartbeat: datetime | None

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues it says it works on; none where another program's row says something else."""
        named = self.data.get("Queues")
        return tuple(str(one) for one in named) if isinstance(named, (list, tuple)) else ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a recurring job does not fire: since when, until when (None: until somebody resumes it), by whom, a note.

    Moments are naive UTC. since, by and note are not known of a pause that was made by SQL.
    """

    since: datetime | None = None
    until: datetime | None = None
    by: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class RecurringRecord:
    """One recurring job: the hash `recurring-job:{id}` and its score; or a row of c_Job, whose id is `c_job:{ID}`.

    name: JobName of such a row, as its operators know it; procedure: what it calls. overrides: the fields of the hash
    that a person has changed in a definition of the code; in_code: what the code says of all of them then.
    pause: what is known of its pause. resumed_at: slots up to here were of a pause, and are not owed.
    """

    id: str
    cron: str
    time_zone: str
    queue: str
    job: str
    misfire: int
    created_at: datetime | None
    next_execution: datetime | None
    last_execution: datetime | None
    last_job_id: int | None
    error: str | None
    paused: bool
    days_and: bool = False
    orphaned: bool = False
    priority: int = 0
    from_code: bool = False
    name: str | None = None
    procedure: str | None = None
    overrides: tuple[str, ...] = ()
    in_code: Mapping[str, str] = field(default_factory=dict)
    pause: Pause | None = None
    resumed_at: datetime | None = None

    @property
    def until(self) -> datetime | None:
        """When it resumes by itself."""
        return self.pause.until if self.pause is not None else None
