"""Where a job's body runs: in this thread, on the event loop, or in a child process that may be killed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil

from taskmanager.domain.errors import JobCancelled, JobProcessDied, JobTimeout
from taskmanager.engine.context import JobContext
from taskmanager.engine.registry import JobDefinition

#: How often a child's memory and time are looked at.
_WATCH_SECONDS = 0.05


class EventLoop:
    """One asyncio loop in one thread, started by the first async job."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(
        self, definition: JobDefinition, body: Callable[..., Any], args: list[Any], kwargs: dict[str, Any],
        context: JobContext,
    ) -> Any:  # fmt: skip
        """Run a coroutine function to its end; a timeout or a tripped token cancels it."""
        future = asyncio.run_coroutine_threadsafe(
            asyncio.wait_for(body(*args, **kwargs), definition.timeout), self._started()
        )
        context.cancellation.on_cancel(lambda: _cancel(future))
        try:
            return future.result()
        except TimeoutError as error:
            if definition.timeout is not None and not str(error):
                raise JobTimeout(f"the job ran longer than its timeout of {definition.timeout:g} s") from None
            raise
        except (asyncio.CancelledError, BaseException) as error:
            if context.cancellation.is_cancelled and "Cancelled" in type(error).__name__:
                raise JobCancelled(context.cancellation.reason) from None
            raise

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="taskmanager-asyncio", daemon=True)
                self._thread.start()
            return self._loop

    def close(self) -> None:
        """Stop the loop; what still runs in it is abandoned."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(1.0)
            if not self._thread.is_alive():
                self._loop.close()


def _cancel(future: Any) -> None:
    future.cancel()


class Runners:
    """Chooses where a job's body runs."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = list(packages)
        self._events = EventLoop()

    def __call__(
        self, definition: JobDefinition, body: Callable[..., Any], args: list[Any], kwargs: dict[str, Any],
        context: JobContext,
    ) -> Any:  # fmt: skip
        if definition.isolate:
            return run_isolated(definition, args, context)
        if definition.is_async:
            return self._events.run(definition, body, args, kwargs, context)
        return body(*args, **kwargs)

    def close(self) -> None:
        """Stop what was started."""
        self._events.close()


def run_isolated(definition: JobDefinition, stored: list[Any], context: JobContext) -> Any:
    """Run a job in a child process: a timeout, a memory limit or a cancellation kills it.

    Raises JobTimeout, MemoryError, JobCancelled, JobProcessDied, or what the job raised, as RemoteError.
    """
    request: dict[str, Any] = {
        "type": definition.type,
        "method": definition.method,
        "arguments": stored,
        "path": sys.path,
    }
    request |= {"job_id": context.job_id, "queue": context.queue, "parameters": context.parameters}
    child = subprocess.Popen(
        [sys.executable, "-m", "taskmanager.server.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    answer: list[bytes] = []
    reader = threading.Thread(target=lambda: answer.append(child.communicate(json.dumps(request).encode())[0]))
    reader.start()
    try:
        _watch(child, reader, definition, context)
    finally:
        if child.poll() is None:
            child.kill()
        reader.join()
    return _answer(child, answer[0] if answer else b"", definition)


def _watch(child: Any, reader: threading.Thread, definition: JobDefinition, context: JobContext) -> None:
    deadline = time.monotonic() + definition.timeout if definition.timeout else None
    process = psutil.Process(child.pid) if definition.memory_limit else None
    while reader.is_alive():
        reader.join(_WATCH_SECONDS)
        if context.cancellation.is_cancelled:
            raise JobCancelled(context.cancellation.reason)
        if deadline is not None and time.monotonic() > deadline and reader.is_alive():
            raise JobTimeout(f"the job ran longer than its timeout of {definition.timeout:g} s and was killed")
        if process is not None and definition.memory_limit and _resident(process) > definition.memory_limit:
            raise MemoryError(f"the job took more than its {definition.memory_limit} bytes of memory and was killed")


def _resident(process: Any) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _answer(child: Any, output: bytes, definition: JobDefinition) -> Any:
    line = output.rpartition(b"\x1e")[2]
    if not line:
        raise JobProcessDied(f"the child process of {definition.name} ended with code {child.returncode} and no answer")
    answer = json.loads(line)
    if "error" in answer:
        raise RemoteError(answer["type"], answer["error"], answer["details"])
    return answer["result"]


class RemoteError(Exception):
    """What a job raised in its child process; `str()` is its own message."""

    def __init__(self, kind: str, message: str, details: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.add_note(f"raised in the child process as {kind}:\n{details}")
