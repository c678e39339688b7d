"""The HTTP errors that the directive `error <status> [variant] [seconds]` requests."""

from collections.abc import Callable

from tests.fakes.openrouter.api.accounts import ASSUMED_CAP, cannot_afford
from tests.fakes.openrouter.chat.directives import Directive, unknown
from tests.fakes.openrouter.exact_json import Json, dumps
from tests.fakes.openrouter.faults import BATCH_ONLY, KEY_LIMIT_REACHED, NO_TOOLS, USER_ID, edge_timeout, error_body
from tests.fakes.openrouter.reply import Reply, json_reply

# The default Retry-After in seconds, by status.
RETRY_AFTER = {"429": "1", "503": "1"}


def requested_error(directive: Directive, model: str) -> Reply:
    """The reply of an `error` directive for a call of `model`."""
    status, *rest = directive.words or ("",)
    seconds = next((word for word in rest if word.isdigit()), None)
    kind = " ".join([status, *(word for word in rest if word != seconds)])
    if kind == "524":
        return edge_timeout()
    if kind not in _BODIES:
        raise unknown(directive)
    retry_after = seconds or RETRY_AFTER.get(status)
    headers = {"Retry-After": retry_after} if retry_after else {}
    return json_reply(int(status), _BODIES[kind](model), headers)


def _plain(code: int, message: str) -> Callable[[str], Json]:
    return lambda model: error_body(code, message)


def _from_provider(code: int, raw: str, **metadata: str | bool) -> Callable[[str], Json]:
    """An error whose details are only in `metadata.raw`."""
    return lambda model: error_body(
        code,
        "Provider returned error",
        metadata={"raw": raw.replace("<model>", model), "provider_name": "Meadow", **metadata},
        user_id=USER_ID,
    )


def _context_too_long(model: str) -> Json:
    message = (
        "This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens "
        "(9000 of text input). Please reduce the length of either one, or use the context-compression "
        "plugin to compress your prompt automatically."
    )
    metadata = {"provider_name": None, "previous_errors": [{"code": 400, "message": message}]}
    return error_body(400, message, metadata=metadata, user_id=USER_ID)


def _no_credits(model: str) -> Json:
    message = cannot_afford(ASSUMED_CAP, 10)
    return error_body(402, message, metadata={"provider_name": None}, user_id=USER_ID)


def _moderated(model: str) -> Json:
    metadata = {
        "reasons": ["harassment"],
        "flagged_input": "the words that were flagged",
        "provider_name": "Meadow",
        "model_slug": model,
    }
    message = f"{model} requires moderation on Meadow. Your input was flagged for harassment."
    return error_body(403, message, metadata=metadata)


def _guardrail(model: str) -> Json:
    message = "Request blocked: prompt injection patterns detected"
    return error_body(403, message, metadata={"patterns": ["ignore all previous instructions"]})


def _gone(model: str) -> Json:
    availability = {
        "code": "model_deprecated",
        "retryable": False,
        "requested_models": [model],
        "fallback_models": ["meadow/lark-mini"],
        "docs_url": "https://openrouter.ai/docs",
    }
    return error_body(404, f"{model} is no longer available.", availability=availability)


def _free_tier_daily(model: str) -> Json:
    limits = {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1790467200000"}
    metadata = {
        "headers": limits,
        "limit_source": "openrouter_free_tier_daily",
        "remedy_hint": "Wait for the daily reset, or buy credits for a higher limit.",
        "provider_name": None,
    }
    message = "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"
    return error_body(429, message, metadata=metadata, user_id=USER_ID)


_UNSUPPORTED_REGION = dumps({"error": {"code": "unsupported_region", "message": "Region not supported"}})
_BAD_PARAMETER = dumps({"error": {"message": "Unsupported value", "type": "invalid_request_error"}})
_POOL_EMPTY = "<model> is temporarily rate-limited upstream. Please retry shortly."
_DATA_POLICY = "No endpoints found matching your data policy. Configure: https://openrouter.ai/settings/privacy"

_BODIES: dict[str, Callable[[str], Json]] = {
    "400": _from_provider(400, _BAD_PARAMETER),
    "400 context": _context_too_long,
    "401": _plain(401, "User not found."),
    "401 missing": _plain(401, "Missing Authentication header"),
    "402": _no_credits,
    "403": _moderated,
    "403 moderation": _moderated,
    "403 region": _from_provider(403, _UNSUPPORTED_REGION),
    "403 limit": _plain(403, KEY_LIMIT_REACHED),
    "403 guardrail": _guardrail,
    "404": _plain(404, NO_TOOLS),
    "404 batch": _plain(404, BATCH_ONLY),
    "404 data-policy": _plain(404, _DATA_POLICY),
    "404 gone": _gone,
    "408": _plain(408, "Operation timed out. Please try again later."),
    "413": _plain(413, "Request payload too large"),
    "422": _plain(422, "Invalid argument"),
    "429": _from_provider(429, _POOL_EMPTY, limit_source="upstream_provider_shared_pool"),
    "429 daily": _free_tier_daily,
    "500": _plain(500, "Internal Server Error"),
    "502": _from_provider(502, "upstream connect error", error_type="provider_unavailable"),
    "503": _plain(503, "Service temporarily unavailable"),
    "524 json": _plain(524, "Request timed out. Please try again later."),
    "529": _from_provider(529, "overloaded_error", error_type="provider_overloaded"),
}

# The arguments of `error` that have a JSON body.
KINDS = tuple(_BODIES)
