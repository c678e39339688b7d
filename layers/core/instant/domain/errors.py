"""All errors of the API, as a closed class hierarchy: code, HTTP status, headers, and whether a retry can succeed.

The cost and the effect of a failed call are in another type: `instant.domain.executions.failure`.

InstantError
├── Malformed 400            the request cannot be parsed
├── Unauthenticated 401      no token, or one that is not valid
├── Forbidden 403            the token lacks a scope
├── NotFound 404             missing, or another user's (the same response)
├── Conflict 409             the request is valid, the current state does not allow it
│   ├── AddressTaken, RevisionConflict, LimitReached
│   ├── ModelUnavailable
│   ├── CredentialMissing, CredentialDisabled, CredentialRejected
│   ├── CreditsExhausted, CostCap
│   ├── InProgress           the first request with this idempotency key is in progress
│   └── Cancelled, NotCancellable
├── TooLarge 413
├── UnsupportedMediaType 415
├── InvalidField 422         names the field
├── IdempotencyMismatch, Moderated 422
├── RateLimited 429          retryable
├── BudgetExhausted 429      retryable in the budget's next period
├── Internal 500
├── UpstreamError, EmptyAnswer 502
├── UpstreamUnavailable, LimitsUnavailable 503   retryable: nothing was begun
├── DeadlineExceeded 504     our own deadline expired
└── OutcomeUnknown 504       sent, no response received: never retried
"""

from collections.abc import Mapping
from typing import ClassVar, Self, override

from instant.domain.error_bodies.fields import error_type, redacted_field

USUAL_WAIT = 10
"""Default wait in seconds where a service gives none: its limits are per minute, or temporary."""


class InstantError(Exception):
    """An error response: `message` states what to do next, and never contains a key or an upstream body.

    `may_have_cost`: the call may have been charged. `is_replayed`: it was answered to an earlier request as well, with
    the same idempotency key. Both are set where the failure is recorded and replayed.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    usual_wait: ClassVar[int | None] = None
    """Default `Retry-After` in seconds; None if a retry is not expected to succeed."""

    def __init__(
        self, message: str, *, details: Mapping[str, object] | None = None, retry_after: int | None = None
    ) -> None:
        """Set the message, structured `details`, and the seconds after which a retry can succeed (`retry_after`)."""
        super().__init__(message)
        self.message = message
        self.details = dict(details or {})
        self.retry_after = retry_after
        self.execution_id: str | None = None
        self.may_have_cost = self.is_replayed = False

    @property
    def param(self) -> str | None:
        """The name of the field that must be changed; None if it is not one field."""
        field = self.details.get("field")
        return field if isinstance(field, str) else None

    @property
    def wait(self) -> int | None:
        """Seconds after which the same call may succeed; None if that is not expected."""
        return self.usual_wait if self.retry_after is None else self.retry_after

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers of the response, without its content type."""
        return {} if self.wait is None else {"Retry-After": str(self.wait)}

    def during(self, execution_id: str) -> Self:
        """The same error, with the id of the execution in which it occurred."""
        self.execution_id = execution_id
        return self

    def body(self) -> dict[str, dict[str, object]]:
        """The JSON body of the response: `{"error": {"code", "message", "type", "param", "retryable", ...}}`."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        error |= {"type": error_type(self.code, self.status), "param": self.param, "retryable": self.retryable}
        if self.execution_id:
            error["execution_id"] = self.execution_id
        if self.details:
            error["details"] = self.details
        return {"error": error}


class Malformed(InstantError):
    """The request cannot be parsed: invalid JSON, or no body."""

    code, status = "malformed", 400


class Unauthenticated(InstantError):
    """The token is missing or not valid."""

    code, status = "unauthenticated", 401

    @property
    @override
    def headers(self) -> dict[str, str]:
        return {**super().headers, "WWW-Authenticate": "Bearer"}


class Forbidden(InstantError):
    """The token is valid but lacks the required scope."""

    code, status = "forbidden", 403


class NotFound(InstantError):
    """It does not exist, or belongs to another user; both give the same response."""

    code, status = "not_found", 404

    @classmethod
    def of(cls, noun: str) -> Self:
        """The same error for a missing `noun` and for one of another user."""
        return cls(f"There is no such {noun}. Check the id, and that your key has access to it.")


class Conflict(InstantError):
    """The request is well formed but the current state does not allow it."""

    code, status = "conflict", 409


class AddressTaken(Conflict):
    """The owner already has a resource with this slug."""

    code = "address_taken"


class RevisionConflict(Conflict):
    """The resource was changed since it was read."""

    code = "revision_conflict"


class LimitReached(Conflict):
    """The user has the maximum number of such objects; one must be deleted first."""

    code = "limit_reached"


class ModelUnavailable(Conflict):
    """The resource's model was removed, is inactive, or cannot serve this request."""

    code = "model_unavailable"

    may_be_price = False
    """Whether the price limit can be the cause: no provider is left, and no other reason is named."""


