"""Recurring jobs by filter and order, rows of c_Job among them: for the list, the API, and who acts on all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine import moving
from taskmanager.engine.legacy import row_of
from taskmanager.storage import monitoring_recurring
from taskmanager.storage.monitoring_narrowed import USUAL
from taskmanager.storage.monitoring_recurring import Glance, Newest
from taskmanager.storage.recurring_past import Past
from taskmanager.storage.transaction import Tx
from webui import jobviews, recurring_marks, restricting
from webui.blueprint import manager, read

STATES = ("active", "paused", "error", "hand", "never")
_NONE = Newest(-1, 0)
#: What a list may be sorted by; those with the longest or the most come first, as does who ran last.
_SORTS: dict[str, Callable[[Glance, Mapping[str, Newest]], Any]] = {
    "id": lambda one, runs: one.id.lower(),
    "next": lambda one, runs: (one.is_paused or one.due is None, one.due or 0, one.id),
    "last": lambda one, runs: one.last,
    "duration": lambda one, runs: runs.get(one.id, _NONE).duration_ms,
    "failures": lambda one, runs: runs.get(one.id, _NONE).failures,
}
_DOWN = frozenset({"last", "duration", "failures"})
SORTS = tuple(_SORTS)


@dataclass(frozen=True, slots=True)
class Found:
    """Those that match, in order. total: of all there are; counts: of all of these, by state.

    newest: of those sorted by their runs.
    """

    matching: Sequence[Glance]
    total: int
    counts: Mapping[str, int]
    newest: Mapping[str, Newest]
    paused: Mapping[str, float]

    def whole(self, start: int, count: int) -> list[tuple[RecurringRecord, Past]]:
        """Some of them as they are stored now, with what is remembered of their runs; what is gone is left out."""
        return read(lambda tx: whole_in(tx, self.matching[start : start + count], self.paused))


def find(q: str = "", state: str = "", sort: str = "id") -> Found:
    """Those in a state (all when empty) with a text in id, name, call, cron or queue."""
    needle = q.strip().lower()
    has_texts = bool(needle or restricting.queues())

    def work(tx: Tx) -> tuple[list[Glance], Mapping[str, Newest], Mapping[str, float]]:
        found, paused = monitoring_recurring.glances(tx, last=sort == "last", texts=has_texts)
        found += manager().recurring_jobs.row_glances(tx, moments=sort in ("next", "last"), texts=has_texts)
        found = [one for one in found if restricting.shows(one.queue or USUAL)] if restricting.queues() else found
        numbers = [one.row for one in found if one.row is not None]
        return found, monitoring_recurring.newest(tx, numbers) if sort in ("duration", "failures") else {}, paused

    found, newest, paused = read(work)
    counts = dict.fromkeys(STATES, 0)
    for one in found:
        counts[_state(one)] += 1
    shown = [
        one for one in found if (not state or _state(one) == state) and (not needle or needle in text_of(one))
    ]  # fmt: skip
    key = _SORTS.get(sort, _SORTS["id"])
    shown.sort(key=lambda one: one.id)
    shown.sort(key=lambda one: key(one, newest), reverse=sort in _DOWN)
    return Found(shown, len(found), counts, newest, paused)


def page_by_id(limit: int, after: str | None) -> tuple[list[RecurringRecord], str | None]:
    """Some of them by id, and after them the rows of c_Job; and the id after which the next page begins."""
    found = find()
    order = {one.id: (one.row is not None, one.row or 0, one.id) for one in found.matching}
    number = row_of(after or "")
    place = (number is not None, number or 0, after or "")
    ids = sorted((one for one in found.matching if order[one.id] > place), key=lambda one: order[one.id])
    page = read(lambda tx: whole_in(tx, ids[:limit], found.paused))
    return [record for record, _ in page], ids[limit - 1].id if len(ids) > limit else None


def whole_in(tx: Tx, shown: Sequence[Glance], paused: Mapping[str, float]) -> list[tuple[RecurringRecord, Past]]:
    """These as they are stored now, with what is remembered of their runs; what is gone is left out."""
    numbers = [one.row for one in shown if one.row is not None]
    of_rows = {one.id: one for one in manager().recurring_jobs.some_rows(tx, numbers)}
    ids = [one.id for one in shown if one.row is None or one.id in of_rows]
    return monitoring_recurring.whole(tx, ids, paused, of_rows)


def call_of(record: RecurringRecord) -> str:
    """What it calls."""
    return _call(record.procedure, record.job)


def _call(procedure: str | None, job: str) -> str:
    procedure = procedure or moving.procedure_in(job)
    return procedure if procedure is not None else _called(job)


def _called(job: str) -> str:
    try:
        found = read_invocation(job)
    except InvocationUnreadable as error:
        return f"({error})"
    known = jobviews.definitions().get(found.name)
    module = found.type.partition(",")[0]
    return known.title if known is not None and known.display_name else f"{module}.{found.method}"


def _state(one: Glance) -> str:
    """One of STATES; a row of c_Job that no scheduler has looked at yet is active."""
    if one.is_error or one.is_paused:
        return "error" if one.is_error else "paused"
    if one.row is None and one.due is not None:
        return "active"
    if recurring_marks.is_by_hand(one.cron):
        return "hand"
    return "never" if one.row is None or not recurring_marks.comes(one.cron) else "active"


def text_of(one: Glance) -> str:
    """What of it is searched, in small letters."""
    if one.row is None:
        called = moving.procedure_in(one.job) or _called(one.job)
        return f"{one.id}  {called} {one.cron} {one.queue or 'default'}".lower()
    return f"{one.id} {one.name} {_call(one.procedure, one.job)} {one.cron} {one.queue}".lower()
