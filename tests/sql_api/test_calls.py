"""Calls from where SQL users call: bare, in transactions, from triggers and events, with few rights; and refusals."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import sql_api, structures
from taskmanager.storage.database import Database
from tests.sql_api.conftest import Sql
from tests.sql_api.shots import empty

HERE = __name__


def greet(name: str) -> str:
    return f"hello {name}"


def count(tm: TaskManager) -> int:
    """How many rows the tables of jobs hold."""
    t = tm.database.tables
    with tm.database.engine.connect() as connection:
        return sum(len(connection.execute(table.select()).all()) for table in (t.job, t.state, t.queue, t.set))


REFUSED = [
    (("tm_enqueue_v1", "greet", "[]", "default"), "job 'greet': write module:function or module.function"),
    (("tm_enqueue_v1", "a:b:c", "[]", "default"), "job 'a:b:c': write module:function"),
    (("tm_enqueue_v1", ":x", "[]", "default"), "job ':x': write module:function"),
    (("tm_enqueue_v1", "shop.", "[]", "default"), "job 'shop.': write module:function"),
    (("tm_enqueue_v1", "rm -rf.x", "[]", "default"), "job 'rm -rf.x': write module:function"),
    (("tm_enqueue_v1", None, "[]", "default"), "job NULL: write module:function"),
    (("tm_enqueue_v1", "shop:f", "[]", "Mail!"), "queue 'Mail!': a queue name has 1 to 50 of the characters a-z, 0-9"),
    (("tm_enqueue_v1", "shop:f", "[]", ""), "queue '': a queue name has 1 to 50"),
    (("tm_enqueue_v1", "shop:f", "[]", "q" * 51), "a queue name has 1 to 50"),
    (("tm_enqueue_v1", "shop:f", "[]", "mail\n"), "a queue name has 1 to 50"),
    (("tm_enqueue_v1", "shop:f", "[1,", "default"), "the arguments of shop:f are not valid JSON: write "),
    (("tm_enqueue_v1", "shop:f", "", "default"), "the arguments of shop:f are not valid JSON"),
    (("tm_enqueue_v1", "shop:f", "hello", "default"), "the arguments of shop:f are not valid JSON"),
    (
        ("tm_enqueue_v1", "shop:f", '{"a": 1}', "default"),
        "the arguments of shop:f are JSON object, not an array: write",
    ),
    (("tm_enqueue_v1", "shop:f", "null", "default"), "the arguments of shop:f are JSON null, not an array"),
    (("tm_enqueue_v1", "m" * 300 + ".f", "x", "default"), "the arguments of mmmm"),
    (("tm_schedule_v1", "shop:f", "[]", "default", None), "the moment of shop:f is NULL: give"),
    (("tm_requeue_v1", 4711, None), "there is no job 4711: it never existed, or has expired"),
    (("tm_delete_v1", 4711, None), "there is no job 4711: it never existed, or has expired"),
    (("tm_trigger_recurring_v1", "nightly"), "there is no recurring job 'nightly': `taskmanager recurring list` shows"),
    (("tm_pause_recurring_v1", "night's"), "there is no recurring job 'night"),
    (("tm_resume_recurring_v1", "x" * 300), "there is no recurring job 'xxx"),
    (("tm_resume_recurring_v1", None), "there is no recurring job NULL"),
    (("tm_trigger_recurring_v1", "c_job:5"), "recurring job 'c_job:5' is a row of c_Job: UPDATE its"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_wrong_is_told_with_its_name_and_the_cure(tm: TaskManager, sql: Sql, number: int) -> None:
    (name, *values), expected = REFUSED[number]
    answers = name in ("tm_enqueue_v1", "tm_schedule_v1", "tm_trigger_recurring_v1")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the driver's own, different ones
        sql.call(name, *values, answers=answers)
    assert expected in str(caught.value)
    assert count(tm) == 0
    assert sql.run("SELECT 1")[0][0] == 1, "the connection goes on"


def test_an_unreadable_definition_is_told(tm: TaskManager, sql: Sql) -> None:
    tm.recurring("odd", tm.job(greet), cron="0 2 * * *", args=("x",))
    for stored in ("", "no JSON", "[]", '{"t": "shop"}'):
        with tm.database.engine.begin() as connection:
            hash_ = tm.database.tables.hash
            connection.execute(hash_.update().where(hash_.c.Field == "Job").values(Value=stored))
        with pytest.raises(Exception, match="definition of recurring job 'odd' cannot be read: write it anew"):
            sql.trigger("odd")


# -- transactions -------------------------------------------------------------------------------------------------


def test_a_rolled_back_caller_leaves_nothing(tm: TaskManager, sql: Sql) -> None:
    kept = sql.enqueue(f"{HERE}:greet", '["kept"]')
    before = count(tm)
    sql.run("BEGIN")
    sql.enqueue(f"{HERE}:greet", '["x"]')
    sql.delete(kept)
    sql.run("ROLLBACK")
    assert count(tm) == before
    assert tm.get(kept).state == "Enqueued"


def test_a_committed_caller_has_the_job_performed(tm: TaskManager, sql: Sql, hands: Any) -> None:
    sql.run("BEGIN")
    job_id = sql.enqueue(f"{HERE}:greet", '["you"]')
    tm.job(greet)
    worker = hands()
    assert worker.work() == 0
    sql.run("COMMIT")
    assert worker.work() == 1
    assert tm.get(job_id).result == "hello you"


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_it_works_at_every_isolation_and_with_autocommit_off(tm: TaskManager, connect: Any, level: str) -> None:
    sql = connect()
    if sql.is_postgresql:
        sql.run(f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}")
    else:
        sql.run(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
        sql.run("SET autocommit = 0")
    rounds = []
    for end in ("ROLLBACK", "COMMIT"):
        if sql.is_postgresql:
            sql.run("BEGIN")
        job_id = sql.enqueue(f"{HERE}:greet", '["x"]')
        sql.requeue(job_id)
        sql.delete(job_id)
        sql.run(end)
        rounds.append(job_id)
    assert [r.state for r in (tm.get(rounds[1]),)] == ["Deleted"]
    assert len(tm.get(rounds[1]).history) == 3
    with tm.database.engine.connect() as connection:
        assert len(connection.execute(tm.database.tables.job.select()).all()) == 1


@pytest.mark.parametrize("inside", [False, True])
def test_a_call_that_fails_half_way_leaves_nothing_of_itself(tm: TaskManager, sql: Sql, inside: bool) -> None:
    empty(tm)
    member = {"Key": "schedule", "Value": f"default:{2 if inside else 1}", "Score": 0}
    with tm.database.engine.begin() as connection:
        connection.execute(tm.database.tables.set.insert().values(member))
    if inside:
        sql.run("BEGIN")
        sql.enqueue(f"{HERE}:greet", '["mine"]')
        if sql.is_postgresql:
            sql.run("SAVEPOINT mine")
    before = count(tm)
    with pytest.raises(Exception, match=r"[Dd]uplicate"):
        sql.call("tm_schedule_v1", f"{HERE}:greet", "[]", "default", "2030-01-01 00:00:00", answers=True)
    if inside:
        if sql.is_postgresql:
            sql.run("ROLLBACK TO SAVEPOINT mine")
        sql.run("COMMIT")
    assert count(tm) == before + (3 if inside else 0)


def test_the_callers_own_last_insert_id_stays(tm: TaskManager, sql: Sql) -> None:
    if sql.is_postgresql:
        pytest.skip("only MySQL and MariaDB have LAST_INSERT_ID()")
    sql.run("DROP TABLE IF EXISTS own")
    sql.run("CREATE TABLE own (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 900")
    sql.run("INSERT INTO own VALUES ()")
    sql.requeue(sql.enqueue(f"{HERE}:greet"))
    assert sql.run("SELECT LAST_INSERT_ID()")[0][0] == 900
    sql.run("DROP TABLE own")


@pytest.mark.parametrize("mode", ["SQL_SAFE_UPDATES = 1", "sql_mode = 'ANSI'", "sql_mode = 'NO_BACKSLASH_ESCAPES'",
                                  "NAMES latin1", "time_zone = '+13:00'"])  # fmt: skip
def test_a_sessions_own_modes_do_not_matter(tm: TaskManager, sql: Sql, hands: Any, mode: str) -> None:
    if sql.is_postgresql:
        mode = {"NAMES latin1": "client_encoding = 'latin1'"}.get(mode, "timezone = 'Pacific/Auckland'")
    sql.run(f"SET {mode}")
    job_id = sql.enqueue(f"{HERE}:greet", '["back\\\\slash \\"q\\" \\u00e9"]')
    sql.requeue(job_id)
    tm.job(greet)
    tm.recurring("one", tm.job(greet), cron="0 2 * * *", args=("x",))
    sql.call("tm_pause_recurring_v1", "one")
    sql.call("tm_resume_recurring_v1", "one")
    sql.delete(sql.trigger("one"))
    assert hands().work() == 1
    assert tm.get(job_id).result == 'hello back\\slash "q" é'
    latency = tm.database.read(lambda tx: tx.now()) - tm.get(job_id).created_at
    assert abs(latency.total_seconds()) < 60


# -- triggers and events ------------------------------------------------------------------------------------------


@pytest.fixture
def orders(sql: Sql) -> Iterator[str]:
    """A user's own table, with a trigger that enqueues."""
    making: tuple[str, ...]
    if sql.is_postgresql:
        making = (
            "CREATE TABLE orders (id serial PRIMARY KEY, mail text)",
            "CREATE FUNCTION order_mail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM tm_enqueue_v1("
            f"'{HERE}:greet', json_build_array(NEW.mail)::text, NEW.mail); RETURN NEW; END $$",
            "CREATE TRIGGER order_mail AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION order_mail()",
        )
    else:
        making = (
            "CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, mail VARCHAR(100)) ENGINE=InnoDB",
            "CREATE TRIGGER order_mail AFTER INSERT ON orders FOR EACH ROW "
            f"CALL tm_enqueue_v1('{HERE}:greet', JSON_ARRAY(NEW.mail), NEW.mail, @job)",
        )
    for statement in ("DROP TABLE IF EXISTS orders", *making):
        sql.run(statement)
    yield "orders"
    sql.run("DROP TABLE orders")
    if sql.is_postgresql:
        sql.run("DROP FUNCTION order_mail")


