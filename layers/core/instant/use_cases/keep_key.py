"""Take a user's key in, however it came: check it with its service, seal it, store it."""

from dataclasses import dataclass
from hashlib import sha256

from instant.domain.clock import stamp
from instant.domain.errors import CredentialRejected, InstantError, InvalidField, UpstreamUnavailable
from instant.domain.identity import Identity
from instant.domain.integration import DEFAULT_COST_CAP_NANOUSD, Integration, KeyFacts
from instant.domain.secret import Secret
from instant.integrations.service import Service
from instant.ports import Clock, IntegrationStore, KeySealer, Upstream

CHECK_SECONDS = 10.0
"""How long a service may take to say whether a key works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What taking keys in needs from outside; there is no way to open one here."""

    integrations: IntegrationStore
    keys: KeySealer
    upstream: Upstream
    clock: Clock


def keep_key(
    key: Secret, service: Service, max_cost_per_call_nanousd: int | None, caller: Identity, doors: Doors
) -> Integration:
    """Check a well-formed key, seal it, store it; a key that the service refuses is not stored.

    A new key switches a disabled connection on again, on purpose: whoever connects a key means to use it. The day
    of the first connection stays, and so does what a call may cost unless it is named.
    """
    facts = ask_about(key, service, doors.upstream)
    before = doors.integrations.get(caller.user_id, service.name)
    now = stamp(doors.clock.now())
    integration = Integration(
        user_id=caller.user_id,
        service=service.name,
        ciphertext=doors.keys.seal(key, user_id=caller.user_id, service=service.name),
        hint=key.reveal()[-4:],
        key_sha256=sha256(key.reveal().encode()).hexdigest(),
        label=facts.label,
        limit_remaining=facts.limit_remaining,
        max_cost_per_call_nanousd=_cap(max_cost_per_call_nanousd, before),
        last_verified_at=now,
        created_at=before.created_at if before else now,
    )
    doors.integrations.put(integration)
    return integration


def ask_about(key: Secret, service: Service, upstream: Upstream) -> KeyFacts:
    """What the service says about a key; asking is free, so no failure of it speaks of money."""
    try:
        return service.read_key_check(upstream.send(service.key_check(key), seconds=CHECK_SECONDS))
    except (CredentialRejected, InvalidField):
        raise
    except InstantError as error:
        raise UpstreamUnavailable(
            "The service could not be asked about the key. Try again in a moment.", retry_after=error.retry_after
        ) from error


def _cap(wanted: int | None, before: Integration | None) -> int:
    """What one call may cost: as asked, else as it was for the key before, else the default."""
    if wanted is not None:
        return wanted
    return before.max_cost_per_call_nanousd if before else DEFAULT_COST_CAP_NANOUSD
