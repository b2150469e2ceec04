"""Python's collector of cycles in a worker process: what it walks over, and how often."""

from __future__ import annotations

import gc

#: Objects made since its last round after which it makes another; Python's own is 700, the work of fifty short jobs,
#: all of which are still there: it walked over each run two or three times before its outcome was written.
_OBJECTS = 20_000


def set_up() -> None:
    """Let it pass by what is there now, modules and definitions, and walk over what jobs leave behind less often."""
    gc.freeze()
    _, middle, old = gc.get_threshold()
    gc.set_threshold(_OBJECTS, middle, old)
