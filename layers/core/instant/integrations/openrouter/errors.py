"""Converts OpenRouter's error bodies into our errors; their text is read, but never returned to callers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from instant.domain.errors import (
    CredentialRejected,
    InstantError,
    Moderated,
    OutcomeUnknown,
    RateLimited,
    UpstreamError,
    UpstreamUnavailable,
)
from instant.domain.exchange import Reply
from instant.domain.executions.failure import Effect, Failure
from instant.integrations.openrouter.cost import reports_cost
from instant.integrations.openrouter.error_rules import PROVIDER_POOL, error_by_rules, is_counted
from instant.integrations.openrouter.parsing import mapping, parse, receipt_of
from instant.integrations.openrouter.refusal import Refusal, read_refusal, status_in
from instant.integrations.openrouter.waits import until_midnight, wait_of

_POOL = (
    "limits the pool that all users of OpenRouter share. Wait, then retry; or add your own key for the provider at "
    "https://openrouter.ai/settings/integrations; or set fallback_models or provider.ignore on the resource."
)

_NOT_BEGUN = {429, 503, 529}
"""Statuses that mean that no model was run: no capacity, or a rate limit."""


def error_of(reply: Reply) -> InstantError:
    """Our error for a reply with an error status."""
    return _error(reply.status, _error_in(reply), reply)


def failure_of(reply: Reply, error: Mapping[str, Any] | None = None) -> Failure:
    """The failure of a call: a reply with an error status, or the `error` object inside a 200.

    OpenRouter charges neither errors nor empty failures, so an error of its own costs nothing unless the reply has a
    cost. After a timeout, or an error of the edge in front of OpenRouter, the model may have run: the outcome is
    unknown. The receipt has the cost, if known, and the generation id.
    """
    error = _error_in(reply) if error is None else error
    status = status_in(error) if reply.status == 200 else reply.status
    effect = Effect.UNKNOWN if _is_unknown(status, error) else Effect.KNOWN
    receipt = receipt_of(reply, mapping(parse(reply)))
    if receipt.cost_nanousd is None and effect is Effect.KNOWN and not _reports_cost(reply):
        receipt = replace(receipt, cost_nanousd=0)
    found = _error(status, error, reply)
    return Failure(found, receipt=receipt, effect=effect, is_counted=is_counted(status, found))


def nothing_done(reply: Reply) -> bool:
    """Whether no model was run and a retry can succeed; after a daily limit, a short wait is not enough."""
    if reply.status not in _NOT_BEGUN:
        return False
    body = mapping(parse(reply))
    error = mapping(body.get("error"))
    is_free = receipt_of(reply, body).cost_nanousd == 0 or not _reports_cost(reply)
    if _is_daily(read_refusal(reply.status, error)) or not is_free:
        return False
    return _error(reply.status, error, reply).retryable


def retry_after(reply: Reply) -> int | None:
    """The seconds to wait before a retry, from the headers or the body; None if neither gives a time."""
    return wait_of(reply, _error_in(reply))


def _reports_cost(reply: Reply) -> bool:
    """Whether the reply has a cost, readable or not: only without one is an error free."""
    return reports_cost(mapping(mapping(parse(reply)).get("usage")))


def _error_in(reply: Reply) -> Mapping[str, Any]:
    return mapping(mapping(parse(reply)).get("error"))


def _is_unknown(status: int, error: Mapping[str, Any]) -> bool:
    """Whether the model may have run."""
    return status in {408, 504, 524} or (status >= 500 and not error)


def _error(status: int, error: Mapping[str, Any], reply: Reply) -> InstantError:
    refusal = read_refusal(status, error)
    if _is_unknown(status, error):
        return OutcomeUnknown(
            "OpenRouter sent no answer, and the call may have been charged. Check GET /api/executions first."
        )
    if status in {401, 402, 403} and not error:
        return UpstreamUnavailable("The edge in front of OpenRouter refused the call. Nothing was charged. Retry.")
    if status == 401:
        return _unauthenticated(refusal)
    if status in {400, 403, 422} and refusal.has_reasons:
        return Moderated("The provider's moderation rejected the input. Change it.")
    found = error_by_rules(refusal) or _by_status(refusal)
    if isinstance(found, RateLimited | UpstreamUnavailable) and found.retry_after is None:
        found.retry_after = until_midnight(reply) if _is_daily(refusal) else wait_of(reply, error)
    return found


def _unauthenticated(refusal: Refusal) -> InstantError:
    """A provider's 401 is about the key of a provider, which OpenRouter sends, not about the key of OpenRouter."""
    if refusal.is_from_provider or refusal.provider:
        return UpstreamError(
            f"{refusal.who} rejected the key that OpenRouter sent it. If it is your own, replace it at "
            "https://openrouter.ai/settings/integrations. Otherwise choose another provider."
        )
    return CredentialRejected("OpenRouter does not accept the key. Save a new one, then retry.")


def _by_status(refusal: Refusal) -> InstantError:
    """The error of a refusal of which only the status is understood."""
    match refusal.status:
        case 429:
            return _limited(refusal)
        case 503 | 529:
            return UpstreamUnavailable("No provider has capacity for this model now. Retry later.")
        case status if 400 <= status < 500:
            message = "OpenRouter rejected the request for this model. Check the resource's settings."
        case _:
            message = "OpenRouter or the model's provider failed."
    return UpstreamError(message, details={"upstream_status": refusal.status})


def _limited(refusal: Refusal) -> RateLimited:
    """`details.limit` says whose limit it is."""
    if _is_daily(refusal):
        limit, message = "free_tier_daily", "The daily limit of free models is reached. It is reset at midnight UTC."
    elif "free-models-per-min" in refusal.words or refusal.limit_source.endswith("free_tier_per_minute"):
        limit, message = "free_tier_minute", "The limit of free models per minute is reached. Wait, then retry."
    elif refusal.is_byok:
        limit, message = "provider_key", f"{refusal.who} limits your own key for it. Wait, then retry."
    elif refusal.provider or "shared_pool" in refusal.limit_source or "rate-limited upstream" in refusal.words:
        limit, message = PROVIDER_POOL, f"{refusal.who} {_POOL}"
    elif "credits" in refusal.limit_source:
        limit, message = "credits", "OpenRouter limits accounts with few credits. Add credits there, or wait."
    else:
        limit, message = "openrouter", "OpenRouter's rate limit is reached. Wait, then retry."
    return RateLimited(message, details={"limit": limit})


def _is_daily(refusal: Refusal) -> bool:
    """Whether it is the limit of free models, which is reset at midnight UTC."""
    return "free_tier_daily" in refusal.limit_source or "free-models-per-day" in refusal.words
