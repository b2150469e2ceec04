"""The rules of alerts as the tables said a moment ago, read by whoever needs them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from taskmanager.domain.errors import TaskManagerError
from taskmanager.storage import alerts
from taskmanager.storage.alerts import AlertRow
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.alerts")

#: How old the rules may be that an outcome is judged by: seconds, of a success and of a failure.
AGE, AGE_OF_FAILURE = 1.0, 0.2
#: How long rules that cannot be read are not asked for again.
_BROKEN_SECONDS = 30.0
#: Of so many kinds of jobs it is kept that no rule names them.
_MOST_KINDS = 10_000


@dataclass(slots=True)
class Rules:
    """What the tables said a moment ago."""

    rows: dict[str, AlertRow] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    until: float = 0.0
    unheard: set[tuple[str | None, ...]] = field(default_factory=set)

    def is_unheard(self, kind: tuple[str | None, ...]) -> bool:
        """Whether no rule names jobs of a kind, and no alert of theirs is active: what they come to is told nobody."""
        return kind in self.unheard

    def remember_unheard(self, kind: tuple[str | None, ...]) -> None:
        """No rule names jobs of this kind, whatever they come to."""
        if len(self.unheard) >= _MOST_KINDS:
            self.unheard.clear()
        self.unheard.add(kind)

    def row(self, names: Iterable[str]) -> AlertRow | None:
        """The row for a job by the first of its names that has one."""
        return next((self.rows[n] for n in names if n in self.rows), None)


class RuleBook:
    """The rules, read by whoever needs them when what is known is too old."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rules = Rules()
        self._read_at = 0.0

    def current(self, age: float) -> Rules:
        """The rules, at most `age` seconds old."""
        now = time.monotonic()
        if now - self._read_at > age and now >= self._rules.until:
            self._read_at = now
            found = self.ask(lambda tx: (alerts.load_all(tx), alerts.failing(tx)))
            if found is None:
                self._rules.until = now + _BROKEN_SECONDS
            else:
                self._rules = Rules({row.name.strip().lower(): row for row in reversed(found[0])}, found[1])
        return self._rules

    def ask(self, work: Callable[[Tx], Any]) -> Any:
        """Read something on a connection of its own; None, and a word in the log, when that fails."""
        try:
            return self._database.read(work, patience=0)
        except TaskManagerError as error:
            log.warning("the rules of alerts cannot be read, those known before go on: %s", error)
            return None
