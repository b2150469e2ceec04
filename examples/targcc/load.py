"""Load schema.sql into an empty database, as the mysql client would: python -m examples.targcc.load URL."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

SCHEMA = Path(__file__).with_name("schema.sql")
_NO_SUCH_DATABASE, _TABLE_EXISTS = 1049, 1050


def statements(script: str) -> Iterator[str]:
    """The statements of a script with DELIMITER lines; a statement ends with its delimiter at the end of a line."""
    delimiter, lines = ";", list[str]()
    for line in script.splitlines():
        text = line.strip()
        if text.upper().startswith("DELIMITER "):
            delimiter = text.split()[1]
        elif lines or (text and not text.startswith("--")):
            lines.append(line)
            if text.endswith(delimiter):
                yield "\n".join(lines).rstrip().removesuffix(delimiter)
                lines.clear()
    if lines:
        raise ValueError(f"the script ends in the middle of a statement: {lines[0]}")


def load(url: str) -> int:
    """Load schema.sql, and make the database first where there is none; how many statements it was."""
    where = make_url(url)
    if where.get_backend_name() not in ("mysql", "mariadb"):
        raise ValueError("the example has stored procedures of MySQL and MariaDB: name one of them")
    where = where.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"})
    try:
        return _run(where, statements(SCHEMA.read_text(encoding="utf-8")))
    except DBAPIError as error:
        if _code(error) != _NO_SUCH_DATABASE:
            raise
    name = (where.database or "").replace("`", "``")
    _run(where.set(database=""), [f"CREATE DATABASE `{name}` DEFAULT CHARACTER SET utf8mb4"])
    return _run(where, statements(SCHEMA.read_text(encoding="utf-8")))


def _run(where: URL, script: Iterator[str] | list[str]) -> int:
    engine = create_engine(where, isolation_level="AUTOCOMMIT", execution_options={"no_parameters": True})
    try:
        with engine.connect() as connection:
            return len([connection.exec_driver_sql(one) for one in script])
    finally:
        engine.dispose()


def _code(error: DBAPIError) -> int:
    return int(error.orig.args[0]) if error.orig is not None and error.orig.args else 0


def main(arguments: list[str]) -> str | None:
    """What went wrong, or None."""
    url = arguments[0] if arguments else os.environ.get("TASKMANAGER_DATABASE_URL", "")
    if not url:
        return "usage: python -m examples.targcc.load mysql://user:password@host/targcc"
    try:
        count = load(url)
    except DBAPIError as error:
        told = error.orig.args[-1] if error.orig is not None and error.orig.args else error
        cure = "; load the example into an empty database" if _code(error) == _TABLE_EXISTS else ""
        return f"error: {told}{cure}"
    except (ArgumentError, ValueError) as error:
        return f"error: {error}"
    print(f"{count} statements; now: taskmanager --discover examples.targcc.jobs worker")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
