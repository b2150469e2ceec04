"""The filter language of lists: `state:failed queue:mail error:Timeout created:>-2h -type:noise "free text"`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from flask_babel import gettext as _

from taskmanager.domain import tags, times
from taskmanager.domain.arguments import NamedArgument
from taskmanager.domain.states import ALL_NAMES
from taskmanager.domain.texts import whole, wholes
from taskmanager.storage.monitoring_filters import Term, Wanted
from webui import access, jobviews, restricting, shell

#: What may stand before a colon, as the help tells it.
KEYS = (
    "state", "type", "queue", "tag", "recurring", "server", "error", "group", "arg", "arg.NAME", "id", "created",
    "failed", "attempt", "duration", "latency",
)  # fmt: skip
_STATES = {name.lower(): name for name in ALL_NAMES}
_WORD = re.compile(r'\s*(-?)(?:([A-Za-z]+(?:\.[\w]+)?):)?("(?:[^"\\]|\\.)*"|(?:[^\s",]+|,|"(?:[^"\\]|\\.)*")+)')
_SPAN = re.compile(r"-(\d{1,5})([smhdw])")
_LASTING = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)")
_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOST_TERMS, _MOST_VALUES = 12, 50
#: Conditions on what only who may see arguments and messages may ask about.
_INSIDE = ("arg", "key", "text", "error")


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition as it was typed, and the filter without it."""

    text: str
    without: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A filter. `error`: what is wrong and at which place; then nothing is filtered. `names`: named arguments.

    hidden: it looks into arguments or messages, and who asks may not see them.
    """

    text: str
    wanted: Wanted
    chips: tuple[Chip, ...] = ()
    error: str = ""
    names: tuple[NamedArgument, ...] = ()
    needles: tuple[str, ...] = ()
    hidden: bool = False

    @property
    def key(self) -> str:
        """What tells the list from others, also where a filter says `-2h`: the state alone where that is all."""
        return f"{','.join(self.wanted.states)} {self.text if self.wanted.terms else ''}".strip()

    @property
    def is_countable(self) -> bool:
        """Whether the database alone can tell how many there are: in which argument a text stands it does not know."""
        return not self.error and not self.names


@dataclass(slots=True)
class _Draft:
    now: datetime
    states: tuple[str, ...]
    declared: Collection[str] = ()
    terms: list[Term] = field(default_factory=list)
    names: list[NamedArgument] = field(default_factory=list)


class _Wrong(Exception):
    pass


#: Fields of the form for who does not type filters, each with the key that it becomes.
FIELDS = {
    "type": "type",
    "queue": "queue",
    "error": "error",
    "recurring": "recurring",
    "from": "created",
    "to": "created",
}


def of_form(fields: Mapping[str, str], text: str) -> str | None:
    """The filter `text` with what the form adds to it (`f_type`, `f_queue` …); None where none of it was sent."""
    given = {name: fields[f"f_{name}"].strip()[:100] for name in FIELDS if f"f_{name}" in fields}
    if not given:
        return None
    since, until = given.pop("from", ""), given.pop("to", "")
    terms = [f"{FIELDS[name]}:{quoted(value)}" for name, value in given.items() if value]
    if since and until:
        terms.append(f"created:{quoted(f'{since}..{until}')}")
    elif since or until:
        terms.append(f"created:{quoted(f'>{since}' if since else f'<{until}')}")
    return " ".join(filter(None, (text.strip(), *terms)))


def quoted(text: str) -> str:
    """A value as it stands in a filter."""
    plain = re.fullmatch(r"[^\s\",\\]+", text)
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def asked(text: str, states: tuple[str, ...] = ()) -> Parsed:
    """The filter of a request, by the database's clock; one that looks where its user may not is an error."""
    seen = shell.seen()
    now = seen.snapshot.at if seen is not None else times.utcnow()
    parsed = parse(text, states=states, now=now, declared=declared())
    if not access.may("args.view") and any(t.kind in _INSIDE for t in parsed.wanted.terms):
        error = _("Your account may not look into arguments and messages.")
        parsed = Parsed(parsed.text, Wanted(states), error=error, hidden=True)
    return replace(parsed, wanted=restricting.wanted(parsed.wanted))


