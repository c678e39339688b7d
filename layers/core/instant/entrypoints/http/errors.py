"""Every error as one HTTP response."""

import json
import logging
from collections.abc import Callable

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)

from instant.adapters.aws.outages import is_outage
from instant.domain.errors import (
    InstantError,
    Internal,
    Malformed,
    NotFound,
    UnsupportedMediaType,
    UpstreamUnavailable,
)
from instant.domain.validation import invalid_field
from instant.entrypoints.http.body import JSON

_log = logging.getLogger(__name__)


type Render = Callable[[InstantError], Response[str]]
"""Converts an error to an HTTP response."""


def error_response(error: InstantError) -> Response[str]:
    """Convert an error to its HTTP response."""
    return Response(error.status, JSON, json.dumps(error.body()), dict(error.headers))


def render_errors(app: APIGatewayRestResolver, render: Render) -> None:
    """Register error handlers on `app`: all errors and unknown routes get the format of `render`."""
    for kind in (Exception, RequestValidationError, RequestUnsupportedContentType, ResponseValidationError):
        app.exception_handler(kind)(lambda error: render(to_instant_error(error)))
    app.not_found(lambda error: render(NotFound("There is no such route. GET /api/openapi.json lists the routes.")))


def to_instant_error(error: Exception) -> InstantError:
    """The error for the caller; an unexpected error is logged and becomes `internal`."""
    match error:
        case InstantError():
            return error
        case RequestValidationError():
            return _invalid(error)
        case RequestUnsupportedContentType():
            return UnsupportedMediaType("Send the body as Content-Type: application/json.")
        case ResponseValidationError():
            return _misshapen(error)
    _log.error("unexpected failure", exc_info=error)
    return _no_storage() if is_outage(error) else _internal()


def _no_storage() -> UpstreamUnavailable:
    return UpstreamUnavailable(
        "Our storage did not answer in time. Retry; if this was a change, read first whether it was made.",
        retry_after=1,
    )


def _internal() -> Internal:
    return Internal("Something failed on our side. If this was an execution, read GET /api/executions first.")


def _invalid(error: RequestValidationError) -> InstantError:
    errors = [{**each, "loc": each["loc"][1:]} for each in error.errors()]
    if errors[0]["type"] == "json_invalid":
        return Malformed("The body is not a valid JSON object.")
    if not errors[0]["loc"] and errors[0]["type"] in {"missing", "model_attributes_type", "dict_type", "model_type"}:
        return Malformed("The body must be a JSON object.")
    return invalid_field(errors)


def _misshapen(error: ResponseValidationError) -> InstantError:
    """A bug of ours; the invalid value is not logged, since it may be a new key."""
    _log.error("a response does not match its schema", extra={"places": [each["loc"] for each in error.errors()]})
    return _internal()
