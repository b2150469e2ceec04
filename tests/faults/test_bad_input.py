"""Bad input of every kind: a clear message, that job Failed or the call refused, all others unaffected."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import event, text

from taskmanager import JobContext, TaskManager
from taskmanager.domain.errors import (
    ArgumentError,
    ConfigurationError,
    InvalidArgument,
    InvalidCron,
    PayloadTooLarge,
    StorageError,
)
from taskmanager.domain.times import utcnow
from taskmanager.engine.discovery import discover
from taskmanager.engine.filters import Electing, Filter
from taskmanager.engine.registry import Registry
from taskmanager.server import lifeline
from taskmanager.server.lifeline import Lifeline
from taskmanager.server.supervisor import Supervisor
from taskmanager.server.upkeep import Watchdog
from taskmanager.storage import queues, recurring, servers, structures
from tests.conftest import Hands, history
from tests.faults.test_kill import end, start_worker, wait_for

pytestmark = pytest.mark.timeout(120)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def greet(name: str) -> str:
    return f"hello {name}"


def add(a: int, b: int) -> int:
    return a + b


def message(tm: TaskManager, job_id: int) -> str:
    """What a failed job says."""
    record = tm.get(job_id)
    assert record.state == "Failed", (record.state, history(tm, job_id))
    assert record.current is not None
    return str(record.current.data["ExceptionMessage"])


def change_job(tm: TaskManager, job_id: int, **values: Any) -> None:
    """Edit a Job row by hand."""
    table = tm.database.tables.job
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().where(table.c.Id == job_id).values(**values))


def rows(tm: TaskManager) -> int:
    table = tm.database.tables.job
    with tm.database.engine.connect() as connection:
        return len(connection.execute(table.select()).all())


@pytest.fixture
def others(tm: TaskManager) -> Callable[[Any], None]:
    """One job beside the bad one and one after it; both must succeed."""
    beside = tm.enqueue(greet, "beside")

    def unaffected(worker: Any) -> None:
        assert tm.get(beside).result == "hello beside"
        after = tm.enqueue(greet, "after")
        worker.work()
        assert tm.get(after).result == "hello after"

    return unaffected


# -- what is called, and with what ----------------------------------------------------------------------------


def test_a_job_type_nobody_knows_fails_by_name_after_its_time_by_the_databases_clock(
    tm: TaskManager, hands: Any, others: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tm.job(greet).enqueue("x")
    data = '{"Type":"gone.module","Method":"lost","ParameterTypes":"[]","Arguments":"[]"}'
    change_job(tm, bad, InvocationData=data)
    worker = hands(unknown_seconds=300.0)
    worker.work()
    worker.work()
    assert tm.get(bad).state == "Enqueued", "another server may know it"
    worker.worker.claims.skipped.clear()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 36_000)
    worker.work()
    worker.work()
    assert tm.get(bad).state == "Enqueued", "the host's clock has jumped, and it is too early"
    tm.database.clock.shift(timedelta(seconds=301))
    worker.worker.claims.skipped.clear()
    worker.work()
    worker.worker.tick()
    worker.completer.flush()
    assert "gone.module:lost" in message(tm, bad)
    others(worker)


def test_an_unreadable_moment_of_an_unknown_job_is_taken_as_now(tm: TaskManager, hands: Any, others: Any) -> None:
    bad = tm.job(greet).enqueue("x")
    change_job(tm, bad, InvocationData='{"Type":"gone","Method":"lost"}')
    table = tm.database.tables.parameter
    with tm.database.engine.begin() as connection:
        connection.execute(table.insert().values(JobId=bad, Name="UnknownSince", Value="yesterday"))
    worker = hands()
    worker.work()
    worker.work()
    assert tm.get(bad).state == "Enqueued"
    others(worker)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('["\\"one\\"","2"]', "argument 'a'"),
        ('["1","{broken"]', "argument 'b'"),
        ('["1"]', "missing: b"),
        ('["1","2","3"]', "3 were stored"),
    ],
)
def test_stored_arguments_that_do_not_fit_fail_at_once_and_are_not_retried(
    tm: TaskManager, hands: Any, others: Any, arguments: str, words: str
) -> None:
    bad = tm.job(add).enqueue(1, 2)
    change_job(tm, bad, Arguments=arguments)
    worker = hands()
    worker.work()
    assert words in message(tm, bad)
    assert "add()" in message(tm, bad)
    assert history(tm, bad) == ["Enqueued", "Processing", "Failed"]
    others(worker)


def test_a_call_with_arguments_that_do_not_fit_is_refused_and_nothing_is_written(tm: TaskManager) -> None:
    with pytest.raises(ArgumentError, match=r"add\(\) is missing 'b'"):
        tm.enqueue(add, 1)
    with pytest.raises(ArgumentError, match=r"add\(\) takes 2 arguments, 3 were given"):
        tm.enqueue(add, 1, 2, 3)
    with pytest.raises(ArgumentError, match=r"add\(\): argument 'b'"):
        tm.enqueue(add, 1, object())
    assert rows(tm) == 0


MODULES = {
    "__init__": "",
    "good": "from taskmanager import job\n@job\ndef fine() -> str:\n    return 'fine'\n",
    "raises": "raise RuntimeError('broken module 💥')\n",
    "leaves": "import sys\nsys.exit(7)\n",
    "garbled": "def broken(:\n",
    "nested/__init__": "raise SystemExit('the whole package')\n",
    "nested/inner": "",
    "zuletzt": "from taskmanager import job\n@job\ndef last() -> str:\n    return 'last'\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of which most modules cannot be imported."""
    for name, code in MODULES.items():
        path = tmp_path / "badpackage" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "badpackage"
    for name in [n for n in sys.modules if n.partition(".")[0] == "badpackage"]:
        del sys.modules[name]


