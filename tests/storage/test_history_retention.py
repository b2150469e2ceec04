"""Rows of c_LoggedJob are kept for ever, or for as long as the setting says; they go in bounded batches by key."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, text

from taskmanager import TaskManager
from taskmanager.server.upkeep import Expirer
from taskmanager.storage import legacy_shape, logged, schema
from tests.storage.test_hot_statements import analyze, plan_of

DAY = 86400.0


def write(tm: TaskManager, **ages: float) -> None:
    """Runs by name, so many days old, in this order."""
    now = tm.database.read(lambda tx: tx.clock.local_now()).replace(microsecond=0)
    table = tm.database.tables.legacy.logged
    moments = {name: now - timedelta(days=days) for name, days in ages.items()}
    rows = [
        {"JobName": name, "JobType": "Recurring", "StartedAt": at, "Success": 1, "CreatedAt": at}
        for name, at in moments.items()
    ]
    with tm.database.engine.begin() as connection:
        connection.execute(table.insert(), rows)


def names(tm: TaskManager) -> list[str]:
    c = tm.database.tables.legacy.logged.c
    with tm.database.engine.connect() as connection:
        return list(connection.execute(select(c.JobName).order_by(c.ID)).scalars())


def test_rows_older_than_the_setting_go_and_the_others_stay(tm: TaskManager) -> None:
    write(tm, old=31, young=29, older=300, new=0)
    Expirer(tm.database, DAY, 30 * DAY).tick()
    assert names(tm) == ["young", "new"]


def test_without_the_setting_nothing_goes(tm: TaskManager) -> None:
    write(tm, old=9999)
    assert tm.settings.history_retention_seconds is None
    Expirer(tm.database, DAY).tick()
    assert names(tm) == ["old"]


def test_one_transaction_deletes_no_more_than_its_limit_the_oldest_first(tm: TaskManager) -> None:
    write(tm, a=50, b=49, c=48, d=1)
    expired = [tm.database.run(lambda tx: logged.expire(tx, seconds=DAY * 2, limit=2)) for _ in range(3)]
    assert expired == [2, 1, 0]
    assert names(tm) == ["d"]


def test_what_is_old_is_found_by_the_key_alone(tm: TaskManager) -> None:
    write(tm, **{f"n{n}": 1 for n in range(2000)})
    analyze(tm, "c_LoggedJob")
    plan = plan_of(tm, logged.old_logged, {"limit": 10, "before": "2020-01-01 00:00:00"}).lower()
    using = {"sqlite": "scan c_loggedjob", "postgresql": "pkey"}.get(tm.database.product.name, "primary")
    assert using in plan, plan
    assert "temp b-tree" not in plan, "it reads in the order of the key"


def test_rows_of_the_older_shape_go_by_when_they_were_added(tmp_path: Path) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/older.db", doorbell=False)
    columns = ", ".join(f'"{c}" text' for c in legacy_shape._TARGCC_LOGGED[1:])
    with tm.database.engine.begin() as connection:
        connection.execute(text(f'CREATE TABLE "c_LoggedJob" ("ID" integer primary key, {columns})'))
        for at in ("2001-01-01 00:00:00", "2999-01-01 00:00:00"):
            connection.execute(text('INSERT INTO "c_LoggedJob" ("AddedOn") VALUES (:at)'), {"at": at})
    schema.upgrade(tm.database.engine, "Hangfire")
    Expirer(tm.database, DAY, DAY).tick()
    with tm.database.engine.connect() as connection:
        assert list(connection.execute(text('SELECT "ID" FROM "c_LoggedJob"')).scalars()) == [2]
    tm.close()
