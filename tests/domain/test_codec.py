from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import typing
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, Flag, IntEnum, auto
from pathlib import Path, PurePosixPath
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import pydantic
import pytest

from taskmanager.domain.codec import decoder, encode, encode_result, parse, resolve_hints
from taskmanager.domain.errors import ArgumentError, ArgumentsUnreadable

if typing.TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]

KEY = UUID("6f1c2a34-0000-4000-8000-0123456789ab")
MOMENT = dt.datetime(2026, 7, 20, 10, 0, 0, 123456)
EAST = dt.timezone(dt.timedelta(hours=5, minutes=30))


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Right(Flag):
    READ = auto()
    WRITE = auto()


class Size(Enum):
    SMALL = (1, 2)
    LARGE = Decimal("9.5")

    @classmethod
    def _missing_(cls, value: object) -> Size | None:
        return cls.SMALL if value == "tiny" else None


class Opaque(Enum):
    THING = object()
    NAMED = "named"


@dataclass
class Item:
    name: str
    price: Decimal
    made: dt.date | None = None


@dataclass(frozen=True)
class Order:
    id: int
    items: list[Item]
    colour: Colour = Colour.RED
    tags: frozenset[str] = frozenset()
    size: int = field(init=False, default=0)


@dataclass
class Node:
    value: int
    children: list[Node] = field(default_factory=list)


@dataclass
class Positive:
    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("number must not be negative")


@dataclass
class PartlyUnknown:
    known: dt.date
    unknown: Unknown


class Point(NamedTuple):
    x: int
    day: dt.date
    label: str = "here"


class Options(TypedDict):
    since: dt.date
    limit: NotRequired[int]


class MoreOptions(Options, total=False):
    colour: Colour


class Model(pydantic.BaseModel):
    number: int
    price: Decimal = Decimal(1)
    renamed: str = pydantic.Field("x", alias="other")


class StrictModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)
    at: dt.datetime
    tags: set[str]


class UnsendableModel(pydantic.BaseModel):
    thing: bytes


class ExplosiveModel(pydantic.BaseModel):
    number: int

    @pydantic.field_validator("number")
    @classmethod
    def explode(cls, number: int) -> int:
        raise RuntimeError("boom")


class Unasked(typing.Protocol):
    def method(self) -> None: ...


class Email(str):
    def __new__(cls, text: str) -> Email:
        if "@" not in text:
            raise ValueError("no @")
        return super().__new__(cls, text)


class Customer:
    pass


UserId = NewType("UserId", int)
Bound = TypeVar("Bound", bound=dt.date)
OneOf = TypeVar("OneOf", int, str)
Free = TypeVar("Free")

