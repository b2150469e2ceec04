"""The files of sql/schema/ are what the definitions say, and a database made from them is complete."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from taskmanager.storage import ddl, schema
from tests.storage.schemas import run_script

PLACE = schema.folder().parent / "sql" / "schema"


def test_the_schema_files_are_as_generated() -> None:
    for name, content in ddl.schema_files().items():
        written = (PLACE / name).read_text("utf-8")
        assert written == content, f"{name} is old: run `python -m taskmanager.storage.schema --write`"
    assert {p.name for p in PLACE.iterdir()} == set(ddl.schema_files())


def test_a_database_made_from_its_schema_file_is_complete(engine_name: str, database_url: str) -> None:
    engine = create_engine(database_url)
    name = "mysql" if engine_name == "mariadb" else engine_name
    run_script(engine, (PLACE / f"{name}.sql").read_text("utf-8"))
    assert schema.missing(engine, "Hangfire") == []
    schema.check(engine, "Hangfire")
    assert schema.upgrade(engine, "Hangfire") == []
    assert schema.current(engine, "Hangfire") == schema.head()
    engine.dispose()


def test_the_generator_writes_schema_files_and_a_new_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(schema.folder(), checkout / "migrations")
    (checkout / "sql" / "schema").mkdir(parents=True)
    monkeypatch.setattr(schema, "folder", lambda: checkout / "migrations")
    schema.main(["--write", "--new", "add a column"])
    written = {p.name: p.read_text("utf-8") for p in (checkout / "sql" / "schema").iterdir()}
    assert written == ddl.schema_files()
    new = f"{int(schema.head()) + 1:04d}"
    made = (checkout / "migrations" / "versions" / f"{new}_add_a_column.py").read_text("utf-8")
    assert f"revision = {new!r}" in made
    assert f"down_revision = {schema.head()!r}" in made
    compile(made, "revision", "exec")
