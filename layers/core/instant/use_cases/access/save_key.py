"""Save a user's key: check it with its service, encrypt it, store it."""

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
"""The timeout for checking a key with its service, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDeps:
    """The dependencies of saving keys; they cannot decrypt keys."""

    integrations: IntegrationStore
    keys: KeySealer
    upstream: Upstream
    clock: Clock


def keep_key(
    key: Secret, service: KeyedService, max_cost_per_call_nanousd: int | None, caller: Identity, deps: KeyDeps
) -> Account:
    """Check a well-formed key, encrypt it and store it; a key that the service rejects is not stored.

    Saving a new key enables a disabled integration, since the user intends to use the key. The time of the first
    connection is kept, and so is the cap per call unless a new one is given.
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


def ask_about(key: Secret, service: KeyedService, upstream: Upstream, *, seconds: float = CHECK_SECONDS) -> KeyFacts:
    """Check a key with its service; the check is free, so its errors do not mention charges."""
    try:
        return service.read_key_check(ask(upstream, service.key_check(key), seconds=seconds))
    except (CredentialRejected, InvalidField):
        raise
    except InstantError as error:
        raise UpstreamUnavailable(
            "The key could not be checked with the service. Try again in a moment.", retry_after=error.retry_after
        ) from error


def _cap(wanted: int | None, before: Integration | None, user_id: str, integrations: IntegrationStore) -> int | None:
    """The user's cap: the new value, else the stored one."""
    if wanted is None:
        return keep_older_cap(before, user_id, integrations)
    integrations.set_cap(user_id, wanted)
    return wanted


def keep_older_cap(before: Integration | None, user_id: str, integrations: IntegrationStore) -> int | None:
    """The user's cap; one that is stored in an older integration moves to the user, before its row is replaced."""
    own = integrations.cap_of(user_id)
    older = before.max_cost_per_call_nanousd if before else None
    if own is not None or older is None:
        return own
    integrations.set_cap(user_id, older)
    return older
