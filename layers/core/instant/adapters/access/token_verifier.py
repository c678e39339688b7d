"""Access tokens checked against their issuer's keys by PyJWT.

What that needs takes longer to load than everything else of the authorizer together, so it is loaded with the first
token: callers with an API key never wait for it.
"""

from collections.abc import Mapping
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
"""By how much the issuer's clock may differ from ours."""

_TYPES = {"jwt", "at+jwt", "application/at+jwt"}
"""What `typ` may say; a logout token or a DPoP proof of the same issuer is no access token."""


class OidcTokenVerifier(TokenVerifier):
    """Tokens of one issuer for one audience."""

    def __init__(self, issuer: str, audience: str, jwks_url: str, clock: Clock) -> None:
        """Without `jwks_url` the issuer's discovery document says where its keys are."""
        self._issuer = issuer
        self._audience = audience
        self._jwks_url = jwks_url
        self._clock = clock

    @override
    def verify(self, token: str) -> TokenClaims:
        """What the token says, if it is good now; what is no token by its looks costs nothing."""
        claims = self._claims(token) if looks_like_token(token) else {}
        if not is_subject(claims.get("sub")) or not is_meant_for(self._audience, claims):
            raise _refused()
        return TokenClaims(self._issuer, claims["sub"], _end(claims["exp"]))

    def _claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a token with a good signature, issuer and time."""
        import jwt

        try:
            key = self._key_for(jwt.get_unverified_header(token))
            return jwt.decode(
                token,
                key.public,
                algorithms=key.algorithms,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp"], "verify_aud": False, "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError:
            raise _refused() from None

    def _key_for(self, header: Mapping[str, Any]) -> "IssuerKey":
        """The issuer's key that the header names: of all that it says, only the name is used."""
        kind, name = header.get("typ", "JWT"), header.get("kid")
        if "crit" in header or not isinstance(kind, str) or kind.lower() not in _TYPES or not isinstance(name, str):
            raise _refused()
        key = self._keys.find(name)
        if key is None:
            raise _refused()
        return key

    @cached_property
    def _keys(self) -> "IssuerKeys":
        from instant.adapters.access.issuer_keys import IssuerKeys
        from instant.adapters.http.upstream import HttpUpstream

        return IssuerKeys(self._issuer, self._jwks_url, HttpUpstream(), self._clock)


def _end(exp: float) -> str | None:
    """Until when a token with this `exp` is taken; one beyond all dates has no end."""
    try:
        return format_time(datetime.fromtimestamp(int(exp) + LEEWAY_SECONDS, UTC))
    except (OSError, OverflowError, ValueError):
        return None


def _refused() -> Unauthenticated:
    return Unauthenticated("The access token is not valid here. Sign in again, and send the new one.")
