"""The figures as a table in Markdown, with the ratios to ours out of the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def _middle(figure: Any) -> float | None:
    """A figure, or the median of several rounds."""
    if isinstance(figure, dict):
        figure = figure.get("median")
    return None if figure is None else float(figure)


def _drain(found: Mapping[str, Any], processes: int) -> float | None:
    drained = found.get(f"drain_{processes}", {})
    return _middle(drained.get("per_second"))


def _rate(found: Mapping[str, Any], processes: int) -> str:
    """A drain's rate; of less than a second it is doubtful, and marked so."""
    seconds = _middle(found.get(f"drain_{processes}", {}).get("seconds"))
    return _told(_drain(found, processes), "/s" + ("?" if seconds is not None and seconds < 1 else ""))


def _told(figure: float | None, suffix: str = "") -> str:
    if figure is None:
        return "–"
    return f"{figure:,.0f}{suffix}" if figure >= 100 else f"{figure:.3g}{suffix}"


def table(systems: Mapping[str, Mapping[str, Any]], ours: Sequence[str]) -> str:
    """A line for each system. `ours` are those names whose drain is set against every other's."""
    against = [f"{name} drains, times as fast (1 / 2 processes)" for name in ours]
    heads = [
        "system",
        "drain, 1 process",
        "drain, 2 processes",
        "enqueue",
        "p50",
        "p99",
        "ran again",
        *against,
        "keeps",
    ]
    lines = [heads, ["---"] * len(heads)]
    for name, found in systems.items():
        if "not_measured" in found:
            why = str(found["not_measured"]).replace("\n", " ").replace("|", "/")
            lines.append([name, f"not measured: {why[:300]}", *[""] * (len(heads) - 2)])
            continue
        again = sum(_middle(found[f"drain_{n}"]["ran_again"]) or 0 for n in (1, 2))
        lines.append(
            [name, _rate(found, 1), _rate(found, 2),
             _told(_middle(found["enqueue_per_second"]), "/s"), _told(_middle(found["p50_ms"]), " ms"),
             _told(_middle(found["p99_ms"]), " ms"), _told(again),
             *(_ratio(systems[one], found) if one != name else "" for one in ours), str(found["keeps"])]
        )  # fmt: skip
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _ratio(ours: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    each = [(_drain(ours, n), _drain(found, n)) for n in (1, 2)]
    return " / ".join(_told(mine / theirs) if mine and theirs else "–" for mine, theirs in each)
