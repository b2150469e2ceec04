"""SQL as an API: the procedures of `sql/api/`, through which SQL alone enqueues, requeues, deletes, triggers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from taskmanager.domain.errors import InvalidArgument, SchemaError, StorageError
from taskmanager.storage import schema, turns
from taskmanager.storage.dialects import product_of

#: Products with procedures; MariaDB takes MySQL's.
PRODUCTS = ("mysql", "mariadb", "postgresql")
_MARK = "taskmanager SQL API"
_INTERNAL = "tm_v1_"
#: Kept by MySQL with each procedure, so that a session's own mode does not matter: what does not fit is an error.
_MODE = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the procedures know of the settings; written into them."""

    prefix: str = "Hangfire"
    job_expiration_seconds: float = 86400.0
    max_payload_bytes: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Routine:
    """One procedure or function: `comment` changes with its text, so that an installed one can be compared."""

    name: str
    create: str
    comment: str

    @property
    def is_internal(self) -> bool:
        """Whether it is a part of others, which nobody else calls."""
        return self.name.startswith(_INTERNAL)


def routines(product: str, options: Options, place: str = "public") -> list[Routine]:
    """All procedures of a product. place: PostgreSQL's schema with the tables. Raises InvalidArgument."""
    schema.check_prefix(options.prefix)
    found = []
    for path in sorted((folder() / _family(product)).glob("*.sql")):
        body = path.read_text(encoding="utf-8").strip()
        for token, value in _tokens(options, place).items():
            body = body.replace(token, value)
        digest = hashlib.sha256(body.encode()).hexdigest()[:12]
        if product == "mariadb":  # what is granted on it stays
            body = body.replace("CREATE PROCEDURE", "CREATE OR REPLACE PROCEDURE", 1)
        comment = f"{_MARK}, prefix {options.prefix}, {digest}"
        found.append(Routine(path.stem, body.replace("{comment}", comment), comment))
    return found


def script(product: str, options: Options, place: str = "public") -> str:
    """The procedures as a script for `mysql`, `mariadb` or `psql`; it may be run again."""
    made = routines(product, options, place)
    if _family(product) == "postgresql":
        body = "\n\n".join(f"{s};" for r in made for s in _postgresql(r))
        head = f"-- {_MARK}, prefix {options.prefix}. Run it as the owner of the tables."
        return f"{head}\n\nBEGIN;\n\n{body}\n\nCOMMIT;\n"
    body = "\n\n".join(f"{s}//" for r in made for s in _mysql(product, r))
    return (
        f"-- {_MARK}, prefix {options.prefix}. Run it in the tables' database, as the workers' user.\n\n"
        f"SET @taskmanager_mode = @@sql_mode, SESSION sql_mode = '{_MODE}';\nDELIMITER //\n\n{body}\n\n"
        "DELIMITER ;\nSET SESSION sql_mode = @taskmanager_mode;\n"
    )


def install(engine: Engine, options: Options, *, on_step: Callable[[str], None] | None = None) -> list[str]:
    """Create the procedures, or replace those that differ; returns the steps done, in words.

    Raises InvalidArgument on SQLite, SchemaError when the names are taken or the tables absent, StorageError.
    """
    _family(engine.dialect.name)
    schema.check(engine, options.prefix)
    steps: list[str] = []
    try:
        with turns.take(engine, options.prefix) as connection:
            present = _present(connection)
            for routine in routines(product_of(engine.dialect).name, options, _place(connection)):
                if not _is_there(routine, present, options.prefix):
                    _run(connection, routine)
                    steps.append(f"{'replaced' if routine.name in present else 'created'} {routine.name}")
                    if on_step is not None:
                        on_step(steps[-1])
    except DBAPIError as error:
        raise _stopped(error) from error
    return steps


def behind(engine: Engine, options: Options) -> list[str]:
    """What `install` would make or replace, by name; nothing where they were never installed, nor on SQLite.

    Who may only call some of them sees no others, and is told of these. Raises StorageError.
    """
    if engine.dialect.name not in PRODUCTS:
        return []
    try:
        with engine.connect() as connection:
            present = _present(connection)
            made = routines(engine.dialect.name, options, _place(connection))
    except DBAPIError as error:
        raise StorageError(f"the procedures cannot be looked at: {turns.brief(error)}") from error
    ours = {name for name, comment in present.items() if comment.startswith(_begin(options.prefix))}
    sees_all = any(routine.is_internal and routine.name in ours for routine in made)
    return [r.name for r in made if (present[r.name] != r.comment if r.name in ours else sees_all)]