def test_modules_that_raise_or_leave_at_import_are_reported_by_name_and_the_others_found(package: str) -> None:
    registry = Registry([package])
    found = discover([package, "no.such.package"], registry)
    assert [d.method for d in registry] == ["fine", "last"]
    assert found.errors["badpackage.raises"] == "RuntimeError: broken module 💥"
    assert found.errors["badpackage.leaves"] == "SystemExit: 7"
    assert found.errors["badpackage.garbled"].startswith("SyntaxError")
    assert found.errors["badpackage.nested"] == "SystemExit: the whole package"
    assert "no.such" in found.errors["no.such.package"] or "'no'" in found.errors["no.such.package"]


def test_a_row_that_names_a_module_which_leaves_at_import_does_not_take_a_worker_thread_with_it(
    tm: TaskManager, package: str, hands: Any, others: Any
) -> None:
    bad = tm.job(greet).enqueue("x")
    change_job(tm, bad, InvocationData='{"Type":"badpackage.leaves","Method":"anything"}')
    worker = hands(unknown_seconds=0.0)
    worker.worker.performer.registry.packages = (package,)
    worker.work()
    worker.worker.tick()
    worker.completer.flush()
    assert "badpackage.leaves:anything" in message(tm, bad)
    others(worker)


def test_an_invalid_cron_or_zone_is_refused_and_in_a_row_told_there(tm: TaskManager, hands: Any) -> None:
    for cron, zone, words in (("61 * * * *", "UTC", "61"), ("* * * * *", "Mars/Olympus", "Mars/Olympus")):
        with pytest.raises(InvalidCron, match=words):
            tm.recurring("r", greet, args=("x",), cron=cron, time_zone=zone)
    assert tm.recurring_list() == []
    spoiled = {
        "zone": {"TimeZoneId": "Mars/Olympus"}, "queue": {"Queue": "q" * 60}, "job": {"Job": "{broken"},
        "moments": {"LastExecution": "tomorrow", "CreatedAt": "9" * 40},
    }  # fmt: skip
    for name in [*spoiled, "good"]:
        tm.recurring(name, greet, args=(name,), cron="0 * * * *")
    for name, fields in spoiled.items():
        tm.database.run(lambda tx, n=name, f=fields: structures.set_fields(tx, recurring.HASH + n, f))
    tm.database.clock.shift(timedelta(hours=1))
    worker = hands()
    worker.recurring.tick()
    assert worker.work() == 2, "the good one, and the one whose moments cannot be read"
    errors = {r.id: r.error or "" for r in tm.recurring_list()}
    assert "Mars/Olympus" in errors["zone"]
    assert "qqq" in errors["queue"]
    assert "not valid JSON" in errors["job"]
    assert (errors["good"], errors["moments"]) == ("", "")
    tm.database.clock.shift(timedelta(hours=1))
    worker.recurring.tick()
    assert worker.work() == 2, "and they go on"


