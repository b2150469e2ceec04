"""In which order the processes of a test run take whole files: those that take long early, and spread among the rest.

Most files that take long wait, for workers that start, servers that are away, seconds that pass, and use the processor
little: several of them at once leave it idle, and would leave what computes for the end, when it is too much at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import islice
from pathlib import Path

#: How many others follow a file that takes long: they take about as long together.
_OTHERS = 4


def spread(files: Iterable[Path], long: Set[Path]) -> list[Path]:
    """Each file once. None that takes long is left for the end, where one process would be alone with it."""
    distinct = list(dict.fromkeys(files))
    others = iter([file for file in distinct if file not in long])
    order: list[Path] = []
    for file in (one for one in distinct if one in long):
        order += [file, *islice(others, _OTHERS)]
    return [*order, *others]
