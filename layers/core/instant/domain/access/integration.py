"""A user's integration with an outside service: the encrypted key and its status."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self

from instant.domain.clock import format_time, parse_time
from instant.domain.errors import CredentialDisabled, CredentialMissing, CredentialRejected
from instant.domain.secret import Secret

DEFAULT_COST_CAP_NANOUSD = 250_000_000
"""0.25 USD: the default maximum cost per call for a user who has not set one."""

PLATFORM = "#platform"
"""The user id under which the platform's own key is stored; no token has this id."""


MIN_CHECK_DELAY, MAX_CHECK_DELAY = timedelta(seconds=30), timedelta(hours=1)
"""The bounds of the delay before a refused key is checked again; it doubles with each refusal."""

REFUSALS_KEPT = timedelta(days=1)
"""How long a refusal counts: after a longer time, the delay begins again at its minimum."""


class KeyStatus(StrEnum):
    """The last known status of the key at the service."""

    OK = "ok"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One user's key for one service. `key_sha256` is the service's own non-secret identifier of the key.

    A key that the service refused is checked again at `next_check_at`, by the next call that needs it: a key with the
    status BROKEN, and one that `lacks_credits`, before it reserves an amount in a budget that others share.
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
    lacks_credits: bool = False
    times_refused: int = 0
    refused_at: str | None = None
    next_check_at: str | None = None

    @property
    def is_usable(self) -> bool:
        """Whether its key can be used now."""
        return self.is_enabled and self.status is not KeyStatus.BROKEN

    def is_due(self, now: datetime) -> bool:
        """Whether a refused key can be checked again; rows of earlier versions have no time."""
        return self.next_check_at is None or parse_time(self.next_check_at) <= now

    def rejected(self, now: datetime) -> Self:
        """The integration after the service rejected the key."""
        refused = self._refused(now)
        return replace(
            refused,
            status=KeyStatus.BROKEN,
            limit_remaining=None,
            last_verified_at=format_time(now),
            next_check_at=format_time(now + _delay(refused.times_refused)),
        )

    def out_of_credits(self, now: datetime) -> Self:
        """The integration after the service refused a call for want of credits; the first check can follow at once."""
        refused = self._refused(now)
        wait = _delay(refused.times_refused - 1) if refused.times_refused > 1 else timedelta(0)
        return replace(refused, lacks_credits=True, next_check_at=format_time(now + wait))

    def confirmed(self, facts: "KeyFacts", now: datetime) -> Self:
        """The integration after the key passed a check; a later refusal still counts earlier ones of the same day.

        A check that finds a key still without credits counts as a refusal, so that the delay grows.
        """
        checked = replace(
            self,
            status=KeyStatus.OK,
            lacks_credits=False,
            limit_remaining=facts.limit_remaining,
            last_verified_at=format_time(now),
            next_check_at=None,
        )
        return checked.out_of_credits(now) if self.lacks_credits and not facts.has_credits else checked

    def claimed(self, now: datetime) -> Self:
        """The integration while one call checks the key: no other call does so before the next check is due."""
        return replace(self, next_check_at=format_time(now + _delay(self.times_refused)))

    def _refused(self, now: datetime) -> Self:
        is_recent = self.refused_at is not None and now - parse_time(self.refused_at) < REFUSALS_KEPT
        return replace(self, times_refused=self.times_refused + 1 if is_recent else 1, refused_at=format_time(now))


def _delay(times_refused: int) -> timedelta:
    return min(MIN_CHECK_DELAY * (1 << min(max(times_refused - 1, 0), 10)), MAX_CHECK_DELAY)


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
            f"{service} rejected your key. It is checked again with one of the next calls. "
            f"Save a new one with {route}, or check it now with {route}/test."
        )
    return integration


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """Facts that a service reports about a valid key; money is a decimal string of USD, None means no cap."""

    label: str | None = None
    limit_remaining: str | None = None

    @property
    def has_credits(self) -> bool:
        """Whether the key's own limit leaves anything; what is left of its account is not reported."""
        return self.limit_remaining is None or Decimal(self.limit_remaining) > 0


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