@pytest.mark.parametrize("name", ["q" * 51, "Queue", "fronta-ž", "😀", "", "a b"])
def test_a_queue_name_that_is_too_long_or_odd_is_refused_everywhere(tm: TaskManager, name: str) -> None:
    job = tm.job(greet)
    calls: list[Callable[[], Any]] = [
        lambda: tm.job(queue=name)(greet),
        lambda: tm.pause_queue(name),
    ]
    if name:  # an empty one means the job's own
        calls += [
            lambda: job.options(queue=name).enqueue("x"),
            lambda: tm.enqueue_many(greet, [("x",)], queue=name),
            lambda: tm.recurring("r", greet, args=("x",), cron="* * * * *", queue=name),
        ]
    for call in calls:
        with pytest.raises(InvalidArgument, match="a queue name has 1 to 50"):
            call()
    with pytest.raises(ConfigurationError, match="queues"):
        tm.settings.with_changes(queues=[name])
    assert rows(tm) == 0
    assert tm.recurring_list() == []


def test_arguments_of_20_mb_are_refused_by_name_and_nothing_is_written(
    tm: TaskManager, hands: Any, others: Any
) -> None:
    huge = "x" * (20 * 1024 * 1024)
    before = rows(tm)
    for call in (
        lambda: tm.enqueue(greet, huge),
        lambda: tm.enqueue_many(greet, [("small",), (huge,)]),
        lambda: tm.recurring("huge", greet, args=(huge,), cron="* * * * *"),
        lambda: tm.job(greet).schedule(huge, delay=1),
    ):
        with pytest.raises(PayloadTooLarge, match=r"greet take 20\d+ bytes.*max_payload_bytes"):
            call()
    assert rows(tm) == before
    assert tm.recurring_list() == []
    worker = hands()
    worker.work()
    others(worker)


def test_arguments_longer_than_the_server_takes_are_refused_at_once_and_not_taken_for_an_outage(
    tm: TaskManager, hands: Any
) -> None:
    bound = tm.database.product.longest_statement
    large = "x" * (10 * 1024 * 1024)
    started = time.monotonic()
    takes = 1 << 40
    if bound:
        with tm.database.engine.connect() as connection:
            takes = connection.execute(text(f"SELECT {bound}")).scalar_one()
    if takes < 20 * 1024 * 1024:
        with pytest.raises(PayloadTooLarge, match="max_allowed_packet"):
            tm.enqueue(greet, large)
        assert time.monotonic() - started < 10
        assert rows(tm) == 0
    else:
        job_id = tm.enqueue(greet, large)
        hands().work()
        assert tm.get(job_id).state == "Succeeded"


# -- texts ----------------------------------------------------------------------------------------------------

EMOJI = "žluťoučký 日本 שלום 👩‍👩‍👧 🎉"


def größe_der_straße(мера: str, ctx: JobContext) -> dict[str, str]:
    ctx.log.info("zpráva %s", EMOJI, klíč=EMOJI)
    return {"ключ 🗝": мера}


def zlomený() -> None:
    raise ValueError(EMOJI)


