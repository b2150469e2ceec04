"""What a host application says of its users: who is signed in with it, and what each may do.

def who(request):
    account = my_session.account(request)
    return None if account is None else User(account.name, ROLES["manage" if account.is_admin else "view"])

app = create_app(tm, who=who, can=lambda user, action, resource: resource != "queue:payroll")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import Request, Response, current_app, request

from webui.users import VIEW, User

#: Who a request comes from; None for nobody.
Who = Callable[[Request], User | None]
#: Whether a user may do an action (`jobs.requeue`) to a resource (`job:17`, `recurring:nightly`; empty: in general).
#: Asked only for what the user's role allows: it narrows, and never widens.
Can = Callable[[User, str, str], bool]


@dataclass(frozen=True, slots=True)
class Host:
    """The host application's callables; without them the settings alone decide."""

    who: Who | None = None
    can: Can | None = None
    read_only: bool = False

    def user(self) -> User | None:
        """Who is signed in at the host application."""
        found = self.who(request) if self.who is not None else None
        if found is not None and self.read_only:
            return replace(found, actions=found.actions & VIEW)
        return found


def allowed(user: User | None, action: str, resource: str) -> bool:
    """Whether role and host let a user do this."""
    if user is None or action not in user.actions:
        return False
    can = current_app.config["HOST"].can
    return can is None or bool(can(user, action, resource))


def unknown() -> Response:
    """The answer to somebody the host does not know."""
    return Response("Sign in at the application that these pages belong to.\n", 401, mimetype="text/plain")
