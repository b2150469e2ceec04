"""Migrations on all four products: complete, repeatable, in turns, by a DBA, and checked with SELECT rights only."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, make_url, text

from taskmanager.domain.errors import InvalidArgument, SchemaError, StorageError
from taskmanager.storage import schema
from taskmanager.storage.database import Database
from taskmanager.storage.tables import Tables
from tests.conftest import drop_database, new_database, server_of
from tests.storage.schemas import describe, run_script, show_create, user_who_only_reads

pytestmark = pytest.mark.slow

PREFIX = "Hangfire"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database."""
    made = create_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def upgraded_once(engine_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database after an upgrade, made once for each product: on MySQL an upgrade takes seconds."""
    on_server = engine_name != "sqlite"
    url = new_database(server_of(engine_name)) if on_server else f"sqlite:///{tmp_path_factory.mktemp('upgraded')}/x.db"
    made = create_engine(url)
    schema.upgrade(made, PREFIX)
    made.dispose()
    yield url
    if on_server:
        drop_database(server_of(engine_name), url)


@pytest.fixture
def upgraded(upgraded_once: str) -> Iterator[Engine]:
    """That database, for tests that leave it as complete as they found it."""
    made = create_engine(upgraded_once)
    assert schema.current(made, PREFIX) == schema.head()
    schema.check(made, PREFIX)
    yield made
    made.dispose()


def product_of(engine: Engine) -> str:
    return "mariadb" if getattr(engine.dialect, "is_mariadb", False) else engine.dialect.name


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def quoted(engine: Engine, name: str) -> str:
    return engine.dialect.identifier_preparer.quote_identifier(name)


def test_an_empty_database_gets_all_tables_and_a_second_upgrade_does_nothing(engine: Engine) -> None:
    assert schema.is_empty(engine, PREFIX)
    assert schema.current(engine, PREFIX) is None
    seen: list[str] = []
    steps = schema.upgrade(engine, PREFIX, on_step=seen.append)
    assert steps == seen == [f"created table {t.name}" for t in _in_order(steps)]
    assert {t.name for t in Tables(PREFIX).metadata.sorted_tables} == {s.split()[-1] for s in steps}
    assert not schema.is_empty(engine, PREFIX)
    assert schema.current(engine, PREFIX) == schema.head()
    assert schema.missing(engine, PREFIX) == []
    assert schema.upgrade(engine, PREFIX) == []


def _in_order(steps: list[str]) -> list[Any]:
    tables = Tables(PREFIX).metadata.tables
    return [tables[step.split()[-1]] for step in steps]


def test_migrated_tables_equal_the_definitions(engine: Engine) -> None:
    schema.upgrade(engine, PREFIX)
    migrated = describe(engine, hide=[f"{PREFIX}SchemaVersion"])
    written = (
        {name: show_create(engine, name) for name in migrated} if product_of(engine) in ("mysql", "mariadb") else {}
    )
    tables = Tables(PREFIX)
    tables.metadata.drop_all(engine)
    tables.metadata.create_all(engine)
    assert describe(engine, hide=[f"{PREFIX}SchemaVersion"]) == migrated
    for name, words in written.items():
        assert _lines(show_create(engine, name)) == _lines(words)


def _lines(create: str) -> list[str]:
    """Character sets and collations too, which the inspector does not tell; MySQL lists keys as they were added."""
    return sorted(line.strip().rstrip(",") for line in create.splitlines() if "RunDate" not in line)


def test_the_newest_revision_is_known_without_loading_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.folder()))
    scripts = ScriptDirectory.from_config(config)
    assert [schema.head()] == scripts.get_heads()
    code = (
        "import sys; from sqlalchemy import create_engine; from taskmanager.storage import schema\n"
        "engine = create_engine('sqlite://'); schema.missing(engine, 'H'); schema.head()\n"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_table_column_and_index_that_is_missing_is_named(engine: Engine) -> None:
    schema.upgrade(engine, PREFIX)
    q = partial(quoted, engine)
    drop_index = "DROP INDEX {0} ON {1}" if product_of(engine) in ("mysql", "mariadb") else "DROP INDEX {0}"
    run(
        engine,
        f"DROP TABLE {q('HangfireJobLog')}",
        "DROP TABLE " + q("c_JobAlert"),
        f"ALTER TABLE {q('HangfireServer')} DROP COLUMN {q('LastHeartbeat')}",
        drop_index.format(q("IX_HangfireSet_Key_Score"), q("HangfireSet")),
    )
    assert schema.missing(engine, PREFIX) == [
        "table HangfireServer lacks column LastHeartbeat",
        "table HangfireSet lacks index IX_HangfireSet_Key_Score on (Key, Score)",
        "table HangfireJobLog is missing",
        "table c_JobAlert is missing",
    ]
    with pytest.raises(SchemaError) as refused:
        schema.check(engine, PREFIX)
    for part in (*schema.missing(engine, PREFIX), "taskmanager db upgrade", "taskmanager db upgrade --sql"):
        assert part in str(refused.value)


def test_a_column_that_is_too_narrow_is_named(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite's columns have no width")
    schema.upgrade(engine, PREFIX)
    q = partial(quoted, engine)
    narrow = "MODIFY {} {}" if product_of(engine) in ("mysql", "mariadb") else "ALTER COLUMN {} TYPE {}"
    run(
        engine,
        f"ALTER TABLE {q('HangfireState')} {narrow.format(q('JobId'), 'INTEGER')}",
        f"ALTER TABLE {q('HangfireSet')} {narrow.format(q('Score'), 'FLOAT(24)')}",
        f"ALTER TABLE {q('HangfireJobQueue')} {narrow.format(q('FetchToken'), 'VARCHAR(36)')}",
    )
    found = schema.missing(engine, PREFIX)
    assert "column HangfireState.JobId is INTEGER, BIGINT is needed" in found
    assert "column HangfireJobQueue.FetchToken is VARCHAR(36), VARCHAR(64) is needed" in found
    assert any(f.startswith("column HangfireSet.Score is ") and f.endswith(", DOUBLE is needed") for f in found)


def test_an_upgrade_restores_a_table_that_was_dropped_after_it(upgraded: Engine) -> None:
    run(upgraded, f"DROP TABLE {quoted(upgraded, 'HangfireJobLog')}")
    assert schema.upgrade(upgraded, PREFIX) == ["created table HangfireJobLog"]
    schema.check(upgraded, PREFIX)


def test_what_no_revision_can_restore_is_named_after_the_upgrade(engine: Engine) -> None:
    schema.upgrade(engine, PREFIX)
    on_mysql = product_of(engine) in ("mysql", "mariadb")
    run(engine, f"ALTER TABLE {quoted(engine, 'HangfireServer')} DROP COLUMN {quoted(engine, 'LastHeartbeat')}")
    if on_mysql:
        assert schema.upgrade(engine, PREFIX) == ["altered table HangfireServer: column LastHeartbeat added"]
        schema.check(engine, PREFIX)
    else:
        with pytest.raises(SchemaError, match=r"HangfireServer lacks column LastHeartbeat.*sql/schema"):
            schema.upgrade(engine, PREFIX)


def test_a_database_that_cannot_be_reached_is_told_by_an_error_of_ours(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/no/such/folder.db")
    for verb in (schema.check, schema.upgrade, schema.is_empty):
        with pytest.raises(StorageError, match="unable to open database file"):
            verb(engine, PREFIX)


def test_two_installations_share_a_database_under_two_prefixes(engine: Engine) -> None:
    schema.upgrade(engine, "A_")
    assert schema.is_empty(engine, "B_")
    assert not any("c_" in step for step in schema.upgrade(engine, "B_"))
    assert schema.current(engine, "A_") == schema.current(engine, "B_") == schema.head()


def test_a_prefix_that_cannot_begin_a_name_is_refused() -> None:
    for prefix in ("a b", 'x"', "p" * 25, "%", "`"):
        with pytest.raises(InvalidArgument, match="prefix"):
            schema.offline_sql("mysql", prefix)


def _upgrade_at_once(url: str, start: Barrier, results: Any) -> None:
    engine = create_engine(url)
    start.wait(30)
    results.put(schema.upgrade(engine, PREFIX))
    engine.dispose()


def test_two_processes_that_upgrade_at_the_same_moment_share_the_work(engine: Engine, database_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    start, results = spawn.Barrier(3), spawn.Queue()
    processes = [spawn.Process(target=_upgrade_at_once, args=(database_url, start, results)) for _ in range(2)]
    for process in processes:
        process.start()
    start.wait(60)
    steps = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(30)
    assert [p.exitcode for p in processes] == [0, 0]
    tables = len(Tables(PREFIX).metadata.sorted_tables)
    assert sorted(map(len, steps)) == [0, tables]
    schema.check(engine, PREFIX)


class Crash(Exception):
    """The process dies here."""


def crash(step: str) -> None:
    raise Crash(step)


def test_an_upgrade_that_was_cut_off_after_any_step_goes_on(engine: Engine) -> None:
    transactional = engine.dialect.name in ("sqlite", "postgresql")
    crashes = 0
    while crashes < 50:
        try:
            schema.upgrade(engine, PREFIX, on_step=crash)
            break
        except Crash:
            crashes += 1
            if transactional:
                assert inspect(engine).get_table_names() == []  # all or nothing
                schema.upgrade(engine, PREFIX)
    assert crashes == (1 if transactional else len(Tables(PREFIX).metadata.sorted_tables))
    schema.check(engine, PREFIX)
    assert schema.current(engine, PREFIX) == schema.head()


def test_the_sql_for_a_dba_makes_the_same_tables_as_an_upgrade(engine: Engine) -> None:
    run_script(engine, schema.offline_sql(product_of(engine), PREFIX))
    by_hand = describe(engine)
    assert schema.upgrade(engine, PREFIX) == []
    Tables(PREFIX).metadata.drop_all(engine)
    run(engine, f"DROP TABLE {quoted(engine, 'HangfireSchemaVersion')}")
    schema.upgrade(engine, PREFIX)
    assert describe(engine) == by_hand


def test_the_pending_sql_is_what_this_very_database_lacks(upgraded: Engine) -> None:
    assert schema.pending_sql(upgraded, PREFIX) == ""
    q = partial(quoted, upgraded)
    run(upgraded, f"DROP TABLE {q('HangfireJobLog')}", f"DROP TABLE {q('HangfireSchemaVersion')}")
    pending = schema.pending_sql(upgraded, PREFIX)
    assert pending.count("CREATE TABLE") == 2
    run_script(upgraded, pending)
    assert schema.upgrade(upgraded, PREFIX) == []


def test_a_database_of_a_newer_version_serves_as_long_as_nothing_is_missing(upgraded: Engine) -> None:
    set_version = f"UPDATE {quoted(upgraded, 'HangfireSchemaVersion')} SET version_num = '{{}}'"
    run(upgraded, set_version.format("9999"))
    schema.check(upgraded, PREFIX)
    assert schema.upgrade(upgraded, PREFIX) == []
    run(upgraded, f"DROP TABLE {quoted(upgraded, 'HangfireJobLog')}")
    with pytest.raises(SchemaError, match=r"newer version .*\(revision 9999\).*HangfireJobLog is missing"):
        schema.upgrade(upgraded, PREFIX)
    run(upgraded, set_version.format(schema.head()))
    assert schema.upgrade(upgraded, PREFIX) == ["created table HangfireJobLog"]


def test_starting_needs_select_rights_only(upgraded: Engine, upgraded_once: str) -> None:
    with user_who_only_reads(upgraded_once) as url:
        if url is None:
            pytest.skip("the user of this server may not grant rights")
        reader = Database(url).engine if upgraded.dialect.name != "sqlite" else create_engine(url)
        schema.check(reader, PREFIX)
        assert schema.upgrade(reader, PREFIX) == []
        assert schema.pending_sql(reader, PREFIX) == ""
        reader.dispose()


def test_a_user_who_may_not_alter_tables_is_told_all_that_is_missing(upgraded: Engine, upgraded_once: str) -> None:
    run(upgraded, f"DROP TABLE {quoted(upgraded, 'HangfireJobLog')}")
    try:
        _is_told_what_is_missing(upgraded_once)
    finally:
        schema.upgrade(upgraded, PREFIX)


def _is_told_what_is_missing(database_url: str) -> None:
    with user_who_only_reads(database_url) as url:
        if url is None:
            pytest.skip("the user of this server may not grant rights")
        reader = create_engine(url)
        with pytest.raises(SchemaError, match=r"table HangfireJobLog is missing[\s\S]*db upgrade --sql"):
            schema.check(reader, PREFIX)
        with pytest.raises(SchemaError, match=r"may not|readonly"):
            schema.upgrade(reader, PREFIX)
        assert "HangfireJobLog" in schema.pending_sql(reader, PREFIX)
        reader.dispose()


def test_select_star_of_the_history_keeps_its_columns_while_run_date_can_be_asked_for(upgraded: Engine) -> None:
    logged = Tables(PREFIX).legacy.logged
    names = ("ID", "JobName", "JobType", "StartedAt", "Success")
    columns = ", ".join(quoted(upgraded, n) for n in names)
    run(
        upgraded,
        f"INSERT INTO {quoted(upgraded, 'c_LoggedJob')} ({columns}) VALUES (1, 'n', 't', '2026-07-20 03:00:00', 0)",
    )
    with upgraded.connect() as connection:
        row = connection.execute(text(f"SELECT * FROM {quoted(upgraded, 'c_LoggedJob')}")).one()
        assert list(row._fields) == [c.name for c in logged.columns]
        assert len(row) == 16
        if product_of(upgraded) in ("mysql", "mariadb"):
            old = "SELECT RunDate, StartedAt FROM c_LoggedJob WHERE Success = 0 ORDER BY RunDate DESC"
            run_date, started = connection.execute(text(old)).one()
            assert run_date == started
            values = ", ".join(["NULL", "'m'"] + ["NULL"] * 1 + ["'t'", "NOW()"] + ["NULL"] * 2 + ["1"] + ["NULL"] * 7)
            connection.execute(text(f"INSERT INTO c_LoggedJob VALUES ({values}, NOW())"))
    run(upgraded, f"DELETE FROM {quoted(upgraded, 'c_LoggedJob')}")


def test_every_table_has_a_primary_key_as_clusters_require(upgraded: Engine) -> None:
    inspector = inspect(upgraded)
    keyless = [t for t in inspector.get_table_names() if not inspector.get_pk_constraint(t)["constrained_columns"]]
    assert keyless == []


def test_every_product_can_be_written_without_its_driver_or_a_server() -> None:
    for product in schema.PRODUCTS:
        sql = schema.offline_sql(product, "P_")
        assert sql.count("CREATE TABLE") == len(Tables("P_").metadata.sorted_tables) + 1
        assert f"'{schema.head()}'" in sql
    assert schema.offline_sql("mysql", "P_", schema.head()).strip() == ""
    with pytest.raises(InvalidArgument, match="oracle"):
        schema.offline_sql("oracle", "P_")


def test_the_revisions_are_found_in_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "taskmanager"
    (installed / "_migrations").mkdir(parents=True)
    (installed / "_migrations" / "env.py").touch()
    monkeypatch.setattr(schema, "__file__", str(installed / "storage" / "schema.py"))
    assert schema.folder() == installed / "_migrations"
    monkeypatch.setattr(schema, "__file__", str(tmp_path / "elsewhere" / "storage" / "schema.py"))
    with pytest.raises(SchemaError, match="migrations"):
        schema.folder()


def test_a_hand_made_history_table_of_any_shape_is_left_as_it_is(engine: Engine) -> None:
    run(engine, f"CREATE TABLE {quoted(engine, 'c_LoggedJob')} ({quoted(engine, 'Whatever')} INTEGER)")
    before = describe(engine)["c_LoggedJob"]
    steps = schema.upgrade(engine, PREFIX)
    assert "created table c_LoggedJob" not in steps
    assert describe(engine)["c_LoggedJob"] == before
    schema.check(engine, PREFIX)


def test_a_database_file_in_a_folder_of_an_odd_name_is_upgraded(tmp_path: Path) -> None:
    place = tmp_path / "50% off"
    place.mkdir()
    engine = create_engine(make_url("sqlite://").set(database=str(place / "x.db")))
    assert schema.upgrade(engine, "")
    engine.dispose()
