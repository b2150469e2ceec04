"""While processes and the database server are killed at random, the tables' history stays a legal one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import drop_database, new_database, server_of
from tests.faults import history
from tests.faults.crew import Crew, seeds
from tests.faults.history import Expected, Job, Step, Tables
from tests.faults.test_kill import wait_for
from tests.servers import local

pytestmark = [pytest.mark.fault, pytest.mark.timeout(150)]

START = datetime(2026, 1, 1)


# -- the checker itself -------------------------------------------------------------------------------------------


def job(number: int, *names: str, **parameters: str) -> Job:
    """A job with such a history, a state a second."""
    steps = [
        Step(number * 100 + i, n, START + timedelta(seconds=i), {"ServerId": f"s{i}"}) for i, n in enumerate(names)
    ]
    return Job(number, names[-1], steps[-1].id, steps, parameters)


def good() -> tuple[Tables, Expected]:
    """A run in which all is as it should be."""
    jobs = [
        job(1, "Enqueued", "Processing", "Succeeded"),
        job(2, "Scheduled", "Enqueued", "Processing", "Processing", "Succeeded"),
        job(3, "Enqueued", "Processing", "Failed", "Scheduled", "Enqueued", "Processing", "Succeeded"),
        job(4, "Awaiting", "Enqueued", "Processing", "Enqueued", "Processing", "Succeeded"),
        job(5, "Enqueued", "Processing", "Failed"),
        job(6, "Awaiting", "Deleted"),
        job(7, "Enqueued", "Processing", "Succeeded", RecurringJobId='"tick"', Time="100"),
        job(8, "Enqueued", "Processing", "Succeeded", RecurringJobId='"tick"', Time="101"),
    ]
    jobs[3].steps[1].at = START + timedelta(seconds=2)
    tables = Tables({j.id: j for j in jobs}, counters={"stats:succeeded": 6, "stats:deleted": 1})
    return tables, Expected(
        ids=[1, 2, 3, 4, 5, 6], failures={3: 1, 5: 1}, fails={5}, children={1: 4}, slots={"tick": (100, 101)}
    )


def test_a_good_history_has_no_violations() -> None:
    assert history.violations(*good()) == []


def forget(tables: Tables, expected: Expected) -> None:
    del tables.jobs[5]


def double(tables: Tables, expected: Expected) -> None:
    tables.jobs[9] = job(9, "Enqueued", "Processing", "Failed")


def same_id(tables: Tables, expected: Expected) -> None:
    expected.ids.append(1)


def strand(tables: Tables, expected: Expected) -> None:
    tables.jobs[5] = job(5, "Enqueued", "Processing")


def finish_again(tables: Tables, expected: Expected) -> None:
    tables.jobs[2] = job(2, "Scheduled", "Enqueued", "Processing", "Succeeded", "Succeeded")


def skip(tables: Tables, expected: Expected) -> None:
    tables.jobs[2] = job(2, "Scheduled", "Processing", "Succeeded")


def begin_again(tables: Tables, expected: Expected) -> None:
    tables.jobs[2].steps[3].data = tables.jobs[2].steps[2].data


def disagree(tables: Tables, expected: Expected) -> None:
    tables.jobs[2].state_id = 201


def turn_back(tables: Tables, expected: Expected) -> None:
    tables.jobs[2].steps[2].at = START


def hurry(tables: Tables, expected: Expected) -> None:
    tables.jobs[2].steps[0].data["EnqueueAt"] = "2026-01-01T00:00:09.0000000Z"


def retry_too_often(tables: Tables, expected: Expected) -> None:
    expected.failures[3] = 0


def fail(tables: Tables, expected: Expected) -> None:
    expected.fails.clear()


def overtake(tables: Tables, expected: Expected) -> None:
    tables.jobs[4].steps[1].at = START + timedelta(seconds=1)


def overtake_in_one_moment(tables: Tables, expected: Expected) -> None:
    tables.jobs[1].steps[2].id = tables.jobs[1].state_id = 402


def miss(tables: Tables, expected: Expected) -> None:
    expected.slots["tick"] = (100, 102)


def fire_again(tables: Tables, expected: Expected) -> None:
    tables.jobs[8].parameters["Time"] = "100"
    expected.slots["tick"] = (100, 100)


def leave_in_queue(tables: Tables, expected: Expected) -> None:
    tables.queued.append(1)


def leave_in_set(tables: Tables, expected: Expected) -> None:
    tables.waiting["retries"] = {3}


def miscount(tables: Tables, expected: Expected) -> None:
    tables.counters = {"stats:succeeded": 7, "stats:deleted": 1}


BROKEN = {
    forget: "lost",
    double: "written twice",
    same_id: "one id for two enqueues",
    strand: "unfinished",
    finish_again: "finished twice",
    skip: "illegal step",
    begin_again: "begun twice under one claim",
    disagree: "state and history differ",
    turn_back: "time runs backwards",
    hurry: "too early",
    retry_too_often: "tried too often or too seldom",
    fail: "ended otherwise",
    overtake: "before its parent",
    overtake_in_one_moment: "before its parent",
    miss: "slot missed",
    fire_again: "slot fired twice",
    leave_in_queue: "left in a queue",
    leave_in_set: "left in a set",
    miscount: "miscounted",
}


@pytest.mark.parametrize("damage", BROKEN, ids=lambda d: d.__name__)
def test_a_broken_history_is_found_by_name(damage: Callable[[Tables, Expected], None]) -> None:
    tables, expected = good()
    damage(tables, expected)
    assert BROKEN[damage] in {v.name for v in history.violations(tables, expected)}


# -- the run ------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "mysql", "mariadb", "postgresql"])
def crew_of(
    request: pytest.FixtureRequest, durable_server: Callable[[str], local.Server], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:  # fmt: skip
    """Makes a crew on each product; MariaDB and PostgreSQL with a durable server of this file, that may be killed."""
    product = request.param
    if product not in request.config.getoption("--engines").split(","):
        pytest.skip(f"{product} is not among --engines")
    monkeypatch.syspath_prepend(str(tmp_path))
    server: local.Server | None = None
    if product in ("mariadb", "postgresql"):
        server = durable_server(product)
    url = f"sqlite:///{tmp_path}/history.db"
    if product != "sqlite":
        url = new_database(server or server_of(product))
    made: list[Crew] = []

    def make(seed: int) -> Crew:
        made.append(Crew(url, tmp_path, seed, server))
        return made[-1]

    yield make
    for crew in made:
        crew.close()
    if product != "sqlite":
        drop_database(server or server_of(product), url)
    sys.modules.pop("killjobs", None)


@pytest.mark.parametrize("seed", seeds(1, 2))
def test_after_random_kills_every_job_has_ended_once_and_every_second_was_fired_once(crew_of: Any, seed: int) -> None:
    print(f"seed {seed}; others by TASKMANAGER_TEST_SEEDS=3,4")
    crew: Crew = crew_of(seed)
    if crew.server is None and seed % 2 == 0:
        pytest.skip("only processes are killed: half the seeds will do")
    crew.start()
    deeds = ["child", "child", "supervisor", "both"] + ["database"] * (3 if crew.server else 0)
    crew.chance.shuffle(deeds)
    for deed in deeds:
        time.sleep(crew.chance.uniform(0.3, 1.2))
        print(f"kill {deed}")
        crew.kill(deed)
    wait_for(lambda: len(crew.asked) == 7, 60, "not every kind of job was asked for")
    crew.finish()
    assert crew.violations() == [], crew.logs()
    assert crew.close() == [0, 0], crew.logs()
