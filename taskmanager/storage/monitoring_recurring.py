"""All recurring jobs at a glance: what a list of ten thousand is filtered and sorted by, and no more of any of them.

What a page shows is then read of those on it. Each statement reads one row of an index for each recurring job.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import String, and_, case, literal_column, null, select, union_all

from taskmanager.domain.records import RecurringRecord
from taskmanager.storage import jobs, recurring, recurring_past, recurring_runs, structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.recurring import HASH, PAUSE, PAUSED, SET
from taskmanager.storage.recurring_past import Past
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: The fields that are looked at: always, to sort by the last run, and to find a text.
_ROW = "'c_job:'"
_ALWAYS, _LAST, _TEXTS = ("Error",), ("LastExecution",), ("Cron", "Queue", "Job")


class Glance(NamedTuple):  # which is made in a third of the time that a dataclass takes, ten thousand times
    """What is known of one at a glance. due: unix seconds, None when it has no next time; last: as it is stored.

    job, cron, queue: only where texts were asked for, cron also of what has no next time; job is empty where the
    procedure tells what is called. row: the ID of a row of c_Job, which has the name that its operators know.
    """

    id: str
    due: float | None
    is_error: bool
    is_paused: bool
    last: str = ""
    cron: str = ""
    queue: str = ""
    job: str = ""
    name: str = ""
    procedure: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest run of one: its milliseconds; and how many in a row have failed since one succeeded."""

    duration_ms: int
    failures: int


@lru_cache(maxsize=8)
def _fields(names: tuple[str, ...]) -> Builder:
    """All of them, each with these fields of its hash; and those that are paused, with a 1 at the end.

    What has no next time has its cron, too, by which it is told why: of all others that is not looked up.
    """

    def build(t: Tables, p: Product) -> Any:
        s, source, columns = t.set, t.set, list[Any]()
        for name in names:
            h = t.hash.alias(f"h_{name.lower()}")
            key = literal_column(f"'{HASH}'", String) + s.c.Value
            source = source.outerjoin(h, and_(h.c.Key == key, h.c.Field == name))  # type: ignore[assignment]
            columns.append(h.c.Value)
        if "Cron" not in names:
            h = t.hash.alias("h_cron")
            key = case((s.c.Score < 0, literal_column(f"'{HASH}'", String) + s.c.Value))
            source = source.outerjoin(h, and_(h.c.Key == key, h.c.Field == "Cron"))  # type: ignore[assignment]
            columns.append(h.c.Value)
        every = select(s.c.Value, s.c.Score, *columns, null()).select_from(source).where(s.c.Key == SET)
        paused = select(s.c.Value, s.c.Score, *[null() for _ in columns], literal_column("1")).where(s.c.Key == PAUSED)
        return union_all(every, paused)

    return build


@statement
def recurring_at_a_glance(t: Tables, p: Product) -> Any:
    """All recurring jobs, and which are in error."""
    return _fields(_ALWAYS)(t, p)


@statement
def recurring_texts(t: Tables, p: Product) -> Any:
    """All recurring jobs with what is searched in them, and when they ran last."""
    return _fields(_ALWAYS + _LAST + _TEXTS)(t, p)


