"""Access tokens."""

from typing import Protocol

from instant.domain.access.token import TokenClaims


class TokenVerifier(Protocol):
    """Verifies access tokens of the configured issuer."""

    def verify(self, token: str) -> TokenClaims:
        """The claims of a valid token, else `Unauthenticated`; `UpstreamUnavailable` if it cannot be verified.

        The latter happens when the issuer cannot be reached and none of its keys are cached.
        """
