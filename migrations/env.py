"""Alembic's entry: runs the revisions on the connection, or into the text, that `taskmanager db upgrade` has made."""

from __future__ import annotations

from alembic import context

from taskmanager.storage.migrating import current_run


def run_migrations() -> None:
    """One transaction a revision where the product has transactions around DDL; MySQL's steps stand alone."""
    run = current_run()
    options = {"version_table": run.name("SchemaVersion"), "transaction_per_migration": True}
    if run.connection is None:
        context.configure(dialect_name=run.dialect.name, as_sql=True, literal_binds=True, **options)
    else:
        context.configure(connection=run.connection, **options)
    with context.begin_transaction():
        context.run_migrations()


run_migrations()
