"""Compiled templates: once for a process, however many applications it has.

A host may mount a dashboard for each of its customers, and tests make an application each: to compile what pages are
made of takes half a second on a slow machine, and each would keep its own.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

from jinja2 import BytecodeCache


class Compiled(BytecodeCache):
    """Code by the name of its template and the checksum of its text. All applications compile with the same options."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Any) -> None:
        """Give the code of a template, if it is of the same text."""
        checksum, code = self._known.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Any) -> None:
        """Keep the code of a template."""
        self._known[bucket.key] = (bucket.checksum, bucket.code)


#: Of this process.
SHARED = Compiled()