def declared() -> frozenset[str]:
    """The arguments, in small letters, that a function this process knows declares as search keys."""
    return frozenset(name.lower() for one in jobviews.definitions().values() for name in one.search)


def parse(
    text: str, *, states: tuple[str, ...] = (), now: datetime, declared: Collection[str] = ()
) -> Parsed:  # fmt: skip
    """Read a filter. states: those of the page, which the filter may only narrow; declared: indexed arguments."""
    text = text.strip()[:500]
    draft, spans, place = _Draft(now, states, declared), list[tuple[int, int]](), 0
    try:
        while place < len(text):
            found = _WORD.match(text, place)
            if found is None:
                raise _Wrong(_("cannot be read here"))
            if len(spans) >= _MOST_TERMS:
                raise _Wrong(_("is too long: at most %(n)s conditions", n=_MOST_TERMS))
            _take(draft, bool(found[1]), (found[2] or "").lower(), found[3])
            spans.append((found.start(), found.end()))
            place = found.end()
            while place < len(text) and text[place].isspace():
                place += 1
    except _Wrong as wrong:
        where = text[place : place + 20]
        message = _("The filter %(why)s: “%(where)s” (character %(n)s)", why=str(wrong), where=where, n=place + 1)
        return Parsed(text, Wanted(states), error=message)
    chips = tuple(Chip(text[a:b].strip(), f"{text[:a]} {text[b:]}".strip()) for a, b in spans)
    needles = tuple(str(v) for t in draft.terms if t.kind in ("text", "error", "type") for v in t.values)
    return Parsed(text, Wanted(draft.states, tuple(draft.terms)), chips, "", tuple(draft.names), needles)


def _take(draft: _Draft, negated: bool, key: str, raw: str) -> None:
    values = tuple(_unquoted(part) for part in _parts(raw))[:_MOST_VALUES]
    if not values:
        raise _Wrong(_("lacks a value"))
    if not key:
        draft.terms.append(Term("text", (_unquoted(raw),), negated))
    elif key.startswith("arg.") and key[4:] in draft.declared and len(values) == 1 and not negated:
        draft.terms.append(Term("key", tuple(filter(None, (tags.indexed_argument(key[4:], values[0]),)))))
    elif key.startswith("arg."):
        draft.terms.append(Term("arg", values, negated))
        draft.names.append(NamedArgument(key[4:], values, negated))
    elif key in _READERS:
        _READERS[key](draft, values, negated)
    elif key in ("type", "queue", "recurring", "server", "error", "group", "arg"):
        draft.terms.append(Term(key, values, negated))
    else:
        raise _Wrong(_("knows no key “%(key)s”; known are %(keys)s", key=key, keys=", ".join(KEYS)))


def _state(draft: _Draft, values: tuple[str, ...], negated: bool) -> None:
    unknown = [v for v in values if v.lower() not in _STATES]
    if unknown:
        raise _Wrong(_("knows no state “%(name)s”", name=unknown[0]))
    named = {_STATES[v.lower()] for v in values}
    allowed = draft.states or ALL_NAMES
    left = tuple(s for s in allowed if (s in named) != negated)
    draft.states = left or ("no state",)


def _id(draft: _Draft, values: tuple[str, ...], negated: bool) -> None:
    numbers = wholes(v.lstrip("#") for v in values)
    if len(numbers) < len(values):
        raise _Wrong(_("needs numbers after id:"))
    draft.terms.append(Term("id", tuple(numbers), negated))


def _tag(draft: _Draft, values: tuple[str, ...], negated: bool) -> None:
    draft.terms.append(Term("tag", tuple(map(tags.indexed_tag, values)), negated))


