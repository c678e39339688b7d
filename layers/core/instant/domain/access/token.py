"""Access tokens of an OpenID Connect issuer: their form, their audience, and the user id of their subject."""

import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

from instant.domain.access.identity import Scope

MAX_LENGTH = 8192
"""Maximum length of a token in characters; API Gateway accepts 10,240 bytes of headers in total."""

TOKEN_SCOPES = frozenset({Scope.EXECUTE, Scope.READ, Scope.MANAGE})
"""The scopes of every access token; the issuer's own scopes are ignored."""

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """Claims of a verified token: its subject, its issuer, and its expiry time (as `format_time` writes it)."""

    issuer: str
    subject: str
    expires_at: str | None = field(default=None, compare=False)

    @property
    def user_id(self) -> str:
        """`oidc_` and 32 characters; stable for this subject of this issuer.

        No other ids have this prefix. The hash keeps email addresses and other personal data out of tables and logs.
        """
        digest = sha256(f"{self.issuer}\n{self.subject}".encode()).digest()  # a URL cannot contain a line break
        return "oidc_" + b32encode(digest).decode()[:32].lower()


def looks_like_token(text: str) -> bool:
    """Whether `text` has the form of a signed token: three base64url parts, within the maximum length."""
    return len(text) <= MAX_LENGTH and _SHAPE.fullmatch(text) is not None


def is_subject(name: object) -> bool:
    """Whether `name` is a valid `sub` claim: at most 255 characters (OpenID Connect), encodable as UTF-8."""
    return isinstance(name, str) and 0 < len(name) <= 255 and name.isprintable()


def is_meant_for(audience: str, claims: Mapping[str, object]) -> bool:
    """Whether a token is an access token for `audience`.

    Cognito's access tokens have `client_id` and no `aud`; its ID tokens, which are less protected, are recognized by
    `token_use`. ID tokens of other issuers have a different audience than the API.
    """
    if claims.get("token_use", "access") != "access":
        return False
    named = claims["aud"] if "aud" in claims else claims.get("client_id")
    return audience in named if isinstance(named, list) else audience == named


def is_safe_url(text: str) -> bool:
    """Whether keys may be fetched from this URL: over TLS, or from the local machine in tests."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    tls = url.scheme == "https" and bool(url.hostname)
    here = url.scheme == "http" and url.hostname == "127.0.0.1"
    plain = not (url.username or url.password or url.fragment) and re.search(r"[^!-~]", text) is None
    return (tls or here) and plain and port != 0
