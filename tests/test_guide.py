"""The guide tells what the code does: its examples run, and no setting and no command is left out."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from taskmanager import TaskManager, app, config
from taskmanager.cli import main

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
WANTED = {
    "alerts", "api", "command-line", "configuration", "enqueueing", "filters", "glossary", "injection", "jobs",
    "notifications", "recurring", "retries", "sql", "testing", "workers",
}  # fmt: skip
PRODUCTS = {"mysql": "MySQL, MariaDB", "mariadb": "MySQL, MariaDB", "postgresql": "PostgreSQL", "sqlite": "SQLite"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
#: Run until they are told to stop.
ENDLESS = {"up", "worker", "web"}


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """The fenced blocks of a language, with the number of their first line."""
    source = page.read_text(encoding="utf-8")
    return [(source.count("\n", 0, m.start()) + 2, m[2]) for m in FENCE.finditer(source) if m[1] == language]


def shop(page: Path) -> str:
    """What a page puts into the module of its jobs."""
    return "\n\n".join(code for _, code in blocks(page, "python") if code.startswith("# shop.py"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with an empty database and a module `shop`, and an environment that names both."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(app, "_latest", None)
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/guide.db", "DISCOVER": "shop", "THREADS": "4"}
    for name, value in settings.items():
        monkeypatch.setenv(f"TASKMANAGER_{name}", value)
    yield tmp_path
    sys.modules.pop("shop", None)


@pytest.fixture
def serving(place: Path, request: pytest.FixtureRequest) -> Iterator[TaskManager]:
    """What `taskmanager worker` has, for the module of one page."""
    (place / "shop.py").write_text(shop(request.param), encoding="utf-8")
    tm = TaskManager()
    tm.database.create_tables()
    assert tm.discover().errors == {}
    tm.register_recurring()
    if request.param.stem == "testing":  # its examples run jobs by themselves
        yield tm
    else:
        server = tm.server()
        server.start()
        yield tm
        server.stop(grace=1.0)
    owners = [v for v in vars(sys.modules["shop"]).values() if isinstance(v, TaskManager)]
    for owner in {id(v): v for v in [tm, *owners]}.values():
        owner.close()


def test_the_guide_is_complete() -> None:
    assert {page.stem for page in PAGES} == WANTED
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f"docs/guide/{page.name}" not in readme] == []


@pytest.mark.parametrize("serving", [pytest.param(p, id=p.stem) for p in PAGES if blocks(p, "python")], indirect=True)
def test_the_python_of_a_page_runs(serving: TaskManager, request: pytest.FixtureRequest) -> None:
    page: Path = request.node.callspec.params["serving"]
    namespace: dict[str, Any] = {"__name__": "guide"}
    for line, code in blocks(page, "python"):
        if not code.startswith("# shop.py"):
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), namespace)


@pytest.mark.parametrize("serving", [GUIDE / "command-line.md"], indirect=True)
def test_the_commands_of_the_command_line_page_run(serving: TaskManager) -> None:
    for _, code in blocks(GUIDE / "command-line.md", "sh"):
        for line in code.splitlines():
            arguments = [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', line)]
            assert arguments.pop(0) == "taskmanager", line
            if arguments[0] not in ENDLESS:
                result = CliRunner().invoke(main, arguments)
                assert result.exit_code == 0, f"{line}\n{result.output}"


def test_the_sql_of_the_guide_runs(tm: TaskManager, hands: Any, engine_name: str, place: Path) -> None:
    page = GUIDE / "sql.md"
    (place / "shop.py").write_text(shop(page), encoding="utf-8")
    import shop as module  # type: ignore[import-not-found]

    tm.definition(module.send_mail)
    tm.procedure("SP_GenerateSalesReport")(module.sales_report)
    label = f"-- {PRODUCTS[engine_name]}\n"
    script = [code.removeprefix(label) for _, code in blocks(page, "sql") if code.startswith(label)]
    assert len(script) >= 3
    quote = tm.database.product.quote
    with tm.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine_name != "sqlite":
            connection.execute(text(f"DROP PROCEDURE IF EXISTS {quote('SP_GenerateSalesReport')}"))
        for one in "".join(script).split(";\n"):
            if one.strip():
                connection.exec_driver_sql(one)
    deadline = time.monotonic() + 5.0
    while not tm.legacy_jobs.fire_due():  # TIMESTAMP(0) of PostgreSQL rounds up to a second ahead
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert hands().work() == 2
    with tm.database.engine.connect() as connection:
        row = connection.execute(tm.database.tables.legacy.job.select()).mappings().one()
        jobs = connection.execute(tm.database.tables.job.select().order_by(tm.database.tables.job.c.Id)).all()
    assert (row["LastResult"], row["FailureCount"]) == ("12 orders", 0)
    assert row["NextRun"] > row["LastRun"]
    assert [tm.get(job.Id).result for job in jobs] == ["2 to a@b.c", "12 orders"]
    module.tm.close()


def test_every_setting_is_told_with_its_environment_form_and_default() -> None:
    source = (GUIDE / "configuration.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (`TASKMANAGER_\w+` \| [^|]+) \| [^|]+ \|$", source, re.MULTILINE))
    expected = {}
    for name, _, _, _ in config.describe(config.Settings()):
        default = config.shown(config.Settings(), name)
        shown = "the host's name" if name == "server_name" else f"`{default}`" if default else "none"
        expected[name] = f"`TASKMANAGER_{name.upper()}` | {shown}"
    assert told == expected


@pytest.mark.parametrize("number", range(len(blocks(GUIDE / "configuration.md", "toml"))))
def test_the_toml_of_the_guide_is_read(number: int, tmp_path: Path) -> None:
    _, code = blocks(GUIDE / "configuration.md", "toml")[number]
    (tmp_path / "taskmanager.toml").write_text(code, encoding="utf-8")
    assert config.load(environ={}, directory=tmp_path).origins


def commands(group: click.Group, before: str = "") -> Iterator[str]:
    """The full names of all commands."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield before + name


def test_every_command_is_told() -> None:
    source = (GUIDE / "command-line.md").read_text(encoding="utf-8")
    assert [name for name in commands(main) if not re.search(rf"`{re.escape(name)}[ `]", source)] == []


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", [pytest.param(p, id=str(p.relative_to(ROOT))) for p in DOCUMENTS])
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Git hosts make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def test_pages_are_narrow() -> None:
    for page in PAGES:
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            assert len(line) <= 120 or line.startswith("|"), f"{page.name}:{number}"
