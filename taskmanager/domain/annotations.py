"""What an annotation says: its names resolved, its wrappings off. What is read by it is the work of `decoding.py`."""

from __future__ import annotations

import inspect
import operator
import sys
import types
import typing
from types import NoneType
from typing import Annotated, Any, Final, ForwardRef, NotRequired, Required, TypeVar, Union, Unpack


def resolve_hints(owner: Any) -> dict[str, Any]:
    """The annotations of a function or class, quoted names resolved; what cannot be resolved stays text."""
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except Exception:  # an annotation may be any expression, and a bad one must not cost the others
        hints: dict[str, Any] = {}
    for part in reversed(owner.__mro__) if isinstance(owner, type) else (owner,):
        module = sys.modules.get(part.__module__)
        names = getattr(part, "__globals__", None) or getattr(module, "__dict__", {})
        inner = dict(vars(part)) if isinstance(part, type) else {}
        for name, hint in _annotations(part).items():
            holder = types.SimpleNamespace(__annotations__={name: hint})
            try:
                hints.update(typing.get_type_hints(holder, names, inner, include_extras=True))
            except Exception:
                hints[name] = hint.__forward_arg__ if isinstance(hint, ForwardRef) else hint
    return hints


def _annotations(owner: Any) -> dict[str, Any]:
    if sys.version_info >= (3, 14):  # there an unknown name raises at the first look
        import annotationlib

        return annotationlib.get_annotations(owner, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(owner)


def unwrap(annotation: Any) -> Any:
    """What stands under Annotated, NewType, Final, Required, a type alias and a TypeVar."""
    while True:
        if isinstance(annotation, TypeVar):
            annotation = annotation.__bound__ or operator.getitem(Union, annotation.__constraints__ or Any)
        elif typing.get_origin(annotation) in (Annotated, Final, Required, NotRequired):
            annotation = typing.get_args(annotation)[0]
        elif hasattr(annotation, "__supertype__"):  # NewType
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__") and not isinstance(annotation, type):  # `type Ids = list[int]`
            annotation = annotation.__value__
        else:
            return NoneType if annotation is None else annotation


def is_union(annotation: Any) -> bool:
    """Whether this is `A | B`, `Optional[A]` or `Union[A, B]`."""
    return typing.get_origin(annotation) in (Union, types.UnionType)


def is_unpacked(annotation: Any) -> bool:
    """Whether this is `*tuple[A, B]` or `Unpack[…]`."""
    return typing.get_origin(annotation) is Unpack or getattr(annotation, "__unpacked__", False) is True


def is_model(kind: type) -> bool:
    """Whether this is a pydantic model; if pydantic was never imported, nothing is."""
    base = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    return base is not None and issubclass(kind, base)


def name_of(annotation: Any) -> str:
    """How it is called in an error."""
    if annotation is NoneType:
        return "null"
    is_class = isinstance(annotation, type) and not typing.get_args(annotation)
    return annotation.__name__ if is_class else str(annotation).replace("typing.", "")
