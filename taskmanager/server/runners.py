"""Where a job's body runs: in this thread, on the event loop, or in a child process that may be killed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from taskmanager.domain.errors import JobCancelled, JobTimeout
from taskmanager.engine.context import JobContext
from taskmanager.engine.registry import JobDefinition
from taskmanager.server.isolation import Isolation


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
        with self._lock:
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(1.0)
            if not thread.is_alive():
                loop.close()


def _cancel(future: Any) -> None:
    future.cancel()


class Runners:
    """Chooses where a job's body runs."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._isolation = Isolation(environment or {})
        self._events = EventLoop()

    def __call__(
        self, definition: JobDefinition, body: Callable[..., Any], args: list[Any], kwargs: dict[str, Any],
        context: JobContext,
    ) -> Any:  # fmt: skip
        if definition.isolate:
            return self._isolation.run(definition, args, context)
        if definition.is_async:
            return self._events.run(definition, body, args, kwargs, context)
        return body(*args, **kwargs)

    def close(self) -> None:
        """Stop what was started."""
        self._events.close()
