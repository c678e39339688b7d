"""Generates the document from the routes of every function, the template, the errors and the example events."""

import importlib
import json
import os
import re
import tomllib
from collections.abc import Iterator
from http import HTTPStatus
from unittest import mock

from instant.domain.error_bodies.classes import every_error
from instant.domain.error_bodies.fields import error_type
from instant.entrypoints.scopes import SCOPES
from tests.architecture.probe import environment
from tests.architecture.project import ROOT, Function, Json, functions, template
from tests.openapi.openai_errors import openai_codes, openai_error_response, openai_error_schema

_ABOUT = """Pick a model, make a resource of it, and anybody you let can call it.

Errors have one shape, and their `message` says what to do next. Lists come in pages: pass `next_cursor` on as `cursor`.
Money is US dollars in decimal strings. Unknown fields and query parameters are refused by name."""

_TOKEN = """An API key (`x4k_live_…`), or an access token of the operator's issuer.

Each operation lists the scopes that allow it; one of them is enough. `manage` and `admin` include `read`."""

_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The revision that is to be changed; another one is answered with 409 `revision_conflict`.",
    "schema": {"type": "string", "pattern": r'^(\*|(W/)?"?[0-9]{1,9}"?)$'},
    "examples": {"revision": {"value": '"1"'}},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETags of answers that you have: if one is what would be answered, the answer is a bare 304.",
    "schema": {"type": "string"},
    "examples": {"tag": {"value": '"6a1f3c0e9b2d4857a0c1e2f3a4b5c6d7"'}},
}
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The id of the last event that you have: the number of Unicode code points of its text.",
    "schema": {"type": "string", "pattern": "^[0-9]{1,9}$"},
    "examples": {"resume": {"value": "12"}},
}
_NOT_MODIFIED = {"description": "One of the answers that If-None-Match names is still right."}
_CACHED = {("get", "/api/models"), ("get", "/api/models/{author}/{slug}")}
_CONDITIONAL = {("patch", "/api/resources/{resource_id}"), ("delete", "/api/resources/{resource_id}")}
_RESUMABLE = {("get", "/api/executions/{execution_id}/stream")}
_UPSTREAM_STATUSES = (502, 503, 504)


def document() -> Json:
    """The document without the example responses."""
    parts = [(function, _own_document(function)) for function in functions() if function.routes]
    paths: Json = {}
    for function, part in parts:
        for path, operations in part["paths"].items():
            for method, operation in operations.items():
                paths.setdefault(path, {})[method] = _operation(function, method, path, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Instant Resources",
            "summary": template()["Description"].partition(" - ")[2],
            "description": _ABOUT,
            "version": tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"],
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "..", "description": "The stage that serves this document."}],
        "tags": [{"name": function.name, "description": function.properties["Description"]} for function, _ in parts],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "schemas": dict(sorted({**_schemas([part for _, part in parts]), **_error_schemas()}.items())),
            "responses": {
                **{f"Error{status}": _error_response(status) for status in sorted(_codes())},
                **{f"OpenaiError{status}": openai_error_response(status) for status in sorted(openai_codes())},
            },
            "securitySchemes": {"BearerToken": {"type": "http", "scheme": "bearer", "description": _TOKEN}},
        },
    }


def cases(function: Function) -> Iterator[tuple[str, Json]]:
    """The HTTP example events of a function, with their names."""
    for path in sorted((ROOT / "events" / function.name).glob("*.json")):
        event = json.loads(path.read_text())
        if "httpMethod" in event:
            yield path.stem, event


def _own_document(function: Function) -> Json:
    with mock.patch.dict(os.environ, environment(function)):
        app = importlib.import_module(f"functions.{function.name}.app").app
    generated = json.loads(app.get_openapi_json_schema(title=function.name, version="1", openapi_version="3.1.0"))
    for operations in generated["paths"].values():
        for operation in operations.values():
            operation["doc"] = next(
                route.func
                for route in app._static_routes + app._dynamic_routes
                if route.operation_id == operation["operationId"]
            )
    return _plain(generated)


def _operation(function: Function, method: str, path: str, generated: Json) -> Json:
    """An operation with the name and the docstring of its handler, and the example events."""
    handler = generated.pop("doc")
    text = re.sub(r"\n\s+", "\n", handler.__doc__.strip())
    is_open = not _needs_token(function, method, path)
    operation = {
        "operationId": f"{function.name}_{handler.__name__}",
        "tags": [function.name],
        "summary": text.partition("\n")[0].rstrip("."),
        "description": text,
        "security": [] if is_open else [{"BearerToken": [*SCOPES[f"{method.upper()} {path}"]]}],
        "parameters": [*generated.get("parameters", []), *_headers(method, path)],
        "requestBody": generated.get("requestBody"),
        "responses": {status: answer for status, answer in generated["responses"].items() if int(status) < 400},
    }
    for status, answer in operation["responses"].items():
        if status == "204" or status >= "300":
            del answer["content"]
    if (method, path) in _CACHED:
        operation["responses"]["304"] = _NOT_MODIFIED
    kind = "OpenaiError" if function.name == "openai" else "Error"
    resumes = (method, path) in _RESUMABLE
    for status in _failures(function, method, operation, is_open=is_open, resumes=resumes):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/{kind}{status}"}
    route = (method.upper(), path)
    matching = {name: event for name, event in cases(function) if (event["httpMethod"], event["resource"]) == route}
    _add_examples(operation, matching)
    return {name: value for name, value in operation.items() if value not in (None, [], {}) or name == "security"}