def test_non_ascii_and_emoji_come_through_everywhere(tm: TaskManager, hands: Any) -> None:
    from taskmanager.storage import job_log, logged

    job = tm.job(display_name=f"Größe {EMOJI}")(größe_der_straße)
    good = tm.enqueue_definition(job.definition, (), {"мера": EMOJI}, {"triggered_by": EMOJI * 9})
    bad = tm.job(retries=1, delays=[0], display_name=EMOJI)(zlomený).enqueue()
    tm.recurring("🎉", größe_der_straße, args=(EMOJI,), cron="0 * * * *")
    tm.recurring("👩", größe_der_straße, args=(EMOJI,), cron="0 * * * *")
    worker = hands()
    worker.work()
    worker.work()
    assert tm.get(good).result == {"ключ 🗝": EMOJI}
    assert message(tm, bad) == EMOJI
    assert any(EMOJI[:20] in (s.reason or "") for s in tm.get(bad).history)
    ((_, _, lines),) = tm.database.run(lambda tx: job_log.of(tx, good))
    assert json.loads(lines)["message"] == f"zpráva {EMOJI}"
    assert json.loads(lines)["fields"] == {"klíč": EMOJI}
    runs = {r["JobName"]: r for r in tm.database.run(lambda tx: logged.history(tx, name=None, limit=10))}
    assert runs[EMOJI]["ErrorMessage"] == EMOJI
    assert runs[f"Größe {EMOJI}"]["TriggeredBy"].startswith(EMOJI)
    assert [r.id for r in tm.recurring_list()] == sorted(["🎉", "👩"])
    tm.remove("🎉")
    tm.pause("👩")
    assert [(r.id, r.paused) for r in tm.recurring_list()] == [("👩", True)]
    third = tm.get(tm.trigger("👩", by=EMOJI))
    assert tm.delete(third.id, reason=EMOJI * 9)
    assert (tm.get(third.id).history[-1].reason or "").startswith(EMOJI)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


def unstorable() -> None:
    raise ValueError("NUL \0 and half an emoji \ud83d, then more")


def unspeakable() -> None:
    raise Unspeakable


def test_a_message_no_database_takes_is_mended_and_one_that_cannot_be_read_is_named(
    tm: TaskManager, hands: Any, others: Any
) -> None:
    first = tm.job(retries=1, delays=[0])(unstorable).enqueue()
    second = tm.job(retries=1, delays=[0])(unspeakable).enqueue()
    worker = hands()
    worker.work()
    worker.work()
    assert message(tm, first) == "NUL � and half an emoji ?, then more"
    assert message(tm, second) == "(its message could not be read: RuntimeError)"
    assert history(tm, second) == ["Enqueued", "Processing", "Failed", "Enqueued", "Processing", "Failed"]
    with pytest.raises(InvalidArgument, match="a recurring job's id"):
        tm.recurring("half \ud83d", greet, args=("x",), cron="* * * * *")
    others(worker)


class Spoiler(Filter):
    """Wants to write what no database takes, or raises, for one job."""

    def __init__(self) -> None:
        self.job_id, self.raises = 0, False

    def applied(self, context: Electing, state: Any) -> None:
        if context.job.id != self.job_id:
            return
        if self.raises:
            raise ZeroDivisionError("a filter of the application")
        context.effects.parameter(self.job_id, "n" * 400 + "\ud800", "x")


@pytest.mark.parametrize("raises", [False, True])
def test_an_outcome_that_cannot_be_written_fails_its_own_job_only(
    tm: TaskManager, hands: Any, others: Any, raises: bool
) -> None:
    spoiler = Spoiler()
    spoiler.raises = raises
    tm.add_filter(spoiler)
    spoiler.job_id = bad = tm.enqueue(greet, "spoiled")
    last = tm.enqueue(greet, "last")
    worker = hands()
    worker.work()
    assert "ended as Succeeded, but that could not be written" in message(tm, bad)
    assert history(tm, bad) == ["Enqueued", "Processing", "Failed"]
    assert tm.get(last).state == "Succeeded"
    assert tm.database.run(lambda tx: queues.waiting_among(tx, [bad])) == set()
    assert tm.database.run(lambda tx: structures.counts_of(tx, ["stats:succeeded"])) == {"stats:succeeded": 2}
    others(worker)


