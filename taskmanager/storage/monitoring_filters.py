"""Which jobs a list shows: terms, and the conditions and values that they become in a statement."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, exists, func, not_, or_, select

from taskmanager.storage.containing import contains, pattern
from taskmanager.storage.figures import figure
from taskmanager.storage.tables import Tables

#: So much of a State's data is looked at and shown: a stack trace comes behind it.
DATA = 1500

#: A filter that no index serves looks at so many of the newest jobs of the state at most; the page says at how many.
SCANNED = 100_000
#: One that shall find the same each time looks at so many where it reads what States say (errors, servers, any text):
#: each is a long text, kept outside its row, that has to be fetched. 30,000 took MariaDB over 3 s.
READ = 10_000


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: any of the values, or none of them when negated."""

    kind: str
    values: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs: in these states (all when empty), and all terms are met."""

    states: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()

    @property
    def is_indexed(self) -> bool:
        """Whether an index finds them, so that nothing is searched."""
        return all(term.kind == "id" and not term.negated for term in self.terms) and len(self.states) < 2

    @property
    def lead(self) -> Term | None:
        """The tag or declared search key whose jobs an index lists, however many others there are."""
        place = led_by(shape_of(self)[bool(self.states) :])
        return None if place is None else self.terms[place]

    @property
    def is_led_alone(self) -> bool:
        """Whether that index is all it takes: nothing is looked through."""
        return self.lead is not None and len(self.terms) == 1 and not self.states

    @property
    def scanned(self) -> int:
        """How many of the newest jobs a search looks at that shall find the same each time."""
        return READ if needs_state(shape_of(self)) else SCANNED


#: What tells one statement from another: kind, negation and number of values of each term.
Shape = tuple[tuple[str, bool, int], ...]


def shape_of(wanted: Wanted) -> Shape:
    """What kind of statement a filter needs."""
    states: Shape = (("state", False, len(wanted.states)),) if wanted.states else ()
    return states + tuple((term.kind, term.negated, len(term.values)) for term in wanted.terms)


def values_of(wanted: Wanted) -> dict[str, Any]:
    """What is bound in that statement."""
    terms = ([Term("state", wanted.states)] if wanted.states else []) + list(wanted.terms)
    found: dict[str, Any] = {}
    for number, term in enumerate(terms):
        for place, value in enumerate(term.values):
            found |= _BINDING.get(term.kind, _plain)(f"v{number}_{place}", value)
    return found


def by_state(t: Tables, rows: Any) -> Any:
    """MariaDB would walk the primary key for its order: 200 ms in the middle of 400,000 jobs, 5 ms by the index."""
    hint = f"FORCE INDEX (IX_{t.job.name}_StateName)"
    return rows.with_hint(t.job, hint, "mysql").with_hint(t.job, hint, "mariadb")


def by_key(t: Tables, rows: Any) -> Any:
    """By the order in which the rows lie: a look from the index of the state to each row takes three times as long."""
    hint = "FORCE INDEX (PRIMARY)"
    return rows.with_hint(t.job, hint, "mysql").with_hint(t.job, hint, "mariadb")


def by_tags(t: Tables, rows: Any) -> Any:
    """By the index of tags and search keys."""
    hint = f"FORCE INDEX (IX_{t.tag.name}_Name_Value)"
    return rows.with_hint(t.tag, hint, "mysql").with_hint(t.tag, hint, "mariadb")


def found_by(shape: Shape) -> int | None:
    """The place of the first condition that jobs have by a parameter; None where there is none."""
    for place, (kind, negated, _) in enumerate(shape):
        if kind in _PARAMETERS and not negated:
            return place
    return None


def led_by(shape: Shape) -> int | None:
    """The place of the first condition by whose index the jobs are found in their order; None where there is none."""
    for place, (kind, negated, size) in enumerate(shape):
        if kind in _TAGS and not negated and size == 1:
            return place
    return None


def by_tag(t: Tables, source: Any, shape: Shape, place: int, *, one_by_one: bool) -> tuple[Any, Any, list[Any]]:
    """Ids of jobs by a tag, the column that they are walked by, and the conditions: the index has them in order.

    one_by_one: of each job by itself is asked what else is wanted. PostgreSQL would walk all jobs between beside the
    tags, and look into each: 800,000 for 100,000 that have the tag.
    """
    c, name = t.tag.c, f"v{place}_0"
    ids = by_tags(t, select(c.JobId.label("Id")).select_from(t.tag.join(source, t.job.c.Id == c.JobId)))
    for dialect in ("mysql", "mariadb"):
        ids = ids.prefix_with("STRAIGHT_JOIN", dialect=dialect)
    has = [c.Name == bindparam(f"{name}n"), c.Value == bindparam(name), c.JobId >= bindparam("floor")]
    others = where_of(shape, t, without=place)
    if not one_by_one:
        return ids, c.JobId, has + others
    # Not to be turned into a join: with a LIMIT it is not.
    met = select(t.job.c.Id).select_from(source).where(t.job.c.Id == c.JobId, *others).limit(1).correlate(t.tag)
    return select(c.JobId.label("Id")), c.JobId, [*has, met.scalar_subquery().is_not(None)]


def by_parameter(
    t: Tables, source: Any, shape: Shape, place: int, is_dense: bool, *, one_by_one: bool
) -> tuple[Any, Any, list[Any]]:
    """Ids of jobs by a parameter, the column that they are walked by, and the conditions.

    Where the jobs are dense, the parameters are walked in the order of their jobs; else the jobs of the state, with a
    look for the parameter of each. A job has it once, so that none comes twice. Left to itself MySQL sorts all that
    match before it takes a page, and walks all parameters for the few jobs of a state.

    one_by_one: as of `by_tag`, where the jobs are not dense. PostgreSQL would read the parameters of all jobs.
    """
    c, (kind, _, size) = t.parameter.c, shape[place]
    names: list[Any] = [bindparam(f"v{place}_{n}") for n in range(size)]
    of_name, others = (c.Name == _PARAMETERS[kind], c.Value.in_(names)), where_of(shape, t, without=place)
    if one_by_one and not is_dense:
        met = select(c.JobId).where(c.JobId == t.job.c.Id, *of_name).limit(1).correlate(t.job)
        return select(t.job.c.Id).select_from(source), t.job.c.Id, [met.scalar_subquery().is_not(None), *others]
    number = c.JobId if is_dense else t.job.c.Id
    ids: Any = select(t.job.c.Id) if is_dense else by_state(t, select(t.job.c.Id))
    for dialect in ("mysql", "mariadb"):
        ids = ids.with_hint(t.parameter, f"FORCE INDEX (IX_{t.parameter.name}_JobId_Name)", dialect)
        ids = ids.prefix_with("STRAIGHT_JOIN", dialect=dialect)
    has = [*of_name, number >= bindparam("floor")]
    first: Any = t.parameter if is_dense else source
    then: Any = source if is_dense else t.parameter
    return ids.select_from(first.join(then, t.job.c.Id == c.JobId)), number, has + others


def joined(t: Tables) -> Any:
    """Jobs with the State each is in."""
    return t.job.outerjoin(t.state, t.state.c.Id == t.job.c.StateId)


#: Kinds of terms that look at the State a job is in.
_OF_STATE = frozenset(
    {"error", "server", "text", "entered_since", "entered_until", "ran_from", "ran_to", "waited_from", "waited_to"}
)


def needs_state(shape: Shape) -> bool:
    """Whether a condition looks at the State a job is in."""
    return any(kind in _OF_STATE for kind, _, _ in shape)


def where_of(shape: Shape, t: Tables, *, without: int | None = None) -> list[Any]:
    """The conditions, but for one that is met already; a search has `floor`, below which it does not look."""
    clauses = [] if all(kind in ("state", "id") for kind, _, _ in shape) else [t.job.c.Id >= bindparam("floor")]
    for number, (kind, negated, size) in enumerate(shape):
        if number == without:
            continue
        names = [f"v{number}_{place}" for place in range(size)]
        if kind in _PARAMETERS:
            either = _has_parameter(t, _PARAMETERS[kind], names)
        else:
            either = or_(*[_CONDITIONS.get(kind, _state)(t, name) for name in names])
        clauses.append(not_(func.coalesce(either, False)) if negated else either)
    return clauses


def _state(t: Tables, name: str) -> Any:
    return t.job.c.StateName == bindparam(name)


def _error(t: Tables, name: str) -> Any:
    """In what a failure is and says; not in its stack trace, which comes behind."""
    return contains(t.state.c.Data, name, first=DATA)


def _arguments(t: Tables, name: str) -> Any:
    return contains(t.job.c.Arguments, name)


def _has_parameter(t: Tables, of: str, names: Sequence[str]) -> Any:
    """Whether a job's parameter has one of some values: one look-up a job, however many there are."""
    c = t.parameter.c
    value = c.Value.in_([bindparam(name) for name in names])
    return exists().where(c.JobId == t.job.c.Id, c.Name == of, value).correlate(t.job)


