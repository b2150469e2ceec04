"""Other job systems beside ours: the same jobs, one after another, on this machine.

python -m benchmarks.peers [--only ours-mysql,celery-redis] [--jobs 20000] [--pings 100] [--repeat 3] [--json FILE]

The Redis database and RabbitMQ's queue `taskmanager_bench` are emptied. On the database servers each system gets a
database `bench_…` of its own, which is dropped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import services, tables
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.environments import CACHE, NotInstallable, place
from benchmarks.peers.measuring import measure
from benchmarks.peers.peer import Peer
from benchmarks.summary import summary


def chosen(only: str | None) -> list[Peer]:
    """The systems of these names, in the catalogue's order; SystemExit for a name that is not in it."""
    names = [name.strip() for name in (only or "").split(",") if name.strip()]
    known = {peer.name for peer in PEERS}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"unknown: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [peer for peer in PEERS if not names or peer.name in names]


def one(peer: Peer, addresses: Mapping[str, str], given: argparse.Namespace) -> dict[str, Any]:
    """The figures of one system, or under "not_measured" why there are none."""
    if why := services.missing(peer, addresses):
        return {"not_measured": why}
    try:
        found = place(peer, given.cache)
    except NotInstallable as problem:
        return {"not_measured": f"not installable: {problem}"}
    with tempfile.TemporaryDirectory() as folder, services.databases(peer, addresses) as variables:
        try:
            return measure(
                peer, found, variables, Path(folder), jobs=given.jobs, pings=given.pings, patience=given.patience
            )
        except RuntimeError as problem:
            return {"not_measured": str(problem)}


def rounds(peers: Sequence[Peer], addresses: Mapping[str, str], given: argparse.Namespace) -> dict[str, Any]:
    """Each round measures all systems, so that what changes on the machine meets all of them."""
    runs: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in peers}
    for number in range(given.repeat):
        for peer in peers:
            print(f"round {number + 1}: {peer.name}", file=sys.stderr, flush=True)
            runs[peer.name].append(one(peer, addresses, given))
    found: dict[str, Any] = {}
    for name, all_runs in runs.items():
        good = [run for run in all_runs if "not_measured" not in run]
        found[name] = summary(good) if good else all_runs[-1]
        if len(good) < len(all_runs):
            found[name]["failed_rounds"] = [run["not_measured"] for run in all_runs if "not_measured" in run]
    return found


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="names separated by commas; all, when left out")
    parser.add_argument("--jobs", type=int, default=20_000, help="jobs of each drain")
    parser.add_argument("--pings", type=int, default=100, help="jobs of latency, one at a time")
    parser.add_argument("--repeat", type=int, default=1, help="rounds; median, least and most are told")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds without progress after which one fails")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the environments")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    for service in services.USUAL:
        parser.add_argument(f"--{service}", default=services.usual(service), help=f"or {services.variable(service)}")
    given = parser.parse_args()
    if given.jobs < 10 or given.pings < 3:
        raise SystemExit("--jobs must be 10 at least, and --pings 3")
    peers = chosen(given.only)
    addresses = {service: getattr(given, service) for service in services.USUAL}
    kept: dict[str, Any] = {
        "surroundings": {
            "servers": services.settings(services.addresses_of(peers, addresses)), "python": platform.python_version(),
            "cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg(),
        },
    }  # fmt: skip
    kept["systems"] = rounds(peers, addresses, given)
    print(tables.table(kept["systems"], [peer.name for peer in peers if peer.ours]))
    if given.json:
        given.json.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
