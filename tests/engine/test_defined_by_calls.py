"""Recurring jobs that the application's modules define by a call of `tm.recurring` are definitions of the code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskmanager import TaskManager
from taskmanager.engine.definitions import version
from tests.engine.test_restoring import edit

pytestmark = pytest.mark.one_server

MODULE = """
from taskmanager import current

tm = current()


@tm.job
def sweep(table: str) -> str:
    return table


for table in {tables}:
    tm.recurring(f"sweep-{{table}}", sweep, args=(table,), cron="0 3 * * *")


def later() -> None:
    tm.recurring("later", sweep, args=("x",), cron="0 4 * * *")
"""


class Program:
    """The application, started anew each time: its modules are imported again."""

    def __init__(self, tm: TaskManager, folder: Path) -> None:
        self.first, self.file = tm, folder / "callshop" / "work.py"
        self.file.parent.mkdir()
        (self.file.parent / "__init__.py").write_text("")
        self.writes("carts", "orders")

    def writes(self, *tables: str) -> None:
        self.file.write_text(MODULE.format(tables=repr(tables)))
        forget()

    def starts(self) -> TaskManager:
        forget()
        return TaskManager(self.first.settings, database=self.first.database, discover="callshop")

    def worker(self) -> TaskManager:
        started = self.starts()
        started.discover()
        started.register_recurring()
        return started


def forget() -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "callshop"]:
        del sys.modules[name]


@pytest.fixture
def program(tm: TaskManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Program(tm, tmp_path)
    forget()


def test_they_come_back_when_they_are_missing_or_were_changed(program: Program) -> None:
    tm = program.worker()
    assert {(r.id, r.from_code) for r in tm.recurring_list()} == {("sweep-carts", True), ("sweep-orders", True)}
    tm.pause("sweep-carts")
    tm.remove("sweep-carts", keep_pause=True)
    known = tm.recurring_jobs.get("sweep-orders")
    tm.recurring_jobs.edit(known.id, edit(known, cron="5 5 * * *"), version=version(known))
    done = tm.restore_recurring()
    assert [(r.target, r.missing, r.paused, r.differed) for r in done.restored] == [
        ("sweep-carts", True, True, ()), ("sweep-orders", False, False, ("cron",)),
    ]  # fmt: skip
    assert "carts" in tm.recurring_jobs.get("sweep-carts").job
    assert tm.restore_recurring().restored == ()


def test_a_process_that_imports_them_only_to_restore_tells_what_it_did(program: Program) -> None:
    program.worker().remove("sweep-carts")
    done = program.starts().restore_recurring()
    assert ([(r.target, r.missing) for r in done.restored], done.unchanged) == ([("sweep-carts", True)], 1)


def test_what_a_person_changed_in_one_survives_a_start(program: Program) -> None:
    tm = program.worker()
    known = tm.recurring_jobs.get("sweep-orders")
    tm.recurring_jobs.edit(known.id, edit(known, cron="5 5 * * *"), version=version(known))
    now = program.worker().recurring_jobs.get("sweep-orders")
    assert (now.cron, now.overrides) == ("5 5 * * *", ("Cron",))


def test_a_call_that_has_left_the_code_leaves_an_orphan(program: Program) -> None:
    program.worker()
    program.writes("carts")
    tm = program.worker()
    assert {(r.id, r.orphaned) for r in tm.recurring_list()} == {("sweep-carts", False), ("sweep-orders", True)}


def test_a_call_in_a_function_is_data_unless_it_says_otherwise(program: Program) -> None:
    tm = program.worker()
    sys.modules["callshop.work"].later()
    tm.recurring("said", "callshop.work:sweep", args=("y",), cron="0 5 * * *", from_code=True)
    for name in ("later", "said"):
        assert tm.recurring_jobs.get(name).from_code is (name == "said")
        tm.remove(name)
    assert [r.target for r in tm.restore_recurring().restored] == ["said"]
