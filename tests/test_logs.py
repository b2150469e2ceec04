"""Log lines: text or JSON, with the job in them, and never a password or a lost line."""

from __future__ import annotations

import asyncio
import contextvars
import io
import json
import logging
import logging.handlers
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskmanager import TaskManager, job, logs
from tests.conftest import Hands

log = logging.getLogger("tests.logs")
JOB: logs.JobFields = (42, 2, "critical", "blue:7:abc", "shop.mail:send")


@pytest.fixture(autouse=True)
def _root_logger_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def objects(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# -- text -------------------------------------------------------------------------------------------------


def test_a_text_line_has_utc_time_level_logger_and_message(stream: io.StringIO) -> None:
    logs.configure("INFO", "text", stream)
    log.info("%d mails sent", 3)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 INFO    tests\.logs 3 mails sent\n", stream.getvalue()
    )


def test_a_text_line_of_a_job_names_job_attempt_queue_and_server(stream: io.StringIO) -> None:
    logs.configure("INFO", "text", stream)
    with logs.job_context(JOB):
        log.info("sent")
    assert stream.getvalue().endswith(
        " tests.logs [job_id=42 attempt=2 queue=critical server=blue:7:abc job=shop.mail:send] sent\n"
    )


def test_text_shows_exception_and_stack_after_the_line(stream: io.StringIO) -> None:
    logs.configure("INFO", "text", stream)
    try:
        raise ValueError("no address")
    except ValueError:
        log.exception("mail failed", stack_info=True)
    lines = stream.getvalue().splitlines()
    assert lines[0].endswith("ERROR   tests.logs mail failed")
    assert lines[1] == "Traceback (most recent call last):"
    assert "ValueError: no address" in lines
    assert "Stack (most recent call last):" in lines


# -- JSON -------------------------------------------------------------------------------------------------


def test_a_json_line_is_one_object_with_the_same_facts(stream: io.StringIO) -> None:
    logs.configure("INFO", "json", stream)
    log.warning("%s is full", "disk")
    (line,) = objects(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert line == {"level": "WARNING", "logger": "tests.logs", "message": "disk is full"}


def test_a_json_line_of_a_job_has_its_fields_typed(stream: io.StringIO) -> None:
    logs.configure("INFO", "json", stream)
    with logs.job_context(JOB):
        log.info("sent")
    (line,) = objects(stream)
    assert {k: line[k] for k in ("job_id", "attempt", "queue", "server", "job")} == {
        "job_id": 42, "attempt": 2, "queue": "critical", "server": "blue:7:abc", "job": "shop.mail:send",
    }  # fmt: skip


def test_newlines_are_escaped_in_json_so_that_a_record_is_a_line(stream: io.StringIO) -> None:
    logs.configure("INFO", "json", stream)
    message = 'two\nlines\r\nand "quotes" \\ tab\t nul\0 and \u2028 separators'
    log.info(message)
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        log.exception("failed", stack_info=True)
    assert stream.getvalue().count("\n") == 2
    first, second = objects(stream)
    assert first["message"] == message
    assert second["exception"].startswith("Traceback (most recent call last):\n")
    assert second["exception"].endswith("ValueError: first\nsecond")
    assert second["stack"].startswith("Stack (most recent call last):\n")


# -- both forms -------------------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("form", ["text", "json"])


def messages(stream: io.StringIO, form: str) -> list[str]:
    if form == "json":
        return [line["message"] for line in objects(stream)]
    return [re.split(r"tests\.logs (?:\[.*?\] )?", line, maxsplit=1)[1] for line in stream.getvalue().splitlines()]


@BOTH
def test_every_script_and_emoji_comes_through(stream: io.StringIO, form: str) -> None:
    logs.configure("INFO", form, stream)
    text = "Příliš žluťoučký кот 日本語 שלום 👩‍👩‍👧 🚀"
    with logs.job_context((1, 1, "default", "sérver", "módulo:función")):
        log.info("%s", text)
    assert messages(stream, form) == [text]
    shown = stream.getvalue() if form == "text" else objects(stream)[0]["server"]
    assert "sérver" in shown


@BOTH
def test_a_terminal_that_knows_only_ascii_loses_no_line(form: str) -> None:
    program = (
        "import logging; from taskmanager import logs\n"
        f"logs.configure('INFO', {form!r})\n"
        "logging.info('rocket \\U0001f680 lone \\udce9'); logging.info('after')\n"
    )
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=environment)
    lines = done.stderr.decode("ascii").splitlines()
    assert len(lines) == 2
    assert "rocket \\" in lines[0]
    assert "after" in lines[1]


