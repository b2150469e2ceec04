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


def test_old_rows_behind_more_young_ones_than_a_batch_go_too(tm: TaskManager) -> None:
    young = {f"n{n}": 1.0 for n in range(2_500)}
    write(tm, **young)
    write(tm, restored=400, last=1)
    write(tm, **{f"m{n}": 1.0 for n in range(2_500)})
    write(tm, end=400)
    expirer = Expirer(tm.database, tm.transitions, DAY, 30 * DAY)
    rests = [expirer.tick() for _ in range(7)]
    assert not {"restored", "end"} & set(names(tm))
    assert len(names(tm)) == 5_001
    assert 0.2 in rests, "where it finds some it goes on at once"
    assert expirer.tick() == 60.0


def test_a_row_that_grew_old_is_found_by_the_next_round_of_the_walk(tm: TaskManager) -> None:
    write(tm, **{f"n{n}": 1.0 for n in range(2_500)})
    expirer = Expirer(tm.database, tm.transitions, DAY, 30 * DAY)
    for _ in range(4):
        expirer.tick()
    c = tm.database.tables.legacy.logged.c
    with tm.database.engine.begin() as connection:
        old = tm.database.clock.now() - timedelta(days=99)
        connection.execute(c.ID.table.update().where(c.JobName == "n1500").values(CreatedAt=old.replace(microsecond=0)))
    for _ in range(4):
        expirer.tick()
    assert "n1500" not in names(tm)


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