@statement
def newest_runs(t: Tables, p: Product) -> str:
    """Of each recurring job, and of the rows of c_Job in `ids`, the newest run and the failures in a row."""
    q = p.quote
    key, at, value = p.concat(f"'{HASH}'", "s.id"), q("Id"), q("Value")
    # Without the hint MySQL walks the table by its primary key for each recurring job (14 million rows for 10,000);
    # ordered by Id alone, it reads and sorts all the runs of each.
    runs = f"{q(t.list.name)} {{0}}{p.by_index(f'IX_{t.list.name}_Key')} WHERE {{0}}.{q('Key')} = {key}"
    latest = f"{{0}}.{q('Key')} DESC, {{0}}.{at} DESC"
    newest = f"SELECT l.{value} FROM {runs.format('l')} ORDER BY {latest.format('l')} LIMIT 1"
    good = f"SELECT g.{at} FROM {runs.format('g')} AND g.{value} LIKE '%\"S\"]' ORDER BY {latest.format('g')} LIMIT 1"
    failed = f"(f.{value} LIKE '%\"F\"]' OR f.{value} LIKE '%\"R\"]')"
    since = f"SELECT COUNT(*) FROM {runs.format('f')} AND f.{at} > COALESCE(({good}), 0) AND {failed}"
    ids = f"SELECT {value} AS id FROM {q(t.set.name)} WHERE {q('Key')} = :key"
    rows = f"SELECT {p.concat(_ROW, 'x.id')} AS id FROM {p.ids()}"
    listed = f"SELECT s.id, ({newest}) AS run FROM ({ids} UNION ALL {rows}) s"
    return f"SELECT s.id, s.run, CASE WHEN s.run LIKE '%\"S\"]' THEN 0 ELSE ({since}) END FROM ({listed}) s"


def glances(tx: Tx, *, last: bool = False, texts: bool = False) -> tuple[list[Glance], dict[str, float]]:
    """All recurring jobs but the rows of c_Job; and all that are paused, as `recurring.lock_free_paused` tells them."""
    names = _ALWAYS + (_LAST if last else ()) + (_TEXTS if texts else ())
    rows = tx.execute(_fields(names)).all()
    paused = {str(row[0]): float(row[1]) for row in rows if row[-1] is not None}
    found = []
    for recurring_id, score, error, *more, is_pause in rows:
        if is_pause is not None:
            continue
        due, told = (None if score < 0 else float(score)), [one or "" for one in more]
        ran = told.pop(0) if last else ""
        cron, queue, job = told if texts else (told[0], "", "")
        found.append(Glance(str(recurring_id), due, bool(error), recurring_id in paused, ran, cron, queue, job))
    return found, paused


def newest(tx: Tx, row_ids: Iterable[int]) -> dict[str, Newest]:
    """Of each that has run, its newest run. row_ids: the rows of c_Job that are listed."""
    rows = [r for r in tx.execute(newest_runs, {"key": SET, "ids": jobs.ids_json(row_ids)}) if r[1] is not None]
    runs = recurring_runs.read_many([(str(recurring_id), value) for recurring_id, value, _ in rows])
    return {
        run.recurring_id: Newest(run.duration_ms, int(failures))
        for run, (_, _, failures) in zip(runs, rows, strict=True)
        if run is not None
    }


def whole(
    tx: Tx, ids: Sequence[str], paused: Mapping[str, float], rows: Mapping[str, RecurringRecord]
) -> list[tuple[RecurringRecord, Past]]:  # fmt: skip
    """Those with these ids in one statement, with what is remembered of their runs; what is gone is left out.

    rows: of c_Job, without their pauses.
    """
    hashes = structures.fields_of(
        tx,
        [HASH + i for i in ids if i not in rows] + [PAUSE + i for i in ids if i in paused]
        + [recurring_past.PAST + i for i in ids],
    )  # fmt: skip
    found = []
    for one in ids:
        if one in rows:
            pause = recurring.pause_in(one, hashes, paused) if rows[one].paused else None
            found.append((replace(rows[one], pause=pause), recurring_past.read(hashes, one)))
        elif HASH + one in hashes:
            found.append((recurring.record_in(one, hashes, paused), recurring_past.read(hashes, one)))
    return found


def one(tx: Tx, recurring_id: str) -> tuple[RecurringRecord, Past] | None:
    """One of them, with what is remembered of its runs."""
    return next(iter(whole(tx, [recurring_id], recurring.paused_among(tx, [recurring_id]), {})), None)


def of_row(tx: Tx, record: RecurringRecord) -> tuple[RecurringRecord, Past]:
    """A row of c_Job with what is known of its pause, and what is remembered of its runs."""
    hashes = structures.fields_of(tx, [PAUSE + record.id, recurring_past.PAST + record.id])
    return recurring.with_pause_in(record, hashes), recurring_past.read(hashes, record.id)
