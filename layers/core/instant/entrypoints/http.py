"""HTTP at the edge: strict JSON in, one error shape out, and who is calling."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from instant.adapters.clock import SystemClock
from instant.domain.clock import stamp
from instant.domain.errors import (
    InstantError,
    Internal,
    InvalidField,
    Malformed,
    NotFound,
    Unauthenticated,
    UnsupportedMediaType,
)
from instant.domain.idempotency import HEADER
from instant.domain.identity import Identity, Scope
from instant.domain.limits import MAX_BODY_BYTES, MAX_ID_CHARACTERS
from instant.domain.page import Cursor, Page, PageRequest
from instant.domain.validation import invalid_field
from instant.entrypoints.answers import PageOf
from instant.entrypoints.gates import LimitedSettings, gate_of
from instant.entrypoints.observability import quiet_libraries
from instant.entrypoints.stream import Stream
from instant.entrypoints.strict_json import JSON, check_body, read_json
from instant.use_cases.limit_calls import Gate

type Proxy = dict[str, Any]
"""A response as API Gateway takes it from a Lambda function."""

type Resolve = Callable[[dict[str, Any], Any], Proxy | Stream]
type Handler = Callable[[dict[str, Any], Any], Proxy]

_NOUNS = {"execution_id": "execution", "image_id": "image", "key_id": "API key", "resource_id": "resource"}
"""What the ids in paths are of."""

_REVISION = re.compile(r'\*|(?:W/)?"?([0-9]{1,9})"?')
"""What `If-Match` may say: any revision, or one, quoted or not."""

_log = logging.getLogger(__name__)


def api() -> APIGatewayRestResolver:
    """A resolver whose every error has our shape."""
    quiet_libraries()
    app = APIGatewayRestResolver(
        enable_validation=True,
        response_validation_error_http_code=500,
        json_body_deserializer=read_json,
        debug=False,
    )
    app.use([_refuse_unknown_query, _miss_long_ids])
    app.exception_handler(Exception)(lambda error: error_response(_ours(error)))
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(RequestUnsupportedContentType)(_unsupported)
    app.exception_handler(ResponseValidationError)(_misshapen)
    app.not_found(_no_route)
    return app


def handler_of(
    app: APIGatewayRestResolver, settings: LimitedSettings | None, *, max_body_bytes: int = MAX_BODY_BYTES
) -> Handler:
    """The Lambda handler of `app`, whose responses are buffered."""
    respond = responder(app.resolve, settings, max_body_bytes=max_body_bytes)

    def handler(event: dict[str, Any], context: Any) -> Proxy:
        response = respond(event, context)
        return response.buffered() if isinstance(response, Stream) else response

    return handler


def responder(resolve: Resolve, settings: LimitedSettings | None, *, max_body_bytes: int = MAX_BODY_BYTES) -> Resolve:
    """What answers every event: throttled, with every error in one shape.

    Without settings nothing is throttled here: every route is public, and throttled by the gateway. The body is read
    behind the throttle, so that an unreadable one counts, too. What the throttle holds is released when the response
    ends: with the return for one that is whole, and with its last byte, or when it is closed, for a stream.
    """
    gate = gate_of(settings) if settings else None

    def respond(event: dict[str, Any], context: Any) -> Proxy | Stream:
        with ExitStack() as held:
            try:
                _refuse_expired(event)
                held.enter_context(_passed(gate, event, context))
                check_body(event, max_body_bytes)
                response = resolve(event, context)
            except Exception as error:
                return _uncached(event, _as_proxy(error_response(_ours(error))))
            if isinstance(response, Stream):
                response.on_close(held.pop_all().close)
        return _uncached(event, response)

    return respond


def error_response(error: InstantError) -> Response[str]:
    """The one rendering of every error."""
    return Response(error.status, JSON, json.dumps(error.body()), dict(error.headers))


def _as_proxy(response: Response[str]) -> Proxy:
    """The same response for what fails before or behind the router."""
    headers = {name: [str(value)] for name, value in response.headers.items()}
    return {"statusCode": response.status_code, "multiValueHeaders": headers, "body": response.body}


def _refuse_expired(event: Mapping[str, Any]) -> None:
    """The gateway remembers a caller for a minute, which may be longer than what they sent is good for."""
    ends = ((event.get("requestContext") or {}).get("authorizer") or {}).get("expires_at")
    if ends and stamp(SystemClock().now()) >= ends:
        raise Unauthenticated("The API key or access token has expired. Send a valid one.")


def _passed(gate: Gate | None, event: Mapping[str, Any], context: Any) -> AbstractContextManager[None]:
    """The gate, entered by whom the authorizer names; routes for everybody have none."""
    authorizer = (event.get("requestContext") or {}).get("authorizer")
    if gate is None or not authorizer:
        return nullcontext()
    route = f"{event['httpMethod']} {event['resource']}"
    return gate(str(authorizer["user_id"]), route, context.get_remaining_time_in_millis() / 1000)


def caller_of(app: APIGatewayRestResolver) -> Identity:
    """Who is calling, as the authorizer says; nothing else in a request is believed about that."""
    context: Mapping[str, Any] = app.current_event.request_context.authorizer or {}
    scopes = str(context.get("scopes") or "").split()
    key_id = str(context.get("key_id") or "") or None
    return Identity(str(context["user_id"]), frozenset(Scope(scope) for scope in scopes), key_id)


def page_request(limit: int, cursor: str | None) -> PageRequest:
    """The page that the query asks for."""
    return PageRequest(limit, Cursor.decode(cursor) if cursor else None)


def page_answer[Item, Row](page: Page[Item], view: Callable[[Item], Row], total: int | None = None) -> PageOf[Row]:
    """A list as every route answers it."""
    answer: PageOf[Row] = {"data": [view(item) for item in page.items], "next_cursor": None}
    if page.next:
        answer["next_cursor"] = page.next.encode()
    if total is not None:
        answer["total"] = total
    return answer


def whole_answer[Row](rows: list[Row]) -> PageOf[Row]:
    """A list that is always given whole."""
    return {"data": rows, "next_cursor": None, "total": len(rows)}


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


def revision_of(app: APIGatewayRestResolver) -> int | None:
    """The revision that `If-Match` names; None without one, or if any will do."""
    value = app.current_event.headers.get("If-Match")
    if value is None:
        return None
    found = _REVISION.fullmatch(value.strip())
    if not found:
        raise InvalidField.named("If-Match", 'must be the revision of the resource, such as "3"')
    return int(found[1]) if found[1] else None


def idempotency_key(app: APIGatewayRestResolver) -> str | None:
    """The name that the caller gave the call, so that it is made once however often it is sent."""
    return app.current_event.headers.get(HEADER)


def _miss_long_ids(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    for name, value in app.context["_route_args"].items():
        if name in _NOUNS and len(value) > MAX_ID_CHARACTERS:
            raise NotFound.of(_NOUNS[name])
    return next_middleware(app)


def _refuse_unknown_query(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    known = {field.alias for field in app.context["_route"].dependant.query_params}
    for name in app.current_event.resolved_query_string_parameters or {}:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise InvalidField.named(name, f"is not a query parameter here; known are: {listed}")
    return next_middleware(app)


def _uncached(event: Mapping[str, Any], response: Proxy | Stream) -> Proxy | Stream:
    """What needs a token is for one reader, and a fresh key stands in a body: no cache may keep it."""
    if (event.get("requestContext") or {}).get("authorizer"):
        headers = response.headers if isinstance(response, Stream) else response.setdefault("multiValueHeaders", {})
        headers["Cache-Control"] = ["no-store"]
    return response


def _ours(error: Exception) -> InstantError:
    if isinstance(error, InstantError):
        return error
    _log.error("unexpected failure", exc_info=error)
    return _internal()


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
    """Our own mistake; what does not fit is not logged, since it may be a key on its way to its owner."""
    _log.error("a response does not have its shape", extra={"places": [each["loc"] for each in error.errors()]})
    return error_response(_internal())


def _no_route(error: Exception) -> Response[str]:
    return error_response(NotFound("There is no such route. GET /api/openapi.json lists the routes."))
