"""The Lambda handler of an HTTP function: router, throttle and error responses."""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

from instant.adapters.clock import SystemClock
from instant.domain.clock import format_time
from instant.domain.errors import InvalidField, NotFound, TooLarge, Unauthenticated
from instant.domain.json_values import json_text, response_bytes
from instant.domain.limits import MAX_BODY_BYTES, MAX_ID_CHARACTERS, MAX_RESPONSE_BYTES
from instant.entrypoints.http.body import check_body, read_json
from instant.entrypoints.http.errors import Render, error_response, render_errors, to_instant_error
from instant.entrypoints.http.headers import Cors, add_headers
from instant.entrypoints.http.stream import Headers, Start, Stream, Write
from instant.entrypoints.http.throttles import LEASE, throttle_of
from instant.entrypoints.observability import quiet_libraries
from instant.entrypoints.scopes import require_scope
from instant.settings import HttpSettings
from instant.use_cases.access.throttle import Lease, Throttle

type Proxy = dict[str, Any]
"""A response in the format that API Gateway expects from a Lambda function."""

type Resolve = Callable[[dict[str, Any], Any], Proxy | Stream]
type Handler = Callable[[dict[str, Any], Any], Proxy]

_PARAMETER = re.compile(r"\{(\w+)\}")
_HEADERS = ("headers", "multiValueHeaders")
_NOUNS = {"execution_id": "execution", "image_id": "image", "key_id": "API key", "resource_id": "resource"}
"""The kinds of ids in paths."""


def api(render: Render = error_response) -> APIGatewayRestResolver:
    """A resolver that returns every error in the format of `render`."""
    quiet_libraries()
    app = APIGatewayRestResolver(
        enable_validation=True,
        response_validation_error_http_code=500,
        json_body_deserializer=read_json,
        serializer=json_text,
        debug=False,
    )
    app.use([_refuse_unknown_query, _miss_long_ids])
    render_errors(app, render)
    return app


def handler_of(app: APIGatewayRestResolver, settings: HttpSettings, *, max_body_bytes: int = MAX_BODY_BYTES) -> Handler:
    """The Lambda handler of `app`, whose responses are buffered."""
    respond, cors = responder(resolver_of(app), settings, max_body_bytes=max_body_bytes), Cors(settings.cors_origins)

    def handler(event: dict[str, Any], context: Any) -> Proxy:
        return buffered(respond(event, context), event, cors)

    return handler


def resolver_of(app: APIGatewayRestResolver) -> Resolve:
    """The function that runs the routes of `app`, some of which return streams."""

    def resolve(event: dict[str, Any], context: Any) -> Proxy | Stream:
        response = app.resolve(event, context)
        return response["body"] if isinstance(response["body"], Stream) else response

    return resolve


def buffered(response: Proxy | Stream, event: Mapping[str, Any], cors: Cors, render: Render = error_response) -> Proxy:
    """The whole response, or an error response if Lambda cannot return it."""
    try:
        return _fitting(response.buffered() if isinstance(response, Stream) else response)
    except Exception as error:
        failed = _failed(error, render)
        _complete(failed, event, cors)
        return failed


def _fitting(response: Proxy) -> Proxy:
    """The response, if Lambda can return it; a larger one would end as a 502 without an explanation."""
    size = response_bytes(response.get("body") or "")
    if size > MAX_RESPONSE_BYTES:
        raise TooLarge(
            f"The response takes {size} bytes; {MAX_RESPONSE_BYTES} are possible. Ask for less, or send links.",
            details={"limit": "response_bytes", "most": MAX_RESPONSE_BYTES},
        )
    return response


def responder(
    resolve: Resolve,
    settings: HttpSettings,
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    render: Render = error_response,
) -> Resolve:
    """Create the function that handles every event, with throttling and one format of errors.

    The scope is checked before the throttle, so that a key cannot use up limits of routes that it may not call. The
    body is read after the throttle, so that requests with an invalid body are counted. The lease is released when the
    response ends: on return for a buffered response, and for a stream when it has been sent.
    """
    throttle, cors = throttle_of(settings), Cors(settings.cors_origins)

    def respond(event: dict[str, Any], context: Any) -> Proxy | Stream:
        with ExitStack() as held:
            try:
                _refuse_expired(event)
                require_scope(event)
                lease = held.enter_context(_passed(throttle, event, context))
                check_body(event, max_body_bytes)
                response = resolve({**_at_its_route(event), LEASE: lease}, context)
            except Exception as error:
                response = _failed(error, render)
            if isinstance(response, Stream):
                response = _completed(response, event, cors, render)
                response.on_close(held.pop_all().close)
                return response
        _complete(response, event, cors)
        return response

    return respond


def _complete(response: Proxy, event: Mapping[str, Any], cors: Cors) -> None:
    """Add the headers of every response; one to HEAD has no body."""
    add_headers(response.setdefault("multiValueHeaders", {}), event, cors)
    if event.get("httpMethod") == "HEAD":
        response["body"] = ""


def _completed(stream: Stream, event: Mapping[str, Any], cors: Cors, render: Render) -> Stream:
    """The stream with the headers of every response; one that fails before its start becomes an error response."""

    def run(start: Start) -> None:
        begun = False

        def begin(status: int, headers: Headers) -> Write:
            nonlocal begun
            begun = True
            add_headers(headers, event, cors)
            return start(status, headers)

        try:
            stream.send(begin)
            if not begun:
                raise RuntimeError("a stream ended before it began")
        except Exception as error:
            if begun:
                raise
            failed = _failed(error, render)
            begin(failed["statusCode"], failed["multiValueHeaders"])(failed["body"].encode())

    return Stream(run)


def _failed(error: Exception, render: Render) -> Proxy:
    """The same error response for failures outside the router."""
    response = render(to_instant_error(error))
    headers = {name: [str(value)] for name, value in response.headers.items()}
    return {"statusCode": response.status_code, "multiValueHeaders": headers, "body": response.body}


def _refuse_expired(event: Mapping[str, Any]) -> None:
    """Check the expiry again: API Gateway caches the authorizer's result for 60 s, which may exceed it."""
    ends = ((event.get("requestContext") or {}).get("authorizer") or {}).get("expires_at")
    if ends and format_time(SystemClock().now()) >= ends:
        raise Unauthenticated("The API key or access token has expired. Send a valid one.")


def _passed(throttle: Throttle | None, event: Mapping[str, Any], context: Any) -> AbstractContextManager[Lease | None]:
    """Enter the throttle for the caller; public routes have none."""
    authorizer = (event.get("requestContext") or {}).get("authorizer")
    if throttle is None or not authorizer:
        return nullcontext()
    route = f"{event['httpMethod']} {event['resource']}"
    return throttle(str(authorizer["user_id"]), route, context.get_remaining_time_in_millis() / 1000)


def _at_its_route(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the path of its route, GET for HEAD, and no type of its body, which is JSON by now.

    On a custom domain, `path` begins with the base path of the mapping. The router compares media types by case.
    """
    parameters: Mapping[str, str] = event.get("pathParameters") or {}
    path = _PARAMETER.sub(lambda found: parameters[found[1]], event["resource"])
    method = "GET" if event["httpMethod"] == "HEAD" else event["httpMethod"]
    return {**event, "path": path, "httpMethod": method, **{name: _untyped(event.get(name)) for name in _HEADERS}}


def _untyped(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (headers or {}).items() if name.lower() != "content-type"}


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