ROUND_TRIPS: list[tuple[Any, Any, str]] = [
    (Any, None, "null"),
    (bool, True, "true"),
    (int, 7, "7"),
    (int, 10**400, "1" + "0" * 400),
    (float, 1.5, "1.5"),
    (float, 1e300, "1e+300"),
    (str, "hello", '"hello"'),
    (str, "שלום 🎉", r'"\u05e9\u05dc\u05d5\u05dd \ud83c\udf89"'),
    (str, "\udc80 alone", r'"\udc80 alone"'),
    (list, [1, "a", None, [True]], '[1,"a",null,[true]]'),
    (list[int], [1, 2], "[1,2]"),
    (list[Decimal], [Decimal("1.10")], '["1.10"]'),
    (tuple, (1, 2), "[1,2]"),
    (tuple[int, ...], (1, 2), "[1,2]"),
    (tuple[int, dt.date], (1, dt.date(2026, 1, 2)), '[1,"2026-01-02"]'),
    (tuple[()], (), "[]"),
    (set[str], {"b", "a"}, '["a","b"]'),
    (frozenset[int], frozenset({2, 1}), "[1,2]"),
    (Sequence[UUID], [KEY], f'["{KEY}"]'),
    (Iterable[int], [1], "[1]"),
    (AbstractSet[int], frozenset({1}), "[1]"),
    (dict, {"a": [1]}, '{"a":[1]}'),
    (dict[str, int], {"a": 1}, '{"a":1}'),
    (Mapping[str, dt.date], {"a": dt.date(2026, 1, 2)}, '{"a":"2026-01-02"}'),
    (dict[int, str], {-1: "a", 20: "b"}, '{"-1":"a","20":"b"}'),
    (dict[UUID, int], {KEY: 1}, f'{{"{KEY}":1}}'),
    (dict[dt.date, int], {dt.date(2026, 1, 2): 1}, '{"2026-01-02":1}'),
    (dict[Colour, int], {Colour.RED: 1}, '{"red":1}'),
    (dict[Level, int], {Level.HIGH: 1}, '{"2":1}'),
    (dt.datetime, MOMENT, '"2026-07-20T10:00:00.123456"'),
    (dt.datetime, MOMENT.replace(tzinfo=EAST), '"2026-07-20T10:00:00.123456+05:30"'),
    (dt.date, dt.date(2026, 7, 20), '"2026-07-20"'),
    (dt.time, dt.time(23, 59, 58, 7), '"23:59:58.000007"'),
    (dt.time, dt.time(1, tzinfo=EAST), '"01:00:00+05:30"'),
    (dt.timedelta, dt.timedelta(days=1, seconds=7384, microseconds=5), '"P1DT2H3M4.000005S"'),
    (dt.timedelta, -dt.timedelta(microseconds=1), '"-P0DT0H0M0.000001S"'),
    (dt.timedelta, dt.timedelta.max, '"P999999999DT23H59M59.999999S"'),
    (dt.timedelta, dt.timedelta.min, '"-P999999999DT0H0M0S"'),
    (Decimal, Decimal("12.50"), '"12.50"'),
    (UUID, KEY, f'"{KEY}"'),
    (bytes, b"\x00\xff", '"AP8="'),
    (Path, Path("/tmp/a b"), '"/tmp/a b"'),
    (PurePosixPath, PurePosixPath("x/y"), '"x/y"'),
    (Colour, Colour.BLUE, '"blue"'),
    (Level, Level.LOW, "1"),
    (Right, Right.READ | Right.WRITE, "3"),
    (Size, Size.SMALL, "[1,2]"),
    (Size, Size.LARGE, '"9.5"'),
    (Opaque, Opaque.NAMED, '"named"'),
    (Literal["a", 1], 1, "1"),
    (Literal[Colour.RED, None], Colour.RED, '"red"'),
    (UserId, UserId(5), "5"),
    (Email, Email("a@b"), '"a@b"'),
    (Annotated[dt.date, "a day"], dt.date(2026, 1, 2), '"2026-01-02"'),
    (Annotated[list[dt.date], {"not": "hashable"}], [dt.date(2026, 1, 2)], '["2026-01-02"]'),
    (Final[int], 5, "5"),
    (Bound, dt.date(2026, 1, 2), '"2026-01-02"'),
    (OneOf, "x", '"x"'),
    (Free, [1], "[1]"),
    (Optional[dt.date], None, "null"),  # noqa: UP045 - the old spelling is read too
    (dt.date | None, dt.date(2026, 1, 2), '"2026-01-02"'),
    (Item, Item("a", Decimal("1.5"), dt.date(2026, 1, 2)), '{"name":"a","price":"1.5","made":"2026-01-02"}'),
    (Node, Node(1, [Node(2)]), '{"value":1,"children":[{"value":2,"children":[]}]}'),
    (Point, Point(1, dt.date(2026, 1, 2)), '[1,"2026-01-02","here"]'),
    (Options, {"since": dt.date(2026, 1, 2)}, '{"since":"2026-01-02"}'),
    (
        MoreOptions,
        {"since": dt.date(2026, 1, 2), "colour": Colour.RED},
        '{"since":"2026-01-02","colour":"red"}',
    ),
    (Model, Model(number=1, other="y"), '{"number":1,"price":"1","renamed":"y"}'),
    (
        list[Model],
        [Model.model_validate({"number": 1, "other": "x"})],
        '[{"number":1,"price":"1","renamed":"x"}]',
    ),
    (StrictModel, StrictModel(at=MOMENT, tags={"a"}), '{"at":"2026-07-20T10:00:00.123456","tags":["a"]}'),
]


