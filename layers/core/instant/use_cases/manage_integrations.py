"""Connect users' keys for outside services: tested first, sealed before they are stored, never shown again."""

from dataclasses import dataclass
from hashlib import sha256

from instant.domain.clock import stamp
from instant.domain.errors import CredentialRejected, InvalidField, NotFound
from instant.domain.identity import Identity, Scope
from instant.domain.integration import DEFAULT_COST_CAP_NANOUSD, Integration, KeyStatus
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
    """Test the key, seal it, store it; a key that the service refuses is not stored (`CredentialRejected`)."""
    caller.require(Scope.MANAGE)
    service = _service(service_name)
    text = key.reveal()
    if not service.key_shape.fullmatch(text):
        raise InvalidField.named("api_key", f"does not look like a key of {service.name}; copy it again, whole")
    facts = service.read_key_check(doors.upstream.send(service.key_check(key), seconds=CHECK_SECONDS))
    now = stamp(doors.clock.now())
    integration = Integration(
        user_id=caller.user_id,
        service=service.name,
        ciphertext=doors.keys.seal(key, user_id=caller.user_id, service=service.name),
        hint=text[-4:],
        key_sha256=sha256(text.encode()).hexdigest(),
        label=facts.label,
        limit_remaining=facts.limit_remaining,
        max_cost_per_call_nanousd=_cap(max_cost_per_call_nanousd, caller, service, doors.integrations),
        last_verified_at=now,
        created_at=now,
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
    reply = upstream.send(service.key_check(key), seconds=CHECK_SECONDS)
    now = stamp(clock.now())
    try:
        facts = service.read_key_check(reply)
    except CredentialRejected:
        verdicts.note(found, KeyStatus.BROKEN, now)
        raise
    verdicts.note(found, KeyStatus.OK, now, facts.limit_remaining)
    return read_integration(service_name, caller, integrations)


def _service(name: str) -> Service:
    if name not in INTEGRATIONS:
        raise NotFound.of("service")
    return INTEGRATIONS[name]


def _cap(wanted: int | None, caller: Identity, service: Service, integrations: IntegrationStore) -> int:
    """What one call may cost: as asked, else as it was for the key before, else the default."""
    if wanted is not None:
        return wanted
    before = integrations.get(caller.user_id, service.name)
    return before.max_cost_per_call_nanousd if before else DEFAULT_COST_CAP_NANOUSD
