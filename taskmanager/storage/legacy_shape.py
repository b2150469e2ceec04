"""Which c_Job and c_LoggedJob a database has: the specification's, the older one of TARGCC, or neither.

They belong to their owners: they are read, and never altered.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from weakref import WeakKeyDictionary

from sqlalchemy import inspect
from sqlalchemy.exc import NoSuchTableError

from taskmanager.storage import legacy_texts
from taskmanager.storage.legacy_texts import Texts
from taskmanager.storage.statements import Prepared
from taskmanager.storage.transaction import Tx

#: A table that cannot be served is looked at again after so long: somebody may have mended it.
RECHECK_SECONDS = 5.0


class Shape(Enum):
    """Whose columns a table has."""

    SPECIFICATION = "the specification's"
    TARGCC = "the older TARGCC"
    UNKNOWN = "unknown"


_SPECIFICATION = (
    "ID", "JobName", "CronExpression", "StoredProcName", "IsActive", "LastRun", "NextRun", "LastResult",
    "FailureCount", "EmailOnFailure",
)  # fmt: skip
_TARGCC = (
    "ID", "lkpJob", "lkpJobRunner", "enmJobType", "WhenToRun", "CyclicCount", "SendNotificationOnSuccess",
    "TimeOutSec", "Active", "ActivatingUser", "NextRunTime", "LastRunTime", "enmJobStatus", "WarningMailSent",
    "IsManaged", "LastRunBy",
)  # fmt: skip
_SPECIFICATION_LOGGED = (
    "ID", "JobName", "JobId", "JobType", "StartedAt", "CompletedAt", "DurationMs", "Success", "ResultMessage",
    "ErrorMessage", "StackTrace", "ServerName", "TriggeredBy", "MemoryUsedMB", "CpuTimeMs", "CreatedAt",
)  # fmt: skip
_TARGCC_LOGGED = (
    "ID", "c_JobID", "WhenStarted", "ActivatingUser", "LastRunBy", "ExecutionTimeSec", "enmRunStatus_JobStatus",
    "Remarks", "SuccessCount", "FailureCount", "AddedBy", "AddedOn",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recognised:
    """The shapes of both tables. faults: what is wrong with those that are unknown, a sentence each."""

    job: Shape
    logged: Shape
    faults: tuple[str, ...] = ()
    #: Whether c_User has mail addresses, for recipients who are named by their ID.
    has_users: bool = False
    #: Whether c_SystemDefault is there, which may name who is mailed where a row names nobody.
    has_defaults: bool = False
    #: What columns of theirs take that do not take every text.
    texts: Texts = field(default_factory=dict, compare=False)


_found: WeakKeyDictionary[Prepared, tuple[Recognised, float]] = WeakKeyDictionary()


def of(tx: Tx) -> Recognised:
    """The shapes of this database's tables; asked once, and again after a while where one of them is unknown."""
    found = known(tx.prepared)
    if found is None:
        found = read(tx)
        _found[tx.prepared] = (found, time.monotonic())
    return found


def known(prepared: Prepared) -> Recognised | None:
    """What `of` has found and would answer again without asking."""
    found, at = _found.get(prepared, (None, 0.0))
    if found is not None and found.faults and time.monotonic() - at >= RECHECK_SECONDS:
        return None
    return found


def forget(prepared: Prepared) -> None:
    """Ask anew at the next occasion: a statement failed, and somebody may have renamed or altered a table."""
    _found.pop(prepared, None)


def read(tx: Tx) -> Recognised:
    """Look at the tables."""
    job, fault = judge("c_Job", _columns(tx, "c_Job"), _SPECIFICATION, _TARGCC)
    logged, fault_of_logged = judge("c_LoggedJob", _columns(tx, "c_LoggedJob"), _SPECIFICATION_LOGGED, _TARGCC_LOGGED)
    faults = []
    if fault:
        faults.append(f"{fault} Its rows are not served; everything else runs")
    if fault_of_logged:
        faults.append(f"{fault_of_logged} No history is written to it; everything else runs")
    users = _columns(tx, "c_User") if job is not Shape.UNKNOWN else ()
    has_users = {"id", "email"} <= {name.lower() for name in users}
    defaults = _columns(tx, "c_SystemDefault") if job is Shape.TARGCC else ()
    has_defaults = {"group", "settingname", "spt_settingvalue"} <= {name.lower() for name in defaults}
    return Recognised(
        job, logged, tuple(faults), has_users, has_defaults, legacy_texts.read(tx.connection, tx.prepared.product.name)
    )


def judge(
    name: str, columns: Collection[str], specification: Collection[str], targcc: Collection[str]
) -> tuple[Shape, str | None]:
    """Whose columns these are; for neither's, a sentence that names what the nearer one has and they have not."""
    present = {column.lower() for column in columns}
    lacks = {
        Shape.SPECIFICATION: [c for c in specification if c.lower() not in present],
        Shape.TARGCC: [c for c in targcc if c.lower() not in present],
    }
    for shape, missing in lacks.items():
        if not missing:
            return shape, None
    if not present:
        return Shape.UNKNOWN, f"table {name} does not exist."
    share = {Shape.SPECIFICATION: len(specification), Shape.TARGCC: len(targcc)}
    nearer = min(lacks, key=lambda shape: len(lacks[shape]) / share[shape])
    return Shape.UNKNOWN, f"{name} has not the columns of {nearer.value} table: {', '.join(lacks[nearer])} missing."


def _columns(tx: Tx, name: str) -> list[str]:
    try:
        return [str(column["name"]) for column in inspect(tx.connection).get_columns(name)]
    except NoSuchTableError:
        return []
