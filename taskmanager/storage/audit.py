"""The audit log: rows only ever added, read page by page, and expired by age."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, bindparam, select

from taskmanager.storage import jobs
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment, insert_each

#: The first field of `After`, where a row tells which request it came by: the table has no column for that.
REQUEST = "X-Request-Id"
_MARKED = re.compile(r'\{"X-Request-Id": "([^"]*)"(?:, )?')


@dataclass(frozen=True, slots=True)
class Row:
    """What one person did to one thing. before, after: JSON texts with secrets masked; request: by which request."""

    user: str
    address: str | None
    door: str
    action: str
    kind: str
    target: str
    outcome: str
    before: str | None = None
    after: str | None = None
    note: str | None = None
    id: int = 0
    at: datetime | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which rows: each condition that is not None must be met. since, until: naive UTC."""

    user: str | None = None
    action: str | None = None
    kind: str | None = None
    target: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> dict[str, Any]:
        """The conditions that are asked for, by name."""
        names = ("user", "action", "kind", "target", "outcome", "since", "until")
        return {n: getattr(self, n) for n in names if getattr(self, n) is not None}


def add(tx: Tx, rows: Sequence[Row]) -> None:
    """Write rows; the moment is the database's."""
    now = tx.bind_moment(tx.now())
    insert_each(
        tx, insert_row,
        [
            {
                "At": now, "UserName": r.user[:100], "Address": r.address and r.address[:64], "Door": r.door,
                "Action": r.action[:50], "TargetKind": r.kind[:20], "TargetId": r.target[:100], "Before": r.before,
                "After": _marked(r.after, r.request), "Outcome": r.outcome, "Note": r.note and r.note[:300],
            }
            for r in rows
        ],
    )  # fmt: skip


def page(tx: Tx, sought: Sought, *, limit: int, before: int | None = None) -> tuple[list[Row], bool]:
    """At most `limit` rows below id `before`, newest first, and whether there are older ones."""
    wanted = sought.conditions()
    given = wanted | {"edge": before if before is not None else 1 << 62, "limit": limit + 1}
    found = [_row(r) for r in tx.execute(_listing(tuple(wanted)), given)]
    return found[:limit], len(found) > limit


def expire(tx: Tx, kept: float, limit: int) -> int:
    """Delete up to `limit` rows older than `kept` seconds; returns how many."""
    until = tx.now() - timedelta(seconds=kept)
    found = [r[0] for r in tx.execute(expired, {"until": until, "limit": limit})]
    if found:
        tx.execute(delete_rows, {"ids": jobs.ids_json(found)})
    return len(found)


@statement
def insert_row(t: Tables, p: Product) -> str:
    return p.insert_text(t.audit, tuple(c.name for c in t.audit.columns if c.name != "Id"))


@statement
def expired(t: Tables, p: Product) -> Any:
    c = t.audit.c
    return (
        select(c.Id).where(c.At < bindparam("until")).order_by(c.At).limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
    )  # fmt: skip


@statement
def delete_rows(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.audit.name)


@statement
def newest(t: Tables, p: Product) -> Any:
    """The first page."""
    return _listing(())(t, p)


@statement
def of_target(t: Tables, p: Product) -> Any:
    """What was done to one thing."""
    return _listing(("kind", "target"))(t, p)


@lru_cache(maxsize=64)
def _listing(names: tuple[str, ...]) -> Builder:
    def build(t: Tables, p: Product) -> Any:
        c = t.audit.c
        tests = {
            "user": c.UserName == bindparam("user"), "action": c.Action == bindparam("action"),
            "kind": c.TargetKind == bindparam("kind"), "target": c.TargetId == bindparam("target"),
            "outcome": c.Outcome == bindparam("outcome"), "since": c.At >= bindparam("since"),
            "until": c.At < bindparam("until"),
        }  # fmt: skip
        shown = (
            c.Id, c.At, c.UserName, c.Address, c.Door, c.Action, c.TargetKind, c.TargetId, c.Before, c.After,
            c.Outcome, c.Note,
        )  # fmt: skip
        where = [c.Id < bindparam("edge"), *(tests[n] for n in names)]
        return select(*shown).where(*where).order_by(c.Id.desc()).limit(bindparam("limit", type_=Integer))

    return build


def _marked(after: str | None, request: str | None) -> str | None:
    """What a thing became, with the request before it; a text that is no JSON object is left as it is."""
    if request is None or (after is not None and not after.startswith("{")):
        return after
    rest = after[1:] if after is not None else "}"
    return f'{{"{REQUEST}": "{request}"{"" if rest == "}" else ", "}{rest}'


def _unmarked(after: str | None) -> tuple[str | None, str | None]:
    """The two apart again."""
    found = _MARKED.match(after) if after is not None else None
    if after is None or found is None:
        return after, None
    rest = "{" + after[found.end() :]
    return (None if rest == "{}" else rest), found[1]


def _row(r: Any) -> Row:
    after, request = _unmarked(r[9])
    return Row(
        id=int(r[0]), at=as_moment(r[1]), user=r[2], address=r[3], door=r[4], action=r[5], kind=r[6], target=r[7],
        before=r[8], after=after, outcome=r[10], note=r[11], request=request,
    )  # fmt: skip
