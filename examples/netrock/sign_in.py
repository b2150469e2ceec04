"""What the application's own sign-in does: a JWT with permissions. `python -m examples.netrock.sign_in ann`"""

from __future__ import annotations

import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt

#: Who may what; a real application keeps it in its database.
PERMISSIONS = {"ann": ["jobs.view", "jobs.manage"], "eve": ["jobs.view"], "bob": []}
SETTINGS = tomllib.loads((Path(__file__).parent / "taskmanager.toml").read_text("utf-8"))


def token_for(user: str) -> str:
    """A token for an hour. Raises KeyError for an unknown user."""
    claims = {
        "sub": user, "permission": PERMISSIONS[user], "iss": SETTINGS["jwt_issuer"], "aud": SETTINGS["jwt_audience"],
        "exp": datetime.now(UTC) + timedelta(hours=1),
    }  # fmt: skip
    return jwt.encode(claims, SETTINGS["jwt_key"], algorithm="HS256")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in PERMISSIONS:
        print(token_for(sys.argv[1]))
    else:
        sys.exit(f"name one of {', '.join(PERMISSIONS)}")
