"""Notifications to a user: kept briefly, in order, bounded, whoever sends them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from taskmanager import JobContext, TaskManager, job
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.notifications import LONGEST_MESSAGE, TYPES, Notification
from taskmanager.server.upkeep import Expirer
from taskmanager.storage import notifications as rows
from taskmanager.storage.transaction import Tx


def messages(tm: TaskManager, user: str, last: int = 0) -> list[tuple[str, str]]:
    return [(one.type, one.message) for one in tm.notifications.after(user, last)]


@job(retries=0)
def provision(ctx: JobContext, user: str) -> None:
    ctx.notify(user, "Info", "begun")
    ctx.notify(user, "Success", "Tenant ready")


@job(retries=0, isolate=True)
def provision_apart(ctx: JobContext, user: str) -> None:
    ctx.notify(user, "Success", "Tenant ready, far away: žluť 🚀")


@job(retries=0)
def fail(ctx: JobContext, user: str) -> None:
    ctx.notify(user, "Error", "Provisioning failed: no disk")
    raise OSError("no disk")


@job(retries=0)
def misuse(ctx: JobContext) -> None:
    ctx.notify("ann", "success", "x")


def test_a_job_tells_a_user_and_nobody_else(tm: TaskManager, hands: Callable[..., Any]) -> None:
    tm.enqueue(provision, "ann")
    assert hands().work() == 1
    assert messages(tm, "ann") == [("Info", "begun"), ("Success", "Tenant ready")]
    first = tm.notifications.after("ann")[0]
    assert first.at is not None
    assert abs((tm.database.clock.now() - first.at).total_seconds()) < 60
    assert messages(tm, "ann", first.id) == [("Success", "Tenant ready")]
    for other in ("Ann", "ann ", "bob", "ánn"):
        assert messages(tm, other) == [], f"{other!r} is another user, whatever the collation"
        assert tm.notifications.newest(other) == 0


@pytest.mark.one_server
def test_a_job_in_a_process_of_its_own_tells_too(tm: TaskManager, hands: Callable[..., Any]) -> None:
    tm.enqueue(provision_apart, "ann")
    assert hands().work() == 1
    assert messages(tm, "ann") == [("Success", "Tenant ready, far away: žluť 🚀")]


def test_what_a_failed_job_told_stays_told(tm: TaskManager, hands: Callable[..., Any]) -> None:
    number = tm.enqueue(fail, "ann")
    hands().work()
    assert tm.get(number).state == "Failed"
    assert messages(tm, "ann") == [("Error", "Provisioning failed: no disk")]


@pytest.mark.one_server
def test_a_job_with_a_wrong_type_fails_with_the_cure(tm: TaskManager, hands: Callable[..., Any]) -> None:
    number = tm.enqueue(misuse)
    hands().work()
    text = tm.get(number).current.data["ExceptionMessage"]  # type: ignore[union-attr]
    assert text == (
        "a notification's type is one of Success, Error, Info, Warning, not 'success'; did you mean 'Success'?"
    )


@pytest.mark.parametrize("user", ["", "  ", None, 7, "u" * 256])
@pytest.mark.one_server
def test_a_user_is_named_by_a_text_of_bounded_length(tm: TaskManager, user: Any) -> None:
    with pytest.raises(InvalidArgument, match="user's name"):
        tm.notify(user, "Info", "x")


def test_texts_are_stored_as_they_are_and_bounded(tm: TaskManager) -> None:
    with pytest.raises(InvalidArgument, match="message is a text, not int: 7"):
        tm.notify("ann", "Info", 7)  # type: ignore[arg-type]
    for kind in TYPES:
        tm.notify("ü" * 255, kind, "<b>ř</b>\0 \ud800")
    assert messages(tm, "ü" * 255) == [(kind, "<b>ř</b>� ?") for kind in TYPES]
    tm.notify("ann", "Info", "x" * 1_000_000)
    ((_, cut),) = messages(tm, "ann")
    assert (len(cut), cut[-1]) == (LONGEST_MESSAGE, "…")


def test_of_one_user_the_newest_hundred_are_kept(tm: TaskManager) -> None:
    tm.notify("bob", "Info", "mine")
    for number in range(rows.MOST + 5):
        tm.notify("ann", "Info", str(number))
    assert [text for _, text in messages(tm, "ann")] == [str(n) for n in range(5, rows.MOST + 5)]
    assert messages(tm, "bob") == [("Info", "mine")]


def test_they_are_gone_after_their_time(tm: TaskManager) -> None:
    tm.notify("ann", "Info", "old")
    tm.testing.move_time(tm.settings.notification_retention_seconds - 10)
    assert messages(tm, "ann") == [("Info", "old")]
    last = tm.notify("ann", "Info", "new")
    tm.testing.move_time(20)
    assert messages(tm, "ann") == [("Info", "new")], "one past its time is not shown, deleted or not"
    Expirer(tm.database, tm.transitions, 1e9).tick()
    assert (_count(tm, "list"), _count(tm, "set")) == (1, 1)
    tm.testing.move_time(tm.settings.notification_retention_seconds)
    Expirer(tm.database, tm.transitions, 1e9).tick()
    assert (_count(tm, "list"), _count(tm, "set")) == (0, 0)
    assert tm.notify("ann", "Info", "again") > last, "who knows an older id misses nothing"


def test_news_of_many_users_are_read_at_once(tm: TaskManager) -> None:
    known = {name: tm.notify(name, "Info", "before") for name in ("ann", "bob", "eve")} | {"nobody": 0}
    assert tm.notifications.news(known, patience=5) == {}
    tm.notify("bob", "Warning", "careful")
    found = tm.notifications.news(known, patience=5)
    assert {user: [one.message for one in told] for user, told in found.items()} == {"bob": ["careful"]}
    assert tm.notifications.news({}, patience=5) == {}


def test_ids_of_one_user_become_visible_in_their_order(tm: TaskManager) -> None:
    """Else a page that has seen the higher one would never ask for the lower."""
    holding, go = threading.Event(), threading.Event()

    def slowly(tx: Tx) -> int:
        number = rows.sending(Notification("ann", "Info", "first"), 600)(tx)
        holding.set()
        go.wait(30)
        return number

    first: list[int] = []
    second: list[int] = []
    one = threading.Thread(target=lambda: first.append(tm.database.run(slowly)))
    other = threading.Thread(target=lambda: second.append(tm.notify("ann", "Info", "second")))
    one.start()
    assert holding.wait(30)
    other.start()
    other.join(0.5)
    assert second == [], "it waits for who told the same user before"
    go.set()
    one.join(30)
    other.join(30)
    assert first[0] < second[0]
    assert [text for _, text in messages(tm, "ann")] == ["first", "second"]


def test_one_that_was_written_though_its_commit_was_in_doubt_is_not_doubled(tm: TaskManager) -> None:
    work = rows.sending(Notification("ann", "Info", "once"), 600)
    number = tm.database.run(work)
    assert tm.database.run(work) == number
    assert messages(tm, "ann") == [("Info", "once")]
    assert tm.notifications.news({"ann": 0}, patience=5)["ann"][0].id == number


def _count(tm: TaskManager, table: str) -> int:
    sought = select(func.count()).select_from(getattr(tm.database.tables, table))
    with tm.database.engine.connect() as connection:
        return int(connection.execute(sought).scalar_one())
