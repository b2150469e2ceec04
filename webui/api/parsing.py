"""Requests of the API as they are read: strict JSON, nothing unknown, and faults told by their field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from flask import Request
from webargs.flaskparser import FlaskParser

from webui.api.problems import Fault, refuse


class Parser(FlaskParser):
    """Reads bodies and queries; what is wrong becomes a problem."""

    #: None: the schema says what becomes of unknown fields, and ours refuse them.
    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"json": None, "query": None}

    def load_json(self, req: Request, schema: Any) -> Any:
        """The body as an object; an empty one has no fields."""
        data = req.get_data(cache=True)
        if not data.strip():
            return {}
        if not req.is_json:
            refuse(415, "Request.UnsupportedMediaType", "a body is sent as Content-Type: application/json")
        found = loads(data)
        if not isinstance(found, dict):
            refuse(400, "Request.Malformed", "the body must be a JSON object")
        return found

    def handle_error(
        self, error: Any, req: Any, schema: Any, *, error_status_code: int | None, error_headers: Any
    ) -> NoReturn:  # fmt: skip
        """Tell which fields are wrong."""
        faults = [fault for part in error.messages.values() for fault in _faults(part, "")]
        refuse(422, "Request.Invalid", "; ".join(f"{f}: {m}" for f, m in faults[:5]), faults=faults)


def loads(data: bytes | str) -> Any:
    """Strict JSON. Raises Refusal."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        refuse(400, "Request.Malformed", f"the body is not JSON: {str(error)[:200]}")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _faults(messages: Any, path: str) -> Iterator[Fault]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            own = path if name == "_schema" else f"{path}.{name}" if path else str(name)
            yield from _faults(inner, own)
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield path[:100], str(message)
