"""A form out of a function's signature: a field for each parameter, and what was typed back to Python's values."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from inspect import Parameter as Declared
from typing import Any, Literal

from flask_babel import gettext as _

from taskmanager.domain.annotations import is_union, unwrap
from taskmanager.domain.annotations import name_of as annotation_name
from taskmanager.domain.codec import encode, parse
from taskmanager.domain.errors import ArgumentError, ArgumentsUnreadable
from taskmanager.domain.parameter import Parameter
from taskmanager.engine.registry import JobDefinition
from webui import redaction

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"), (int, "int"), (float, "float"), (datetime, "datetime"), (date, "date"), (Decimal, "text"),
)  # fmt: skip
_LONGEST_DEFAULT = 200


@dataclass(slots=True)
class Field:
    """One parameter on the page. kind: text, int, float, bool, datetime, date, choice, json; `error`: what is wrong."""

    parameter: Parameter
    kind: str
    choices: tuple[Any, ...] = ()
    optional: bool = False
    text: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        """As the function calls it."""
        return self.parameter.name

    @property
    def type_name(self) -> str:
        """The type hint, as it is written."""
        return "JSON" if self.parameter.annotation is Any else annotation_name(self.parameter.annotation)

    @property
    def is_required(self) -> bool:
        """Whether something has to be typed."""
        return self.parameter.is_required and not self.optional and self.kind != "text"

    @property
    def is_secret(self) -> bool:
        """Whether what is typed is not to be seen."""
        return redaction.is_secret(self.name)

    @property
    def labels(self) -> list[tuple[str, str]]:
        """The choices: what is sent, and what is shown."""
        return [(str(n), str(c.name if isinstance(c, Enum) else c)) for n, c in enumerate(self.choices)]

    @property
    def default(self) -> str:
        """The default as JSON; empty when there is none, or it has no JSON form."""
        if not self.parameter.has_default or self.is_secret:
            return ""
        try:
            return encode(self.parameter.default)[:_LONGEST_DEFAULT]
        except ArgumentError:
            return ""


def fields(definition: JobDefinition, given: Mapping[str, str] | None = None) -> list[Field]:
    """The fields of a job's form, with what was typed."""
    made = []
    for parameter in definition.signature.parameters:
        if not parameter.injected:
            field = _field(parameter)
            field.text = (given or {}).get(f"arg-{parameter.name}", "")
            made.append(field)
    return made


def signature(definition: JobDefinition) -> str:
    """How the function is called, without what workers put in themselves."""
    marks: dict[Any, str] = {Declared.VAR_POSITIONAL: "*", Declared.VAR_KEYWORD: "**"}
    told = []
    for field in fields(definition):
        default = f" = {field.default or '…'}" if field.parameter.has_default else ""
        told.append(f"{marks.get(field.parameter.kind, '')}{field.name}: {field.type_name}{default}")
    return f"{definition.method}({', '.join(told)})"


def call(form: list[Field]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments that the fields say, read by the codec; an error stands at its field, and the rest is read on."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    by_position = True
    for field in form:
        kind = field.parameter.kind
        try:
            told, value = value_of(field)
        except (ArgumentsUnreadable, ArgumentError, ValueError, RecursionError) as error:
            field.error = str(error) or _("cannot be read")
            continue
        if not told:
            by_position = by_position and kind is not Declared.POSITIONAL_OR_KEYWORD
        elif kind is Declared.VAR_KEYWORD:
            kwargs |= value
        elif kind is Declared.VAR_POSITIONAL:
            args += value
        elif kind is Declared.POSITIONAL_ONLY or (by_position and kind is Declared.POSITIONAL_OR_KEYWORD):
            args.append(value)
        else:
            kwargs[field.name] = value
    return tuple(args), kwargs


def _field(parameter: Parameter) -> Field:
    if parameter.kind in (Declared.VAR_POSITIONAL, Declared.VAR_KEYWORD):
        return Field(parameter, "json", optional=True)
    annotation, optional = unwrap(parameter.annotation), False
    if is_union(annotation):
        members = [m for m in map(unwrap, typing.get_args(annotation)) if m not in (None, types.NoneType)]
        optional = len(members) < len(typing.get_args(annotation))
        annotation = members[0] if len(members) == 1 else Any
    if typing.get_origin(annotation) is Literal:
        return Field(parameter, "choice", typing.get_args(annotation), optional)
    if isinstance(annotation, type):
        if issubclass(annotation, Enum):
            return Field(parameter, "choice", tuple(annotation), optional)
        if issubclass(annotation, str):
            return Field(parameter, "text", optional=optional)
        for kind, name in _KINDS:
            if issubclass(annotation, kind):
                return Field(parameter, name, optional=optional)
    return Field(parameter, "json", optional=optional)


def value_of(field: Field, typed: str | None = None) -> tuple[bool, Any]:
    """Whether an argument is given, and its value. typed: instead of the field's text. Raises ValueError and others."""
    text = field.text if typed is None else typed
    text = text if field.kind in ("text", "json") else text.strip()
    if not text.strip():
        if field.parameter.has_default or field.parameter.kind in (Declared.VAR_POSITIONAL, Declared.VAR_KEYWORD):
            return False, None
        if field.optional:
            return True, None
        if field.kind != "text" or field.parameter.annotation is not str:
            raise ValueError(_("must be filled in"))
    return True, field.parameter.read(_json_of(field, text))


def _json_of(field: Field, text: str) -> Any:
    if field.kind == "choice":
        try:
            chosen = field.choices[int(text)]
        except (ValueError, IndexError):
            raise ValueError(_("is none of the choices")) from None
        return json.loads(encode(chosen))
    if field.kind == "bool":
        return {"true": True, "false": False}.get(text, text)
    if field.kind == "int":
        try:
            return int(text)
        except ValueError:
            raise ValueError(_("needs a whole number")) from None
    if field.kind == "float":
        try:
            return float(text)
        except ValueError:
            raise ValueError(_("needs a number")) from None
    if field.kind == "json":
        try:
            return parse(text)
        except ValueError as error:
            raise ValueError(_("is not JSON: %(why)s", why=str(error))) from None
    return text
