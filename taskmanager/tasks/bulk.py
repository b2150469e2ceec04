"""The job that carries a bulk operation on, part by part, until it has ended or somebody stops it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taskmanager.domain.retry import RetryPolicy
from taskmanager.engine.context import JobContext
from taskmanager.engine.operations import TRIES, Operations, result
from taskmanager.engine.registry import JobDefinition, define

_DELAYS = (5.0, 15.0, 60.0, 300.0, 900.0)
#: Others get their turn between two parts.
_REST_SECONDS = 0.005
#: Before a part that failed is tried again.
_AGAIN_SECONDS = (1.0, 5.0, 15.0)


def run_operation(operations: Operations, ctx: JobContext) -> dict[str, Any]:
    """Go through the jobs of the filter. A run that ends early is gone on with where it was."""
    operations.measure(ctx.job_id)
    while True:
        now = operations.step(ctx.job_id)
        ctx.progress(now.share)
        if now.ended:
            ctx.log.info("%d jobs changed, %d skipped, %d errors", now.changed, now.skipped, now.errors)
            return result(now)
        if now.failure:
            ctx.log.warning("a part failed (%d of %d tries): %s", now.tries or TRIES + 1, TRIES + 1, now.failure)
        ctx.sleep(_AGAIN_SECONDS[now.tries - 1] if now.tries else _REST_SECONDS)


def definition(is_injected: Callable[[Any], bool]) -> JobDefinition:
    """The job as the registry holds it."""
    policy = RetryPolicy(attempts=len(_DELAYS), delays=_DELAYS)
    return define(run_operation, is_injected=is_injected, retry=policy, display_name="Bulk operation")
