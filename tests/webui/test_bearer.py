"""Bearer credentials: API tokens and JWTs let in whom they name, with the rights they name, and nobody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from taskmanager import ConfigurationError, TaskManager
from tests.webui.conftest import HTML, USERS
from webui import create_app
from webui.bearer import user_of

SECRET = "a shared secret of 64 bytes or more, which is enough for any hash of them"
TOKENS = {"ci": "tm_manage", "eyes": "tm_view"}
HASHES = {
    name: f"{token.removeprefix('tm_')}:sha256:{hashlib.sha256(token.encode()).hexdigest()}"
    for name, token in TOKENS.items()
}
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
EC = ec.generate_private_key(ec.SECP256R1())
EC_PUBLIC = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def claims(**changes: Any) -> dict[str, Any]:
    """What a good JWT says; None leaves a claim out."""
    made = {"sub": "ann", "exp": int(time.time()) + 600, "roles": ["jobs.manage"]} | changes
    return {name: value for name, value in made.items() if value is not None}


def signed(key: Any = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def apart(tmp_path: Any, **settings: Any) -> Any:
    """A client of pages with these settings."""
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/b.db", doorbell=False, **settings)
    tm.database.create_tables()
    app = create_app(tm)
    app.config["OWNER"] = tm
    return app


def who(app: Any, token: str) -> tuple[str, bool] | None:
    """Name, and whether it may change things."""
    with app.test_request_context("/hangfire/"):
        user = user_of(token)
    return None if user is None else (user.name, "jobs.manage" in user.actions)


def test_an_api_token_may_what_its_role_may(tmp_path: Any) -> None:
    app = apart(tmp_path, api_tokens=HASHES)
    client, tm = app.test_client(), app.config["OWNER"]
    tm.recurring("r", len, args=("x",), cron="0 2 * * *")
    for token in TOKENS.values():
        assert client.get("/hangfire/recurring", headers=bearer(token) | HTML).status_code == 200
    trigger = {"path": "/hangfire/recurring/trigger", "data": {"jobs[]": "r"}}
    assert client.post(**trigger, headers=bearer(TOKENS["eyes"])).status_code == 403
    assert client.post(**trigger, headers=bearer(TOKENS["ci"])).status_code == 204, "a bearer needs no form's token"
    assert tm.recurring_list()[0].last_job_id is not None
    tm.close()


def test_tokens_open_the_pages_where_no_user_has_a_password_and_others_are_told_how(tmp_path: Any) -> None:
    client = apart(tmp_path, api_tokens=HASHES).test_client()
    assert client.get("/hangfire/", headers=bearer(TOKENS["eyes"])).status_code == 200
    assert client.get("/hangfire/").status_code == 503


def test_a_wrong_token_is_refused_counted_and_written_to_the_audit_log(tmp_path: Any) -> None:
    app = apart(tmp_path, api_tokens=HASHES)
    client = app.test_client()
    answer = client.get("/hangfire/", headers=bearer("tm_guess"))
    assert (answer.status_code, answer.headers["WWW-Authenticate"].split()[0]) == (401, "Bearer")
    table = app.config["OWNER"].database.tables.audit
    with app.config["OWNER"].database.engine.connect() as connection:
        row = connection.execute(table.select()).mappings().one()
    assert {"denied", "api", "sign-in"} <= {str(value) for value in row.values()}
    assert "tm_guess" not in str(dict(row))
    codes = [client.get("/hangfire/", headers=bearer(f"tm_{n}")).status_code for n in range(11)]
    assert (codes[0], codes[-1]) == (401, 429)


def test_a_password_that_is_right_is_of_no_use_as_a_token(app: Any) -> None:
    for token in ("secret", "ann:secret", USERS["ann"], ""):
        assert app.test_client().get("/hangfire/", headers=bearer(token)).status_code == 401


def test_the_hash_of_a_token_is_not_the_token(tmp_path: Any) -> None:
    app = apart(tmp_path, api_tokens=HASHES)
    assert who(app, HASHES["ci"]) is None
    assert who(app, HASHES["ci"].rpartition(":")[2]) is None
    assert who(app, TOKENS["ci"]) == ("ci", True)


def test_a_jwt_may_what_its_roles_are_mapped_to(tmp_path: Any) -> None:
    app = apart(tmp_path, jwt_key=SECRET, jwt_roles={"admin": "manage", "staff": "view"}, jwt_claim="scope")
    assert who(app, signed(scope="other admin")) == ("ann", True)
    assert who(app, signed(scope=["staff"])) == ("ann", False)
    with app.test_request_context("/hangfire/"):
        nobody = user_of(signed(scope={"admin": True}, roles=["admin"]))
    assert nobody is not None
    assert nobody.actions == frozenset(), "they are known, and may nothing"
    assert app.test_client().get("/hangfire/", headers=bearer(signed(scope="x"))).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": 2**33},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 101},
        {"sub": "a\nb"},
        {"aud": "others"},
        {"aud": None},
        {"iss": "others"},
        {"iss": None},
    ],
    ids=str,
)
def test_a_jwt_with_a_wrong_claim_lets_nobody_in(tmp_path: Any, changes: dict[str, Any]) -> None:
    app = apart(tmp_path, jwt_key=SECRET, jwt_audience="jobs", jwt_issuer="us")
    good = {"aud": "jobs", "iss": "us"}
    assert who(app, signed(**good)) == ("ann", True)
    made = claims(**(good | changes))
    token = jwt.api_jws.encode(json.dumps(made).encode(), SECRET, "HS256")  # encode() itself refuses some of these
    assert who(app, token) is None


def unsigned(header: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims()).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_a_jwt_without_or_with_another_signature_lets_nobody_in(tmp_path: Any) -> None:
    app = apart(tmp_path, jwt_key=SECRET)
    good = signed()
    header, body, signature = good.split(".")
    forged = base64.urlsafe_b64encode(json.dumps(claims(sub="root")).encode()).rstrip(b"=").decode()
    for token in (
        unsigned({"alg": "none", "typ": "JWT"}),
        unsigned({"alg": "None"}),
        unsigned({"alg": ["HS256"]}),
        unsigned({}),
        f"{header}.{body}.",
        f"{header}.{forged}.{signature}",
        signed(SECRET[::-1]),
        signed(SECRET, "HS512"),
        "..",
        "a.b.c",
        "é.é.é",
        "[" * 5000 + ".x.y",
        base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5000).decode() + ".x.y",
        good + "." * 20_000,
    ):
        assert who(app, token) is None, token[:60]
    assert who(app, good) == ("ann", True)


@pytest.mark.parametrize(("key", "private", "algorithm"), [(PUBLIC, PRIVATE, "RS256"), (EC_PUBLIC, EC, "ES256")])
def test_a_public_key_is_never_taken_for_a_shared_secret(tmp_path: Any, key: str, private: Any, algorithm: str) -> None:
    app = apart(tmp_path, jwt_key=key, jwt_algorithms=[algorithm])
    assert who(app, signed(private, algorithm)) == ("ann", True)
    body = signed(private, algorithm).split(".")[1]
    header = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    mac = hmac.digest(key.encode(), f"{header}.{body}".encode(), "sha256")
    confused = f"{header}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert who(app, confused) is None


@pytest.mark.parametrize(
    ("key", "algorithms", "said"),
    [
        (PUBLIC, ["HS256"], "need a shared secret"),
        ("short", ["HS256"], "32 bytes or more"),
        (SECRET[:40], ["HS256", "HS512"], "64 bytes or more"),
        (SECRET, ["RS256"], "must be the public key"),
        (EC_PUBLIC, ["RS256"], "must be the public key"),
        (PUBLIC, ["EdDSA"], "must be the public key"),
    ],
)
def test_a_key_that_does_not_fit_its_algorithms_is_refused_at_the_start(
    tmp_path: Any, key: str, algorithms: list[str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        apart(tmp_path, jwt_key=key, jwt_algorithms=algorithms)


@pytest.mark.parametrize("algorithms", [["none"], ["HS256", "RS256"], [], ["HS256", "none"], "HS1"])
def test_no_algorithm_is_none_and_none_are_mixed(algorithms: Any) -> None:
    with pytest.raises(ConfigurationError, match="algorithms of one family"):
        TaskManager(database_url="sqlite://", jwt_algorithms=algorithms)


def test_read_only_pages_let_tokens_only_look(tmp_path: Any) -> None:
    app = apart(tmp_path, api_tokens=HASHES, jwt_key=SECRET, web_read_only=True)
    assert who(app, TOKENS["ci"]) == ("ci", False)
    assert who(app, signed()) == ("ann", False)
