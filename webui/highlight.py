"""Code, JSON and stack traces in colour: classes only, since the policy forbids styles."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup, escape
from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import JsonLexer, PythonLexer, PythonTracebackLexer

#: Longer texts are shown plain: colouring them would hold the page up.
_LONGEST = 64 * 1024
_LEXERS = {"python": PythonLexer(), "json": JsonLexer(), "trace": PythonTracebackLexer()}
_FORM = HtmlFormatter(nowrap=True, classprefix="hl-")
_FRAME = re.compile(r'^\s*(?:\|\s*)?File "([^"]*)", line \d+')
_LIBRARY = re.compile(r"site-packages|dist-packages|[/\\]lib[/\\]python\d|^<frozen|importlib")


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a stack trace; those of libraries are folded. `frames`: how many frames they are."""

    html: Markup
    is_library: bool
    frames: int


def code(text: str, language: str) -> Markup:
    """Highlighted text, to stand in a <pre>."""
    if len(text) > _LONGEST:
        return escape(text)
    return Markup(pygments_highlight(text, _LEXERS[language], _FORM).rstrip("\n"))


def trace(text: str) -> list[Block]:
    """A stack trace, its own frames open and those of libraries to be folded."""
    lines = text.rstrip("\n").split("\n")
    coloured = str(code("\n".join(lines), "trace")).split("\n")
    if len(coloured) != len(lines):
        coloured = [str(escape(line)) for line in lines]
    blocks: list[tuple[bool, list[str], int]] = []
    library, inside = False, False
    for line, shown in zip(lines, coloured, strict=True):
        frame = _FRAME.match(line)
        if frame:
            library, inside = bool(_LIBRARY.search(frame[1])), True
        elif inside and not line.startswith((" ", "|", "\t")):
            library, inside = False, False
        if not blocks or blocks[-1][0] != library:
            blocks.append((library, [], 0))
        kind, kept, frames = blocks[-1]
        kept.append(shown)
        blocks[-1] = (kind, kept, frames + bool(frame))
    return [Block(Markup("\n".join(kept)), kind and frames > 0, frames) for kind, kept, frames in blocks]
