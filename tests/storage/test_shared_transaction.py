"""What threads want done at the same time is done in one transaction; each is told of its own."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import StorageError
from taskmanager.storage import structures
from taskmanager.storage.shared_transaction import SharedTransaction
from taskmanager.storage.transaction import Tx

pytestmark = pytest.mark.timeout(60)


class Notes:
    """Writes numbers as fields of a hash; what it wrote together, and what its callers wrote alone."""

    def __init__(self, tm: TaskManager, *, fails: bool = False) -> None:
        self.tm, self.key, self.fails = tm, uuid.uuid4().hex, fails
        self.batches: list[list[int]] = []
        self.alone: list[int] = []
        self.first_may_go, self.first_is_there = threading.Event(), threading.Event()
        self.shared = SharedTransaction[int](tm.database, self.together)

    def together(self, tx: Tx, items: Sequence[int]) -> list[bool]:
        """Odd numbers are not for here. The first one holds all others up until it may go."""
        self.batches.append(sorted(items))
        if 0 in items and not self.first_is_there.is_set():
            self.first_is_there.set()
            assert self.first_may_go.wait(30)
        if self.fails:
            structures.set_fields(tx, "k" * 5_000, {"too long": "1"})
        even = [n for n in items if n % 2 == 0]
        structures.set_fields(tx, self.key, {str(n): "together" for n in even})
        return [n in even for n in items]

    def by_itself(self, number: int) -> Callable[[], bool]:
        def write() -> bool:
            self.alone.append(number)
            if number == 7:
                raise LookupError("seven")
            self.tm.database.run(lambda tx: structures.set_fields(tx, self.key, {str(number): "alone"}))
            return number != 5

        return write

    def run(self, count: int) -> list[bool | Exception]:
        """All at once, while the first is at work; the answers, or what was raised."""

        def one(number: int) -> bool | Exception:
            try:
                return self.shared.do(number, self.by_itself(number))
            except LookupError as error:
                return error

        with ThreadPoolExecutor(count) as threads:
            futures = [threads.submit(one, 0)]
            assert self.first_is_there.wait(30)
            futures += [threads.submit(one, number) for number in range(1, count)]
            deadline = time.monotonic() + 30
            while len(self.shared._waiting) < count - 1:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            self.first_may_go.set()
            return [future.result(30) for future in futures]

    def written(self) -> dict[str, str]:
        return self.tm.database.read(lambda tx: structures.fields(tx, self.key))


def test_who_comes_meanwhile_is_done_together_and_the_rest_by_its_own_thread(tm: TaskManager) -> None:
    notes = Notes(tm)
    answers = notes.run(10)
    assert notes.batches == [[0], list(range(1, 10))]
    assert sorted(notes.alone) == [1, 3, 5, 7, 9]
    assert isinstance(answers[7], LookupError), "an error is its own thread's"
    assert [a for n, a in enumerate(answers) if n != 7] == [True] * 5 + [False] + [True] * 3
    how = {str(n): "together" if n % 2 == 0 else "alone" for n in range(10) if n != 7}
    assert notes.written() == how
    assert notes.shared.do(12, notes.by_itself(12)), "and whoever comes later is let in"


def test_when_the_shared_transaction_fails_each_tries_for_itself(tm: TaskManager) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite takes keys of any length")
    notes = Notes(tm, fails=True)
    notes.run(6)
    assert sorted(notes.alone) == list(range(6))
    assert notes.written() == {str(n): "alone" for n in range(6)}


def test_what_its_own_thread_waits_for_holds_nobody_else_up(tm: TaskManager) -> None:
    notes, may_go = Notes(tm), threading.Event()
    notes.first_may_go.set()

    def waits() -> bool:
        return may_go.wait(30)

    with ThreadPoolExecutor(1) as one:
        stuck = one.submit(lambda: notes.shared.do(1, waits))
        assert notes.shared.do(2, notes.by_itself(2))
        assert notes.shared.do(3, notes.by_itself(3))
        assert not stuck.done()
        may_go.set()
        assert stuck.result(30)


def test_a_database_that_refuses_the_write_says_so_to_who_asked(tm: TaskManager) -> None:
    notes = Notes(tm)

    def too_long() -> bool:
        tm.database.run(lambda tx: structures.set_fields(tx, "k" * 5_000, {"a": "1"}))
        return True

    if tm.database.is_embedded:
        pytest.skip("SQLite takes keys of any length")
    with pytest.raises(StorageError):
        notes.shared.do(3, too_long)
    assert notes.shared.do(2, notes.by_itself(2))
