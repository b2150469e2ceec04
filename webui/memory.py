"""Memory of the web process: what the C library keeps for each thread, and what the collector need not look at."""

from __future__ import annotations

import ctypes
import gc
import os

#: glibc's M_ARENA_MAX: of how many parts its heap has at most. It makes one for each thread, up to eight a core.
_ARENA_MAX, _ARENAS = -8, 2


def share_heap() -> bool:
    """Let the threads of this process share two parts of the heap; whether it was done.

    Threads of Python wait for each other anyway. Nothing is done where MALLOC_ARENA_MAX says how many, or where the C
    library is another.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS))
    except (AttributeError, OSError, TypeError):  # no such function, or no such library
        return False


def set_lasting_aside() -> None:
    """Let the collector pass by what is there now: modules, tables, routes. They last as long as the process.

    Walking over all of them took 120 ms, in the middle of an answer; what has come since takes 3 to 8.
    """
    gc.freeze()