def _attempt(draft: _Draft, values: tuple[str, ...], negated: bool) -> None:
    tries: list[str] = []
    for value in values:
        first = whole(value.lstrip(">"))
        if first is None or not 1 <= first < 1000:
            raise _Wrong(_("needs a number after attempt:, such as 3 or >3"))
        tries += [str(first + more) for more in range(30)] if value.startswith(">") else [str(first - 1)]
    draft.terms.append(Term("attempt", tuple(dict.fromkeys(tries)), negated))


def _dates(draft: _Draft, key: str, kinds: tuple[str, str], values: tuple[str, ...], negated: bool) -> None:
    if len(values) != 1:
        raise _Wrong(_("takes one value after %(key)s:", key=key))
    since, until = kinds
    low, dots, high = values[0].partition("..")
    if low.startswith((">", "<")) and not dots:
        draft.terms.append(Term(since if low[0] == ">" else until, (_moment(draft, low[1:]),), negated))
        return
    if negated:
        raise _Wrong(_("cannot be negated: ask for what is before by <, or after by >"))
    first, last = _moment(draft, low), _moment(draft, high if dots else low, end=True)
    draft.terms += [Term(since, (first,)), Term(until, (last,))]


def _created(draft: _Draft, values: tuple[str, ...], negated: bool) -> None:
    _dates(draft, "created", ("since", "until"), values, negated)


def _failed(draft: _Draft, values: tuple[str, ...], negated: bool) -> None:
    _state(draft, ("Failed",), False)
    _dates(draft, "failed", ("entered_since", "entered_until"), values, negated)


def _spans(draft: _Draft, key: str, kinds: tuple[str, str], values: tuple[str, ...], negated: bool) -> None:
    """A range of milliseconds: only jobs that succeeded have been measured."""
    if len(values) != 1:
        raise _Wrong(_("takes one value after %(key)s:", key=key))
    _state(draft, ("Succeeded",), False)
    least, most = kinds
    low, dots, high = values[0].partition("..")
    if not dots and low.startswith((">", "<")):
        draft.terms.append(Term(least if low[0] == ">" else most, (_milliseconds(low[1:]),), negated))
        return
    if negated or not dots:
        raise _Wrong(_("needs >, < or a range after %(key)s:, such as >30s or 1s..5m", key=key))
    draft.terms += [Term(least, (_milliseconds(low),)), Term(most, (_milliseconds(high) + 1,))]


def _milliseconds(text: str) -> int:
    found = _LASTING.fullmatch(text)
    if not found:
        raise _Wrong(_("needs a span of time such as 500ms, 30s, 5m or 2h"))
    return int(float(found[1]) * _MS[found[2]])


def _duration(draft: _Draft, values: tuple[str, ...], negated: bool) -> None:
    _spans(draft, "duration", ("ran_from", "ran_to"), values, negated)


def _latency(draft: _Draft, values: tuple[str, ...], negated: bool) -> None:
    _spans(draft, "latency", ("waited_from", "waited_to"), values, negated)


_READERS: dict[str, Callable[[_Draft, tuple[str, ...], bool], None]] = {
    "state": _state, "id": _id, "attempt": _attempt, "created": _created,
    "failed": _failed, "tag": _tag, "duration": _duration, "latency": _latency,
}  # fmt: skip


def _moment(draft: _Draft, text: str, *, end: bool = False) -> datetime:
    span = _SPAN.fullmatch(text)
    if span:
        return draft.now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = times.to_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise _Wrong(_("needs a date such as 2026-11-01, or an age such as -2h")) from None
    return moment + timedelta(days=1) if end and len(text) == 10 and moment.year < 9999 else moment


def _parts(raw: str) -> list[str]:
    return [part for part in re.findall(r'"(?:[^"\\]|\\.)*"|[^,]+', raw) if part]


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text
