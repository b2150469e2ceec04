"""The measurement of other job systems beside ours: how it counts, and that it runs, with the smallest there is."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from benchmarks.peers import services, tables
from benchmarks.peers.__main__ import chosen
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.environments import NotInstallable, place
from benchmarks.peers.measuring import Stamp, Stamps, measure, rate
from benchmarks.peers.peer import PROGRAMS, PYTHON, Peer, ours_place

_SECOND = 1_000_000_000


#: The smallest job system: a folder is its queue.
_ON_FILES = """
import os, pathlib, time
from stamping import main, stamp, versions

queue = pathlib.Path(os.environ["QUEUE"])

def clear():
    for file in queue.iterdir():
        file.unlink()

def prepare():
    clear()
    versions("SQLAlchemy", "what-nobody-has")

def enqueue(number):
    (queue / str(number)).touch()

def many(numbers):
    for number in numbers:
        enqueue(number)

def work():
    while True:
        for file in queue.iterdir():
            file.unlink()
            stamp(int(file.name))
        time.sleep(0.01)

main(prepare=prepare, enqueue=enqueue, many=many, clear=clear, work=work)
"""


def _stamps(worker: str, begin: int, count: int) -> list[Stamp]:
    return [Stamp((begin + n) * _SECOND, n, worker) for n in range(count)]


def test_a_rate_counts_from_the_moment_when_all_workers_run() -> None:
    stamps = _stamps("0", 0, 10) + _stamps("1", 4, 6)
    per_second, counted = rate(stamps, 2)
    assert (per_second, counted) == (2.0, 10)


def test_a_drain_in_which_a_worker_got_nothing_has_no_rate() -> None:
    with pytest.raises(RuntimeError, match="1 of 2 workers got a job"):
        rate(_stamps("0", 0, 10), 2)
    with pytest.raises(RuntimeError, match="1 of 21 jobs were left"):
        rate([*_stamps("0", 0, 20), Stamp(18 * _SECOND, 20, "1")], 2)


def test_a_system_is_measured_by_the_lines_of_its_jobs(tmp_path: Path) -> None:
    queue, program = tmp_path / "queue", tmp_path / "on_files.py"
    queue.mkdir()
    program.write_text(_ON_FILES, "utf-8")
    peer = Peer("files", str(program), (), "nothing", "", environment={"QUEUE": str(queue)})
    found = measure(peer, ours_place(), {}, tmp_path, jobs=50, pings=3, processes=(1,))
    assert found["versions"].keys() == {"SQLAlchemy"}
    assert found["drain_1"]["counted"] == 49
    assert found["drain_1"]["per_second"] > 0
    assert found["drain_1"]["ran_again"] == 0
    assert found["enqueue_per_second"] > 0
    assert found["p99_ms"] >= found["p50_ms"] > 0
    assert not list(queue.iterdir())


def test_a_line_that_is_being_written_is_not_read_yet(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path)
    stamps.path.write_bytes(b"12 1 one\n345")
    assert [stamp.number for stamp in stamps.read()] == [1]


def test_a_worker_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    program = tmp_path / "on_files.py"
    program.write_text(_ON_FILES, "utf-8")
    (tmp_path / "queue").mkdir()
    peer = Peer("files", str(program), (), "nothing", "", (PYTHON, "-c", "raise SystemExit('no broker')"),
                environment={"QUEUE": str(tmp_path / "queue")})  # fmt: skip
    with pytest.raises(RuntimeError, match="0 of 2 jobs ran, and then its worker has ended with 1: no broker"):
        measure(peer, ours_place(), {}, tmp_path, jobs=2, pings=3, processes=(1,))


def test_each_peer_has_a_program_and_says_what_it_keeps() -> None:
    for peer in PEERS:
        assert (PROGRAMS / peer.program).is_file()
        assert peer.keeps
        assert peer.settings
        assert set(peer.needs) <= {*services.USUAL, services.EMBEDDED}
    assert [peer.name for peer in chosen("rq, ours-mysql")] == ["ours-mysql", "rq"]
    with pytest.raises(SystemExit, match="unknown: resque"):
        chosen("resque")


def test_a_service_that_does_not_answer_is_named() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"redis://127.0.0.1:{held.getsockname()[1]}/15"
        peer = Peer("rq", "on_rq.py", ("redis",), "", "")
        assert str(services.missing(peer, {"redis": address})).startswith("redis at 127.0.0.1:")


def test_a_peer_that_needs_node_is_told_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    peer = next(peer for peer in PEERS if peer.node)
    with pytest.raises(NotInstallable, match="needs node and npm"):
        place(peer, tmp_path)


def test_the_embedded_database_is_a_new_file_which_is_gone_afterwards() -> None:
    (peer,) = chosen("ours-sqlite")
    assert services.missing(peer, {}) is None
    with services.databases(peer, {}) as variables:
        folder = Path(variables["BENCH_SQLITE_URL"].removeprefix("sqlite:///")).parent
        assert folder.is_dir()
    assert not folder.exists()


def test_the_table_tells_ratios_to_ours_and_what_was_not_measured() -> None:
    ours = {"drain_1": {"per_second": 4000, "ran_again": 0}, "drain_2": {"per_second": 6000, "ran_again": 0},
            "enqueue_per_second": 1200, "p50_ms": 3.2, "p99_ms": 12.0, "keeps": "all"}  # fmt: skip
    theirs = ours | {"drain_1": {"per_second": {"median": 500, "least": 400, "most": 600}, "seconds": 0.4,
                                 "ran_again": 1},
                     "drain_2": {"per_second": None, "why": "…", "ran_again": 0}, "keeps": "nothing"}  # fmt: skip
    told = tables.table({"ours": ours, "theirs": theirs, "gone": {"not_measured": "no | node"}}, ["ours"])
    lines = told.splitlines()
    assert len(lines) == 5
    assert "8 / –" in lines[3]
    assert "500/s?" in lines[3]
    assert "4,000/s |" in lines[2]
    assert "| gone | not measured: no / node |" in lines[4]
