"""What people make of alerts that are active: acknowledged, or told of no more until a moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from taskmanager.domain import times
from taskmanager.engine.recurring_verbs import check_end, check_note
from taskmanager.storage import alert_marks
from taskmanager.storage.alert_marks import Mark
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx


class ActiveAlerts:
    """The alerts of one installation that are active, by their keys. Each verb tells whether there was such a one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def acknowledge(self, key: str, *, by: str, note: str | None = None) -> bool:
        """Take an alert in hand, until it is over. Raises InvalidArgument for a note of more than 500 characters."""
        mark = Mark(by, None, _checked(note))
        return self._at(key, lambda tx: alert_marks.acknowledge(tx, key, mark))

    def snooze(self, key: str, *, until: datetime, by: str, note: str | None = None) -> bool:
        """Tell nobody of it until a moment (a naive one is UTC) by the database's clock, or until it is over.

        Raises InvalidArgument for an end that is over, and as `acknowledge`.
        """
        end = times.to_utc(until)
        mark = Mark(by, None, _checked(note), end)

        def work(tx: Tx) -> None:
            check_end(end, tx.now())
            alert_marks.snooze(tx, key, mark)

        return self._at(key, work)

    def wake(self, key: str) -> bool:
        """Tell of it again."""
        return self._at(key, lambda tx: alert_marks.wake(tx, key))

    def _at(self, key: str, work: Callable[[Tx], None]) -> bool:
        def look(tx: Tx) -> bool:
            found = alert_marks.one(tx, key) is not None
            if found:
                work(tx)
            return found

        return self.database.run(look)


def _checked(note: str | None) -> str | None:
    text = (note or "").strip()
    check_note(text)
    return text or None
