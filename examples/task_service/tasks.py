"""The tasks. A client names one as `taskType` and gives its arguments as `payload`."""

from __future__ import annotations

from taskmanager import JobContext, JobResult, job


@job(display_name="SendEmail", retries=3)
def send_email(ctx: JobContext, to: str, subject: str, body: str = "") -> str:
    """Sends one mail; here it only says so."""
    ctx.log.info("mail to %s: %s (%d characters)", to, subject, len(body))
    return f"sent {subject!r} to {to}"


@job(display_name="GenerateReport")
def generate_report(ctx: JobContext, name: str, pages: int = 3) -> JobResult:
    """Makes a report, a page at a time."""
    for page in ctx.track(range(1, pages + 1)):
        ctx.log.info("page %d of %s", page, name)
    return JobResult.ok(f"{name} has {pages} pages").with_metadata("pages", pages)


@job(display_name="CleanUp")
def clean_up(older_than_days: int = 30) -> str:
    """Removes what is old."""
    return f"nothing is older than {older_than_days} days"
