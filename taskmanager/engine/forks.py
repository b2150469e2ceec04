"""A job that forks has two processes come back from its function; only the one that was called may go on.

The child has a copy of everything: the claim, the outcome, the sockets. It is ended before it reaches our code.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from taskmanager.engine.context import JobContext
from taskmanager.engine.performer import Runner
from taskmanager.engine.registry import JobDefinition

log = logging.getLogger("taskmanager.worker")


@dataclass(frozen=True, slots=True)
class _Left:
    """What an async job raised that asyncio would not keep: it would end the event loop of all other jobs."""

    error: BaseException


def safely(runner: Runner) -> Runner:
    """A runner like this one, out of which no forked child comes, and no sys.exit() into the event loop."""

    def run(
        definition: JobDefinition, body: Callable[..., Any], args: list[Any], kwargs: dict[str, Any],
        context: JobContext,
    ) -> Any:  # fmt: skip
        return answer(runner(definition, guarded(body, is_async=definition.is_async), args, kwargs, context))

    return run


def answer(result: Any) -> Any:
    """What a guarded body returned. Raises what it could not raise itself."""
    if isinstance(result, _Left):
        raise result.error
    return result


def guarded(body: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
    """The body of a job; a child that was forked in it ends where the body ends."""
    home = os.getpid()
    if not is_async:

        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return body(*args, **kwargs)
            finally:
                if os.getpid() != home:
                    _end(sys.exception())

        return call

    async def call_async(*args: Any, **kwargs: Any) -> Any:
        try:
            return await body(*args, **kwargs)
        except (SystemExit, KeyboardInterrupt) as error:
            if os.getpid() != home:
                _end(error)
            return _Left(error)
        finally:
            if os.getpid() != home:
                _end(sys.exception())

    return call_async


def _end(error: BaseException | None) -> NoReturn:
    """End this child as Python would end a program, without its exit hooks: they are the parent's."""
    code = 0 if error is None else 1
    try:
        log.warning("process %d, forked by the job, came back from it and is ended", os.getpid())
        if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
            code = (error.code or 0) & 0xFF
        elif error is not None:
            traceback.print_exception(error)
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
    finally:
        os._exit(code)