@BOTH
def test_only_the_lines_inside_a_job_carry_it(stream: io.StringIO, form: str) -> None:
    logs.configure("INFO", form, stream)
    log.info("before")
    with logs.job_context(JOB):
        log.info("outer")
        with logs.job_context((43, 1, "default", "blue", "inner")):
            log.info("inner")
        log.info("outer again")
    log.info("after")
    found = [re.search(r'job_id"?[=:] ?(\d+)', line) for line in stream.getvalue().splitlines()]
    assert [match and match[1] for match in found] == [None, "42", "43", "42", None]


def test_the_job_is_forgotten_when_it_raises(stream: io.StringIO) -> None:
    logs.configure("INFO", "json", stream)
    with pytest.raises(ValueError, match="boom"), logs.job_context(JOB):
        raise ValueError("boom")
    log.info("after")
    assert "job_id" not in objects(stream)[0]


def test_jobs_in_threads_and_async_tasks_do_not_mix(stream: io.StringIO) -> None:
    logs.configure("INFO", "json", stream)

    def in_thread(number: int, barrier: threading.Barrier) -> None:
        with logs.job_context((number, 1, "q", "s", "j")):
            barrier.wait(10)
            log.info("%d", number)

    async def in_task(number: int) -> None:
        with logs.job_context((number, 1, "q", "s", "j")):
            await asyncio.sleep(0.01)
            log.info("%d", number)

    async def tasks() -> None:
        await asyncio.gather(*(in_task(n) for n in range(10, 14)))

    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=in_thread, args=(n, barrier)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(tasks())
    lines = objects(stream)
    assert sorted(line["job_id"] for line in lines) == [0, 1, 2, 3, 10, 11, 12, 13]
    assert all(line["message"] == str(line["job_id"]) for line in lines)


def test_a_thread_that_is_started_in_a_copy_of_the_context_knows_its_job(stream: io.StringIO) -> None:
    logs.configure("INFO", "json", stream)
    with logs.job_context(JOB):
        for run in (contextvars.copy_context().run, lambda work: work()):
            thread = threading.Thread(target=run, args=(lambda: log.info("from a thread"),))
            thread.start()
            thread.join()
    assert [line.get("job_id") for line in objects(stream)] == [42, None]


@BOTH
def test_a_logging_call_with_wrong_arguments_is_a_line_and_no_error(stream: io.StringIO, form: str) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    logs.configure("INFO", form, stream)
    root = logging.getLogger()
    root.handlers[:] = [h for h in root.handlers if getattr(h, "taskmanager", False)]  # pytest's own would raise
    log.info("%d mails", "three")
    log.info("%s and %s", "one")
    log.info(Broken())
    first, second, third = messages(stream, form)
    assert first.startswith("%d mails (its arguments could not be formatted: TypeError")
    assert second.startswith("%s and %s (its arguments could not be formatted")
    assert third == "Broken (its arguments could not be formatted: RuntimeError: no text)"


@BOTH
def test_an_exception_logged_where_there_is_none_adds_nothing(stream: io.StringIO, form: str) -> None:
    logs.configure("INFO", form, stream)
    log.exception("odd")
    assert messages(stream, form) == ["odd"]
    assert "NoneType" not in stream.getvalue()