def test_a_trigger_enqueues_within_the_callers_transaction(tm: TaskManager, sql: Sql, hands: Any, orders: str) -> None:
    sql.run("BEGIN")
    sql.run("INSERT INTO orders (mail) VALUES ('default'), ('default')")
    sql.run("ROLLBACK")
    assert count(tm) == 0
    assert sql.run("SELECT COUNT(*) FROM orders")[0][0] == 0
    sql.run("INSERT INTO orders (mail) VALUES ('default'), ('default')")
    sql.run("BEGIN")
    sql.run("INSERT INTO orders (mail) VALUES ('default')")
    sql.run("COMMIT")
    tm.job(greet)
    assert hands().work() == 3
    with tm.database.engine.connect() as connection:
        ids = [row.Id for row in connection.execute(tm.database.tables.job.select())]
    assert [tm.get(i).result for i in ids] == ["hello default"] * 3


def test_what_a_trigger_refuses_the_statement_does_not_do(tm: TaskManager, sql: Sql, orders: str) -> None:
    with pytest.raises(Exception, match="queue 'Not a queue': a queue name has 1 to 50"):
        sql.run("INSERT INTO orders (mail) VALUES ('default'), ('Not a queue')")
    assert sql.run("SELECT COUNT(*) FROM orders")[0][0] == 0
    assert count(tm) == 0


