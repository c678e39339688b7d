"""Links to images and outputs: a redirect, or JSON."""

from dataclasses import asdict
from typing import Any, TypedDict

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from instant.entrypoints.http.accept import accepted_type
from instant.entrypoints.http.body import JSON
from instant.entrypoints.http.fields import Time
from instant.entrypoints.http.responses import documented
from instant.use_cases.executions.links import Link

_TARGET = "image/*"
"""What a redirect leads to, for requests that name types; one that names none is redirected as well."""


class SignedLink(TypedDict):
    """A link that anyone can read until it expires."""

    url: str
    expires_at: Time


def documented_link(what: str) -> dict[int, OpenAPIResponse]:
    """The responses of a route that links to `what`, for the OpenAPI document."""
    return {**documented(SignedLink), 302: {"description": what}}


def link_response(app: APIGatewayRestResolver, link: Link) -> Response[dict[str, Any] | None]:
    """A redirect, or JSON on request, since an `<img>` cannot send a token."""
    if accepted_type(app, (_TARGET, JSON)) == JSON:
        return Response(200, JSON, asdict(link), {"Vary": "Accept"})
    return Response(302, headers={"Location": link.url, "Vary": "Accept"})