def _headers(method: str, path: str) -> list[Json]:
    """The headers of an operation that its handler reads itself."""
    return [
        *([_IF_MATCH] if (method, path) in _CONDITIONAL else []),
        *([_IF_NONE_MATCH] if (method, path) in _CACHED else []),
        *([_LAST_EVENT_ID] if (method, path) in _RESUMABLE else []),
    ]


def _failures(function: Function, method: str, operation: Json, *, is_open: bool, resumes: bool) -> list[int]:
    """The error statuses of an operation, by its parameters and the environment of its function.

    An operation that `resumes` an execution answers with the error of that execution.
    """
    places = {parameter["in"] for parameter in operation["parameters"]}
    calls_out = (method == "post" and "OPENROUTER_BASE_URL" in function.environment) or resumes
    changes = method != "get" and "RESOURCES_TABLE" in function.environment and function.name != "budgets"
    keys = method != "get" and function.name == "api_keys"
    cancels = method != "get" and function.name == "executions"
    is_openai, reads = function.name == "openai", operation["requestBody"] or "query" in places
    conditions = {
        400: reads if is_openai else operation["requestBody"],
        401: not is_open,
        403: not is_open,
        404: "path" in places or function.name in {"budgets", "execute", "openai", "preview", "stream"},
        409: calls_out or changes or keys or cancels,
        413: operation["requestBody"] or resumes,
        415: operation["requestBody"],
        422: operation["requestBody"] if is_openai else reads or "header" in places,
        429: True,
        500: True,
        **dict.fromkeys(_UPSTREAM_STATUSES, calls_out),
    }
    return [status for status, applies in conditions.items() if applies]


def _add_examples(operation: Json, events: dict[str, Json]) -> None:
    """Add the bodies and parameters of the events as examples."""
    for name, event in events.items():
        if event["body"]:
            content = operation["requestBody"]["content"]["application/json"]
            content.setdefault("examples", {})[name] = {"value": json.loads(event["body"])}
        values = {**(event["pathParameters"] or {}), **(event["queryStringParameters"] or {})}
        for parameter in operation["parameters"]:
            if parameter["name"] in values:
                value = _typed(values[parameter["name"]], parameter["schema"])
                parameter.setdefault("examples", {})[name] = {"value": value}


def _typed(text: str, schema: Json) -> Json:
    return json.loads(text) if schema.get("type") in {"integer", "number", "boolean"} else text


def _needs_token(function: Function, method: str, path: str) -> bool:
    for event in function.properties["Events"].values():
        properties = event["Properties"]
        if (properties.get("Method", "").lower(), properties.get("Path")) == (method, path):
            return bool(properties.get("Auth", {}).get("Authorizer") != "NONE")
    raise LookupError(f"the template has no route {method} {path}")


def _schemas(parts: list[Json]) -> Json:
    """The schemas of all functions, without those of Powertools; raises `ValueError` if two differ under one name."""
    found: Json = {}
    for part in parts:
        for name, schema in part["components"]["schemas"].items():
            if found.setdefault(name, schema) != schema:
                raise ValueError(f"two functions have different schemas with the name {name}")
    return {name: schema for name, schema in found.items() if not name.endswith("ValidationError")}


def _codes() -> dict[int, list[tuple[str, str]]]:
    """The error codes with their meanings, by status."""
    found: dict[int, list[tuple[str, str]]] = {}
    for error in every_error():
        found.setdefault(error.status, []).append((error.code, error.__doc__ or ""))
    return found


def _error_response(status: int) -> Json:
    listed = "\n".join(f"- `{code}`: {text}" for code, text in sorted(_codes()[status]))
    schema = {"$ref": "#/components/schemas/Error"}
    return {
        "description": f"{HTTPStatus(status).phrase}.\n\n{listed}",
        "content": {"application/json": {"schema": schema}},
    }


def _error_schemas() -> Json:
    schema = _error_schema()
    return {"Error": schema, "OpenaiError": openai_error_schema(schema)}


def _error_schema() -> Json:
    codes = sorted({error.code for error in every_error()})
    fields: Json = {
        "code": {"type": "string", "enum": codes},
        "message": {"type": "string", "description": "What to do next."},
        "type": {
            "type": "string",
            "enum": sorted({error_type(error.code, error.status) for error in every_error()}),
            "description": "The class of the error, as in OpenAI's API.",
        },
        "param": {"type": ["string", "null"], "description": "The field that must be changed, if it is one."},
        "retryable": {"type": "boolean", "description": "Whether the same call may succeed later."},
        "execution_id": {"type": "string", "description": "The execution in which it happened, which is recorded."},
        "details": {"type": "object", "description": "`field` names the field of an invalid_field."},
    }
    error = {
        "type": "object",
        "required": ["code", "message", "type", "param", "retryable"],
        "properties": fields,
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "description": "Every failure, the gateway's own too.",
        "required": ["error"],
        "properties": {"error": error},
        "additionalProperties": False,
    }


def _plain(value: Json) -> Json:
    """The value without generated titles of pydantic, and with integers instead of integral floats."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items() if key != "title" or not isinstance(part, str)}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
