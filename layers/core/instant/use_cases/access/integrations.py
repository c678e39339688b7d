"""Manage users' keys for external services: checked first, encrypted before they are stored, never shown again."""

from instant.domain.access.identity import Identity, Scope
from instant.domain.access.integration import PLATFORM, Account, Integration
from instant.domain.errors import CredentialRejected, InvalidField, NotFound
from instant.domain.secret import Secret
from instant.integrations import service_named
from instant.ports.access.integrations import IntegrationStore, KeyStatusStore
from instant.ports.access.secret_box import KeyOpener
from instant.ports.clock import Clock
from instant.ports.upstream import Upstream
from instant.use_cases.access.save_key import KeyDeps, ask_about, keep_key, keep_older_cap


def for_the_platform(caller: Identity) -> Identity:
    """The user id under which admins manage the platform's keys."""
    caller.require(Scope.ADMIN)
    return Identity(PLATFORM, frozenset())


def save_key(
    service_name: str, key: Secret, max_cost_per_call_nanousd: int | None, caller: Identity, deps: KeyDeps
) -> Account:
    """Store a key that the user entered; raises `CredentialRejected`, storing nothing, if the service rejects it."""
    service = service_named(service_name)
    if not service.key_shape.fullmatch(key.reveal()):
        raise InvalidField.named("api_key", f"does not look like a key of {service.name}; copy it again, whole")
    return keep_key(key, service, max_cost_per_call_nanousd, caller, deps)


def read_integration(service_name: str, caller: Identity, integrations: IntegrationStore) -> Account:
    """The caller's integration, and the caller's cap."""
    found = _stored(service_name, caller, integrations)
    return Account(integration=found, own_cap_nanousd=integrations.cap_of(caller.user_id))


def configure_integration(
    service_name: str,
    *,
    is_enabled: bool | None,
    max_cost_per_call_nanousd: int | None,
    caller: Identity,
    integrations: IntegrationStore,
) -> Account:
    """Enable or disable the key, or set the caller's cap per call; None leaves a setting unchanged."""
    name = _stored(service_name, caller, integrations).service
    if is_enabled is not None and not integrations.enable(caller.user_id, name, is_enabled):
        raise NotFound.of("integration")
    if max_cost_per_call_nanousd is not None:
        integrations.set_cap(caller.user_id, max_cost_per_call_nanousd)
    return read_integration(name, caller, integrations)


def delete_integration(service_name: str, caller: Identity, integrations: IntegrationStore) -> None:
    """Delete the key; it must be revoked at the service itself."""
    keep_older_cap(_stored(service_name, caller, integrations), caller.user_id, integrations)
    integrations.delete(caller.user_id, service_name)


def test_key(
    service_name: str,
    caller: Identity,
    *,
    integrations: IntegrationStore,
    key_status: KeyStatusStore,
    keys: KeyOpener,
    upstream: Upstream,
    clock: Clock,
) -> Account:
    """Check the stored key with the service and store its status; raises `CredentialRejected` if it is rejected."""
    found = _stored(service_name, caller, integrations)
    service = service_named(service_name)
    key = keys.open(found.ciphertext, user_id=caller.user_id, service=service.name)
    try:
        facts = ask_about(key, service, upstream)
    except CredentialRejected:
        key_status.set(found.rejected(clock.now()))
        raise
    key_status.set(found.confirmed(facts, clock.now()))
    return read_integration(service_name, caller, integrations)


def _stored(service_name: str, caller: Identity, integrations: IntegrationStore) -> Integration:
    found = integrations.get(caller.user_id, service_named(service_name).name)
    if found is None:
        raise NotFound.of("integration")
    return found