@pytest.mark.parametrize(("annotation", "value", "text"), ROUND_TRIPS)
def test_a_value_is_written_compactly_and_read_back_as_it_was(annotation: Any, value: Any, text: str) -> None:
    written = encode(value)
    assert written == text
    assert written.isascii()
    read = decoder(annotation)(json.loads(written))
    assert read == value
    assert type(read) is type(value)
    assert decoder(annotation)(parse(written)) == value


def test_a_nested_dataclass_keeps_every_type_inside() -> None:
    order = Order(7, [Item("a", Decimal("0.10"))], Colour.BLUE, frozenset({"x"}))
    read = decoder(Order)(json.loads(encode(order)))
    assert read == order
    assert type(read.items[0]) is Item


def test_an_aware_moment_keeps_its_offset() -> None:
    read = decoder(dt.datetime)(json.loads(encode(MOMENT.replace(tzinfo=EAST))))
    assert read.utcoffset() == dt.timedelta(hours=5, minutes=30)


def test_without_an_annotation_the_json_value_is_given_as_it_is() -> None:
    value = json.loads(encode({"at": MOMENT, "pair": (1, 2)}))
    assert decoder(Any)(value) is value
    assert value == {"at": "2026-07-20T10:00:00.123456", "pair": [1, 2]}


def test_equal_sets_are_written_alike() -> None:
    assert encode(set("abcdefgh")) == encode(set("hgfedcba"))


def test_subclasses_of_plain_types_are_written_as_their_base() -> None:
    assert encode(OrderedDict(a=1)) == '{"a":1}'
    assert encode(Counter("aab")) == '{"a":2,"b":1}'
    assert encode({"level": Level.HIGH, "mail": Email("a@b")}) == '{"level":2,"mail":"a@b"}'


def test_surrogates_written_side_by_side_come_back_as_the_character_they_spell() -> None:
    assert parse(encode("\ud83c\udf89")) == "🎉"


CIRCULAR: list[Any] = []
CIRCULAR.append(CIRCULAR)

