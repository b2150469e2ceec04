"""What is written and read by a short way, since each job passes it, is what the long way makes of it."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from taskmanager.domain import invocation
from taskmanager.domain.invocation import Invocation, InvocationUnreadable
from taskmanager.domain.states import Awaiting, Deleted, Enqueued, Failed, Processing, Scheduled, State, Succeeded

_AT = datetime(2026, 7, 20, 10, 0, 0, 120)
_ODD = 'a "b" \\ \n č \N{SNOWMAN} \x7f'


@pytest.mark.parametrize(
    "state",
    [
        Processing(server_id="host:1:ab", worker_id="w"), Processing(server_id=_ODD, worker_id=_ODD),
        Succeeded(), Succeeded(duration_ms=12, latency_ms=3, result=json.dumps(_ODD)), Succeeded(result=_ODD),
        Enqueued(queue="mail"), Scheduled(enqueue_at=_AT), Deleted(), Awaiting(parent_id=1),
        Failed(exception_type="E", exception_message=_ODD, exception_details=_ODD),
    ],
)  # fmt: skip
def test_a_states_json_is_its_data(state: State) -> None:
    assert state.json(_AT) == json.dumps(state.data(_AT))


@pytest.mark.parametrize("arguments", [(), ("1",), ('"č"', None), (json.dumps(_ODD),)])
def test_a_call_is_read_as_it_was_written(arguments: tuple[str | None, ...]) -> None:
    call = Invocation("module", "Class.method", ("builtins.str",), arguments)
    text = call.arguments_json()
    for data in (call.to_json(), call.to_compact_json()):
        assert invocation.read(data, text) == invocation.read(data) == call


@pytest.mark.parametrize(
    "data",
    [
        '{"Type":"m","x":",\\"Arguments\\":\\"[]\\"}', ',"Arguments":"[]"}', '{,"Arguments":"[]"}',
        '{"Type":"m","Method":"f"]},"Arguments":"[]"}', '{"Type":"m","Arguments":"[]"}',
        '"{","Arguments":"[]"}', '[{"Type":"m","Method":"f","Arguments":"[]"}',
    ],
)  # fmt: skip
def test_what_only_ends_like_a_call_is_refused(data: str) -> None:
    with pytest.raises(InvocationUnreadable):
        invocation.read(data, "[]")


def test_column_arguments_has_the_last_word() -> None:
    data = Invocation("m", "f", (), ("1",)).to_json()
    assert invocation.read(data, '["2"]').arguments == ("2",)
    assert invocation.read(data, None).arguments == ("1",)
    with pytest.raises(InvocationUnreadable):
        invocation.read(data.replace('"[', '"{'), "{")