def test_an_event_enqueues(tm: TaskManager, sql: Sql) -> None:
    if sql.is_postgresql:
        pytest.skip("PostgreSQL has no events")
    before = sql.run("SELECT @@event_scheduler")[0][0]
    sql.run("SET GLOBAL event_scheduler = ON")
    try:
        sql.run(
            f"CREATE EVENT soon ON SCHEDULE AT NOW() DO CALL tm_enqueue_v1('{HERE}:greet', '[\"e\"]', 'default', @j)"
        )
        deadline = time.monotonic() + 10
        while count(tm) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        sql.run("DROP EVENT IF EXISTS soon")
        sql.run(f"SET GLOBAL event_scheduler = {before}")


# -- doorbells and rights -----------------------------------------------------------------------------------------


def test_a_sleeping_worker_is_woken(tm: TaskManager, connect: Any) -> None:
    sql, sleeper = connect(), connect()
    guid = "b" * 32
    if sleeper.is_postgresql:
        sleeper.run(f'LISTEN "taskmanager_{guid}"')
        member = f"0:{guid}"
    else:
        member = f"{sleeper.run('SELECT CONNECTION_ID()')[0][0]}:{guid}"
    others = {"gone": 1, "999999999:" + guid: 1, "0:" + guid: 1, f"0:{'long' * 40}": 1}
    tm.database.run(lambda tx: structures.put(tx, "doorbells", {member: 1, **others}))
    woken: list[float] = []

    def sleep() -> None:
        if sleeper.is_postgresql:
            list(sleeper.connection.notifies(timeout=5, stop_after=1))
        else:
            with contextlib.suppress(Exception):  # MariaDB: 1317, interrupted
                sleeper.run("SELECT SLEEP(5)")
        woken.append(time.monotonic())

    thread = threading.Thread(target=sleep)
    thread.start()
    time.sleep(0.3)
    rang = time.monotonic()
    sql.enqueue(f"{HERE}:greet", '["x"]')
    thread.join()
    assert woken[0] - rang < 2
    time.sleep(0.01)
    job_id = sql.enqueue(f"{HERE}:greet", '["x"]')
    sql.requeue(job_id)


