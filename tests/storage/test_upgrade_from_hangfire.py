"""A database that Hangfire.MySqlStorage 2.x made is upgraded in place: every row stays, and .NET goes on with it."""

from __future__ import annotations

import multiprocessing
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect

from taskmanager import TaskManager
from taskmanager.domain.errors import SchemaError
from taskmanager.storage import schema, turns
from tests.conftest import drop_database, new_database, server_of
from tests.storage.schemas import describe, hangfire, rows_of, run_script, show_create, user_who_only_reads

pytestmark = pytest.mark.slow

TABLES = (
    "Job", "JobParameter", "State", "JobState", "JobQueue", "Server", "Set", "Hash", "List", "Counter",
    "AggregatedCounter", "DistributedLock",
)  # fmt: skip

#: What stands in State.Data or in the hash of the recurring job, in unix seconds.
EXACT = {
    "4": 1784520065, "5": 1784520100, "6": 1784520165, "7": 1784520130, "mail:8": 1784520131,
    "täglich": 1784520300, "hourly": 1784523599,
}  # fmt: skip
#: Tables created, foreign keys taken out, tables altered, keys put back, times made exact, later tables created.
STEPS = 5 + 3 + 12 + 3 + 2 + 3


@contextmanager
def empty_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of a product that Hangfire.MySqlStorage supports; its URL."""
    if request.param not in request.config.getoption("--engines").split(","):
        pytest.skip(f"{request.param} is not among --engines")
    server = server_of(request.param)
    made = new_database(server)
    try:
        yield made
    finally:
        drop_database(server, made)


@pytest.fixture(params=["mariadb", "mysql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """One of this test's own."""
    with empty_database(request) as made:
        yield made


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """The same, connected."""
    made = create_engine(url)
    yield made
    made.dispose()


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def everything(engine: Engine, prefix: str) -> dict[str, Any]:
    """All rows of all old tables in their old columns; of scores only what FLOAT keeps."""
    found: dict[str, Any] = {}
    for table in TABLES:
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(f"SELECT * FROM `{prefix}{table}`").mappings().all()
        new = {"Queue", "Priority", "EnqueueKey"} if table == "Job" else {"Priority"} if table == "JobQueue" else set()
        new |= {"Id"} if table == "DistributedLock" else {"Score"} if table == "Set" else set()
        found[table] = sorted(({k: v for k, v in row.items() if k not in new} for row in rows), key=repr)
    return found


def scores(engine: Engine, prefix: str) -> dict[str, float]:
    """What the server compares by; read as it stands, a FLOAT is shown with six digits."""
    with engine.connect() as connection:
        sql = f"SELECT Value, Score + 0e0 FROM `{prefix}Set` WHERE `Key` <> 'retries'"
        rows = connection.exec_driver_sql(sql).all()
    return {str(value): float(score) for value, score in rows}


@dataclass
class Look:
    """What a database looks like at a moment."""

    scores: dict[str, float]
    shapes: dict[str, Any]
    dead_table: str


@dataclass
class Upgraded:
    """A database of Hangfire's without a prefix after its upgrade, and how it was before and right after that."""

    url: str
    engine: Engine
    before: Look
    after: Look
    steps: list[str]


def look(engine: Engine) -> Look:
    return Look(scores(engine, ""), describe(engine), show_create(engine, "JobState"))


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def upgraded(request: pytest.FixtureRequest) -> Iterator[Upgraded]:
    """One for all tests that look at what an upgrade made, or write rows of their own into it: it takes seconds."""
    with empty_database(request) as url:
        engine = create_engine(url)
        hangfire(engine, "")
        with pytest.raises(Exception, match="1366"):
            run(engine, "INSERT INTO List (`Key`, Value) VALUES ('k', '🙂')")
        before = look(engine)
        steps = schema.upgrade(engine, "")
        yield Upgraded(url, engine, before, look(engine), steps)
        engine.dispose()


