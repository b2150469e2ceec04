"""Real workers, a producer and somebody who kills: what the histories of the fault tests are made by."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
from sqlalchemy import func, select

from taskmanager import TaskManager
from tests.faults import history
from tests.faults.test_kill import end, start_worker, wait_for
from tests.servers import local

JOBS = """
import time
from taskmanager import JobContext, job

@job
def plain(number: int) -> int:
    time.sleep(0.02)
    return number

@job
def long(number: int) -> int:
    time.sleep(0.3)
    return number

@job(retries=3, delays=[0.0, 0.2, 0.5])
def flaky(ctx: JobContext, failures: int) -> int:
    if ctx.attempt <= failures:
        raise ValueError(f"failure {ctx.attempt}")
    return ctx.attempt

@job(retries=1, delays=[0.5])
def hopeless() -> None:
    raise ValueError("as always")

@job("* * * * * *", misfire="strict", display_name="tick", retries=0)
def tick() -> None:
    pass
"""


class Crew:
    """Two workers on one database, a producer in a thread, and what was asked of them."""

    def __init__(self, url: str, folder: Path, seed: int, server: local.Server | None = None) -> None:
        (folder / "killjobs.py").write_text(JOBS)
        self.url, self.folder, self.server = url, folder, server
        self.chance = random.Random(seed)
        self.tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
        self.tm.database.create_tables()
        self.tm.discover()
        self.expected = history.Expected()
        self.asked: Counter[str] = Counter()
        self.workers: list[subprocess.Popen[bytes]] = []
        self._all: list[psutil.Process] = []
        self._over = threading.Event()
        self._producer = threading.Thread(target=self._produce, args=(random.Random(seed + 1),))
        self._error: BaseException | None = None

    def start(self, workers: int = 2, *more: str) -> None:
        """Start the workers, and wait until each second is fired."""
        self.workers = [self._worker(*more) for _ in range(workers)]
        wait_for(lambda: self.tm.recurring_list() and self.tm.recurring_list()[0].last_job_id, 60, "no tick was fired")
        self._producer.start()

    def _worker(self, *more: str) -> subprocess.Popen[bytes]:
        quick = {"TASKMANAGER_MAX_PROCESS_DEATHS": "100"}  # they die of us, not of their jobs
        return start_worker(self.url, self.folder, *more, environment=quick)

    # -- asking -----------------------------------------------------------------------------------------------

    def _produce(self, chance: random.Random) -> None:
        try:
            while not self._over.is_set():
                self.ask(chance)
                time.sleep(chance.uniform(0, 0.05))
        except BaseException as error:
            self._error = error

    def ask(self, chance: random.Random) -> None:
        """Ask for something, and note what is to become of it."""
        tm, expected = self.tm, self.expected
        kind = chance.choice(["plain", "many", "long", "flaky", "hopeless", "delayed", "continued"])
        self.asked[kind] += 1
        match kind:
            case "plain" | "long":
                expected.ids.append(tm.enqueue(kind, chance.randrange(100)))
            case "many":
                expected.ids += tm.enqueue_many("plain", [(n,) for n in range(chance.randrange(1, 30))])
            case "flaky":
                failures = chance.randint(1, 2)
                expected.ids.append(tm.enqueue("flaky", failures))
                expected.failures[expected.ids[-1]] = failures
            case "hopeless":
                expected.ids.append(tm.enqueue("hopeless"))
                expected.failures[expected.ids[-1]] = 2
                expected.fails.add(expected.ids[-1])
            case "delayed":
                expected.ids.append(tm.enqueue("plain", 0, delay=chance.uniform(0, 2)))
            case "continued":
                parent = tm.enqueue("plain", 1, delay=chance.choice([None, 0.3]))
                child = tm.continue_definition(parent, tm.definition("plain"), (2,), {}, {}, "success")
                expected.ids += [parent, child]
                expected.children[parent] = child

    # -- killing ----------------------------------------------------------------------------------------------

    def kill(self, what: str) -> None:
        """kill -9: `child` (a worker process), `supervisor`, `both`, or `database`."""
        if what == "database":
            assert self.server is not None
            self.server.kill()
            time.sleep(self.chance.uniform(0.1, 1.2))
            self.server.start()
            return
        worker = self.workers[self.chance.randrange(len(self.workers))]
        children = psutil.Process(worker.pid).children()
        self._all += children
        if what in ("supervisor", "both"):
            worker.kill()
            worker.wait()
            self.workers[self.workers.index(worker)] = self._worker()
        for child in children if what in ("child", "both") else []:
            child.kill()

    # -- the end ----------------------------------------------------------------------------------------------

    def left(self) -> int:
        """Jobs that are not in a final state."""
        job = self.tm.database.tables.job
        wanted = select(func.count()).where(job.c.StateName.not_in(history.FINAL))
        return int(self.tm.database.read(lambda tx: tx.connection.execute(wanted).scalar_one()))

    def finish(self, seconds: float = 40) -> None:
        """No more is asked for; wait until all is done, and each second up to now has been fired."""
        self._over.set()
        self._producer.join()
        assert self._error is None, self._error
        wait_for(self._is_up_to_date, seconds, f"the seconds are not fired: {self.tm.recurring_list()}")
        self.tm.pause("tick")
        wait_for(lambda: self.left() == 0, seconds, "jobs were lost or stranded")
        wait_for(self._are_there, seconds, "the worker that took a killed one's place did not start")

    def _is_up_to_date(self) -> bool:
        now = self.tm.database.clock.now()
        fired = self.tm.recurring_list()[0].last_execution
        return fired is not None and (now - fired).total_seconds() < 1.0

    def _are_there(self) -> bool:
        table = self.tm.database.tables.server
        ids = self.tm.database.read(lambda tx: [row[0] for row in tx.connection.execute(select(table.c.Id))])
        serving = {int(i.split(":")[-2]) for i in ids}
        return all({c.pid for c in psutil.Process(w.pid).children()} & serving for w in self.workers)

    def violations(self) -> list[history.Violation]:
        """What the tables prove, with all slots between the first and the last one that was fired."""
        found = history.read(self.tm.database)
        fired = [int(j.parameters["Time"]) for j in found.jobs.values() if "RecurringJobId" in j.parameters]
        self.expected.slots = {"tick": (min(fired), max(fired))}
        return history.violations(found, self.expected)

    def close(self) -> list[int]:
        """End all in order; the workers' exit codes."""
        self._over.set()
        if self._producer.is_alive():
            self._producer.join()
        codes = end(*self.workers)
        psutil.wait_procs(self._all, timeout=30)
        self.tm.close()
        sys.modules.pop("killjobs", None)
        return codes

    def logs(self) -> str:
        """The ends of the workers' logs."""
        return "\n".join(f"{p.name}\n{p.read_text()[-3000:]}" for p in sorted(self.folder.glob("worker-*.log")))


def seeds(*usual: int) -> list[int]:
    """The fixed seeds, or those of TASKMANAGER_TEST_SEEDS."""
    given = os.environ.get("TASKMANAGER_TEST_SEEDS")
    return [int(s) for s in given.split(",")] if given else list(usual)
