"""`taskmanager up` as a newcomer runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from taskmanager.storage.database import Database


def test_up_sets_itself_up_shows_a_page_runs_samples_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TASKMANAGER_")}
    environment |= {"TASKMANAGER_DATABASE_URL": f"sqlite:///{tmp_path}/up.db", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "taskmanager", "up", "--port", "0"], cwd=tmp_path, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        seen = ""
        while "made for this run" not in seen:
            line = process.stdout.readline()
            assert line, "it ended"
            seen += line
        address = re.search(r"is at (http://\S+)", seen)
        assert address is not None
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address[1])
        assert refused.value.code == 401
        refused.value.close()
        wait_for_success(f"sqlite:///{tmp_path}/up.db")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]


def wait_for_success(url: str) -> None:
    from sqlalchemy import func, select

    database = Database(url)
    job = database.tables.job
    wanted = select(func.count()).where(job.c.StateName == "Succeeded")
    deadline = time.monotonic() + 30
    while database.read(lambda tx: tx.connection.execute(wanted).scalar_one()) < 2:
        assert time.monotonic() < deadline, "the sample jobs did not run"
        time.sleep(0.1)
    database.dispose()
