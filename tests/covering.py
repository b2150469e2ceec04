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
#: What traced before the test that runs now, which is not traced.
_stopped: list[Coverage] = []


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
    _stopped.append(tracing)
    try:
        yield
    finally:
        _stopped.remove(tracing)
        tracing.start()
        if told is not None:
            os.environ[_FOR_PROCESSES] = told


def _write_down() -> None:
    """Before a fork: what was traced up to now is written, and forgotten. The child writes what it knows when it ends;
    that would be all that the tests of this process have run, for each child anew."""
    tracing = Coverage.current() or next(iter(_stopped), None)
    if tracing is not None:
        tracing.get_data()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_write_down)
