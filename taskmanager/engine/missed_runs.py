"""Recurring jobs and rows of c_Job that began later than they may: told by rules in code, and to who hears of failures.

c_JobAlert has no column for it. Where one of its rules, or EmailOnFailure of a row, tells somebody of failures, a run
that was missed is told, too: how late it has to be for that is one setting for all. The newest ten are remembered for
pages, whoever is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from taskmanager.domain import invocation as invocations
from taskmanager.domain import times
from taskmanager.domain.alerts import AlertRule, Event
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine.alerts import Alerts, Ended, names_of
from taskmanager.engine.legacy_schedule import PREFIX
from taskmanager.engine.registry import Registry
from taskmanager.engine.rule_book import AGE
from taskmanager.storage import recurring_past
from taskmanager.storage.legacy import LegacyRow
from taskmanager.storage.transaction import Tx


class MissedRuns:
    """Judges slots when they are dealt with. seconds: how late is missed for who hears of failures; 0 is never.

    alerts: None where nobody is told of anything.
    """

    def __init__(self, registry: Registry, alerts: Alerts | None, seconds: float) -> None:
        self.registry, self.alerts, self.seconds = registry, alerts, seconds

    def fired(self, tx: Tx, known: RecurringRecord, now: datetime) -> None:
        """A recurring job's slot was dealt with."""
        slot = known.next_execution
        if slot is None or (now - slot).total_seconds() < 1:
            return
        definition = self.registry.get(invocations.read(known.job).name)
        rule, late = definition.alerts if definition is not None else None, (now - slot).total_seconds()
        if late > (allowed(rule, self.seconds) or late):
            recurring_past.save_missed(tx, {known.id: slot}, now)
        title = definition.title if definition is not None else known.id
        facts = _facts(title, known.id, slot, now)
        if definition is not None:
            facts["function"] = definition.name
        ended = Ended(facts, names_of(definition, title, known.id), rule)
        by_code = rule is not None and rule.missed_by is not None and late > rule.missed_by
        if self._is_told(ended, late, set()) or by_code:
            self._tell(tx, [ended])

    def rows(self, tx: Tx, fired: Sequence[tuple[LegacyRow, datetime]]) -> None:
        """Rows of c_Job begin that were planned for these moments (UTC)."""
        now = tx.now()
        late = [(row, slot) for row, slot in fired if 0 < self.seconds < (now - slot).total_seconds()]
        recurring_past.save_missed(
            tx, {f"{PREFIX}{row.id}": slot for row, slot in sorted(late, key=lambda pair: pair[0].id)}, now
        )
        if not late or self.alerts is None:
            return
        mailing = self.alerts.mailing([row.id for row, _ in late])
        told = []
        for row, slot in late:
            name, recurring_id = row.name or f"{PREFIX}{row.id}", f"{PREFIX}{row.id}"
            ended = Ended(_facts(name, recurring_id, slot, now), names_of(None, name, recurring_id), None)
            if self._is_told(ended, (now - slot).total_seconds(), {f"{PREFIX}{i}" for i in mailing}):
                told.append(ended)
        self._tell(tx, told)

    def _is_told(self, ended: Ended, late: float, mailing: set[str]) -> bool:
        """Whether somebody hears of it as of a failure; then its facts say so."""
        if self.alerts is None or not 0 < self.seconds < late:
            return False
        row = self.alerts.book.current(AGE).row(ended.names)
        by_rule = row is not None and self.alerts.is_told_of_failures(row.rule)
        ended.facts["as_failure"] = by_rule or ended.facts["recurring_id"] in mailing
        return bool(ended.facts["as_failure"])

    def _tell(self, tx: Tx, ended: list[Ended]) -> None:
        for one in ended:
            one.events = [Event.MISSED]
        if self.alerts is not None:
            self.alerts.tell(tx, ended)


def allowed(rule: AlertRule | None, seconds: float) -> float | None:
    """How late a run may be, in seconds, before it is missed: as a rule in code says, else as all; None for ever."""
    return rule.missed_by if rule is not None and rule.missed_by is not None else seconds or None


def _facts(job: str, recurring_id: str, slot: datetime, now: datetime) -> dict[str, Any]:
    return {
        "job": job, "recurring_id": recurring_id, "slot": times.to_iso(slot),
        "late_seconds": round((now - slot).total_seconds()), "at": times.to_iso(now),
    }  # fmt: skip
