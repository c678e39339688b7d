"""Access tokens."""

from typing import Protocol

from instant.domain.access.token import TokenClaims


class TokenVerifier(Protocol):
    """Reads access tokens of the issuer that the operator trusts."""

    def verify(self, token: str) -> TokenClaims:
        """What the token says; `Unauthenticated` unless it is good now, and `UpstreamUnavailable` if nobody can tell.

        That is when the issuer cannot be reached and none of its keys are at hand.
        """