REFUSED: list[tuple[Any, str]] = [
    (
        {"customer": Customer()},
        "argument 'order.customer': cannot write a Customer as JSON; pass its id, or make it a dataclass",
    ),
    (Customer(), "argument 'order': cannot write a Customer as JSON"),
    ([1, [2, Customer()]], "argument 'order[1][1]': cannot write a Customer"),
    ({"a b": Customer()}, "argument 'order['a b']': cannot write a Customer"),
    (Item("x", Customer()), "argument 'order.price': cannot write a Customer"),  # type: ignore[arg-type]
    ({Customer()}, "argument 'order': cannot write a Customer"),
    (Opaque.THING, "argument 'order': cannot write an object as JSON"),
    (float("nan"), "argument 'order': JSON has no nan; pass None, or text"),
    ({"a": [1.0, float("inf")]}, "argument 'order.a[1]': JSON has no inf"),
    ({"a": [10**5000]}, "argument 'order.a[0]': cannot write an int of more than 4300 digits"),
    ({None: 1}, "argument 'order': a key in JSON is text, not None; use str, int, UUID, date or Enum keys"),
    ({True: 1}, "a key in JSON is text, not True"),
    ({1.5: 1}, "a key in JSON is text, not 1.5"),
    ({"deep": [{(1, 2): 1}]}, "argument 'order.deep[0]': a key in JSON is text, not (1, 2)"),
    ({1: "a", "1": "b"}, "argument 'order': two keys are both written as '1'"),
    (CIRCULAR, "argument 'order': it contains itself, or is nested too deeply"),
    (Customer, "cannot write a type as JSON; pass its name"),
    (lambda: None, "cannot write a function as JSON; pass its name"),
    ((number for number in [1]), "cannot write a generator as JSON; pass a list of its items"),
    (sys.stdin, "as JSON; pass its path"),
    (typing.cast("Any", type.__dict__), "cannot write a mappingproxy as JSON; pass a dict"),
    (UnsendableModel(thing=b"\xff"), "cannot write this UnsendableModel as JSON"),
    (complex(1, 2), "cannot write a complex as JSON"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED)
def test_what_has_no_json_form_is_refused_by_place_type_and_cure(value: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        encode(value, "order")
    assert message in str(caught.value)


def test_an_int_that_python_will_not_spell_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^argument 'n': cannot write an int of more than 4300 digits"):
        encode(10**5000, "n")


def test_an_error_without_a_name_starts_at_the_value_itself() -> None:
    with pytest.raises(ArgumentError, match=r"^argument 'a\[0\]': cannot write a Customer"):
        encode({"a": [Customer()]})
    with pytest.raises(ArgumentError, match=r"^cannot write a Customer"):
        encode(Customer())


UNREADABLE: list[tuple[Any, Any, str]] = [
    (str, 7, "expected str, found 7"),
    (str, None, "expected str, found null"),
    (int, 1.5, "expected int, found 1.5"),
    (int, 1.0, "expected int, found 1.0"),
    (int, True, "expected int, found true"),
    (int, "7", 'expected int, found "7"'),
    (int, {"a": 1}, "expected int, found an object with 1 fields"),
    (bool, 1, "expected bool, found 1"),
    (float, False, "expected float, found false"),
    (float, "1.5", 'expected float, found "1.5"'),
    (float, 10**400, "expected float, found a very large number"),
    (None, 0, "expected null, found 0"),
    (str | None, 5, "expected str, found 5"),
    (int | str, [1], "expected int or str, found a list of 1 items"),
    (list[int] | dict[str, int], {"a": "x"}, "argument 'a': expected int, found \"x\""),
    (list[int], [1, "x"], "argument '[1]': expected int, found \"x\""),
    (list[int], "12", 'expected a list, found "12"'),
    (list[list[int]], [[], [1, None]], "argument '[1][1]': expected int, found null"),
    (tuple[int, str], [1], "expected a list of 2 items, found a list of 1 items"),
    (tuple[int, str], [1, 2], "argument '[1]': expected str, found 2"),
    (set, [[1]], "its items cannot be in a set"),
    (dict[str, int], [1], "expected an object, found a list of 1 items"),
    (dict[str, int], {"a": {"b": 1}}, "argument 'a': expected int, found an object"),
    (dict[int, int], {"x": 1}, "argument 'x': expected int, found \"x\""),
    (dict[int, int], {"01": 1}, "argument '['01']': expected int, found \"01\""),
    (dt.datetime, "yesterday", 'expected datetime, found "yesterday"'),
    (dt.datetime, 1784541600, "expected datetime, found 1784541600"),
    (dt.date, "2026-13-01", 'expected date, found "2026-13-01"'),
    (dt.date, "2026-07-20T10:00:00", "expected date"),
    (dt.time, "25:00", "expected time"),
    (dt.timedelta, "P", 'expected timedelta, found "P"'),
    (dt.timedelta, "PT", 'expected timedelta, found "PT"'),
    (dt.timedelta, "P1Y", "expected timedelta"),
    (dt.timedelta, "P99999999999D", "expected timedelta"),
    (dt.timedelta, 1e300, "expected timedelta, found 1e+300"),
    (Decimal, "twelve", "expected Decimal"),
    (UUID, "6f1c", 'expected UUID, found "6f1c"'),
    (bytes, "not base64!", "expected bytes in base64"),
    (Path, 5, "expected str, found 5"),
    (Colour, "pink", 'expected one of "red", "blue", found "pink"'),
    (Level, True, "expected one of 1, 2, found true"),
    (Level, 3, "expected one of 1, 2, found 3"),
    (Right, "x", "expected one of"),
    (Literal["a", "b"], "c", 'expected one of "a", "b", found "c"'),
    (Literal[1], True, "expected one of 1, found true"),
    (Email, "nobody", 'Email refused "nobody": no @'),
    (Customer, {"id": 1}, "expected Customer, which cannot be made from JSON (make it a dataclass)"),
    (Item, [], "expected an object with the fields of Item, found a list of 0 items"),
    (Item, {"price": "1"}, "Item is missing 'name'"),
    (
        Item,
        {"name": "a", "price": "1", "colour": 1},
        "argument 'colour': Item has no field 'colour'; it has:",
    ),
    (Order, {"id": 1, "items": [{"name": "a", "price": "x"}]}, "argument 'items[0].price': expected Decimal"),
    (Order, {"id": 1, "items": [], "size": 3}, "Order has no field 'size'"),
    (Positive, {"number": -1}, "Positive refused these fields: number must not be negative"),
    (Point, [1, "2026-01-02", "x", 4], "expected at most the 3 fields of Point"),
    (Point, [1], "Point is missing 'day'"),
    (Point, [1, "x"], "argument 'day': expected date"),
    (Options, {"limit": 1}, "Options is missing 'since'"),
    (Options, {"since": "2026-01-02", "x": 1}, "Options has no field 'x'"),
    (Model, {"number": "x"}, "argument 'number': expected a Model: "),
    (Model, {"number": "x", "price": "y"}, "(and 1 more)"),
    (ExplosiveModel, {"number": 1}, "ExplosiveModel refused these fields: boom"),
    (list[Model], [{"number": 1}, {}], "argument '[1].number': expected a Model: Field required"),
    (str, 5 * [0], "expected str, found a list of 5 items"),
    (int, "x" * 1000, 'found "' + "x" * 40 + '…"'),
    (int, "\udc80", 'found "\\udc80"'),
]


@pytest.mark.parametrize(("annotation", "value", "message"), UNREADABLE)
def test_what_does_not_fit_is_refused_by_place_and_finding(annotation: Any, value: Any, message: str) -> None:
    with pytest.raises(ArgumentsUnreadable) as caught:
        decoder(annotation)(value)
    assert message in str(caught.value)
    str(caught.value).encode()


def test_a_float_takes_a_whole_number_and_becomes_a_float() -> None:
    read = decoder(float)(7)
    assert read == 7.0
    assert type(read) is float


def test_hand_written_numbers_are_read_where_they_are_exact_enough() -> None:
    assert decoder(Decimal)(12.5) == Decimal("12.5")
    assert decoder(Decimal)(12) == Decimal(12)
    assert decoder(dt.timedelta)(90) == dt.timedelta(seconds=90)
    assert decoder(dt.timedelta)(0.5) == dt.timedelta(milliseconds=500)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT1H30M", dt.timedelta(hours=1, minutes=30)),
        ("P2W", dt.timedelta(weeks=2)),
        ("+P1DT0.5S", dt.timedelta(days=1, milliseconds=500)),
        ("-PT90S", -dt.timedelta(seconds=90)),
        ("PT1,1234567S", dt.timedelta(seconds=1, microseconds=123456)),
    ],
)
def test_durations_of_other_writers_are_read(text: str, expected: dt.timedelta) -> None:
    assert decoder(dt.timedelta)(text) == expected


