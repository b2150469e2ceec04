"""Rows of c_LoggedJob are kept for ever, or for as long as the setting says; they go in bounded batches by key."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from taskmanager import TaskManager
from taskmanager.server.old_history import OldHistory
from taskmanager.server.upkeep import Expirer
from taskmanager.storage import legacy_shape, logged, schema
from taskmanager.storage.transaction import Tx
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
    Expirer(tm.database, tm.transitions, DAY, 30 * DAY).tick()
    assert names(tm) == ["young", "new"]


def test_without_the_setting_nothing_goes(tm: TaskManager) -> None:
    write(tm, old=9999)
    assert tm.settings.history_retention_seconds is None
    Expirer(tm.database, tm.transitions, DAY).tick()
    assert names(tm) == ["old"]


def test_one_transaction_looks_at_no_more_rows_than_its_limit(tm: TaskManager) -> None:
    write(tm, a=50, b=49, c=48, d=1)
    parts = [tm.database.run(lambda tx: logged.expire(tx, seconds=DAY * 2, limit=2)) for _ in range(3)]
    assert [part.deleted for part in parts] == [2, 1, 0]
    assert names(tm) == ["d"]


def test_old_rows_behind_young_ones_go_within_ticks_that_rest_and_are_bounded(tm: TaskManager) -> None:
    write(tm, **{f"n{n}": 1.0 for n in range(250)})
    write(tm, **{f"old{n}": 400.0 for n in range(230)})
    write(tm, **{f"m{n}": 1.0 for n in range(250)})
    write(tm, end=400)
    keeper = OldHistory(tm.database, 30 * DAY, batch=20)
    gone, rests = [731], list[float]()
    while not rests or rests[-1] < 1:
        rests.append(keeper.tick())
        gone.append(len(names(tm)))
    assert gone[-1] == 500
    assert all(name.startswith(("n", "m")) for name in names(tm))
    assert len(rests) < 20, "a batch of old rows or ten batches of young ones a tick, not a batch a minute"
    assert rests == [0.2] * (len(rests) - 1) + [60.0]
    steps = [before - after for before, after in itertools.pairwise(gone)]
    assert max(steps) < 60, "never more at a time than two batches and what a third began with"


def test_the_whole_table_is_read_once_in_an_hour_by_one_server_of_all(tm: TaskManager) -> None:
    write(tm, **{f"n{n}": 1.0 for n in range(50)})
    write(tm, restored=400)
    servers = [OldHistory(tm.database, 30 * DAY, batch=20) for _ in range(3)]
    servers[0].tick()
    assert "restored" not in names(tm)
    write(tm, again=400)
    for server in servers:
        server.tick()
    assert "again" in names(tm), "not in this hour"
    tm.testing.move_time(3601)
    servers[2].tick()
    assert "again" not in names(tm)


def test_while_old_rows_are_deleted_outcomes_are_written(tm: TaskManager) -> None:
    product = tm.database.product.name
    if product == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    write(tm, **{f"old{n}": 400.0 for n in range(30)}, young=1.0)
    patience = "SET lock_timeout = '2s'" if product == "postgresql" else "SET innodb_lock_wait_timeout = 2"

    def work(tx: Tx) -> int:
        deleted = logged.expire(tx, seconds=30 * DAY, limit=20).deleted
        with tm.database.engine.begin() as other:
            other.exec_driver_sql(patience)
            row = {"JobName": "new", "JobType": "Recurring", "StartedAt": tx.clock.local_now(), "Success": 1}
            other.execute(tm.database.tables.legacy.logged.insert().values(CreatedAt=row["StartedAt"], **row))
            other.detach()
        return deleted

    assert tm.database.run(work) == 20
    assert len(names(tm)) == 12


def test_the_walk_reads_a_stretch_of_the_key(tm: TaskManager) -> None:
    write(tm, **{f"n{n}": 1 for n in range(3000)})
    analyze(tm, "c_LoggedJob")
    plan = plan_of(tm, logged.walk_logged, {"limit": 10, "after": 2000, "before": "2020-01-01 00:00:00"}).lower()
    using = {"sqlite": "using integer primary key", "postgresql": "pkey"}.get(tm.database.product.name, "primary")
    assert using in plan, plan
    for word in ("temp b-tree", "filesort", "sort"):
        assert word not in plan, plan


def test_rows_of_the_older_shape_go_by_when_they_were_added(tmp_path: Path) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/older.db", doorbell=False)
    columns = ", ".join(f'"{c}" text' for c in legacy_shape._TARGCC_LOGGED[1:])
    with tm.database.engine.begin() as connection:
        connection.execute(text(f'CREATE TABLE "c_LoggedJob" ("ID" integer primary key, {columns})'))
        for at in ("2001-01-01 00:00:00", "2999-01-01 00:00:00"):
            connection.execute(text('INSERT INTO "c_LoggedJob" ("AddedOn") VALUES (:at)'), {"at": at})
    schema.upgrade(tm.database.engine, "Hangfire")
    Expirer(tm.database, tm.transitions, DAY, DAY).tick()
    with tm.database.engine.connect() as connection:
        assert list(connection.execute(text('SELECT "ID" FROM "c_LoggedJob"')).scalars()) == [2]
    tm.close()
