"""Access tokens of an OpenID Connect issuer: what one looks like, whom it is for, and who its subject is here."""

import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

from instant.domain.access.identity import Scope

MAX_LENGTH = 8192
"""Characters of the longest token that is looked into; API Gateway takes 10,240 bytes of headers in all."""

TOKEN_SCOPES = frozenset({Scope.EXECUTE, Scope.MANAGE})
"""What every access token allows; an issuer's own scopes mean nothing here."""

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a verified token says: who its subject is, for which issuer, and until when (a stamp) it is taken."""

    issuer: str
    subject: str
    expires_at: str | None = field(default=None, compare=False)

    @property
    def user_id(self) -> str:
        """`oidc_` and 32 characters, the same for this subject of this issuer for ever.

        No id made elsewhere starts so, and a hash keeps mail addresses and the like out of tables and logs.
        """
        digest = sha256(f"{self.issuer}\n{self.subject}".encode()).digest()  # a URL has no line breaks
        return "oidc_" + b32encode(digest).decode()[:32].lower()


def looks_like_token(text: str) -> bool:
    """Whether `text` can be a signed token at all: three parts in base64url, and not too long."""
    return len(text) <= MAX_LENGTH and _SHAPE.fullmatch(text) is not None


def is_subject(name: object) -> bool:
    """Whether a token's `sub` is one: at most 255 characters, as OpenID Connect says, that can be written down."""
    return isinstance(name, str) and 0 < len(name) <= 255 and name.isprintable()


def is_meant_for(audience: str, claims: Mapping[str, object]) -> bool:
    """Whether a token is an access token for `audience`.

    Cognito's have no `aud`, only `client_id`, and its ID tokens, which tell a browser who signed in and are handed
    around more freely, say so in `token_use`. Other issuers' ID tokens are for another audience than the API.
    """
    if claims.get("token_use", "access") != "access":
        return False
    named = claims["aud"] if "aud" in claims else claims.get("client_id")
    return audience in named if isinstance(named, list) else audience == named


def is_safe_url(text: str) -> bool:
    """Whether keys may be fetched from there: over TLS, or from this very machine in tests."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    tls = url.scheme == "https" and bool(url.hostname)
    here = url.scheme == "http" and url.hostname == "127.0.0.1"
    plain = not (url.username or url.password or url.fragment) and re.search(r"[^!-~]", text) is None
    return (tls or here) and plain and port != 0