def test_moments_of_dotnet_are_read() -> None:
    assert decoder(dt.datetime)("2026-07-20T10:00:00.1234560Z") == MOMENT.replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (int | str, "5", "5"),
        (str | int, 5, 5),
        (float | int, 5, 5),
        (int | float, 5.0, 5.0),
        (bool | int, 1, 1),
        (Decimal | int, 5, 5),
        (UUID | str, str(KEY), KEY),
        (str | UUID, str(KEY), str(KEY)),
        (UUID | str, "no uuid", "no uuid"),
        (dt.datetime | dt.date, "2026-01-02", dt.date(2026, 1, 2)),
        (dt.datetime | dt.date, "2026-01-02T00:00:00", dt.datetime(2026, 1, 2)),
        (list[int] | list[str], ["a"], ["a"]),
        (Item | Positive, {"number": 1}, Positive(1)),
        (Any | None, {"a": 1}, {"a": 1}),
        (UserId | None, 5, 5),
    ],
    ids=str,
)
def test_a_union_takes_the_exact_kind_and_then_the_first_that_fits(annotation: Any, value: Any, expected: Any) -> None:
    read = decoder(annotation)(value)
    assert read == expected
    assert type(read) is type(expected)


def test_a_plan_is_made_once_for_an_annotation() -> None:
    assert decoder(dict[str, list[Order]]) is decoder(dict[str, list[Order]])
    assert decoder(list[UUID | str]) is not decoder(list[str | UUID])


