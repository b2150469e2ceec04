"""The history that does not expire, c_LoggedJob, as people page through it: by name, outcome, time, server, person.

Newest start first, by the two indexes the table has: (JobName, StartedAt) and (Success, StartedAt). What neither
serves is looked for next to the edge of a page only, as in lists of jobs. An older table of TARGCC is shown in short.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from taskmanager.storage import legacy_shape, targcc_logged
from taskmanager.storage.dialects import Product
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.monitoring_lists import CAP
from taskmanager.storage.monitoring_logged_pages import TEXT, Kind, counting, listing
from taskmanager.storage.monitoring_logged_searches import ANY_ID, NO_ID, search
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: Of an older table so many rows are looked at.
OLDER_ROWS = 1_000
_MOST_NAMES = 500
EVER, NEVER = datetime(1970, 1, 1), datetime(9999, 12, 31)

#: Between two runs: a start (UTC) and an id.
Place = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class WantedRuns:
    """Which runs. name: as it is stored; succeeded: None for both; since, until: UTC; server, by: parts of a text.

    text: a part of the name, the error or the result.
    """

    name: str | None = None
    succeeded: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    server: str = ""
    by: str = ""
    text: str = ""

    @property
    def is_searched(self) -> bool:
        """Whether something is asked for that no index serves."""
        return bool(self.server or self.by or self.text)


@dataclass(frozen=True, slots=True)
class Run:
    """One run as a list shows it. Moments are UTC; `note`: how it ended, cut."""

    id: int
    name: str
    job_id: str | None
    type: str
    started: datetime | None
    duration_ms: int | None
    succeeded: bool
    server: str | None
    by: str | None
    note: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first.

    A search looked at `looked` runs: at none that began before `floor`, and, asked for newer ones, at none that began
    after `ceiling`; None where it looked at all. number: so many of those match, where that was asked for.
    """

    rows: tuple[Run, ...]
    has_older: bool = False
    has_newer: bool = False
    floor: datetime | None = None
    ceiling: datetime | None = None
    looked: int = 0
    number: int | None = None

    @property
    def older(self) -> Place | None:
        """Where older ones go on: behind the last, or where a search has ended."""
        if self.has_older:
            return _place(self.rows[-1]) if self.rows else None
        return None if self.floor is None else (self.floor, NO_ID)

    @property
    def newer(self) -> Place | None:
        """Where newer ones go on."""
        if self.ceiling is not None:
            return self.ceiling, ANY_ID
        return _place(self.rows[0]) if self.has_newer and self.rows else None


def shape(tx: Tx) -> tuple[Shape, str | None]:
    """Whose columns the table has, and what is wrong with it where it cannot be shown."""
    found = legacy_shape.of(tx)
    fault = next((f for f in found.faults if "c_LoggedJob" in f), None)
    return found.logged, fault


def page(
    tx: Tx, wanted: WantedRuns, *, limit: int, before: Place | None = None, after: Place | None = None,
    counted: bool = False,
) -> RunPage:  # fmt: skip
    """At most `limit` runs: those next below `before` (start in UTC, id), or next above `after`, or the newest.

    counted: of a search, how many there are among those looked at is told as well.
    """
    if (whose := shape(tx)[0]) is not Shape.SPECIFICATION:
        return older_page(tx, wanted, limit) if whose is Shape.TARGCC else RunPage(())
    ascending, edge = after is not None, after or before
    at = NEVER if edge is None else tx.clock.to_local(edge[0])
    given = given_for(tx, wanted) | {
        "edge_at": tx.bind_moment(at), "edge_id": edge[1] if edge else ANY_ID, "limit": limit + 1,
    }  # fmt: skip
    kind, bound, looked, number = kind_of(wanted), None, 0, None
    if wanted.is_searched:
        found = search(tx, kind, given, ascending=ascending, counted=counted and not ascending)
        read, looked, number = found.rows, found.looked, found.number
        bound = None if found.bound is None else tx.clock.to_utc(as_moment(found.bound))
    else:
        read = list(tx.execute(listing(kind, ascending), given))
    more, runs = len(read) > limit, tuple([_run(tx, r) for r in read[:limit]])
    if not ascending:
        return RunPage(runs, more, before is not None, bound, None, looked, number)
    ceiling = None if more else bound
    return RunPage(runs[::-1], True, more or ceiling is not None, None, ceiling, looked)


def count(tx: Tx, wanted: WantedRuns, *, first: RunPage | None = None) -> int | None:
    """How many runs, at most the cap and one; of a search among those looked at; None where they are not counted.

    first: the first page of them, where it has been read: what it tells is not asked for again.
    """
    if shape(tx)[0] is not Shape.SPECIFICATION:
        return None
    if first is not None and not first.has_older:
        return len(first.rows)
    if wanted.is_searched:
        return (first or page(tx, wanted, limit=1, counted=True)).number
    given = given_for(tx, wanted) | {"edge_at": tx.bind_moment(NEVER), "edge_id": ANY_ID, "limit": CAP + 1}
    return min(CAP + 1, int(tx.execute(counting(kind_of(wanted), CAP + 1), given).scalar_one()))


