"""Installing: once, again, for another prefix, by a DBA's script, by a command; and dropping."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.cli import main
from taskmanager.domain.errors import InvalidArgument, SchemaError
from taskmanager.storage import sql_api
from taskmanager.storage.database import Database
from taskmanager.storage.sql_api import Options
from tests.storage.schemas import user_who_only_reads

ROOT = Path(__file__).parents[2]
PUBLIC = {
    "tm_enqueue_v1", "tm_schedule_v1", "tm_requeue_v1", "tm_delete_v1", "tm_trigger_recurring_v1",
    "tm_pause_recurring_v1", "tm_resume_recurring_v1",
}  # fmt: skip


@pytest.fixture
def fresh(database_url: str) -> Any:
    """A database of its own, with tables."""
    database = Database(database_url)
    database.create_tables()
    yield database
    database.dispose()


def names(database: Database) -> set[str]:
    """The installed procedures."""
    with database.engine.connect() as connection:
        return set(sql_api._present(connection))


def test_installing_again_changes_nothing_and_dropping_leaves_nothing(fresh: Database) -> None:
    told: list[str] = []
    steps = sql_api.install(fresh.engine, Options(), on_step=told.append)
    assert told == steps
    assert {s.removeprefix("created ") for s in steps} == names(fresh) > PUBLIC
    assert sql_api.install(fresh.engine, Options()) == []
    changed = sql_api.install(fresh.engine, Options(job_expiration_seconds=60))
    assert changed == ["replaced tm_v1_move"]
    assert set(sql_api.drop(fresh.engine, "Hangfire")) > PUBLIC
    assert names(fresh) == set()
    assert sql_api.drop(fresh.engine, "Hangfire") == []


def test_another_prefix_is_served_but_not_two_in_one_place(fresh: Database) -> None:
    other = Database(fresh.url, prefix="shop_")
    other.create_tables()
    sql_api.install(other.engine, Options(prefix="shop_", job_expiration_seconds=60))
    with other.engine.begin() as connection:
        if other.product.name == "postgresql":
            connection.execute(text("SELECT tm_delete_v1(tm_enqueue_v1('shop.f'))"))
        else:
            connection.execute(text("CALL tm_enqueue_v1('shop.f', NULL, NULL, @id)"))
            connection.execute(text("CALL tm_delete_v1(@id, NULL)"))
    with other.engine.connect() as connection:
        (row,) = connection.execute(other.tables.job.select()).all()
    assert row.StateName == "Deleted"
    assert 55 < (row.ExpireAt - row.CreatedAt).total_seconds() <= 61
    with pytest.raises(SchemaError, match="taken by the SQL API of the prefix 'shop_'"):
        sql_api.install(fresh.engine, Options())
    assert sql_api.drop(fresh.engine, "Hangfire") == []
    other.dispose()


def test_a_procedure_of_that_name_which_is_not_ours_stays(fresh: Database) -> None:
    making = (
        "CREATE FUNCTION tm_enqueue_v1() RETURNS int LANGUAGE sql AS 'SELECT 1'"
        if fresh.product.name == "postgresql"
        else "CREATE PROCEDURE tm_enqueue_v1() SELECT 1"
    )
    with fresh.engine.begin() as connection:
        connection.execute(text(making))
    with pytest.raises(SchemaError, match="tm_enqueue_v1 is taken by something that is not ours"):
        sql_api.install(fresh.engine, Options())
    sql_api.drop(fresh.engine, "Hangfire")
    assert "tm_enqueue_v1" in names(fresh)


def test_without_tables_or_rights_it_says_what_is_lacking(database_url: str, fresh: Database) -> None:
    with pytest.raises(SchemaError, match="taskmanager db upgrade"):
        sql_api.install(fresh.engine, Options(prefix="absent"))
    with user_who_only_reads(database_url) as url:
        if url is not None:
            weak = Database(url)
            with pytest.raises(Exception, match=r"sql-api show|denied"):
                sql_api.install(weak.engine, Options())
            weak.dispose()


def test_the_script_for_a_dba_makes_the_same(fresh: Database) -> None:
    product = fresh.engine.dialect.name
    script = sql_api.script(product, Options(), sql_api.place_of(fresh.engine))
    for _ in range(2):
        connection = fresh.engine.raw_connection()
        cursor: Any = connection.cursor()
        if product == "postgresql":
            cursor.execute(script)
        else:
            head, body = script.split("DELIMITER //\n")
            body, tail = body.split("DELIMITER ;\n")
            for statement in [*head.split(";\n"), *body.split("//\n"), *tail.split(";\n")]:
                if re.sub(r"^--.*$", "", statement, flags=re.MULTILINE).strip():
                    cursor.execute(statement.strip())
        connection.commit()
        connection.close()
    assert names(fresh) > PUBLIC
    assert sql_api.install(fresh.engine, Options()) == []


@pytest.fixture
def command(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Commands on this database; what they print."""
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", tm.database.engine.url.render_as_string(hide_password=False))
    return lambda *arguments: CliRunner().invoke(main, list(arguments)).output


