"""Check stored keys with their services while calls use them: before a key is marked, and after it was marked."""

import logging
from dataclasses import dataclass

from instant.domain.access.integration import Integration
from instant.domain.errors import CredentialRejected, UpstreamUnavailable
from instant.integrations import service_named
from instant.ports.access.integrations import KeyStatusStore
from instant.ports.access.secret_box import KeyOpener
from instant.ports.clock import Clock
from instant.ports.upstream import Upstream
from instant.use_cases.access.save_key import ask_about

RECHECK_SECONDS = 5.0
"""The timeout of a check during a call, in seconds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckDeps:
    """The dependencies of checking a stored key."""

    key_status: KeyStatusStore
    keys: KeyOpener
    upstream: Upstream
    clock: Clock


def recheck(integration: Integration, deps: RecheckDeps) -> Integration:
    """Check a refused key again if that is due; of concurrent calls one checks, so that a key is not checked often."""
    now = deps.clock.now()
    claimed = integration.claimed(now)
    if not integration.is_due(now) or not deps.key_status.claim_check(integration, claimed):
        return integration
    return check(claimed, deps) or claimed


def check(integration: Integration, deps: RecheckDeps, *, seconds: float = RECHECK_SECONDS) -> Integration | None:
    """Check the key and record what its service says; None if the service cannot tell now."""
    service = service_named(integration.service)
    try:
        key = deps.keys.open(integration.ciphertext, user_id=integration.user_id, service=integration.service)
        facts = ask_about(key, service, deps.upstream, seconds=seconds)
    except CredentialRejected:
        checked = integration.rejected(deps.clock.now())
    except UpstreamUnavailable:
        _log.warning("a key could not be checked")
        return None
    else:
        checked = integration.confirmed(facts, deps.clock.now())
    deps.key_status.set(checked)
    return checked
