"""The tables as they are against the tables as they should be: checked at every start, upgraded, written as SQL."""

from __future__ import annotations

import argparse
import io
import itertools
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, column, delete, select, table
from sqlalchemy.exc import DBAPIError

from taskmanager.domain.errors import InvalidArgument, SchemaError, StorageError
from taskmanager.storage import ddl, shape, shape_notation, turns
from taskmanager.storage.tables import tables_of

if TYPE_CHECKING:  # Alembic takes a worker's memory and start-up time, and only an upgrade needs it
    from alembic.config import Config

    from taskmanager.storage.migrating import Run

#: As `from_revision` of `offline_sql`: tables that Hangfire.MySqlStorage 2.x made and nobody has upgraded.
HANGFIRE_MYSQLSTORAGE = "hangfire"
#: The answer of `offline_sql` and `schema_sql` differs by these.
PRODUCTS = ddl.PRODUCTS
_CURE = "Run `taskmanager db upgrade`, or give a DBA the output of `taskmanager db upgrade --sql`"


def is_empty(engine: Engine | Connection, prefix: str) -> bool:
    """Whether none of Hangfire's tables is there under this prefix."""
    with _reading(engine) as connection:
        present = shape.names_present(connection)
    return not any(t.name in present for t in tables_of(prefix).hangfire())


def current(engine: Engine | Connection, prefix: str) -> str | None:
    """The revision the database is recorded at; None before the first upgrade."""
    with _reading(engine) as connection:
        if _version_name(prefix) not in shape.names_present(connection):
            return None
        return connection.scalar(select(_version_table(prefix).c.version_num))


def head() -> str:
    """The newest revision this version of the program knows."""
    return _revisions()[-1]


def missing(engine: Engine | Connection, prefix: str) -> list[str]:
    """What the database lacks, a sentence each: tables, and columns, widths and indexes of Hangfire's. SELECT only.

    The c_* tables are only asked to be there: their columns are their owners' matter.
    """
    with _reading(engine) as connection:
        return [str(lack) for lack in _lacks(connection, prefix)]


def check(engine: Engine | Connection, prefix: str) -> None:
    """Raise SchemaError that names all that is missing, and the cure. Needs SELECT rights only."""
    lacking = missing(engine, prefix)
    if lacking:
        raise SchemaError("the database is not ready:\n- " + "\n- ".join(lacking) + f"\n{_CURE}.")


def upgrade(engine: Engine, prefix: str, *, on_step: Callable[[str], None] | None = None) -> list[str]:
    """Bring the tables to the newest revision; returns the steps done, in words. Hosts take turns.

    May be called again after a crash at any moment, and does nothing (nor needs any rights but SELECT) when all is
    done. on_step: called after each step. Raises SchemaError when it cannot go on; it says why and what is left.
    """
    check_prefix(prefix)
    steps: list[str] = []
    for tries in itertools.count(1):
        try:
            with _open(engine) as connection:
                if _is_done(connection, prefix):
                    break
            with turns.take(engine, prefix) as connection:
                _migrate(connection, prefix, steps, on_step)
            with _open(engine) as connection:
                _be_done(connection, prefix)
        except (DBAPIError, turns.Overtaken) as error:
            if not turns.is_worth_another_try(error, engine, tries):
                raise _stopped(error, engine, prefix, steps) from error
            turns.pause()
    return steps


def offline_sql(product: str, prefix: str, from_revision: str | None = None) -> str:
    """The upgrade as SQL, without a connection. product: mysql, mariadb, postgresql or sqlite.

    from_revision: what the database is recorded at; None for an empty one, "hangfire" for one that
    Hangfire.MySqlStorage 2.x made. `pending_sql` looks at the database itself and is the better choice where it can.
    """
    from taskmanager.storage.migrating import Run

    check_prefix(prefix)
    run = Run(prefix, ddl.dialect_of(product))
    if from_revision == HANGFIRE_MYSQLSTORAGE:
        origin = _script("0003").HANGFIRE_MYSQLSTORAGE_2
        run.assumed = shape_notation.parse(origin, prefix, "utf8mb3_general_ci")
    return _write(run, None if from_revision == HANGFIRE_MYSQLSTORAGE else from_revision)


def pending_sql(engine: Engine | Connection, prefix: str) -> str:
    """The statements that `upgrade` would run on this very database, for a DBA; empty when none. SELECT only."""
    from taskmanager.storage import altering
    from taskmanager.storage.migrating import Run

    check_prefix(prefix)
    with _reading(engine) as connection:
        if _is_done(connection, prefix):
            return ""
        names = [t.name for t in tables_of(prefix).metadata.sorted_tables] + [f"{prefix}JobState"]
        run = Run(prefix, connection.dialect, assumed=shape.read(connection, names))
        run.foreign = altering.foreign_keys(connection, run.assumed) if run.is_mysql else []
        at = current(connection, prefix)
    return _write(run, None if at == head() else at)


# -- looking --------------------------------------------------------------------------------------------------


@contextmanager
def _reading(engine: Engine | Connection) -> Iterator[Connection]:
    if isinstance(engine, Connection):
        yield engine
        return
    try:
        with _open(engine) as connection:
            yield connection
    except DBAPIError as error:
        raise StorageError(f"the tables cannot be looked at: {turns.brief(error)}") from error


