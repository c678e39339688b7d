"""Take a user's key in, however it came: check it with its service, seal it, store it."""

from dataclasses import dataclass
from hashlib import sha256

from instant.domain.access.identity import Identity
from instant.domain.access.integration import Account, Integration, KeyFacts
from instant.domain.clock import format_time
from instant.domain.errors import CredentialRejected, InstantError, InvalidField, UpstreamUnavailable
from instant.domain.secret import Secret
from instant.integrations.service import KeyedService
from instant.ports.access.integrations import IntegrationStore
from instant.ports.access.secret_box import KeySealer
from instant.ports.clock import Clock
from instant.ports.upstream import Upstream, ask

CHECK_SECONDS = 10.0
"""How long a service may take to say whether a key works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDeps:
    """The ports that taking keys in needs; there is no way to open one here."""

    integrations: IntegrationStore
    keys: KeySealer
    upstream: Upstream
    clock: Clock


def keep_key(
    key: Secret, service: KeyedService, max_cost_per_call_nanousd: int | None, caller: Identity, deps: KeyDeps
) -> Account:
    """Check a well-formed key, seal it, store it; a key that the service refuses is not stored.

    A new key switches a disabled integration on again, on purpose: whoever connects a key means to use it. The day
    of the first integration stays, and so does what a call may cost unless it is named.
    """
    facts = ask_about(key, service, deps.upstream)
    before = deps.integrations.get(caller.user_id, service.name)
    now = format_time(deps.clock.now())
    integration = Integration(
        user_id=caller.user_id,
        service=service.name,
        ciphertext=deps.keys.seal(key, user_id=caller.user_id, service=service.name),
        hint=key.reveal()[-4:],
        key_sha256=sha256(key.reveal().encode()).hexdigest(),
        label=facts.label,
        limit_remaining=facts.limit_remaining,
        last_verified_at=now,
        created_at=before.created_at if before else now,
    )
    cap = _cap(max_cost_per_call_nanousd, before, caller.user_id, deps.integrations)
    deps.integrations.put(integration)
    return Account(integration=integration, own_cap_nanousd=cap)


def ask_about(key: Secret, service: KeyedService, upstream: Upstream) -> KeyFacts:
    """What the service says about a key; asking is free, so no failure of it speaks of money."""
    try:
        return service.read_key_check(ask(upstream, service.key_check(key), seconds=CHECK_SECONDS))
    except (CredentialRejected, InvalidField):
        raise
    except InstantError as error:
        raise UpstreamUnavailable(
            "The service could not be asked about the key. Try again in a moment.", retry_after=error.retry_after
        ) from error


def _cap(wanted: int | None, before: Integration | None, user_id: str, integrations: IntegrationStore) -> int | None:
    """The user's cap: as asked for, else as it was; one that stands in an older integration moves to the user."""
    own = integrations.cap_of(user_id)
    older = before.max_cost_per_call_nanousd if before and own is None else None
    changed = older if wanted is None else wanted
    if changed is None:
        return own
    integrations.set_cap(user_id, changed)
    return changed