def test_a_missing_value_of_an_enum_may_be_known_to_the_enum() -> None:
    assert decoder(Size)("tiny") is Size.SMALL


def test_fields_may_be_left_out_where_the_class_has_a_default() -> None:
    assert decoder(Item)({"name": "a", "price": "1"}) == Item("a", Decimal(1))
    assert decoder(Point)([1, "2026-01-02"]) == Point(1, dt.date(2026, 1, 2))
    assert decoder(Point)({"x": 1, "day": "2026-01-02"}) == Point(1, dt.date(2026, 1, 2))
    assert decoder(Model)({"number": 1, "other": "y"}) == Model(number=1, other="y")


def test_an_unresolvable_hint_costs_its_own_field_only() -> None:
    hints = resolve_hints(PartlyUnknown)
    assert hints == {"known": dt.date, "unknown": "Unknown"}
    read = decoder(PartlyUnknown)({"known": "2026-01-02", "unknown": [1]})
    assert read == PartlyUnknown(dt.date(2026, 1, 2), typing.cast("Any", [1]))


def test_a_class_that_says_nothing_about_json_takes_what_already_is_one() -> None:
    assert decoder(typing.SupportsInt)(5) == 5
    assert decoder(typing.Hashable)("x") == "x"
    assert decoder(Unasked)([1]) == [1]
    assert decoder("Unknown")([1]) == [1]
    assert decoder(tuple[int, *tuple[str, ...]])([1, "a"]) == (1, "a")


@pytest.mark.parametrize("text", ["", "bob", "{", "[1,]", "1 2", "NaN", "-Infinity", "[" * 100_000, "9" * 5000])
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def test_blanks_around_a_hand_written_text_do_no_harm() -> None:
    assert parse(' {"a": 1}\n') == {"a": 1}


@pytest.mark.parametrize(("value", "stored"), [(None, None), ("ok", '"ok"'), ({"n": 1}, '{"n":1}'), (0, "0")])
def test_a_result_is_stored_as_json_and_none_is_not_stored(value: Any, stored: str | None) -> None:
    assert encode_result(value, max_bytes=100) == stored


class Explosive(pydantic.BaseModel):
    number: int

    @pydantic.field_serializer("number")
    def explode(self, number: int) -> int:
        raise RuntimeError("boom")


@pytest.mark.parametrize("value", [Customer(), [float("nan")], CIRCULAR, Explosive(number=1)])
def test_a_result_without_a_json_form_becomes_the_note_that_hangfire_writes(value: Any) -> None:
    assert encode_result(value, max_bytes=100) == "Can not serialize the return value"


@pytest.mark.parametrize("value", ["x" * 200, "🎉" * 200, '"\\' * 200, list(range(200)), {"key": "é" * 200}])
def test_a_result_that_is_too_long_is_a_preview_with_a_marker(value: Any) -> None:
    stored = encode_result(value, max_bytes=100)
    assert stored is not None
    assert 80 < len(stored) <= 100
    shown, marker, rest = json.loads(stored).partition(" …[truncated]")
    assert (marker, rest) == (" …[truncated]", "")
    assert shown
    assert (value if isinstance(value, str) else encode(value)).startswith(shown)


def test_a_tiny_limit_leaves_the_marker_alone() -> None:
    assert encode_result("x" * 100, max_bytes=3) == encode(" …[truncated]")


def test_pydantic_is_not_imported_for_it() -> None:
    program = (
        "import sys, dataclasses; from taskmanager.domain.codec import decoder, encode\n"
        "D = dataclasses.make_dataclass('D', [('x', int)])\n"
        "assert decoder(D)({'x': 1}) == D(1) and encode(D(1)) == '{\"x\":1}'\n"
        "sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
