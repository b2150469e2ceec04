"""What is awkward about rows of c_Job (A1 to A28 of the contract), as far as it concerns scheduling."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.legacy.operator import Console, Quiet, Script, Until


def a_row_without_cron_runs_only_when_told(sql: Console) -> Script:
    sql.procedure("SP_A1", "SELECT 1")
    ids = [sql.insert("A1 null", None, "SP_A1"), sql.insert("A1 empty", "", "SP_A1")]
    yield Quiet(1.5)
    for row in ids:
        assert (sql.job(row)["NextRun"], sql.job(row)["LastResult"]) == (None, None)
        sql.force(row)
    for name, row in zip(("A1 null", "A1 empty"), ids, strict=True):
        yield sql.runs(name, 1)
        yield sql.unplanned(row)


def an_invalid_cron_is_told_once_stops_nothing_and_heals(sql: Console) -> Script:
    crons = ("61 * * * *", "every day", "* * * *", "0 0 2 * * * *", "60 * * * *")
    ids = [sql.insert(f"A2 {cron}", cron, "SP_X") for cron in crons]
    good = sql.insert("A2 good", "0 2 * * *", "SP_X")
    yield sql.planned(good)
    for row, cron in zip(ids, crons, strict=True):
        yield Until(2.5, lambda row=row: sql.job(row)["LastResult"] is not None)  # type: ignore[misc]
        assert cron in sql.job(row)["LastResult"]
        assert sql.job(row)["FailureCount"] is None
        assert sql.history(f"A2 {cron}") == []
    sql.run("UPDATE c_Job SET LastResult = NULL WHERE ID = %s", ids[0])
    yield Quiet(1.5)
    assert sql.job(ids[0])["LastResult"] is None, "once for each text, not at every look"
    sql.run("UPDATE c_Job SET CronExpression = '0 3 * * *' WHERE ID = %s", ids[0])
    yield sql.planned(ids[0])


def six_fields_have_seconds_first(sql: Console) -> Script:
    sql.insert("A3", "*/2 * * * * *", sql.procedure("SP_A3", "SELECT 1"))
    daily = sql.insert("A3 daily", "0 0 9 * * ?", "SP_X")
    yield sql.planned(daily)
    found = sql.job(daily)["NextRun"]
    assert (found.hour, found.minute, found.second) == (9, 0, 0)
    yield sql.runs("A3", 3, 9)
    begun = [row["Begun"] for row in sql.rows("SELECT Begun FROM Calls WHERE Name = 'SP_A3' ORDER BY Begun")]
    assert len({moment.timestamp() // 2 for moment in begun}) == len(begun), f"one run for each slot: {begun}"
    assert {run["TriggeredBy"] for run in sql.history("A3")} == {"System"}


def a_cron_that_never_comes_is_valid(sql: Console) -> Script:
    never, leap = sql.insert("A4 never", "0 0 31 2 *", "SP_X"), sql.insert("A4 leap", "0 0 29 2 *", "SP_X")
    yield sql.planned(leap)
    assert sql.job(leap)["NextRun"] == datetime(2028, 2, 29)
    assert (sql.job(never)["NextRun"], sql.job(never)["LastResult"]) == (None, None)


def two_rows_of_one_name_both_run(sql: Console) -> Script:
    sql.procedure("SP_A5", "SELECT 1")
    ids = [sql.insert("A5", "0 2 * * *", "SP_A5") for _ in range(2)]
    sql.run("UPDATE c_Job SET NextRun = NOW() WHERE JobName = 'A5'")
    yield sql.runs("A5", 2)
    assert all(sql.job(row)["LastResult"] == "1" for row in ids)


def a_missing_procedure_fails_and_stays_scheduled(sql: Console) -> Script:
    row = sql.insert("A6", "0 2 * * *", "SP_A6")
    sql.force(row)
    yield sql.runs("A6", 1)
    assert "SP_A6" in sql.job(row)["LastResult"]
    assert (sql.job(row)["FailureCount"], sql.job(row)["NextRun"].hour) == (1, 2)
    sql.procedure("SP_A6", "SELECT 'there now'")
    sql.force(row)
    yield sql.runs("A6", 2)
    assert (sql.job(row)["LastResult"], sql.job(row)["FailureCount"]) == ("there now", 0)


def a_run_longer_than_its_interval_is_never_doubled(sql: Console) -> Script:
    row = sql.insert("A10", "* * * * * *", sql.procedure("SP_A10", "DO SLEEP(2.5)"))
    yield sql.runs("A10", 3, 14)
    assert sql.overlaps("SP_A10") == 0
    sql.run("UPDATE c_Job SET IsActive = 0 WHERE ID = %s", row)
    yield sql.unplanned(row)
    yield Quiet(3)
    calls = sql.calls("SP_A10")
    assert calls == len(sql.history("A10")), "what ran is in the history, and the slots that passed were merged"


def a_name_in_hebrew_and_a_missing_name_are_kept_in_the_history(sql: Console) -> Script:
    sql.procedure("SP_A12", "SELECT 'שלום 😀 日本'")
    ids = [sql.insert("דוח מכירות", "0 2 * * *", "SP_A12"), sql.insert(None, "0 2 * * *", "SP_A12")]
    for row in ids:
        sql.force(row)
    yield sql.runs("דוח מכירות", 1)
    yield sql.runs(f"c_job:{ids[1]}", 1)
    assert sql.job(ids[0])["LastResult"] == "שלום 😀 日本"


def a_next_run_ten_days_ago_runs_once(sql: Console) -> Script:
    ago = sql.now() - timedelta(days=10)
    row = sql.insert("A15", "0 * * * *", sql.procedure("SP_A15", "SELECT 1"), 1, NextRun=ago)
    yield sql.runs("A15", 1, 2.5)
    assert sql.job(row)["NextRun"] > sql.now()
    yield Quiet(2)
    assert sql.calls("SP_A15") == 1


def odd_values_of_is_active_are_read_as_people_mean_them(sql: Console) -> Script:
    unset, two = sql.insert("A16 null", "0 2 * * *", "SP_X", None), sql.insert("A16 two", "0 2 * * *", "SP_X", 2)
    far = sql.insert("A16 far", "0 2 * * *", "SP_X", 1, NextRun=datetime(2999, 1, 1))
    yield sql.planned(two)
    assert (sql.job(unset)["NextRun"], sql.job(two)["IsActive"]) == (None, 2)
    assert sql.job(far)["NextRun"] == datetime(2999, 1, 1)


def next_run_lies_ahead_before_the_run_begins(sql: Console) -> Script:
    """An old TaskManager that still polls sees nothing due."""
    row = sql.insert("A18", "0 2 * * *", sql.procedure("SP_A18", "DO SLEEP(1)"))
    sql.force(row)
    yield Until(2.5, lambda: sql.calls("SP_A18") == 1)
    assert sql.job(row)["NextRun"] > sql.now()
    yield sql.runs("A18", 1)


def a_row_in_an_open_transaction_waits_and_no_other(sql: Console) -> Script:
    sql.procedure("SP_A22", "SELECT 1")
    held, free = sql.insert("A22 held", "0 2 * * *", "SP_A22"), sql.insert("A22 free", "0 2 * * *", "SP_A22")
    yield sql.planned(held)
    person = sql.again(autocommit=False)
    sql.force(held)
    person.run("UPDATE c_Job SET EmailOnFailure = 1 WHERE ID = %s", held)
    sql.force(free)
    yield sql.runs("A22 free", 1, 2.5)
    yield Quiet(4)
    started = len(sql.history("A22 held"))
    person.run("COMMIT")
    person.close()
    yield sql.runs("A22 held", 1, 2.5)
    assert started in (0, 1), "the engine may have been first"


def a_result_waits_for_its_row_and_holds_up_no_other(sql: Console) -> Script:
    row = sql.insert("A22 result", "0 2 * * *", sql.procedure("SP_A22R", "DO SLEEP(2); SELECT 'late'"))
    other = sql.insert("A22 other", "0 2 * * *", sql.procedure("SP_A22O", "SELECT 'soon'"))
    sql.force(row)
    yield Until(2.5, lambda: sql.calls("SP_A22R") == 1)
    person = sql.again(autocommit=False)
    person.run("UPDATE c_Job SET EmailOnFailure = 1 WHERE ID = %s", row)
    yield sql.runs("A22 result", 1)
    sql.force(other)
    yield sql.runs("A22 other", 1, 3)
    yield Until(1, lambda: sql.job(other)["LastResult"] == "soon")
    person.run("COMMIT")
    person.close()
    yield Until(2.5, lambda: sql.job(row)["LastResult"] == "late")
    assert (sql.job(row)["EmailOnFailure"], sql.job(row)["FailureCount"]) == (1, 0)


def safe_updates_of_workbench_are_no_hindrance(sql: Console) -> Script:
    row = sql.insert("A26", "0 2 * * *", sql.procedure("SP_A26", "SELECT 1"))
    person = sql.again()
    person.run("SET SQL_SAFE_UPDATES = 1")
    person.run("UPDATE c_Job SET NextRun = NOW() WHERE JobName = 'A26'")
    person.close()
    yield sql.runs("A26", 1)
    assert sql.job(row)["FailureCount"] == 0


def an_operator_needs_rights_on_the_c_tables_only(sql: Console) -> Script:
    database = sql.value("SELECT DATABASE()")
    user = f"op_{database[-12:]}"
    sql.run(f"CREATE USER {user}@'%' IDENTIFIED BY 'Op-3ration!'")
    for table in ("c_Job", "c_LoggedJob", "c_JobAlert", "c_JobAlertRecipient"):
        sql.run(f"GRANT SELECT, INSERT, UPDATE ON {database}.{table} TO {user}@'%'")
    person = sql.again(user=user, password="Op-3ration!")
    try:
        row = person.insert("A27", "0 2 * * *", sql.procedure("SP_A27", "SELECT 'mine'"))
        yield person.planned(row)
        person.run("UPDATE c_Job SET NextRun = NOW() WHERE JobName = 'A27'")
        yield person.runs("A27", 1)
        assert person.job(row)["LastResult"] == "mine"
    finally:
        person.close()
        sql.run(f"DROP USER {user}@'%'")


def a_procedure_may_change_rows_itself(sql: Console) -> Script:
    second = sql.insert("A28 second", "0 2 * * *", sql.procedure("SP_A28B", "SELECT 'chained'"))
    body = (
        "UPDATE c_Job SET IsActive = 0 WHERE JobName = 'A28 first'; "
        "UPDATE c_Job SET NextRun = NOW() WHERE JobName = 'A28 second'; SELECT 'first'"
    )
    first = sql.insert("A28 first", "0 2 * * *", sql.procedure("SP_A28A", body))
    sql.force(first)
    yield sql.runs("A28 second", 1)
    yield sql.unplanned(first)
    found = sql.job(first)
    assert (found["IsActive"], found["LastResult"], sql.job(second)["LastResult"]) == (0, "first", "chained")
    assert len(sql.history("A28 first")) == 1


def a_row_that_took_the_id_of_a_deleted_one_gets_none_of_its_results(sql: Console) -> Script:
    row = sql.insert("reused", "0 2 * * *", sql.procedure("SP_OLD", "DO SLEEP(2); SELECT 'of the old one'"))
    sql.force(row)
    yield Until(2.5, lambda: sql.calls("SP_OLD") == 1)
    sql.run("DELETE FROM c_Job WHERE ID = %s", row)
    sql.insert("reused by", "0 3 * * *", sql.procedure("SP_NEW", "SELECT 1"), 1, ID=row)
    yield sql.runs("reused", 1)
    yield Quiet(1.5)
    found = sql.job(row)
    assert (found["JobName"], found["LastResult"], found["LastRun"]) == ("reused by", None, None)
    assert found["NextRun"].hour == 3
