"""Invalid tokens, by defect."""

import hmac
import time
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from tests.fakes.issuer.server import FakeIssuer
from tests.fakes.issuer.signing import SigningKey, jws

HOUR = 3600


def _unsigned(issuer: FakeIssuer) -> str:
    """A token with the algorithm `none` and an empty signature."""
    return jws({"typ": "JWT", "alg": "none", "kid": issuer.key.kid}, issuer.claims(), lambda data: b"")


def _signed_with_the_public_key(issuer: FakeIssuer) -> str:
    """HS256 with the issuer's public key as the secret (algorithm confusion)."""
    secret = issuer.key.public_pem()
    header = {"typ": "JWT", "alg": "HS256", "kid": issuer.key.kid}
    return jws(header, issuer.claims(), lambda data: hmac.digest(secret, data, sha256))


@cache
def foreign_key() -> SigningKey:
    """A key that the issuer does not publish."""
    return SigningKey.make("foreign")


def _signed_with_foreign_key(issuer: FakeIssuer, **header: Any) -> str:
    """A token signed with a foreign key; `header` overrides header fields."""
    usual = {"typ": "JWT", "alg": foreign_key().alg, "kid": issuer.key.kid}
    return jws({**usual, **header}, issuer.claims(), foreign_key().sign)


def _tampered(issuer: FakeIssuer) -> str:
    """The claims of one token with the signature of another."""
    head, _, signature = issuer.token("carol").split(".")
    return ".".join([head, issuer.token("mallory").split(".")[1], signature])


BAD_TOKENS: Mapping[str, Callable[[FakeIssuer], str]] = {
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - HOUR),
    "not yet valid": lambda issuer: issuer.token(nbf=int(time.time()) + HOUR),
    "issued in the future": lambda issuer: issuer.token(iat=int(time.time()) + HOUR),
    "without an expiry": lambda issuer: issuer.token(exp=None),
    "without an issuer": lambda issuer: issuer.token(iss=None),
    "without a subject": lambda issuer: issuer.token(sub=None),
    "of another issuer": lambda issuer: issuer.token(iss="https://issuer.example"),
    "for another audience": lambda issuer: issuer.token(aud="somebody-else"),
    "without an audience": lambda issuer: issuer.token(aud=None),
    "unsigned": _unsigned,
    "signed with the public key": _signed_with_the_public_key,
    "signed with a foreign key": _signed_with_foreign_key,
    "with an embedded key": lambda issuer: _signed_with_foreign_key(issuer, jwk=foreign_key().jwk()),
    "with a link to foreign keys": lambda issuer: _signed_with_foreign_key(issuer, kid="foreign", jku=issuer.jwks_url),
    "with an unknown key id": lambda issuer: issuer.token(headers={"kid": "nobody-s"}),
    "signed with a foreign key without an id": lambda issuer: _signed_with_foreign_key(issuer, kid=None),
    "with a critical header": lambda issuer: issuer.token(headers={"crit": ["exp"], "exp": 1}),
    "tampered with": _tampered,
    "truncated": lambda issuer: issuer.token()[:-9],
}
"""Each function takes a running issuer and returns a token."""
