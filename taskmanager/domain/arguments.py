"""Conditions on arguments by their names: SQL finds a value in some argument, here it is in the right one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class NamedArgument:
    """The argument of this name, in small letters, has one of these values; negated: none of them."""

    name: str
    values: tuple[str, ...]
    negated: bool = False

    def is_met(self, arguments: Sequence[tuple[str | None, Any]]) -> bool:
        """Whether names and values of a job's arguments are as wanted."""
        mine = {str(value) for name, value in arguments if name is not None and name.lower() == self.name}
        return bool(mine & set(self.values)) != self.negated


def meets(wanted: Iterable[NamedArgument], arguments: Sequence[tuple[str | None, Any]]) -> bool:
    """Whether all conditions are met."""
    return all(one.is_met(arguments) for one in wanted)