def _tagged(t: Tables, name: str) -> Any:
    """Whether a job has a tag, one look-up a job: an EXISTS would be turned into a walk over all that have it."""
    c = t.tag.c
    has = (c.JobId == t.job.c.Id, c.Name == bindparam(f"{name}n"), c.Value == bindparam(name))
    return select(c.JobId).where(*has).limit(1).correlate(t.job).scalar_subquery().is_not(None)


#: Kinds of terms that a row of JobTag answers: a tag, and an argument that its job declares as a search key.
_TAGS = ("tag", "key")

#: Kinds of terms that a parameter of the job answers.
_PARAMETERS = {"recurring": "RecurringJobId", "attempt": "RetryCount", "group": "FailureGroup"}

_CONDITIONS: dict[str, Callable[[Tables, str], Any]] = {
    "id": lambda t, name: t.job.c.Id == bindparam(name),
    "type": lambda t, name: contains(t.job.c.InvocationData, name),
    "queue": lambda t, name: t.job.c.Queue == bindparam(name),
    "server": lambda t, name: contains(t.state.c.Data, name),
    "error": _error,
    "arg": lambda t, name: or_(_arguments(t, name), _arguments(t, name + "t")),
    "tag": _tagged,
    "key": _tagged,
    "since": lambda t, name: t.job.c.CreatedAt >= bindparam(name),
    "until": lambda t, name: t.job.c.CreatedAt < bindparam(name),
    "entered_since": lambda t, name: t.state.c.CreatedAt >= bindparam(name),
    "entered_until": lambda t, name: t.state.c.CreatedAt < bindparam(name),
    "ran_from": lambda t, name: figure(t.state.c.Data, "PerformanceDuration") >= bindparam(name),
    "ran_to": lambda t, name: figure(t.state.c.Data, "PerformanceDuration") < bindparam(name),
    "waited_from": lambda t, name: figure(t.state.c.Data, "Latency") >= bindparam(name),
    "waited_to": lambda t, name: figure(t.state.c.Data, "Latency") < bindparam(name),
    "text": lambda t, name: or_(
        contains(t.job.c.InvocationData, name),
        _arguments(t, name),
        contains(t.state.c.Data, name + "d", first=DATA),
    ),
}


#: Every kind of term, for a statement that has them all.
KINDS = ("state", *_CONDITIONS, *_PARAMETERS)


def _plain(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


def _stored(text: str) -> str:
    """A text as it stands inside JSON."""
    return json.dumps(text)[1:-1]


#: How a value is bound: an argument stands twice escaped, as JSON text in a JSON array.
_BINDING: dict[str, Callable[[str, Any], dict[str, Any]]] = {
    "type": lambda name, value: {name: pattern(_stored(value))},
    "error": lambda name, value: {name: pattern(_stored(value))},
    "server": lambda name, value: {name: pattern('"serverid": "' + _stored(value))},
    "recurring": lambda name, value: {name: json.dumps(value)},
    "attempt": lambda name, value: {name: str(value)},
    "tag": lambda name, value: {f"{name}n": value[0], name: value[1]},
    "key": lambda name, value: {f"{name}n": value[0], name: value[1]},
    "arg": lambda name, value: {
        name: pattern(json.dumps(value)), name + "t": pattern(json.dumps(json.dumps(value))),
    },
    "text": lambda name, value: {name: pattern(_stored(_stored(value))), name + "d": pattern(_stored(value))},
}  # fmt: skip
