"""Responses without a body, and what the OpenAPI document says of a response."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from instant.entrypoints.http.body import JSON


def documented(
    shape: Any, description: str = "Successful Response", also: str | None = None
) -> dict[int, OpenAPIResponse]:
    """The response of a route, for the OpenAPI document only: a paid answer is sent without validation.

    `also` is an additional content type of the response.
    """
    texts: dict[str, Any] = {also: {"schema": {"type": "string"}}} if also else {}
    return {200: {"description": description, "content": {JSON: {"model": shape}, **texts}}}


def accepted(shape: Any) -> dict[int, OpenAPIResponse]:
    """The response of a route that only begins what was asked for, for the OpenAPI document."""
    return {202: {"description": "Accepted", "content": {JSON: {"model": shape}}}}


def no_content() -> Response[None]:
    """An empty response."""
    return Response(204)
