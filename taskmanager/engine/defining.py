"""Definitions of recurring jobs are written here: by code, by people, and back again as the code has them.

What a person has changed in a definition of the code is kept at the next start, until it is restored or reverted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from taskmanager.domain import cron as crons
from taskmanager.domain import times
from taskmanager.domain.cron import Misfire
from taskmanager.domain.errors import ChangedMeanwhile, RecurringJobExists, RecurringJobNotFound
from taskmanager.domain.records import Pause, RecurringRecord
from taskmanager.engine import definitions
from taskmanager.engine.client import Client, check_queue
from taskmanager.engine.definitions import Definition, Edit, Restored
from taskmanager.storage import recurring
from taskmanager.storage.database import DuplicateKey
from taskmanager.storage.transaction import Tx

#: Definitions that are restored in one transaction: few enough that no scheduler waits long.
_BATCH = 50
_THERE = "there is a recurring job {!r} already: change it, or take another id"


class Defining:
    """The verbs that write definitions."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.database = client.database

    def add_or_update(self, wanted: Definition) -> None:
        """Write a definition; its next time is computed anew only when cron or zone changed, or it is new.

        What people have changed in a definition of the code stays as they want it.
        """
        self.check(wanted)

        def work(tx: Tx) -> None:
            known = recurring.load(tx, wanted.id, lock=True)
            in_code = definitions.fields_of(wanted)
            kept: dict[str, str] = {}
            if known is not None and known.from_code and wanted.from_code:
                old = definitions.fields_of(known)
                kept = {name: old[name] for name in known.overrides}
            self._write(tx, known, wanted.id, in_code | kept, in_code if wanted.from_code else None)

        self.database.run(work)

    def add(self, wanted: Definition) -> None:
        """Write a definition that is new; of two at the same time one is written, and the other told.

        Raises RecurringJobExists, and what `add_or_update` raises.
        """
        self.check(wanted)
        tries, new = 0, definitions.fields_of(wanted)

        def work(tx: Tx) -> None:
            nonlocal tries
            tries += 1
            known = recurring.load(tx, wanted.id)
            if known is None:
                recurring.claim_id(tx, wanted.id)
                self._write(tx, None, wanted.id, new, None)
            elif tries == 1 or definitions.fields_of(known) != new:
                raise RecurringJobExists(_THERE.format(wanted.id))
            # else the COMMIT of the first try was in doubt, and had gone through

        try:
            self.database.run(work)
        except DuplicateKey as error:
            raise RecurringJobExists(_THERE.format(wanted.id)) from error

    def check(self, wanted: Definition) -> None:
        """Raises InvalidCron, InvalidArgument, PayloadTooLarge for what cannot be written."""
        definitions.check(wanted)
        check_queue(wanted.queue)
        self.client.checked_arguments(wanted.invocation)

    def edit(self, recurring_id: str, wanted: Edit, *, version: str) -> bool:
        """Change a definition as a person wants it; whether anything was another.

        version: of the definition that the person saw. Raises ChangedMeanwhile when it is another by now,
        RecurringJobNotFound, InvalidCron, InvalidArgument.
        """
        crons.parse(wanted.cron, wanted.time_zone, wanted.days_and)
        check_queue(wanted.queue)
        if wanted.invocation is not None:
            self.client.checked_arguments(wanted.invocation)
        tries = 0

        def work(tx: Tx) -> bool:
            nonlocal tries
            tries += 1
            known = must(recurring.load(tx, recurring_id, lock=True), recurring_id)
            old = definitions.fields_of(known)
            new = definitions.edited(known, wanted)
            is_so = new == old and known.paused == (not wanted.enabled)
            if definitions.version(known) != version and not (tries > 1 and is_so):
                raise ChangedMeanwhile(f"recurring job {recurring_id!r} has been changed by somebody else meanwhile")
            if is_so:
                return tries > 1  # then the COMMIT of the first try was in doubt, and had gone through
            if known.paused == wanted.enabled:
                recurring.set_paused(tx, recurring_id, None if wanted.enabled else Pause(since=tx.now(), by=wanted.by))
            in_code = (known.in_code or old) if known.from_code else None
            self._write(tx, known, recurring_id, new, in_code, resumed=known.paused and wanted.enabled)
            return True

        return self.database.run(work)

    def revert(self, recurring_id: str) -> bool:
        """Make a definition again what the code says, as it was when a server last started; whether it was another.

        Raises RecurringJobNotFound.
        """

        def work(tx: Tx) -> bool:
            known = must(recurring.load(tx, recurring_id, lock=True), recurring_id)
            if known.overrides and known.in_code:
                self._write(tx, known, recurring_id, definitions.fields_of(known) | dict(known.in_code), known.in_code)
            return bool(known.overrides)

        return self.database.run(work)

    def restore(self, wanted: Sequence[Definition]) -> list[Restored]:
        """Bring back definitions that are missing, or are not as the code says; what was done to which.

        A pause survives: what was paused, and what was removed by `keep_pause` while it was, comes back paused.
        """
        found: list[Restored] = []
        ordered = sorted(wanted, key=lambda one: one.id)
        for start in range(0, len(ordered), _BATCH):
            part = ordered[start : start + _BATCH]
            found += self.database.run(lambda tx, part=part: self._restore(tx, part))  # type: ignore[misc]
        return found

    def _restore(self, tx: Tx, wanted: Sequence[Definition]) -> list[Restored]:
        found = []
        for one in wanted:
            known = recurring.load(tx, one.id, lock=True)
            restored = definitions.difference(known, one, paused=one.id in recurring.paused_among(tx, [one.id]))
            if restored is not None:
                in_code = definitions.fields_of(one)
                self._write(tx, known, one.id, in_code, in_code)
                found.append(restored)
        return found

    def _write(
        self, tx: Tx, known: RecurringRecord | None, recurring_id: str, new: Mapping[str, str],
        in_code: Mapping[str, str] | None, *, resumed: bool = False,
    ) -> None:  # fmt: skip
        """Write the fields of a definition. in_code: what the code says; where `new` is another, a person wants it."""
        parsed = crons.parse(new["Cron"], new["TimeZoneId"], new["DaysAnd"] == "1")
        same = known is not None and definitions.is_same_schedule(definitions.fields_of(known), new)
        overrides = [] if in_code is None else [n for n in new if n in in_code and in_code[n] != new[n]]
        written: dict[str, str | None] = {
            **new,
            "V": "2", "Error": "", "Orphaned": "", "FromCode": str(int(in_code is not None)),
            "Overrides": json.dumps(overrides) if overrides else "",
            "InCode": json.dumps(dict(in_code)) if overrides and in_code is not None else "",
        }  # fmt: skip
        if known is None:
            written["CreatedAt"] = times.to_iso(tx.now())
        elif resumed or (new["Misfire"] == str(int(Misfire.STRICT)) and not same):
            # A strict job does not owe the slots that its new cron would have had before, nor those of a pause.
            written["ResumedAt"] = times.to_iso(tx.now())
        recurring.save(tx, recurring_id, written, self._next(tx, known, recurring_id, parsed, same))

    def _next(
        self, tx: Tx, known: RecurringRecord | None, recurring_id: str, parsed: crons.Cron, same: bool
    ) -> datetime | None:
        if recurring.paused_among(tx, [recurring_id]):
            return None
        if known is not None and same and known.error is None and known.next_execution is not None:
            return known.next_execution
        return parsed.next_after(tx.now())


def must(known: RecurringRecord | None, recurring_id: str) -> RecurringRecord:
    """Raises RecurringJobNotFound for what is not there."""
    if known is None:
        raise RecurringJobNotFound(f"there is no recurring job {recurring_id!r}")
    return known
