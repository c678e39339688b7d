"""The headers that every response has: security, caching and CORS."""

from collections.abc import Mapping
from typing import Any

from instant.entrypoints.http.cors import Cors

SECURITY = {
    "X-Content-Type-Options": ["nosniff"],
    "Strict-Transport-Security": ["max-age=63072000"],
}
"""No content sniffing, and HTTPS only for two years."""


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
