"""What a job asks for by type: made for each run anew, torn down after it, whatever becomes of the run."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Optional

import pytest

from taskmanager import Inject, Job, JobContext, TaskManager
from taskmanager.domain.errors import ArgumentError
from taskmanager.engine.context import CancellationToken

pytestmark = pytest.mark.one_server


class Connection:
    pass


class Orders:
    def __init__(self, connection: Connection, ctx: JobContext) -> None:
        self.connection, self.ctx = connection, ctx


class Mail:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection


@pytest.fixture
def seen(tm: TaskManager) -> list[str]:
    """Connections are opened and closed, and tell so."""
    told: list[str] = []
    opened: list[Connection] = []

    def connections() -> Iterator[Connection]:
        opened.append(Connection())
        told.append(f"open {len(opened)}")
        yield opened[-1]
        told.append(f"close {len(opened)}")

    tm.provide(Connection, connections)
    tm.provide(Orders, Orders)
    return told


def test_a_run_gets_one_of_a_kind_wherever_it_is_asked_for_and_the_next_run_gets_another(
    tm: TaskManager, hands: Any, seen: list[str]
) -> None:
    @contextmanager
    def mail(connection: Connection) -> Iterator[Mail]:
        seen.append("mail")
        yield Mail(connection)
        seen.append("no mail")

    tm.provide(Mail, mail)

    @tm.job(retries=0)
    class Report(Job):
        def __init__(self, orders: Orders, mail: Mail, size: int = 3) -> None:
            self.orders, self.mail, self.size = orders, mail, size

        async def execute(self, ctx: JobContext, word: str, token: CancellationToken) -> Any:
            assert self.orders.connection is self.mail.connection
            assert self.orders.ctx is ctx
            assert token is ctx.cancellation
            seen.append(word)
            return [word, self.size, ctx.job_id]

    first, second = Report.enqueue("one"), Report.enqueue(word="two")
    hands().work()
    assert [tm.get(i).result for i in (first, second)] == [["one", 3, first], ["two", 3, second]]
    once = ["open {n}", "mail", "{word}", "no mail", "close {n}"]
    assert seen == [line.format(n=n, word=word) for n, word in ((1, "one"), (2, "two")) for line in once]


def test_it_is_torn_down_after_a_failure_too_and_only_made_when_asked_for(
    tm: TaskManager, hands: Any, seen: list[str]
) -> None:
    def fails(connection: Connection, orders: Annotated[Orders, Inject], number: int) -> None:
        assert orders.connection is connection
        seen.append(f"fails {number}")
        raise ValueError(number)

    def plain(number: int) -> int:
        return number

    tm.job(retries=0)(fails).enqueue(7)
    tm.job(plain).enqueue(8)
    hands().work()
    assert seen == ["open 1", "fails 7", "close 1"]


def test_what_nobody_provides_fails_that_job_by_name_and_the_caller_may_not_give_it(
    tm: TaskManager, hands: Any, seen: list[str]
) -> None:
    def asks(mail: Annotated[Mail, Inject]) -> None: ...

    def takes(connection: Connection, number: int) -> int:
        return number

    asking, taking = tm.job(retries=0)(asks).enqueue(), tm.job(takes)
    good = taking.enqueue(number=1)
    hands().work()
    failed = tm.get(asking).current
    assert failed is not None
    assert failed.data["ExceptionMessage"].startswith("nobody provides Mail: add `tm.provide(Mail, factory)`")
    assert tm.get(good).result == 1
    with pytest.raises(ArgumentError, match="must not be given 'connection': the worker fills it in"):
        tm.enqueue(takes, connection=Connection(), number=1)


def test_a_worker_loads_no_web_framework_and_its_integration_with_one_stays_usable() -> None:
    code = (
        "import sys, taskmanager; assert 'flask' not in sys.modules; assert 'werkzeug' not in sys.modules\n"
        "import svcs.flask; from svcs import flask; assert flask.init_app"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def maybe(ctx: JobContext | None = None, number: int = 1) -> list[Any]:
    return [ctx is not None, number]


def perhaps(number: int, ctx: Optional[JobContext]) -> list[Any]:  # noqa: UP045
    return [ctx is not None, number]


def unresolved(number: int, ctx: Nowhere.JobContext | None = None) -> list[Any]:  # type: ignore[name-defined]  # noqa: F821
    return [ctx is not None, number]


def stopping(number: int, token: CancellationToken | None = None) -> list[Any]:
    return [token is not None, number]


def no_context(number: int | None = None, names: list[str] | None = None) -> list[Any]:
    return [True, number]


CHECKED_ONLY = """
from __future__ import annotations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskmanager import JobContext

def strict(number: int, ctx: JobContext) -> int:
    return number if ctx.job_id else 0
"""


def test_a_context_whose_import_is_for_the_type_checker_alone_is_filled(
    tm: TaskManager, hands: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checkedonly.py").write_text(CHECKED_ONLY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    job_id = tm.enqueue(importlib.import_module("checkedonly").strict, 5)
    hands().work()
    assert tm.get(job_id).result == 5


def test_a_context_that_may_be_left_out_by_who_calls_the_function_is_filled_by_the_worker(
    tm: TaskManager, hands: Any
) -> None:
    ids = [tm.enqueue(function, number=5) for function in (maybe, perhaps, unresolved, stopping, no_context)]
    ids.append(tm.enqueue(maybe, 5))
    worker = hands()
    while worker.work():
        pass
    assert [tm.get(i).result for i in ids] == [[True, 5]] * 6
    assert maybe() == [False, 1]
