"""Whatever is written is read back as it was. (Annotations are not postponed here, elsewhere they are.)"""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import pydantic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskmanager.domain.codec import TRUNCATED, decoder, encode, encode_result, parse
from taskmanager.domain.errors import ArgumentsUnreadable
from taskmanager.domain.signature import Signature

# A busy machine is no error; nor is the first look at the table of characters, which takes a second.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Colour(Enum):
    RED = "red"
    SEVEN = 7
    PAIR = (1, "two")


class Place(NamedTuple):
    x: int
    name: str


@dataclass
class Leaf:
    number: int
    price: Decimal
    place: Place
    at: datetime | None = None


@dataclass(frozen=True)
class Tree:
    leaves: list[Leaf]
    by_key: dict[UUID, Colour]
    days: frozenset[date] = frozenset()
    children: "tuple[Tree, ...]" = field(default=())


class Model(pydantic.BaseModel):
    number: int
    price: Decimal
    at: datetime
    spans: list[timedelta]


offsets = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(
    lambda span: timezone(timedelta(seconds=int(span.total_seconds())))
)
zones = st.none() | offsets
texts = st.text(st.characters(codec="utf-8"), max_size=20)
moments = st.datetimes(timezones=zones)
places = st.builds(Place, st.integers(), texts)
numbers = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False)

SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers() | st.integers(-(10**1000), 10**1000),
    float: numbers,
    str: texts,
    datetime: moments,
    date: st.dates(),
    time: st.times(timezones=zones),
    timedelta: st.timedeltas(),
    Decimal: decimals,
    UUID: st.uuids(),
    bytes: st.binary(max_size=50),
    Colour: st.sampled_from(Colour),
    PurePosixPath: texts.map(PurePosixPath),
    Place: places,
}
KEYS = (str, int, UUID, date)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)
leaves = st.builds(Leaf, st.integers(), decimals, places, st.none() | moments)
trees = st.recursive(
    st.builds(
        Tree,
        st.lists(leaves, max_size=3),
        st.dictionaries(st.uuids(), st.sampled_from(Colour), max_size=3),
        st.frozensets(st.dates(), max_size=3),
    ),
    lambda inner: st.builds(Tree, st.just([]), st.just({}), children=st.lists(inner, max_size=3).map(tuple)),
    max_leaves=5,
)
models = st.builds(
    Model,
    number=st.integers(-(2**60), 2**60),
    price=decimals,
    at=st.datetimes(),
    # pydantic writes a span through a float, which is exact to the microsecond for a few centuries only
    spans=st.lists(st.timedeltas(timedelta(days=-9999), timedelta(days=9999)), max_size=3),
)


@st.composite
def annotated_values(draw: st.DrawFn) -> tuple[Any, Any]:
    """An annotation made of the supported ones, and a value that fits it."""
    annotation = draw(st.sampled_from(list(SCALARS)))
    values = SCALARS[annotation]
    for _ in range(draw(st.integers(0, 2))):
        shape = draw(st.sampled_from(["list", "tuple", "pair", "dict", "optional"]))
        if shape == "list":
            annotation, values = list[annotation], st.lists(values, max_size=4)  # type: ignore[valid-type]
        elif shape == "tuple":
            annotation, values = tuple[annotation, ...], st.lists(values, max_size=4).map(tuple)  # type: ignore[valid-type]
        elif shape == "pair":
            annotation, values = tuple[annotation, int], st.tuples(values, st.integers())  # type: ignore[valid-type]
        elif shape == "dict":
            key = draw(st.sampled_from(KEYS))
            annotation = dict[key, annotation]  # type: ignore[valid-type]
            values = st.dictionaries(SCALARS[key], values, max_size=4)
        else:
            annotation, values = annotation | None, st.none() | values
    return annotation, draw(values)


def round_trip(annotation: Any, value: Any) -> Any:
    return decoder(annotation)(json.loads(encode(value)))


@unhurried
@given(annotated_values())
def test_a_value_comes_back_equal_and_of_its_type(annotated: tuple[Any, Any]) -> None:
    annotation, value = annotated
    read = round_trip(annotation, value)
    assert read == value
    assert type(read) is type(value)


@unhurried
@given(plain)
def test_plain_values_are_written_as_the_json_module_writes_them(value: Any) -> None:
    text = encode(value)
    assert text == json.dumps(value, separators=(",", ":"))
    assert parse(text) == json.loads(text) == value


@unhurried
@given(st.text(st.characters(), max_size=30))
def test_lone_surrogates_are_kept(text: str) -> None:
    text = "".join(character + "." for character in text)  # two in a row may spell another character
    written = encode({"text": [text]})
    assert written.isascii()
    assert parse(written) == {"text": [text]}


@unhurried
@given(st.sets(st.text(max_size=5) | st.integers()))
def test_equal_sets_have_equal_texts(values: set[Any]) -> None:
    assert encode(values) == encode(set(reversed(list(values))))
    assert round_trip(set[int | str], values) == values


@unhurried
@given(trees)
def test_nested_dataclasses_come_back(tree: Tree) -> None:
    assert round_trip(Tree, tree) == tree


@unhurried
@given(models)
def test_pydantic_models_come_back(model: Model) -> None:
    assert round_trip(Model, model) == model


@unhurried
@given(moments)
def test_a_moment_keeps_its_offset(moment: datetime) -> None:
    assert round_trip(datetime, moment).utcoffset() == moment.utcoffset()


@unhurried
@given(st.sampled_from([*SCALARS, Leaf, Tree, Model, list[int], dict[UUID, Leaf], tuple[int, str]]), plain)
def test_any_json_is_either_read_or_refused_with_a_reason(annotation: Any, value: Any) -> None:
    try:
        read = decoder(annotation)(value)
    except ArgumentsUnreadable as error:
        reason = str(error)
    else:
        reason = encode(read)
    assert reason


@unhurried
@given(plain, st.integers(20, 200))
def test_a_stored_result_never_exceeds_its_limit(value: Any, limit: int) -> None:
    limit = max(limit, len(encode(TRUNCATED)))
    stored = encode_result(value, max_bytes=limit)
    if value is None:
        assert stored is None
        return
    assert stored is not None
    assert len(stored) <= limit
    assert json.loads(stored) == value or json.loads(stored).endswith(TRUNCATED)


def job(a: int, /, b: Decimal, *rest: date, c: UUID, d: bytes = b"", **options: Colour) -> None:
    pass


@unhurried
@given(
    st.integers(),
    decimals,
    st.lists(st.dates(), max_size=3),
    st.uuids(),
    st.none() | st.binary(),
    st.dictionaries(st.sampled_from("efgh"), st.sampled_from(Colour)),
)
def test_a_call_of_every_kind_of_parameter_comes_back(
    a: int, b: Decimal, rest: list[date], c: UUID, d: bytes | None, options: dict[str, Colour]
) -> None:
    named = {"c": c, **({} if d is None else {"d": d}), **options}
    signature = Signature.of(job)
    stored = json.loads(json.dumps(signature.encode((a, b, *rest), named)))
    assert signature.decode(stored, {}) == ([a, b, *rest], {"d": b"", **named})
