"""Help for tests of migrations: what a database looks like, and databases as others have made them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

FOLDER = Path(__file__).parent


def statements(sql: str) -> list[str]:
    """The statements of a script."""
    lines = [line for line in sql.splitlines() if not line.lstrip().startswith("--")]
    return [s.strip() for s in "\n".join(lines).split(";\n") if s.strip().strip(";")]


def run_script(engine: Engine, sql: str) -> None:
    """Run a script as a DBA's client does: one connection, each statement for itself, the text as it is."""
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        for statement in statements(sql + "\n"):
            cursor.execute(statement.rstrip(";"))
        connection.connection.commit()


def hangfire(engine: Engine, prefix: str, *, options: str = "", unlike: str = "") -> None:
    """Make a database of Hangfire.MySqlStorage 2.x. options: added to each CREATE TABLE but that of `unlike`."""
    script = (FOLDER / "hangfire_mysqlstorage_2.sql").read_text("utf-8").replace("{p}", prefix)
    for create in statements(script):
        special = options if f"TABLE `{prefix}{unlike}` " not in create else ""
        run_script(engine, create.replace("ENGINE=InnoDB", f"ENGINE=InnoDB {special}"))
    run_script(engine, (FOLDER / "hangfire_mysqlstorage_2_rows.sql").read_text("utf-8").replace("{p}", prefix))


def describe(engine: Engine, *, hide: Sequence[str] = ()) -> dict[str, Any]:
    """All tables as the inspector sees them, comparable; `hide` are tables left out."""
    inspector = inspect(engine)
    return {name: _describe_table(inspector, name) for name in sorted(inspector.get_table_names()) if name not in hide}


def _describe_table(inspector: Any, name: str) -> dict[str, Any]:
    keys = {(i["name"], tuple(i["column_names"]), bool(i["unique"])) for i in inspector.get_indexes(name)}
    keys |= {(u["name"], tuple(u["column_names"]), True) for u in inspector.get_unique_constraints(name)}
    return {
        "columns": [
            (c["name"], repr(c["type"]), c["nullable"], c.get("default"), c.get("autoincrement"))
            for c in inspector.get_columns(name)
            if c["name"] != "RunDate"
        ],
        "primary": inspector.get_pk_constraint(name)["constrained_columns"],
        "keys": sorted(keys),
        "foreign": sorted(
            (f["name"], f["constrained_columns"], f["referred_table"], sorted(f["options"].items()))
            for f in inspector.get_foreign_keys(name)
        ),
        "options": {k: v for k, v in inspector.get_table_options(name).items() if "auto_increment" not in k},
    }


def show_create(engine: Engine, name: str) -> str:
    """MySQL's own words for a table."""
    with engine.connect() as connection:
        return str(connection.exec_driver_sql(f"SHOW CREATE TABLE `{name}`").one()[1])


def rows_of(engine: Engine, name: str, columns: Sequence[str] = ("*",)) -> list[tuple[Any, ...]]:
    """All rows of a table of MySQL, in the order of their columns."""
    names = "*" if tuple(columns) == ("*",) else ", ".join(f"`{c}`" for c in columns)
    with engine.connect() as connection:
        return sorted((tuple(r) for r in connection.exec_driver_sql(f"SELECT {names} FROM `{name}`")), key=repr)


@contextmanager
def user_who_only_reads(url: str) -> Iterator[str | None]:
    """The URL of a user of the same database without rights to create or alter; None where none can be made."""
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        yield f"sqlite:///file:{target.database}?mode=ro&uri=true"
        return
    name = f"ro_{str(target.database)[-12:]}"
    server = create_engine(target, isolation_level="AUTOCOMMIT")
    postgres = target.get_backend_name() == "postgresql"
    makes = _postgres_reader(name) if postgres else _mysql_reader(name, str(target.database))
    ends = (
        (f"DROP OWNED BY {name}", f"DROP ROLE IF EXISTS {name}") if postgres else (f"DROP USER IF EXISTS '{name}'@'%'",)
    )
    try:
        with server.connect() as connection:
            made = _try_all(connection, makes)
        yield target.set(username=name, password="reads").render_as_string(hide_password=False) if made else None
    finally:
        with server.connect() as connection:
            for statement in ends:
                connection.execute(text(statement))
        server.dispose()


def _try_all(connection: Any, sql: Sequence[str]) -> bool:
    try:
        for statement in sql:
            connection.execute(text(statement))
    except (DBAPIError, ProgrammingError) as error:
        if error.orig is not None and error.orig.args[0] in (1044, 1045, 1227):
            return False
        raise
    return True


def _mysql_reader(name: str, database: str) -> tuple[str, ...]:
    return (
        f"CREATE USER '{name}'@'%' IDENTIFIED BY 'reads'",
        f"GRANT SELECT ON `{database}`.* TO '{name}'@'%'",
    )


def _postgres_reader(name: str) -> tuple[str, ...]:
    return (
        f"CREATE ROLE {name} LOGIN PASSWORD 'reads'",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
    )
