"""Every error as one HTTP response."""

import json
import logging

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


def error_response(error: InstantError) -> Response[str]:
    """Convert an error to its HTTP response."""
    return Response(error.status, JSON, json.dumps(error.body()), dict(error.headers))


def render_errors(app: APIGatewayRestResolver) -> None:
    """Register error handlers on `app`: all errors and unknown routes get the common format."""
    app.exception_handler(Exception)(lambda error: error_response(to_instant_error(error)))
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(RequestUnsupportedContentType)(_unsupported)
    app.exception_handler(ResponseValidationError)(_misshapen)
    app.not_found(_no_route)


def to_instant_error(error: Exception) -> InstantError:
    """The error for the caller; an unexpected error is logged and becomes `internal`."""
    if isinstance(error, InstantError):
        return error
    _log.error("unexpected failure", exc_info=error)
    return _no_storage() if is_outage(error) else _internal()


def _no_storage() -> UpstreamUnavailable:
    return UpstreamUnavailable(
        "Our storage did not answer in time. Retry; if this was a change, read first whether it was made.",
        retry_after=1,
    )


def _internal() -> Internal:
    return Internal("Something failed on our side. If this was an execution, read GET /api/executions first.")


def _invalid(error: RequestValidationError) -> Response[str]:
    errors = [{**each, "loc": each["loc"][1:]} for each in error.errors()]
    if errors[0]["type"] == "json_invalid":
        return error_response(Malformed("The body is not a valid JSON object."))
    if not errors[0]["loc"] and errors[0]["type"] in {"missing", "model_attributes_type", "dict_type", "model_type"}:
        return error_response(Malformed("The body must be a JSON object."))
    return error_response(invalid_field(errors))


def _unsupported(error: RequestUnsupportedContentType) -> Response[str]:
    return error_response(UnsupportedMediaType("Send the body as Content-Type: application/json."))


def _misshapen(error: ResponseValidationError) -> Response[str]:
    """A bug of ours; the invalid value is not logged, since it may be a new key."""
    _log.error("a response does not match its schema", extra={"places": [each["loc"] for each in error.errors()]})
    return error_response(_internal())


def _no_route(error: Exception) -> Response[str]:
    return error_response(NotFound("There is no such route. GET /api/openapi.json lists the routes."))
