"""Connect users' keys for outside services: tested first, sealed before they are stored, never shown again."""

from dataclasses import dataclass
from hashlib import sha256

from instant.domain.clock import stamp
from instant.domain.errors import CredentialRejected, InstantError, InvalidField, NotFound, UpstreamUnavailable
from instant.domain.identity import Identity, Scope
from instant.domain.integration import DEFAULT_COST_CAP_NANOUSD, Integration, KeyFacts, KeyStatus
from instant.domain.secret import Secret
from instant.integrations import INTEGRATIONS
from instant.integrations.service import Service
from instant.ports import Clock, IntegrationStore, KeyOpener, KeySealer, KeyVerdicts, Upstream

CHECK_SECONDS = 10.0
"""How long a service may take to say whether a key works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What taking keys in needs from outside; there is no way to open one here."""

    integrations: IntegrationStore
    keys: KeySealer
    upstream: Upstream
    clock: Clock


def save_key(
    service_name: str, key: Secret, max_cost_per_call_nanousd: int | None, caller: Identity, doors: Doors
) -> Integration:
    """Test the key, seal it, store it; a key that the service refuses is not stored (`CredentialRejected`).

    A new key switches a disabled connection on again, on purpose: whoever connects a key means to use it. The day
    of the first connection stays, and so does what a call may cost unless it is named.
    """
    caller.require(Scope.MANAGE)
    service = _service(service_name)
    text = key.reveal()
    if not service.key_shape.fullmatch(text):
        raise InvalidField.named("api_key", f"does not look like a key of {service.name}; copy it again, whole")
    facts = _ask_about(key, service, doors.upstream)
    before = doors.integrations.get(caller.user_id, service.name)
    now = stamp(doors.clock.now())
    integration = Integration(
        user_id=caller.user_id,
        service=service.name,
        ciphertext=doors.keys.seal(key, user_id=caller.user_id, service=service.name),
        hint=text[-4:],
        key_sha256=sha256(text.encode()).hexdigest(),
        label=facts.label,
        limit_remaining=facts.limit_remaining,
        max_cost_per_call_nanousd=_cap(max_cost_per_call_nanousd, before),
        last_verified_at=now,
        created_at=before.created_at if before else now,
    )
    doors.integrations.put(integration)
    return integration


def read_integration(service_name: str, caller: Identity, integrations: IntegrationStore) -> Integration:
    """The caller's connection."""
    caller.require(Scope.MANAGE)
    found = integrations.get(caller.user_id, _service(service_name).name)
    if found is None:
        raise NotFound.of("integration")
    return found


def configure_integration(
    service_name: str,
    *,
    is_enabled: bool | None,
    max_cost_per_call_nanousd: int | None,
    caller: Identity,
    integrations: IntegrationStore,
) -> Integration:
    """Switch the key on or off, or set what one call may cost; None leaves a setting as it is."""
    caller.require(Scope.MANAGE)
    changed = integrations.configure(
        caller.user_id,
        _service(service_name).name,
        is_enabled=is_enabled,
        max_cost_per_call_nanousd=max_cost_per_call_nanousd,
    )
    if changed is None:
        raise NotFound.of("integration")
    return changed


def delete_integration(service_name: str, caller: Identity, integrations: IntegrationStore) -> None:
    """Forget the key; the service itself is where it can be revoked."""
    read_integration(service_name, caller, integrations)
    integrations.delete(caller.user_id, service_name)


def test_key(
    service_name: str,
    caller: Identity,
    *,
    integrations: IntegrationStore,
    verdicts: KeyVerdicts,
    keys: KeyOpener,
    upstream: Upstream,
    clock: Clock,
) -> Integration:
    """Ask the service about the stored key and note what it says; `CredentialRejected` if it refuses."""
    found = read_integration(service_name, caller, integrations)
    service = _service(service_name)
    key = keys.open(found.ciphertext, user_id=caller.user_id, service=service.name)
    try:
        facts = _ask_about(key, service, upstream)
    except CredentialRejected:
        verdicts.note(found, KeyStatus.BROKEN, stamp(clock.now()))
        raise
    verdicts.note(found, KeyStatus.OK, stamp(clock.now()), facts.limit_remaining)
    return read_integration(service_name, caller, integrations)


def _service(name: str) -> Service:
    if name not in INTEGRATIONS:
        raise NotFound.of("service")
    return INTEGRATIONS[name]


def _ask_about(key: Secret, service: Service, upstream: Upstream) -> KeyFacts:
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
