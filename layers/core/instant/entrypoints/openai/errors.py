"""Errors on /v1: the status from which official clients raise the right class, and whether a repeat can help.

These clients repeat 408, 409, 429 and 5xx by themselves unless `x-should-retry` says otherwise; OpenRouter's repeats
every 5xx whatever it says. So a call that may have been charged is never answered with 5xx.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from aws_lambda_powertools.event_handler import Response

from instant.domain.error_bodies.fields import error_type
from instant.domain.errors import InstantError
from instant.entrypoints.http.body import JSON

MAY_HAVE_COST = 409
"""The status of what would be a 5xx, but may have been charged, or would be the same if it were repeated."""

MAX_RETRY_AFTER = 60
"""Maximum `Retry-After`, in seconds, of an error that clients are asked to repeat."""

SHOULD_RETRY = "x-should-retry"


@dataclass(frozen=True, slots=True)
class Shown:
    """An error on /v1, where it differs: its status, and its code in OpenAI's API."""

    status: int
    code: str | None = None


STATUSES: Mapping[str, Shown] = {
    "not_found": Shown(404, "model_not_found"),
    "invalid_field": Shown(400),
    "moderated": Shown(400),
    "credits_exhausted": Shown(429, "insufficient_quota"),
    "cost_cap": Shown(429, "insufficient_quota"),
    "budget_exhausted": Shown(429, "insufficient_quota"),
}
"""By our own code; every other error has the status and the code that it has elsewhere."""

TOO_LONG = Shown(400, "context_length_exceeded")
"""`too_large`, where the prompt exceeds the model's context (`details.limit` is `context_length`)."""

CLASSES: Mapping[int, str] = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    413: "APIStatusError",
    415: "APIStatusError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    500: "InternalServerError",
    502: "InternalServerError",
    503: "InternalServerError",
    504: "InternalServerError",
}
"""The class that OpenAI's clients raise for each status."""

_OWN_FIELDS = re.compile(r"(?:overrides(?:\.|: |$)|inputs\.(?=(?:messages|input|encoding_format)\b))")
"""What precedes a field of the request in the names of settings and inputs."""


def openai_response(error: InstantError) -> Response[str]:
    """Convert an error to its HTTP response on /v1."""
    headers = {**error.headers, SHOULD_RETRY: str(should_retry(error)).lower()}
    if error.execution_id:
        headers |= execution_headers(error.execution_id)
    return Response(status_of(error), JSON, json.dumps(openai_body(error)), headers)


def execution_headers(execution_id: str) -> dict[str, str]:
    """The headers that name the execution: ours, and the only one that OpenAI's clients show to their callers."""
    return dict.fromkeys(("x-execution-id", "x-request-id"), execution_id)


def openai_body(error: InstantError) -> dict[str, dict[str, object]]:
    """The body: that of every error, with OpenAI's code, and with the names that the request has for its fields."""
    shown, body = _shown(error), error.body()["error"]
    body |= {"message": _own(error.message), "type": error_type(error.code, shown.status)}
    if error.param:
        field = _own(error.param) or None  # None: several settings, which are not in one field of the request
        body |= {"param": field, "details": {**error.details, "field": field or "body"}}
    if shown.code:
        body |= {"code": shown.code, "details": {**error.details, "code": error.code}}
    if shown.code == "model_not_found":
        body["param"] = "model"
    return {"error": body}


def status_of(error: InstantError) -> int:
    """The status: a 5xx only for what cost nothing and may succeed if it is repeated."""
    status = _shown(error).status
    return MAY_HAVE_COST if status >= 500 and _is_final(error) else status


def should_retry(error: InstantError) -> bool:
    """Whether a repeat can succeed soon, and nothing is paid twice by it."""
    return error.retryable and not _is_final(error) and (error.wait or 0) <= MAX_RETRY_AFTER


def _is_final(error: InstantError) -> bool:
    return error.may_have_cost or error.is_replayed


def _shown(error: InstantError) -> Shown:
    if error.code == "too_large" and error.details.get("limit") == "context_length":
        return TOO_LONG
    return STATUSES.get(error.code) or Shown(error.status)


def _own(text: str) -> str:
    """A field, or a message that begins with one, in the words of the request."""
    found = _OWN_FIELDS.match(text)
    return text[found.end() :] if found else text
