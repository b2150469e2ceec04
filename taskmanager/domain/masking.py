"""Secrets are masked before anything is made of them: a page, a log, a stored row."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

MASK = "••••"
#: In text a secret is `name=value` or `"name": "value"`; a bare colon is prose (`KeyError: 'x'`).
#: The lengths are bounded, and a name begins where a word begins: a text of megabytes is read once, not n times.
_NAME = r"(?<![\w.\-])([\w.\-]{{0,60}}?(?:{words})[\w.\-]{{0,60}})"
_ASSIGNED = _NAME + r"""(\s*=\s*|["']\s*:\s*)("[^"\n]*"|'[^'\n]*'|[^\s,;&)}}\]]+)"""
_CREDENTIALS = re.compile(r"(?<=://)([^\s:/@]+):[^\s@]+@")


def is_secret(name: object, words: Sequence[str]) -> bool:
    """Whether the value of this name is not to be shown. words: parts of such names."""
    return bool(_compiled(tuple(words))[0].search(str(name)))


def values(value: Any, words: Sequence[str]) -> Any:
    """A parsed JSON value with the secrets in its objects masked."""
    if isinstance(value, str):
        return text(value, words)
    if isinstance(value, Mapping):
        return {k: MASK if is_secret(k, words) else values(v, words) for k, v in value.items()}
    return [values(one, words) for one in value] if isinstance(value, (list, tuple)) else value


def may_tell(value: str | None) -> bool:
    """Whether a text may tell a secret at all: most have neither what assigns one nor an address."""
    return value is not None and ("=" in value or ":" in value)


def text(value: str | None, words: Sequence[str]) -> str:
    """A text for people with what looks like an assigned secret masked."""
    if value is None or not may_tell(value):
        return value or ""
    named, assigned = _compiled(tuple(words))
    if "://" in value:
        value = _CREDENTIALS.sub(rf"\1:{MASK}@", value)
    return assigned.sub(rf"\1\2{MASK}", value) if named.search(value) else value  # few name a secret: read quickly


@functools.lru_cache(maxsize=8)
def _compiled(words: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    joined = "|".join(map(re.escape, words)) or r"(?!)"
    return re.compile(joined, re.IGNORECASE), re.compile(_ASSIGNED.format(words=joined), re.IGNORECASE)
