"""The headers that every response has: security, caching, and CORS (which web pages may call the API)."""

from collections.abc import Mapping
from typing import Any

MAX_AGE_SECONDS = 7200
"""How long browsers may cache a preflight response; Chromium caches no longer."""

SECURITY = {
    "X-Content-Type-Options": ["nosniff"],
    "Strict-Transport-Security": ["max-age=63072000"],
}
"""No content sniffing, and HTTPS only for two years."""

_SENT_BY_PAGES = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, Last-Event-ID, "
    "HTTP-Referer, OpenAI-Organization, OpenAI-Project, X-OpenRouter-Categories, X-OpenRouter-Title, X-Title, "
    "X-Stainless-Arch, X-Stainless-Async, X-Stainless-Helper-Method, X-Stainless-Lang, X-Stainless-OS, "
    "X-Stainless-Package-Version, X-Stainless-Retry-Count, X-Stainless-Runtime, X-Stainless-Runtime-Version, "
    "X-Stainless-Timeout"
)
"""Headers of this API, and those that official clients of OpenAI and OpenRouter send from web pages."""

_PREFLIGHT = {
    "Access-Control-Allow-Methods": ["GET, HEAD, POST, PUT, PATCH, DELETE"],
    "Access-Control-Allow-Headers": [_SENT_BY_PAGES],
    "Access-Control-Max-Age": [str(MAX_AGE_SECONDS)],
}
_EXPOSED = {
    "Access-Control-Expose-Headers": [
        "ETag, Location, Retry-After, x-execution-id, x-ignored-parameters, x-request-id, x-should-retry"
    ]
}


class Cors:
    """The CORS headers of responses, for the origins that the operator lists.

    Credentials (cookies) are never allowed: callers are identified by the Authorization header only.
    """

    def __init__(self, origins: str) -> None:
        """Allow these origins, separated by commas; an empty list turns CORS off."""
        self._origins = frozenset(filter(None, map(str.strip, origins.lower().split(","))))

    def headers(self, event: Mapping[str, Any]) -> dict[str, list[str]]:
        """The headers of a response to this event."""
        return self._allowed(event, _EXPOSED)

    def preflight(self, event: Mapping[str, Any]) -> dict[str, list[str]]:
        """The headers of the response to a preflight request."""
        return self._allowed(event, _PREFLIGHT)

    def _allowed(self, event: Mapping[str, Any], more: Mapping[str, list[str]]) -> dict[str, list[str]]:
        if not self._origins:
            return {}
        origin = _origin_of(event)
        allowed = {"Access-Control-Allow-Origin": [origin], **more} if origin in self._origins else {}
        return {**allowed, "Vary": ["Origin"]}


def _origin_of(event: Mapping[str, Any]) -> str:
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for name, value in headers.items() if name.lower() == "origin"), "")


def add_headers(headers: dict[str, Any], event: Mapping[str, Any], cors: Cors) -> None:
    """Add them to the headers of the response to `event`.

    Responses to authenticated requests must not be cached: they are private, and may contain a new key.
    """
    headers |= SECURITY
    if (event.get("requestContext") or {}).get("authorizer"):
        headers["Cache-Control"] = ["no-store"]
    added = cors.headers(event)
    if "Vary" in added and "Vary" in headers:
        added["Vary"] = [*headers["Vary"], *added["Vary"]]
    headers |= added
