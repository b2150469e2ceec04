"""The program: `taskmanager`, and `python -m taskmanager`. It answers to Ctrl-C before it imports anything of size."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import FrameType

#: The exit code of a program that was ended by Ctrl-C.
INTERRUPTED = 130
_SAID = b"interrupted\n"


def main() -> None:
    """Run the command line. Ctrl-C ends it with a line and exit code 130, whatever it is about to do."""
    is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_usual:
        # Raised in the middle of an import KeyboardInterrupt may be lost, or become an error of the module.
        signal.signal(signal.SIGINT, _end)
    from taskmanager.cli import main as command

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")  # a terminal's code page may have no letter for what a job is called
    try:
        if is_usual:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        command()
    except KeyboardInterrupt:  # before the command could answer to it, or after its end
        os.write(2, _SAID)
        sys.exit(INTERRUPTED)


def _end(number: int, frame: FrameType | None) -> None:
    """Nothing has begun: there is nothing to end in order."""
    os.write(2, _SAID)
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
