from __future__ import annotations

import datetime as dt
import functools
import json
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, TypedDict, Unpack
from uuid import UUID

import pytest

from taskmanager.domain.errors import ArgumentError, ArgumentsUnreadable
from taskmanager.domain.signature import Signature

if typing.TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]

KEY = UUID("6f1c2a34-0000-4000-8000-0123456789ab")


class Context:
    pass


class Customer:
    pass


@dataclass
class Order:
    customer: str
    total: Decimal


class Options(TypedDict, total=False):
    limit: int
    since: dt.date


def nothing() -> None: ...
def send_mail(to: str, subject: str) -> None: ...
def with_defaults(to: str, subject: str = "hi", at: dt.datetime | None = None, *, urgent: bool = False) -> None: ...
def everything(a: int, /, b: dt.date, *rest: Decimal, c: UUID, d: str = "d", **options: int) -> None: ...
def context_first(ctx: Context, to: str, cc: str = "") -> None: ...
def context_last(to: str, cc: str = "", ctx: Context | None = None) -> None: ...
def unannotated(a, b=1):  # type: ignore[no-untyped-def]
    ...
def partly_unknown(order: Unknown, at: dt.date) -> None: ...
def optional(a: int | None, b: int | None = 5) -> None: ...
def typed_options(*pair: *tuple[int, dt.date], **options: Unpack[Options]) -> None: ...
def takes_order(order: Order) -> None: ...
def moment(at: dt.datetime) -> None: ...


def injects(annotation: Any) -> bool:
    return annotation in (Context, Context | None)


def signature(function: Callable[..., Any]) -> Signature:
    return Signature.of(function, is_injected=injects)