class CredentialMissing(Conflict):
    """The payer has not connected a key for the service."""

    code = "credential_missing"


class CredentialDisabled(Conflict):
    """The payer's key is disabled."""

    code = "credential_disabled"


class CredentialRejected(Conflict):
    """The service does not accept the key."""

    code = "credential_rejected"


class CreditsExhausted(Conflict):
    """The key's account or limit has too few credits left for this call."""

    code = "credits_exhausted"


class CostCap(Conflict):
    """The call could cost more than the payer allows for one call."""

    code = "cost_cap"


class InProgress(Conflict):
    """The first request with this idempotency key is still in progress."""

    code, retryable = "in_progress", True


class Cancelled(Conflict):
    """The execution was stopped by its caller; what it had cost by then is recorded."""

    code = "cancelled"


class NotCancellable(Conflict):
    """The execution has ended, or is not streamed."""

    code = "not_cancellable"


class TooLarge(InstantError):
    """The request, the prompt for this model, or the response is too large."""

    code, status = "too_large", 413


class UnsupportedMediaType(InstantError):
    """The body is not JSON."""

    code, status = "unsupported_media_type", 415


class InvalidField(InstantError):
    """A field is missing, unknown or out of range; `details.field` names it."""

    code, status = "invalid_field", 422

    @classmethod
    def named(cls, field: str, problem: str) -> Self:
        """The error for one `field` (dotted path); its parts are redacted by `redacted_field`."""
        name = redacted_field(field)
        return cls(f"{name}: {problem}", details={"field": name})


class IdempotencyMismatch(InstantError):
    """The idempotency key was used before with a different request."""

    code, status = "idempotency_mismatch", 422


class Moderated(InstantError):
    """The service's moderation rejected the input or the answer."""

    code, status = "moderated", 422


class RateLimited(InstantError):
    """Too many requests; retry later."""

    code, status, retryable, usual_wait = "rate_limited", 429, True, USUAL_WAIT


class BudgetExhausted(InstantError):
    """Too little is left of a budget for this call; it can succeed in the next period of the budget."""

    code, status, retryable = "budget_exhausted", 429, True

    shard_full = False
    """Whether only one of several shards of the budget is known to be full."""


class Internal(InstantError):
    """An internal error; the log has the request id."""

    code, status = "internal", 500


class UpstreamError(InstantError):
    """The service failed, or rejected the call for a reason that the caller cannot fix."""

    code, status = "upstream_error", 502


class EmptyAnswer(InstantError):
    """The model returned no text, no media and no tool calls."""

    code, status = "empty_answer", 502


class UpstreamUnavailable(InstantError):
    """The service could not accept the call, and did not begin it."""

    code, status, retryable, usual_wait = "upstream_unavailable", 503, True, USUAL_WAIT


class LimitsUnavailable(InstantError):
    """The rate limiter or a budget cannot be checked now, so nothing was sent."""

    code, status, retryable = "limits_unavailable", 503, True


class DeadlineExceeded(InstantError):
    """The call exceeded our own deadline."""

    code, status = "deadline_exceeded", 504


class OutcomeUnknown(InstantError):
    """The call was sent and no response was received: it may have been carried out, so it is never retried."""

    code, status = "outcome_unknown", 504
