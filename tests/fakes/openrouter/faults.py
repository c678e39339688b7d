"""OpenRouter's error bodies, and the exceptions and replies built from them."""

from collections.abc import Mapping
from typing import Any

from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.reply import Refused, Reply, json_reply

# The account id in some error bodies; the product must not expose it.
USER_ID = "user_2fAkEaCcOuNtOfNoBody0000000"

ROUTING_HELP = (
    "To learn more about provider routing, visit: https://openrouter.ai/docs/guides/routing/provider-selection"
)
BATCH_ONLY = "This model is only available through the Batch API. Use the /api/beta/batches endpoint instead."
KEY_LIMIT_REACHED = "Key limit exceeded (monthly limit). Manage it using https://openrouter.ai/settings/keys"
NO_TOOLS = f"No endpoints found that support tool use. {ROUTING_HELP}"
NO_SUCH_PARAMETERS = f"No endpoints found that can handle the requested parameters. {ROUTING_HELP}"

# Cloudflare's page for an origin timeout.
EDGE_TIMEOUT_PAGE = b"""<!DOCTYPE html>
<html lang="en-US"><head><title>openrouter.ai | 524: A timeout occurred</title></head>
<body><h1>A timeout occurred <span>Error code 524</span></h1></body></html>
"""


def error_body(code: int, message: str, **parts: Any) -> Json:
    """`{"error": {message, code, metadata?, availability?}, "user_id"?}`."""
    outside = {"user_id": parts.pop("user_id")} if "user_id" in parts else {}
    return {"error": {"message": message, "code": code, **parts}, **outside}


def error(code: int, message: str, headers: Mapping[str, str] | None = None, **parts: Any) -> Refused:
    """An exception with an error body."""
    return Refused(json_reply(code, error_body(code, message, **parts), headers))


def not_found() -> Refused:
    """The 404 of an unknown path."""
    return error(404, "Resource not found")


def edge_timeout() -> Reply:
    """The 524 of Cloudflare, with an HTML body."""
    return Reply(524, {"Content-Type": "text/html; charset=UTF-8"}, (EDGE_TIMEOUT_PAGE,))