def told_of(names: Sequence[str]) -> str:
    """What to say of procedures that are `behind`."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"procedures of the SQL API are not as this version and its settings have them: {', '.join(names[:3])}{more}"


def cure_of(engine: Engine, names: Sequence[str]) -> str:
    """What to do about them. Replaced procedures keep what is granted on them, but on MySQL."""
    forgotten = forgets(engine, names)
    again = f", and then `GRANT EXECUTE` anew on {', '.join(forgotten)}, which MySQL forgets" if forgotten else ""
    return f"run `taskmanager db sql-api install`{again}"


def forgets(engine: Engine, names: Sequence[str]) -> list[str]:
    """Those of these procedures on which grants would be forgotten if they were replaced."""
    if product_of(engine.dialect).name != "mysql":
        return []
    return [name for name in names if not name.startswith(_INTERNAL)]


def drop(engine: Engine, prefix: str) -> list[str]:
    """Drop the procedures of this prefix, of whatever version; returns their names."""
    kind = "FUNCTION" if _family(engine.dialect.name) == "postgresql" else "PROCEDURE"
    try:
        with turns.take(engine, prefix) as connection:
            ours = [n for n, comment in _present(connection).items() if comment.startswith(_begin(prefix))]
            for name in ours:
                connection.execute(text(f"DROP {kind} {name}"))
    except DBAPIError as error:
        raise _stopped(error) from error
    return ours


def folder() -> Path:
    """The templates: inside the package when it is installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "_sql_api", package.parent / "sql" / "api"):
        if (place / "mysql").is_dir():
            return place
    raise SchemaError("the folder `sql/api` is missing from this installation of taskmanager")


def place_of(engine: Engine) -> str:
    """The schema of PostgreSQL that holds the tables; empty elsewhere."""
    if engine.dialect.name != "postgresql":
        return ""
    try:
        with engine.connect() as connection:
            return _place(connection)
    except DBAPIError as error:
        raise StorageError(f"the database cannot be asked for its schema: {turns.brief(error)}") from error


def _family(product: str) -> str:
    if product not in PRODUCTS:
        raise InvalidArgument(f"{product} has no procedures: the SQL API is for MySQL, MariaDB and PostgreSQL")
    return "postgresql" if product == "postgresql" else "mysql"


def _tokens(options: Options, place: str) -> Mapping[str, str]:
    return {
        "{prefix}": options.prefix,
        "{expiration}": str(round(options.job_expiration_seconds)),
        "{max_bytes}": str(options.max_payload_bytes),
        "{schema}": '"' + place.replace('"', '""') + '"',
    }


def _begin(prefix: str) -> str:
    return f"{_MARK}, prefix {prefix}, "


def _place(connection: Connection) -> str:
    if connection.dialect.name != "postgresql":
        return ""
    return str(connection.scalar(text("SELECT current_schema()")))


_PRESENT = {
    "mysql": "SELECT ROUTINE_NAME, ROUTINE_COMMENT FROM information_schema.ROUTINES "
    "WHERE ROUTINE_SCHEMA = DATABASE() AND LEFT(ROUTINE_NAME, 3) = 'tm_'",
    "postgresql": "SELECT proname, COALESCE(obj_description(oid, 'pg_proc'), '') FROM pg_proc "
    "WHERE pronamespace = to_regnamespace(quote_ident(current_schema())) AND left(proname, 3) = 'tm_'",
}


def _present(connection: Connection) -> dict[str, str]:
    """The installed procedures with their comments."""
    rows = connection.execute(text(_PRESENT[_family(connection.dialect.name)]))
    return {str(name): str(comment) for name, comment in rows}


def _is_there(routine: Routine, present: Mapping[str, str], prefix: str) -> bool:
    """Whether it is installed as it is. Raises SchemaError when its name is another's."""
    comment = present.get(routine.name)
    if comment is None or comment.startswith(_begin(prefix)):
        return comment == routine.comment
    owner = re.match(rf"{_MARK}, prefix (\S*), ", comment)
    if owner is None:
        raise SchemaError(f"the name {routine.name} is taken by something that is not ours: rename that")
    raise SchemaError(
        f"the name {routine.name} is taken by the SQL API of the prefix {owner[1]!r}: with that prefix set, run "
        "`taskmanager db sql-api drop`, or keep the two installations in two databases (PostgreSQL: schemas)"
    )


def _run(connection: Connection, routine: Routine) -> None:
    """On the driver itself: to SQLAlchemy the % and : of a body would be parameters."""
    product = product_of(connection.dialect).name
    statements = _postgresql(routine) if product == "postgresql" else _mysql(product, routine)
    cursor: Any = connection.connection.cursor()
    try:
        if product != "postgresql":
            cursor.execute(f"SET SESSION sql_mode = '{_MODE}'")
        for statement in statements:
            cursor.execute(statement)
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            routine.name, None, error, connection.dialect.loaded_dbapi.Error, dialect=connection.dialect
        ) from error
    finally:
        cursor.close()


def _mysql(product: str, routine: Routine) -> list[str]:
    return ([] if product == "mariadb" else [f"DROP PROCEDURE IF EXISTS {routine.name}"]) + [routine.create]


def _postgresql(routine: Routine) -> list[str]:
    """Replaced in place, what is granted on it stays; nobody may call it without a grant."""
    again = [f"DROP FUNCTION IF EXISTS {routine.name}"] if routine.is_internal else []
    return [
        *again,
        routine.create,
        f"COMMENT ON FUNCTION {routine.name} IS '{routine.comment}'",
        f"REVOKE ALL ON FUNCTION {routine.name} FROM PUBLIC",
    ]


def _stopped(error: DBAPIError) -> StorageError:
    refused = "; give a DBA the output of `taskmanager db sql-api show`" if turns.is_refused(error) else ""
    return StorageError(f"the procedures cannot be changed: {turns.brief(error)}{refused}")
