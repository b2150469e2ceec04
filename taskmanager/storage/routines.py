"""Which stored procedures the database has: asked of its own catalogue."""

from __future__ import annotations

from sqlalchemy import text

from taskmanager.storage.transaction import Tx

#: Joined and grouped: a subquery for each routine takes seconds where there are hundreds.
_MYSQL = (
    "SELECT r.ROUTINE_SCHEMA, r.ROUTINE_NAME, COUNT(p.ORDINAL_POSITION), r.ROUTINE_SCHEMA = DATABASE() "
    "FROM information_schema.ROUTINES r LEFT JOIN information_schema.PARAMETERS p "
    "ON p.SPECIFIC_SCHEMA = r.ROUTINE_SCHEMA AND p.SPECIFIC_NAME = r.SPECIFIC_NAME AND p.ORDINAL_POSITION > 0 "
    "WHERE r.ROUTINE_TYPE = 'PROCEDURE' "
    "AND r.ROUTINE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') "
    "GROUP BY r.ROUTINE_SCHEMA, r.ROUTINE_NAME, r.SPECIFIC_NAME"
)
_CATALOGUES = {
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    # What has a default need not be given, and a function's OUT and TABLE parameters are no arguments at all; OUT
    # parameters of a procedure are, since version 14, and are not among `pronargs`.
    "postgresql": (
        "SELECT n.nspname, p.proname, p.pronargs - p.pronargdefaults + CASE WHEN p.prokind = 'p' "
        "AND current_setting('server_version_num')::int >= 140000 "
        "THEN COALESCE(cardinality(array_positions(p.proargmodes, 'o')), 0) ELSE 0 END, "
        "n.nspname = current_schema() "
        "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE p.prokind IN ('f', 'p') AND has_function_privilege(p.oid, 'EXECUTE') "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    ),
}


def parameters_of(tx: Tx) -> dict[str, int] | None:
    """How many parameters must be given to each procedure, by `name` and by `schema.name` in small letters; on
    PostgreSQL a function, too, is called like one.

    Only those this user may see; None on SQLite, which has none.
    """
    catalogue = _CATALOGUES.get(tx.prepared.product.name)
    if catalogue is None:
        return None
    found: dict[str, int] = {}
    for schema, name, count, is_here in tx.connection.execute(text(catalogue.replace(":", "\\:"))):
        known = [f"{schema}.{name}".lower(), *([str(name).lower()] if is_here else [])]
        for one in known:
            found[one] = min(int(count), found.get(one, int(count)))
    return found
