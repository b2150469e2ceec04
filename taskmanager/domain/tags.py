"""Tags of jobs, and arguments that a job declares as search keys: what an index finds jobs by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.texts import storable

#: The job's parameter that holds its tags, as they were written.
PARAMETER = "Tags"
#: The name under which tags are indexed; an argument's is `arg.` and its name in small letters.
TAG = "tag"
#: So many tags of a job, and so many letters of one.
MOST, LONGEST = 10, 60
#: So many letters of a value are indexed.
INDEXED = 200
#: What would need quotes in a filter's quotes, or would part one tag from the next.
_REFUSED = frozenset('",\\')


def check(value: object) -> tuple[str, ...]:
    """Tags as given: each once, in their order. Raises InvalidArgument."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidArgument(f"tags is a list of texts, not {value!r}")
    found: dict[str, str] = {}
    for one in value:
        text = one.strip() if isinstance(one, str) else ""
        if not 1 <= len(text) <= LONGEST or not text.isprintable() or _REFUSED & set(text) or storable(text) != text:
            raise InvalidArgument(
                f"tag {one!r}: a tag is a text of 1 to {LONGEST} letters without quotes, commas and backslashes"
            )
        found.setdefault(text.lower(), text)
    if len(found) > MOST:
        raise InvalidArgument(f"a job has at most {MOST} tags, not {len(found)}")
    return tuple(found.values())


def typed(text: str) -> tuple[str, ...]:
    """Tags as people type them, with commas between them. Raises InvalidArgument."""
    return check([one for one in text.split(",") if one.strip()])


def to_parameter(tags: Sequence[str]) -> str:
    """As they stand in the job's parameter."""
    return json.dumps(list(tags), ensure_ascii=False)


def of_parameter(text: str | None) -> tuple[str, ...]:
    """The tags that a parameter holds; none of what somebody else has written there."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return ()
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def key_of(argument: str) -> str:
    """The name under which an argument is indexed."""
    return f"arg.{argument.lower()}"


def indexed_tag(text: str) -> tuple[str, str]:
    """Name and value of a tag in the index: its letters' case makes no difference."""
    return TAG, text.lower()[:INDEXED]


def indexed_argument(argument: str, value: object) -> tuple[str, str] | None:
    """Name and value of an argument in the index: 42 and "42" alike; None for lists, objects and nothing."""
    if value is None or isinstance(value, (list, dict)):
        return None
    return key_of(argument), storable(str(value))[:INDEXED]


def loaded(item: Any) -> Any:
    """The value of a stored argument; a text that is no JSON stands for itself."""
    if not isinstance(item, str):
        return item
    try:
        return json.loads(item)
    except (ValueError, RecursionError):
        return item
