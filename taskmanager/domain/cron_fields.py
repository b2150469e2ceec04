"""The fields of a cron expression, and the names that stand for whole expressions."""

from __future__ import annotations

from taskmanager.domain.errors import InvalidCron

_MACROS = {
    "@every_second": "* * * * * *",
    "@every_minute": "* * * * *",
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def fields_of(expression: str) -> tuple[str, ...]:
    """The 5 fields, or 6 with seconds first, in capitals; `?` as `*`. Raises InvalidCron."""
    text = expression.strip()
    if text.startswith("@"):
        macro = _MACROS.get(text.lower())
        if macro is None:
            raise InvalidCron(f"cron {expression!r} is no known macro; known are {', '.join(_MACROS)}")
        text = macro
    fields = tuple(text.upper().split())
    if len(fields) not in (5, 6):
        count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
        raise InvalidCron(
            f"cron {expression!r} has {count}: write 5 (minute hour day month weekday), or 6 with seconds first"
        )
    day, weekday = len(fields) - 3, len(fields) - 1
    return tuple("*" if f == "?" and i in (day, weekday) else f for i, f in enumerate(fields))