@pytest.mark.parametrize("prefix", ["", "Hangfire"])
def test_the_tables_get_our_shape_and_every_row_stays(engine: Engine, prefix: str) -> None:
    hangfire(engine, prefix)
    before = everything(engine, prefix)
    # Of a column in its table's own set MariaDB tells the collation, MySQL the set.
    utf8 = "utf8mb3_general_ci" if getattr(engine.dialect, "is_mariadb", False) else "utf8mb3"
    lacking = schema.missing(engine, prefix)
    for sentence in (
        f"column {prefix}Job.Id is INTEGER, BIGINT is needed",
        f"column {prefix}Job.Arguments is {utf8}, utf8mb4_bin is needed",
        f"table {prefix}Job lacks column Queue",
        f"table {prefix}Job lacks index IX_{prefix}Job_ExpireAt on (ExpireAt)",
        f"column {prefix}Set.Score is FLOAT, DOUBLE is needed",
        f"column {prefix}Set.ExpireAt is DATETIME, DATETIME(6) is needed",
        f"column {prefix}Hash.Field is VARCHAR(40), VARCHAR(100) is needed",
        f"table {prefix}DistributedLock lacks column Id",
        f"table {prefix}DistributedLock lacks a primary key",
        f"table {prefix}JobLog is missing",
        "table c_Job is missing",
    ):
        assert sentence in lacking
    steps = schema.upgrade(engine, prefix)
    assert f"created table {prefix}JobLog" in steps
    assert (
        f"altered table {prefix}Counter: Id is BIGINT, Key is utf8mb4_bin, Value is BIGINT, ExpireAt is DATETIME(6)"
        in steps
    )
    assert schema.missing(engine, prefix) == []
    assert schema.current(engine, prefix) == schema.head()
    assert everything(engine, prefix) == before
    assert schema.upgrade(engine, prefix) == []


def test_times_that_float_had_rounded_are_exact_again(upgraded: Upgraded) -> None:
    rounded = upgraded.before.scores
    for value, exact in EXACT.items():
        assert rounded[value] == struct.unpack("f", struct.pack("f", exact))[0]
    assert [rounded[v] for v in EXACT] != list(EXACT.values())
    assert "made the times of 5 scheduled jobs exact" in upgraded.steps
    assert "made the times of 2 recurring jobs exact" in upgraded.steps
    after = upgraded.after.scores
    assert {value: after[value] for value in EXACT} == EXACT
    others = set(after) - set(EXACT)  # disabled, unreadable, set on purpose, or of the application
    assert {value: after[value] for value in others} == {value: rounded[value] for value in others}


def test_a_row_written_by_hand_that_cannot_be_read_stops_nothing(engine: Engine) -> None:
    hangfire(engine, "")
    run(
        engine,
        "UPDATE State SET Data = NULL WHERE Id = 7",
        "UPDATE State SET Data = '[1]' WHERE Id = 8",
        """UPDATE State SET Data = '{"EnqueueAt":{"a":1}}' WHERE Id = 9""",
        """UPDATE State SET Data = '{"EnqueueAt":null}' WHERE Id = 10""",
        """UPDATE State SET Data = '{"EnqueueAt":"2026-13-40T99:99:99Z"}' WHERE Id = 12""",
        "UPDATE Hash SET Value = 'soon' WHERE Id IN (3, 5)",
    )
    assert not any("exact" in step for step in schema.upgrade(engine, ""))
    schema.check(engine, "")


