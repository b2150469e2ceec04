"""An environment for each peer under a folder of caches: a venv by pip, or a folder of npm's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.peer import Peer, Place, ours_place

CACHE = Path.home() / ".cache" / "taskmanager-bench"


class NotInstallable(Exception):
    """A peer that cannot be had here, and why."""


def place(peer: Peer, cache: Path = CACHE) -> Place:
    """Where the peer is installed, after installing it when that has not been done; NotInstallable when it fails."""
    if peer.ours:
        return ours_place()
    folder = cache / peer.name
    ready = folder / "installed"
    made = _node(peer, folder) if peer.node else _python(folder)
    wanted = " ".join((*peer.packages, *peer.wished))
    if not ready.exists() or ready.read_text("utf-8") != wanted:
        _install(peer, folder, made)
        ready.write_text(wanted, "utf-8")
    return made


def _python(folder: Path) -> Place:
    python = folder / "bin" / "python"
    if not python.exists():
        _call([sys.executable, "-m", "venv", str(folder)])
    return Place(str(python), folder / "bin")


def _node(peer: Peer, folder: Path) -> Place:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        raise NotInstallable(f"{peer.name} needs node and npm, and they are not found on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    return Place(node, folder / "node_modules" / ".bin")


def _install(peer: Peer, folder: Path, made: Place) -> None:
    if peer.node:
        (folder / "package.json").write_text('{"private": true}\n', "utf-8")
        _call(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", *peer.packages])
        return
    pip = [made.interpreter, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _call([*pip, *peer.packages])
    for package in peer.wished:
        # Drivers in C want headers that are not everywhere; the program says which driver it found.
        subprocess.run([*pip, package], capture_output=True, timeout=600)


def _call(command: list[str]) -> None:
    try:
        done = subprocess.run(command, text=True, capture_output=True, timeout=900)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NotInstallable(f"{command[0]}: {problem}") from problem
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip())[-600:]
        raise NotInstallable(f"`{' '.join(command)}` failed: {last}")
