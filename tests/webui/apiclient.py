"""A program that speaks to the API with a bearer token."""

from __future__ import annotations

import hashlib
from typing import Any

from taskmanager import TaskManager
from webui import create_app

TOKENS = {"ci": "tm_manage", "eyes": "tm_view"}
HASHES = {
    name: f"{token.removeprefix('tm_')}:sha256:{hashlib.sha256(token.encode()).hexdigest()}"
    for name, token in TOKENS.items()
}


def send_mail(to: str, copies: int = 1) -> str:
    """Sends a mail."""
    return f"{copies} to {to}"


def fails(secret_word: str = "x") -> None:
    raise ValueError("on purpose, password=hunter2")


def nightly() -> str:
    return "done"


class Program:
    """Sends JSON with a token; `eyes` may only look."""

    def __init__(self, tm: TaskManager, name: str = "ci") -> None:
        tm.settings = tm.settings.with_changes(api_tokens=HASHES)
        self.tm, self.name = tm, name
        self.app = create_app(tm)
        self.app.config["PROPAGATE_EXCEPTIONS"] = self.app.testing = True
        self._client = self.app.test_client()

    def send(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Any:
        """One request."""
        sent = {"Authorization": f"Bearer {token or TOKENS[self.name]}"} | {
            n.replace("_", "-"): v for n, v in headers.items()
        }
        more = {} if body is None else {"json": body}
        return self._client.open(path, method=method, headers=sent, **more)

    def get(self, path: str, status: int = 200) -> Any:
        """What an address answers as JSON."""
        answer = self.send("GET", path)
        assert answer.status_code == status, answer.text
        return answer.json

    def post(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """What a POST answers as JSON; None for nothing."""
        answer = self.send("POST", path, body, **headers)
        assert answer.status_code == status, answer.text
        return answer.json if answer.data else None

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str, list[str]]:
        """Status, code and wrong fields of a refusal."""
        answer = self.send(method, path, body, **headers)
        assert answer.mimetype == "application/problem+json", answer.text
        told = answer.json
        assert told["status"] == answer.status_code
        assert told["detail"]
        return told["status"], told["code"], [fault["field"] for fault in told.get("errors", [])]


def with_three_jobs(tm: TaskManager) -> Program:
    """A program beside a job that mails, one that fails, and one that runs every night."""
    tm.job(display_name="Send mail", queue="mail", retries=0)(send_mail)
    tm.job(display_name="Fails", retries=0)(fails)
    tm.job("0 2 * * *", display_name="Nightly")(nightly)
    tm.register_recurring()
    return Program(tm)
