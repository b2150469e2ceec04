"""What is told to one user: a type and a message, both bounded."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import datetime

from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.texts import storable

TYPES = ("Success", "Error", "Info", "Warning")
LONGEST_USER = 255
LONGEST_MESSAGE = 4000


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one user. id grows with time among those of a user; at: naive UTC."""

    user: str
    type: str
    message: str
    id: int = 0
    at: datetime | None = None


def notification(user: object, kind: object, message: object) -> Notification:
    """A notification that is not sent yet; a message of more than 4,000 characters is cut.

    Raises InvalidArgument: no user or a longer one than 255 characters, an unknown type, a message that is no text.
    """
    if not isinstance(user, str) or not user.strip():
        raise InvalidArgument(f"a notification goes to a user's name, which is a text, not {user!r}")
    if len(user) > LONGEST_USER:
        raise InvalidArgument(f"a user's name has at most {LONGEST_USER} characters, not {len(user)}")
    if kind not in TYPES:
        close = difflib.get_close_matches(str(kind).capitalize(), TYPES, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InvalidArgument(f"a notification's type is one of {', '.join(TYPES)}, not {kind!r}{hint}")
    if not isinstance(message, str):
        raise InvalidArgument(f"a notification's message is a text, not {type(message).__name__}: {message!r:.100}")
    text = storable(message)
    cut = text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
    return Notification(storable(user), str(kind), cut)
