"""The other end of an isolated job: reads one call from stdin, runs it, writes the answer to stdout."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import traceback
from typing import Any

from taskmanager.domain.codec import encode_result
from taskmanager.domain.records import Claim
from taskmanager.domain.times import utcnow
from taskmanager.engine.context import JobContext


def main() -> None:
    """Serve one call. What the job prints goes to stderr, so that it cannot disturb the answer."""
    answer_fd = os.dup(1)
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.read())
    for entry in reversed(request["path"]):
        if entry not in sys.path:
            sys.path.insert(0, entry)
    try:
        answer = {"result": _value(_run(request))}
    except BaseException as error:
        answer = {"error": str(error) or type(error).__name__, "type": type(error).__name__}
        answer["details"] = "".join(traceback.format_exception(error))
    os.write(answer_fd, b"\x1e" + json.dumps(answer).encode())


def _run(request: dict[str, Any]) -> Any:
    found: Any = importlib.import_module(request["type"])
    for part in request["method"].split("."):
        found = getattr(found, part)
    definition = found.definition
    claim = Claim(0, request["job_id"], request["queue"], "", parameters=request["parameters"])
    context = JobContext(claim, utcnow, name=definition.name)
    injected = {p.name: context for p in definition.signature.parameters if p.injected}
    args, kwargs = definition.signature.decode(request["arguments"], injected)
    body = definition.target().execute if definition.is_class else definition.target
    result = body(*args, **kwargs)
    return asyncio.run(result) if definition.is_async else result


def _value(result: Any) -> Any:
    text = encode_result(result, max_bytes=1 << 20)
    return None if text is None else json.loads(text)


if __name__ == "__main__":
    main()
