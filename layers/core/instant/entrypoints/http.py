"""HTTP at the edge: strict JSON in, one error shape out, and who is calling."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from math import isinf
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic_core import from_json

from instant.domain.errors import (
    InstantError,
    Internal,
    InvalidField,
    Malformed,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
)
from instant.domain.identity import Identity, Scope
from instant.domain.page import Cursor, Page, PageRequest
from instant.domain.validation import invalid_field
from instant.entrypoints.answers import PageOf
from instant.entrypoints.observability import quiet_libraries

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

MAX_ID_LENGTH = 40
"""No id of ours is longer, so a longer one in a path names nothing. It may be a key, and is looked up nowhere."""

_NOUNS = {"execution_id": "execution", "image_id": "image", "key_id": "API key", "resource_id": "resource"}
"""What the ids in paths are of."""

_REVISION = re.compile(r'\*|(?:W/)?"?([0-9]{1,9})"?')
"""What `If-Match` may say: any revision, or one, quoted or not."""

_JSON = "application/json"
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
    app.exception_handler(InstantError)(_told)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(RequestUnsupportedContentType)(_unsupported)
    app.exception_handler(ResponseValidationError)(_misshapen)
    app.exception_handler(Exception)(_unexpected)
    app.not_found(lambda error: _told(NotFound("There is no such route. The README lists the routes.")))
    return app


def handler_of(app: APIGatewayRestResolver, *, most_bytes: int | None = None) -> Handler:
    """The Lambda handler of `app`, which may refuse bodies over `most_bytes` before it looks at them."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        if most_bytes is not None and len(event.get("body") or "") > most_bytes:
            too_large = TooLarge(f"The body is too large. Send at most {most_bytes} bytes.")
            return _uncached(event, _as_proxy_answer(too_large))
        if event.get("body") is not None and not _is_json(event):
            error = UnsupportedMediaType("Send the body as Content-Type: application/json.")
            return _uncached(event, _as_proxy_answer(error))
        return _uncached(event, app.resolve(event, context))

    return handler


def caller_of(app: APIGatewayRestResolver) -> Identity:
    """Who is calling, as the authorizer says; nothing else in a request is believed about that."""
    context: Mapping[str, Any] = app.current_event.request_context.authorizer or {}
    scopes = str(context.get("scopes") or "").split()
    return Identity(str(context["user_id"]), frozenset(Scope(scope) for scope in scopes))


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
    return {200: {"description": description, "content": {_JSON: {"model": shape}, **texts}}}


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


def refuse_idempotency_key(app: APIGatewayRestResolver) -> None:
    """A caller who sends one believes that a repeat is safe, and here it would run, and cost, again."""
    if app.current_event.headers.get("Idempotency-Key") is not None:
        problem = "is not supported yet. Leave it out, and read GET /api/executions before you repeat a call"
        raise InvalidField.named("Idempotency-Key", problem)


def read_json(text: str) -> Any:
    """Strict JSON: finite numbers, no half characters, no bottomless nesting, no key twice; else a `JSONDecodeError`.

    A list is refused too: the router would take its first element for the body.
    """
    try:
        value = from_json(text, allow_inf_nan=False)
        json.loads(text, object_pairs_hook=_refuse_repeated, parse_float=_refuse_endless)
    except (TypeError, ValueError):  # TypeError: the text itself has half a character
        value = []
    if isinstance(value, list):
        raise json.JSONDecodeError("no JSON object", "", 0)
    return value


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    """Readers differ about which of two values counts, so what was checked might not be what was meant."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")


def _refuse_endless(digits: str) -> None:
    """1e400 is good JSON, and infinite for whoever reads it."""
    if isinf(float(digits)):
        raise ValueError("a number is too large")


def _miss_long_ids(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    for name, value in app.context["_route_args"].items():
        if name in _NOUNS and len(value) > MAX_ID_LENGTH:
            raise NotFound.of(_NOUNS[name])
    return next_middleware(app)


def _refuse_unknown_query(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    known = {field.alias for field in app.context["_route"].dependant.query_params}
    for name in app.current_event.resolved_query_string_parameters or {}:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise InvalidField.named(name, f"is not a query parameter here; known are: {listed}")
    return next_middleware(app)


def _is_json(event: Mapping[str, Any]) -> bool:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    kind = str(headers.get("content-type") or _JSON).split(";")[0].strip().lower()
    return kind == _JSON


def _told(error: InstantError) -> Response[Any]:
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    return Response(error.status, _JSON, json.dumps(error.body()), headers)


def _uncached(event: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """What needs a token is for one reader, and a fresh key stands in a body: no cache may keep it."""
    if (event.get("requestContext") or {}).get("authorizer"):
        answer.setdefault("multiValueHeaders", {})["Cache-Control"] = ["no-store"]
    return answer


def _as_proxy_answer(error: InstantError) -> dict[str, Any]:
    return {
        "statusCode": error.status,
        "multiValueHeaders": {"Content-Type": [_JSON]},
        "body": json.dumps(error.body()),
    }


def _invalid(error: RequestValidationError) -> Response[Any]:
    errors = [{**each, "loc": each["loc"][1:]} for each in error.errors()]
    if errors[0]["type"] == "json_invalid":
        return _told(Malformed("The body is not a valid JSON object."))
    if not errors[0]["loc"] and errors[0]["type"] in {"missing", "model_attributes_type", "dict_type", "model_type"}:
        return _told(Malformed("The body must be a JSON object."))
    return _told(invalid_field(errors))


def _unsupported(error: RequestUnsupportedContentType) -> Response[Any]:
    return _told(UnsupportedMediaType("Send the body as Content-Type: application/json."))


def _misshapen(error: ResponseValidationError) -> Response[Any]:
    """Our own mistake; what does not fit is not logged, since it may be a key on its way to its owner."""
    _log.error("an answer does not have its shape", extra={"places": [each["loc"] for each in error.errors()]})
    return _internal()


def _unexpected(error: Exception) -> Response[Any]:
    _log.error("unexpected failure", exc_info=error)
    return _internal()


def _internal() -> Response[Any]:
    return _told(Internal("Something failed on our side. If this was an execution, read GET /api/executions first."))
