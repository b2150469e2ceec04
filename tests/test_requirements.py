"""Every operation of the legacy contract is on the page of requirements, with a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")


def test_every_operation_has_a_test() -> None:
    listed = {one for cell in re.findall(r"^\| ([LAT]\d[^|]*) \|", PAGE, re.M) for one in cell.split(", ")}
    wanted = {f"{letter}{n}" for letter, last in (("L", 20), ("A", 28), ("T", 12)) for n in range(1, last + 1)}
    assert listed == wanted


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(\w+/[\w/]+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) > 60
    for file, function in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not function or re.search(rf"^def {function}\(", text, re.M), f"{file}::{function}"
