"""What is remembered about each row of the older c_Job, which has no column for it: the fields of one hash, by ID.

Who holds the lock on a row may write what is remembered about it; nobody else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from taskmanager.domain.texts import whole
from taskmanager.storage import structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.legacy")

HASH = "c_job:targcc"
#: The fields of this hash are outcomes that wait until nobody else holds their rows, by the ids of their jobs.
OWED = "c_job:targcc-outcomes"
_MOMENTS = ("wall", "utc", "claimed", "last")


@dataclass(frozen=True, slots=True)
class Known:
    """What a row was when it was looked at last."""

    code: str | None = None
    #: The rule and the zone for which `wall` was planned.
    rule: str | None = None
    #: The NextRunTime that was written, and the moment it stands for: the wall clock shows some times twice.
    wall: datetime | None = None
    utc: datetime | None = None
    #: The job of the run that has set the row InProcess, and NextRunTime as it was then.
    job: int | None = None
    claimed: datetime | None = None
    #: When the last run began (UTC).
    last: datetime | None = None
    #: A job that ran over its TimeOutSec and did not end: it was told as a failure, and is not told again.
    freed: int | None = None
    #: Why the row is not run, as it was told.
    fault: str | None = None


@statement
def read_targcc_marks(t: Tables, p: Product) -> Any:
    h = t.hash.c
    return select(h.Field, h.Value).where(h.Key == HASH, h.Field.in_(bindparam("fields", expanding=True)))


@statement
def forget_targcc(t: Tables, p: Product) -> Any:
    h = t.hash.c
    return delete(t.hash).where(h.Key == bindparam("key"), h.Field == bindparam("field"))


def load(tx: Tx, ids: Iterable[int] | None = None) -> dict[int, Known]:
    """What is remembered about these rows, or all."""
    if ids is None:
        found = structures.fields(tx, HASH)
    else:
        fields = [str(i) for i in ids]
        rows = tx.execute(read_targcc_marks, {"fields": fields}) if fields else ()
        found = {str(r[0]): r[1] or "" for r in rows}
    return {row_id: _read(text) for name, text in found.items() if (row_id := whole(name)) is not None}


def save(tx: Tx, known: Mapping[int, Known]) -> None:
    """Remember."""
    structures.set_fields(tx, HASH, {str(row_id): _text(one) for row_id, one in known.items()})


def forget(tx: Tx, ids: Iterable[int]) -> None:
    """Forget rows that are gone."""
    for row_id in sorted(ids):
        tx.execute(forget_targcc, {"key": HASH, "field": str(row_id)})


def owe(tx: Tx, job_id: int, outcome: Mapping[str, Any]) -> None:
    """Keep an outcome whose row somebody else holds."""
    text = json.dumps({n: v.isoformat() if isinstance(v, datetime) else v for n, v in outcome.items()})
    structures.set_fields(tx, OWED, {str(job_id): text})


def owed(tx: Tx) -> dict[int, dict[str, Any]]:
    """The outcomes that wait, by job."""
    found = dict[int, dict[str, Any]]()
    for name, text in structures.fields(tx, OWED).items():
        try:
            one = json.loads(text)
            moments = {n: datetime.fromisoformat(one[n]) for n in ("started_at", "ended_at")}
            found[int(name)] = {**one, **moments}
        except (ValueError, TypeError, KeyError, RecursionError) as error:  # nobody of us wrote it
            log.warning("hash %s: field %r cannot be read and is dropped: %s", OWED, name, error)
            tx.execute(forget_targcc, {"key": OWED, "field": name})
    return found


def forget_owed(tx: Tx, job_ids: Iterable[int]) -> None:
    """These outcomes are taken up."""
    for job_id in sorted(job_ids):
        tx.execute(forget_targcc, {"key": OWED, "field": str(job_id)})


def _text(known: Known) -> str:
    facts = asdict(known)
    for name in _MOMENTS:
        facts[name] = facts[name] and facts[name].isoformat()
    return json.dumps(facts, sort_keys=True)


def _read(text: str) -> Known:
    """Nothing, for what nobody of us wrote."""
    try:
        facts = json.loads(text)
        return Known(**facts | {n: datetime.fromisoformat(facts[n]) for n in _MOMENTS if facts.get(n)})
    except (ValueError, TypeError, AttributeError):
        return Known()
