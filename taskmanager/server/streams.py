"""Standard output and error of a worker process belong to all its jobs: no job can close them for the others.

`sys.stdout.close()` would make every later `print` fail; `os.close(1)` would hand the number 1 to the next socket,
and the next `print` would write into a database connection. So both streams get descriptors of their own.
"""

from __future__ import annotations

import io
import os
import sys

_kept: dict[int, int] = {}


class _Kept(io.TextIOWrapper):
    def close(self) -> None:
        self.flush()


def keep() -> None:
    """Make sys.stdout and sys.stderr unclosable; at the start of a worker process, before logging is set up."""
    sys.stdout.flush()
    sys.stdout, _kept[1] = _copy(sys.stdout, 1)
    sys.stderr, _kept[2] = _copy(sys.stderr, 2)


def mend() -> None:
    """Open the standard descriptors again that a job has closed."""
    for number, own in _kept.items():
        try:
            os.fstat(number)
        except OSError:
            os.dup2(own, number)


def _copy(stream: io.TextIOBase | object, number: int) -> tuple[_Kept, int]:
    own = os.dup(number)
    kept = _Kept(
        open(own, "wb", closefd=False),  # noqa: SIM115 - open for the life of the process
        encoding=getattr(stream, "encoding", None),
        errors=getattr(stream, "errors", None),
        line_buffering=getattr(stream, "line_buffering", True),
        write_through=getattr(stream, "write_through", False),
    )
    return kept, own
