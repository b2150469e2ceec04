"""Rows come back as they were written, however long they are and however many: drivers take them out of packets."""

from __future__ import annotations

import pytest

from taskmanager import TaskManager
from taskmanager.storage import structures
from taskmanager.storage.transaction import Tx

#: Where the length of a text, as it is told before it, begins to take more bytes; and what no buffer holds at once.
_LENGTHS = (0, 1, 250, 251, 252, 8_191, 8_192, 65_535, 65_536, 300_000)


@pytest.mark.parametrize("sign", ["x", "ř"])
def test_texts_of_every_length_among_hundreds_of_short_ones(tm: TaskManager, sign: str) -> None:
    written = {f"{n:04}": sign * _LENGTHS[n // 70] if n % 70 == 0 else f"{sign}{n}" for n in range(700)}
    tm.database.run(lambda tx: structures.set_fields(tx, "many", written))
    assert tm.database.read(lambda tx: structures.fields(tx, "many")) == written


def test_nothing_among_other_columns(tm: TaskManager) -> None:
    job_id = tm.enqueue(len, "x")

    def work(tx: Tx) -> object:
        job = tx.tables.job
        return tx.connection.execute(job.select().where(job.c.Id == job_id)).mappings().one()

    row = tm.database.read(work)
    assert row["ExpireAt"] is None
    assert row["Id"] == job_id
    assert row["StateName"] == "Enqueued"
