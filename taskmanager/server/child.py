"""The other end of an isolated job: a fresh process reads one call from stdin, runs it, and tells over stdout.

What it tells are JSON objects, one a line: `log`, `progress`, `notify`, `record` (of the standard logging), and at the
end `result` or `error`. What it is told after the call are lines as well: `cancel`. When the pipe closes, the worker is
gone, and this process ends.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import signal
import sys
import threading
from datetime import datetime, timedelta
from typing import IO, Any

import psutil

from taskmanager import logs
from taskmanager.domain.codec import encode_result
from taskmanager.domain.errors import qualified
from taskmanager.domain.records import Claim
from taskmanager.domain.retry import Retry
from taskmanager.domain.times import utcnow
from taskmanager.engine import forks, handles
from taskmanager.engine.context import JobContext
from taskmanager.engine.discovery import definition_of
from taskmanager.engine.injection import Providers, Scope
from taskmanager.engine.performer import checked, details_of, text_of
from taskmanager.engine.registry import JobDefinition, define

_TELL_SECONDS = 0.1


class Worker:
    """The way back to the worker. What the job prints goes to stderr, so that it cannot disturb the answer."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)
        self.calls: IO[bytes] = os.fdopen(os.dup(0), "rb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._lock = threading.Lock()

    def tell(self, **facts: Any) -> None:
        """Send one line."""
        line = memoryview(json.dumps(facts).encode() + b"\n")
        with self._lock:
            while line:
                line = line[os.write(self._out, line) :]

    def tell_of(self, context: JobContext) -> None:
        """Send what the job has said since the last time."""
        lines, dropped, share = context.log.take(), context.log.take_dropped(), context.take_progress()
        if lines or dropped:
            self.tell(log=lines or "", dropped=dropped)
        if share is not None:
            self.tell(progress=share)


class Records(logging.StreamHandler):  # type: ignore[type-arg]
    """Hands what is logged to the worker, whose handlers put the job into it; in a forked child it goes to stderr."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(sys.stderr)
        self._worker, self._process = worker, os.getpid()

    def emit(self, record: logging.LogRecord) -> None:
        if os.getpid() != self._process:  # the answer's pipe is the job's own process's
            super().emit(record)
            return
        try:
            self._worker.tell(record=logs.pack(record))
        except OSError:  # the worker is gone, and this process is about to end
            super().emit(record)

    def install(self, level: int) -> None:
        """Take all records from this level on; of our own start only what is wrong."""
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(level)
        logging.getLogger("taskmanager").setLevel(max(level, logging.WARNING))
        logging.getLogger("taskmanager.job").setLevel(level)


def main() -> None:
    """Serve one call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C on a terminal is for the worker, which then cancels
    worker = Worker()
    request = json.loads(worker.calls.readline())
    os.environ.update(request["environment"])
    sys.path[:] = dict.fromkeys([*request["path"], *sys.path])
    Records(worker).install(request["log_level"])
    context = _context(request, worker)
    threading.Thread(target=_listen, args=(worker.calls, context), daemon=True).start()
    threading.Thread(target=_report, args=(worker, context), daemon=True).start()
    try:
        answer: dict[str, Any] = {"result": _value(_run(request, context))}
    except BaseException as error:
        answer = _failure(error)
    worker.tell_of(context)
    worker.tell(**answer, **_measured())
    os._exit(0)  # threads that the job left behind end here


def _context(request: dict[str, Any], worker: Worker) -> JobContext:
    ahead = timedelta(seconds=request["clock_ahead"])

    def now() -> datetime:
        return utcnow() + ahead

    claim = Claim(0, request["job_id"], request["queue"], "", parameters=request["parameters"])
    lines, size = request["log_bounds"]
    return JobContext(
        claim, now, name=request["method"], server=request["server"], max_log_lines=lines, max_log_bytes=size,
        write=lambda told: worker.tell(notify=[told.user, told.type, told.message]),
    )  # fmt: skip


def _listen(calls: IO[bytes], context: JobContext) -> None:
    for line in calls:
        context.cancellation.cancel(str(json.loads(line).get("cancel")))
    os._exit(3)


def _report(worker: Worker, context: JobContext) -> None:
    while True:
        threading.Event().wait(_TELL_SECONDS)
        worker.tell_of(context)


def _run(request: dict[str, Any], context: JobContext) -> Any:
    found: Any = importlib.import_module(request["type"])
    for part in request["method"].split("."):
        found = getattr(found, part)
    providers = _providers(found)
    definition = definition_of(found) or define(found, is_injected=providers.is_injected)
    scope = providers.scope(context)
    try:
        return _call(definition, request["arguments"], scope)
    finally:
        scope.close()


def _call(definition: JobDefinition, arguments: list[Any], scope: Scope) -> Any:
    wanted = {p.name: p.annotation for p in definition.signature.parameters if p.injected}
    args, kwargs = definition.signature.decode(arguments, scope.arguments(wanted))
    target: Any = definition.target
    body = scope.construct(target).execute if definition.is_class else target
    call = forks.guarded(body, is_async=definition.is_async)
    result = call(*args, **kwargs)
    return checked(forks.answer(asyncio.run(result)) if definition.is_async else result)


def _providers(job: Any) -> Providers:
    """What the job's own TaskManager provides, else what is provided in the discovered packages."""
    owner: Any = getattr(job, "owner", None)
    if owner is None:
        importlib.import_module("taskmanager.app")  # it puts itself there
        assert handles.current is not None
        owner = handles.current()
    owner.discover()
    providers: Providers = owner.providers
    return providers


def _value(result: Any) -> Any:
    text = encode_result(result, max_bytes=1 << 20)
    return None if text is None else json.loads(text)


def _failure(error: BaseException) -> dict[str, Any]:
    kinds = [qualified(kind) for kind in type(error).__mro__ if kind is not object]
    answer: dict[str, Any] = {"error": text_of(error), "kinds": kinds, "details": details_of(error)}
    if isinstance(error, Retry):
        answer["retry"] = {"delay": error.delay, "count": error.count}
    return answer


def _measured() -> dict[str, int]:
    """Processor time of this process and of those it has waited for, and the most memory that it itself took."""
    spent = psutil.Process().cpu_times()
    measured = {"cpu_ms": round(sum(spent[:4]) * 1000)}
    if sys.platform != "win32":
        import resource  # absent on Windows

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        measured["memory_mb"] = round(peak / (1024**2 if sys.platform == "darwin" else 1024))
    return measured


if __name__ == "__main__":
    main()