@contextmanager
def _open(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads: on SQLite a transaction of ours else takes its turn among the writers."""
    with engine.connect() as connection:
        yield connection.execution_options(taskmanager_read=True)


def _lacks(connection: Connection, prefix: str) -> list[shape.Lack]:
    tables = tables_of(prefix)
    present = shape.read(connection, [t.name for t in tables.hangfire()])
    implied = connection.dialect.name != "postgresql"  # InnoDB and SQLite end each index with the primary key
    lacks = []
    for each in tables.hangfire():
        wanted = shape.defined(each, connection.dialect)
        lacks += shape.compare(wanted, present.get(each.name), implied=implied)
    names = shape.names_present(connection)
    return lacks + [shape.Lack(t.name) for t in tables.legacy.all() if t.name not in names]


def _is_done(connection: Connection, prefix: str) -> bool:
    at = current(connection, prefix)
    if at is not None and at not in _revisions():
        lacking = missing(connection, prefix)
        if lacking:
            raise SchemaError(
                f"the database was upgraded by a newer version of taskmanager (revision {at}), and this one misses: "
                + "; ".join(lacking)
            )
        return True
    return at == head() and not missing(connection, prefix)


def _version_name(prefix: str) -> str:
    return f"{prefix}SchemaVersion"


def _version_table(prefix: str) -> Any:
    return table(_version_name(prefix), column("version_num"))


def check_prefix(prefix: str) -> None:
    """Raises InvalidArgument when this cannot stand before the names of tables."""
    if not re.fullmatch(r"[A-Za-z0-9_$]{0,24}", prefix):
        raise InvalidArgument(f"prefix {prefix!r}: at most 24 letters, digits, _ or $ (it begins names of indexes)")


# -- doing ----------------------------------------------------------------------------------------------------


def _migrate(connection: Connection, prefix: str, steps: list[str], on_step: Callable[[str], None] | None) -> None:
    """The work of one turn; whoever had the turn before may have done all of it."""
    from alembic import command
    from alembic.util import CommandError

    from taskmanager.storage.migrating import Run

    if _is_done(connection, prefix):
        return
    if current(connection, prefix) == head():
        # Something was dropped after the upgrade. Every step looks first, so all of them may be gone through again.
        connection.execute(delete(_version_table(prefix)))
    run = Run(prefix, connection.dialect, connection, on_step=on_step, steps=steps)
    at = current(connection, prefix)
    if shape.is_mysql(connection.dialect):
        connection.commit()  # Alembic then begins and ends a transaction of its own for each revision
    try:
        command.upgrade(_config(run), "head")
    except CommandError as error:
        if current(connection, prefix) == at:
            raise SchemaError(f"the upgrade stopped: {error}") from error
        raise turns.Overtaken(str(error)) from error


def _be_done(connection: Connection, prefix: str) -> None:
    """Raise SchemaError when all revisions went through and the tables are not as they should be all the same."""
    left = missing(connection, prefix)
    if left and current(connection, prefix) == head():
        raise SchemaError(f"all revisions are applied, yet {'; '.join(left)}. sql/schema/ has the definitions")


def _stopped(error: DBAPIError | turns.Overtaken, engine: Engine, prefix: str, steps: list[str]) -> SchemaError:
    done = f" {len(steps)} steps were done; the next run goes on from there." if steps else ""
    if not turns.is_refused(error):
        return SchemaError(f"the upgrade stopped: {turns.brief(error)}.{done}")
    lacking = "\n- ".join(["this is lacking:", *missing(engine, prefix)])
    return SchemaError(
        f"the database user may not create or alter tables ({turns.brief(error)}); {lacking}\n"
        f"Give a DBA the output of `taskmanager db upgrade --sql`.{done}"
    )


def _write(run: Run, from_revision: str | None) -> str:
    from alembic import command

    text = io.StringIO()
    command.upgrade(_config(run, text), f"{from_revision}:head" if from_revision else "head", sql=True)
    return text.getvalue()


def _config(run: Run | None = None, text: io.StringIO | None = None) -> Config:
    from alembic.config import Config

    from taskmanager.storage.migrating import ATTRIBUTE

    config = Config(output_buffer=text, stdout=io.StringIO(), attributes={ATTRIBUTE: run})
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    return config


def folder() -> Path:
    """The revisions: inside the package when it is installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "_migrations", package.parent / "migrations"):
        if (place / "env.py").is_file():
            return place
    raise SchemaError("the folder `migrations` is missing from this installation of taskmanager")


@cache
def _revisions() -> tuple[str, ...]:
    """Oldest first, by the numbers that the files' names begin with: known without loading Alembic."""
    return tuple(sorted(p.name.partition("_")[0] for p in (folder() / "versions").glob("[0-9]*_*.py")))


def _script(revision: str) -> Any:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_revision(revision).module


# -- for who works on this package ----------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> None:
    """`python -m taskmanager.storage.schema`: write the generated files, or begin a new revision, in a checkout."""
    parser = argparse.ArgumentParser(prog="python -m taskmanager.storage.schema", description=main.__doc__)
    parser.add_argument("--write", action="store_true", help="generate sql/schema/*.sql anew")
    parser.add_argument("--new", metavar="WORDS", help="make a revision file in migrations/versions, to be filled in")
    wanted = parser.parse_args(arguments)
    if wanted.write:
        for name, content in ddl.schema_files().items():
            (folder().parent / "sql" / "schema" / name).write_text(content, encoding="utf-8")
    if wanted.new:
        from alembic import command

        command.revision(_config(), message=wanted.new, rev_id=f"{int(head()) + 1:04d}")


if __name__ == "__main__":
    main(sys.argv[1:])
