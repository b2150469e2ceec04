"""The shape of tables as it is written down, for what migrations expect to find."""

from __future__ import annotations

import re
from dataclasses import replace

from taskmanager.storage.shape import ColumnShape, IndexShape, TableShape, collated

_LINE = re.compile(r"(?P<name>\S+) (?P<kind>[a-z]+)(?:\((?P<length>\d+)\))?(?P<rest>.*)")


def parse(notation: str, prefix: str, collation: str) -> dict[str, TableShape]:
    """Shapes written down as text: a table's name, then indented lines `column type [null] …` or `index name columns`.

    `{prefix}` stands for the prefix; words after a type are `null`, `numbered`, `default=…`, `ascii`.
    """
    shapes: dict[str, TableShape] = {}
    for line in notation.replace("{prefix}", prefix).splitlines():
        if not line.strip():
            continue
        if not line.startswith(" "):
            table = TableShape(prefix + line.strip(), {})
        else:
            table = _with_line(table, line.strip(), collation)
        shapes[table.name] = table
    return shapes


def _with_line(table: TableShape, line: str, collation: str) -> TableShape:
    words = line.split()
    if words[0] in ("index", "unique"):
        index = IndexShape(words[1], tuple(words[2:]), words[0] == "unique")
        return replace(table, indexes=(*table.indexes, index))
    if words[0] == "primary":
        return replace(table, primary=tuple(words[1:]))
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"not a line of a table's shape: {line!r}")
    rest = found["rest"].split()
    default = next((w.removeprefix("default=") for w in rest if w.startswith("default=")), None)
    column = ColumnShape(
        found["name"], found["kind"], int(found["length"]) if found["length"] else None, "null" in rest, default,
        "numbered" in rest, "ascii_bin" if "ascii" in rest else collation,
    )  # fmt: skip
    return replace(table, columns={**table.columns, column.name: collated(column, collation)})