def test_foreign_keys_stay_and_still_cascade(engine: Engine) -> None:
    hangfire(engine, "Hangfire")
    before = {t: d["foreign"] for t, d in describe(engine).items() if d["foreign"]}
    assert set(before) == {"HangfireState", "HangfireJobParameter", "HangfireJobState"}
    schema.upgrade(engine, "Hangfire")
    assert {t: d["foreign"] for t, d in describe(engine).items() if d["foreign"]} == before
    run(engine, "DELETE FROM HangfireJob WHERE Id = 2")
    assert rows_of(engine, "HangfireState", ["Id", "JobId"])[:1] == [(1, 1)]
    assert not [r for r in rows_of(engine, "HangfireState", ["JobId"]) if r == (2,)]
    assert not [r for r in rows_of(engine, "HangfireJobParameter", ["JobId"]) if r == (2,)]
    assert rows_of(engine, "HangfireHash", ["Key"]).count(("taskmanager:schema-upgrade",)) == 0


def test_the_dead_table_only_follows_the_type_of_job_ids(upgraded: Upgraded) -> None:
    before, after = upgraded.before.dead_table, upgraded.after.dead_table
    changed = [line.strip() for line in after.splitlines() if line not in before.splitlines()]
    assert [line.replace("(20)", "") for line in changed if "ENGINE" not in line] == ["`JobId` bigint NOT NULL,"]
    assert "`Id` int" in after
    assert upgraded.after.shapes["JobState"]["columns"][3][1].startswith("VARCHAR")


def test_locks_get_a_primary_key_and_never_a_unique_resource(upgraded: Upgraded) -> None:
    locks = upgraded.after.shapes["DistributedLock"]
    assert locks["primary"] == ["Id"]
    assert not any(unique for _, _, unique in locks["keys"])
    # A .NET server takes a lock over from an expired row by inserting beside it.
    run(
        upgraded.engine,
        "INSERT INTO DistributedLock (Resource, CreatedAt) SELECT 'recurring-jobs:lock', UTC_TIMESTAMP(6) FROM DUAL "
        "WHERE NOT EXISTS (SELECT 1 FROM DistributedLock WHERE Resource = 'recurring-jobs:lock' "
        "AND CreatedAt > UTC_TIMESTAMP() - INTERVAL 30 SECOND)",
    )
    assert len(rows_of(upgraded.engine, "DistributedLock")) == 3


def test_a_dotnet_server_writes_into_the_upgraded_tables_as_before(upgraded: Upgraded) -> None:
    run(
        upgraded.engine,
        "INSERT INTO Job (InvocationData, Arguments, CreatedAt, ExpireAt) VALUES ('{}', '[]', UTC_TIMESTAMP(), NULL)",
        "SET @id = LAST_INSERT_ID()",
        "INSERT INTO JobParameter (JobId, Name, Value) VALUES (@id, 'CurrentCulture', '\"de-DE\"')",
        "INSERT INTO State (JobId, Name, Reason, CreatedAt, Data) "
        "VALUES (@id, 'Enqueued', NULL, UTC_TIMESTAMP(), '{}')",
        "UPDATE Job SET StateId = LAST_INSERT_ID(), StateName = 'Enqueued' WHERE Id = @id",
        "INSERT INTO JobQueue (JobId, Queue) VALUES (@id, 'default')",
        "UPDATE JobQueue SET FetchedAt = UTC_TIMESTAMP(), FetchToken = UUID() "
        "WHERE (FetchedAt IS NULL OR FetchedAt < UTC_TIMESTAMP() - INTERVAL 1800 SECOND) "
        "AND Queue IN ('default') LIMIT 1",
        "INSERT INTO `Set` (`Key`, Value, Score) VALUES ('schedule', '99', 1784520065) "
        "ON DUPLICATE KEY UPDATE Score = VALUES(Score)",
        "INSERT INTO Counter (`Key`, Value, ExpireAt) VALUES ('stats:succeeded', 1, UTC_TIMESTAMP())",
        "INSERT INTO Server (Id, Data, LastHeartbeat) VALUES ('x', '{}', UTC_TIMESTAMP()) "
        "ON DUPLICATE KEY UPDATE Data = VALUES(Data)",
        "INSERT INTO List (`Key`, Value) VALUES ('app:list', 'c')",
    )
    assert scores(upgraded.engine, "")["99"] == 1784520065


