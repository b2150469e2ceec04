"""Which stored procedures the database has: asked of its own catalogue."""

from __future__ import annotations

from sqlalchemy import text

from taskmanager.storage.transaction import Tx

_CATALOGUE = (
    "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, {parameters} FROM information_schema.ROUTINES r "
    "WHERE ROUTINE_TYPE IN ('PROCEDURE', 'FUNCTION') AND ROUTINE_SCHEMA NOT IN {system}"
)
_COUNTED = (
    "(SELECT COUNT(*) FROM information_schema.PARAMETERS p WHERE p.SPECIFIC_SCHEMA = r.ROUTINE_SCHEMA "
    "AND p.SPECIFIC_NAME = r.SPECIFIC_NAME AND p.ORDINAL_POSITION > 0)"
)
_SYSTEM = {
    "mysql": "('mysql', 'sys', 'information_schema', 'performance_schema')",
    "mariadb": "('mysql', 'sys', 'information_schema', 'performance_schema')",
    "postgresql": "('pg_catalog', 'information_schema')",
}


def parameters_of(tx: Tx) -> dict[str, int] | None:
    """How many parameters each procedure takes, by `name` and by `schema.name` in small letters.

    Only those this user may see; None on SQLite, which has none.
    """
    system = _SYSTEM.get(tx.prepared.product.name)
    if system is None:
        return None
    found: dict[str, int] = {}
    for schema, name, count in tx.connection.execute(text(_CATALOGUE.format(parameters=_COUNTED, system=system))):
        for known in (str(name).lower(), f"{schema}.{name}".lower()):
            found[known] = min(int(count), found.get(known, int(count)))
    return found
