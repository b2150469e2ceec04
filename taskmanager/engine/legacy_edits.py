"""A row of c_Job in a form: its columns as texts, checked when they are typed anew, and written in place.

The row stays the operator's: what a person did not change is not written, and who edits it by SQL meanwhile wins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from taskmanager.domain import cron as crons
from taskmanager.domain.errors import ChangedMeanwhile, InvalidArgument, InvalidCron, InvalidFields
from taskmanager.domain.targcc import Rule, Unplannable, next_slot
from taskmanager.domain.texts import storable
from taskmanager.domain.wallclock import WallClock
from taskmanager.engine.legacy import found_row
from taskmanager.engine.legacy_schedule import PREFIX
from taskmanager.engine.legacy_served import ServedJobs
from taskmanager.storage import legacy_edits, targcc
from taskmanager.storage.legacy_edits import EditedRow
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.procedures import checked_name
from taskmanager.storage.targcc import TargccRow
from taskmanager.storage.transaction import Tx

_LONGEST = {"JobName": 100, "CronExpression": 50, "StoredProcName": 100}
_MOST = 2**31 - 1
_WALL = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True, slots=True)
class RowForm:
    """A row to be edited. values: by column, flags as "1" and ""; version: another one when somebody changed them."""

    row_id: int
    shape: Shape
    name: str | None
    values: Mapping[str, str]

    @property
    def version(self) -> str:
        """Of the values that are edited."""
        return hashlib.sha256(json.dumps([self.name, dict(self.values)]).encode()).hexdigest()[:32]


class RowEdits:
    """Reads rows for a form, and writes what comes back."""

    def __init__(self, served: ServedJobs) -> None:
        self._served, self._database = served, served.database

    def read(self, row_id: int) -> RowForm:
        """A row. Raises RecurringJobNotFound."""
        is_older = self._served.is_targcc(row_id)

        def work(tx: Tx) -> RowForm:
            if is_older:
                older = legacy_edits.load_targcc(tx, row_id)
                return _older_form(row_id, found_row(older, row_id))
            return _form(row_id, found_row(legacy_edits.load(tx, row_id), row_id))

        return self._database.read(work)

    def edit(self, row_id: int, given: Mapping[str, str], *, version: str) -> bool:
        """Write the columns of a form; whether anything was another. What is not given stays.

        Raises InvalidFields, RecurringJobNotFound, ChangedMeanwhile when the row is another than `version` by now.
        """
        is_older = self._served.is_targcc(row_id)
        tries = 0

        def work(tx: Tx) -> bool:
            nonlocal tries
            tries += 1
            older = found_row(targcc.lock(tx, row_id), row_id) if is_older else None
            row = None if is_older else found_row(legacy_edits.load(tx, row_id, lock=True), row_id)
            before = _older_form(row_id, older) if older is not None else _form(row_id, found_row(row, row_id))
            wanted = {c: (storable(given.get(c, v)) or "").strip() for c, v in before.values.items()}
            changed = {c for c, v in wanted.items() if v != before.values[c].strip()}
            if before.version != version and not (tries > 1 and not changed):
                raise ChangedMeanwhile(f"{PREFIX}{row_id} has been changed by somebody else meanwhile")
            if not changed:
                return tries > 1  # then the COMMIT of the first try was in doubt, and had gone through
            new = {c: v if c in changed else before.values[c] for c, v in wanted.items()}
            if older is not None:
                self._write_older(tx, older, new)
            elif row is not None:
                _write(tx, row_id, row, new)
            return True

        return self._database.run(work)

    def _write_older(self, tx: Tx, row: TargccRow, new: Mapping[str, str]) -> None:
        rule, timeout = _rule(new), _number("TimeOutSec", new["TimeOutSec"]) or None
        if rule != row.rule:
            _check_plan(rule, self._served.targcc.outcomes.wall_clock(tx), tx)
        if rule != row.rule or timeout != row.timeout:
            values = {"kind": rule.kind, "when_to_run": rule.when, "every": rule.every, "timeout": timeout}
            legacy_edits.save_targcc(tx, row.id, values)
        if rule != row.rule:
            targcc.plan(tx, row.id, None)
        if bool(new["Active"]) != row.active:
            targcc.switch(tx, row.id, not row.active, self._served.targcc.outcomes.user)


def _form(row_id: int, row: EditedRow) -> RowForm:
    values = {
        "JobName": row.name or "", "CronExpression": row.cron or "", "StoredProcName": row.procedure or "",
        "IsActive": "1" if row.active else "", "EmailOnFailure": "1" if row.mails else "",
    }  # fmt: skip
    return RowForm(row_id, Shape.SPECIFICATION, row.name, values)


def _older_form(row_id: int, row: TargccRow) -> RowForm:
    rule = row.rule
    values = {
        "enmJobType": rule.kind or "", "WhenToRun": "" if rule.when is None else rule.when.strftime(_WALL),
        "CyclicCount": "" if rule.every is None else str(rule.every),
        "TimeOutSec": "" if row.timeout is None else str(row.timeout), "Active": "1" if row.active else "",
    }  # fmt: skip
    return RowForm(row_id, Shape.TARGCC, row.code or None, values)


def _write(tx: Tx, row_id: int, row: EditedRow, new: Mapping[str, str]) -> None:
    wanted = replace(
        row, name=_kept(row.name, new["JobName"]), cron=_kept(row.cron, new["CronExpression"]),
        procedure=_kept(row.procedure, new["StoredProcName"]), active=bool(new["IsActive"]),
        mails=bool(new["EmailOnFailure"]),
    )  # fmt: skip
    _check(row, wanted)
    legacy_edits.save(tx, row_id, row, wanted)


def _kept(old: str | None, new: str) -> str | None:
    """NULL and empty look the same in a form: what was the one stays it."""
    return old if new == (old or "") else new or None


def _check(row: EditedRow, new: EditedRow) -> None:
    """What was typed anew. Raises InvalidFields."""
    errors: dict[str, str] = {}
    for column, text in (("JobName", new.name), ("CronExpression", new.cron), ("StoredProcName", new.procedure)):
        if len(text or "") > _LONGEST[column]:
            errors[column] = f"has {len(text or '')} characters, and the column takes {_LONGEST[column]}"
    try:
        if new.cron != row.cron and (new.cron or "").strip():
            crons.parse((new.cron or "").strip())
    except InvalidCron as error:
        errors.setdefault("CronExpression", str(error))
    try:
        if new.procedure != row.procedure:
            checked_name(new.procedure)
    except InvalidArgument as error:
        errors.setdefault("StoredProcName", str(error))
    if errors:
        raise InvalidFields(errors)


def _rule(new: Mapping[str, str]) -> Rule:
    kind, text = new["enmJobType"], new["WhenToRun"]
    try:
        when = datetime.fromisoformat(text).replace(tzinfo=None, microsecond=0) if text else None
    except ValueError:
        raise InvalidFields({"WhenToRun": f"{text[:40]!r} is no time such as 2026-11-01T02:00:00"}) from None
    every = _number("CyclicCount", new["CyclicCount"])
    return Rule(kind or None, when, every)


def _number(column: str, text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or int(text[:20]) > _MOST:
        raise InvalidFields({column: f"{text[:40]!r} is no whole number from 0 to {_MOST}"})
    return int(text)


def _check_plan(rule: Rule, clock: WallClock, tx: Tx) -> None:
    try:
        next_slot(rule, clock, tx.now(), None)
    except Unplannable as error:
        column = next((c for c in ("CyclicCount", "WhenToRun") if str(error).startswith(c)), "enmJobType")
        raise InvalidFields({column: str(error)}) from None
