"""Tags and declared search keys: written with the job, in its transaction; nothing for jobs that have none."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, select

from taskmanager import ConfigurationError, InvalidArgument, TaskManager
from taskmanager.domain import tags
from taskmanager.domain.states import Enqueued
from taskmanager.engine.client import NewJob, new_key
from taskmanager.storage import expiry
from taskmanager.storage.monitoring_filters import Term, Wanted
from taskmanager.storage.monitoring_lists import page


def plain(order_id: int) -> None: ...


def _declared(tm: TaskManager) -> Any:
    @tm.job(tags=["Shop", "mail"], search=["order_id", "who"])
    def ship(order_id: int, note: str = "", who: str = "nobody", where: list[str] | None = None) -> None: ...

    return ship


def rows(tm: TaskManager) -> list[tuple[int, str, str]]:
    c = tm.database.tables.tag.c
    with tm.database.engine.connect() as connection:
        found = connection.execute(select(c.JobId, c.Name, c.Value).order_by(c.JobId, c.Name, c.Value))
        return [(int(r[0]), r[1], r[2]) for r in found]


def found(tm: TaskManager, *terms: Term, states: tuple[str, ...] = ()) -> list[int]:
    return [r.id for r in tm.database.read(lambda tx: page(tx, Wanted(states, terms), limit=50)).rows]


def test_tags_of_function_and_enqueue_and_declared_arguments_are_indexed(tm: TaskManager) -> None:
    ship = _declared(tm)
    one = ship.options(tags=["VIP", "mail"]).enqueue(42, who="Žofie")
    two = ship.enqueue("43", "a note")
    assert rows(tm) == [
        (one, "arg.order_id", "42"), (one, "arg.who", "Žofie"), (one, "tag", "mail"), (one, "tag", "shop"),
        (one, "tag", "vip"), (two, "arg.order_id", "43"), (two, "tag", "mail"), (two, "tag", "shop"),
    ]  # fmt: skip
    assert tags.of_parameter(tm.get(one).parameters[tags.PARAMETER]) == ("Shop", "mail", "VIP")
    assert found(tm, Term("tag", (("tag", "vip"),))) == [one]
    assert found(tm, Term("tag", (("tag", "shop"),))) == [two, one]
    assert found(tm, Term("key", (("arg.order_id", "43"),))) == [two]
    assert found(tm, Term("tag", (("tag", "vip"),), negated=True)) == [two]
    assert found(tm, Term("tag", (("tag", "vip"), ("tag", "shop")))) == [two, one]
    tm.delete(two)
    assert found(tm, Term("tag", (("tag", "shop"),)), states=("Deleted",)) == [two]
    assert found(tm, Term("tag", (("tag", "shop"),)), Term("key", (("arg.order_id", "42"),))) == [one]


def test_a_job_without_tags_sends_no_further_statement(tm: TaskManager) -> None:
    sent: list[str] = []
    tm.enqueue(plain, 1)

    @event.listens_for(tm.database.engine, "before_cursor_execute")
    def heard(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    tm.enqueue(plain, 2)
    tm.enqueue_many(plain, [(3,), (4,)])
    assert not [one for one in sent if tm.database.tables.tag.name in one]
    assert rows(tm) == []


def test_many_jobs_write_their_tags_at_once_and_a_callers_rollback_takes_them_away(tm: TaskManager) -> None:
    ship = _declared(tm)
    ids = tm.enqueue_many(ship, [(n,) for n in range(5)], tags=("bulk",))
    assert len(rows(tm)) == 5 * 4
    assert found(tm, Term("tag", (("tag", "bulk"),))) == ids[::-1]
    with tm.database.engine.connect() as connection:
        connection.begin()
        ship.enqueue(session=connection, order_id=9)
        connection.rollback()
    assert len(rows(tm)) == 5 * 4


def test_tags_are_given_to_each_job_and_as_they_are_searched_for(tm: TaskManager) -> None:
    decorated = tm.job(tags=(one for one in [" Shop ", "shop"]))(plain)
    ids = tm.enqueue_many(decorated, [(1,), (2,)], tags=(one for one in ["bulk", "vip"]))
    assert rows(tm) == [(one, "tag", tag) for one in ids for tag in ("bulk", "shop", "vip")]
    assert tm.get(ids[1]).parameters[tags.PARAMETER] == '["Shop", "bulk", "vip"]'


def test_a_run_of_a_recurring_job_has_the_tags_of_its_function(tm: TaskManager) -> None:
    tm.recurring("shipping", _declared(tm), args=(7,), cron="0 2 * * *")
    job_id = tm.trigger("shipping")
    assert (job_id, "arg.order_id", "7") in rows(tm)
    assert (job_id, "tag", "shop") in rows(tm)


def test_a_job_that_is_made_from_another_has_its_tags(tm: TaskManager) -> None:
    one = tm.enqueue(plain, 1, tags=["vip"])
    call = tm.definition(plain).invocation((2,), {})
    two = tm.client.create_from(one, NewJob(call, Enqueued(queue="default"), "default"), key=new_key())
    assert rows(tm) == [(one, "tag", "vip"), (two, "tag", "vip")]


def test_tags_go_with_the_job(tm: TaskManager) -> None:
    gone, kept = tm.enqueue_many(_declared(tm), [(1,), (2,)])
    tm.database.run(lambda tx: expiry.remove_jobs(tx, [gone]))
    assert {job for job, _, _ in rows(tm)} == {kept}


@pytest.mark.one_server
def test_what_cannot_be_a_tag_or_key_is_refused(tm: TaskManager) -> None:
    for wrong in ("vip", ["a" * 61], ["a,b"], ['a"b'], [""], [3], [f"t{n}" for n in range(11)]):
        with pytest.raises(InvalidArgument):
            tm.enqueue(plain, 1, tags=wrong)
        with pytest.raises(ConfigurationError):
            tm.job(tags=wrong)(plain)
    with pytest.raises(ConfigurationError, match="no argument 'customer'"):
        tm.job(search=["customer"])(plain)
    assert rows(tm) == []


def test_long_values_are_cut_where_they_are_indexed(tm: TaskManager) -> None:
    ship = _declared(tm)
    job_id = ship.enqueue(1, who="ž" * 5000)
    assert (job_id, "arg.who", "ž" * tags.INDEXED) in rows(tm)
    assert found(tm, Term("key", (tags.indexed_argument("who", "ž" * 5000),))) == [job_id]
