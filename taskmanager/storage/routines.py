"""Which stored procedures the database has: asked of its own catalogue."""

from __future__ import annotations

from sqlalchemy import text

from taskmanager.storage.transaction import Tx

#: Joined and grouped: a subquery for each routine takes seconds where there are hundreds.
_CATALOGUE = (
    "SELECT r.ROUTINE_SCHEMA, r.ROUTINE_NAME, COUNT(p.ORDINAL_POSITION), r.ROUTINE_SCHEMA = {here} "
    "FROM information_schema.ROUTINES r LEFT JOIN information_schema.PARAMETERS p "
    "ON p.SPECIFIC_SCHEMA = r.ROUTINE_SCHEMA AND p.SPECIFIC_NAME = r.SPECIFIC_NAME AND p.ORDINAL_POSITION > 0 "
    "WHERE r.ROUTINE_TYPE IN {kinds} AND r.ROUTINE_SCHEMA NOT IN {system} "
    "GROUP BY r.ROUTINE_SCHEMA, r.ROUTINE_NAME, r.SPECIFIC_NAME"
)
_SYSTEM = {
    "mysql": "('mysql', 'sys', 'information_schema', 'performance_schema')",
    "mariadb": "('mysql', 'sys', 'information_schema', 'performance_schema')",
    "postgresql": "('pg_catalog', 'information_schema')",
}


def parameters_of(tx: Tx) -> dict[str, int] | None:
    """How many parameters each procedure takes, by `name` and by `schema.name` in small letters; on PostgreSQL a
    function, too, is called like one.

    Only those this user may see; None on SQLite, which has none.
    """
    system = _SYSTEM.get(tx.prepared.product.name)
    if system is None:
        return None
    here, kinds = "DATABASE()", "('PROCEDURE')"
    if tx.prepared.product.name == "postgresql":
        here, kinds = "current_schema()", "('PROCEDURE', 'FUNCTION')"
    found: dict[str, int] = {}
    for schema, name, count, is_here in tx.connection.execute(
        text(_CATALOGUE.format(here=here, kinds=kinds, system=system))
    ):
        known = [f"{schema}.{name}".lower(), *([str(name).lower()] if is_here else [])]
        for one in known:
            found[one] = min(int(count), found.get(one, int(count)))
    return found
