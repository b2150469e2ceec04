"""Jobs that end in ways of their own: sys.exit, a fork that comes back, a generator, a result nobody can encode."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from taskmanager import TaskManager
from tests.conftest import history
from tests.faults.bad import greet, message, needs_fork

pytestmark = pytest.mark.timeout(120)


@pytest.mark.one_server
def test_a_result_that_cannot_be_encoded_is_a_note_and_the_job_succeeds(
    tm: TaskManager, hands: Any, others: Any
) -> None:
    def handle() -> Any:
        return object()

    def endless() -> Any:
        found: list[Any] = []
        found.append(found)
        return found

    ids = [tm.job(f).enqueue() for f in (handle, endless)]
    worker = hands()
    worker.work()
    assert [tm.get(i).state for i in ids] == ["Succeeded", "Succeeded"]
    assert [tm.get(i).result for i in ids] == ["Can not serialize the return value"] * 2
    assert tm.wait(ids[0], 0) == "Can not serialize the return value"
    others(worker)


@pytest.mark.one_server
def test_a_job_that_calls_sys_exit_fails_and_the_event_loop_of_the_others_lives(
    tm: TaskManager, hands: Any, others: Any
) -> None:
    def leaves() -> None:
        sys.exit("I am done")

    async def leaves_async() -> None:
        sys.exit(4)

    async def interrupts() -> None:
        raise KeyboardInterrupt

    async def fine() -> str:
        return "fine"

    ids = [tm.job(retries=0)(f).enqueue() for f in (leaves, leaves_async, interrupts)]
    good = tm.job(fine).enqueue()
    worker = hands()
    worker.work()
    worker.work()
    assert message(tm, ids[0]) == "the job called sys.exit(I am done)"
    assert message(tm, ids[1]) == "the job called sys.exit(4)"
    assert message(tm, ids[2]) == "KeyboardInterrupt"
    assert tm.get(good).result == "fine"
    others(worker)


@pytest.mark.one_server
def test_an_async_generator_as_a_job_fails_with_the_cure(tm: TaskManager, hands: Any, others: Any) -> None:
    async def numbers() -> Any:
        yield 1

    bad = tm.job(retries=0)(numbers).enqueue()
    worker = hands()
    worker.work()
    assert "async generator" in message(tm, bad)
    assert "return a list" in message(tm, bad)
    others(worker)


def fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, from Python 3.12 on
        return os.fork()


def forks(way: str) -> str:
    child = fork()
    if child == 0:
        if way == "exit":
            sys.exit(5)
        if way == "raise":
            raise ValueError("in the child")
        return "the child came back"
    return f"the parent; its child ended with {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}"


async def forks_async(way: str) -> str:
    return forks(way)


@needs_fork
@pytest.mark.one_server
@pytest.mark.parametrize("function", [forks, forks_async])
@pytest.mark.parametrize(("way", "code"), [("return", 0), ("exit", 5), ("raise", 1)])
def test_a_forked_child_that_comes_back_from_the_job_ends_there_and_writes_nothing(
    tm: TaskManager, hands: Any, others: Any, function: Any, way: str, code: int
) -> None:
    closed: list[int] = []

    class Resource:
        pass

    def provide() -> Iterator[Resource]:
        yield Resource()
        closed.append(os.getpid())

    tm.provide(Resource, provide)
    job_id = tm.job(function).enqueue(way)
    worker = hands()
    worker.work()
    assert tm.get(job_id).result == f"the parent; its child ended with {code}"
    assert history(tm, job_id) == ["Enqueued", "Processing", "Succeeded"]
    others(worker)


@needs_fork
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_forked_child_has_let_go_of_sockets_and_lock_and_may_use_the_database_anew(
    tm: TaskManager, hands: Any
) -> None:
    held = open_files()
    job_id = tm.enqueue(greet, "x")
    worker = hands()
    with tm.database.engine.connect() as connection:
        before = connection.execute(tm.database.tables.job.select()).all()
        sockets = [n for n, name in open_files().items() if name.startswith("socket:") and n not in held]
        child = fork()
        if child == 0:
            try:
                names = open_files()
                assert all(names[n] == "/dev/null" for n in sockets)
                assert str(worker.line.path) not in names.values()
                assert tm.get(job_id).state == "Enqueued"
                os._exit(0)
            except BaseException as error:
                os.write(2, repr(error).encode())
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert connection.execute(tm.database.tables.job.select()).all() == before, "the parent's goes on"
    assert bool(sockets) or tm.database.is_embedded
    assert worker.work() == 1


def open_files() -> dict[int, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
    return found