def make_old(sql: Any, name: str) -> None:
    """As an earlier version left it."""
    if sql.is_postgresql:
        sql.run(f"COMMENT ON FUNCTION {name} IS 'taskmanager SQL API, prefix Hangfire, 000000000000'")
    else:
        sql.run(f"ALTER PROCEDURE {name} COMMENT 'taskmanager SQL API, prefix Hangfire, 000000000000'")


def test_procedures_that_an_update_left_behind_are_told_and_replaced_by_an_upgrade(
    tm: TaskManager, connect: Any, command: Any
) -> None:
    said = "procedures of the SQL API are not as this version and its settings have them: tm_v1_move"
    assert "procedures" not in command("doctor") + command("db", "current") + command("db", "upgrade", "--sql")
    make_old(connect(), "tm_v1_move")
    assert f"warn  procedures: {said}\n      cure: run `taskmanager db sql-api install`\n" in command("doctor")
    assert command("db", "current").splitlines()[1:] == [f"{said}: run `taskmanager db sql-api install`"]
    assert command("db", "upgrade", "--sql").splitlines()[-1] == f"-- {said}: `taskmanager db sql-api show`"
    assert "replaced tm_v1_move\n" in command("db", "upgrade")
    assert sql_api.behind(tm.database.engine, Options()) == []


def test_an_upgrade_loses_no_grant_on_a_procedure(tm: TaskManager, connect: Any, command: Any) -> None:
    sql = connect()
    database = tm.database.engine.url.database
    user = f"g_{str(database)[-8:]}"
    kind, who, what = ("ROLE", user, "FUNCTION") if sql.is_postgresql else ("USER", f"'{user}'@'%'", "PROCEDURE")
    password = "LOGIN PASSWORD" if sql.is_postgresql else "IDENTIFIED BY"
    sql.run(f"DROP {kind} IF EXISTS {who}")
    sql.run(f"CREATE {kind} {who} {password} 'calls'")
    try:
        sql.run(f"GRANT EXECUTE ON {what} tm_enqueue_v1 TO {who}")
        make_old(sql, "tm_enqueue_v1")
        said = command("db", "upgrade")
        if tm.database.product.name == "mysql":
            assert "and then `GRANT EXECUTE` anew on tm_enqueue_v1, which MySQL forgets\n" in said
            assert sql_api.behind(tm.database.engine, Options()) == ["tm_enqueue_v1"], "it was left as it is"
        else:
            assert "replaced tm_enqueue_v1\n" in said
        clerk = connect(user, "calls")
        assert tm.get(clerk.enqueue("shop:send_mail")).state == "Enqueued"
        url = tm.database.engine.url.set(username=user, password="calls")
        own = Database(url.render_as_string(hide_password=False))
        seen = sql_api.behind(own.engine, Options())
        own.dispose()
        assert seen == sql_api.behind(tm.database.engine, Options()), "what one cannot see is not missing"
    finally:
        if sql.is_postgresql:
            sql.run(f"DROP OWNED BY {who}")
        sql.run(f"DROP {kind} IF EXISTS {who}")


def test_sqlite_has_no_procedures(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/none.db")
    database.create_tables()
    with pytest.raises(InvalidArgument, match="sqlite has no procedures: the SQL API is for MySQL, MariaDB"):
        sql_api.install(database.engine, Options())
    assert sql_api.behind(database.engine, Options()) == []
    database.dispose()


def test_both_products_have_the_same_verbs_and_a_wheel_has_them_too() -> None:
    for product in sql_api.PRODUCTS:
        made = {r.name for r in sql_api.routines(product, Options())}
        assert {n for n in made if not n.startswith("tm_v1_")} == PUBLIC
        assert not re.search(r"\{[a-z_]+\}", sql_api.script(product, Options()))
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"]["sql/api"] == "taskmanager/_sql_api"


def test_no_prefix_leaves_the_names_it_stands_in() -> None:
    with pytest.raises(InvalidArgument, match="prefix"):
        sql_api.routines("mysql", Options(prefix="a`; DROP TABLE x; --"))


def test_a_row_of_each_call_is_kept_as_long_as_the_setting_says(tm: TaskManager) -> None:
    assert Options().job_expiration_seconds == tm.settings.job_expiration_seconds
    assert Options().max_payload_bytes == tm.settings.max_payload_bytes
