"""What is told about a job system, and how its program is started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
#: In a command: the interpreter of the environment, its folder of commands, the program, and how many processes.
PYTHON, BIN, PROGRAM, PROCESSES = "{python}", "{bin}", "{program}", "{processes}"


@dataclass(frozen=True, slots=True)
class Peer:
    """One job system with the settings it is measured in.

    `needs` are names of services: redis, amqp, mysql, postgresql, or sqlite, which is a file. `keeps` says what is left
    of a job that has ended. `worker` starts the worker: one command for each process, or one for all of them where
    `together` is set.
    `packages` are installed by pip, or by npm where `node` is set; `wished` ones may be missing.
    """

    name: str
    program: str
    needs: tuple[str, ...]
    keeps: str
    settings: str
    worker: tuple[str, ...] = (PYTHON, PROGRAM, "work")
    packages: tuple[str, ...] = ()
    wished: tuple[str, ...] = ()
    together: bool = False
    node: bool = False
    ours: bool = False
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer is installed: its interpreter, and the folder of its commands."""

    interpreter: str
    commands: Path


class Runner:
    """Starts a peer's program and its workers, all with the same environment variables."""

    def __init__(self, peer: Peer, place: Place, variables: Mapping[str, str]) -> None:
        self._peer, self._place = peer, place
        self._variables = os.environ | dict(peer.environment or {}) | dict(variables)
        # What a worker of ours imports is this checkout; of others nothing but their own environment.
        self._variables["PYTHONPATH"] = str(PROGRAMS) + (os.pathsep + os.getcwd() if peer.ours else "")
        self._variables["BENCH_NODE"] = str(place.commands.parent.parent)
        self._workers: list[subprocess.Popen[bytes]] = []

    def run(self, *arguments: str, patience: float) -> str:
        """What the program prints; RuntimeError with its last words when it fails or takes more than the seconds."""
        command = [self._place.interpreter, str(PROGRAMS / self._peer.program), *arguments]
        try:
            done = subprocess.run(
                command, env=self._variables, cwd=PROGRAMS, text=True, capture_output=True, timeout=patience
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{arguments[0]} has not ended in {patience:.0f} s") from None
        if done.returncode:
            raise RuntimeError(f"{arguments[0]} failed: {done.stderr.strip()[-1500:]}")
        return done.stdout.strip()

    def work(self, processes: int, log: Path) -> None:
        """Start worker processes; what they say goes to a file."""
        for number in range(1 if self._peer.together else processes):
            with log.open("ab") as said:
                self._workers.append(
                    subprocess.Popen(
                        self._command(processes), cwd=PROGRAMS, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                        env=self._variables | {"BENCH_WORKER": str(number), "BENCH_PROCESSES": str(processes)},
                        start_new_session=True,
                    )
                )  # fmt: skip

    def _command(self, processes: int) -> Sequence[str]:
        words = {
            "python": self._place.interpreter, "bin": str(self._place.commands), "processes": str(processes),
            "program": str(PROGRAMS / self._peer.program), **self._variables,
        }  # fmt: skip
        return [word.format_map(words) for word in self._peer.worker]

    @property
    def launched(self) -> int:
        """How many workers were started."""
        return len(self._workers)

    def dead(self) -> int | None:
        """The exit code of a worker that has ended by itself."""
        return next((w.returncode for w in self._workers if w.poll() is not None), None)

    def end(self, patience: float = 20.0) -> None:
        """End all workers: by SIGTERM, and their whole session by SIGKILL after the seconds."""
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        for worker in self._workers:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(patience)
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        self._workers.clear()


def ours_place() -> Place:
    """This interpreter."""
    return Place(sys.executable, Path(sys.executable).parent)
