"""How far a search looks: in windows, each as large as the time that the ones before it took allows.

The first is small. Where it does not fill a page, the next is as large as what is left of the budget, so that a quick
server looks at `SCANNED` jobs and a slow one at fewer; the page tells at how many. What an index serves is one window.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select, union_all

from taskmanager.storage import monitoring_filters as filters
from taskmanager.storage import windows
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_filters import Wanted, needs_state, shape_of
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: Seconds that the statements of a search may take together, its count among them; 400 ms are wanted for a whole page.
BUDGET = 0.15
#: A window is sized as if each of its rows took so many times as long as those before: the newest are in the buffers.
#: Long texts of States, outside their rows, and jobs of a tag, far from each other, take more of them; and of those a
#: window is so many times as large as what was looked at before, however quick that was: it may have been in memory.
COLDER, COLDER_APART = 2, 4
#: The first window of a search; and that of one that reads what States say, each a long text outside its row, or that
#: looks at the jobs of a tag, which lie far from each other.
FIRST, FIRST_FEW = 10_000, 2_000
#: Where at least one job in so many is in the wanted state, all are walked by their key: in its order lie the rows.
DENSE = 3
#: What a search walks: all jobs by their key, those of a state, those of a tag.
KEY, STATE, TAG = "key", "state", "tag"
#: Ends of windows over all states, in hundredths of `SCANNED`: one statement reads them all.
_RUNGS = (5, 10, 20, 40, 70, 100)
#: Above all ids.
TOP = 1 << 62


@dataclass(frozen=True, slots=True)
class Window:
    """Jobs from `edge`, which is not among them, to `end`, which is; None where no more lie beyond. at: of that job."""

    edge: int
    end: int | None = None
    at: Any = None
    way: str = STATE


class Search:
    """One search, its windows one after the other. looked: how many jobs they hold together.

    statements: how many it may run for windows and their ends. first: the size of its only window, where it shall
    look at the same jobs each time.
    """

    def __init__(
        self, wanted: Wanted, *, before: int | None = None, after: int | None = None, statements: int = 4,
        first: int | None = None,
    ) -> None:  # fmt: skip
        self.wanted, self.is_up, self.is_fixed = wanted, after is not None, first is not None
        self.looked, self.window = 0, Window(after if after is not None else before if before is not None else TOP)
        self._is_whole = wanted.is_indexed or wanted.is_led_alone
        self._way = TAG if wanted.lead is not None else STATE if len(wanted.states) == 1 else KEY
        self._ends_at_once = self._way == KEY and not self.is_up
        self._left = 1 if first is not None else statements - 1 if self._ends_at_once else max(1, statements // 2)
        lies_apart = needs_state(shape_of(wanted)) or wanted.lead is not None
        self._colder = COLDER_APART if lies_apart else COLDER
        small = FIRST_FEW if lies_apart and self._left > 1 else FIRST
        self._first = min(first or small, filters.SCANNED)
        #: Whether it began below some job.
        self.is_below = before is not None
        self._began: float | None = None
        self._rungs: list[tuple[int, int | None, Any]] = []

    def next(self, tx: Tx) -> Window | None:
        """The next window; None where nothing is left, or the budget is used up."""
        if not self._left:
            return None
        if self._began is None:
            self._began = windows.clock()
        if self._is_whole:
            self._left, self.window = 0, Window(self.window.edge, way=TAG if self._way == TAG else STATE)
            return self.window
        size = self._size(self._began)
        if not size:
            return None
        edge = self.window.edge if self.window.end is None else self.window.end
        self.window = (self._to_rung if self._ends_at_once else self._bounded)(tx, edge, size)
        self._left = self._left - 1 if self.window.end is not None else 0
        return self.window

    @property
    def few(self) -> int:
        """So many are looked at before it is known how long that takes."""
        return FIRST_FEW

    def has_time(self, times: int) -> bool:
        """Whether the budget lasts for so many times what the search has taken."""
        return self._began is None or (windows.clock() - self._began) * (1 + times * self._colder) <= BUDGET

    def _size(self, began: float) -> int:
        """How many jobs the next window is to hold; 0 where they would be too few to be worth a statement."""
        if not self.looked:
            return self._first
        most = filters.SCANNED
        if self._colder == COLDER_APART:
            most = min(most, (1 + COLDER_APART) * self.looked)
        size = windows.further(self.looked, windows.clock() - began, most, BUDGET, self._colder)
        reach = [one[0] - self.looked for one in self._rungs if one[0] <= self.looked + size]
        return max(reach) if reach else 0 if self._rungs else size

    def _bounded(self, tx: Tx, edge: int, size: int) -> Window:
        given: dict[str, Any] = {"edge": edge, "skip": size - 1}
        if self._way == TAG and self.wanted.lead is not None:
            given |= dict(zip(("name", "value"), self.wanted.lead.values[0], strict=True))
        if len(self.wanted.states) == 1:
            given |= {"state": self.wanted.states[0]}
        sides = (STATE, TAG) if not self.looked and self._way == TAG and "state" in given else (self._way,)
        self.looked += size
        ends = {str(r[2]): r for r in tx.execute(_ends(sides, self.is_up), given)}
        self._way = self._sparser(ends) if len(sides) > 1 else self._way
        row = ends.get(self._way)
        if row is None:
            return Window(edge, way=self._way_of(False))
        top = int(row[3]) if edge == TOP else edge
        is_dense = abs(top - int(row[0])) < DENSE * size
        return Window(edge, int(row[0]), row[1] and as_moment(row[1]), self._way_of(is_dense))

    def _sparser(self, ends: dict[str, Any]) -> str:
        """Of a state and a tag what so many jobs of reach farther leads: fewer are looked at for nothing."""
        if TAG not in ends or STATE not in ends:
            return STATE if TAG in ends else TAG
        of_state, of_tag = ends[STATE][0], ends[TAG][0]
        return STATE if (of_state > of_tag if self.is_up else of_state < of_tag) else TAG

    def _way_of(self, is_dense: bool) -> str:
        if self._way == STATE:
            return KEY if is_dense else STATE
        return STATE if self._way == KEY and self.wanted.states else self._way

    def _to_rung(self, tx: Tx, edge: int, size: int) -> Window:
        """Over all states the ends of all windows are read at once: so many ids below the first, no job is walked."""
        if not self._rungs:
            sizes = [self._first] + [max(1, filters.SCANNED * one // 100) for one in _RUNGS]
            given = {f"skip{place}": one - 1 for place, one in enumerate(sizes)} | {"edge": edge}
            ends = {int(r[2]): r for r in tx.execute(rungs_of_all, given)}
            told = [(one, ends.get(place)) for place, one in enumerate(sizes) if one >= self._first]
            self._rungs = [
                (one, r and int(r[0]), r and r[1] and as_moment(r[1]))
                for one, r in sorted(told, key=lambda one: one[0])
            ]
        self.looked += size
        _, end, at = next(one for one in self._rungs if one[0] == self.looked)
        return Window(edge, end, at, self._way_of(False))


def deepest(tx: Tx, wanted: Wanted) -> int | None:
    """Where a search ends that takes its time: `SCANNED` jobs below the newest; None where there are fewer."""
    window = Search(wanted, first=filters.SCANNED).next(tx)
    return None if window is None else window.end


def way(tx: Tx, wanted: Wanted) -> str:
    """What is best walked for all jobs that are wanted, as the newest of them tell."""
    window = Search(wanted).next(tx)
    return STATE if window is None else window.way


@statement
def scan_floor(t: Tables, p: Product) -> Any:
    """The id at which a window over one state ends, read from the index alone; and the highest id of all."""
    return _ends((STATE,), False)(t, p)


@statement
def scan_floors(t: Tables, p: Product) -> Any:
    """The same over a state and over a tag."""
    return _ends((STATE, TAG), False)(t, p)


@statement
def scan_ceilings(t: Tables, p: Product) -> Any:
    """The same for a walk up."""
    return _ends((STATE, TAG), True)(t, p)


@statement
def rungs_of_all(t: Tables, p: Product) -> Any:
    """Where windows over all states end: so many ids below the newest, found without walking there."""
    c = t.job.c
    newest = select(func.max(c.Id)).where(c.Id < bindparam("edge")).scalar_subquery()
    places = []
    for place in range(len(_RUNGS) + 1):
        end = select(func.max(c.Id)).where(c.Id <= newest - bindparam(f"skip{place}")).scalar_subquery()
        places.append(select(c.Id, c.CreatedAt, literal_column(str(place))).where(c.Id == end))
    return union_all(*places)


@lru_cache(maxsize=8)
def _ends(sides: tuple[str, ...], is_up: bool) -> Builder:
    def ends(t: Tables, p: Product) -> Any:
        found = [_end(t, side, is_up) for side in sides]
        return found[0] if len(found) == 1 else union_all(*found)

    return ends


def _end(t: Tables, side: str, is_up: bool) -> Any:
    """The last job of a window, from an index alone, when it was created, and the highest id below the edge.

    Left to itself MariaDB takes an index by its first column alone, and walks from the newest job down to the edge.
    """
    c, tag = t.job.c, t.tag.c
    edge: Any = bindparam("edge")
    number = tag.JobId if side == TAG else c.Id
    ids = select(number.label("Id")).where(number > edge if is_up else number < edge)
    if side == TAG:
        ids = filters.by_tags(t, ids).where(tag.Name == bindparam("name"), tag.Value == bindparam("value"))
    elif side == STATE:
        ids = filters.by_state(t, ids).where(c.StateName == bindparam("state"))
    ids = ids.order_by(number.asc() if is_up else number.desc()).limit(1)
    if side == KEY:  # up only: so many ids above the edge, found without walking there
        ids = select(c.Id).where(c.Id > edge + bindparam("skip")).order_by(c.Id.asc()).limit(1)
    place = (ids if side == KEY else ids.offset(bindparam("skip"))).subquery()
    top = select(func.max(c.Id)).where(c.Id < edge).scalar_subquery()
    return select(place.c.Id, t.job.c.CreatedAt, literal_column(f"'{side}'"), top).select_from(
        place.outerjoin(t.job, t.job.c.Id == place.c.Id)
    )
