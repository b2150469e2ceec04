"""Several runs of one measurement as one: the median of each figure, and between what it lay."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any


def summary(runs: Sequence[Any]) -> Any:
    """Figures that differ become `{"median": …, "least": …, "most": …}`; what is the same in all stays as it is."""
    first = runs[0]
    if all(run == first for run in runs):
        return first
    if isinstance(first, dict):
        return {name: summary([run[name] for run in runs]) for name in first}
    if isinstance(first, (list, tuple)):
        return [summary(each) for each in zip(*runs, strict=True)]
    return {"median": round(statistics.median(runs), 2), "least": min(runs), "most": max(runs)}