@BOTH
def test_an_exception_that_came_through_a_queue_is_shown(stream: io.StringIO, form: str) -> None:
    logs.configure("INFO", form, stream)
    records: queue.Queue[logging.LogRecord] = queue.Queue()
    try:
        raise ValueError("far away")
    except ValueError:
        record = log.makeRecord(log.name, logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    logging.handlers.QueueHandler(records).emit(record)
    arrived = records.get_nowait()
    assert arrived.exc_info is None
    log.handle(arrived)
    assert "ValueError: far away" in stream.getvalue()


@BOTH
def test_passwords_in_urls_never_reach_the_log(stream: io.StringIO, form: str) -> None:
    url = "mysql://app:pa55word@db/shop"
    logs.configure("INFO", form, stream)
    log.info("at " + url)
    log.info("at %s and %s", url, {"url": "postgresql://app:pa55/w@rd@db:5432/shop"})
    try:
        raise ConnectionError(f"cannot reach {url}")
    except ConnectionError:
        log.exception("down")
    assert stream.getvalue().count("mysql://app:*****@db/shop") >= 3
    assert "pa55" not in stream.getvalue()
    assert "w@rd" not in stream.getvalue()


@BOTH
def test_urls_without_passwords_stay_as_they_are(stream: io.StringIO, form: str) -> None:
    text = "http://localhost:8000/users/@me?mail=a@b.c sqlite:///shop.db mysql://app@db/shop, write to ops@b.c"
    logs.configure("INFO", form, stream)
    log.info(text)
    assert messages(stream, form) == [text]


def test_other_handlers_get_the_record_unchanged(stream: io.StringIO) -> None:
    seen: list[str] = []

    class Other(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(f"{record.msg}|{record.args}")

    logs.configure("INFO", "json", stream)
    logging.getLogger().addHandler(Other())
    log.info("at %s", "mysql://u:p@h/d")
    assert seen == ["at %s|('mysql://u:p@h/d',)"]


# -- setting up -------------------------------------------------------------------------------------------


def test_setting_up_twice_prints_each_line_once_in_the_last_form(stream: io.StringIO) -> None:
    first = io.StringIO()
    logs.configure("DEBUG", "text", first)
    logs.configure("INFO", "json", stream)
    logs.configure("INFO", "json", stream)
    log.debug("hidden")
    log.info("seen")
    assert first.getvalue() == ""
    assert [line["message"] for line in objects(stream)] == ["seen"]


def test_setting_up_leaves_the_handlers_of_others_in_place(stream: io.StringIO) -> None:
    other = logging.NullHandler()
    logging.getLogger().addHandler(other)
    logs.configure("INFO", "text", stream)
    logs.configure("INFO", "text", stream)
    ours = [h for h in logging.getLogger().handlers if getattr(h, "taskmanager", False)]
    assert other in logging.getLogger().handlers
    assert len(ours) == 1


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_only_lines_of_the_level_and_above_are_printed(stream: io.StringIO, level: str) -> None:
    logs.configure(level, "json", stream)
    for name in ("DEBUG", "INFO", "WARNING", "ERROR"):
        log.log(logging.getLevelName(name), "x")
    every = ["DEBUG", "INFO", "WARNING", "ERROR"]
    assert [line["level"] for line in objects(stream)] == every[every.index(level) :]


def test_lines_go_to_standard_error_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    log.info("here")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("tests.logs here\n")


# -- a real job -------------------------------------------------------------------------------------------


@job
def writes_a_line(word: str) -> None:
    log.info("working on %s", word)
    logging.getLogger("some.library").warning("inside")


@pytest.mark.one_server
def test_every_line_of_a_real_job_names_job_attempt_queue_and_server(
    tm: TaskManager, hands: Callable[..., Hands], stream: io.StringIO
) -> None:
    worker = hands(queues=("critical",))
    ids = [tm.enqueue(writes_a_line, word, queue="critical") for word in ("a", "b")]
    logs.configure("INFO", "json", stream)
    assert worker.work() == 2
    lines = [line for line in objects(stream) if line["logger"] in ("tests.logs", "some.library")]
    assert [line["job_id"] for line in lines] == [ids[0], ids[0], ids[1], ids[1]]
    assert {(line["attempt"], line["queue"], line["server"]) for line in lines} == {(1, "critical", worker.id)}
    assert all(line["job"].endswith("writes_a_line") for line in lines)


def fails_at_once() -> None:
    raise ValueError("as always")


@pytest.mark.one_server
def test_every_line_about_a_job_names_job_attempt_queue_and_server(
    tm: TaskManager, hands: Callable[..., Hands], stream: io.StringIO
) -> None:
    failing = tm.job(retries=1, delays=[0], queue="critical")(fails_at_once)
    failed, unknown, gone = failing.enqueue(), failing.enqueue(), failing.enqueue()
    table = tm.database.tables.job
    with tm.database.engine.begin() as connection:
        lost = '{"Type":"gone.module","Method":"lost"}'
        connection.execute(table.update().where(table.c.Id == unknown).values(InvocationData=lost))
        connection.execute(table.update().where(table.c.Id == gone).values(StateName="Frobnicated"))
    worker = hands(queues=("critical",))
    logs.configure("INFO", "json", stream)
    for _ in range(3):
        worker.work()
    lines = sorted(
        (line["job_id"], line["attempt"], line["message"].partition(": ")[0])
        for line in objects(stream)
        if line["message"].startswith("job ")
    )
    assert lines == [
        (failed, 1, f"job {failed}"),
        (failed, 2, f"job {failed} failed for good"),
        (unknown, 1, f"job {unknown} is of a type this server does not know; left for others"),
        (gone, 1, f"job {gone} is Frobnicated"),
    ]
    assert {(line["queue"], line["server"]) for line in objects(stream) if "job_id" in line} == {
        ("critical", worker.id)
    }
