"""Recurring jobs: each says its id, its cron and what it does. A class is all there is to write."""

from __future__ import annotations

from examples.netrock.refresh_tokens import Clock, RefreshTokens
from taskmanager import Job, JobContext, JobResult, cron, current, job, provide


@provide
def clock() -> Clock:
    """The system's; tests provide another."""
    return Clock()


@provide
def tokens(clock: Clock) -> RefreshTokens:
    """For each run, on the database of the jobs."""
    return RefreshTokens(current().database.engine, clock)


@job(cron.hourly(), display_name="expired-refresh-token-cleanup", retries=0)
class ExpiredRefreshTokenCleanupJob(Job):
    """Deletes refresh tokens whose time is over."""

    def __init__(self, tokens: RefreshTokens) -> None:
        self.tokens = tokens

    def execute(self, ctx: JobContext) -> JobResult:
        """Once an hour."""
        deleted = self.tokens.delete_expired()
        ctx.log.info("deleted %d expired refresh tokens", deleted)
        return JobResult.ok(f"{deleted} expired refresh tokens deleted").with_metadata("deleted", deleted)


@job(display_name="welcome")
def welcome(ctx: JobContext, user: str) -> str:
    """A one-time job: `welcome.enqueue("ann")` is all it takes, no class and no registration."""
    ctx.log.info("welcome, %s", user)
    return f"welcomed {user}"