def refusal(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(ArgumentError) as caught:
        signature(function).encode(args, kwargs)
    return str(caught.value)


def complaint(function: Callable[..., Any], items: Sequence[Any]) -> str:
    with pytest.raises(ArgumentsUnreadable) as caught:
        signature(function).decode(items, {"ctx": Context()})
    return str(caught.value)


# ------------------------------------------------------------------------------------------ what it takes


def test_parameters_are_described_with_resolved_annotations() -> None:
    to, subject, at, urgent = signature(with_defaults).parameters
    assert (to.name, to.annotation, to.has_default, to.injected) == ("to", str, False, False)
    assert (subject.has_default, subject.default) == (True, "hi")
    assert at.annotation == dt.datetime | None
    assert urgent.kind.name == "KEYWORD_ONLY"


def test_type_names_are_those_of_the_wire() -> None:
    def every(  # type: ignore[no-untyped-def]
        a: str,
        b: dt.datetime,
        c: UUID,
        d,
        e: list[int] | None,
        f: tuple[int, ...],
        g: Literal["x"],
        h: Annotated[bool, "flag"],
        *i: int,
        **j: Decimal,
    ) -> None: ...

    assert signature(every).type_names == [
        "builtins.str",
        "datetime.datetime",
        "uuid.UUID",
        "typing.Any",
        "builtins.list[builtins.int] | builtins.NoneType",
        "builtins.tuple[builtins.int, ...]",
        "typing.Literal['x']",
        "builtins.bool",
        "builtins.list[builtins.int]",
        "builtins.dict[builtins.str, decimal.Decimal]",
    ]
    assert signature(nothing).type_names == []


def test_an_unresolvable_hint_is_any_for_that_parameter_only() -> None:
    known = signature(partly_unknown)
    assert [parameter.annotation for parameter in known.parameters] == [Any, dt.date]
    assert known.type_names == ["typing.Any", "datetime.date"]
    assert known.decode(['{"id":1}', '"2026-01-02"'], {}) == ([{"id": 1}, dt.date(2026, 1, 2)], {})


def test_an_unresolvable_hint_is_shown_as_text_to_the_one_who_injects() -> None:
    known = Signature.of(partly_unknown, is_injected=lambda annotation: annotation == "Unknown")
    assert [parameter.injected for parameter in known.parameters] == [True, False]


def test_methods_callables_partials_and_wrapped_functions_are_understood() -> None:
    class Report:
        def execute(self, day: dt.date) -> None: ...

        def __call__(self, day: dt.date) -> None: ...

    @functools.wraps(takes_order)
    def wrapper(*args: Any, **kwargs: Any) -> None: ...

    unbound = Signature.of(Report.execute, skip_first=True)
    assert (unbound.name, [p.name for p in unbound.parameters]) == ("Report.execute", ["day"])
    for function in (Report().execute, Report(), functools.partial(send_mail, subject="x"), wrapper):
        assert Signature.of(function).parameters[0].annotation in (dt.date, str, Order)
    assert Signature.of(Order).type_names == ["builtins.str", "decimal.Decimal"]
    assert Signature.of(Report()).name.endswith("Report")


def test_a_callable_that_does_not_tell_its_parameters_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^type\(\) does not tell which arguments it takes"):
        Signature.of(type)


# ---------------------------------------------------------------------------------------------- encoding


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "items"),
    [
        (nothing, (), {}, []),
        (send_mail, ("a@b", "hi"), {}, ['"a@b"', '"hi"']),
        (send_mail, ("a@b",), {"subject": "hi"}, ['"a@b"', '"hi"']),
        (send_mail, (), {"subject": "hi", "to": "a@b"}, ['"a@b"', '"hi"']),
        (with_defaults, ("a",), {}, ['"a"']),
        (with_defaults, ("a",), {"urgent": True}, ['"a"', None, None, "true"]),
        (with_defaults, ("a", "b", None), {}, ['"a"', '"b"', "null"]),
        (context_first, ("a",), {}, [None, '"a"']),
        (context_first, ("a", "b"), {}, [None, '"a"', '"b"']),
        (context_last, ("a",), {}, ['"a"', None, None]),
        (
            everything,
            (1, dt.date(2026, 1, 2), Decimal(1), Decimal(2)),
            {"c": KEY, "x": 5, "a": 6},
            ["1", '"2026-01-02"', '["1","2"]', f'"{KEY}"', None, '{"x":5,"a":6}'],
        ),
        (
            everything,
            (1, dt.date(2026, 1, 2)),
            {"c": KEY},
            ["1", '"2026-01-02"', "[]", f'"{KEY}"', None, "{}"],
        ),
        (unannotated, ([1],), {}, ["[1]"]),
        (takes_order, (Order("bob", Decimal("1.5")),), {}, ['{"customer":"bob","total":"1.5"}']),
    ],
)
def test_one_item_is_written_for_each_parameter(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], items: list[str | None]
) -> None:
    assert signature(function).encode(args, kwargs) == items


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "message"),
    [
        (send_mail, ("a",), {}, "send_mail() is missing 'subject'"),
        (send_mail, (), {}, "send_mail() is missing 'to' and 'subject'"),
        (everything, (), {}, "everything() is missing 'a', 'b' and 'c'"),
        (
            send_mail,
            ("a", "b"),
            {"foo": 1},
            "send_mail() got an unexpected argument 'foo'; it takes: to, subject",
        ),
        (nothing, (), {"foo": 1}, "nothing() got an unexpected argument 'foo'; it takes none"),
        (send_mail, ("a", "b", "c"), {}, "send_mail() takes 2 arguments, 3 were given"),
        (nothing, (1,), {}, "nothing() takes 0 arguments, 1 was given"),
        (takes_order, (1, 2), {}, "takes_order() takes 1 argument, 2 were given"),
        (send_mail, ("a", "b"), {"to": "c"}, "send_mail() got 'to' twice: by position and by name"),
        (
            context_first,
            ("a",),
            {"ctx": 1},
            "context_first() must not be given 'ctx': the worker fills it in",
        ),
        (context_last, ("a", "b", Context()), {}, "context_last() takes 2 arguments, 3 were given"),
        (context_first, ("a",), {"foo": 1}, "got an unexpected argument 'foo'; it takes: to, cc"),
        (
            takes_order,
            ({"customer": Customer()},),
            {},
            "takes_order(): argument 'order.customer': cannot write a Customer as JSON; pass its id, or make",
        ),
        (everything, (1, None, 1, Customer()), {"c": 1}, "everything(): argument 'rest[1]': cannot write"),
        (
            everything,
            (1, None),
            {"c": 1, "x": Customer()},
            "everything(): argument 'options.x': cannot write",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused_as_in_a_call(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], message: str
) -> None:
    assert message in refusal(function, *args, **kwargs)


def test_a_parameter_by_position_only_cannot_be_named() -> None:
    def only(a: int, /) -> None: ...

    assert refusal(only, a=1) == "only() takes 'a' by position only"


# ---------------------------------------------------------------------------------------------- decoding


@pytest.mark.parametrize(
    ("function", "items", "args", "kwargs"),
    [
        (nothing, [], [], {}),
        (send_mail, ['"a"', '"b"'], ["a", "b"], {}),
        (with_defaults, ['"a"'], ["a", "hi", None], {"urgent": False}),
        (
            with_defaults,
            ['"a"', None, '"2026-01-02T03:04:05"', None],
            ["a", "hi", dt.datetime(2026, 1, 2, 3, 4, 5)],
            {"urgent": False},
        ),
        (
            everything,
            ["1", '"2026-01-02"', '["1","2"]', f'"{KEY}"', None, '{"x":5,"a":6}'],
            [1, dt.date(2026, 1, 2), Decimal(1), Decimal(2)],
            {"c": KEY, "d": "d", "x": 5, "a": 6},
        ),
        (everything, ["1", '"2026-01-02"', None, f'"{KEY}"'], [1, dt.date(2026, 1, 2)], {"c": KEY, "d": "d"}),
        (optional, [None], [None, 5], {}),
        (optional, ["null", "null"], [None, None], {}),
        (unannotated, [None], [None, 1], {}),
        (
            typed_options,
            ['[1,"2026-01-02"]', '{"since":"2026-01-02"}'],
            [1, dt.date(2026, 1, 2)],
            {"since": dt.date(2026, 1, 2)},
        ),
        (takes_order, ['{"customer":"bob","total":"1.5"}'], [Order("bob", Decimal("1.5"))], {}),
    ],
)
def test_stored_items_become_the_arguments_of_the_call(
    function: Callable[..., Any], items: list[str | None], args: list[Any], kwargs: dict[str, Any]
) -> None:
    assert signature(function).decode(items, {}) == (args, kwargs)


def test_injected_parameters_are_filled_by_name_whatever_is_stored() -> None:
    context = Context()
    for stored in (None, "null", '"something"', "not json"):
        assert signature(context_first).decode([stored, '"a"'], {"ctx": context}) == ([context, "a", ""], {})
    assert signature(context_last).decode(['"a"'], {"ctx": context}) == (["a", "", context], {})
    assert signature(context_last).decode(['"a"'], {}) == (["a", "", None], {})


def test_an_injected_parameter_that_nobody_provides_is_an_error() -> None:
    with pytest.raises(ArgumentsUnreadable, match=r"context_first\(\): argument 'ctx': nobody provides it"):
        signature(context_first).decode([None, '"a"'], {})


@pytest.mark.parametrize(
    ("function", "items", "args"),
    [
        (unannotated, [7, "bob"], [7, "bob"]),
        (send_mail, ["bob", "it's: fine"], ["bob", "it's: fine"]),
        (send_mail, ["", "NaN"], ["", "NaN"]),
        (unannotated, [{"a": [1]}, [True]], [{"a": [1]}, [True]]),
        (takes_order, [{"customer": "bob", "total": 1.5}], [Order("bob", Decimal("1.5"))]),
        (optional, [7, " 8 "], [7, 8]),
        (moment, ["2026-07-20T10:00:00.1234560"], [dt.datetime(2026, 7, 20, 10, 0, 0, 123456)]),
    ],
)
def test_hand_written_items_may_be_values_instead_of_texts(
    function: Callable[..., Any], items: list[Any], args: list[Any]
) -> None:
    assert signature(function).decode(items, {}) == (args, {})


def test_a_bare_text_is_taken_where_text_is_one_of_the_choices() -> None:
    def old(a: Optional[str], b: Annotated[int | str, "x"]) -> None: ...  # noqa: UP045

    assert signature(old).decode(["bob", "ann"], {}) == (["bob", "ann"], {})


@pytest.mark.parametrize(
    ("function", "items", "message"),
    [
        (send_mail, [], "send_mail() takes 2 arguments: to, subject; 0 were stored; missing: to, subject"),
        (send_mail, ['"a"'], "send_mail() takes 2 arguments: to, subject; 1 was stored; missing: subject"),
        (send_mail, ["1", "2", "3"], "send_mail() takes 2 arguments: to, subject; 3 were stored"),
        (nothing, ["1"], "nothing() takes 0 arguments; 1 was stored"),
        (unannotated, [], "takes 2 arguments: a, b; 0 were stored; missing: a"),
        (context_first, ['"a"'], "ctx (null: the worker fills it in), to, cc; 1 was stored; missing: to"),
        (everything, ["1"], "rest (one array), c, d, options (one object); 1 was stored; missing: b, c"),
        (send_mail, ['"a"', None], "send_mail(): argument 'subject': it is missing: the stored item is null"),
        (send_mail, ['"a"', "7"], "send_mail(): argument 'subject': expected str, found 7"),
        (send_mail, ["null", '"b"'], "send_mail(): argument 'to': expected str, found null"),
        (optional, ["bob"], "optional(): argument 'a': the stored text 'bob' is not JSON (Expecting value"),
        (optional, ["1", "2 3"], "optional(): argument 'b': the stored text '2 3' is not JSON"),
        (optional, ["[" * 100_000], "optional(): argument 'a': the stored text"),
        (takes_order, ["{"], "takes_order(): argument 'order': the stored text '{' is not JSON"),
        (takes_order, ['{"customer":1,"total":"2"}'], "argument 'order.customer': expected str, found 1"),
        (moment, ["yesterday"], "moment(): argument 'at': expected datetime, found \"yesterday\""),
        (everything, ["1", '"2026-01-02"', '["x"]', "1"], "argument 'rest[0]': expected Decimal"),
        (
            everything,
            ["1", '"2026-01-02"', "bare", "1"],
            "argument 'rest': the stored text 'bare' is not JSON",
        ),
        (
            everything,
            ["1", '"2026-01-02"', "[]", f'"{KEY}"', None, '{"b":1}'],
            "everything(): 'b' is stored twice, the second time by name",
        ),
    ],
)
def test_items_that_do_not_fit_are_refused_by_parameter(
    function: Callable[..., Any], items: list[Any], message: str
) -> None:
    assert message in complaint(function, items)


def test_nesting_beyond_reason_is_refused() -> None:
    depth = 150
    text = '{"branches":[' * depth + "]}" * depth
    read, _ = Signature.of(takes_tree).decode([text], {})
    assert isinstance(read[0], Tree)
    value: Any = []
    for _ in range(5000):
        value = {"branches": [value]}
    assert "argument 'tree': it is nested too deeply" in complaint(takes_tree, [value])


@dataclass
class Tree:
    branches: list[Tree]


def takes_tree(tree: Tree) -> None: ...


def test_a_call_survives_the_wire() -> None:
    args = (1, dt.date(2026, 1, 2), Decimal("1.5"))
    kwargs = {"c": KEY, "d": "שלום 🎉", "x": 5}
    stored = json.loads(json.dumps(signature(everything).encode(args, kwargs)))
    assert signature(everything).decode(stored, {}) == (list(args), kwargs)
