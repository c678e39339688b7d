"""The API's own address, as its caller knows it: stored are paths, told are links."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver


def api_address(app: APIGatewayRestResolver, public_url: str = "") -> str:
    """`public_url` if there is one, else where this request arrived, with its stage; empty if it does not say.

    The path in front of the route is the stage, or under a domain of one's own whatever the API is mapped to.
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
    """An answer whose `output.urls`, if there are any, lead somewhere from outside."""
    output = answer.get("output")
    if not isinstance(output, dict) or "urls" not in output:
        return answer
    return {**answer, "output": {**output, "urls": [address + path for path in output["urls"]]}}
