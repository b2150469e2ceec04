"""How procedures fail: with the database's own text, counted once, still scheduled; and what a session left behind."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from taskmanager import TaskManager
from tests.legacy_procedures.bench import Bench, wait_for


def signal(state: str, message: str) -> str:
    return f"SIGNAL SQLSTATE '{state}' SET MESSAGE_TEXT = '{message}'"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (signal("45000", "  no stock in שלום ü: 100% of (1, 2)  "), "  no stock in שלום ü: 100% of (1, 2)  "),
        (f"BEGIN SELECT 1; {signal('45000', 'too late')}; END", "too late"),
        (f"BEGIN SELECT 1; SELECT 2; {signal('45000', 'third')}; END", "third"),
        (f"BEGIN SELECT 1 UNION SELECT 2; {signal('02000', 'not found')}; END", "not found"),
        ("BEGIN SELECT 1; INSERT INTO tm_nowhere VALUES (1); END", "tm_nowhere' doesn't exist"),
    ],
)
def test_a_signal_is_a_failure_with_its_text_unaltered(mysql: Bench, hands: Any, body: str, message: str) -> None:
    after = mysql.run(mysql.procedure("SP_Signal", body), hands)
    run = after["run"]
    assert after["LastResult"].endswith(message) if "tm_" in message else after["LastResult"] == message
    assert (run["ErrorMessage"], run["Success"], after["FailureCount"]) == (after["LastResult"], 0, 8)
    assert mysql.tm.get(int(run["JobId"])).state == "Failed"


def test_an_emoji_in_the_text_of_a_signal_is_lost_in_the_server_itself(mysql: Bench, hands: Any) -> None:
    """The text of a condition is utf8mb3 in both servers: it is a ? before any client has seen it, and a procedure
    that asks for it gets the ?, too. The same text as a result is whole."""
    mysql.sql("DROP TABLE IF EXISTS tm_seen", "CREATE TABLE tm_seen (text VARCHAR(100) CHARACTER SET utf8mb4)")
    inside = (
        "BEGIN DECLARE seen TEXT CHARACTER SET utf8mb4; DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN "
        "GET DIAGNOSTICS CONDITION 1 seen = MESSAGE_TEXT; INSERT INTO tm_seen VALUES (seen), ('😀 whole'); END; "
        f"{signal('45000', '😀 no ü')}; END"
    )
    mysql.run(mysql.procedure("SP_Inside", inside), hands)
    assert [r[0] for r in mysql.sql("SELECT text FROM tm_seen")] == ["? no ü", "😀 whole"]
    after = mysql.run(mysql.procedure("SP_Outside", signal("45000", "😀 no ü")), hands)
    assert (after["LastResult"], after["run"]["ErrorMessage"]) == ("? no ü", "? no ü")
    after = mysql.run(mysql.procedure("SP_Told", "SELECT '😀 ü'"), hands)
    assert (after["LastResult"], after["run"]["ResultMessage"]) == ("😀 ü", "😀 ü")


def test_a_raise_of_postgresql_is_a_failure_with_its_message_alone(postgresql: Bench, hands: Any) -> None:
    body = "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no stock: %', '100 % 😀' USING HINT = 'buy'; END $$"
    after = postgresql.run(postgresql.procedure("SP_Raise", body), hands)
    assert (after["LastResult"], after["FailureCount"]) == ("no stock: 100 % 😀", 8)


def test_a_warning_is_a_success(mysql: Bench, hands: Any) -> None:
    after = mysql.run(mysql.procedure("SP_Warn", f"BEGIN {signal('01000', 'careful')}; SELECT 'on'; END"), hands)
    assert (after["LastResult"], after["FailureCount"]) == ("on", 0)


def test_a_missing_procedure_fails_until_it_is_made(server: Bench, hands: Any) -> None:
    server.sql(f"DROP PROCEDURE IF EXISTS {server.q('SP_Later')}")
    after = server.run("SP_Later", hands)
    assert "SP_Later" in after["LastResult"]
    assert "does not exist" in after["LastResult"]
    assert (after["FailureCount"], after["run"]["Success"]) == (8, 0)
    body = "LANGUAGE plpgsql AS $$ BEGIN END $$" if server.product == "postgresql" else "DO 1"
    server.procedure("SP_Later", body)
    server.trigger(after["ID"])
    assert hands().work() == 1
    assert (server.row(after["ID"])["FailureCount"], server.row(after["ID"])["LastResult"]) == (0, None)


def test_a_procedure_with_parameters_fails_with_the_servers_text(mysql: Bench, hands: Any) -> None:
    mysql.sql("DROP PROCEDURE IF EXISTS SP_Asks", "CREATE PROCEDURE SP_Asks(a INT) SELECT a")
    after = mysql.run("SP_Asks", hands)
    assert after["LastResult"].startswith("Incorrect number of arguments for PROCEDURE")
    assert after["LastResult"].endswith("SP_Asks; expected 1, got 0")


def test_who_may_not_execute_a_procedure_is_told_so(mysql: Bench, hands: Any) -> None:
    user, password = "tm_low", "low-Pass-1"
    name = mysql.tm.database.url.database
    mysql.sql(
        f"DROP USER IF EXISTS '{user}'@'%'", f"CREATE USER '{user}'@'%' IDENTIFIED BY '{password}'",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO '{user}'@'%'",
    )  # fmt: skip
    mysql.procedure("SP_Secret", "SELECT 1")
    low = mysql.tm.settings.with_changes(
        database_url=mysql.tm.database.url.set(username=user, password=password).render_as_string(hide_password=False)
    )
    tm = TaskManager(low)
    try:
        row_id = mysql.job("SP_Secret")
        mysql.trigger(row_id)
        server = tm.server()
        server.start()
        wait_for(lambda: mysql.row(row_id)["LastRun"] is not None, 20, "it did not run")
        server.stop(1)
    finally:
        tm.close()
        mysql.sql(f"DROP USER '{user}'@'%'")
    assert mysql.row(row_id)["LastResult"].startswith(f"execute command denied to user '{user}'@")


def test_a_lock_that_is_waited_for_too_long_and_a_deadlock_are_failures_with_their_text(
    mysql: Bench, hands: Any
) -> None:
    mysql.sql("DROP TABLE IF EXISTS tm_locked", "CREATE TABLE tm_locked (id INT PRIMARY KEY, n INT)")
    mysql.sql("INSERT INTO tm_locked VALUES (1, 0), (2, 0)")
    body = "BEGIN SET innodb_lock_wait_timeout = 1; UPDATE tm_locked SET n = 1 WHERE id = 1; END"
    mysql.procedure("SP_Waits", body)
    held = mysql.engine.connect().execution_options(isolation_level="READ COMMITTED")
    with held:
        held.exec_driver_sql("UPDATE tm_locked SET n = 2 WHERE id = 1")
        assert mysql.run("SP_Waits", hands)["LastResult"] == "Lock wait timeout exceeded; try restarting transaction"
        held.rollback()
    body = "BEGIN START TRANSACTION; UPDATE tm_locked SET n = 1 WHERE id = 2; DO SLEEP(1); "
    mysql.procedure("SP_Deadlock", body + "UPDATE tm_locked SET n = 1 WHERE id = 1; COMMIT; END")
    other = mysql.engine.connect().execution_options(isolation_level="READ COMMITTED")
    with other:
        other.exec_driver_sql("INSERT INTO tm_locked SELECT 100 + a.id * 10 + b.id, 0 FROM tm_locked a, tm_locked b")
        other.exec_driver_sql("UPDATE tm_locked SET n = 2 WHERE id = 1")
        cross = threading.Timer(0.5, lambda: other.exec_driver_sql("UPDATE tm_locked SET n = 2 WHERE id = 2"))
        cross.start()
        after = mysql.run("SP_Deadlock", hands)
        cross.join()
        other.rollback()
    assert after["LastResult"] == "Deadlock found when trying to get lock; try restarting transaction"
    assert after["FailureCount"] == 8, "it is not tried again before its next time"


def test_what_a_failed_procedure_did_before_stays_unless_it_had_a_transaction(mysql: Bench, hands: Any) -> None:
    mysql.sql("DROP TABLE IF EXISTS tm_done", "CREATE TABLE tm_done (what VARCHAR(20))")
    mysql.procedure("SP_Half", f"BEGIN INSERT INTO tm_done VALUES ('plain'); {signal('45000', 'no')}; END")
    body = f"BEGIN START TRANSACTION; INSERT INTO tm_done VALUES ('undone'); {signal('45000', 'no')}; END"
    mysql.procedure("SP_Undone", body)
    assert mysql.run("SP_Half", hands)["LastResult"] == "no"
    assert mysql.run("SP_Undone", hands)["LastResult"] == "no"
    assert [r[0] for r in mysql.sql("SELECT what FROM tm_done")] == ["plain"]


def test_a_transaction_left_open_is_committed_and_the_session_is_dropped(mysql: Bench, hands: Any) -> None:
    mysql.sql("DROP TABLE IF EXISTS tm_done", "CREATE TABLE tm_done (what VARCHAR(20))")
    body = """BEGIN SET autocommit = 0; SET time_zone = '+11:00'; SET @left = 1; SET sql_mode = 'ANSI';
        DO GET_LOCK('tm_lock', 0); CREATE TEMPORARY TABLE tm_temporary (id INT);
        INSERT INTO tm_done VALUES ('left open'); SELECT CONNECTION_ID(); END"""
    mysql.procedure("SP_Untidy", body)
    first = mysql.run("SP_Untidy", hands)
    wait_for(lambda: not mysql.is_connected(int(first["LastResult"])), 5, "the connection was kept")
    second = mysql.run("SP_Untidy", hands)
    assert first["FailureCount"] == second["FailureCount"] == 0, "the second got the lock and the temporary table"
    assert first["LastResult"] != second["LastResult"]
    assert [r[0] for r in mysql.sql("SELECT what FROM tm_done")] == ["left open", "left open"]
    assert mysql.sql("SELECT IS_FREE_LOCK('tm_lock')")[0][0] == 1
    assert abs((second["LastRun"] - mysql.sql("SELECT NOW()")[0][0]).total_seconds()) < 60


def test_a_procedure_of_postgresql_may_commit_by_itself(postgresql: Bench, hands: Any) -> None:
    postgresql.sql("DROP TABLE IF EXISTS tm_done", "CREATE TABLE tm_done (what text)")
    body = """LANGUAGE plpgsql AS $$ BEGIN INSERT INTO tm_done VALUES ('kept'); COMMIT;
        INSERT INTO tm_done VALUES ('undone'); RAISE EXCEPTION 'no'; END $$"""
    assert postgresql.run(postgresql.procedure("SP_Commits", body), hands)["LastResult"] == "no"
    assert [r[0] for r in postgresql.sql("SELECT what FROM tm_done")] == ["kept"]


def test_a_procedure_may_change_c_job_itself(mysql: Bench, hands: Any) -> None:
    body = "UPDATE c_Job SET IsActive = 0, JobName = 'renamed' WHERE StoredProcName = 'SP_Self'"
    after = mysql.run(mysql.procedure("SP_Self", body), hands)
    assert (after["IsActive"], after["JobName"], after["FailureCount"]) == (0, "renamed", 0)


def test_a_function_that_raises_on_sqlite_fails_with_its_own_text(sqlite: Bench, hands: Any) -> None:
    def broken() -> None:
        raise ValueError("no stock 😀")

    sqlite.tm.procedure("SP_Broken")(broken)
    after = sqlite.run("SP_Broken", hands)
    assert (after["LastResult"], after["FailureCount"]) == ("no stock 😀", 8)
    assert sqlite.tm.get(int(after["run"]["JobId"])).history[-1].data["ExceptionType"] == "ValueError"
