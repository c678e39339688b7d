"""What calls learn about the key that pays for them: a refusal is verified, and a refused key is checked again."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from instant.domain.access.integration import Integration, KeyStatus, usable
from instant.domain.errors import CredentialRejected, CreditsExhausted, UpstreamUnavailable
from instant.domain.executions.failure import Failure
from instant.domain.executions.prepared import Credential
from instant.domain.usage.budget import Budget, shares
from instant.ports.executions.call_facts import CallFacts
from instant.use_cases.access.recheck import RECHECK_SECONDS, RecheckDeps, check, recheck

_log = logging.getLogger(__name__)


def with_rechecked_key(facts: CallFacts, deps: RecheckDeps) -> CallFacts:
    """The facts after a check of the key that would pay, if it was rejected before and a check is due."""
    if _is_rejected(facts.caller.integration):
        return replace(facts, caller=replace(facts.caller, integration=recheck(_of(facts.caller.integration), deps)))
    if facts.caller.integration is None and facts.platform and _is_rejected(facts.platform.integration):
        integration = recheck(_of(facts.platform.integration), deps)
        return replace(facts, platform=replace(facts.platform, integration=integration))
    return facts


def require_credits(
    integration: Integration | None,
    credential: Credential | None,
    budgets: Sequence[Budget],
    *,
    owns_resource: bool,
    deps: RecheckDeps,
) -> None:
    """Raise `CreditsExhausted` before a key without credits reserves an amount in a budget that others share.

    Otherwise users without credits could reserve a whole shared budget again and again, at no cost.
    """
    if integration is None or credential is None or credential.user_id != integration.user_id:
        return
    is_shared = bool(shares(budgets, integration.user_id, owns_resource=owns_resource))
    if not integration.lacks_credits or not is_shared:
        return
    checked = usable(recheck(integration, deps), integration.service)
    if checked.lacks_credits:
        raise CreditsExhausted(
            f"{checked.service} refused your key for want of credits. Add credits there, then check the key with "
            f"POST /api/user/integrations/{checked.service}/test, or retry later."
        )


def judged(
    failure: Failure, integration: Integration, deps: RecheckDeps, *, seconds_left: Callable[[], float]
) -> Failure:
    """The failure, after what it says about the key was verified and recorded; a failed write does not change it."""
    try:
        match failure.error:
            case CredentialRejected():
                return _verified(failure, integration, deps, min(RECHECK_SECONDS, seconds_left()))
            case CreditsExhausted():
                deps.key_status.set(integration.out_of_credits(deps.clock.now()))
    except Exception:
        _log.exception("the status of a rejected key was not stored")
    return failure


def _verified(failure: Failure, integration: Integration, deps: RecheckDeps, seconds: float) -> Failure:
    """A service refuses good keys during an outage, so only a key that fails its free check is marked."""
    checked = check(integration, deps, seconds=seconds) if seconds > 0 else None
    if checked and checked.status is KeyStatus.BROKEN:
        return failure
    error = UpstreamUnavailable(
        f"{integration.service} refused the key, and a check did not confirm that. Nothing was charged. Retry."
    )
    return Failure(error, receipt=failure.receipt, effect=failure.effect, is_counted=False)


def _is_rejected(integration: Integration | None) -> bool:
    return integration is not None and integration.is_enabled and integration.status is KeyStatus.BROKEN


def _of(integration: Integration | None) -> Integration:
    assert integration is not None
    return integration
