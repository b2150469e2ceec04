"""All rows of c_Job at a glance, of either shape: what a list of ten thousand is filtered and sorted by."""

from __future__ import annotations

from taskmanager.domain import cron as crons
from taskmanager.domain.errors import InvalidCron
from taskmanager.domain.times import to_iso, to_unix
from taskmanager.domain.wallclock import WallClock
from taskmanager.engine import targcc_rules
from taskmanager.engine.legacy_schedule import PREFIX, LegacySchedule, call_of
from taskmanager.engine.targcc import TargccJobs
from taskmanager.engine.targcc_calls import is_procedure
from taskmanager.storage import legacy_lists, targcc, targcc_marks
from taskmanager.storage.legacy import LegacyRow, flag
from taskmanager.storage.monitoring_recurring import Glance
from taskmanager.storage.targcc_marks import Known
from taskmanager.storage.transaction import Tx


def of_rows(tx: Tx, schedule: LegacySchedule, *, moments: bool, texts: bool) -> list[Glance]:
    """The rows in no order. moments: with what is due and ran last; texts: with names and calls."""
    found, clock = list[Glance](), None
    wrong: dict[str | None, bool] = {}
    for number, active, cron, following, last, name, procedure, zone in legacy_lists.listed(
        tx, moments=moments, texts=texts
    ):
        if (is_wrong := wrong.get(cron)) is None:
            is_wrong = wrong[cron] = _is_wrong(cron)
        due, ran, job = None, "", ""
        if moments:
            clock = clock or schedule.wall_clock_of(str(zone))
            due, ran = _unix(following, clock), _iso(last, clock)
        if texts and not procedure:
            job = call_of(LegacyRow(int(number), name, cron, procedure, False, None)).to_compact_json()
        found.append(
            Glance(
                f"{PREFIX}{number}", due, is_wrong, not flag(active), ran, cron or "", "default", job, name or "",
                procedure, int(number),
            )
        )  # fmt: skip
    return found


def of_older_rows(tx: Tx, served: TargccJobs, *, texts: bool) -> list[Glance]:
    """The same of the older shape, of which each row is read whole."""
    known, clock, found = targcc_marks.load(tx), served.outcomes.wall_clock(tx), list[Glance]()
    for row in targcc.rows(tx):
        procedure = row.code if is_procedure(row.code) else None
        job = ""
        if texts and procedure is None:
            job = served.calls.new(row, targcc_rules.SYSTEM, "").invocation.to_compact_json()
        is_wrong = served.fault_of(row, known.get(row.id, Known())) is not None
        due, ran = _unix(row.next_run, clock), _iso(row.last_run, clock)
        found.append(
            Glance(
                f"{PREFIX}{row.id}", due, is_wrong, not row.active, ran, served.cron_of(row), "default", job, row.code,
                procedure, row.id,
            )
        )  # fmt: skip
    return found


def _is_wrong(cron: str | None) -> bool:
    try:
        if cron and cron.strip():
            crons.parse(cron.strip())
    except InvalidCron:
        return True
    return False


def _unix(shown: object, clock: WallClock) -> float | None:
    at = legacy_lists.moment(shown)
    return None if at is None else to_unix(clock.utc(at))


def _iso(shown: object, clock: WallClock) -> str:
    at = legacy_lists.moment(shown)
    return "" if at is None else to_iso(clock.utc(at))
