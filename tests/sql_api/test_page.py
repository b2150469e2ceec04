"""Every statement of the page for DBAs runs, as it is printed, and does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from taskmanager import TaskManager
from taskmanager.cli import main
from taskmanager.storage import sql_api
from tests.sql_api.conftest import Sql
from tests.sql_api.shots import empty
from tests.sql_api.test_install import PUBLIC

PAGE = Path(__file__).parents[2] / "docs" / "sql.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(label: str) -> list[str]:
    """The blocks of SQL for a product."""
    found = [code for language, code in FENCE.findall(PAGE.read_text("utf-8")) if language == "sql"]
    assert all(code.startswith(("-- MySQL, MariaDB\n", "-- PostgreSQL\n")) for code in found)
    return [code.removeprefix(f"-- {label}\n") for code in found if code.startswith(f"-- {label}\n")]


def statements(code: str) -> list[str]:
    """The statements of a block: they end with a semicolon at the end of a line, outside a body in $$."""
    parts, bodies = [""], 0
    for line in code.splitlines():
        parts[-1] += line + "\n"
        bodies += line.count("$$")
        if line.endswith(";") and bodies % 2 == 0:
            parts.append("")
    assert not parts.pop().strip()
    return [part.strip().rstrip(";") for part in parts]


def send_mail(to: str, copies: int = 1) -> str:
    return f"{copies} to {to}"


@pytest.fixture
def clerk(sql: Sql) -> Any:
    """What the page makes is taken away."""

    def sweep() -> None:
        if sql.is_postgresql:
            if sql.run("SELECT 1 FROM pg_roles WHERE rolname = 'clerk'"):
                sql.run("DROP OWNED BY clerk")
                sql.run("DROP ROLE clerk")
            sql.run("DROP TABLE IF EXISTS customer_order")
            sql.run("DROP FUNCTION IF EXISTS customer_order_mail")
        else:
            for what in ("USER IF EXISTS 'clerk'", "TABLE IF EXISTS customer_order", "EVENT IF EXISTS nightly_mail"):
                sql.run(f"DROP {what}")

    sweep()
    yield
    sweep()


def test_every_statement_of_the_page_runs(tm: TaskManager, sql: Sql, hands: Any, clerk: None) -> None:
    send_mail.__module__ = "shop"
    job = tm.job(send_mail)
    empty(tm)
    tm.recurring("nightly", job, cron="0 2 * * *", args=("night@b.c",))
    sql.run(
        'ALTER SEQUENCE "HangfireJob_Id_seq" RESTART WITH 4711'
        if sql.is_postgresql
        else "ALTER TABLE HangfireJob AUTO_INCREMENT = 4711"
    )
    doomed = tm.enqueue(job, "doomed@b.c")
    ran = 0
    for code in blocks("PostgreSQL" if sql.is_postgresql else "MySQL, MariaDB"):
        for statement in statements(code):
            sql.run(statement)
            ran += 1
    assert ran >= 24
    worker = hands()
    while worker.work():
        pass
    with tm.database.engine.connect() as connection:
        ids = [row.Id for row in connection.execute(tm.database.tables.job.select())]
    results = [tm.get(i).result for i in ids if tm.get(i).state == "Succeeded"]
    assert {"2 to a@b.c", "2 to o'brien@b.c", "1 to a@b.c", "2 to trigger@b.c", "1 to night@b.c"} <= set(results)
    assert [s.name for s in tm.get(doomed).history] == ["Enqueued", "Enqueued", "Deleted"]
    assert [s.reason for s in tm.get(doomed).history][1:] == ["the address was corrected", "ordered twice"]
    assert {tm.get(i).state for i in ids} == {"Succeeded", "Scheduled", "Deleted"}
    assert not tm.recurring_list()[0].paused


def test_the_commands_of_the_page_run(tm: TaskManager, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    url = tm.database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", url)
    (code,) = [code for language, code in FENCE.findall(PAGE.read_text("utf-8")) if language == "sh"]
    said = []
    for line in code.splitlines():
        result = CliRunner().invoke(main, line.partition(" > ")[0].split()[1:])
        assert result.exit_code == 0, result.output
        said.append(result.output)
    assert said[0] == "up to date: 0 changed\n"
    assert "tm_enqueue_v1" in said[1]
    assert re.fullmatch(r"dropped: \d\d\n", said[2])
    shown = CliRunner().invoke(main, ["db", "sql-api", "show", "--offline", "mariadb"])
    assert "DELIMITER //" in shown.output


def test_the_page_tells_every_verb_and_every_refusal() -> None:
    page = PAGE.read_text("utf-8")
    assert [name for name in sorted(PUBLIC) if f"`{name}(" not in page] == []
    bodies = "".join(r.create for r in sql_api.routines("postgresql", sql_api.Options()))
    refusals = [text.replace("''", "'")[:26] for text in re.findall(r"RAISE EXCEPTION '((?:''|[^'])+)'", bodies)]
    assert len(refusals) >= 10
    patterns = ["^\\| `" + ".{1,20}?".join(map(re.escape, text.split("%"))) for text in refusals]
    assert [pattern for pattern in patterns if re.search(pattern, page, re.MULTILINE) is None] == []
    assert all(len(line) <= 120 or line.startswith("|") for line in page.splitlines())
