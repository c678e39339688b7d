"""Cross-origin resource sharing (CORS): which web pages may call the API, and read its responses."""

from collections.abc import Mapping
from typing import Any

MAX_AGE_SECONDS = 7200
"""How long browsers may cache a preflight response; Chromium caches no longer."""

_PREFLIGHT = {
    "Access-Control-Allow-Methods": ["GET, HEAD, POST, PUT, PATCH, DELETE"],
    "Access-Control-Allow-Headers": [
        "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, Last-Event-ID"
    ],
    "Access-Control-Max-Age": [str(MAX_AGE_SECONDS)],
}
_EXPOSED = {"Access-Control-Expose-Headers": ["ETag, Location, Retry-After"]}


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