def test_our_engine_reads_the_old_jobs_and_adds_its_own(upgraded: Upgraded) -> None:
    tm = TaskManager(database_url=upgraded.url, prefix="", doorbell=False)

    @tm.job
    def greet(name: str) -> None: ...

    try:
        assert [s.name for s in tm.get(2).history] == ["Enqueued", "Processing", "Succeeded"]
        job_id = greet.enqueue("Zoë 🙂")
        assert job_id > 12
        assert tm.get(job_id).state == "Enqueued"
    finally:
        tm.close()


def test_characters_of_four_bytes_fit_and_keys_differ_by_case(upgraded: Upgraded) -> None:
    run(upgraded.engine, "INSERT INTO List (`Key`, Value) VALUES ('k', '🙂')")  # before the upgrade it was refused
    run(upgraded.engine, "INSERT INTO `Set` (`Key`, Value, Score) VALUES ('retries', 'a', 0), ('retries', 'A', 0)")


def test_compact_rows_of_old_servers_are_widened_too(engine: Engine) -> None:
    hangfire(engine, "", options="ROW_FORMAT=COMPACT", unlike="Set")  # whose index did not fit even in utf8mb3
    before = everything(engine, "")
    schema.upgrade(engine, "")
    assert everything(engine, "") == before
    schema.check(engine, "")


def test_what_somebody_widened_already_is_not_narrowed(engine: Engine) -> None:
    hangfire(engine, "")
    run(
        engine,
        "ALTER TABLE Hash MODIFY Field VARCHAR(300) NOT NULL",
        "ALTER TABLE Job ADD COLUMN TenantId INT NOT NULL DEFAULT 7",
    )
    schema.upgrade(engine, "")
    lengths = {c["name"]: getattr(c["type"], "length", None) for c in inspect(engine).get_columns("Hash")}
    assert (lengths["Field"], lengths["Key"]) == (300, 100)
    assert rows_of(engine, "Job", ["TenantId"])[0] == (7,)


def test_indexes_that_another_storage_library_added_are_not_doubled(engine: Engine) -> None:
    hangfire(engine, "Hangfire")
    run(
        engine,
        "ALTER TABLE HangfireSet MODIFY Score DOUBLE NOT NULL",
        "CREATE INDEX IX_Set_KeyScore ON HangfireSet (`Key`, Score, Value)",
        "CREATE INDEX IX_Job_ExpireAt ON HangfireJob (ExpireAt)",
        "CREATE INDEX IX_JobQueue_FetchToken ON HangfireJobQueue (FetchToken)",
        "CREATE INDEX IX_DistributedLock_Resource ON HangfireDistributedLock (Resource, CreatedAt)",
    )
    schema.upgrade(engine, "Hangfire")
    shapes = describe(engine)
    names = {name for table in shapes.values() for name, _, _ in table["keys"]}
    assert not names & {"IX_HangfireSet_Key_Score", "IX_HangfireJob_ExpireAt", "IX_HangfireJobQueue_FetchToken"}
    # Of two indexes on the queue that begin alike, the claim must not be planned on the one that needs a filesort.
    assert "IX_HangfireJobQueue_QueueAndFetchedAt" not in names
    assert "IX_HangfireJobQueue_Claim" in names


class Crash(Exception):
    """The process dies here."""


def test_an_upgrade_that_was_cut_off_after_any_step_goes_on(engine: Engine) -> None:
    hangfire(engine, "Hangfire")
    before = everything(engine, "Hangfire")
    foreign = {t: d["foreign"] for t, d in describe(engine).items() if d["foreign"]}
    done: list[str] = []
    crashes = 0

    def crash_when_new(step: str) -> None:
        is_new = step not in done
        done.append(step)
        if is_new:
            raise Crash(step)

    while crashes < 60:
        try:
            schema.upgrade(engine, "Hangfire", on_step=crash_when_new)
            break
        except Crash:
            crashes += 1
    assert crashes == len(set(done)) == STEPS
    assert len(done) == STEPS + 2 + 1  # the times were rolled back with the crash, and made exact again
    assert scores(engine, "Hangfire") | EXACT == scores(engine, "Hangfire")
    assert everything(engine, "Hangfire") == before
    assert {t: d["foreign"] for t, d in describe(engine).items() if d["foreign"]} == foreign
    schema.check(engine, "Hangfire")