# -- what jobs do ---------------------------------------------------------------------------------------------


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


# -- real worker processes ------------------------------------------------------------------------------------

JOBS = """
import logging, os, signal, sys, threading, time, warnings
from pathlib import Path
from taskmanager import job

warnings.simplefilter("ignore", DeprecationWarning)

@job
def ok(number: int) -> int:
    print("out", number)
    print("err", number, file=sys.stderr)
    logging.getLogger("ok").warning("logged %d", number)
    return os.getpid()

@job(retries=0)
def forks(way: str) -> list:
    child = os.fork()
    if child == 0:
        if way == "exit":
            sys.exit(5)
        if way == "raise":
            raise ValueError("in the child")
        if way == "stay":
            time.sleep(600)
        return ["child", os.getpid()]
    return ["parent", child]

@job
def slow() -> int:
    time.sleep(4)
    return os.getpid()

@job
def leaks_threads() -> int:
    for daemon in (True, False):
        threading.Thread(target=time.sleep, args=(600,), daemon=daemon, name="left behind").start()
    return os.getpid()

@job
def closes_streams(way: str) -> int:
    if way == "objects":
        sys.stdout.close()
        sys.stderr.close()
        sys.__stdout__.close()
    else:
        for number in (0, 1, 2):
            os.close(number)
    return os.getpid()

@job
def gate(path: str) -> int:
    while not Path(path).exists():
        time.sleep(0.05)
    return os.getpid()
"""


