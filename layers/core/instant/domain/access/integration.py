"""A user's integration with an outside service: the encrypted key and its status."""

from dataclasses import dataclass
from enum import StrEnum

from instant.domain.errors import CredentialDisabled, CredentialMissing, CredentialRejected
from instant.domain.secret import Secret

DEFAULT_COST_CAP_NANOUSD = 250_000_000
"""0.25 USD: the default maximum cost per call for a user who has not set one."""

PLATFORM = "#platform"
"""The user id under which the platform's own key is stored; no token has this id."""


class KeyStatus(StrEnum):
    """The last known status of the key at the service."""

    OK = "ok"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One user's key for one service. `key_sha256` is the service's own non-secret identifier of the key.

    `max_cost_per_call_nanousd` is set only in older rows, from when the cap was part of the integration.
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
        """Whether its key can be used now."""
        return self.is_enabled and self.status is not KeyStatus.BROKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user's stored data for one call or page: the integration with a service, if any, and the cost cap."""

    integration: Integration | None = None
    own_cap_nanousd: int | None = None

    @property
    def cap_nanousd(self) -> int:
        """The maximum cost per call: the user's setting, else that of an older integration row, else the default."""
        if self.own_cap_nanousd is not None:
            return self.own_cap_nanousd
        older = self.integration.max_cost_per_call_nanousd if self.integration else None
        return DEFAULT_COST_CAP_NANOUSD if older is None else older


def usable(integration: Integration | None, service: str) -> Integration:
    """The integration if its key can be used now; else raise the error that tells the caller how to fix it."""
    route = f"POST /api/user/integrations/{service}"
    if integration is None:
        raise CredentialMissing(f'Connect a key first: {route} {{"api_key": "…"}}.')
    if not integration.is_enabled:
        raise CredentialDisabled(f"Your {service} key is disabled. Enable it: PATCH {route[5:]}.")
    if integration.status is KeyStatus.BROKEN:
        raise CredentialRejected(
            f"{service} rejected your key. Save a new one with {route}, or check it again with {route}/test."
        )
    return integration


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """Facts that a service reports about a valid key; money is a decimal string of USD, None means no cap."""

    label: str | None = None
    limit_remaining: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """Values that the client stores until the browser returns; without a callback there is no `state` to compare."""

    authorize_url: str
    state: str | None
    verifier: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Proof of a user's consent: the service's authorization `code` and the PKCE `verifier`."""

    code: Secret
    verifier: Secret
