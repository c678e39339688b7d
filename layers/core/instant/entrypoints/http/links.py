"""The API's public URL: stored paths are returned as absolute links."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from instant.domain.json_values import map_strings


def api_address(app: APIGatewayRestResolver, public_url: str = "") -> str:
    """`public_url` if it is set, else the URL of this request with its stage; empty if it is unknown.

    The path before the route is the stage, or the API mapping of a custom domain.
    """
    context: Mapping[str, Any] = app.current_event.get("requestContext") or {}
    host, path = context.get("domainName"), str(context.get("path") or "")
    if public_url or not host:
        return public_url.rstrip("/")
    route = str(app.current_event.get("resource") or "").strip("/").split("/")
    prefix = path.partition("?")[0].strip("/").split("/")[: -len(route)]
    scheme = app.current_event.headers.get("X-Forwarded-Proto") or "https"
    return "/".join([f"{scheme}://{host}", *prefix])


def with_links(answer: dict[str, Any], address: str) -> dict[str, Any]:
    """The response with absolute URLs in `output.urls` and `output.url`, and wherever its texts contain one of them."""
    output = answer.get("output")
    if not isinstance(output, dict):
        return answer
    paths = [*output.get("urls", ()), *([output["url"]] if "url" in output else ())]
    return {**answer, "output": linked(output, paths, address)}


def linked(value: Any, paths: Sequence[str], address: str) -> Any:
    """A copy of `value` with absolute URLs wherever its texts contain one of these paths."""
    if not paths:
        return value
    any_of_them = re.compile("|".join(map(re.escape, paths)))
    return map_strings(value, lambda text: any_of_them.sub(lambda path: address + path[0], text))
