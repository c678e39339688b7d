"""A user's integration to an outside service: the sealed key and what is known about it."""

from dataclasses import dataclass
from enum import StrEnum

from instant.domain.errors import CredentialDisabled, CredentialMissing, CredentialRejected
from instant.domain.secret import Secret

DEFAULT_COST_CAP_NANOUSD = 250_000_000
"""0.25 USD: what running somebody else's resource may cost me per call, unless I say otherwise."""

PLATFORM = "#platform"
"""The user id under which the platform's own key is kept; no token has one like it."""


class KeyStatus(StrEnum):
    """What the service last said about the key."""

    OK = "ok"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One user's key for one service. `key_sha256` is the service's own safe identifier of the key.

    `max_cost_per_call_nanousd` is only in rows that were written when the cap belonged to the integration.
    """

    user_id: str
    service: str
    ciphertext: bytes
    hint: str
    key_sha256: str
    status: KeyStatus = KeyStatus.OK
    is_enabled: bool = True
    label: str | None = None
    limit_remaining: str | None = None
    max_cost_per_call_nanousd: int | None = None
    last_verified_at: str | None = None
    created_at: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether its key may be used now."""
        return self.is_enabled and self.status is not KeyStatus.BROKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is stored of a user for one call or one page: the key for a service, if any, and the user's own cap."""

    integration: Integration | None = None
    own_cap_nanousd: int | None = None

    @property
    def cap_nanousd(self) -> int:
        """The most that one call may cost the user: as set, else as an older integration says, else the default."""
        if self.own_cap_nanousd is not None:
            return self.own_cap_nanousd
        older = self.integration.max_cost_per_call_nanousd if self.integration else None
        return DEFAULT_COST_CAP_NANOUSD if older is None else older


def usable(integration: Integration | None, service: str) -> Integration:
    """The integration if its key may be used now; otherwise the error that says what to do."""
    route = f"POST /api/user/integrations/{service}"
    if integration is None:
        raise CredentialMissing(f'Connect a key first: {route} {{"api_key": "…"}}.')
    if not integration.is_enabled:
        raise CredentialDisabled(f"Your {service} key is switched off. Enable it: PATCH {route[5:]}.")
    if integration.status is KeyStatus.BROKEN:
        raise CredentialRejected(
            f"{service} rejected your key. Save a new one with {route}, or check it again with {route}/test."
        )
    return integration


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """What a service says about a key that it accepts; money as a decimal string of USD, None = no cap."""

    label: str | None = None
    limit_remaining: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What the client keeps until the browser is back; without a callback there is no `state` to compare."""

    authorize_url: str
    state: str | None
    verifier: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a user's consent is proven by: the service's `code`, and the `verifier` it was asked for with."""

    code: Secret
    verifier: Secret
