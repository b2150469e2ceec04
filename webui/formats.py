"""How values are written for people."""

from __future__ import annotations

import json
from datetime import datetime

from taskmanager.domain.invocation import InvocationUnreadable, read
from taskmanager.domain.records import JobRecord


def call(record: JobRecord) -> str:
    """The job as a call; whatever is stored, this never fails."""
    try:
        found = read(record.invocation_data, record.arguments)
    except InvocationUnreadable as error:
        return f"(unreadable: {error})"
    name = f"{found.type.partition(',')[0]}.{found.method}"
    return f"{name}({', '.join('…' if a is None else str(a) for a in found.arguments)})"


def moment(value: datetime | None) -> str:
    """A moment in UTC."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def pretty(text: str) -> str:
    """JSON with line breaks; other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, TypeError):
        return str(text)
