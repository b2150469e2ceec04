"""What is remembered about each row of c_Job, which has no column for it: the fields of one hash, by ID.

Who holds the lock on a row may write what is remembered about it; nobody else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from taskmanager.domain.texts import whole
from taskmanager.storage import legacy, structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.legacy")

HASH = "c_job:rows"


@dataclass(frozen=True, slots=True)
class Known:
    """What a row was when it was looked at last. mark: another one when another row took its ID."""

    mark: str
    name: str | None = None
    procedure: str | None = None
    active: bool = False
    #: The cron and the zone for which `wall` was planned; None before the first plan.
    cron: str | None = None
    zone: str = ""
    #: The NextRun that was written, and the moment it stands for: the wall clock shows some times twice.
    wall: datetime | None = None
    utc: datetime | None = None
    #: What is wrong with the cron, as it was told.
    fault: str | None = None
    #: The jobs that were made for this row and may not have ended, with what triggered them.
    runs: Mapping[int, str] = field(default_factory=dict)

    def is_of(self, name: str | None, procedure: str | None) -> bool:
        """Whether a row is the one that was seen: people change its name or its procedure, not both at once."""
        return self.name == name or self.procedure == procedure


_FIELDS = tuple(one.name for one in fields(Known))


@statement
def read_marks(t: Tables, p: Product) -> Any:
    h = t.hash.c
    return select(h.Field, h.Value).where(h.Key == HASH, h.Field.in_(bindparam("fields", expanding=True)))


@statement
def forget_mark(t: Tables, p: Product) -> Any:
    """Unless it was written anew meanwhile: then the ID has a new row."""
    h = t.hash.c
    return delete(t.hash).where(h.Key == HASH, h.Field == bindparam("field"), h.Value == bindparam("value"))


@statement
def forget_job(t: Tables, p: Product) -> Any:
    h = t.hash.c
    return delete(t.hash).where(h.Key == bindparam("key"), h.Field == bindparam("field"))


def load(tx: Tx, ids: Iterable[int] | None = None) -> dict[int, Known]:
    """What is remembered about these rows, or all."""
    if ids is None:
        found = structures.fields(tx, HASH)
    else:
        fields = [str(i) for i in ids]
        found = {str(r[0]): r[1] or "" for r in tx.execute(read_marks, {"fields": fields})} if fields else {}
    known = {whole(name): _read(text) for name, text in found.items()}
    return {row_id: one for row_id, one in known.items() if row_id is not None and one is not None}


def save(tx: Tx, known: Mapping[int, Known]) -> None:
    """Remember."""
    structures.set_fields(tx, HASH, {str(row_id): _text(one) for row_id, one in known.items()})


def forget(tx: Tx, known: Mapping[int, Known]) -> None:
    """Forget rows that are gone."""
    for row_id, one in sorted(known.items()):
        tx.execute(forget_mark, {"field": str(row_id), "value": _text(one)})


def write_outcomes(tx: Tx, outcomes: list[dict[str, Any]]) -> None:
    """Write how runs ended: job, id, mark, ran_at (UTC), text, success.

    A row that is gone, or that is not the one whose run it was, is left as it is. What an operator's open transaction
    or LOCK TABLES holds is written later: here nobody waits for people.
    """
    ids = {one["id"] for one in outcomes}
    free = legacy.lock_free_soon(tx, ids)
    rows = {row.id: row for row in free or ()}
    known = load(tx, rows)
    held = ids if free is None else legacy.there(tx, ids - rows.keys()) if rows.keys() != ids else set()
    for one in outcomes:
        row, mark = rows.get(one["id"]), known.get(one["id"])
        if row is not None and _is_same(mark, one["mark"]) and (mark is None or mark.is_of(row.name, row.procedure)):
            legacy.write_outcome(tx, row.id, one["ran_at"], one["text"], one["success"])
        elif one["id"] in held:
            text = json.dumps({**one, "ran_at": one["ran_at"].isoformat()})
            structures.set_fields(tx, legacy.OWED, {str(one["job"]): text})


def settle(tx: Tx) -> None:
    """Write the outcomes that waited for their rows; those that still cannot be written stay."""
    outcomes = []
    for name, text in structures.fields(tx, legacy.OWED).items():
        tx.execute(forget_job, {"key": legacy.OWED, "field": name})
        try:
            one = json.loads(text)
            kept = {part: one[part] for part in ("job", "mark", "text", "success")}
            outcomes.append({**kept, "id": int(one["id"]), "ran_at": datetime.fromisoformat(one["ran_at"])})
        except (ValueError, TypeError, KeyError, RecursionError) as error:  # nobody of us wrote it
            log.warning("hash %s: field %r cannot be read and is dropped: %s", legacy.OWED, name, error)
    if outcomes:
        write_outcomes(tx, sorted(outcomes, key=lambda one: one["ran_at"]))


def waiting(tx: Tx) -> dict[int, int]:
    """Jobs that wait until another run of their row has ended, the oldest first; their rows."""
    pairs = [(whole(job), whole(row)) for job, row in structures.fields(tx, legacy.WAITING).items()]
    return dict(sorted((job, row) for job, row in pairs if job is not None and row is not None))


def wait(tx: Tx, job_id: int, row_id: int) -> None:
    """Let a job wait for the runs of its row."""
    structures.set_fields(tx, legacy.WAITING, {str(job_id): str(row_id)})


def waits_no_more(tx: Tx, job_id: int) -> None:
    """It begins, or never will."""
    tx.execute(forget_job, {"key": legacy.WAITING, "field": str(job_id)})


def _is_same(known: Known | None, mark: str | None) -> bool:
    """A job without a mark was made by an older release, or by hand."""
    return mark is None or (known is not None and known.mark == mark)


def _text(known: Known) -> str:
    facts = {name: getattr(known, name) for name in _FIELDS}
    for name in ("wall", "utc"):
        facts[name] = facts[name] and facts[name].isoformat()
    return json.dumps(facts, sort_keys=True)


def _read(text: str) -> Known | None:
    """None for what nobody of us wrote: then the row is a new one."""
    try:
        facts = json.loads(text)
        known = Known(**facts)
        wall, utc = (None if m is None else datetime.fromisoformat(m) for m in (known.wall, known.utc))  # type: ignore[arg-type]
        return replace(known, wall=wall, utc=utc, runs={int(job): by for job, by in known.runs.items()})
    except (ValueError, TypeError, AttributeError):
        return None
