"""JSON Web Tokens that somebody else signs.

Only they need cryptography, 9 MB of memory: this module is loaded where a key is set.
"""

from __future__ import annotations

from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from taskmanager.config import Settings
from taskmanager.domain.errors import ConfigurationError
from webui.users import Refused

#: Clocks of two hosts differ by so many seconds at most.
_LEEWAY_SECONDS = 30
_LONGEST_NAME = 100
#: The least length of an RSA key, in bits (RFC 7518, 3.3).
_SHORTEST_RSA = 2048


class Jwts:
    """Checks signature, times, audience and issuer; the algorithms that are taken are of the key's own kind.

    Raises ConfigurationError when the key does not fit the algorithms.
    """

    def __init__(self, settings: Settings) -> None:
        self._key = _key(settings.jwt_key or "", settings.jwt_algorithms)
        self._settings = settings

    def claims_of(self, token: str) -> tuple[str, set[str]]:
        """Name and roles. Raises Refused."""
        s = self._settings
        needed = ["exp", "sub", *(["aud"] if s.jwt_audience else []), *(["iss"] if s.jwt_issuer else [])]
        try:
            claims = jwt.decode(
                token, self._key, algorithms=list(s.jwt_algorithms), audience=s.jwt_audience, issuer=s.jwt_issuer,
                leeway=_LEEWAY_SECONDS, options={"require": needed, "verify_aud": s.jwt_audience is not None},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
            raise Refused(f"as a JWT it is refused: {str(error)[:200]}") from None
        name = claims["sub"]
        if not 0 < len(name.strip()) <= _LONGEST_NAME or not name.isprintable():
            raise Refused(f"its sub is no name of 1 to {_LONGEST_NAME} printable characters")
        return name, self._roles(claims.get(s.jwt_claim))

    def _roles(self, claim: Any) -> set[str]:
        values = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
        mapped = self._settings.jwt_roles
        return {mapped[value] for value in values if isinstance(value, str) and value in mapped}


def _key(text: str, algorithms: tuple[str, ...]) -> Any:
    """The key that algorithms of one family check with. Raises ConfigurationError."""
    family = algorithms[0][:2]
    if family == "HS":
        if "-----BEGIN" in text:
            raise ConfigurationError(
                f"jwt_key is a public key, but jwt_algorithms are {', '.join(algorithms)}, which need a shared secret: "
                "name algorithms such as RS256 or ES256"
            )
        least = max(int(name[2:]) for name in algorithms) // 8  # as long as the hash (RFC 7518, 3.2)
        if len(text.encode()) < least:
            raise ConfigurationError(f"jwt_key is too short: a secret for {algorithms[0]} has {least} bytes or more")
        return text
    try:
        key: Any = load_pem_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    kinds: dict[str, Any] = {
        "RS": rsa.RSAPublicKey, "PS": rsa.RSAPublicKey, "ES": ec.EllipticCurvePublicKey,
        "Ed": (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey),
    }  # fmt: skip
    if not isinstance(key, kinds[family]):
        raise ConfigurationError(
            f"jwt_key does not fit jwt_algorithms {', '.join(algorithms)}: it must be the public key of that kind, as "
            "PEM text that begins with -----BEGIN PUBLIC KEY-----"
        )
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SHORTEST_RSA:
        raise ConfigurationError(f"jwt_key is too short: an RSA key has {_SHORTEST_RSA} bits or more")
    return key
