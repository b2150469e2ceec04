"""A job as people read it: name, call with named arguments, attempts. Whatever is stored, this never fails."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, NamedTuple

from flask import g
from markupsafe import Markup

from taskmanager.domain.invocation import Invocation, InvocationUnreadable
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.domain.records import JobRecord
from taskmanager.domain.texts import loaded
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage.monitoring_lists import Row, cut_object
from webui import access, highlight, languages, redaction
from webui.blueprint import manager

#: Longer arguments are cut in the call; they stand in full below it.
_LONGEST_ARGUMENT = 300
#: So many calls are remembered for an answer: an export tells a hundred thousand.
_MOST_CALLS = 1000
_NAMELESS: tuple[str | None, bool] = (None, False)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: name (when the function is known), stored JSON text masked, and whether a secret was."""

    name: str | None
    text: str
    masked: bool = False


def definitions() -> Mapping[str, JobDefinition]:
    """The jobs this process knows, by name; nothing is imported for a page."""
    try:
        found: Mapping[str, JobDefinition] = g.definitions
    except AttributeError:
        found = g.definitions = {definition.name: definition for definition in manager().registry}
    return found


def title(row: Row) -> str:
    """The name of a job in a list."""
    return reading().title(row)


def short_name(name: str) -> str:
    """A type of job without its module."""
    return name.rpartition(":")[2] or name


def type_title(name: str) -> str:
    """A type of job for people."""
    known = definitions().get(name)
    return known.title if known is not None else short_name(name)


def called(call: str) -> str:
    """The name of what a stored call, which may have been cut off, calls."""
    type_name, method = _called(call)
    if not method:
        return f"({call[:60] or '?'})"
    known = definitions().get(f"{type_name}:{method}")
    return known.title if known is not None else method


def function(row: Row) -> str:
    """Module and function of a job in a list, `module:function`; empty when its call cannot be read."""
    type_name, method = _called(row.call)
    return f"{type_name}:{method}" if method else ""


def subtitle(row: Row) -> str:
    """The arguments of a job in a list, in one line; secrets masked."""
    return reading().subtitle(row)


class _Call(NamedTuple):
    """What a stored call calls, as far as it is known here. parameters: their names, and which are secrets."""

    title: str
    parameters: Sequence[tuple[str | None, bool]]


class Reading:
    """Reads rows of lists as who is looking may; calls are looked up once, for many jobs have the same."""

    def __init__(self) -> None:
        self._shows_arguments = access.sees_arguments() and languages.taste().args != "hidden"
        self._calls: dict[str, _Call] = {}

    def title(self, row: Row) -> str:
        """The name of a job."""
        named = row.parameters.get("JobName")
        return (plain(named) if named else "") or self._call(row.call).title

    def subtitle(self, row: Row) -> str:
        """Its arguments in one line; secrets masked."""
        if not self._shows_arguments:
            return "••••"
        items, cut = _items_so_far(row.arguments)
        parameters = chain(self._call(row.call).parameters, repeat(_NAMELESS))
        told = zip(items, parameters, strict=False)
        shown = [_inline(name, item, is_secret) for item, (name, is_secret) in told if item is not None]
        return ", ".join(shown) + (" …" if cut else "")

    def _call(self, text: str) -> _Call:
        found = self._calls.get(text)
        if found is None:
            if len(self._calls) >= _MOST_CALLS:
                self._calls.clear()
            known = definitions().get(":".join(_called(text)))
            names = [] if known is None else [p.name for p in known.signature.parameters]
            found = self._calls[text] = _Call(called(text), [(name, redaction.is_secret(name)) for name in names])
        return found


def reading() -> Reading:
    """That of this answer."""
    try:
        found: Reading = g.reading
    except AttributeError:
        found = g.reading = Reading()
    return found


@functools.lru_cache(maxsize=1024)
def _called(call: str) -> tuple[str, str]:
    """Type and method of a stored call that may have been cut off: many rows of a list have the same."""
    found = cut_object(call)
    type_name = (found.get("Type") or found.get("type") or found.get("t") or "").partition(",")[0].rstrip("…")
    return type_name, (found.get("Method") or found.get("method") or found.get("m") or "").rstrip("…")


def arguments_of(row: Row) -> list[tuple[str | None, Any]]:
    """Names and values of the arguments as far as they are known, for filters."""
    items, _ = _items_so_far(row.arguments)
    known = definitions().get(":".join(_called(row.call)))
    found = []
    for name, text in zip(_names(known, len(items)), items, strict=True):
        if text is not None:
            found.append((name, value_of(text)))
    return found


def invocation(record: JobRecord) -> Invocation | None:
    """The call of a job; None when it cannot be read."""
    try:
        return read_invocation(record.invocation_data, record.arguments)
    except InvocationUnreadable:
        return None


def full_title(record: JobRecord) -> str:
    """The name of a job on its own page."""
    named = plain(record.parameters.get("JobName"))
    if named:
        return named
    found = invocation(record)
    if found is None:
        return f"#{record.id}"
    known = definitions().get(found.name)
    return known.title if known is not None else found.method


def full_name(record: JobRecord) -> str:
    """Module and function."""
    found = invocation(record)
    return "" if found is None else f"{found.type.partition(',')[0]}.{found.method}"