def test_a_user_who_may_only_call_calls(tm: TaskManager, connect: Any) -> None:
    """Without any right on the tables."""
    sql = connect()
    database = tm.database.engine.url.database
    user = f"u_{str(database)[-8:]}"
    who = user if sql.is_postgresql else f"'{user}'@'%'"
    if sql.is_postgresql:
        make = f"CREATE ROLE {who} LOGIN PASSWORD 'calls'"
        grant = f"GRANT EXECUTE ON FUNCTION tm_enqueue_v1 TO {who}"
    else:
        make = f"CREATE USER {who} IDENTIFIED BY 'calls'"
        grant = f"GRANT EXECUTE ON PROCEDURE tm_enqueue_v1 TO {who}"
    sql.run(f"DROP {'ROLE' if sql.is_postgresql else 'USER'} IF EXISTS {who}")
    sql.run(make)
    try:
        sql.run(grant)
        clerk = connect(user, "calls")
        job_id = clerk.enqueue(f"{HERE}:greet", '["clerk"]')
        assert tm.get(job_id).state == "Enqueued"
        with pytest.raises(Exception, match="denied"):
            clerk.delete(job_id)
        quote = tm.database.product.quote
        with pytest.raises(Exception, match="denied"):
            clerk.run(f"SELECT * FROM {quote('HangfireJob')}")
    finally:
        if sql.is_postgresql:
            sql.run(f"DROP OWNED BY {who}")
        sql.run(f"DROP {'ROLE' if sql.is_postgresql else 'USER'} IF EXISTS {who}")


def test_an_installer_who_may_not_ring_fails_nobodys_call(tm: TaskManager, connect: Any) -> None:
    sql, sleeper = connect(), connect()
    if sql.is_postgresql:
        pytest.skip("on PostgreSQL everybody may notify")
    url = tm.database.engine.url
    who = f"i_{str(url.database)[-8:]}"
    sql.run(f"DROP USER IF EXISTS '{who}'@'%'")
    sql.run(f"CREATE USER '{who}'@'%' IDENTIFIED BY 'installs'")
    member = f"{sleeper.run('SELECT CONNECTION_ID()')[0][0]}:{'c' * 32}"
    tm.database.run(lambda tx: structures.put(tx, "doorbells", {member: 1}))
    own = Database(url.set(username=who, password="installs"))
    try:
        sql.run(f"GRANT ALL ON `{url.database}`.* TO '{who}'@'%'")
        sql_api.drop(tm.database.engine, "Hangfire")
        sql_api.install(own.engine, sql_api.Options())
        assert tm.get(sql.enqueue(f"{HERE}:greet", '["x"]')).state == "Enqueued"
    finally:
        own.dispose()
        sql_api.drop(tm.database.engine, "Hangfire")
        sql.run(f"DROP USER '{who}'@'%'")