def test_rows_of_jobs_deleted_while_the_keys_were_out_are_deleted_as_the_keys_would_have(engine: Engine) -> None:
    hangfire(engine, "")

    def delete_meanwhile(step: str) -> None:
        if step.startswith("altered table Job: "):
            run(engine, "DELETE FROM Job WHERE Id = 2")

    schema.upgrade(engine, "", on_step=delete_meanwhile)
    assert not [r for r in rows_of(engine, "State", ["JobId"]) if r == (2,)]
    assert not [r for r in rows_of(engine, "JobParameter", ["JobId"]) if r == (2,)]
    assert len(rows_of(engine, "State")) == 13


def _upgrade_at_once(url: str, start: Barrier, results: Any) -> None:
    engine = create_engine(url)
    start.wait(30)
    results.put(schema.upgrade(engine, "Hangfire"))
    engine.dispose()


def test_two_processes_that_upgrade_at_the_same_moment_do_each_step_once(engine: Engine, url: str) -> None:
    hangfire(engine, "Hangfire")
    before = everything(engine, "Hangfire")
    spawn = multiprocessing.get_context("spawn")
    start, results = spawn.Barrier(3), spawn.Queue()
    processes = [spawn.Process(target=_upgrade_at_once, args=(url, start, results)) for _ in range(2)]
    for process in processes:
        process.start()
    start.wait(60)
    steps = sorted((results.get(timeout=100) for _ in processes), key=len)
    for process in processes:
        process.join(30)
    assert [p.exitcode for p in processes] == [0, 0]
    assert steps[0] == []
    assert len(steps[1]) == STEPS
    assert everything(engine, "Hangfire") == before
    schema.check(engine, "Hangfire")


def _upgrade_unlocked(url: str, start: Barrier, results: Any) -> None:
    """As on two nodes of a Galera cluster, where GET_LOCK gives each node's lock to its own client."""
    turns._digest = lambda words: os.urandom(32)
    _upgrade_at_once(url, start, results)


def test_two_nodes_that_know_nothing_of_each_others_locks_end_well(engine: Engine, url: str) -> None:
    hangfire(engine, "Hangfire")
    before = everything(engine, "Hangfire")
    foreign = {t: d["foreign"] for t, d in describe(engine).items() if d["foreign"]}
    spawn = multiprocessing.get_context("spawn")
    start, results = spawn.Barrier(3), spawn.Queue()
    processes = [spawn.Process(target=_upgrade_unlocked, args=(url, start, results)) for _ in range(2)]
    for process in processes:
        process.start()
    start.wait(60)
    for process in processes:
        process.join(100)
    assert [p.exitcode for p in processes] == [0, 0]
    assert sum(len(results.get(timeout=10)) for _ in processes) >= STEPS
    assert everything(engine, "Hangfire") == before
    assert {t: d["foreign"] for t, d in describe(engine).items() if d["foreign"]} == foreign
    assert scores(engine, "Hangfire") | EXACT == scores(engine, "Hangfire")
    schema.check(engine, "Hangfire")


def test_the_sql_written_without_looking_does_the_same(engine: Engine) -> None:
    hangfire(engine, "Hangfire")
    product = "mariadb" if getattr(engine.dialect, "is_mariadb", False) else "mysql"
    _compare_by_hand(engine, schema.offline_sql(product, "Hangfire", schema.HANGFIRE_MYSQLSTORAGE))


