"""Rows that somebody wrote by hand and no program of ours would."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import queues
from tests.conftest import history
from tests.faults.bad import change_job, greet

pytestmark = pytest.mark.timeout(120)


def test_a_state_of_an_unknown_name_stops_nothing_and_can_be_left(
    tm: TaskManager, hands: Any, others: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bad = tm.enqueue(greet, "x")
    table = tm.database.tables.state
    with tm.database.engine.begin() as connection:
        values = {"JobId": bad, "Name": "Frobnicated 🤖", "CreatedAt": datetime(2026, 1, 1), "Data": "{broken"}
        connection.execute(table.insert().values(**values))
    change_job(tm, bad, StateName="Frobnicated 🤖")
    worker = hands()
    worker.work()
    assert f"job {bad} is Frobnicated 🤖: its queue row is dropped" in caplog.text
    assert history(tm, bad) == ["Enqueued", "Frobnicated 🤖"]
    assert tm.database.run(lambda tx: queues.waiting_among(tx, [bad])) == set()
    others(worker)
    assert tm.requeue(bad)
    worker.work()
    assert tm.get(bad).result == "hello x"


def test_the_page_of_a_job_in_an_unknown_state_is_shown(tmp_path: Path) -> None:
    from werkzeug.security import generate_password_hash

    from webui import create_app

    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/web.db")
    tm.database.create_tables()
    bad = tm.enqueue(greet, "x")
    table = tm.database.tables.state
    with tm.database.engine.begin() as connection:
        values = {"JobId": bad, "Name": "Frobnicated", "CreatedAt": datetime(2026, 1, 1), "Data": "{broken"}
        connection.execute(table.insert().values(**values))
    change_job(tm, bad, StateName="Frobnicated", InvocationData="{broken")
    users = {"ann": generate_password_hash("secret", method="pbkdf2:sha256:1000")}
    client = create_app(tm, users=users).test_client()
    signed = {"Authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}
    answer = client.get(f"/hangfire/jobs/details/{bad}", headers=signed)
    assert answer.status_code == 200
    assert "Frobnicated" in answer.text
    tm.close()


def test_a_queue_row_whose_job_is_gone_is_dropped_and_named(
    tm: TaskManager, hands: Any, others: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tm.database.run(lambda tx: queues.push(tx, [(987_654, "default", 0)]))
    worker = hands()
    worker.work()
    assert "job 987654 is gone: its queue row is dropped" in caplog.text
    assert tm.database.run(lambda tx: queues.waiting_among(tx, [987_654])) == set()
    others(worker)
