"""Which outcomes count in the statistics of a resource: what fails because of the caller says nothing about it."""

from collections.abc import Mapping

COUNTS: Mapping[str, bool] = {
    # the caller's request
    "malformed": False,
    "invalid_field": False,
    "too_large": False,
    "unsupported_media_type": False,
    "moderated": False,
    "not_found": False,
    "in_progress": False,
    "cancelled": False,
    "not_cancellable": False,
    "idempotency_mismatch": False,
    "address_taken": False,
    "revision_conflict": False,
    "limit_reached": False,
    # the caller's token, key and limits
    "unauthenticated": False,
    "forbidden": False,
    "credential_missing": False,
    "credential_disabled": False,
    "credential_rejected": False,
    "credits_exhausted": False,
    "cost_cap": False,
    "rate_limited": False,
    "budget_exhausted": False,
    "limits_unavailable": False,
    # the resource, its model and the services behind it
    "model_unavailable": True,
    "upstream_error": True,
    "upstream_unavailable": True,
    "empty_answer": True,
    "deadline_exceeded": True,
    "outcome_unknown": True,
    "internal": True,
}
"""By error code, whether a failure counts as a failure of the resource.

One code can have several causes, so an integration can decide otherwise for a reply: a `rate_limited` of the provider's
shared pool counts, one of the caller's key does not.
"""


def counts(error_code: str | None) -> bool:
    """Whether an outcome counts as a success (no code) or a failure; codes of earlier versions count."""
    return error_code is None or COUNTS.get(error_code, True)
