"""Which tests count towards coverage: those of SQLite, and those of no database.

Tracing takes as much processor time again as what it traces, in every process that is started as well. What a test of
a server runs besides the same test on SQLite is the server's dialect, which is a small part of the whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from coverage import Coverage

#: Tells processes that are started to trace themselves.
_FOR_PROCESSES = "COVERAGE_PROCESS_CONFIG"


def counts(item: pytest.Item) -> bool:
    """Whether a test counts: whether no server runs the same test that SQLite does."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return parameters.get("engine_name", "sqlite") == "sqlite"


@contextmanager
def left_out() -> Iterator[None]:
    """Trace nothing inside, neither here nor in processes that are started."""
    tracing = Coverage.current()
    if tracing is None:
        yield
        return
    told = os.environ.pop(_FOR_PROCESSES, None)
    tracing.stop()
    try:
        yield
    finally:
        tracing.start()
        if told is not None:
            os.environ[_FOR_PROCESSES] = told
