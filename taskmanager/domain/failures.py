"""What makes two failures the same: the job, the exception's class, its place, and what it said in general."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace

#: Characters of a text that are kept of a group.
_MESSAGE, _FRAME, _NAME = 160, 120, 160
#: Quoted texts, addresses, identifiers and numbers differ from failure to failure of the same kind.
_QUOTED = re.compile(r"'[^'\n]{0,300}'|\"[^\"\n]{0,300}\"|`[^`\n]{0,300}`|“[^”\n]{0,300}”")
_ADDRESS = re.compile(r"\S{1,200}@\S{1,200}|\w{2,10}://\S{1,500}|(?<!\w)/\S{1,300}")
_HEX = re.compile(r"\b(?:0x)?(?=[0-9a-fA-F-]*\d)[0-9a-fA-F]{6,}(?:-[0-9a-fA-F]{2,})*\b")
_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")
_FRAME_LINE = re.compile(r'^\s*(?:\|\s*)?File "([^"\n]{1,500})", line \d+(?:, in (\S+))?', re.MULTILINE)
_LIBRARY = re.compile(r"site-packages|dist-packages|[/\\]lib[/\\]python\d|^<frozen|importlib")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A kind of failure. job: module and function; message: without what differs; frame: file and function."""

    job: str
    exception: str
    message: str
    frame: str

    @property
    def key(self) -> str:
        """Sixteen letters that stand for it."""
        text = json.dumps([self.job, self.exception, self.message, self.frame])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def coarse(self) -> Fingerprint:
        """All failures of the job with this exception: their number is bounded by the code."""
        return replace(self, message="", frame="")


def fingerprint(job: str, exception: str, message: str, details: str) -> Fingerprint:
    """The kind of one failure. details: the stack trace as text, in any form."""
    return Fingerprint(job[:_NAME], exception[:_NAME], general(message), frame_of(details))


def general(message: str) -> str:
    """The first line of a message without what differs from one failure to the next of its kind."""
    text = message.strip().partition("\n")[0][:1000]
    for pattern, instead in ((_QUOTED, "…"), (_ADDRESS, "…"), (_HEX, "#"), (_DIGITS, "#")):
        text = pattern.sub(instead, text)
    return " ".join(text.split())[:_MESSAGE]


def frame_of(details: str) -> str:
    """The innermost frame of the job's own code, `folder/file.py:function`, else the innermost of all."""
    frames = _FRAME_LINE.findall(details[-65536:])
    own = [f for f in frames if not _LIBRARY.search(f[0])]
    if not frames:
        return ""
    path, function = (own or frames)[-1]
    place = "/".join(re.split(r"[/\\]", path)[-2:])
    return f"{place}:{function}"[-_FRAME:]


def name_of_call(invocation_data: str) -> str:
    """`module:function` out of a job's stored call, in Hangfire's long or short form; empty when there is none."""
    try:
        call = json.loads(invocation_data)
        kind, method = (call.get(long) or call.get(long[0].lower()) for long in ("Type", "Method"))
    except (ValueError, AttributeError, RecursionError):
        return ""
    return f"{str(kind or '').partition(',')[0]}:{method or ''}" if kind or method else ""