def test_the_pending_sql_of_this_very_database_does_the_same(engine: Engine) -> None:
    hangfire(engine, "Hangfire")
    run(engine, "ALTER TABLE HangfireHash MODIFY Field VARCHAR(200) NOT NULL")
    _compare_by_hand(engine, schema.pending_sql(engine, "Hangfire"), "HangfireHash")


def _compare_by_hand(engine: Engine, sql: str, unlike: str = "") -> None:
    """Run the SQL as a DBA; then upgrade a fresh old database by program, and see that both are the same."""
    before = everything(engine, "Hangfire")
    run_script(engine, sql)
    schema.check(engine, "Hangfire")
    assert schema.upgrade(engine, "Hangfire") == []
    assert everything(engine, "Hangfire") == before
    by_hand, scored = describe(engine), scores(engine, "Hangfire")
    assert scored | EXACT == scored
    run(engine, "SET foreign_key_checks = 0", *(f"DROP TABLE `{name}`" for name in by_hand))
    engine.dispose()
    hangfire(engine, "Hangfire")
    schema.upgrade(engine, "Hangfire")
    assert {k: v for k, v in describe(engine).items() if k != unlike} == {
        k: v for k, v in by_hand.items() if k != unlike
    }
    assert scores(engine, "Hangfire") == scored


def test_legacy_tables_of_whatever_shape_are_not_altered(engine: Engine) -> None:
    hangfire(engine, "")
    run(
        engine,
        "CREATE TABLE c_Job (ID BIGINT AUTO_INCREMENT PRIMARY KEY, lkpJob VARCHAR(50)) DEFAULT CHARSET latin1",
        "CREATE TABLE c_LoggedJob (ID BIGINT PRIMARY KEY, Success BIT, RunDate DATETIME) DEFAULT CHARSET latin1",
        "INSERT INTO c_LoggedJob VALUES (1, 1, NOW())",
    )
    before = show_create(engine, "c_Job"), show_create(engine, "c_LoggedJob"), rows_of(engine, "c_LoggedJob")
    steps = schema.upgrade(engine, "")
    assert [s for s in steps if " c_" in s] == ["created table c_JobAlert", "created table c_JobAlertRecipient"]
    assert (show_create(engine, "c_Job"), show_create(engine, "c_LoggedJob"), rows_of(engine, "c_LoggedJob")) == before
    schema.check(engine, "")


def test_a_table_of_the_application_that_refers_to_job_ids_is_named_before_anything_changes(engine: Engine) -> None:
    hangfire(engine, "")
    run(
        engine,
        "CREATE TABLE Orders (Id INT PRIMARY KEY, JobId INT, CONSTRAINT FK_Orders_Job FOREIGN KEY (JobId) "
        "REFERENCES Job (Id))",
    )
    before = {t: show_create(engine, t) for t in TABLES}
    with pytest.raises(SchemaError, match="FK_Orders_Job of table Orders"):
        schema.upgrade(engine, "")
    assert {t: show_create(engine, t) for t in TABLES} == before
    run(engine, "ALTER TABLE Orders DROP FOREIGN KEY FK_Orders_Job")
    schema.upgrade(engine, "")
    schema.check(engine, "")


def test_a_user_who_may_not_alter_tables_gets_the_list_and_changes_nothing(engine: Engine, url: str) -> None:
    hangfire(engine, "")
    before = describe(engine)
    with user_who_only_reads(url) as reading:
        if reading is None:
            pytest.skip("the user of this server may not grant rights")
        reader = create_engine(reading)
        for verb in (schema.check, schema.upgrade):
            with pytest.raises(SchemaError) as refused:
                verb(reader, "")
            for sentence in schema.missing(engine, ""):
                assert f"- {sentence}\n" in str(refused.value)
            assert "taskmanager db upgrade --sql" in str(refused.value)
        pending = schema.pending_sql(reader, "")
        reader.dispose()
    assert describe(engine) == before
    run_script(engine, pending)
    schema.check(engine, "")
