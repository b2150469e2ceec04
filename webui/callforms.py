"""The arguments of a stored call in a form, and the call again that comes back.

What was not typed anew stays as it is stored, to the letter: a form shows less than there is (secrets, big numbers).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from taskmanager.domain.codec import encode
from taskmanager.domain.errors import ArgumentError, ArgumentsUnreadable
from taskmanager.domain.invocation import Invocation, InvocationUnreadable, read
from taskmanager.engine.registry import JobDefinition
from webui import access, formats, jobforms, jobviews, redaction
from webui.jobforms import Field

_LOCAL = {datetime: r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", date: r"\d{4}-\d\d-\d\d"}


def known_call(data: str, arguments: str | None = None) -> tuple[JobDefinition, Invocation] | None:
    """A stored call whose function is registered here and takes what is stored; None for any other."""
    try:
        call = read(data, arguments)
    except InvocationUnreadable:
        return None
    found = jobviews.definitions().get(call.name)
    if found is None or found.is_internal or len(call.arguments) > len(found.signature.parameters):
        return None
    return found, call


def may_edit() -> bool:
    """Whether who is signed in may see arguments, without which there is nothing to edit."""
    return access.may("args.view")


def fields(definition: JobDefinition, call: Invocation) -> list[Field]:
    """The fields of a call, with what is stored; secrets are left empty."""
    items = dict(zip((p.name for p in definition.signature.parameters), call.arguments, strict=False))
    form = jobforms.fields(definition)
    for field in form:
        _fill(field, items.get(field.name))
    return form


def changed(
    definition: JobDefinition, call: Invocation, given: Mapping[str, str]
) -> tuple[list[Field], Invocation | None, str]:
    """The form with what was typed, the call it says (None while something is wrong), and what is wrong as a whole."""
    form = fields(definition, call)
    stored = dict(zip((p.name for p in definition.signature.parameters), call.arguments, strict=False))
    items: list[Any] = []
    for parameter in definition.signature.parameters:
        field = next((f for f in form if f.name == parameter.name), None)
        items.append(None if field is None else _item(field, given, stored.get(parameter.name)))
    if any(field.error for field in form):
        return form, None, ""
    try:
        return form, _with(definition, call, items), ""
    except (ArgumentsUnreadable, ArgumentError, RecursionError) as error:
        return form, None, str(error)


def replaced(definition: JobDefinition, call: Invocation, values: Mapping[str, Any]) -> Invocation:
    """The call with some of its arguments given anew, as JSON values by name; all others stay to the letter.

    Raises ArgumentError that names the argument.
    """
    parameters = definition.signature.parameters
    known = [parameter.name for parameter in parameters if not parameter.injected]
    for name, value in values.items():
        if name not in known:
            raise ArgumentError(f"{name}: {definition.title} has no such argument; it has {', '.join(known) or 'none'}")
        if redaction.MASK in json.dumps(value, ensure_ascii=False):
            raise ArgumentError(f"{name}: holds a masked secret: write it out, or leave the argument out")
    stored = dict(zip((p.name for p in parameters), call.arguments, strict=False))
    items = [stored.get(parameter.name) for parameter in parameters]
    name = ""
    try:
        for place, parameter in enumerate(parameters):
            if (name := parameter.name) in values:
                items[place] = encode(parameter.read(values[name]), name)
        name = ""
        return _with(definition, call, items)
    except (ArgumentsUnreadable, ArgumentError, ValueError, RecursionError) as error:
        raise ArgumentError(f"{name}: {error}" if name else str(error)) from None


def _with(definition: JobDefinition, call: Invocation, items: list[Any]) -> Invocation:
    """The call with these arguments, as far as the worker can read them. Raises ArgumentsUnreadable and others."""
    while items and items[-1] is None and len(items) > _least(definition):
        items.pop()
    definition.signature.decode(items, {p.name: None for p in definition.signature.parameters if p.injected})
    return replace(call, arguments=tuple(items), parameter_types=tuple(definition.signature.type_names))


def named(definition: JobDefinition, call: Invocation) -> dict[str, Any]:
    """The arguments by name, for the audit log, which masks them by name."""
    names = [p.name for p in definition.signature.parameters]
    return {name: _loaded(item) for name, item in zip(names, call.arguments, strict=False) if item is not None}


def _least(definition: JobDefinition) -> int:
    """Trailing omitted arguments are left out, injected ones are not, as calls are written."""
    parameters = definition.signature.parameters
    return max((n + 1 for n, p in enumerate(parameters) if p.injected), default=0)


def _item(field: Field, given: Mapping[str, str], stored: Any) -> Any:
    """The item of a field as it is to be stored; an error stands at the field."""
    before = field.text
    field.text = given.get(f"arg-{field.name}", before).replace("\r\n", "\n")
    _show_whole(field)
    if field.text == before and (stored is not None or field.parameter.has_default or not field.is_required):
        return stored
    typed = field.text
    if field.kind == "json" and redaction.MASK in typed:
        typed = _unmasked(typed, stored)
    if redaction.MASK in typed:
        field.error = _("holds a masked secret: write it out, or leave the text as it was")
        return None
    try:
        told, value = jobforms.value_of(field, typed)
        return encode(value, field.name) if told else None
    except (ArgumentsUnreadable, ArgumentError, ValueError, RecursionError) as error:
        field.error = str(error) or _("cannot be read")
        return None


def _fill(field: Field, item: Any) -> None:
    if item is None or field.is_secret:
        return
    value = _loaded(item)
    if field.kind == "choice":
        chosen = [json.loads(encode(c)) for c in field.choices]
        field.text = str(chosen.index(value)) if value in chosen else ""
    elif field.kind == "bool":
        field.text = {True: "true", False: "false"}.get(value, "")
    elif field.kind == "json":
        shown = redaction.values(value)
        field.text = formats.pretty(str(item) if shown == value else json.dumps(shown, ensure_ascii=False))
    elif isinstance(value, str):
        field.text = redaction.text(value)
        _show_whole(field)
    elif value is not None:
        field.text = str(item)


def _show_whole(field: Field) -> None:
    """A moment with a zone or fractions is a text: the browser's own field would lose it."""
    expected = next((form for kind, form in _LOCAL.items() if field.kind == kind.__name__), None)
    if expected is not None and field.text and not re.fullmatch(expected, field.text):
        field.kind = "text"


def _unmasked(typed: str, stored: Any) -> str:
    """JSON text in which masks stand for what is stored under the same name."""
    try:
        return json.dumps(_merged(json.loads(typed), _loaded(stored)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return typed


def _merged(typed: Any, stored: Any) -> Any:
    if isinstance(typed, dict) and isinstance(stored, dict):
        kept = {k for k, v in typed.items() if v == redaction.MASK and k in stored}
        return {k: stored[k] if k in kept else _merged(v, stored.get(k)) for k, v in typed.items()}
    if isinstance(typed, list) and isinstance(stored, list):
        return [_merged(v, stored[n] if n < len(stored) else None) for n, v in enumerate(typed)]
    return stored if isinstance(stored, str) and typed == redaction.text(stored) else typed


def _loaded(item: Any) -> Any:
    try:
        return json.loads(item) if isinstance(item, str) else item
    except (ValueError, RecursionError):
        return item
