"""Which jobs are paused: those that call a function, and those that carry a tag."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from taskmanager.domain.tags import indexed_tag, of_parameter

TYPE, TAG = "type", "tag"
#: So many letters of a stored call tell its type and method.
CALL = 2_000
#: So many letters of `type:` and a type's name, or of `tag:` and a tag, are kept.
LONGEST = 256
_TEXT = r'\s*:\s*"((?:[^"\\]|\\.)*)"'
#: Members of a call that is no JSON, or was cut off: what is called stands before its arguments.
_TYPES = re.compile(rf'"(?:[Tt]ype|t|<Type>k__BackingField)"{_TEXT}')
_METHODS = re.compile(rf'"(?:[Mm]ethod|m|<Method>k__BackingField)"{_TEXT}')


@dataclass(frozen=True, slots=True)
class PausedJobs:
    """What is paused. types: names of functions, `module:name`; tags: in small letters."""

    types: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.types or self.tags)

    def of_job(self, call: str, tags: str | None) -> list[str]:
        """The pauses that a job waits for, each as it is stored. call: its InvocationData, of which `CALL` letters are
        enough; tags: its parameter of that name."""
        found = [type_of(call)] if self.types else []
        paused = [value_of(TYPE, name) for name in found if name in self.types]
        if self.tags and tags:
            carried = {indexed_tag(one)[1] for one in of_parameter(tags)}
            paused += [value_of(TAG, name) for name in sorted(carried & self.tags)]
        return paused


def paused_of(values: Iterable[str]) -> PausedJobs:
    """What stored members of the set say; what is none of ours says nothing."""
    found: dict[str, set[str]] = {TYPE: set(), TAG: set()}
    for kind, name in map(kind_and_name, values):
        found.get(kind, set()).add(name)
    return PausedJobs(frozenset(found[TYPE]), frozenset(found[TAG]))


def value_of(kind: str, name: str) -> str:
    """A pause as it is stored: `type:shop.jobs:send` or `tag:spring`. kind: TYPE or TAG."""
    return f"{kind}:{indexed_tag(name)[1] if kind == TAG else name}"


def kind_and_name(value: str) -> tuple[str, str]:
    """The other way."""
    kind, _, name = value.partition(":")
    return kind, name


def type_of(call: str) -> str:
    """The name of what a stored call calls: `module:function`, of .NET `Namespace.Class:Method`; empty when unread."""
    head, found, _ = call[:CALL].partition(',"Arguments":')
    return _type_of(f"{head}}}" if found else head)


@lru_cache(maxsize=1000)
def _type_of(text: str) -> str:
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        payload = None
    if isinstance(payload, dict):
        type_name, method = (
            next((payload[one] for one in _spellings(name) if isinstance(payload.get(one), str)), "")
            for name in ("Type", "Method")
        )
    else:
        type_name, method = (_first(found.search(text)) for found in (_TYPES, _METHODS))
    return f"{type_name.partition(',')[0]}:{method}" if type_name and method else ""


def _spellings(name: str) -> tuple[str, ...]:
    return name, name[0].lower(), name[0].lower() + name[1:], f"<{name}>k__BackingField"


def _first(match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    try:
        return str(json.loads(f'"{match[1]}"'))
    except ValueError:
        return ""
