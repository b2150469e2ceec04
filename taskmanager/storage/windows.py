"""How much a search looks at: a part first, and from the time that it took as much more as there is time for.

The same rows take ten times as long on a slow machine, or where they are not in memory. A page says how far it looked.
"""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds that looking through rows may take altogether. A page that searches is to be told within 400 ms: half of
#: them are left to all else, and to windows whose rows lie worse than those that were measured.
BUDGET = 0.2
#: What is not this part of what was looked at before does not pay for a statement of its own.
_LEAST = 10

#: Seconds that go on evenly; a test sets its own.
clock: Callable[[], float] = time.monotonic


def further(looked: int, seconds: float, most: int, budget: float = BUDGET, colder: int = 1) -> int:
    """So many more may be looked at, after `looked` took `seconds`; with them at most `most`. 0: no more.

    colder: each of them is taken to last so many times as long as those before.
    """
    left = max(0, most - looked)
    if seconds * colder * most <= budget * looked:  # a clock may stand still, too
        return left
    size = min(left, int(looked * (budget - seconds) / (seconds * colder)))
    return size if size * _LEAST >= looked else 0
