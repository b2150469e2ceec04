"""Every page of the URL map, as it is today: who adds one has it looked at by the tests that go everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.pages import _filled

#: What is a file, a stream of JSON, or open to all and told of elsewhere.
_OTHERS = ("pages.static", "pages.health", "pages.notifications_of_pages", "pages.prometheus")


def pages_of(app: Any, values: Mapping[str, Sequence[Any]]) -> list[str]:
    """The address of each page, for each value of its arguments; those of one endpoint alone are `endpoint.name`.

    Raises LookupError for an argument of which there is no value: add one.
    """
    found = [
        path
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and rule.endpoint not in _OTHERS and "GET" in rule.methods
        for path in _filled(app, rule, values)
    ]
    assert len(found) > 30
    return sorted(set(found))