def arguments(record: JobRecord) -> list[Argument]:
    """All arguments, masked."""
    found = invocation(record)
    if found is None:
        return []
    names = _names(definitions().get(found.name), len(found.arguments))
    texts = [None if a is None else str(a) for a in found.arguments]
    return [Argument(n, *_masked(n, t)) for n, t in zip(names, texts, strict=True) if t is not None]


def arguments_line(record: JobRecord) -> str:
    """All arguments in one line, masked; empty for who may not see them."""
    return ", ".join(_inlined(record)) if access.sees_arguments() else ""


def call(record: JobRecord) -> Markup:
    """The job as a call in Python, highlighted."""
    found = invocation(record)
    if found is None:
        return Markup("<em>{}</em>").format(record.invocation_data[:1000])
    shown = _inlined(record) if access.sees_arguments() else ["…"]
    one_line = f"{found.method}({', '.join(shown)})"
    module = found.type.partition(",")[0]
    if len(one_line) > 90 and shown:
        one_line = f"{found.method}(\n    " + ",\n    ".join(shown) + ",\n)"
    return highlight.code(f"from {module} import {found.method.partition('.')[0]}\n\n{one_line}", "python")


def is_known(record: JobRecord) -> bool:
    """Whether this process knows the function; a web process that imports no jobs knows none."""
    found = invocation(record)
    return not definitions() or found is None or found.name in definitions()


def is_peoples(record: JobRecord) -> bool:
    """Whether somebody enqueued it, and not this package for a purpose of its own."""
    found = invocation(record)
    return found is not None and not found.type.startswith("taskmanager.tasks.")


def value_of(text: str | None) -> Any:
    """What a JSON text is; the text itself where it is none."""
    try:
        return loaded(text) if text else text
    except (ValueError, RecursionError, TypeError):
        return text


def plain(text: str | None) -> str:
    """A parameter's value without JSON's quotes."""
    value = value_of(text) if text else ""
    return value if isinstance(value, str) else str(value)


def error_of(data: Mapping[str, str]) -> tuple[str, str]:
    """Type and message of a failure, also of a deleted job that remembers one; no message for who may not see it."""
    if "ExceptionType" in data:
        return data["ExceptionType"], redaction.message(data.get("ExceptionMessage", ""))
    found = value_of(data.get("Exception", "")) if data.get("Exception") else None
    if isinstance(found, dict):
        return str(found.get("e") or ""), redaction.message(str(found.get("m") or ""))
    return "", ""


def result(text: str | None) -> str:
    """A stored result for people, masked and with line breaks."""
    if text is None:
        return ""
    return _dumped(text)


def server_name(server_id: str | None) -> str:
    """A server's id without its guid."""
    return (server_id or "").rpartition(":")[0] or (server_id or "")


def retry(reason: str | None) -> tuple[str, str] | None:
    """`Retry attempt 2 of 10: message` as (2/10, message)."""
    found = re.match(r"Retry attempt (\d+) of (\d+):? ?(.*)", reason or "", re.DOTALL)
    return (f"{found[1]}/{found[2]}", found[3]) if found else None


def actor(reason: str | None) -> str:
    """What stands behind the machine's words in a reason: never longer than it."""
    return redaction.text(reason)


def _names(known: JobDefinition | None, count: int) -> list[str | None]:
    names: list[str | None] = [] if known is None else [p.name for p in known.signature.parameters]
    return (names + [None] * count)[:count]


def _masked(name: str | None, text: str) -> tuple[str, bool]:
    if name is not None and redaction.is_secret(name):
        return f'"{redaction.MASK}"', True
    return _dumped(text), False


def _dumped(text: str) -> str:
    """JSON text with secrets masked; unchanged when there were none, so that big numbers stay as they are."""
    value = value_of(text)
    safe = redaction.values(value)
    return text if safe == value else json.dumps(safe, ensure_ascii=False)


def _inlined(record: JobRecord) -> list[str]:
    return [_inline(a.name, a.text, a.name is not None and redaction.is_secret(a.name)) for a in arguments(record)]


def _inline(name: str | None, text: str, is_secret: bool) -> str:
    """An argument in a call, masked and cut; a number as it was written."""
    value = redaction.MASK if is_secret else value_of(text)
    if type(value) is int or type(value) is float:
        shown = text
    else:
        value = redaction.values(value)
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else repr(value)
    if len(shown) > _LONGEST_ARGUMENT:
        shown = shown[:_LONGEST_ARGUMENT] + "…"
    return f"{name}={shown}" if name else shown


def _items_so_far(text: str) -> tuple[list[str | None], bool]:
    """The items of a JSON array of texts whose end may have been cut off."""
    try:
        whole = loaded(text) if text else []
        return [None if v is None else str(v) for v in whole] if isinstance(whole, list) else [], False
    except (ValueError, RecursionError):
        pass
    items: list[str | None] = []
    for found in re.finditer(r'"((?:[^"\\]|\\.)*)("|$)|(null)', text):
        if found[3]:
            items.append(None)
            continue
        try:
            items.append(json.loads(f'"{found[1]}"'))
        except ValueError:
            items.append(found[1])
    return items, True
