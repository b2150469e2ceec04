"""Commands that write source files."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

import click

from taskmanager.cli.common import Group, examples, fail
from taskmanager.cli.generate_project import generate_project
from taskmanager.domain import cron as crons


@click.group(cls=Group)
def generate() -> None:
    """Write source files: a first project, a job."""


generate.add_command(generate_project)


@generate.command(
    "job",
    epilog=examples(
        'generate job DailySalesReport --cron "0 2 * * *"',
        "generate job RebuildIndex --manual --description 'Builds the search index anew.'",
        "generate job SendMail --fire-and-forget --directory shop/jobs",
    ),
)
@click.argument("name")
@click.option("--cron", help="Recurring, at these times.")
@click.option("--manual", is_flag=True, help="Only ever triggered by people.")
@click.option("--fire-and-forget", is_flag=True, help="Enqueued by code (the default).")
@click.option("--display-name", help="The name for people; NAME in words.")
@click.option("--description", help="What it does, for the dashboard.")
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), default=Path("jobs"), show_default=True)
def generate_job(
    name: str, cron: str | None, manual: bool, fire_and_forget: bool, display_name: str | None,
    description: str | None, directory: Path,
) -> None:  # fmt: skip
    """Write one file with a job class, say which, and how the job is run."""
    if (cron is not None) + manual + fire_and_forget > 1:
        raise click.UsageError("give one of --cron, --manual and --fire-and-forget")
    if cron is not None:
        crons.parse(cron)
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]*\d*", name)
    words = [w for w in words if w]
    class_name = "".join(w[0].upper() + w[1:] for w in words)
    module = "_".join(w.lower() for w in words)
    if not class_name.isidentifier() or keyword.iskeyword(class_name) or keyword.iskeyword(module):
        fail(f"{name!r} makes no name of a Python class: begin it with a letter, and take no word of the language")
    path = directory / f"{module}.py"
    if path.exists():
        fail(f"{path} exists already")
    title = display_name or " ".join(w[0].upper() + w[1:] for w in words)
    options = [repr_of(cron)] if cron is not None else ['job_type="Manual"'] if manual else []
    source = _TEMPLATE.format(
        options=", ".join([*options, f"display_name={repr_of(title)}"]),
        name=class_name,
        description=repr_of(description or "Say here what the job does; people read it in the dashboard.", '"""'),
    )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")
    click.echo(f"wrote {path}")
    package = ".".join(p for p in directory.parts if p not in (".", "/", "\\"))
    if not directory.is_absolute() and ".." not in directory.parts:
        click.echo(f"run it: taskmanager --discover {package} job run {class_name}")


def repr_of(text: str, quotes: str = '"') -> str:
    """A text as a literal in double quotes."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f"{quotes}{inner if len(quotes) == 3 else inner.replace(chr(10), chr(92) + 'n')}{quotes}"


_TEMPLATE = """from taskmanager import Job, JobContext, JobResult, job


@job({options})
class {name}(Job):
    {description}

    async def execute(self, ctx: JobContext) -> JobResult:
        ctx.log.info("working")
        return JobResult.ok()
"""
