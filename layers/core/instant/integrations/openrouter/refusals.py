"""OpenRouter's error bodies, turned into ours: its text is read, never passed on."""

from collections.abc import Mapping
from typing import Any

from instant.domain.errors import (
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
from instant.domain.receipt import Receipt
from instant.integrations.openrouter.wire import (
    count,
    generation_id,
    mapping,
    parse,
    receipt_of,
    sequence,
    text,
)

_LONGEST_WAIT = 24 * 3600


def refusal(reply: Reply, error: Mapping[str, Any] | None = None) -> InstantError:
    """Our error for a reply with an error status, or for the `error` object inside a 200.

    A refusal costs nothing (OpenRouter charges neither errors nor empty failures) unless the reply says what
    it cost; the receipt carries that. Timeouts at the edge are the exception: their outcome is unknown.
    """
    body = mapping(parse(reply.body))
    error = mapping(body.get("error")) if error is None else error
    status = (count(error.get("code")) or 500) if reply.status == 200 else reply.status
    failure = _failure(status, error, reply)
    if not failure.outcome_unknown:
        receipt = receipt_of(reply, body)
        failure.receipt = receipt if receipt.cost_nanousd is not None else _free(reply, body)
    return failure


def _free(reply: Reply, body: Mapping[str, Any]) -> Receipt:
    return Receipt(generation_id=generation_id(reply, body), cost_nanousd=0)


def _failure(status: int, error: Mapping[str, Any], reply: Reply) -> InstantError:
    match status:
        case 400 | 413 | 422 if _is_too_long(status, error):
            return TooLarge("The prompt is longer than the model can take. Shorten it, or choose another model.")
        case 400 if "not a valid model" in _message(error):
            return ModelUnavailable("OpenRouter does not know the model any more. Choose another for the resource.")
        case 401:
            return CredentialRejected("OpenRouter does not accept the key. Connect a new one, then try again.")
        case 402:
            return CreditsExhausted("The OpenRouter account has too few credits for this call. Add credits there.")
        case 403:
            return _forbidden(error)
        case 404:
            return ModelUnavailable("No provider can serve this model with these settings. Change the resource.")
        case 408 | 504 | 524:
            return OutcomeUnknown(
                "OpenRouter timed out, and the call may have been paid. Read GET /api/executions before calling again.",
                outcome_unknown=True,
            )
        case 429:
            return RateLimited("OpenRouter's rate limit is reached. Wait, then call again.", retry_after=_wait(reply))
        case 503 | 529:
            return UpstreamUnavailable(
                "No provider has room for this model now. Call again later.", retry_after=_wait(reply)
            )
    return _other(status)


def _other(status: int) -> UpstreamError:
    if 400 <= status < 500:
        return UpstreamError(
            "OpenRouter refused the request for this model. Check the resource's settings.",
            details={"upstream_status": status},
        )
    return UpstreamError("OpenRouter or the model's provider failed.", details={"upstream_status": status})


def _forbidden(error: Mapping[str, Any]) -> InstantError:
    metadata = mapping(error.get("metadata"))
    kind = text(metadata.get("error_type"))
    if sequence(metadata.get("reasons")) or kind in {"content_policy_violation", "refusal"}:
        return Moderated("The provider's moderation refused the input. Change it.")
    if "key limit exceeded" in _message(error):
        return CreditsExhausted("The OpenRouter key has reached its own limit. Raise it there, or wait for its reset.")
    if kind in {"authentication", "permission_denied"} and not metadata.get("provider_name"):
        return CredentialRejected("OpenRouter does not let this key make the call. Check the key's permissions.")
    return _other(403)


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
    value = reply.headers.get("retry-after", "")
    return min(int(value[:9]), _LONGEST_WAIT) if value.isdecimal() else None
