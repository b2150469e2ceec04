"""What is kept of a bulk operation: what is to be done with which jobs, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taskmanager.engine.audit import Actor
from taskmanager.storage.monitoring_filters import Term, Wanted

#: Of what was skipped and of what failed the first so many are remembered.
_SAMPLES = 100


@dataclass(slots=True)
class Operation:
    """What is to be done with which jobs, and how far it is. upper: ids from here on are not touched.

    spread: seconds over which requeued jobs begin, evenly; all at once when it is 0.
    errors: what failed, `failed` the first of them with the reason. tries: how often the part under way has failed, and
    `failure` why; careful_to: down to this id jobs are done one by one, for a part of them failed again and again.
    below: the walk goes on below this id; None when it has ended. skipped: jobs whose state had changed meanwhile.
    total: how many jobs matched before the first part, where that could be counted; else the progress is measured by
    ids, between `lower` and `top`, which is above the first job that was found.
    names: conditions on arguments by their names, which SQL does not know. kind: `jobs`, or `recurring`: then `upper`
    and `below` count parts, and `options` are of `recurring_operations.Wish`.
    """

    action: str
    state: str
    text: str
    terms: list[list[Any]]
    user: str
    door: str
    address: str | None
    lower: int
    upper: int
    below: int | None
    started: str
    changed: int = 0
    skipped: int = 0
    ended: str | None = None
    stopped_by: str | None = None
    samples: list[list[Any]] = field(default_factory=list)
    names: list[list[Any]] = field(default_factory=list)
    kind: str = "jobs"
    options: dict[str, Any] = field(default_factory=dict)
    top: int | None = None
    total: int | None = None
    spread: float = 0.0
    errors: int = 0
    tries: int = 0
    failure: str = ""
    failed: list[list[Any]] = field(default_factory=list)
    careful_to: int | None = None

    def skip(self, one: Any, why: str | None) -> None:
        """Something that is left as it is; the first ones are remembered with the reason."""
        self.skipped += 1
        if len(self.samples) < _SAMPLES:
            self.samples.append([one, why])

    def fail(self, some: Sequence[Any]) -> None:
        """What failed by itself, for the reason of the last try."""
        self.errors += len(some)
        self.failed += [[one, self.failure] for one in some[: max(0, _SAMPLES - len(self.failed))]]

    @property
    def is_careful(self) -> bool:
        """Whether jobs are done one by one."""
        return self.careful_to is not None and self.below is not None and self.below > self.careful_to

    @property
    def done(self) -> int:
        """How many it has gone through."""
        return self.changed + self.skipped + self.errors

    @property
    def share(self) -> float:
        """How far it is, or was when it was stopped, from 0 to 1."""
        if self.below is None:
            return 1.0
        if self.total:
            return min(1.0, self.done / self.total)
        top = self.top or self.upper
        return min(1.0, max(0.0, (top - self.below) / max(1, top - self.lower)))

    @property
    def wanted(self) -> Wanted:
        """The filter."""
        return Wanted((self.state,), tuple(_term(one) for one in self.terms))

    @property
    def actor(self) -> Actor:
        """Who started it."""
        return Actor(self.user, self.door, self.address)


def packed(term: Term) -> list[Any]:
    """A condition of a filter as JSON has it."""
    values = [{"at": v.isoformat()} if isinstance(v, datetime) else v for v in term.values]
    return [term.kind, values, term.negated]


def _term(found: Sequence[Any]) -> Term:
    kind, values, negated = found
    return Term(kind, tuple(datetime.fromisoformat(v["at"]) if isinstance(v, dict) else v for v in values), negated)
