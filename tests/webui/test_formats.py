"""How values are written for people."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from webui.formats import pretty

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(_VALUES)
def test_json_is_laid_out_part_by_part(value: object) -> None:
    assert pretty(json.dumps(value)) == json.dumps(value, indent=2, ensure_ascii=False)


def test_numbers_stay_as_they_were_written_and_what_is_no_json_as_it_is() -> None:
    assert pretty('{"a":1.10,"b":12345678901234567890}') == '{\n  "a": 1.10,\n  "b": 12345678901234567890\n}'
    assert pretty("{no json") == "{no json"
    assert pretty("[" * 100_000) == "[" * 100_000