class Real:
    """A worker with one process on SQLite."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
        self.tm.database.create_tables()
        self.tm.discover()
        self.started = start_worker(url, folder)

    def ok(self, number: int) -> int:
        """The process in which an ordinary job succeeds."""
        return int(self.tm.wait(self.tm.enqueue("killjobs:ok", number), 30))

    def log(self) -> str:
        return "".join(p.read_text(encoding="utf-8") for p in self.folder.glob("worker-*.log"))


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Real]:
    (tmp_path / "killjobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Real(f"sqlite:///{tmp_path}/real.db", tmp_path)
    yield made
    end(made.started)
    made.tm.close()
    sys.modules.pop("killjobs", None)


def is_over(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@needs_fork
@pytest.mark.fault
def test_jobs_that_fork_leave_their_worker_process_in_order(real: Real) -> None:
    home = real.ok(1)
    for way in ("return", "exit", "raise"):
        job_id = real.tm.enqueue("killjobs:forks", way)
        name, child = real.tm.wait(job_id, 30)
        assert name == "parent"
        wait_for(lambda c=child: is_over(c), 5, f"the child of {way} lives on")
        assert history(real.tm, job_id) == ["Enqueued", "Processing", "Succeeded"]
    assert real.ok(2) == home
    assert "forked by the job, came back from it and is ended" in real.log()
    assert end(real.started) == [0]


@needs_fork
@pytest.mark.fault
def test_a_forked_child_that_lives_on_does_not_hide_its_parents_death_and_ends_by_a_signal(real: Real) -> None:
    home = real.ok(1)
    _, child = real.tm.wait(real.tm.enqueue("killjobs:forks", "stay"), 30)
    try:
        slow = real.tm.enqueue("killjobs:slow")
        wait_for(lambda: real.tm.get(slow).state == "Processing", 10, "it did not begin")
        os.kill(home, signal.SIGKILL)
        assert real.tm.wait(slow, 15) != home, "its claim was given back though the child lives"
        assert not is_over(child)
        os.kill(child, signal.SIGTERM)
        wait_for(lambda: is_over(child), 5, "the child did not heed SIGTERM")
    finally:
        if not is_over(child):
            os.kill(child, signal.SIGKILL)


@pytest.mark.fault
def test_threads_that_a_job_leaks_hold_up_neither_other_jobs_nor_the_end(real: Real) -> None:
    home = real.ok(1)
    assert real.tm.wait(real.tm.enqueue("killjobs:leaks_threads"), 30) == home
    assert real.ok(2) == home
    started = time.monotonic()
    assert end(real.started) == [0]
    assert time.monotonic() - started < 20
    assert "jobs left threads behind, which end with this process: left behind" in real.log()


@pytest.mark.fault
@pytest.mark.parametrize("way", ["objects", "descriptors"])
def test_a_job_that_closes_stdout_and_stderr_closes_them_for_nobody_else(real: Real, way: str) -> None:
    home = real.ok(1)
    assert real.tm.wait(real.tm.enqueue("killjobs:closes_streams", way), 30) == home
    assert real.ok(2) == home
    assert end(real.started) == [0]
    for line in ("out 2", "err 2", "logged 2"):
        assert line in real.log()


@pytest.mark.fault
@pytest.mark.skipif(sys.platform != "linux", reason="limits another process's files")
def test_outcomes_wait_while_the_disk_is_full_and_are_written_when_there_is_room(real: Real) -> None:
    home = real.ok(1)
    gate = real.folder / "open"
    job_id = real.tm.enqueue("killjobs:gate", str(gate))
    wait_for(lambda: real.tm.get(job_id).state == "Processing", 10, "it did not begin")
    process = psutil.Process(home)
    process.rlimit(psutil.RLIMIT_FSIZE, (4096, psutil.RLIM_INFINITY))
    gate.touch()
    time.sleep(3)
    assert real.tm.get(job_id).state == "Processing", "its outcome waits"
    process.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
    assert real.tm.wait(job_id, 30) == home, "it was not run again elsewhere"
    assert history(real.tm, job_id) == ["Enqueued", "Processing", "Succeeded"]
    assert real.ok(2) == home
    assert end(real.started) == [0]


# -- rows written by hand -------------------------------------------------------------------------------------


def test_a_state_of_an_unknown_name_stops_nothing_and_can_be_left(
    tm: TaskManager, hands: Any, others: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bad = tm.enqueue(greet, "x")
    table = tm.database.tables.state
    with tm.database.engine.begin() as connection:
        values = {"JobId": bad, "Name": "Frobnicated 🤖", "CreatedAt": datetime(2026, 1, 1), "Data": "{broken"}
        connection.execute(table.insert().values(**values))
    change_job(tm, bad, StateName="Frobnicated 🤖")
    worker = hands()
    worker.work()
    assert f"job {bad} is Frobnicated 🤖: its queue row is dropped" in caplog.text
    assert history(tm, bad) == ["Enqueued", "Frobnicated 🤖"]
    assert tm.database.run(lambda tx: queues.waiting_among(tx, [bad])) == set()
    others(worker)
    assert tm.requeue(bad)
    worker.work()
    assert tm.get(bad).result == "hello x"


def test_the_page_of_a_job_in_an_unknown_state_is_shown(tmp_path: Path) -> None:
    from werkzeug.security import generate_password_hash

    from webui import create_app

    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/web.db")
    tm.database.create_tables()
    bad = tm.enqueue(greet, "x")
    table = tm.database.tables.state
    with tm.database.engine.begin() as connection:
        values = {"JobId": bad, "Name": "Frobnicated", "CreatedAt": datetime(2026, 1, 1), "Data": "{broken"}
        connection.execute(table.insert().values(**values))
    change_job(tm, bad, StateName="Frobnicated", InvocationData="{broken")
    users = {"ann": generate_password_hash("secret", method="pbkdf2:sha256:1000")}
    client = create_app(tm, users=users).test_client()
    signed = {"Authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}
    answer = client.get(f"/hangfire/jobs/details/{bad}", headers=signed)
    assert answer.status_code == 200
    assert "Frobnicated" in answer.text
    tm.close()


def test_a_queue_row_whose_job_is_gone_is_dropped_and_named(
    tm: TaskManager, hands: Any, others: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tm.database.run(lambda tx: queues.push(tx, [(987_654, "default", 0)]))
    worker = hands()
    worker.work()
    assert "job 987654 is gone: its queue row is dropped" in caplog.text
    assert tm.database.run(lambda tx: queues.waiting_among(tx, [987_654])) == set()
    others(worker)


# -- clocks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [6, -6])
def test_a_host_clock_that_jumps_changes_nothing_that_is_due(
    tm: TaskManager, hands: Any, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    later = tm.job(greet).schedule("later", delay=timedelta(hours=1))
    due = tm.job(greet).schedule("due", delay=0.01)
    tm.recurring("hourly", greet, args=("x",), cron="0 * * * *")
    worker = hands()
    planned = tm.recurring_list()[0].next_execution
    real, jump = time.time, timedelta(hours=hours)
    monkeypatch.setattr(time, "time", lambda: real() + jump.total_seconds())
    monkeypatch.setattr("taskmanager.storage.clock.utcnow", lambda: utcnow() + jump)
    time.sleep(0.02)
    worker.delayed.tick()
    worker.recurring.tick()
    worker.work()
    assert (tm.get(due).state, tm.get(later).state) == ("Succeeded", "Scheduled")
    assert tm.recurring_list()[0].next_execution == planned
    newcomer = TaskManager(database_url=tm.settings.database_url, doorbell=False)
    job_id = newcomer.job(greet).schedule("x", delay=timedelta(minutes=5))
    newcomer.close()
    worker.delayed.tick()
    assert tm.get(job_id).state == "Scheduled"
    tm.database.clock.shift(timedelta(minutes=6))
    worker.delayed.tick()
    assert tm.get(job_id).state == "Enqueued"


def test_a_database_clock_that_jumps_and_comes_back_fires_nothing_twice(tm: TaskManager, hands: Any) -> None:
    tm.recurring("hourly", greet, args=("x",), cron="0 * * * *")
    later = tm.job(greet).schedule("later", delay=timedelta(hours=2))
    worker = hands()

    def ran() -> int:
        worker.delayed.tick()
        worker.recurring.tick()
        return int(worker.work())

    assert ran() == 0
    tm.database.clock.shift(timedelta(hours=5))
    assert ran() == 2
    tm.database.clock.shift(timedelta(hours=-5))
    assert ran() == 0
    fresh = tm.enqueue(greet, "between")
    assert ran() == 1
    tm.database.clock.shift(timedelta(hours=7))
    assert ran() == 1, "the recurring one goes on where it was"
    assert (tm.get(later).state, tm.get(fresh).state) == ("Succeeded", "Succeeded")
    assert all(int(tm.get(i).history[-1].data["Latency"]) >= 0 for i in (later, fresh))


def test_a_server_is_taken_for_dead_when_its_heartbeat_stands_still_whatever_clocks_say(
    tm: TaskManager, hands: Any
) -> None:
    living, dead = hands(), hands()
    watchdog = Watchdog(tm.database, "me", dead_after=0.6)

    def known() -> set[str]:
        return {s.id for s in tm.database.read(servers.all_servers)}

    for hours in (5, -9, 1, -3, 6):  # the database's clock jumps between its heartbeats
        tm.database.clock.shift(timedelta(hours=hours))
        tm.database.run(lambda tx: servers.heartbeat(tx, living.id))
        watchdog.tick()
        assert living.id in known()
        time.sleep(0.25)
    watchdog.tick()
    assert known() == {living.id}, "the other one said nothing in all that time"
    assert dead.id not in known()


def test_a_supervisor_kills_only_what_was_silent_for_the_whole_time_whatever_the_hosts_clock_says(
    tmp_path: Path,
) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/s.db")
    supervisor = Supervisor(tm.database, [], 1, dead_after=0.8, grace=1)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    line = Lifeline(f"host:{child.pid}:{'a' * 32}", 1, lifeline.folder_of(tm.database.identity))
    try:
        supervisor._children = [child]
        for moment in (0, 10**10, 10**9):
            os.utime(line.path, (moment, moment))
            supervisor._kill_hung()
            time.sleep(0.5)
            assert child.poll() is None, "the clock has jumped, and the child has just been heard of"
        supervisor._kill_hung()
        time.sleep(0.5)
        supervisor._kill_hung()
        assert child.wait(5) != 0, "nothing was heard of it for the whole time"
    finally:
        line.close()
        if child.poll() is None:
            child.kill()
            child.wait()
        tm.close()


# -- databases that cannot be written -------------------------------------------------------------------------


@contextmanager
def mode(tm: TaskManager, bad: str, good: str) -> Iterator[None]:
    """Each connection is put into a mode as it leaves the pool."""
    now = [bad]

    def on_checkout(connection: Any, _: Any, __: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(now[0])
        cursor.close()
        if tm.database.product.name == "postgresql":
            connection.commit()

    event.listen(tm.database.engine, "checkout", on_checkout)
    try:
        yield
    finally:
        now[0] = good
        with tm.database.engine.connect():
            pass
        event.remove(tm.database.engine, "checkout", on_checkout)
        tm.database.engine.dispose()


READ_ONLY = {
    "sqlite": ("PRAGMA query_only = 1", "PRAGMA query_only = 0"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ WRITE"),
    "postgresql": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    ),
}
READ_ONLY["mariadb"] = READ_ONLY["mysql"]


def test_while_a_database_is_read_only_calls_are_refused_and_outcomes_wait_in_memory(
    tm: TaskManager, hands: Any, others: Any
) -> None:
    tm.database.patience_seconds = 0.2
    job_id = tm.enqueue(greet, "x")
    worker = hands()
    claims = worker.claim()
    with mode(tm, *READ_ONLY[tm.database.product.name]):
        with pytest.raises(StorageError, match=r"(?i)read[- ]?only"):
            tm.enqueue(greet, "refused")
        for claim in claims:
            worker.worker.perform(claim)
        for _ in range(2):
            with pytest.raises(StorageError, match=r"(?i)read[- ]?only"):
                worker.completer.flush()
        assert len(worker.completer._outcomes) == 2
    assert tm.get(job_id).state == "Enqueued"
    assert worker.completer.flush() == 2
    assert history(tm, job_id) == ["Enqueued", "Processing", "Succeeded"]
    others(worker)


def test_while_the_disk_is_full_outcomes_wait_in_memory(tmp_path: Path) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/full.db", doorbell=False)
    tm.database.create_tables()
    worker = Hands(tm, tmp_path)

    def long() -> str:
        return "x" * 60_000

    ids = [tm.job(long).enqueue(), tm.enqueue(greet, "x")]
    claims = worker.claim()
    with tm.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with mode(tm, f"PRAGMA max_page_count = {pages}", f"PRAGMA max_page_count = {1 << 30}"):
        with pytest.raises(StorageError, match=r"cannot be written: .*full"):
            tm.enqueue(greet, "y" * 60_000)
        for claim in claims:
            worker.worker.perform(claim)
        with pytest.raises(StorageError, match=r"cannot be written: .*full"):
            worker.completer.flush()
        assert len(worker.completer._outcomes) == 2
    assert worker.completer.flush() == 2
    assert [history(tm, i) for i in ids] == [["Enqueued", "Processing", "Succeeded"]] * 2
    worker.close()
    tm.close()


# -- the documentation ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        "job type", "Stored arguments", "number of arguments", "raises at import", "cron", "zone", "queue name",
        "20 MB", "emoji", "cannot be encoded", "sys.exit", "forks", "threads", "stdout", "async generator",
        "broken JSON", "unknown name", "job is gone", "clock", "disk", "read-only",
    ],
)  # fmt: skip
def test_the_operations_page_lists_each_kind_of_bad_input(word: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.partition("## Bad input")[2].partition("\n## ")[0]
    assert word.lower() in table.lower()
