"""One peer measured: enqueue one by one, no-op drain with 1 and 2 processes, idle latency.

Every job, of every system, does the same: it writes one line `monotonic_ns number worker` to a shared file. The clock
is the system's monotonic one, the same in all processes. So the file tells when each job ran, whether all ran, and
which ran twice, and nobody asks a broker or a database anything while jobs run.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.peer import Peer, Place, Runner

_POLL = 0.02
#: How many jobs of a drain are enqueued one by one, and timed; the others by the many.
_SINGLES = 2000


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a job ran (nanoseconds of the monotonic clock), its number, and the worker process that was started."""

    moment: int
    number: int
    worker: str


class Stamps:
    """The file that all jobs write to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stamps"
        self.log = folder / "worker.log"

    def fresh(self) -> None:
        """An empty file."""
        self.path.write_bytes(b"")

    def read(self) -> list[Stamp]:
        """All that is written so far; a line that is being written is no line yet."""
        lines = self.path.read_text("ascii").rpartition("\n")[0].splitlines()
        return [Stamp(int(m), int(n), w) for m, n, w in (line.split() for line in lines)]

    def wait(self, count: int, runner: Runner, patience: float) -> None:
        """Until so many different jobs have run; RuntimeError with what the worker said after seconds of silence."""
        seen, changed = -1, time.monotonic()
        while True:
            size = self.path.stat().st_size
            if size != seen:
                seen, changed = size, time.monotonic()
                # A line has eight bytes at least: a look into the file is worth nothing before.
                if size >= 8 * count and len({s.number for s in self.read()}) >= count:
                    return
            code = runner.dead()
            if code is not None or time.monotonic() - changed > patience:
                ran = len({s.number for s in self.read()})
                why = f"its worker has ended with {code}" if code is not None else f"nothing ran for {patience:.0f} s"
                said = self.log.read_text(errors="replace")[-1500:]
                raise RuntimeError(f"{ran} of {count} jobs ran, and then {why}: {said}")
            time.sleep(_POLL)


def rate(stamps: Sequence[Stamp], launched: int) -> tuple[float, int]:
    """Jobs a second from the moment on when all workers ran, and how many jobs that counts."""
    first: dict[str, int] = {}
    ordered = sorted(stamps, key=lambda stamp: stamp.moment)
    for stamp in ordered:
        first.setdefault(stamp.worker, stamp.moment)
    if len(first) < launched:
        raise RuntimeError(f"{len(first)} of {launched} workers got a job: more jobs are needed")
    begun = max(first.values())
    counted = [stamp for stamp in ordered if stamp.moment > begun]
    if len(counted) < len(stamps) // 4:
        raise RuntimeError(f"{len(counted)} of {len(stamps)} jobs were left when all workers ran: more jobs are needed")
    return len(counted) / ((counted[-1].moment - begun) / 1e9), len(counted)


def measure(
    peer: Peer, place: Place, variables: dict[str, str], folder: Path, *, jobs: int, pings: int,
    processes: Sequence[int] = (1, 2), patience: float = 60.0,
) -> dict[str, Any]:  # fmt: skip
    """All figures of a peer. `jobs` for each drain, `pings` for latency, `patience` seconds without any progress."""
    stamps = Stamps(folder)
    runner = Runner(peer, place, {**variables, "BENCH_STAMPS": str(stamps.path)})
    found: dict[str, Any] = {"jobs": jobs, "keeps": peer.keeps, "settings": peer.settings}
    try:
        for count in processes:
            stamps.fresh()
            found["versions"] = json.loads(runner.run("prepare", patience=patience))
            singles = min(jobs, _SINGLES)
            taken = json.loads(runner.run("enqueue", str(singles), patience=30 * patience))
            if count == processes[0]:
                found["enqueue_per_second"] = round(taken["timed"] / taken["seconds"])
            if jobs > singles:
                runner.run("many", str(singles), str(jobs), patience=30 * patience)
            found[f"drain_{count}"] = _drain(runner, stamps, count, jobs, patience)
        stamps.fresh()
        runner.run("prepare", patience=patience)
        found |= _latency(runner, stamps, pings, patience)
    finally:
        runner.end()
        runner.run("clear", patience=patience)
    return found


def _drain(runner: Runner, stamps: Stamps, processes: int, jobs: int, patience: float) -> dict[str, Any]:
    runner.work(processes, stamps.log)
    stamps.wait(jobs, runner, patience)
    read = stamps.read()
    try:
        per_second, counted = rate(read, runner.launched)
        answer: dict[str, Any] = {
            "per_second": round(per_second), "counted": counted, "seconds": round(counted / per_second, 2)
        }  # fmt: skip
    except RuntimeError as problem:
        answer = {"per_second": None, "why": str(problem)}
    runner.end()
    return answer | {"ran_again": len(stamps.read()) - jobs}


def _latency(runner: Runner, stamps: Stamps, pings: int, patience: float) -> dict[str, Any]:
    """Milliseconds from before the call that enqueues until the job's own line, one job at a time."""
    runner.work(1, stamps.log)
    sent = [line.split() for line in runner.run("ping", str(pings), patience=(pings + 5) * patience / 4).splitlines()]
    runner.end()
    began = {stamp.number: stamp.moment for stamp in reversed(stamps.read())}
    # The first finds connections unopened, and is not counted.
    waits = sorted((began[int(number)] - int(moment)) / 1e6 for number, moment in sent[1:])
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    return {"pings": pings, "p50_ms": round(cuts[49], 1), "p99_ms": round(cuts[98], 1)}
