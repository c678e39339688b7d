"""Verify access tokens against their issuer's keys with PyJWT.

PyJWT and its dependencies take longer to import than the rest of the authorizer, so they are imported with the first
token: callers with an API key do not wait for them.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, override

from instant.domain.access.token import TokenClaims, is_meant_for, is_subject, looks_like_token
from instant.domain.clock import format_time
from instant.domain.errors import Unauthenticated
from instant.ports.access.token_verifier import TokenVerifier
from instant.ports.clock import Clock

if TYPE_CHECKING:
    from instant.adapters.access.issuer_keys import IssuerKey, IssuerKeys

LEEWAY_SECONDS = 30
"""Accepted clock skew between the issuer and this service."""

_TYPES = {"jwt", "at+jwt", "application/at+jwt"}
"""Accepted `typ` values; a logout token or a DPoP proof of the same issuer is not an access token."""


class OidcTokenVerifier(TokenVerifier):
    """Verifies tokens of one issuer for one audience."""

    def __init__(self, issuer: str, audience: str, jwks_url: str, clock: Clock, seconds: float = 2.0) -> None:
        """Without `jwks_url`, the discovery document provides the URL; `seconds` is the timeout of each fetch."""
        self._issuer = issuer
        self._audience = audience
        self._jwks_url = jwks_url
        self._clock = clock
        self._seconds = seconds

    @override
    def verify(self, token: str) -> TokenClaims:
        """The claims of a valid token; text that is not shaped like a token is rejected without a key lookup."""
        claims = self._claims(token) if looks_like_token(token) else {}
        if not is_subject(claims.get("sub")) or not is_meant_for(self._audience, claims):
            raise _refused()
        return TokenClaims(self._issuer, claims["sub"], _end(claims["exp"]))

    def _claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a token whose signature, issuer and times are valid."""
        import jwt

        try:
            for key in self._keys_for(jwt.get_unverified_header(token)):
                with suppress(jwt.InvalidSignatureError, jwt.InvalidKeyError):  # a key that is too short is not tried
                    return jwt.decode(
                        token,
                        key.public,
                        algorithms=key.algorithms,
                        issuer=self._issuer,
                        leeway=LEEWAY_SECONDS,
                        options={"require": ["exp"], "verify_aud": False, "enforce_minimum_key_length": True},
                    )
        except jwt.PyJWTError:
            pass
        raise _refused()

    def _keys_for(self, header: Mapping[str, Any]) -> Iterator["IssuerKey"]:
        """The issuer's keys that can have signed the token; a key without a name may have been replaced since."""
        from instant.adapters.access.issuer_keys import SUPPORTED

        kind, name, algorithm = header.get("typ", "JWT"), header.get("kid"), header.get("alg")
        if "crit" in header or not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise _refused()
        if not isinstance(name, str | None) or not isinstance(algorithm, str) or algorithm not in SUPPORTED:
            raise _refused()
        found = self._keys.find(name, algorithm)
        yield from found
        is_unnamed = name is None or (found and all(key.name is None for key in found))
        if is_unnamed and self._keys.search():
            yield from self._keys.find(name, algorithm)

    @cached_property
    def _keys(self) -> "IssuerKeys":
        from instant.adapters.access.issuer_keys import IssuerKeys
        from instant.adapters.http.upstream import HttpUpstream

        return IssuerKeys(self._issuer, self._jwks_url, HttpUpstream(), self._clock, self._seconds)


def _end(exp: float) -> str | None:
    """The expiry of a token with this `exp`; None if it is beyond the supported dates."""
    try:
        return format_time(datetime.fromtimestamp(int(exp) + LEEWAY_SECONDS, UTC))
    except (OSError, OverflowError, ValueError):
        return None


def _refused() -> Unauthenticated:
    return Unauthenticated("The access token is not valid. Sign in again and send the new token.")
