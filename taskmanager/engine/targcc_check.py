"""What a look at the rows of the older c_Job finds, before a worker serves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.wallclock import WallClock
from taskmanager.engine import targcc_rules
from taskmanager.engine.targcc import TargccJobs
from taskmanager.engine.targcc_calls import BUILT_IN, is_procedure
from taskmanager.storage import targcc, targcc_marks
from taskmanager.storage.procedures import checked_name
from taskmanager.storage.targcc import TargccRow
from taskmanager.storage.targcc_marks import Known
from taskmanager.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class OlderFinding:
    """A row and what its owner should know: problems keep it from running. next_run: on the server's wall clock."""

    row: TargccRow
    next_run: datetime | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def check(
    tx: Tx, served: TargccJobs, procedures: Mapping[str, int] | None, *, has_marks: bool = True
) -> list[OlderFinding]:
    """Look at all rows. procedures: the parameters of each that is known; None when nothing is.

    has_marks: whether there is a table in which we may have remembered something of them.
    """
    clock, known = served.outcomes.wall_clock(tx), targcc_marks.load(tx) if has_marks else {}
    return [_finding(row, known.get(row.id, Known()), served, procedures, clock, tx.now()) for row in targcc.rows(tx)]


def _finding(
    row: TargccRow, known: Known, served: TargccJobs, procedures: Mapping[str, int] | None, clock: WallClock,
    now: datetime,
) -> OlderFinding:  # fmt: skip
    if not row.managed:
        return OlderFinding(row, row.next_run, (), ("an external program runs it (IsManaged)",))
    left = served.calls.passed_by(row)
    if left is not None and row.code.lower() not in BUILT_IN:
        return OlderFinding(row, row.next_run, (), (f"left alone: {left}",))
    problems = [left] if left is not None else list(_calling(row.code, served, procedures))
    planned = targcc_rules.plan(row, known, clock, now) if row.active else known
    if row.active and planned.fault is not None:
        problems.append(planned.fault)
    following = row.next_run or (planned.wall if row.active else None)
    notes = [] if row.active else ["inactive"]
    if row.active and row.next_run is not None and row.next_run <= clock.local(now):
        notes.append(f"NextRunTime {row.next_run} has passed: it runs once, at once, when a worker starts")
    return OlderFinding(row, following, tuple(problems), tuple(notes))


def _calling(code: str, served: TargccJobs, procedures: Mapping[str, int] | None) -> Iterator[str]:
    if not is_procedure(code):
        found = served.calls.call_of(code)
        if isinstance(found, str):
            yield found
        return
    try:
        name = ".".join(checked_name(code)).lower()
    except InvalidArgument as error:
        yield str(error)
        return
    if procedures is not None and name not in procedures:
        yield f"procedure {code!r} does not exist, or this user may not see it"
    elif procedures is not None and procedures[name]:
        yield f"procedure {code!r} takes {procedures[name]} parameters; c_Job has none"
