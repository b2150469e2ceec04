"""LastResult: the first cell as the product's client prints it; whatever a procedure answers does not break it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import procedures
from taskmanager.storage.database import Database
from tests.legacy_procedures.bench import Bench

MARKER = " …[truncated]"
CELLS = {
    "SELECT NULL": "NULL",
    "SELECT 12": "12",
    "SELECT -0.50": "-0.50",
    "SELECT CAST(0 AS DECIMAL(20,10))": "0.0000000000",
    "SELECT CAST(12345678901234567890.1234567890 AS DECIMAL(30,10))": "12345678901234567890.1234567890",
    "SELECT 1.5e300": "1.5e300",
    "SELECT CAST('2026-07-20 10:00:00' AS DATETIME)": "2026-07-20 10:00:00",
    "SELECT CAST('2026-07-20 10:00:00.5' AS DATETIME(6))": "2026-07-20 10:00:00.500000",
    "SELECT CAST('2026-07-20' AS DATE)": "2026-07-20",
    "SELECT CAST('-838:59:59' AS TIME)": "-838:59:59",
    "SELECT JSON_OBJECT('a', 1)": '{"a": 1}',
    "SELECT CAST(x'ff00fe' AS BINARY(3))": "ff00fe",
    "SELECT x'ff00fe'": "ff00fe",
    "SELECT TRUE": "1",
    "SELECT ''": "",
    "SELECT 'שלום 日本語 😀 %s %(x)s \\\\'": "שלום 日本語 😀 %s %(x)s \\",
    "SELECT 'a' COLLATE utf8mb4_bin": "a",
    "SELECT 1, 2 UNION ALL SELECT 3, 4": "1",
    "BEGIN SELECT 'first'; SELECT 2; SELECT 3; END": "first",
    "BEGIN SELECT 1 FROM DUAL WHERE 1 = 0; SELECT 'second'; END": None,
    "DO 1": None,
    "BEGIN END": None,
}


@pytest.mark.parametrize("body", CELLS)
def test_a_cell_is_kept_as_the_client_prints_it(mysql: Bench, hands: Any, body: str) -> None:
    after = mysql.run(mysql.procedure("SP_Cell", body), hands)
    assert (after["LastResult"], after["FailureCount"]) == (CELLS[body], 0)
    assert (after["run"]["Success"], after["run"]["ResultMessage"]) == (1, CELLS[body])
    assert after["run"]["CpuTimeMs"] is None, "the server's time is not known here"


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_both_drivers_print_the_same(mysql: Bench, hands: Any, driver: str) -> None:
    pytest.importorskip("MySQLdb")
    mysql.sql("DROP TABLE IF EXISTS tm_bits", "CREATE TABLE tm_bits (b BIT(12), y YEAR, e ENUM('x', 'ü'), g BLOB)")
    mysql.sql("INSERT INTO tm_bits VALUES (b'100000000101', 2026, 'ü', x'00ff')")
    database = Database(mysql.tm.database.url.set(drivername=f"mysql+{driver}"))
    bodies = CELLS | {
        "SELECT b FROM tm_bits": "2053",
        "SELECT y FROM tm_bits": "2026",
        "SELECT e FROM tm_bits": "ü",
        "SELECT g FROM tm_bits": "00ff",
    }
    for body, expected in bodies.items():
        assert procedures.call(database, mysql.procedure("SP_Cell", body)) == expected, body
    database.dispose()


def test_a_million_rows_are_read_without_keeping_them(mysql: Bench, hands: Any) -> None:
    body = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        SELECT 'row' FROM n a CROSS JOIN n b"""
    after = mysql.run(mysql.procedure("SP_Many", f"BEGIN {body}; SELECT 'last'; END"), hands)
    assert (after["LastResult"], after["FailureCount"]) == ("row", 0)


def test_five_megabytes_are_cut_to_64_kb_with_a_marker_and_the_run_is_a_success(server: Bench, hands: Any) -> None:
    body = "SELECT REPEAT('é', 2500000)"
    if server.product == "postgresql":
        body = f"(INOUT r text DEFAULT NULL) LANGUAGE sql AS $$ {body} $$"
    after = server.run(server.procedure("SP_Long", body), hands)
    kept = after["LastResult"]
    assert len(kept.encode()) in (64 * 1024, 64 * 1024 - 1)
    assert kept == "é" * (len(kept) - len(MARKER)) + MARKER
    assert (after["run"]["ResultMessage"], after["run"]["Success"], after["FailureCount"]) == (kept, 1, 0)


