"""One job of each kind, to watch."""

from __future__ import annotations

import time

from taskmanager import Job, JobContext, JobResult, cron, job


@job(display_name="Say hello")
def hello(name: str = "world") -> str:
    """Returns a greeting."""
    return f"Hello, {name}!"


@job(display_name="Count slowly", queue="default")
def count(ctx: JobContext, to: int = 20) -> int:
    """Counts with a progress bar and a log."""
    for number in ctx.track(range(to)):
        ctx.log.info("counted %d", number + 1)
        ctx.sleep(0.25)
    return to


@job(display_name="Fail twice, then work", retries=3, delays=[2, 4])
def flaky(ctx: JobContext) -> str:
    """Shows retries: the first two attempts raise."""
    if ctx.attempt < 3:
        raise RuntimeError(f"attempt {ctx.attempt} fails on purpose")
    return f"attempt {ctx.attempt} worked"


@job(display_name="Fail for good", retries=1, delays=[1])
def doomed() -> None:
    """Ends in Failed, with a stack trace and a requeue button."""
    raise ValueError("this job always fails, so that there is something to look at")


@job(cron.minutely(), display_name="Every minute")
def every_minute() -> str:
    """A recurring job."""
    return time.strftime("%H:%M:%S")


@job(display_name="Daily Sales Report")
class DailySalesReport(Job):
    """A job class that returns a JobResult."""

    async def execute(self, ctx: JobContext) -> JobResult:
        """Pretends to process orders."""
        ctx.log.info("processing orders")
        return JobResult.ok("Processed 12 orders").with_metadata("orders", 12)
