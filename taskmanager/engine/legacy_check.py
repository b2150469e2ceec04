"""What a look at the rows of c_Job finds, before a worker serves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from taskmanager.domain import cron as crons
from taskmanager.domain.errors import InvalidArgument, InvalidCron
from taskmanager.domain.wallclock import WallClock
from taskmanager.storage.legacy import LegacyJob
from taskmanager.storage.legacy_shape import Recognised
from taskmanager.storage.procedures import checked_name


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of c_Job and what its owner should know: problems keep it from running, notes tell what differs."""

    row: LegacyJob
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    next_runs: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class TableFinding:
    """The same of a whole table."""

    table: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def tables(found: Recognised, *, has_ours: bool = True) -> list[TableFinding]:
    """What is to be known of the tables themselves. has_ours: whether those that are added are there already."""
    faults = [fault for fault in found.faults if "c_LoggedJob" in fault and (has_ours or "does not exist" not in fault)]
    wrong = [TableFinding("c_LoggedJob", problems=(fault,)) for fault in faults]
    return wrong + [
        TableFinding(table, notes=(f"{', '.join(sorted(columns))}: what does not fit is cut, or becomes ?",))
        for table, columns in found.texts.items()
    ]


def check(
    rows: Iterable[LegacyJob], procedures: Mapping[str, int] | None, clock: WallClock, now: datetime,
    mails: Mapping[int, str],
) -> list[Finding]:  # fmt: skip
    """Look at rows one by one. procedures: the parameters of each that is known; None when nothing is.

    clock: the server's. now: naive UTC. mails: what is to be known of the mails of rows that ask for some.
    """
    rows = list(rows)
    names = Counter((row.name or "").strip().lower() for row in rows)
    return [_finding(row, names, procedures, clock, now, mails) for row in rows]


def _finding(
    row: LegacyJob, names: Mapping[str, int], procedures: Mapping[str, int] | None, clock: WallClock, now: datetime,
    mails: Mapping[int, str],
) -> Finding:  # fmt: skip
    problems, notes = list(_calling(row, procedures)), list[str]()
    runs: tuple[datetime, ...] = ()
    cron = (row.cron or "").strip()
    if not cron:
        notes.append("no cron: runs only when it is forced")
    else:
        try:
            runs = tuple(crons.parse(cron, clock.schedule).upcoming(3, after=now))
            notes += _about(cron) if runs else ["its cron never fires"]
        except InvalidCron as error:
            problems.append(str(error))
    if names[(row.name or "").strip().lower()] > 1:
        notes.append(f"its name is not unique: ask for it by c_job:{row.id}")
    notes += [mails[row.id]] if row.id in mails else []
    if not row.active:
        notes.append("inactive")
    elif row.next_run is not None and row.next_run <= clock.local(now):
        notes.append(f"NextRun {row.next_run} has passed: it runs once, at once, when a worker starts")
    elif row.next_run is not None and row.next_run not in {clock.local(one) for one in runs[:1]}:
        notes.append(f"NextRun {row.next_run} comes first, whatever the cron says")
    return Finding(row, tuple(problems), tuple(notes), runs)


def _calling(row: LegacyJob, procedures: Mapping[str, int] | None) -> Iterator[str]:
    try:
        wanted = ".".join(checked_name(row.procedure)).lower()
    except InvalidArgument as error:
        yield str(error)
        return
    if procedures is not None and wanted not in procedures:
        yield f"procedure {row.procedure!r} does not exist, or this user may not see it"
    elif procedures is not None and procedures[wanted]:
        yield f"procedure {row.procedure!r} takes {procedures[wanted]} parameters; c_Job has none"


def _about(cron: str) -> list[str]:
    fields = cron.split()
    notes = ["6 fields: the first is seconds"] if len(fields) == 6 else []
    day, weekday = (fields[-3], fields[-1]) if len(fields) in (5, 6) else ("*", "*")
    if all(field not in ("*", "?") for field in (day, weekday)):
        notes.append("day of month OR day of week, as in cron")
    return notes
