"""The last runs of each recurring job: rows of a List under the key of its hash, so that they outlive their jobs.

Runs are only added; now and then they are counted by day, and those that are too many are deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, select

from taskmanager.domain import times
from taskmanager.storage import jobs, recurring_past
from taskmanager.storage.dialects import Product
from taskmanager.storage.recurring import HASH
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, insert_each

#: How many runs of one recurring job are kept; one in so many jobs counts them and takes away those that are too many.
KEPT, _EVERY, _SURPLUS = 200, 8, 500
#: So many of the newest are not counted yet: what committed late is among them. And as many are counted at once.
UNCOUNTED, _AT_ONCE = 30, 1_000
_KEPT_DAYS = 400
_CODES = {"succeeded": "S", "failed": "F", "retried": "R", "deleted": "D"}
_OUTCOMES = {code: outcome for outcome, code in _CODES.items()}


class RecurringRun(NamedTuple):  # of which a list reads thousands: it is made in a third of a dataclass's time
    """One run. outcome: succeeded, failed, retried (it failed, and was tried again) or deleted (it was cancelled).

    waited_ms: from its job's creation to its first start; row: of the List, where it was read from there.
    """

    recurring_id: str
    job_id: int
    started: datetime
    duration_ms: int
    waited_ms: int | None
    outcome: str
    row: int = 0


@statement
def insert_run(t: Tables, p: Product) -> str:
    return p.insert_text(t.list, ("Key", "Value", "ExpireAt"))


@statement
def surplus_runs(t: Tables, p: Product) -> Any:
    c = t.list.c
    newest = select(c.Id).where(c.Key == bindparam("key")).order_by(c.Id.desc())
    return newest.limit(_SURPLUS).offset(KEPT)


@statement
def runs_behind(t: Tables, p: Product) -> str:
    """The runs of one behind a row, oldest first."""
    q = p.quote
    listed = f"{q(t.list.name)}{p.by_index(f'IX_{t.list.name}_Key')}"
    wanted = f"{q('Key')} = :key AND {q('Id')} > :after ORDER BY {q('Id')} LIMIT :limit"
    return f"SELECT {q('Id')}, {q('Value')} FROM {listed} WHERE {wanted}"


@statement
def delete_runs(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.list.name)


@statement
def forget_runs(t: Tables, p: Product) -> Any:
    return delete(t.list).where(t.list.c.Key == bindparam("key"))


@statement
def runs_of_three(t: Tables, p: Product) -> str:
    """The newest runs of three recurring jobs."""
    return str(_newest(3)(t, p))


@lru_cache(maxsize=16)
def _newest(count: int) -> Builder:
    """A look into the index for each recurring job."""

    def build(t: Tables, p: Product) -> str:
        q = p.quote
        if p.each_wanted:
            return (
                f"SELECT l.{q('Key')}, l.{q('Id')}, l.{q('Value')} FROM {p.each_wanted} CROSS JOIN LATERAL (SELECT * "
                f"FROM {q(t.list.name)} WHERE {q('Key')} = w.name AND {q('Id')} > w.number ORDER BY {q('Id')} DESC "
                f"LIMIT :limit) l"
            )
        # Without the hint MySQL and SQLite walk the table by its key, over the runs of all others.
        listed = f"{q(t.list.name)}{p.by_index(f'IX_{t.list.name}_Key')}"
        branches = (
            p.bounded(
                f"SELECT {q('Key')}, {q('Id')}, {q('Value')} FROM {listed} WHERE {q('Key')} = :key{n} "
                f"AND {q('Id')} > :after{n} ORDER BY {q('Id')} DESC LIMIT :limit",
                n,
            )
            for n in range(count)
        )
        return " UNION ALL ".join(branches)

    return build


def add(tx: Tx, runs: Sequence[RecurringRun]) -> None:
    """Append runs."""
    expire = tx.bind_moment(tx.now().replace(microsecond=0) + timedelta(days=_KEPT_DAYS))
    rows = [{"Key": HASH + run.recurring_id, "Value": _written(run), "ExpireAt": expire} for run in runs]
    insert_each(tx, insert_run, rows)
    counted = sorted({run.recurring_id for run in runs if run.job_id % _EVERY == 0})
    pasts = recurring_past.load(tx, counted) if counted else {}
    for recurring_id in counted:
        upto = _count(tx, recurring_id, pasts[recurring_id].tally)
        if upto is None:
            continue  # nor is one too many, since the last time
        found = [int(r[0]) for r in tx.execute(surplus_runs, {"key": HASH + recurring_id}) if int(r[0]) <= upto]
        if found:
            tx.execute(delete_runs, {"ids": jobs.ids_json(found)})


def _count(tx: Tx, recurring_id: str, tally: recurring_past.Tally) -> int | None:
    """Count its runs by day, but for the newest; the row up to which all are counted, None when no more are."""
    given = {"key": HASH + recurring_id, "after": tally.upto, "limit": _AT_ONCE}
    rows = tx.execute(runs_behind, given).all()[:-UNCOUNTED]
    if not rows:
        return None
    read_ones = ((int(number), read(recurring_id, text)) for number, text in rows)
    counted = tally.counting((n, run.started, run.outcome == "succeeded") for n, run in read_ones if run is not None)
    done = replace(counted, upto=int(rows[-1][0]))
    recurring_past.save_tally(tx, recurring_id, done)
    return done.upto


def newest(
    tx: Tx, recurring_ids: Iterable[str], limit: int, *, behind: Mapping[str, int] | None = None
) -> dict[str, tuple[RecurringRun, ...]]:  # fmt: skip
    """At most `limit` last runs of each of these recurring jobs, oldest first; of at most 200 of them.

    behind: by recurring job, the row behind which they are; all of those that are not named.
    """
    ids = list(dict.fromkeys(recurring_ids))[:200]
    if not ids:
        return {}
    count = next(size for size in (1, 20, 50, 100, 200) if size >= len(ids))  # few statements, each prepared once
    rows_before = behind or {}
    keys: dict[str, Any] = {f"key{n}": HASH + ids[n] if n < len(ids) else "" for n in range(count)}
    keys |= {f"after{n}": rows_before.get(ids[n], 0) if n < len(ids) else 0 for n in range(count)}
    found: dict[str, list[RecurringRun]] = {one: [] for one in ids}
    keys["wanted"] = json.dumps([{"name": HASH + one, "number": rows_before.get(one, 0)} for one in ids])
    rows = tx.execute(_newest(count), keys | {"limit": limit}).all()
    for (key, number, _), facts in zip(rows, _loaded([value for _, _, value in rows]), strict=True):
        recurring_id = str(key)[len(HASH) :]
        run = _read(recurring_id, facts, int(number))
        if run is not None and recurring_id in found:
            found[recurring_id].append(run)
    return {one: tuple(sorted(runs, key=attrgetter("row"))) for one, runs in found.items()}


def forget(tx: Tx, recurring_id: str) -> None:
    """Delete the runs of a recurring job that is gone, and what is remembered of them."""
    tx.execute(forget_runs, {"key": HASH + recurring_id})
    recurring_past.forget(tx, recurring_id)


def _written(run: RecurringRun) -> str:
    facts = [run.job_id, times.to_iso(run.started), run.duration_ms, run.waited_ms, _CODES[run.outcome]]
    return json.dumps(facts, separators=(",", ":"))


def _loaded(texts: Sequence[str | None]) -> list[Any]:
    """JSON texts, read in one go, for there may be thousands; None for each that is none."""
    try:
        found = json.loads(f"[{','.join(map(str, texts))}]")
        if len(found) == len(texts):
            return list(found)
    except (ValueError, RecursionError):
        pass
    return [_loaded_alone(text) for text in texts]


def _loaded_alone(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError):
        return None


def read(recurring_id: str, text: str | None) -> RecurringRun | None:
    """A run as it was written; None for what somebody else wrote there."""
    return _read(recurring_id, _loaded_alone(text))


def read_many(texts: Sequence[tuple[str, str | None]]) -> list[RecurringRun | None]:
    """Runs as they were written, each of a recurring job; None for what somebody else wrote there."""
    facts = _loaded([text for _, text in texts])
    return [_read(recurring_id, one) for (recurring_id, _), one in zip(texts, facts, strict=True)]


def _read(recurring_id: str, facts: Any, row: int = 0) -> RecurringRun | None:
    """A row as it was written; None for what somebody else wrote there."""
    try:
        job_id, started, duration, waited, code = facts
        moment = times.parse(started)
        if moment is None:
            return None
        return RecurringRun(
            recurring_id, int(job_id), moment, int(duration), None if waited is None else int(waited),
            _OUTCOMES[code], row,
        )  # fmt: skip
    except (ValueError, TypeError, KeyError):
        return None
