"""The web process keeps its memory low."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from webui import memory

#: Threads that take and give back memory at the same time; the parts of the heap, as glibc tells them.
_COUNT = """
import ctypes, os, tempfile, threading
from webui import memory
done = memory.share_heap() if {shared} else None
ready = threading.Barrier(8)
def work():
    ready.wait()
    kept = [bytes(2000) for _ in range(20000)]
    ready.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
[one.start() for one in threads]
[one.join() for one in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
path = tempfile.mktemp()
file = ctypes.c_void_p(libc.fopen(path.encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(done, open(path).read().count("<heap nr="))
os.unlink(path)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc")
def test_threads_share_two_parts_of_the_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)

    def parts(shared: bool) -> list[str]:
        code = _COUNT.format(shared=shared)
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    done, count = parts(True)
    assert done == "True"
    assert int(count) <= 2
    assert int(parts(False)[1]) > 2, "else each thread has its own"


def test_who_says_how_many_is_obeyed_and_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "8")
    assert memory.share_heap() is False
    monkeypatch.delenv("MALLOC_ARENA_MAX")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert memory.share_heap() is False


def test_the_collector_passes_by_what_was_there_when_pages_began_to_be_served(tmp_path: Path) -> None:
    code = (
        "import gc, sys; from taskmanager import TaskManager; from webui import Page, create_app\n"
        "tm = TaskManager(database_url=sys.argv[1], doorbell=False); tm.database.create_tables()\n"
        "page = Page(create_app(tm, users={'ann': 'x'}), '127.0.0.1', 0)\n"
        "print(gc.get_freeze_count(), len(gc.get_objects()))\n"
        "page.close(); tm.close()"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path}/pages.db"]
    aside, walked_over = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert aside > 20 * walked_over


@pytest.mark.parametrize(("key", "loaded"), [("None", "False"), ("'k' * 32", "True")])
def test_cryptography_is_loaded_only_where_jwts_are_checked(tmp_path: Path, key: str, loaded: str) -> None:
    code = f"""
import sys
from taskmanager import TaskManager
from webui import create_app
tm = TaskManager(database_url="sqlite:///{tmp_path}/m.db", jwt_key={key})
create_app(tm)
print("cryptography" in sys.modules)
tm.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == loaded