def test_64_kb_of_unicode_are_kept_whole(server: Bench, hands: Any) -> None:
    text = "日😀\"\\'\n" * 4000
    quoted = text.replace("\\", "\\\\").replace("'", "''") if server.product != "postgresql" else None
    body = f"SELECT '{quoted}'"
    if quoted is None:
        body = f"(INOUT r text DEFAULT NULL) LANGUAGE sql AS $a$ SELECT $b${text}$b$ $a$"
    after = server.run(server.procedure("SP_Unicode", body), hands)
    assert (after["LastResult"], after["run"]["ResultMessage"]) == (text, text)


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("numeric", "SELECT 0.000000000000", "0.000000000000"),
        ("bytea", r"SELECT '\xff00fe'::bytea", "ff00fe"),
        ("boolean", "SELECT true", "t"),
        ("timestamp", "SELECT '2026-07-20 10:00:00'::timestamp", "2026-07-20 10:00:00"),
        ("jsonb", """SELECT '{"a": [1, null]}'::jsonb""", '{"a": [1, null]}'),
        ("text", "SELECT NULL", "NULL"),
        ("text", "SELECT 'שלום 😀'", "שלום 😀"),
    ],
)
def test_procedures_and_functions_of_postgresql_are_called(
    postgresql: Bench, hands: Any, kind: str, body: str, expected: str
) -> None:
    postgresql.procedure("SP_Cell", f"(INOUT r {kind} DEFAULT NULL) LANGUAGE sql AS $$ {body} $$")
    assert postgresql.run("SP_Cell", hands)["LastResult"] == expected
    postgresql.sql('DROP PROCEDURE IF EXISTS "SP_Cell"')
    function = f"CREATE OR REPLACE FUNCTION fn_cell() RETURNS {kind} LANGUAGE sql AS $$ {body} $$"
    postgresql.sql("DROP FUNCTION IF EXISTS fn_cell()")
    with postgresql.engine.connect() as connection:
        connection.exec_driver_sql(function)
    for name in ("fn_cell", "public.FN_Cell()"):
        after = postgresql.run(name, hands)
        assert (after["LastResult"], after["FailureCount"]) == (expected, 0)


def test_a_void_function_and_a_procedure_without_arguments_answer_nothing(postgresql: Bench, hands: Any) -> None:
    postgresql.sql("DROP FUNCTION IF EXISTS fn_void()")
    with postgresql.engine.connect() as connection:
        connection.exec_driver_sql("CREATE FUNCTION fn_void() RETURNS void LANGUAGE sql AS $$ SELECT 1 $$")
    postgresql.procedure("SP_Void", "LANGUAGE plpgsql AS $$ BEGIN END $$")
    for name in ("fn_void", "SP_Void"):
        after = postgresql.run(name, hands)
        assert (after["LastResult"], after["FailureCount"]) == (None, 0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12 rows", "12 rows"), (None, None), (Decimal("0E-4"), "0.0000"), (b"\xff\x00\xfe", "ff00fe"), (True, "1"),
        (datetime(2026, 7, 20, 10), "2026-07-20 10:00:00"), ({"ä": [1, None]}, '{"ä": [1, null]}'), (1.5, "1.5"),
    ],
)  # fmt: skip
def test_a_registered_function_stands_in_on_sqlite(sqlite: Bench, hands: Any, value: Any, expected: str | None) -> None:
    sqlite.tm.procedure("SP_Python")(lambda: value)
    for name in ("SP_Python", " sp_python() "):
        after = sqlite.run(name, hands)
        assert (after["LastResult"], after["FailureCount"]) == (expected, 0)


def test_a_function_that_nobody_registered_is_told_by_name(sqlite: Bench, hands: Any) -> None:
    after = sqlite.run("SP_Nobody", hands)
    assert after["LastResult"] == "SQLite has no procedures: register one with tm.procedure('SP_Nobody')"
    assert after["FailureCount"] == 8


def test_how_much_of_a_result_is_kept_is_a_setting(sqlite: Bench) -> None:
    url = sqlite.tm.database.url.render_as_string(hide_password=False)
    tm = TaskManager(database_url=url, doorbell=False, max_result_bytes=1000)
    tm.procedure("SP_Long")(lambda: "é" * 5000)
    row_id = sqlite.job("SP_Long")
    tm.trigger(f"c_job:{row_id}")
    tm.testing.drain()
    tm.close()
    kept = sqlite.row(row_id)["LastResult"]
    assert len(kept.encode()) in (1000, 999)
    assert kept == "é" * (len(kept) - len(MARKER)) + MARKER
    assert sqlite.runs()[-1]["ResultMessage"] == kept
