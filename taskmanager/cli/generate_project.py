"""A first project: settings, a package of jobs, and a test of them."""

from __future__ import annotations

from pathlib import Path

import click

from taskmanager.cli.common import examples, fail


@click.command("project", epilog=examples("generate project", "generate project shop"))
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
def generate_project(directory: Path) -> None:
    """Write settings, two jobs and their test into DIRECTORY, here if none is named; say which files."""
    files = {directory / name: text for name, text in _FILES.items()}
    there = [path for path in files if path.exists()]
    if there:
        fail(f"{there[0]} exists already; nothing was written")
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            fail(f"{path} cannot be written: {error.strerror}")
        click.echo(f"wrote {path}")
    place = "" if directory == Path() else f"cd {directory} && "
    click.echo(f"run it: {place}taskmanager up")


_SETTINGS = """# Each setting: `taskmanager config show`. In production name a server: mysql://user:password@host/database
database_url = "sqlite:///taskmanager.db"
discover = ["jobs"]
"""

_RECURRING = '''from taskmanager import Job, JobContext, JobResult, job


@job("0 2 * * *", display_name="Daily Report", time_zone="UTC")
class DailyReport(Job):
    """Sums the day up."""

    async def execute(self, ctx: JobContext) -> JobResult:
        for day in ctx.track(range(3)):
            ctx.log.info("day %d", day)
        return JobResult.ok("3 days").with_metadata("days", 3)
'''

_PLAIN = '''from taskmanager import job


@job(display_name="Send Mail", retries=3)
def send_mail(to: str, subject: str = "hello") -> str:
    """Enqueue it from anywhere: `send_mail.enqueue("a@b.c")`."""
    return f"{subject} to {to}"
'''

_TEST = """from pathlib import Path

from taskmanager import TaskManager


def test_jobs_do_their_work(tmp_path: Path) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/test.db", discover="jobs")
    tm.database.create_tables()
    assert tm.discover().errors == {}
    report, mail = tm.enqueue("Daily Report"), tm.enqueue("Send Mail", "a@b.c")
    assert tm.testing.drain() == 2
    assert tm.get(report).result["metadata"] == {"days": 3}
    assert tm.get(mail).result == "hello to a@b.c"
    tm.close()
"""

_FILES = {
    "taskmanager.toml": _SETTINGS,
    "jobs/__init__.py": "",
    "jobs/daily_report.py": _RECURRING,
    "jobs/send_mail.py": _PLAIN,
    "tests/test_jobs.py": _TEST,
}
