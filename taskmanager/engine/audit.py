"""Who changed what: the one function the doors call around a change.

    with audit.changing(actor, "recurring.pause") as change:
        change.about("recurring", "nightly", before={"paused": False}, after={"paused": True})
        tm.pause("nightly")

The row is written in the very transaction of the change, before its COMMIT: no change without its row, and no row of a
change that was rolled back. What changed nothing, failed or was denied is written afterwards, in one of its own.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from taskmanager.domain import masking
from taskmanager.domain.errors import StorageError
from taskmanager.engine.transitions import Applied
from taskmanager.storage import audit as rows
from taskmanager.storage.audit import Row
from taskmanager.storage.companions import accompanied
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.audit")

#: Longer texts of before and after are cut: a row tells what changed, it is no copy of the data.
_LONGEST = 4000
#: Seconds that a refusal waits for its row; it has been refused all the same.
_PATIENCE = 1.5
OUTCOMES = ("done", "unchanged", "failed", "denied")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who, from where, and through which door: dashboard, api, cli. request: the number of a request, of web doors."""

    user: str
    door: str
    address: str | None = None
    request: str | None = None


@dataclass(slots=True)
class Change:
    """What is being done. `about` says to what; several things one after another in one change are as many rows."""

    actor: Actor
    action: str
    kind: str = ""
    target: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    note: str | None = None
    #: Whether kind and target are only what the door took for granted before anybody said.
    is_guess: bool = False
    written: bool = field(default=False, init=False)
    left: list[tuple[str, str]] = field(default_factory=list, init=False)

    def about(
        self, kind: str, target: object, *, before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None, note: str | None = None,
    ) -> None:  # fmt: skip
        """Name what is changed next, with what it was and what it will be."""
        if self.kind and not self.written and not self.is_guess:
            self.left.append((self.kind, self.target))
        self.is_guess = False
        self.kind, self.target, self.before, self.after, self.note = kind, str(target), before, after, note
        self.written = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One of several things that a transaction changed: a list of these as its result is as many rows."""

    kind: str
    target: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


class Audit:
    """The log of one installation. words: parts of names whose values are masked."""

    def __init__(self, database: Database, words: Sequence[str]) -> None:
        self.database, self.words = database, tuple(words)

    @contextmanager
    def changing(self, actor: Actor, action: str, *, log_rest: bool = True) -> Iterator[Change]:
        """Around a change: every transaction it runs writes what it did.

        log_rest: also write what ran no transaction, as failed when the block raised, else as unchanged.
        """
        change = Change(actor, action)
        failed: BaseException | None = None
        try:
            with accompanied(lambda tx, result: self._accompany(tx, change, result)):
                yield change
        except Exception as error:
            failed = error
            raise
        finally:
            if log_rest and not isinstance(failed, StorageError):
                self._rest(change, failed)

    def denied(self, actor: Actor, action: str, kind: str, target: object, note: str) -> None:
        """Write what was refused before it began. Away from the database it is only logged."""
        self._write(self._row(Change(actor, action, kind, str(target), note=note), "denied"))

    def note(self, tx: Tx, actor: Actor, action: str, kind: str, target: object, **more: Any) -> None:
        """Write a row in a transaction at hand: for what a job of ours does in somebody's name.

        more: before, after, note.
        """
        rows.add(tx, [self._row(Change(actor, action, kind, str(target), **more), "done")])

    def _accompany(self, tx: Tx, change: Change, result: Any) -> None:
        if isinstance(result, list) and result and all(isinstance(one, Applied) for one in result):
            found = [self._of_job(change, one) for one in result]
        elif isinstance(result, list) and result and all(isinstance(one, Told) for one in result):
            found = [
                self._row(change, "done", kind=t.kind, target=t.target, before=t.before, after=t.after) for t in result
            ]
        elif change.written:
            return
        else:
            made = isinstance(result, list) and bool(result) and all(isinstance(one, int) for one in result)
            after = {**(change.after or {}), "jobs": result[:20]} if made else change.after
            found = [self._row(change, "unchanged" if result is False or result == [] else "done", after=after)]
        rows.add(tx, found)
        tx.after_commit(lambda: setattr(change, "written", True))

    def _of_job(self, change: Change, applied: Applied) -> Row:
        outcome = "done" if applied else "unchanged"
        before = None if applied.left is None else {"state": applied.left}
        after = {**(change.after or {}), "state": applied.state.name} if applied.state is not None else change.after
        note = applied.refused or change.note
        return self._row(change, outcome, kind="job", target=str(applied.job_id), before=before, after=after, note=note)

    def _rest(self, change: Change, error: BaseException | None) -> None:
        outcome = "failed" if error is not None else "unchanged"
        note = None if error is None else f"{type(error).__name__}: {error}"
        left = [*change.left] if change.written else [*change.left, (change.kind, change.target)]
        for kind, target in left:
            if kind:
                self._write(self._row(change, outcome, kind=kind, target=target, after=None, note=note))

    def _write(self, row: Row) -> None:
        try:
            with accompanied(None):
                self.database.run(lambda tx: rows.add(tx, [row]), patience=_PATIENCE)
        except StorageError as error:
            log.warning("not in the audit log: %s %s %s %s: %s", row.user, row.action, row.target, row.outcome, error)

    def _row(self, change: Change, outcome: str, **other: Any) -> Row:
        given = {name: other.get(name, getattr(change, name)) for name in ("kind", "target", "before", "after", "note")}
        actor = change.actor
        return Row(
            user=actor.user, address=actor.address, door=actor.door, action=change.action, outcome=outcome,
            kind=given["kind"] or "-", target=given["target"] or "-", before=self._text(given["before"]),
            after=self._text(given["after"]), note=masking.text(given["note"], self.words) or None,
            request=actor.request,
        )  # fmt: skip

    def _text(self, facts: Mapping[str, Any] | None) -> str | None:
        if not facts:
            return None
        text = json.dumps(masking.values(facts, self.words), ensure_ascii=False, default=str)
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
