"""Rows of the older c_LoggedJob: appended, and read under the names of the specification's columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from taskmanager.storage import legacy_shape, legacy_texts
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.targcc import USER_LENGTH, TargccRow, whole_moment
from taskmanager.storage.transaction import Tx

_LOGGED = (
    "c_JobID", "WhenStarted", "ActivatingUser", "LastRunBy", "ExecutionTimeSec", "enmRunStatus_JobStatus", "Remarks",
    "SuccessCount", "FailureCount", "AddedBy", "AddedOn",
)  # fmt: skip
#: A longer text of Remarks is cut to so many characters; the whole stands with the job.
_REMARKS_LENGTH, _REMARKS_KEPT = 1000, 960
_SUCCESS = ("success", "warning")


@statement
def insert_targcc_logged(t: Tables, p: Product) -> str:
    names = ", ".join(p.quote(c) for c in _LOGGED)
    return f"INSERT INTO {p.quote('c_LoggedJob')} ({names}) VALUES ({', '.join(f':{c}' for c in _LOGGED)})"


@statement
def read_targcc_logged(t: Tables, p: Product) -> str:
    q = p.quote
    wanted = ("WhenStarted", "ExecutionTimeSec", "enmRunStatus_JobStatus", "Remarks", "LastRunBy", "ActivatingUser")
    return (
        f"SELECT l.{q('ID')}, COALESCE(j.{q('lkpJob')}, ''), {', '.join(f'l.{q(c)}' for c in wanted)}, "
        f"l.{q('AddedOn')} FROM {q('c_LoggedJob')} l LEFT JOIN {q('c_Job')} j ON j.{q('ID')} = l.{q('c_JobID')} "
        f"WHERE (:any_name = 1 OR LOWER(j.{q('lkpJob')}) = :name) AND (:any_outcome = 1 OR "
        f"LOWER(COALESCE(l.{q('enmRunStatus_JobStatus')}, '')) NOT IN ('success', 'warning')) "
        f"ORDER BY l.{q('ID')} DESC LIMIT :limit"
    )


@statement
def targcc_statistics(t: Tables, p: Product) -> str:
    q = p.quote
    code, took = f"COALESCE(j.{q('lkpJob')}, '')", f"l.{q('ExecutionTimeSec')}"
    good = f"CASE WHEN LOWER(COALESCE(l.{q('enmRunStatus_JobStatus')}, '')) IN ('success', 'warning') THEN 1 ELSE 0 END"
    return (
        f"SELECT {code}, COUNT(*), SUM({good}), AVG({took}), MIN({took}), MAX({took}), MAX(l.{q('WhenStarted')}) "
        f"FROM {q('c_LoggedJob')} l LEFT JOIN {q('c_Job')} j ON j.{q('ID')} = l.{q('c_JobID')} "
        f"WHERE COALESCE(l.{q('WhenStarted')}, l.{q('AddedOn')}) >= :since GROUP BY {code} ORDER BY {code}"
    )


@statement
def targcc_runs_that_began(t: Tables, p: Product) -> str:
    q = p.quote
    return f"SELECT {q('LastRunBy')} FROM {q('c_LoggedJob')} WHERE {q('c_JobID')} = :id AND {q('WhenStarted')} = :at"


def is_there(tx: Tx, row_id: int, started_at: datetime, by: str) -> bool:
    """Whether a run of a row that began at this moment (UTC) is in the history."""
    found = tx.execute(targcc_runs_that_began, {"id": row_id, "at": tx.bind_moment(tx.clock.to_local(started_at))})
    return any(known == by[:USER_LENGTH] for (known,) in found)


def add(
    tx: Tx, row: TargccRow, *, started_at: datetime, seconds: int, status: str, remarks: str, by: str,
    counts: tuple[int | None, int | None] = (None, None), job_id: int | None = None,
) -> None:  # fmt: skip
    """Append a run. counts: items done and failed in it. job_id: where the whole of a long text stands."""
    values = (
        row.id, tx.bind_moment(tx.clock.to_local(started_at)), row.user, by[:USER_LENGTH], seconds, status,
        _cut(remarks, job_id), *counts, by[:USER_LENGTH] or "TaskManager", tx.bind_moment(tx.clock.local_now()),
    )  # fmt: skip
    given = dict(zip(_LOGGED, values, strict=True))
    tx.execute(insert_targcc_logged, legacy_texts.fitted(legacy_shape.of(tx).texts, "c_LoggedJob", given))


def _cut(text: str, job_id: int | None) -> str:
    """Remarks as they are kept."""
    if len(text) <= _REMARKS_LENGTH:
        return text
    return f"{text[:_REMARKS_KEPT]} …[cut; see job {job_id}]"


def history(tx: Tx, *, name: str | None, limit: int, failed_only: bool) -> list[dict[str, Any]]:
    """Runs, newest first, under the names of the specification's columns."""
    given = {"any_name": int(name is None), "name": (name or "").lower(), "limit": limit}
    found = tx.execute(read_targcc_logged, given | {"any_outcome": int(not failed_only)})
    return [_logged(r) for r in found]


def _logged(r: Sequence[Any]) -> dict[str, Any]:
    number, name, started, seconds, status, remarks, by, user, added = r
    begun, success = whole_moment(started), str(status or "").strip().lower() in _SUCCESS
    ended = None if begun is None or seconds is None else begun + timedelta(seconds=int(seconds))
    return {
        "ID": number, "JobName": name, "JobId": None, "JobType": "Recurring", "StartedAt": begun, "CompletedAt": ended,
        "DurationMs": None if seconds is None else int(seconds) * 1000, "Success": int(success),
        "ResultMessage": remarks if success else None, "ErrorMessage": None if success else remarks, "StackTrace": None,
        "ServerName": by, "TriggeredBy": user, "MemoryUsedMB": None, "CpuTimeMs": None,
        "CreatedAt": whole_moment(added),
    }  # fmt: skip


def statistics(tx: Tx, *, days: float) -> list[dict[str, Any]]:
    """Counts and durations of each code over the last days."""
    since = tx.bind_moment(tx.clock.local_now() - timedelta(days=days))
    found = []
    for name, runs, good, average, shortest, longest, last in tx.execute(targcc_statistics, {"since": since}):
        found.append({
            "name": name, "runs": int(runs), "succeeded": int(good or 0), "failed": int(runs) - int(good or 0),
            "average_ms": None if average is None else round(float(average) * 1000),
            "shortest_ms": None if shortest is None else int(shortest) * 1000,
            "longest_ms": None if longest is None else int(longest) * 1000, "last_started": whole_moment(last),
        })  # fmt: skip
    return found
