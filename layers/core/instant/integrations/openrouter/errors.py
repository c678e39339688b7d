"""Converts OpenRouter's error bodies into our errors; their text is read, but never returned to callers."""

from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

from instant.domain.errors import (
    CostCap,
    CredentialRejected,
    CreditsExhausted,
    InstantError,
    ModelUnavailable,
    Moderated,
    OutcomeUnknown,
    RateLimited,
    TooLarge,
    UpstreamError,
    UpstreamUnavailable,
)
from instant.domain.exchange import Reply
from instant.domain.executions.failure import Effect, Failure
from instant.integrations.openrouter.parsing import (
    count,
    mapping,
    parse,
    receipt_of,
    sequence,
    text,
)

_HOUR = 3600
_DAY = 24 * _HOUR

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
    status = (count(error.get("code")) or 500) if reply.status == 200 else reply.status
    effect = Effect.UNKNOWN if _is_unknown(status, error) else Effect.KNOWN
    receipt = receipt_of(reply, mapping(parse(reply.body)))
    if receipt.cost_nanousd is None and effect is Effect.KNOWN:
        receipt = replace(receipt, cost_nanousd=0)
    return Failure(_error(status, error, reply), receipt=receipt, effect=effect)


def nothing_done(reply: Reply) -> bool:
    """Whether no model was run and a retry can succeed; after a daily limit, a short wait is not enough."""
    if reply.status not in _NOT_BEGUN:
        return False
    body = mapping(parse(reply.body))
    error = mapping(body.get("error"))
    unknown = _is_unknown(reply.status, error)
    return not (unknown or _is_daily(error) or receipt_of(reply, body).cost_nanousd)


def _error_in(reply: Reply) -> Mapping[str, Any]:
    return mapping(mapping(parse(reply.body)).get("error"))


def _is_unknown(status: int, error: Mapping[str, Any]) -> bool:
    """Whether the model may have run."""
    return status in {408, 504, 524} or (status >= 500 and not error)


def _error(status: int, error: Mapping[str, Any], reply: Reply) -> InstantError:
    match status:
        case 400 | 413 | 422 if _is_too_long(status, error):
            return TooLarge("The prompt exceeds the model's context length. Shorten it, or choose another model.")
        case 400 if "not a valid model" in _message(error):
            return ModelUnavailable("OpenRouter no longer has this model. Choose another for the resource.")
        case 401:
            return CredentialRejected("OpenRouter does not accept the key. Save a new one, then retry.")
        case 402:
            return CreditsExhausted("The OpenRouter account has too few credits for this call. Add credits there.")
        case 403:
            return _forbidden(error)
        case 404 if _is_too_dear(error):
            return CostCap("Every provider exceeds your maximum cost per call. Raise max_cost_per_call_usd.")
        case 404:
            return ModelUnavailable("No provider can serve this model with these settings. Change the resource.")
        case _ if _is_unknown(status, error):
            return OutcomeUnknown(
                "OpenRouter sent no answer, and the call may have been charged. Check GET /api/executions first."
            )
        case 429:
            return _limited(error, reply)
        case 503 | 529:
            return UpstreamUnavailable(
                "No provider has capacity for this model now. Retry later.", retry_after=_wait(reply)
            )
    return _other(status)


def _other(status: int) -> UpstreamError:
    if 400 <= status < 500:
        return UpstreamError(
            "OpenRouter rejected the request for this model. Check the resource's settings.",
            details={"upstream_status": status},
        )
    return UpstreamError("OpenRouter or the model's provider failed.", details={"upstream_status": status})


def _limited(error: Mapping[str, Any], reply: Reply) -> RateLimited:
    """A daily limit is reset at midnight UTC; other limits give the time to wait."""
    if _is_daily(error):
        message = "The daily limit of free models is reached. It is reset at midnight UTC."
        return RateLimited(message, retry_after=_until_midnight(reply))
    return RateLimited("OpenRouter's rate limit is reached. Wait, then retry.", retry_after=_wait(reply))


def _is_daily(error: Mapping[str, Any]) -> bool:
    return mapping(error.get("metadata")).get("limit_source") == "openrouter_free_tier_daily"


def _until_midnight(reply: Reply) -> int:
    """The seconds until midnight UTC after the reply's `Date`; an hour if it has none."""
    try:
        now = parsedate_to_datetime(reply.headers["date"])
    except (KeyError, ValueError):
        return _HOUR
    return _DAY - (now.hour * 3600 + now.minute * 60 + now.second)


def _forbidden(error: Mapping[str, Any]) -> InstantError:
    metadata = mapping(error.get("metadata"))
    kind = text(metadata.get("error_type"))
    if sequence(metadata.get("reasons")) or kind in {"content_policy_violation", "refusal"}:
        return Moderated("The provider's moderation rejected the input. Change it.")
    if "key limit exceeded" in _message(error):
        return CreditsExhausted("The OpenRouter key has reached its limit. Raise it there, or wait for its reset.")
    if kind == "permission_denied":
        return ModelUnavailable("OpenRouter does not offer this model for this type of call. Change the resource.")
    return _other(403)


def _is_too_dear(error: Mapping[str, Any]) -> bool:
    """Whether our price limit excludes every provider."""
    availability = mapping(error.get("availability"))
    constraint = f"{availability.get('constraint')} {_message(error)}".lower()
    return text(availability.get("code")) == "constraint_filtered" and "price" in constraint


def _is_too_long(status: int, error: Mapping[str, Any]) -> bool:
    kind = text(mapping(error.get("metadata")).get("error_type"))
    return (
        status == 413
        or kind in {"context_length_exceeded", "string_too_long", "payload_too_large"}
        or "maximum context length" in _message(error)
    )


def _message(error: Mapping[str, Any]) -> str:
    return (text(error.get("message")) or "").lower()


def _wait(reply: Reply) -> int | None:
    """The reply's `Retry-After`, at most a day; None if it has none."""
    return None if reply.retry_after is None else min(reply.retry_after, _DAY)
