"""Who is mailed of a run of a row of c_Job is written down when it begins: its row may be gone when it fails.

While the row is there, what it says counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from taskmanager.domain.alerts import is_address

#: The parameter of a run that tells who is mailed of its failure: a JSON list; an empty one is who is by default.
MAIL_TO = "MailTo"

#: Asks of which of these rows somebody is mailed, and who.
Mailed = Callable[[Sequence[int]], Mapping[int, tuple[str, ...]]]


def nobody(row_ids: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
    """The answer where no alerts are sent."""
    return {}


def parameter(to: Iterable[str] | None) -> dict[str, str]:
    """The parameter of a new run; none where nobody is mailed."""
    return {} if to is None else {MAIL_TO: json.dumps(list(to))}


def addresses(text: str | None) -> list[str] | None:
    """What the parameter says; None where there is none, or where somebody else wrote it."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        return None
    return [one for one in found if isinstance(one, str) and is_address(one)] if isinstance(found, list) else None
