"""The page of requirements is whole and true: each is there once, and what is done names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
STATES = {"done", "not yet", "no demand"}
NAMED = re.compile(r"`(\w+/[\w/]+\.py)(?:::(\w+))?`")


def test_every_operation_has_a_test() -> None:
    listed = {one for cell in re.findall(r"^\| ([LAT]\d[^|]*) \|", PAGE, re.M) for one in cell.split(", ")}
    wanted = {f"{letter}{n}" for letter, last in (("L", 20), ("A", 28), ("T", 12)) for n in range(1, last + 1)}
    assert listed == wanted


def requirements() -> list[tuple[list[int], str, str, str]]:
    """The rows of the second table: numbers, state, what, where."""
    found = []
    for row in re.findall(r"^\| (R\d.*) \|$", PAGE, re.M):
        numbers, state, what, where = (cell.strip() for cell in row.split("|"))
        listed = list[int]()
        for part in numbers.split(", "):
            first, _, last = part.partition(" to ")
            listed += range(int(first[1:]), int((last or first)[1:]) + 1)
        found.append((listed, state, what, where))
    return found


def test_every_requirement_is_there_once_with_a_state() -> None:
    rows = requirements()
    assert sorted(n for numbers, *_ in rows for n in numbers) == [*range(1, 124)]
    assert {state for _, state, _, _ in rows} <= STATES
    assert all(what for _, _, what, _ in rows)


def test_what_is_done_names_a_test_and_what_is_not_says_what_is_missing() -> None:
    for numbers, state, what, where in requirements():
        tests = NAMED.findall(where)
        assert tests if state == "done" else len(what) > 10, f"R{numbers[0]}"
        if state == "done":
            assert all(function for _, function in tests), f"R{numbers[0]} names a file, not a test"


def test_every_test_that_is_named_is_there() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 150
    for file, function in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not function or re.search(rf"^def {function}\(", text, re.M), f"{file}::{function}"


def test_each_line_of_the_engine_names_a_test_or_says_that_none_shows_it() -> None:
    rows = re.findall(r"^\| (\d+(?:\.\d+)?) \| ([\w ]+) \| (.+?) \| (.*)\|$", PAGE, re.M)
    numbers = [number for number, *_ in rows]
    assert len(numbers) == len(set(numbers)) > 60
    assert {number.partition(".")[0] for number in numbers} == {"1", "2", "3", "4", "5", "6", "7", "9"}
    for number, state, _, where in rows:
        assert state in {"done", "by use", "not shown"}, number
        assert (state == "not shown") == (not where.strip()), number
        assert state != "done" or NAMED.search(where), number


def test_each_clause_of_the_legacy_contract_names_a_test_or_says_by_how_much_it_is_not_met() -> None:
    rows = re.findall(r"^\| (C\d\.\d+) \| ([\w ]+) \| (.+?) \| (.*)\|$", PAGE, re.M)
    numbers = [number for number, *_ in rows]
    assert len(numbers) == len(set(numbers)) > 30
    assert {number[1] for number in numbers} == set("123456")
    for number, state, what, where in rows:
        assert state in {"done", "by use", "not met"}, number
        tests = NAMED.findall(where)
        assert all(function for _, function in tests) if state == "done" else len(what) > 40, number
        assert bool(tests) == (state != "not met"), number


def test_each_journey_of_the_dashboard_names_its_test() -> None:
    rows = re.findall(r"^\| (J\d[^|]*) \| ([\w ]+) \| (.+?) \| (.*)\|$", PAGE, re.M)
    assert sorted(int(one[1:]) for numbers, *_ in rows for one in numbers.split(", ")) == [*range(1, 31)]
    for numbers, state, _, where in rows:
        assert state in {"done", "not yet"}, numbers
        assert (state == "done") == bool(NAMED.search(where)), numbers


def test_each_feature_of_recurring_jobs_names_its_test_or_says_what_is_missing() -> None:
    rows = re.findall(r"^\| D3\.6\.(\d+) \| ([\w ]+) \| (.+?) \| (.*)\|$", PAGE, re.M)
    assert [int(number) for number, *_ in rows] == [*range(1, len(rows) + 1)]
    assert len(rows) > 15
    for number, state, what, where in rows:
        tests = NAMED.findall(where)
        assert state in {"done", "not met"}, number
        assert bool(tests) == (state == "done"), number
        assert all(function for _, function in tests) if state == "done" else len(what) > 40, number


def test_each_other_feature_of_the_dashboard_names_its_test_or_says_what_is_missing() -> None:
    rows = re.findall(r"^\| (D(?:3\.(?:8|9|1[03-57-8])|6)\.\d+) \| ([\w ]+) \| (.+?) \| (.*)\|$", PAGE, re.M)
    assert len({number for number, *_ in rows}) == len(rows) > 20
    for number, state, what, where in rows:
        assert state in {"done", "not met"}, number
        assert (state == "done") == bool(NAMED.search(where)), number
        assert len(what) > 20, number
