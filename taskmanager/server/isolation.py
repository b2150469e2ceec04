"""A job in a child process of its own: a timeout, a memory limit or a cancellation kills it, and nothing else."""

from __future__ import annotations

import contextvars
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import psutil

from taskmanager import logs
from taskmanager.domain.errors import JobCancelled, JobProcessDied, JobTimeout, RemoteError, StorageError
from taskmanager.domain.retry import Retry
from taskmanager.domain.times import utcnow
from taskmanager.engine.context import JobContext
from taskmanager.engine.registry import JobDefinition

log = logging.getLogger("taskmanager.isolation")

#: How often a child's memory and time are looked at.
_WATCH_SECONDS = 0.05
#: How long a cancelled job has to end by itself before its process is killed.
_CANCEL_SECONDS = 2.0
#: How long what a child has told may take to be read after its end.
_LAST_WORD_SECONDS = 2.0


class Isolation:
    """Runs jobs in child processes. environment: variables they get besides our own: the settings of this worker."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def run(self, definition: JobDefinition, stored: list[Any], context: JobContext) -> Any:
        """Run a job and return its result.

        Raises JobTimeout, MemoryError, JobCancelled, JobProcessDied, or RemoteError with what the job raised.
        """
        child = Child(context)
        try:
            child.tell(self._request(definition, stored, context))
            _watch(child, definition, context)
        finally:
            child.end()
        return child.result(definition.name)

    def _request(self, definition: JobDefinition, stored: list[Any], context: JobContext) -> dict[str, Any]:
        return {
            "type": definition.type, "method": definition.method, "arguments": stored, "path": sys.path,
            "environment": self._environment, "job_id": context.job_id, "queue": context.queue,
            "parameters": context.parameters, "server": context.server, "log_bounds": context.log.bounds,
            "clock_ahead": (context.now() - utcnow()).total_seconds(), "log_level": logging.getLogger().level,
        }  # fmt: skip


class Child:
    """One child process, and what it has told."""

    def __init__(self, context: JobContext) -> None:
        command = [sys.executable, "-m", "taskmanager.server.child"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._watched = psutil.Process(self._process.pid)
        self._context = context
        self._answer: dict[str, Any] | None = None
        # What the job logs there is logged here, as a part of this run.
        read = contextvars.copy_context().run
        self._reader = threading.Thread(target=read, args=(self._read,), name="taskmanager-isolated", daemon=True)
        self._reader.start()

    def tell(self, facts: dict[str, Any]) -> None:
        """Send one line; a child that is gone is noticed by whoever waits for it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(facts).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return

    def wait(self, seconds: float) -> bool:
        """Wait for the answer, or for the end of the process; whether either came."""
        self._reader.join(seconds)
        return not self._reader.is_alive() or self._process.poll() is not None

    def resident_bytes(self) -> int:
        """Memory of the process and of what it started."""
        try:
            return sum(p.memory_info().rss for p in [self._watched, *self._watched.children(recursive=True)])
        except psutil.Error:
            return 0

    def end(self) -> None:
        """Kill what still runs of it; one that has answered is about to end by itself, and is let."""
        if self._process.poll() is None:
            left = _children(self._watched)
            if self._answer is None or not self._ends():
                left.append(self._watched)
            for process in left:
                _kill(process)
        self._process.wait()
        self._reader.join(_LAST_WORD_SECONDS)
        # A daemon that the job left behind may have the other end open: then ours is closed when the reader ends.
        read = None if self._reader.is_alive() else self._process.stdout
        for pipe in (self._process.stdin, read):
            if pipe is not None:
                _close(pipe)

    def _ends(self) -> bool:
        try:
            self._process.wait(_LAST_WORD_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return True

    def result(self, name: str) -> Any:
        """What the job returned. Raises RemoteError, or JobProcessDied when the process ended without a word."""
        answer = self._answer
        if answer is None:
            code = self._process.returncode
            raise JobProcessDied(f"the child process of {name} ended with code {code} before the job did")
        self._context.measured = (answer.get("cpu_ms"), answer.get("memory_mb"))
        if "retry" in answer:
            raise Retry(answer["error"], **answer["retry"])
        if "error" in answer:
            raise RemoteError(answer["error"], answer["kinds"], answer["details"])
        return answer["result"]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            facts = json.loads(line)
            if "log" in facts:
                self._context.log.keep(facts["log"], dropped=facts["dropped"])
            elif "record" in facts:
                logs.hand_on(facts["record"])
            elif "progress" in facts:
                self._context.progress(facts["progress"])
            elif "notify" in facts:
                self._notify(facts["notify"])
            else:
                self._answer = facts
                return
        _close(self._process.stdout)

    def _notify(self, told: list[str]) -> None:
        """The job has gone on meanwhile: what cannot be written is told to the operator alone."""
        try:
            self._context.notify(*told)
        except StorageError as error:
            log.error("job %d: a notification of %s was not written: %s", self._context.job_id, told[0], error)


def _watch(child: Child, definition: JobDefinition, context: JobContext) -> None:
    started = time.monotonic()
    cancelled: float | None = None
    while not child.wait(_WATCH_SECONDS):
        now = time.monotonic()
        if definition.timeout is not None and now - started > definition.timeout:
            raise JobTimeout(f"the job ran longer than its timeout of {definition.timeout:g} s and was killed")
        if definition.memory_limit is not None and child.resident_bytes() > definition.memory_limit:
            raise MemoryError(f"the job took more than its {definition.memory_limit} bytes of memory and was killed")
        if context.cancellation.is_cancelled and cancelled is None:
            cancelled = now
            child.tell({"cancel": context.cancellation.reason})
        if cancelled is not None and now - cancelled > _CANCEL_SECONDS:
            raise JobCancelled(context.cancellation.reason)
    if cancelled is not None:
        raise JobCancelled(context.cancellation.reason)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return  # it is gone already


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        return  # what was still to be sent has nobody to read it
