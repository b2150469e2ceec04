"""What the old TaskManager mailed besides failures: rows that were missed, runs of which items failed, successes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from taskmanager.domain import times
from taskmanager.domain.alerts import Event
from taskmanager.domain.wallclock import WallClock
from taskmanager.engine import targcc_rules
from taskmanager.engine.row_mails import Mailed, nobody
from taskmanager.engine.targcc_rules import Facts
from taskmanager.storage import legacy_shape, recurring_past, targcc_mail
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.targcc import TargccRow
from taskmanager.storage.targcc_marks import Known
from taskmanager.storage.transaction import Tx


class Tell(Protocol):
    """Creates the job that sends a message of a row. to_row: to whom the row names, too; whether somebody is told."""

    def __call__(
        self, tx: Tx, row_id: int, name: str, event: Event, facts: Mapping[str, Any], *, to_row: bool = True
    ) -> bool: ...


#: A row is not missed before it is so late, however little its runner's rows may take.
_LEAST_SECONDS = 60
_COMPARED = 900
_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Late:
    """A row that was to begin at a moment (UTC), and has not for longer than all rows of its runner may take."""

    due: datetime
    bound: int


class TargccMails:
    """Tells of rows. tell: set where alerts are served."""

    def __init__(self) -> None:
        self.tell: Tell | None = None
        #: Who is mailed of rows that begin.
        self.mailed: Mailed = nobody
        #: Rows whose lateness nobody wants to hear of, by the moment at which they were due.
        self._untold: dict[int, datetime] = {}

    def late(self, rows: Iterable[TargccRow], known: Mapping[int, Known], facts: Facts) -> dict[int, Late]:
        """Rows that were missed, and of which no mail has told."""
        if self.tell is None:
            return {}
        rows = [row for row in rows if row.active]
        bounds: dict[str, int] = defaultdict(int)
        for row in rows:
            bounds[row.runner.lower()] += row.timeout or 0
        found = {}
        for row in rows:
            bound = max(_LEAST_SECONDS, bounds[row.runner.lower()])
            due = None if row.warned else targcc_rules.expected(row, known.get(row.id, Known()), facts)
            if due is not None and facts.now > due + timedelta(seconds=bound) and self._untold.get(row.id) != due:
                found[row.id] = Late(due, bound)
        return found

    def missed(self, tx: Tx, row: TargccRow, late: Late) -> None:
        """Tell, once, that a row was missed: WarningMailSent says so until its next run has ended."""
        now = tx.now()
        recurring_past.save_missed(tx, {f"c_job:{row.id}": late.due}, now)
        facts = {
            "slot": times.to_iso(late.due), "late_seconds": round((now - late.due).total_seconds()),
            "message": f"It was not started within {late.bound} s of its time, the sum of TimeOutSec of its runner.",
        }  # fmt: skip
        if self._tell(tx, row, Event.MISSED, facts):
            targcc_mail.warn(tx, row.id)
        else:
            self._untold[row.id] = late.due

    def freed(self, tx: Tx, row: TargccRow, reason: str) -> None:
        """Tell that a row failed whose run nobody has told of."""
        self._tell(tx, row, Event.FAILURE, {"message": reason[:_LENGTH]})

    def ended(self, tx: Tx, row: TargccRow, known: Known, one: Mapping[str, Any], clock: WallClock) -> None:
        """Tell of a run that is about to be logged, in one message; failures are told by others.

        Of a warning those whom the row names, and who hears of successes or of failures by a rule. Of a success
        those who hear of each by a rule, and those whom the row names where it is news.
        """
        if self.tell is None or one["status"] not in ("Warning", "Success"):
            return
        if one["status"] == "Warning":
            self._tell(tx, row, Event.WARNING, _facts(one))
        else:
            is_news = row.notifies and _is_news(tx, row, known, one, clock)
            self._tell(tx, row, Event.SUCCESS, _facts(one), to_row=is_news)

    def ended_without_row(self, tx: Tx, one: Mapping[str, Any]) -> None:
        """Tell of a run whose row was deleted while it ran, to who was named when it began, and by the rules of its
        name; whether a success is news nobody knows any more."""
        name = one.get("name")
        if self.tell is None or not name or one["status"] not in ("Warning", "Success"):
            return
        is_warning = one["status"] == "Warning"
        event = Event.WARNING if is_warning else Event.SUCCESS
        self.tell(tx, one["id"], name, event, _facts(one), to_row=is_warning)

    def _tell(
        self, tx: Tx, row: TargccRow, event: Event, facts: Mapping[str, Any], *, to_row: bool = True
    ) -> bool:  # fmt: skip
        if self.tell is None:
            return False
        return self.tell(tx, row.id, row.code or f"row {row.id} of c_Job", event, facts, to_row=to_row)


def _facts(one: Mapping[str, Any]) -> dict[str, Any]:
    """What a message tells of a run."""
    duration = one.get("duration_ms", one["seconds"] * 1000)  # an outcome that an older release owed has seconds only
    return {
        "job_id": one["job"], "started": times.to_iso(one["started_at"]), "duration_ms": duration,
        "server": one["by"], "message": one["remarks"][:_LENGTH], "items_done": one["counts"][0],
        "items_failed": one["counts"][1], "function": one.get("function"), "mail_to": one.get("mail_to"),
    }  # fmt: skip


def _is_news(tx: Tx, row: TargccRow, known: Known, one: Mapping[str, Any], clock: WallClock) -> bool:
    """Whether a success is the first run of its day, or says something else than the run before it."""
    today = clock.local(one["started_at"]).date()
    if legacy_shape.of(tx).logged is not Shape.TARGCC:
        return known.last is None or clock.local(known.last).date() != today
    before = targcc_mail.last_run(tx, row.id)
    if before is None or before.started is None or before.started.date() != today:
        return True
    says: str = one["remarks"]
    return before.remarks[:_COMPARED] != says[:_COMPARED]