def names(tx: Tx) -> list[str]:
    """The names of jobs that have run, by one look-up in the index each."""
    whose = shape(tx)[0]
    if whose is Shape.TARGCC:
        return sorted({str(r["JobName"]) for r in older_rows(tx, None, False)})
    return [str(r[0]) for r in tx.execute(logged_names)] if whose is Shape.SPECIFICATION else []


def run(tx: Tx, run_id: int) -> dict[str, Any] | None:
    """All columns of one run, moments in UTC; None when there is none."""
    whose = shape(tx)[0]
    if whose is Shape.TARGCC:
        found = [r for r in older_rows(tx, None, False) if r["ID"] == run_id]
    else:
        found = tx.execute(logged_by_id, {"id": run_id}).mappings() if whose is Shape.SPECIFICATION else []
    if not found:
        return None
    moments = ("StartedAt", "CompletedAt", "CreatedAt")
    return {
        n: tx.clock.to_utc(as_moment(v)) if n in moments and v is not None else v for n, v in dict(found[0]).items()
    }


@statement
def logged_by_id(t: Tables, p: Product) -> Any:
    return select(*t.legacy.logged.c).where(bindparam("id") == t.legacy.logged.c.ID)


@statement
def logged_names(t: Tables, p: Product) -> str:
    """Distinct names, bounded."""
    return p.distinct(t.legacy.logged.name, "JobName", _MOST_NAMES)


@statement
def logged_page(t: Tables, p: Product) -> str:
    """The first page of everything."""
    return str(listing((False, None, False, False, False), False)(t, p))


@statement
def logged_page_of_name(t: Tables, p: Product) -> str:
    """A page of the failures of a name, from a server, by somebody, with a text."""
    return str(listing((True, False, True, True, True), False)(t, p))


def kind_of(wanted: WantedRuns) -> Kind:
    return wanted.name is not None, wanted.succeeded, bool(wanted.server), bool(wanted.by), bool(wanted.text)


def given_for(tx: Tx, wanted: WantedRuns) -> dict[str, Any]:
    clock = tx.clock
    return {
        "name": wanted.name, "server": _like(wanted.server), "by": _like(wanted.by),
        "text": _like(wanted.text),
        "since": tx.bind_moment(clock.to_local(wanted.since) if wanted.since else EVER),
        "until": tx.bind_moment(clock.to_local(wanted.until) if wanted.until else NEVER),
    }  # fmt: skip


def _like(text: str) -> str:
    return "%" + re.sub(r"([!%_])", r"!\1", text.lower()) + "%"


def _place(run: Run) -> Place | None:
    return None if run.started is None else (run.started, run.id)


def _run(tx: Tx, r: Sequence[Any]) -> Run:
    number, name, job_id, kind, started, took, success, server, by, note = r
    return Run(
        int(number), str(name), job_id, str(kind), tx.clock.to_utc(as_moment(started)), took, bool(success), server,
        by, note or "",
    )  # fmt: skip


# -- the older table of TARGCC: it has no index to page by, and is never altered -----------------------------------


def older_rows(tx: Tx, name: str | None, failed_only: bool) -> list[dict[str, Any]]:
    return targcc_logged.history(tx, name=name, limit=OLDER_ROWS, failed_only=failed_only)


def older_page(tx: Tx, wanted: WantedRuns, limit: int) -> RunPage:
    """The newest runs of the newest rows that meet the conditions; there are no further pages."""
    found = (older_run(tx, r) for r in older_rows(tx, wanted.name, wanted.succeeded is False))
    meets: list[Callable[[Run], bool]] = [
        lambda r: wanted.succeeded is None or r.succeeded == wanted.succeeded,
        lambda r: wanted.since is None or (r.started is not None and r.started >= wanted.since),
        lambda r: wanted.until is None or (r.started is not None and r.started < wanted.until),
        lambda r: wanted.server.lower() in (r.server or "").lower(),
        lambda r: wanted.by.lower() in (r.by or "").lower(),
        lambda r: wanted.text.lower() in f"{r.name}\n{r.note}".lower(),
    ]
    return RunPage(tuple([r for r in found if all(meet(r) for meet in meets)][:limit]))


def older_run(tx: Tx, r: dict[str, Any]) -> Run:
    started = None if r["StartedAt"] is None else tx.clock.to_utc(as_moment(r["StartedAt"]))
    note = str(r["ErrorMessage"] or r["ResultMessage"] or "")[:TEXT]
    return Run(
        int(r["ID"]), str(r["JobName"]), None, str(r["JobType"]), started, r["DurationMs"], bool(r["Success"]),
        r["ServerName"], r["TriggeredBy"], note,
    )  # fmt: skip
