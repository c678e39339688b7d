"""Responses without a body, and what the OpenAPI document says of a response."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from instant.entrypoints.http.body import JSON


def documented(
    shape: Any, description: str = "Successful Response", also: str | None = None
) -> dict[int, OpenAPIResponse]:
    """What a route answers, for the OpenAPI document only: what was paid for is never held back by a check.

    `also` is another content type in which it may answer.
    """
    texts: dict[str, Any] = {also: {"schema": {"type": "string"}}} if also else {}
    return {200: {"description": description, "content": {JSON: {"model": shape}, **texts}}}


def no_content() -> Response[None]:
    """The answer of a route that has nothing to say."""
    return Response(204)
