"""Addresses whose builders are compiled when an address is first written.

Werkzeug compiles two functions for each rule as it is added: for the 200 of the dashboard that is half of a web
process's start, and most of them are never called.
"""

from __future__ import annotations

from typing import Any

from werkzeug.routing import Rule


class LateRule(Rule):
    """A rule that is matched from the start, and compiled for building by the first `url_for`."""

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        compiled: list[Any] = []
        early = super()._compile_builder

        def build(rule: Rule, /, **values: Any) -> Any:
            if not compiled:
                compiled.append(early(append_unknown))
            return compiled[0](rule, **values)

        return build
